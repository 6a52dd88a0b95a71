"""Limits that the operator has set in the place of the quotas' own."""

from __future__ import annotations

from sqlalchemy import delete

from privlink.model.account import EVERY_ACCOUNT, QuotaSetting
from privlink.model.ids import AccountId
from privlink.store import rows, schema
from privlink.store.database import Transaction

_quota = schema.quota


def of_account(tx: Transaction, account_id: AccountId) -> dict[str, int]:
    """What the operator has set for an account, or else for every one, by quota."""
    every, own = settings(tx, EVERY_ACCOUNT), settings(tx, account_id)
    return {each.name: each.limit for each in (*every, *own)}


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
