"""Gateway services, gateway endpoints, and the route tables they are associated with."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add their tables."""
    op.create_table(
        "gateway_service",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("prefix_list_id", sa.String(), nullable=False),
        sa.Column("policies", sa.Boolean(), nullable=False),
        sa.Column("default_policy", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["vswitch_id"], ["vswitch.id"]),
        sa.ForeignKeyConstraint(["vpc_id"], ["vpc.id"]),
        sa.ForeignKeyConstraint(["prefix_list_id"], ["prefix_list.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    for column in ("vswitch_id", "vpc_id", "prefix_list_id"):
        op.create_index(f"ix_gateway_service_{column}", "gateway_service", [column])
    _endpoints()
    _associations()


def _endpoints() -> None:
    op.create_table(
        "gateway_endpoint",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("provider_vpc_id", sa.String(), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("placed", sa.Boolean(), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["vpc_id"], ["vpc.id"]),
        sa.ForeignKeyConstraint(["service_id"], ["gateway_service.id"]),
        sa.ForeignKeyConstraint(["provider_vpc_id"], ["vpc.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("opening"),
        sa.UniqueConstraint("vpc_id", "service_id"),
        sa.UniqueConstraint("provider_vpc_id", "source"),
    )
    for column in ("account_id", "service_id"):
        op.create_index(f"ix_gateway_endpoint_{column}", "gateway_endpoint", [column])
    op.create_index(
        "ix_gateway_endpoint_unsettled",
        "gateway_endpoint",
        ["id"],
        sqlite_where=sa.text("deleting = 1 OR placed = 0"),
    )


def _associations() -> None:
    op.create_table(
        "gateway_association",
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("table_id", sa.String(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["gateway_endpoint.id"]),
        sa.ForeignKeyConstraint(["table_id"], ["route_table.id"]),
        sa.PrimaryKeyConstraint("endpoint_id", "table_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_gateway_association_table_id", "gateway_association", ["table_id"])
    op.create_index(
        "ix_gateway_association_unsettled",
        "gateway_association",
        ["endpoint_id"],
        sqlite_where=sa.text("leaving = 1 OR held = 0"),
    )
