"""Limits that the operator has set in the place of the quotas' own."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from privlink.model.account import EVERY_ACCOUNT, QuotaSetting
from privlink.model.ids import AccountId
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Query

_quota = schema.quota
# The account's own row is the first, because `*` sorts before every digit.
_FOR_ACCOUNT = Query(
    QuotaSetting,
    select(_quota)
    .where(
        _quota.c.name == bindparam("name"),
        _quota.c.account_id.in_((bindparam("account_id"), bindparam("everyone"))),
    )
    .order_by(_quota.c.account_id.desc()),
)


def limit(tx: Transaction, account_id: AccountId, name: str) -> int | None:
    """What the operator has set for an account, or else for every account; None if neither."""
    found = _FOR_ACCOUNT.one(tx, name=name, account_id=account_id, everyone=EVERY_ACCOUNT)
    return None if found is None else found.limit


def settings(tx: Transaction, account_id: str) -> list[QuotaSetting]:
    """What the operator has set for one account, or for `*`."""
    return rows.find(tx, QuotaSetting, _quota, order="name", account_id=account_id)


def put(tx: Transaction, setting: QuotaSetting) -> None:
    """Set a limit in the place of the one that was set."""
    forget(tx, setting.account_id, setting.name)
    rows.add(tx, _quota, setting)


def forget(tx: Transaction, account_id: str, name: str) -> None:
    """Let the limit be what it was before it was set."""
    tx.execute(delete(_quota).where(_quota.c.account_id == account_id, _quota.c.name == name))
