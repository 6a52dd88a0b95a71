"""Tables of somebody else's name servers, and of what whoever answers names says of them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table

from privlink.store.schema.base import metadata, words

name_server = Table(
    "name_server",
    metadata,
    Column("id", String, primary_key=True),
    words("address"),
    Column("port", Integer, nullable=False),
    words("zone"),
    Column("pushes", Boolean, nullable=False),
    words("key_name"),
    words("key_algorithm"),
    words("key_secret"),
    words("created_at"),
)

# A resolver may be forgotten at any time, so its words refer to none.
name_server_standing = Table(
    "name_server_standing",
    metadata,
    Column("server_id", String, ForeignKey("name_server.id"), primary_key=True),
    Column("resolver_id", String, primary_key=True),
    words("state"),
    words("why"),
    words("since"),
    sqlite_with_rowid=False,
)
