"""What was counted and what it costs; metering begins now for the endpoints there are."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_BEGIN = """
INSERT INTO zone_life (place, endpoint_id, zone_id, eni_id, account_id, service_id, provider_id,
                       payer_id, begun, ended)
SELECT zone.number, zone.endpoint_id, zone.zone_id, zone.eni_id, endpoint.account_id,
       endpoint.service_id, service.account_id,
       CASE service.payer WHEN 'EndpointService' THEN service.account_id
                          ELSE endpoint.account_id END,
       :now, NULL
FROM endpoint_zone AS zone
JOIN endpoint ON endpoint.id = zone.endpoint_id
JOIN endpoint_service AS service ON service.id = endpoint.service_id
WHERE NOT zone.deleting
"""


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


_USAGE = (
    *("bytes_in", "bytes_out", "packets_in", "packets_out"),
    *("dropped_bytes_in", "dropped_bytes_out", "dropped_packets_in", "dropped_packets_out"),
    "flows",
)


def upgrade() -> None:
    """Make the tables, and a life for every zone there is."""
    op.create_table(
        "zone_life",
        *_numbers("place"),
        *_words("endpoint_id", "zone_id", "eni_id", "account_id"),
        *_words("service_id", "provider_id", "payer_id"),
        *_numbers("begun"),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("place"),
    )
    for name in ("endpoint_id", "account_id", "service_id", "provider_id", "payer_id"):
        op.create_index(f"ix_zone_life_{name}", "zone_life", [name, "place"])
    op.create_table(
        "traffic_life",
        sa.Column("node_id", sa.String(), sa.ForeignKey("node.id"), nullable=False),
        *_numbers("life"),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        *_numbers("seen"),
        sa.PrimaryKeyConstraint("node_id", "life"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "traffic_last",
        *_words("node_id"),
        *_numbers("life", "place", "flows"),
        *_words("counters"),
        sa.PrimaryKeyConstraint("node_id", "life", "place"),
    )
    op.create_table(
        "traffic_past",
        *_numbers("place"),
        *_words("counters"),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_table(
        "usage_hour",
        *_numbers("place", "hour", *_USAGE),
        sa.PrimaryKeyConstraint("place", "hour"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_minute",
        *_numbers("minute", "place", *_USAGE),
        sa.PrimaryKeyConstraint("minute", "place"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "price",
        *_numbers("since"),
        *_words("currency", "zone_hour", "gigabyte"),
        sa.PrimaryKeyConstraint("since"),
    )
    op.get_bind().execute(sa.text(_BEGIN), {"now": int(time.time())})
