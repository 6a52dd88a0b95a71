"""Who offers services for reverse endpoints, on what, and what those may reach."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """The first account may offer them; a service's resource may be a NAT gateway."""
    op.add_column(
        "account",
        sa.Column("reverse", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute("UPDATE account SET reverse = operator")
    _let_resources_be_of_any_kind()
    op.create_table(
        "endpoint_target",
        sa.Column("endpoint_id", sa.String(), sa.ForeignKey("endpoint.id"), nullable=False),
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "cidr", "protocol", "low", "high"),
        sqlite_with_rowid=False,
    )


def _let_resources_be_of_any_kind() -> None:
    """The same table without its foreign key to load balancers, which has no name to drop it by."""
    op.drop_index("ix_service_resource_resource_id", "service_resource")
    op.rename_table("service_resource", "service_resource_before")
    op.create_table(
        "service_resource",
        sa.Column("service_id", sa.String(), sa.ForeignKey("endpoint_service.id"), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("auto_allocated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("service_id", "resource_id", "zone_id"),
    )
    op.execute(
        "INSERT INTO service_resource (service_id, resource_id, zone_id, auto_allocated) "
        "SELECT service_id, resource_id, zone_id, auto_allocated FROM service_resource_before"
    )
    op.drop_table("service_resource_before")
    op.create_index("ix_service_resource_resource_id", "service_resource", ["resource_id"])
