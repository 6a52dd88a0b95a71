"""Tables of security groups."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

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
)
