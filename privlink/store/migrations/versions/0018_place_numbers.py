"""Numbers of endpoint zones."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"


def upgrade() -> None:
    """Number what is there."""
    op.add_column(
        "endpoint_zone", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0")
    )
    connection = op.get_bind()
    zones = connection.execute(sa.text("SELECT endpoint_id, zone_id FROM endpoint_zone")).all()
    for number, (endpoint_id, zone_id) in enumerate(zones, 1):
        connection.execute(
            sa.text("UPDATE endpoint_zone SET number = :n WHERE endpoint_id = :e AND zone_id = :z"),
            {"n": number, "e": endpoint_id, "z": zone_id},
        )
    if zones:
        connection.execute(
            sa.text("INSERT INTO sequence (name, value) VALUES ('place', :n)"), {"n": len(zones)}
        )
