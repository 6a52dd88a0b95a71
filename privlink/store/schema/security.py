"""Tables of security groups and prefix lists."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from privlink.store.schema.base import metadata, reference, words

security_group = Table(
    "security_group",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("account_id", "account.id"),
    reference("vpc_id", "vpc.id"),
    words("type"),
    words("name"),
    words("description"),
    words("created_at"),
    words("inner_access_policy"),
)

security_group_rule = Table(
    "security_group_rule",
    metadata,
    Column("id", String, primary_key=True),
    reference("group_id", "security_group.id"),
    words("policy"),
    Column("priority", Integer, nullable=False),
    words("protocol"),
    Column("low", Integer, nullable=False),
    Column("high", Integer, nullable=False),
    words("cidr"),
    words("description"),
    words("created_at"),
    words("direction"),
    words("peer_id"),  # a security group, or a prefix list, or empty
    Index("ix_security_group_rule_peer_id", "peer_id"),
)

attachment_security_group = Table(
    "attachment_security_group",
    metadata,
    Column("attachment_id", String, ForeignKey("attachment.id"), primary_key=True),
    Column("group_id", String, ForeignKey("security_group.id"), primary_key=True),
    Index("ix_attachment_security_group_group_id", "group_id"),
    sqlite_with_rowid=False,
)

prefix_list = Table(
    "prefix_list",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    reference("account_id", "account.id"),
    words("family"),
    words("name"),
    words("description"),
    Column("max_entries", Integer, nullable=False),
    words("created_at"),
    words("use"),  # in rules or in routes
)

prefix_list_entry = Table(
    "prefix_list_entry",
    metadata,
    Column("list_id", String, ForeignKey("prefix_list.id"), primary_key=True),
    Column("cidr", String, primary_key=True),
    words("description"),
    sqlite_with_rowid=False,
)
