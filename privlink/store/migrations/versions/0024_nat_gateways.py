"""NAT gateways, their addresses and their full-NAT entries."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _reference(name: str, target: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), sa.ForeignKey(target), nullable=False, index=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "nat_gateway",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _reference("account_id", "account.id"),
        _reference("vpc_id", "vpc.id"),
        _reference("vswitch_id", "vswitch.id"),
        *_words("name", "description"),
        sa.Column("private_link", sa.Boolean(), nullable=False),
        *_words("created_at"),
    )
    op.create_table(
        "nat_ip",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _reference("gateway_id", "nat_gateway.id"),
        _reference("eni_id", "eni.id"),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        *_words("name", "description", "created_at"),
    )
    op.create_table(
        "full_nat_entry",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _reference("gateway_id", "nat_gateway.id"),
        sa.Column("nat_ip_id", sa.String(), sa.ForeignKey("nat_ip.id"), nullable=False),
        *_words("protocol"),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("balancer", sa.BigInteger(), nullable=False, unique=True),
        *_words("endpoint_id", "zone_id", "eni_id"),
        sa.Column("place", sa.BigInteger(), nullable=False),
        *_words("target_vpc_id", "domain", "target"),
        sa.Column("target_port", sa.Integer(), nullable=False),
        *_words("name", "description", "created_at"),
        sa.UniqueConstraint("nat_ip_id", "protocol", "port"),
    )
    for name in ("endpoint_id", "target_vpc_id"):
        op.create_index(f"ix_full_nat_entry_{name}", "full_nat_entry", [name])
