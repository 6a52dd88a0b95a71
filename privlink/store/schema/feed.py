"""Tables of the change feed and of those who read it: nodes, and who answers names."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table

from privlink.store.schema.base import metadata, where, words

# Counters: numbers that are never used twice.
sequence = Table(
    "sequence",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The change feed: one row for each item a node may hold, or document that names are answered from,
# with the revision it last changed at. `audience`: whom it is for.
change = Table(
    "change",
    metadata,
    Column("key", String, primary_key=True),
    Column("revision", BigInteger, nullable=False, unique=True),
    Column("gone", Boolean, nullable=False),
    Column("audience", String, nullable=False, server_default="nodes"),
    Index("ix_change_audience", "audience", "revision"),
    Index("ix_change_gone", "revision", sqlite_where=where("gone = 1")),
    sqlite_with_rowid=False,
)

node = Table(
    "node",
    metadata,
    Column("id", String, primary_key=True),
    words("zones"),
    words("fabric"),
    Column("life", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    words("seen_at"),
    words("drops"),
)

resolver = Table(
    "resolver",
    metadata,
    Column("id", String, primary_key=True),
    Column("life", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    words("seen_at"),
)

fault = Table(
    "fault",
    metadata,
    Column("node_id", String, ForeignKey("node.id"), primary_key=True),
    Column("key", String, primary_key=True, index=True),
    words("code"),
    words("message"),
)
