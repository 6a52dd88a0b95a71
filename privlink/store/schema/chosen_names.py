"""Tables of the names that people choose."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from privlink.store.schema.base import metadata, reference, words

service_private_name = Table(
    "service_private_name",
    metadata,
    Column("service_id", String, ForeignKey("endpoint_service.id"), primary_key=True),
    reference("account_id", "account.id"),
    words("name"),
    words("challenge"),
    words("state"),
    words("verified_by"),
    words("created_at"),
    words("verified_at"),
    sqlite_with_rowid=False,
)

endpoint_private_name = Table(
    "endpoint_private_name",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    reference("service_id", "service_private_name.service_id"),
    Column("vpc_id", String, ForeignKey("vpc.id"), nullable=False),
    words("name"),
    Index("ix_endpoint_private_name_vpc_id_name", "vpc_id", "name"),
    sqlite_with_rowid=False,
)

endpoint_alias = Table(
    "endpoint_alias",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("vpc_id", String, ForeignKey("vpc.id"), nullable=False),
    words("zone_id"),
    words("created_at"),
    Index("ix_endpoint_alias_vpc_id_name", "vpc_id", "name"),
    sqlite_with_rowid=False,
)
