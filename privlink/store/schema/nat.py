"""Tables of NAT gateways, and of what consumers let them reach."""

from __future__ import annotations

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

from privlink.store.schema.base import metadata, reference, words

nat_gateway = Table(
    "nat_gateway",
    metadata,
    Column("id", String, primary_key=True),
    reference("account_id", "account.id"),
    reference("vpc_id", "vpc.id"),
    reference("vswitch_id", "vswitch.id"),
    words("name"),
    words("description"),
    Column("private_link", Boolean, nullable=False),
    words("created_at"),
)

nat_ip = Table(
    "nat_ip",
    metadata,
    Column("id", String, primary_key=True),
    reference("gateway_id", "nat_gateway.id"),
    reference("eni_id", "eni.id"),
    Column("is_default", Boolean, nullable=False),
    words("name"),
    words("description"),
    words("created_at"),
)

# No foreign keys to the endpoint and its zone: an entry outlives them.
full_nat_entry = Table(
    "full_nat_entry",
    metadata,
    Column("id", String, primary_key=True),
    reference("gateway_id", "nat_gateway.id"),
    Column("nat_ip_id", String, ForeignKey("nat_ip.id"), nullable=False),
    words("protocol"),
    Column("port", Integer, nullable=False),
    Column("balancer", BigInteger, nullable=False, unique=True),
    words("endpoint_id"),
    words("zone_id"),
    words("eni_id"),
    Column("place", BigInteger, nullable=False),
    words("target_vpc_id"),
    words("domain"),
    words("target"),
    Column("target_port", Integer, nullable=False),
    words("name"),
    words("description"),
    words("created_at"),
    UniqueConstraint("nat_ip_id", "protocol", "port"),
    Index("ix_full_nat_entry_endpoint_id", "endpoint_id"),
    Index("ix_full_nat_entry_target_vpc_id", "target_vpc_id"),
)

endpoint_target = Table(
    "endpoint_target",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("cidr", String, primary_key=True),
    Column("protocol", String, primary_key=True),
    Column("low", Integer, primary_key=True),
    Column("high", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

endpoint_resolver = Table(
    "endpoint_resolver",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    words("address"),
    sqlite_with_rowid=False,
)

resolution = Table(
    "resolution",
    metadata,
    Column("entry_id", String, ForeignKey("full_nat_entry.id"), primary_key=True),
    Column("node_id", String, ForeignKey("node.id"), primary_key=True, index=True),
    words("name"),
    words("addresses"),
    words("why"),
    words("since"),
    sqlite_with_rowid=False,
)
