"""Tables of what consumers create."""

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

from privlink.store.schema.base import by_age, metadata, reference, where, words

# No foreign key to the service: an endpoint outlives it, as ServiceDeleted.
endpoint = Table(
    "endpoint",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("account.id"), nullable=False),
    Column("vpc_id", String, ForeignKey("vpc.id"), nullable=False),
    words("service_id"),
    words("service_name"),
    words("type"),
    words("name"),
    words("description"),
    words("policy"),
    Column("protected", Boolean, nullable=False),
    words("protected_by"),
    Column("zone_affinity", Boolean, nullable=False),
    Column("deleting", Boolean, nullable=False),
    words("created_at"),
    words("ip_version"),
    *by_age("endpoint", "account_id", "vpc_id", "service_id"),
    Index("ix_endpoint_deleting", "id", sqlite_where=where("deleting = 1")),
)

# How many endpoints there are of an account, in a VPC, of a service, of an account to a service.
tally = Table(
    "tally",
    metadata,
    Column("name", String, primary_key=True),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

endpoint_security_group = Table(
    "endpoint_security_group",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("group_id", String, ForeignKey("security_group.id"), primary_key=True),
    Index("ix_endpoint_security_group_group_id", "group_id"),
    sqlite_with_rowid=False,
)

connection = Table(
    "connection",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    words("service_id"),
    words("decision"),
    Column("bandwidth", Integer, nullable=False),
    words("traffic_control"),
    words("modified_at"),
    sqlite_with_rowid=False,
)

endpoint_zone = Table(
    "endpoint_zone",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("zone_id", String, primary_key=True),
    reference("vswitch_id", "vswitch.id"),
    reference("eni_id", "eni.id"),
    Column("resource_id", String, nullable=True, index=True),
    Column("provider_vpc_id", String, ForeignKey("vpc.id"), nullable=True),  # with its source
    Column("source", BigInteger, nullable=True),
    Column("opening", BigInteger, nullable=True, unique=True),
    Column("initial", Boolean, nullable=False),
    Column("placed", Boolean, nullable=False),
    Column("deleting", Boolean, nullable=False),
    Column("cut", Boolean, nullable=False),
    Column("replaced_resource_id", String, nullable=True),
    Column("replaced_vpc_id", String, nullable=True),
    Column("replaced_source", BigInteger, nullable=True),
    Column("replaced_opening", BigInteger, nullable=True),
    Column("number", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("provider_vpc_id", "source"),
    Index(
        "ix_endpoint_zone_replaced",
        "replaced_vpc_id",
        "replaced_source",
        sqlite_where=where("replaced_source IS NOT NULL"),
    ),
    Index(
        "ix_endpoint_zone_replaced_resource",
        "replaced_resource_id",
        sqlite_where=where("replaced_resource_id IS NOT NULL"),
    ),
    Index(
        "ix_endpoint_zone_unsettled",
        "endpoint_id",
        sqlite_where=where("deleting = 1 OR placed = 0"),
    ),
    sqlite_with_rowid=False,
)
