"""Who calls, and whom actions are for."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.account import Account
from privlink.model.identity import RoleSession, User, root_arn, session_arn, user_arn
from privlink.model.ids import NodeId, ResolverId


class Who(enum.Enum):
    """Whom an action is for."""

    ACCOUNT = "account"
    OPERATOR = "operator"
    NODE = "node"
    RESOLVER = "resolver"  # whoever answers names


class Caller(msgspec.Struct, frozen=True):
    """Who signed the request: an account, one of its users, a session of a role, a node, or whoever
    answers names.
    """

    access_key_id: str
    account: Account | None
    node_id: NodeId | None
    user: User | None = None
    session: RoleSession | None = None
    address: str = ""  # of the other end of the connection
    limits: dict[str, int] = {}  # by quota; what the operator has set for the account
    resolver_id: ResolverId | None = None

    @property
    def name(self) -> str:
        """Who it is, for people."""
        if self.account is None:
            return f"node {self.node_id}" if self.node_id else f"resolver {self.resolver_id}"
        if self.user is not None:
            return f"user {self.user.name} of account {self.account.id}"
        if self.session is not None:
            of = f"role {self.session.role_name} of account {self.account.id}"
            return f"session {self.session.name} of {of}"
        return f"account {self.account.id}"

    @property
    def is_root(self) -> bool:
        """Whether it is the account itself, which may do everything in it."""
        return self.account is not None and self.user is None and self.session is None

    @property
    def arn(self) -> str:
        """Who it is, as policies name it. Nodes and resolvers have no such name."""
        assert self.account is not None
        if self.user is not None:
            return user_arn(self.account.id, self.user.name)
        if self.session is not None:
            return session_arn(self.session)
        return root_arn(self.account.id)

    def is_one(self, who: Who) -> bool:
        """Whether an action for `who` is for this caller."""
        if who is Who.NODE:
            return self.node_id is not None
        if who is Who.RESOLVER:
            return self.resolver_id is not None
        return self.account is not None and (who is Who.ACCOUNT or self.account.operator)
