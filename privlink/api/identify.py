"""Whose key it is that signed a request: an account's own, a user's, a role's session, a node's,
or that of whoever answers names."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import msgspec

from privlink import errors, signature
from privlink.api.caller import Caller
from privlink.model.account import AccessKey, Account
from privlink.model.identity import RoleSession, User
from privlink.model.ids import SESSION_TOKEN
from privlink.store import accounts, quotas, roles, users
from privlink.store.database import Transaction

_TOKEN = re.compile(SESSION_TOKEN + r"[A-Za-z0-9_-]{128}")
_SESSION_KEY = "STS."


class Holder(msgspec.Struct, frozen=True):
    """A key and who holds it."""

    key: AccessKey
    account: Account | None
    user: User | None = None
    session: RoleSession | None = None
    limits: dict[str, int] = {}  # of the account

    def caller(self, address: str) -> Caller:
        """The holder as somebody who calls from an address."""
        return Caller(
            access_key_id=self.key.id,
            account=self.account,
            node_id=self.key.node_id,
            user=self.user,
            session=self.session,
            address=address,
            limits=self.limits,
            resolver_id=self.key.resolver_id,
        )


def find(tx: Transaction, key_id: str) -> Holder:
    """Who holds a key. Raises InvalidAccessKeyIdNotFound."""
    if key_id.startswith(_SESSION_KEY):
        session = roles.session(tx, key_id)
        if session is not None:
            key = AccessKey(session.access_key_id, session.secret, session.account_id, None)
            return Holder(
                key,
                accounts.get(tx, session.account_id),
                session=session,
                limits=quotas.of_account(tx, session.account_id),
            )
    else:
        found = accounts.access_key(tx, key_id)
        user = users.get(tx, found.user_id) if found and found.user_id else None
        if found is not None and (found.user_id is None or user is not None):
            if found.account_id is None:
                return Holder(found, None)
            limits = quotas.of_account(tx, found.account_id)
            return Holder(found, accounts.get(tx, found.account_id), user, limits=limits)
    raise errors.InvalidAccessKeyIdNotFound(access_key_id=key_id)


def check_valid(holder: Holder, token: str, now: datetime) -> None:
    """Refuse a key that is disabled or expired, and a token that is not the key's.

    Ask only once the signature is right: a stranger learns nothing about a key.
    """
    if not holder.key.active:
        raise errors.InvalidAccessKeyIdInactive(access_key_id=holder.key.id)
    session = holder.session
    if session is None:
        if token:
            raise errors.InvalidSecurityTokenMismatch(access_key_id=holder.key.id)
        return
    if not token:
        raise errors.MissingParameter(parameter="SecurityToken")
    if not _TOKEN.fullmatch(token):
        raise errors.InvalidSecurityTokenMalformed
    if not signature.same(token_digest(token), session.token_sha256):
        raise errors.InvalidSecurityTokenMismatch(access_key_id=holder.key.id)
    if session.expires <= now.timestamp():
        expired = datetime.fromtimestamp(session.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise errors.InvalidSecurityTokenExpired(expired=expired)


def token_digest(token: str) -> str:
    """What is kept of a security token: enough to know it again, not enough to use it."""
    return hashlib.sha256(token.encode()).hexdigest()
