"""Roles, and the sessions of those who have assumed one."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from privlink.model.identity import Role, RoleSession
from privlink.model.ids import AccountId, RoleId
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, Query

_role, _session = schema.ram_role, schema.role_session
_SESSION = Query(
    RoleSession, select(_session).where(_session.c.access_key_id == bindparam("wanted"))
)
_FORGET = Prepared(delete(_session).where(_session.c.expires < bindparam("before")))


def by_name(tx: Transaction, account_id: AccountId, name: str) -> Role | None:
    return rows.find_one(tx, Role, _role, account_id=account_id, name=name)


def of_account(tx: Transaction, account_id: AccountId) -> list[Role]:
    """The roles of an account, by name."""
    return rows.find(tx, Role, _role, order="name", account_id=account_id)


def count(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _role, _role.c.account_id == account_id)


def add(tx: Transaction, role: Role) -> None:
    rows.add(tx, _role, role)


def change(tx: Transaction, role: Role) -> None:
    """Put down what may change of a role as it is given."""
    rows.change(
        tx,
        _role,
        {"id": role.id},
        description=role.description,
        trust=role.trust,
        longest=role.longest,
        updated_at=role.updated_at,
    )


def delete_role(tx: Transaction, role_id: RoleId) -> None:
    """Delete a role that has no policies. Its sessions end with it."""
    tx.execute(delete(_session).where(_session.c.role_id == role_id))
    tx.execute(delete(_role).where(_role.c.id == role_id))


def set_linked(tx: Transaction, account_id: AccountId, *, linked: bool) -> None:
    """Note with the account whether its service-linked role is there."""
    table = schema.account
    tx.execute(update(table).where(table.c.id == account_id).values(linked=linked))


def session(tx: Transaction, key_id: str) -> RoleSession | None:
    return _SESSION.one(tx, wanted=key_id)


def count_sessions(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _session, _session.c.account_id == account_id)


def add_session(tx: Transaction, session: RoleSession) -> None:
    rows.add(tx, _session, session)


def forget_sessions(tx: Transaction, *, before: int) -> int:
    """Drop those that expired before a moment (Unix seconds); returns how many there were."""
    return _FORGET.run(tx, before=before)
