"""Names that providers give their services, and what consumers call endpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _key(name: str, target: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), sa.ForeignKey(target), primary_key=True, nullable=False)


def _reference(name: str, target: str, *, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), sa.ForeignKey(target), nullable=False, index=index)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "service_private_name",
        _key("service_id", "endpoint_service.id"),
        _reference("account_id", "account.id", index=True),
        *_words("name", "challenge", "state", "verified_by", "created_at", "verified_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "endpoint_private_name",
        _key("endpoint_id", "endpoint.id"),
        _reference("service_id", "service_private_name.service_id", index=True),
        _reference("vpc_id", "vpc.id"),
        *_words("name"),
        sa.Index("ix_endpoint_private_name_vpc_id_name", "vpc_id", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "endpoint_alias",
        _key("endpoint_id", "endpoint.id"),
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        _reference("vpc_id", "vpc.id"),
        *_words("zone_id", "created_at"),
        sa.Index("ix_endpoint_alias_vpc_id_name", "vpc_id", "name"),
        sqlite_with_rowid=False,
    )
