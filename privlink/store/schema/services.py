"""Tables of what providers publish."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from privlink.store.schema.base import by_age, metadata, words

endpoint_service = Table(
    "endpoint_service",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("account.id"), nullable=False),
    words("resource_type"),
    Column("auto_accept", Boolean, nullable=False),
    words("payer"),
    words("description"),
    Column("connect_bandwidth", Integer, nullable=True),
    Column("zone_affinity", Boolean, nullable=False),
    words("created_at"),
    words("ip_version"),
    Column("idle_tcp", Integer, nullable=True),
    Column("idle_udp", Integer, nullable=True),
    Column("most_flows", Integer, nullable=True),
    Column("flow_rate", Integer, nullable=True),
    *by_age("endpoint_service", "account_id"),
)

service_region = Table(
    "service_region",
    metadata,
    Column("service_id", String, ForeignKey("endpoint_service.id"), primary_key=True),
    Column("region_id", String, primary_key=True),
)

# No foreign key to the resource, which is a load balancer or a NAT gateway.
service_resource = Table(
    "service_resource",
    metadata,
    Column("service_id", String, ForeignKey("endpoint_service.id"), primary_key=True),
    Column("resource_id", String, primary_key=True),
    Column("zone_id", String, primary_key=True),
    Column("auto_allocated", Boolean, nullable=False),
    Index("ix_service_resource_resource_id", "resource_id"),
)

service_user = Table(
    "service_user",
    metadata,
    Column("service_id", String, ForeignKey("endpoint_service.id"), primary_key=True),
    Column("user", String, primary_key=True),
)
