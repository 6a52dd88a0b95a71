"""Rules that name groups and prefix lists, the lists, and workloads that are in groups."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the tables and the column; every rule that is there is about a block."""
    op.add_column(
        "security_group_rule",
        sa.Column("peer_id", sa.String(), nullable=False, server_default=""),
    )
    op.create_index("ix_security_group_rule_peer_id", "security_group_rule", ["peer_id"])
    op.create_table(
        "attachment_security_group",
        sa.Column("attachment_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachment.id"]),
        sa.ForeignKeyConstraint(["group_id"], ["security_group.id"]),
        sa.PrimaryKeyConstraint("attachment_id", "group_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_attachment_security_group_group_id", "attachment_security_group", ["group_id"]
    )
    op.create_table(
        "prefix_list",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("max_entries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_prefix_list_account_id", "prefix_list", ["account_id"])
    op.create_table(
        "prefix_list_entry",
        sa.Column("list_id", sa.String(), nullable=False),
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["prefix_list.id"]),
        sa.PrimaryKeyConstraint("list_id", "cidr"),
        sqlite_with_rowid=False,
    )
