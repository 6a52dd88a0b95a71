"""The tables, as the last migration leaves them. Columns carry the names of the model's fields.

Rows hold facts only: no status is stored. IPv4 addresses are numbers, so that SQL can order them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)

metadata = MetaData()


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String, ForeignKey(target), nullable=nullable, index=True)


def _where(condition: str) -> TextClause:
    # The few rows that a report looks for among all. SQLite takes the index for this very text.
    return text(condition)


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False)


# Counters: numbers that are never used twice.
sequence = Table(
    "sequence",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# The change feed: one row for each item a node may hold, with the revision it last changed at.
change = Table(
    "change",
    metadata,
    Column("key", String, primary_key=True),
    Column("revision", BigInteger, nullable=False, unique=True),
    Column("gone", Boolean, nullable=False),
    Index("ix_change_gone", "revision", sqlite_where=_where("gone = 1")),
)

account = Table(
    "account",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("operator", Boolean, nullable=False),
    _text("created_at"),
)

node = Table(
    "node",
    metadata,
    Column("id", String, primary_key=True),
    _text("zones"),
    _text("fabric"),
    Column("life", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    _text("seen_at"),
    _text("drops"),
)

fault = Table(
    "fault",
    metadata,
    Column("node_id", String, ForeignKey("node.id"), primary_key=True),
    Column("key", String, primary_key=True, index=True),
    _text("code"),
    _text("message"),
)

access_key = Table(
    "access_key",
    metadata,
    Column("id", String, primary_key=True),
    _text("secret"),
    _reference("account_id", "account.id", nullable=True),
    _reference("node_id", "node.id", nullable=True),
)

nonce = Table(
    "nonce",
    metadata,
    Column("access_key_id", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),  # Unix seconds
)

client_token = Table(
    "client_token",
    metadata,
    Column("account_id", String, ForeignKey("account.id"), primary_key=True),
    Column("action", String, primary_key=True),
    Column("token", String, primary_key=True),
    _text("parameters"),  # SHA-256 of what came with it
    _text("answer"),
    Column("created", BigInteger, nullable=False, index=True),  # Unix seconds
)

vpc = Table(
    "vpc",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    _reference("account_id", "account.id"),
    _text("cidr"),
    _text("name"),
    _text("description"),
    _text("created_at"),
)

vswitch = Table(
    "vswitch",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    _reference("vpc_id", "vpc.id"),
    _reference("account_id", "account.id"),
    _text("zone_id"),
    _text("cidr"),
    _text("name"),
    _text("description"),
    _text("created_at"),
    Column("next_address", BigInteger, nullable=False),
)

eni = Table(
    "eni",
    metadata,
    Column("id", String, primary_key=True),
    _reference("vpc_id", "vpc.id"),
    _reference("vswitch_id", "vswitch.id"),
    Column("address", BigInteger, nullable=False),
    _text("mac"),
    _text("owner_kind"),
    Column("owner_id", String, nullable=False, index=True),
    UniqueConstraint("vpc_id", "address"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    _reference("account_id", "account.id"),
    _reference("vswitch_id", "vswitch.id"),
    _reference("eni_id", "eni.id"),
    Column("plugged", Boolean, nullable=False),
    Column("deleting", Boolean, nullable=False),
    _text("created_at"),
    Index("ix_attachment_deleting", "id", sqlite_where=_where("deleting = 1")),
)

security_group = Table(
    "security_group",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    _reference("account_id", "account.id"),
    _reference("vpc_id", "vpc.id"),
    _text("type"),
    _text("name"),
    _text("description"),
    _text("created_at"),
)

security_group_rule = Table(
    "security_group_rule",
    metadata,
    Column("id", String, primary_key=True),
    _reference("group_id", "security_group.id"),
    _text("policy"),
    Column("priority", Integer, nullable=False),
    _text("protocol"),
    Column("low", Integer, nullable=False),
    Column("high", Integer, nullable=False),
    _text("cidr"),
    _text("description"),
    _text("created_at"),
)

load_balancer = Table(
    "load_balancer",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    _reference("account_id", "account.id"),
    _reference("vpc_id", "vpc.id"),
    _text("address_type"),
    _text("name"),
    _text("created_at"),
)

load_balancer_zone = Table(
    "load_balancer_zone",
    metadata,
    Column("balancer_id", String, ForeignKey("load_balancer.id"), primary_key=True),
    Column("zone_id", String, primary_key=True),
    _reference("vswitch_id", "vswitch.id"),
    _reference("eni_id", "eni.id"),
)

server_group = Table(
    "server_group",
    metadata,
    Column("id", String, primary_key=True),
    _reference("account_id", "account.id"),
    _reference("vpc_id", "vpc.id"),
    _text("protocol"),
    _text("type"),
    _text("name"),
    _text("created_at"),
)

group_server = Table(
    "group_server",
    metadata,
    Column("group_id", String, ForeignKey("server_group.id"), primary_key=True),
    _text("server_type"),
    _text("server_id"),
    Column("address", BigInteger, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("weight", Integer, nullable=False),
    _text("description"),
)

listener = Table(
    "listener",
    metadata,
    Column("id", String, primary_key=True),
    _reference("account_id", "account.id"),
    _reference("balancer_id", "load_balancer.id"),
    _text("protocol"),
    Column("port", Integer, nullable=False),
    _reference("group_id", "server_group.id"),
    _text("created_at"),
    UniqueConstraint("balancer_id", "protocol", "port"),
)

endpoint_service = Table(
    "endpoint_service",
    metadata,
    Column("id", String, primary_key=True),
    _reference("account_id", "account.id"),
    _text("resource_type"),
    Column("auto_accept", Boolean, nullable=False),
    _text("payer"),
    _text("description"),
    _text("created_at"),
)

service_resource = Table(
    "service_resource",
    metadata,
    Column("service_id", String, ForeignKey("endpoint_service.id"), primary_key=True),
    Column("resource_id", String, ForeignKey("load_balancer.id"), primary_key=True),
    Column("zone_id", String, primary_key=True),
    Index("ix_service_resource_resource_id", "resource_id"),
)

service_user = Table(
    "service_user",
    metadata,
    Column("service_id", String, ForeignKey("endpoint_service.id"), primary_key=True),
    Column("user", String, primary_key=True),
)

# No foreign key to the service: an endpoint outlives it, as ServiceDeleted.
endpoint = Table(
    "endpoint",
    metadata,
    Column("id", String, primary_key=True),
    _reference("account_id", "account.id"),
    _reference("vpc_id", "vpc.id"),
    _text("service_id"),
    _text("service_name"),
    _text("type"),
    _text("name"),
    _text("description"),
    Column("deleting", Boolean, nullable=False),
    _text("created_at"),
    Index("ix_endpoint_deleting", "id", sqlite_where=_where("deleting = 1")),
)

endpoint_security_group = Table(
    "endpoint_security_group",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("group_id", String, ForeignKey("security_group.id"), primary_key=True),
    Index("ix_endpoint_security_group_group_id", "group_id"),
)

connection = Table(
    "connection",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("service_id", String, nullable=False, index=True),
    _text("decision"),
    _text("modified_at"),
)

endpoint_zone = Table(
    "endpoint_zone",
    metadata,
    Column("endpoint_id", String, ForeignKey("endpoint.id"), primary_key=True),
    Column("zone_id", String, primary_key=True),
    _reference("vswitch_id", "vswitch.id"),
    _reference("eni_id", "eni.id"),
    Column("resource_id", String, nullable=True, index=True),
    _reference("provider_vpc_id", "vpc.id", nullable=True),
    Column("source", BigInteger, nullable=True),
    Column("opening", BigInteger, nullable=True, unique=True),
    Column("initial", Boolean, nullable=False),
    Column("placed", Boolean, nullable=False),
    Column("deleting", Boolean, nullable=False),
    UniqueConstraint("provider_vpc_id", "source"),
    Index(
        "ix_endpoint_zone_unsettled",
        "endpoint_id",
        sqlite_where=_where("deleting = 1 OR placed = 0"),
    ),
)
