"""Tables of who acts for an account, and what they may."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from privlink.store.schema.base import metadata, words

ram_user = Table(
    "ram_user",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("account.id"), nullable=False),
    words("name"),
    words("display_name"),
    words("mobile_phone"),
    words("email"),
    words("comments"),
    words("created_at"),
    words("updated_at"),
    Index("ix_ram_user_name", "account_id", "name", unique=True),
)

ram_role = Table(
    "ram_role",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", String, ForeignKey("account.id"), nullable=False),
    words("name"),
    words("description"),
    words("trust"),
    Column("longest", Integer, nullable=False),
    words("service"),
    words("created_at"),
    words("updated_at"),
    Index("ix_ram_role_name", "account_id", "name", unique=True),
)

ram_policy = Table(
    "ram_policy",
    metadata,
    Column("account_id", String, ForeignKey("account.id"), primary_key=True),
    Column("name", String, primary_key=True),
    words("description"),
    words("document"),
    Column("version", Integer, nullable=False),
    words("created_at"),
    words("updated_at"),
)

ram_policy_version = Table(
    "ram_policy_version",
    metadata,
    Column("account_id", String, ForeignKey("account.id"), primary_key=True),
    Column("policy_name", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    words("document"),
    words("created_at"),
)

# No foreign keys to the identity, which is of either kind, nor to the policy, which may be the
# cloud's.
ram_grant = Table(
    "ram_grant",
    metadata,
    Column("identity_id", String, primary_key=True),
    Column("policy_type", String, primary_key=True),
    Column("policy_name", String, primary_key=True),
    Column("account_id", String, ForeignKey("account.id"), nullable=False),
    words("granted_at"),
    Index("ix_ram_grant_policy", "account_id", "policy_type", "policy_name"),
)

role_session = Table(
    "role_session",
    metadata,
    Column("access_key_id", String, primary_key=True),
    words("secret"),
    words("token_sha256"),
    Column("account_id", String, ForeignKey("account.id"), nullable=False, index=True),
    Column("role_id", String, ForeignKey("ram_role.id"), nullable=False, index=True),
    words("role_name"),
    words("name"),
    words("policy"),
    Column("expires", BigInteger, nullable=False, index=True),  # Unix seconds
)
