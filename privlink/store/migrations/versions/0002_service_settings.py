"""What a provider may set on a service and on each of its resources."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the settings; what is there keeps the defaults of creation."""
    op.add_column("endpoint_service", sa.Column("connect_bandwidth", sa.Integer(), nullable=True))
    op.add_column(
        "endpoint_service",
        sa.Column("zone_affinity", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "service_resource",
        sa.Column("auto_allocated", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.create_table(
        "service_region",
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("region_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["endpoint_service.id"]),
        sa.PrimaryKeyConstraint("service_id", "region_id"),
    )
