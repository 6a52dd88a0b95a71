"""IPv6 beside IPv4: blocks of networks, addresses in them, and who has both."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns; what is there has IPv4 alone."""
    for table in ("vpc", "vswitch"):
        op.add_column(table, sa.Column("cidr6", sa.String(), nullable=False, server_default=""))
    op.add_column("eni", sa.Column("address6", sa.String(), nullable=True))
    op.create_index(
        "ix_eni_address6",
        "eni",
        ["vpc_id", "address6"],
        unique=True,
        sqlite_where=sa.text("address6 IS NOT NULL"),
    )
    for table in ("load_balancer", "endpoint_service", "endpoint"):
        op.add_column(
            table, sa.Column("ip_version", sa.String(), nullable=False, server_default="IPv4")
        )
