"""Tags and resource groups."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables: a resource without a row has no tags and is in the default group."""
    op.create_table(
        "resource_tag",
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("resource_id", "key"),
    )
    op.create_index(
        "ix_resource_tag_account_id_key", "resource_tag", ["account_id", "key", "value"]
    )
    op.create_table(
        "resource_group",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resource_group_account_id", "resource_group", ["account_id"])
    op.create_index("ix_resource_group_name", "resource_group", ["account_id", "name"], unique=True)
    op.create_table(
        "group_member",
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["resource_group.id"]),
        sa.PrimaryKeyConstraint("resource_id"),
    )
    op.create_index("ix_group_member_group_id", "group_member", ["group_id"])
