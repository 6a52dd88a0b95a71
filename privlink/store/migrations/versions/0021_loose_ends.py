"""What is asked of living zones walks no dead ones."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    """Add the index."""
    living = sa.text("ended IS NULL")
    op.create_index("ix_zone_life_living", "zone_life", ["place"], sqlite_where=living)
