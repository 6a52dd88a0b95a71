"""What a consumer may set on an endpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the settings; what is there keeps the defaults of creation."""
    for name in ("policy", "protected_by"):
        op.add_column("endpoint", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in ("protected", "zone_affinity"):
        op.add_column(
            "endpoint", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
