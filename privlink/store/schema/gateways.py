"""Tables of gateway services and gateway endpoints."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
)

from privlink.store.schema.base import metadata, reference, where, words

gateway_service = Table(
    "gateway_service",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    reference("vswitch_id", "vswitch.id"),
    reference("vpc_id", "vpc.id"),
    reference("prefix_list_id", "prefix_list.id"),
    Column("policies", Boolean, nullable=False),
    words("default_policy"),
    words("created_at"),
)

gateway_endpoint = Table(
    "gateway_endpoint",
    metadata,
    Column("id", String, primary_key=True),
    reference("account_id", "account.id"),
    Column("vpc_id", String, ForeignKey("vpc.id"), nullable=False),  # begins the unique
    reference("service_id", "gateway_service.id"),
    words("name"),
    words("description"),
    words("policy"),
    words("created_at"),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("opening", BigInteger, nullable=False, unique=True),
    Column("provider_vpc_id", String, ForeignKey("vpc.id"), nullable=False),  # with its source
    Column("source", BigInteger, nullable=False),
    Column("placed", Boolean, nullable=False),
    Column("deleting", Boolean, nullable=False),
    UniqueConstraint("vpc_id", "service_id"),
    UniqueConstraint("provider_vpc_id", "source"),
    Index("ix_gateway_endpoint_unsettled", "id", sqlite_where=where("deleting = 1 OR placed = 0")),
)

# One that is leaving stays until the nodes are without its route; a table that goes takes it along.
gateway_association = Table(
    "gateway_association",
    metadata,
    Column("endpoint_id", String, ForeignKey("gateway_endpoint.id"), primary_key=True),
    Column("table_id", String, ForeignKey("route_table.id"), primary_key=True),
    Column("held", Boolean, nullable=False),
    Column("leaving", Boolean, nullable=False),
    Index("ix_gateway_association_table_id", "table_id"),
    Index(
        "ix_gateway_association_unsettled",
        "endpoint_id",
        sqlite_where=where("leaving = 1 OR held = 0"),
    ),
    sqlite_with_rowid=False,
)
