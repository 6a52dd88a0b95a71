"""What a provider may set on a connection and on each zone of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the settings; what is there keeps the defaults of creation."""
    op.add_column(
        "connection", sa.Column("bandwidth", sa.Integer(), nullable=False, server_default="3072")
    )
    op.add_column(
        "connection",
        sa.Column("traffic_control", sa.String(), nullable=False, server_default="Scalability"),
    )
    op.add_column(
        "endpoint_zone",
        sa.Column("cut", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
