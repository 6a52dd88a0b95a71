"""Who acts for an account besides its own keys: users, roles, and the sessions of roles."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import AccountId, RoleId, UserId

CUSTOM, SYSTEM = "Custom", "System"


class User(msgspec.Struct, frozen=True):
    """A person or a program of an account. It may do what its policies allow."""

    id: UserId
    account_id: AccountId
    name: str
    display_name: str
    mobile_phone: str
    email: str
    comments: str
    created_at: str
    updated_at: str


class Role(msgspec.Struct, frozen=True):
    """What others may become for a while, if its trust policy lets them."""

    id: RoleId
    account_id: AccountId
    name: str
    description: str
    trust: str  # the policy document that says who may assume it
    longest: int  # seconds a session of it may last
    service: str  # whose service-linked role it is, such as privatelink.aliyuncs.com; or empty
    created_at: str
    updated_at: str


class Policy(msgspec.Struct, frozen=True):
    """A policy that an account wrote, with the document that holds."""

    account_id: AccountId
    name: str
    description: str
    document: str
    version: int  # which of its versions holds
    created_at: str
    updated_at: str


class PolicyVersion(msgspec.Struct, frozen=True):
    """One document that a policy has or had."""

    account_id: AccountId
    policy_name: str
    version: int
    document: str
    created_at: str


class PolicyType(enum.StrEnum):
    """Who wrote a policy: the account, or the cloud."""

    CUSTOM = CUSTOM
    SYSTEM = SYSTEM


class Grant(msgspec.Struct, frozen=True):
    """A policy on a user or on a role."""

    identity_id: str  # of the user or the role
    policy_type: PolicyType
    policy_name: str
    account_id: AccountId
    granted_at: str


class RoleSession(msgspec.Struct, frozen=True):
    """Somebody who has assumed a role, for as long as the keys hold."""

    access_key_id: str
    secret: str
    token_sha256: str
    account_id: AccountId  # the role's
    role_id: RoleId
    role_name: str
    name: str
    policy: str  # a document that narrows what the role may; or empty
    expires: int  # Unix seconds


def root_arn(account_id: AccountId) -> str:
    """The account itself, as policies name it."""
    return f"acs:ram::{account_id}:root"


def user_arn(account_id: AccountId, name: str) -> str:
    """A user, as policies name it."""
    return f"acs:ram::{account_id}:user/{name}"


def role_arn(account_id: AccountId, name: str) -> str:
    """A role, as policies name it."""
    return f"acs:ram::{account_id}:role/{name}"


def session_arn(session: RoleSession) -> str:
    """A session of a role, as policies name it."""
    return f"acs:ram::{session.account_id}:assumed-role/{session.role_name}/{session.name}"
