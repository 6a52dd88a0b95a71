"""What nodes say of the servers behind load balancers."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table. Until a node has spoken of a server, nothing is known of it."""
    op.create_table(
        "server_health",
        sa.Column("balancer_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["balancer_id"], ["load_balancer.id"]),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"]),
        sa.PrimaryKeyConstraint("balancer_id", "zone_id", "group_id", "address", "port", "node_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_server_health_node_id", "server_health", ["node_id"])
