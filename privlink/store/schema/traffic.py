"""Tables of what was counted, for how long there was something to count, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table

from privlink.store.schema.base import metadata, where, words


def _usage() -> Iterator[Column[int]]:
    for name in ("bytes", "packets", "dropped_bytes", "dropped_packets"):
        for way in ("in", "out"):
            yield Column(f"{name}_{way}", BigInteger, nullable=False)
    yield Column("flows", BigInteger, nullable=False)


# No foreign keys: what was used is still there to be paid for when all of these are gone.
zone_life = Table(
    "zone_life",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    words("endpoint_id"),
    words("zone_id"),
    words("eni_id"),
    words("account_id"),
    words("service_id"),
    words("provider_id"),
    words("payer_id"),
    Column("begun", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=True),
    *(
        Index(f"ix_zone_life_{name}", name, "place")
        for name in ("endpoint_id", "account_id", "service_id", "provider_id", "payer_id")
    ),
    # In the order in which CloudMonitor's series are given, so that a page begins where one ended.
    Index("ix_zone_life_consumer", "account_id", "endpoint_id", "zone_id", "eni_id", "place"),
    Index("ix_zone_life_provider", "provider_id", "service_id", "endpoint_id", "place"),
    # Lives only add up: what is asked of those that go on must not walk the others.
    Index("ix_zone_life_living", "place", sqlite_where=where("ended IS NULL")),
)

# The lives of a node's counters. Those of a life that is over are in `traffic_past`.
traffic_life = Table(
    "traffic_life",
    metadata,
    Column("node_id", String, ForeignKey("node.id"), primary_key=True),
    Column("life", BigInteger, primary_key=True),
    Column("newest", Boolean, nullable=False),
    Column("over", Boolean, nullable=False),
    Column("seen", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What a node has counted of a place since its counters were born, in one life of all of them, as it
# last said. What those of an earlier birth had counted is in `traffic_past`.
traffic_last = Table(
    "traffic_last",
    metadata,
    Column("node_id", String, primary_key=True),
    Column("life", BigInteger, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    Column("born", BigInteger, nullable=False, server_default="0"),
    Column("flows", BigInteger, nullable=False),
    words("counters"),
)

traffic_past = Table(
    "traffic_past",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    words("counters"),
)

# Usage by hours since 1970, and the same by minutes, of which only the last hours are kept.
usage_hour = Table(
    "usage_hour",
    metadata,
    Column("place", BigInteger, primary_key=True),
    Column("hour", BigInteger, primary_key=True),
    *_usage(),
    sqlite_with_rowid=False,
)

usage_minute = Table(
    "usage_minute",
    metadata,
    Column("minute", BigInteger, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    *_usage(),
    sqlite_with_rowid=False,
)

price = Table(
    "price",
    metadata,
    Column("since", BigInteger, primary_key=True, autoincrement=False),  # hours since 1970
    words("currency"),
    words("zone_hour"),
    words("gigabyte"),
)
