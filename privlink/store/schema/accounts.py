"""Tables of who calls, how much they may have, and what makes a call count once."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, String, Table, false, true

from privlink.store.schema.base import metadata, reference, words

account = Table(
    "account",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("operator", Boolean, nullable=False),
    words("created_at"),
    Column("opened", Boolean, nullable=False, server_default=true()),
    Column("linked", Boolean, nullable=False, server_default=false()),
    Column("reverse", Boolean, nullable=False, server_default=false()),
)

access_key = Table(
    "access_key",
    metadata,
    Column("id", String, primary_key=True),
    words("secret"),
    reference("account_id", "account.id", nullable=True),
    reference("node_id", "node.id", nullable=True),
    Column("user_id", String, nullable=True, index=True),  # no foreign key: it came later
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("created_at", String, nullable=False, server_default=""),
    Column("resolver_id", String, nullable=True),  # no foreign key: it came later
)

nonce = Table(
    "nonce",
    metadata,
    Column("access_key_id", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),  # Unix seconds
    sqlite_with_rowid=False,
)

client_token = Table(
    "client_token",
    metadata,
    Column("account_id", String, ForeignKey("account.id"), primary_key=True),
    Column("action", String, primary_key=True),
    Column("token", String, primary_key=True),
    words("parameters"),  # SHA-256 of what came with it
    words("answer"),
    Column("created", BigInteger, nullable=False, index=True),  # Unix seconds
)

quota = Table(
    "quota",
    metadata,
    Column("account_id", String, primary_key=True),  # or `*`
    Column("name", String, primary_key=True),
    Column("limit", BigInteger, nullable=False),
)
