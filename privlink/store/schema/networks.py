"""Tables of private networks and the places in them."""

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

vpc = Table(
    "vpc",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("account_id", "account.id"),
    words("cidr"),
    words("name"),
    words("description"),
    words("created_at"),
    words("cidr6"),
)

vswitch = Table(
    "vswitch",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("vpc_id", "vpc.id"),
    reference("account_id", "account.id"),
    words("zone_id"),
    words("cidr"),
    words("name"),
    words("description"),
    words("created_at"),
    Column("next_address", BigInteger, nullable=False),
    words("cidr6"),
)

route_table = Table(
    "route_table",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("vpc_id", "vpc.id"),
    reference("account_id", "account.id"),
    words("type"),
    words("name"),
    words("description"),
    words("created_at"),
)

# A vSwitch without a row has the system table of its VPC.
route_table_binding = Table(
    "route_table_binding",
    metadata,
    Column("vswitch_id", String, ForeignKey("vswitch.id"), primary_key=True),
    reference("table_id", "route_table.id"),
)

# Routes beside those to the VPC's vSwitches. Lists of gateway services are named here too.
route_entry = Table(
    "route_entry",
    metadata,
    Column("id", String, primary_key=True),
    Column("table_id", String, ForeignKey("route_table.id"), nullable=False),  # begins the unique
    words("destination"),
    words("prefix_list_id"),
    words("hop_kind"),
    words("hop_id"),
    words("name"),
    words("description"),
    Column("system", Boolean, nullable=False),
    words("created_at"),
    UniqueConstraint("table_id", "destination", "prefix_list_id"),
    Index("ix_route_entry_prefix_list_id", "prefix_list_id"),
    Index("ix_route_entry_hop_id", "hop_id"),
)

eni = Table(
    "eni",
    metadata,
    Column("id", String, primary_key=True),
    Column("vpc_id", String, ForeignKey("vpc.id"), nullable=False),  # with its address below
    reference("vswitch_id", "vswitch.id"),
    Column("address", BigInteger, nullable=False),
    words("mac"),
    words("owner_kind"),
    words("owner_id"),
    words("created_at"),
    Column("address6", String, nullable=True),
    UniqueConstraint("vpc_id", "address"),
    Index(
        "ix_eni_address6",
        "vpc_id",
        "address6",
        unique=True,
        sqlite_where=where("address6 IS NOT NULL"),
    ),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("account_id", "account.id"),
    reference("vswitch_id", "vswitch.id"),
    reference("eni_id", "eni.id"),
    Column("plugged", Boolean, nullable=False),
    Column("deleting", Boolean, nullable=False),
    words("created_at"),
    Index("ix_attachment_deleting", "id", sqlite_where=where("deleting = 1")),
)
