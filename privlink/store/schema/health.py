"""The table of what nodes say of servers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from privlink.store.schema.base import metadata, words

server_health = Table(
    "server_health",
    metadata,
    Column("balancer_id", String, ForeignKey("load_balancer.id"), primary_key=True),
    Column("zone_id", String, primary_key=True),
    Column("group_id", String, primary_key=True),
    Column("address", String, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("node_id", String, ForeignKey("node.id"), primary_key=True, index=True),
    words("state"),
    words("why"),
    words("since"),
    sqlite_with_rowid=False,
)
