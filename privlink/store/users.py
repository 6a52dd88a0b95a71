"""Users of accounts, and the access keys they sign with."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from privlink.model.account import AccessKey
from privlink.model.identity import User
from privlink.model.ids import AccountId, UserId
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Query

_user, _key = schema.ram_user, schema.access_key
_USER = Query(User, select(_user).where(_user.c.id == bindparam("wanted")))


def get(tx: Transaction, user_id: UserId) -> User | None:
    return _USER.one(tx, wanted=user_id)


def by_name(tx: Transaction, account_id: AccountId, name: str) -> User | None:
    return rows.find_one(tx, User, _user, account_id=account_id, name=name)


def of_account(tx: Transaction, account_id: AccountId) -> list[User]:
    """The users of an account, by name."""
    return rows.find(tx, User, _user, order="name", account_id=account_id)


def count(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _user, _user.c.account_id == account_id)


def add(tx: Transaction, user: User) -> None:
    rows.add(tx, _user, user)


def change(tx: Transaction, user: User) -> None:
    """Put everything of a user down as it is given, but for whose it is."""
    rows.change(
        tx,
        _user,
        {"id": user.id},
        name=user.name,
        display_name=user.display_name,
        mobile_phone=user.mobile_phone,
        email=user.email,
        comments=user.comments,
        updated_at=user.updated_at,
    )


def delete_user(tx: Transaction, user_id: UserId) -> None:
    """Delete a user who has no keys and no policies."""
    tx.execute(delete(_user).where(_user.c.id == user_id))


def keys(tx: Transaction, user_id: UserId) -> list[AccessKey]:
    """A user's access keys, oldest first."""
    return rows.find(tx, AccessKey, _key, order="created_at", user_id=user_id)


def set_active(tx: Transaction, key_id: str, *, active: bool) -> None:
    rows.change(tx, _key, {"id": key_id}, active=active)


def delete_key(tx: Transaction, key_id: str) -> None:
    tx.execute(delete(_key).where(_key.c.id == key_id))
