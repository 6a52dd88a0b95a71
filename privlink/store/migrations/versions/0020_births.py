"""The counters of a place on a node have a birth; of those there are, it is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "traffic_last", sa.Column("born", sa.BigInteger(), nullable=False, server_default="0")
    )
