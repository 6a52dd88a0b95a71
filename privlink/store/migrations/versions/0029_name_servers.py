"""Somebody else's name servers that shall have our names."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "name_server",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        *_words("address"),
        sa.Column("port", sa.Integer(), nullable=False),
        *_words("zone"),
        sa.Column("pushes", sa.Boolean(), nullable=False),
        *_words("key_name", "key_algorithm", "key_secret", "created_at"),
    )
    op.create_table(
        "name_server_standing",
        sa.Column(
            "server_id",
            sa.String(),
            sa.ForeignKey("name_server.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("resolver_id", sa.String(), primary_key=True, nullable=False),
        *_words("state", "why", "since"),
        sqlite_with_rowid=False,
    )
