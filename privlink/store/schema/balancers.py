"""Tables of load balancers and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from privlink.store.schema.base import metadata, reference, where, words


def balancing() -> Iterator[Column[Any]]:
    """How flows are shared out among servers, which a CLB has for each listener."""
    yield words("scheduler")
    yield words("health")
    yield Column("draining", Boolean, nullable=False)
    yield Column("drain_timeout", Integer, nullable=False)


load_balancer = Table(
    "load_balancer",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("account_id", "account.id"),
    reference("vpc_id", "vpc.id"),
    words("kind"),
    words("address_type"),
    words("name"),
    words("created_at"),
    Column("active", Boolean, nullable=False),
    words("spec"),
    words("undeletable_since"),
    words("undeletable_reason"),
    words("fixed_since"),
    words("fixed_reason"),
    words("ip_version"),
    Column("cross_zone", Boolean, nullable=False),
)

load_balancer_zone = Table(
    "load_balancer_zone",
    metadata,
    Column("balancer_id", String, ForeignKey("load_balancer.id"), primary_key=True),
    Column("zone_id", String, primary_key=True),
    reference("vswitch_id", "vswitch.id"),
    reference("eni_id", "eni.id"),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("opening", BigInteger, nullable=False, unique=True),
)

server_group = Table(
    "server_group",
    metadata,
    Column("id", String, primary_key=True),
    reference("account_id", "account.id"),
    reference("vpc_id", "vpc.id"),
    words("protocol"),
    words("type"),
    words("name"),
    words("created_at"),
    Column("balancer_id", String, nullable=True, index=True),
    words("ip_version"),
    Column("any_port", Boolean, nullable=False),
    *balancing(),
)

group_server = Table(
    "group_server",
    metadata,
    Column("group_id", String, ForeignKey("server_group.id"), primary_key=True),
    words("server_type"),
    words("server_id"),
    Column("address", String, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("weight", Integer, nullable=False),
    words("description"),
    Column("leaving_until", BigInteger, nullable=True),
    Index(
        "ix_group_server_leaving",
        "leaving_until",
        sqlite_where=where("leaving_until IS NOT NULL"),
    ),
)

listener = Table(
    "listener",
    metadata,
    Column("id", String, primary_key=True),
    reference("account_id", "account.id"),
    reference("balancer_id", "load_balancer.id"),
    words("protocol"),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    reference("group_id", "server_group.id"),
    words("created_at"),
    Column("started", Boolean, nullable=False),
    words("description"),
    Column("server_port", Integer, nullable=True),
    Column("idle", Integer, nullable=False),
    *balancing(),
    UniqueConstraint("balancer_id", "protocol", "first"),
)
