"""Where the flows of an endpoint zone lead that were there before a graceful migration."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns and what finds the few rows that have something in them."""
    for name in ("replaced_resource_id", "replaced_vpc_id"):
        op.add_column("endpoint_zone", sa.Column(name, sa.String(), nullable=True))
    for name in ("replaced_source", "replaced_opening"):
        op.add_column("endpoint_zone", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_endpoint_zone_replaced",
        "endpoint_zone",
        ["replaced_vpc_id", "replaced_source"],
        sqlite_where=sa.text("replaced_source IS NOT NULL"),
    )
    op.create_index(
        "ix_endpoint_zone_replaced_resource",
        "endpoint_zone",
        ["replaced_resource_id"],
        sqlite_where=sa.text("replaced_resource_id IS NOT NULL"),
    )
