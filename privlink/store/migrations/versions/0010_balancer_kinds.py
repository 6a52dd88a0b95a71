"""Load balancers of two kinds, what protects them, and listeners that can be stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns; what is there is an NLB, active and unprotected, its listeners started."""
    op.add_column(
        "load_balancer", sa.Column("kind", sa.String(), nullable=False, server_default="nlb")
    )
    op.add_column(
        "load_balancer",
        sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    for name in (
        "spec",
        "undeletable_since",
        "undeletable_reason",
        "fixed_since",
        "fixed_reason",
    ):
        op.add_column(
            "load_balancer", sa.Column(name, sa.String(), nullable=False, server_default="")
        )
    op.add_column("server_group", sa.Column("balancer_id", sa.String(), nullable=True))
    op.create_index("ix_server_group_balancer_id", "server_group", ["balancer_id"])
    op.add_column(
        "listener", sa.Column("started", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "listener", sa.Column("description", sa.String(), nullable=False, server_default="")
    )
    op.add_column("listener", sa.Column("server_port", sa.Integer(), nullable=True))
