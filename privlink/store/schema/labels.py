"""Tables of what resources are sorted by."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from privlink.store.schema.base import metadata, reference, words

# No foreign keys to the resources: they are of every kind.
resource_tag = Table(
    "resource_tag",
    metadata,
    Column("resource_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    words("value"),
    Column("account_id", String, ForeignKey("account.id"), nullable=False),
    words("resource_type"),
    Index(
        "ix_resource_tag_account_id_key",
        "account_id",
        "resource_type",
        "key",
        "value",
        "resource_id",
    ),
)

resource_group = Table(
    "resource_group",
    metadata,
    Column("id", String, primary_key=True),
    reference("account_id", "account.id"),
    words("name"),
    words("display_name"),
    words("created_at"),
    Index("ix_resource_group_name", "account_id", "name", unique=True),
)

group_member = Table(
    "group_member",
    metadata,
    Column("resource_id", String, primary_key=True),
    reference("group_id", "resource_group.id"),
)
