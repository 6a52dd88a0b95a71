"""Who calls: accounts, their access keys, the nodes that serve zones, and who answers names."""

from __future__ import annotations

import msgspec

from privlink.model.ids import AccountId, NodeId, ResolverId, UserId


class Account(msgspec.Struct, frozen=True):
    """The owner of resources. The operator's account also runs the installation."""

    id: AccountId
    name: str
    operator: bool
    created_at: str
    opened: bool  # PrivateLink is switched on
    linked: bool  # PrivateLink's service-linked role is there
    reverse: bool = False  # it may offer services for reverse endpoints


class AccessKey(msgspec.Struct, frozen=True):
    """A key that an account, one of its users, a node or a resolver signs its requests with."""

    id: str
    secret: str
    account_id: AccountId | None
    node_id: NodeId | None
    user_id: UserId | None = None  # None: the account's own key
    active: bool = True
    created_at: str = ""
    resolver_id: ResolverId | None = None


# In the place of an account's id: all of them.
EVERY_ACCOUNT = "*"


class QuotaSetting(msgspec.Struct, frozen=True):
    """A limit that the operator has set, for one account or for every one."""

    account_id: str  # or EVERY_ACCOUNT
    name: str
    limit: int


class Node(msgspec.Struct, frozen=True):
    """A Linux host running the agent, and what it last said of itself."""

    id: NodeId
    zones: str  # comma-separated
    fabric: str  # its network namespace
    life: int  # the life of the server its last word belongs to
    revision: int  # every change up to this one is in its kernel, but for its faults
    seen_at: str
    drops: str  # JSON: reason -> packets


class Resolver(msgspec.Struct, frozen=True):
    """Who answers names, and what it last said of itself."""

    id: ResolverId
    life: int  # the life of the server its last word belongs to
    revision: int  # every change up to this one is in its answers
    seen_at: str


class Fault(msgspec.Struct, frozen=True):
    """Something a node was asked for and its kernel refused."""

    node_id: NodeId
    key: str
    code: str
    message: str
