"""Accounts, access keys, and what makes requests count once: nonces and client tokens."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.account import AccessKey, Account
from privlink.model.ids import AccountId
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, Query

_account, _key, _nonce = schema.account, schema.access_key, schema.nonce
_ACCOUNT = Query(Account, select(_account).where(_account.c.id == bindparam("wanted")))
_KEY = Query(AccessKey, select(_key).where(_key.c.id == bindparam("wanted")))
_FORGET_NONCES = Prepared(delete(_nonce).where(_nonce.c.expires < bindparam("now")))
_NONCE = Prepared(
    upsert(_nonce)
    .values({name: bindparam(name) for name in ("access_key_id", "value", "expires")})
    .on_conflict_do_nothing()
)


class ClientToken(msgspec.Struct, frozen=True):
    """A request that was carried out, and its answer."""

    account_id: AccountId
    action: str
    token: str
    parameters: str
    answer: str
    created: int


def get(tx: Transaction, account_id: AccountId) -> Account | None:
    return _ACCOUNT.one(tx, wanted=account_id)


def every(tx: Transaction) -> list[Account]:
    """The accounts of the installation, oldest first."""
    table = schema.account
    return rows.all_of(tx, Account, select(table).order_by(table.c.created_at, table.c.id))


def by_name(tx: Transaction, name: str) -> Account | None:
    return rows.one_of(tx, Account, select(schema.account).where(schema.account.c.name == name))


def operator(tx: Transaction) -> Account | None:
    """The account that runs the installation; there is none before the first start."""
    return rows.one_of(tx, Account, select(schema.account).where(schema.account.c.operator))


def add(tx: Transaction, account: Account) -> None:
    rows.add(tx, schema.account, account)


def open_privatelink(tx: Transaction, account_id: AccountId) -> bool:
    """Switch PrivateLink on for an account; False if it was on already."""
    table = schema.account
    closed = update(table).where(table.c.id == account_id, table.c.opened.is_(False))
    return tx.execute(closed.values(opened=True)).rowcount == 1


def set_reverse(tx: Transaction, account_id: AccountId, *, may: bool) -> None:
    """Let an account offer services for reverse endpoints, or not."""
    table = schema.account
    tx.execute(update(table).where(table.c.id == account_id).values(reverse=may))


def access_key(tx: Transaction, key_id: str) -> AccessKey | None:
    return _KEY.one(tx, wanted=key_id)


def add_access_key(tx: Transaction, key: AccessKey) -> None:
    rows.add(tx, schema.access_key, key)


def remember_nonce(tx: Transaction, key_id: str, nonce: str, *, expires: int) -> bool:
    """Remember a nonce until `expires` (Unix seconds); False if it was used before."""
    return _NONCE.run(tx, access_key_id=key_id, value=nonce, expires=expires) == 1


def forget_nonces(tx: Transaction, now: int) -> None:
    """Forget the nonces that have expired: their requests would be refused for their age."""
    _FORGET_NONCES.run(tx, now=now)


def client_token(
    tx: Transaction, account_id: AccountId, action: str, token: str
) -> ClientToken | None:
    table = schema.client_token
    statement = select(table).where(
        table.c.account_id == account_id, table.c.action == action, table.c.token == token
    )
    return rows.one_of(tx, ClientToken, statement)


def remember_client_token(tx: Transaction, token: ClientToken, *, forget_before: int) -> None:
    """Keep the answer of a request; forget those older than `forget_before` (Unix seconds)."""
    table = schema.client_token
    tx.execute(delete(table).where(table.c.created < forget_before))
    rows.add(tx, table, token)
