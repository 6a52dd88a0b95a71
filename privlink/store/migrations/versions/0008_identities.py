"""Users, roles and their sessions, policies, and whether an account has PrivateLink switched on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the tables and columns. Accounts that are there go on as they did, PrivateLink on."""
    op.add_column(
        "account", sa.Column("opened", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "account", sa.Column("linked", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("access_key", sa.Column("user_id", sa.String(), nullable=True))
    op.add_column(
        "access_key", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "access_key", sa.Column("created_at", sa.String(), nullable=False, server_default="")
    )
    op.create_index("ix_access_key_user_id", "access_key", ["user_id"])
    _identity("ram_user", "display_name", "mobile_phone", "email", "comments")
    _identity("ram_role", "description", "trust", "service", longest=sa.Integer())
    op.create_table(
        "ram_policy",
        sa.Column("account_id", sa.String(), nullable=False),
        *_words("name", "description", "document"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_words("created_at", "updated_at"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id", "name"),
    )
    op.create_table(
        "ram_policy_version",
        *_words("account_id", "policy_name"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_words("document", "created_at"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id", "policy_name", "version"),
    )
    op.create_table(
        "ram_grant",
        *_words("identity_id", "policy_type", "policy_name", "account_id", "granted_at"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("identity_id", "policy_type", "policy_name"),
    )
    op.create_index(
        "ix_ram_grant_policy", "ram_grant", ["account_id", "policy_type", "policy_name"]
    )
    op.create_table(
        "role_session",
        *_words("access_key_id", "secret", "token_sha256", "account_id", "role_id"),
        *_words("role_name", "name", "policy"),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["role_id"], ["ram_role.id"]),
        sa.PrimaryKeyConstraint("access_key_id"),
    )
    for column in ("account_id", "role_id", "expires"):
        op.create_index(f"ix_role_session_{column}", "role_session", [column])


def _words(*names: str) -> list["sa.Column[str]"]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _identity(table: str, *texts: str, **others: "sa.Integer") -> None:
    op.create_table(
        table,
        *_words("id", "account_id", "name", *texts, "created_at", "updated_at"),
        *(sa.Column(name, kind, nullable=False) for name, kind in others.items()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(f"ix_{table}_name", table, ["account_id", "name"], unique=True)
