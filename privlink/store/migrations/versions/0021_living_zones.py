"""What is asked of lives is found in its order, and without those that are over."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the indexes."""
    consumer = ["account_id", "endpoint_id", "zone_id", "eni_id", "place"]
    op.create_index("ix_zone_life_consumer", "zone_life", consumer)
    provider = ["provider_id", "service_id", "endpoint_id", "place"]
    op.create_index("ix_zone_life_provider", "zone_life", provider)
    living = sa.text("ended IS NULL")
    op.create_index("ix_zone_life_living", "zone_life", ["place"], sqlite_where=living)
