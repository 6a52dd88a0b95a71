"""Whom endpoints ask for names, and what nodes found."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _key(name: str, target: str, *, index: bool = False) -> sa.Column[str]:
    return sa.Column(
        name, sa.String(), sa.ForeignKey(target), primary_key=True, nullable=False, index=index
    )


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "endpoint_resolver",
        _key("endpoint_id", "endpoint.id"),
        *_words("address"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resolution",
        _key("entry_id", "full_nat_entry.id"),
        _key("node_id", "node.id", index=True),
        *_words("name", "addresses", "why", "since"),
        sqlite_with_rowid=False,
    )
