"""Prefix lists: blocks under one name. Rules or routes name it, and nodes hear of a change at once.

Lists for rules and lists for routes lie in one table; whoever looks for one says for what it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, select

from privlink.model.ids import AccountId, PrefixListId, SecurityGroupId
from privlink.model.security import PrefixList, PrefixListEntry, PrefixListUse
from privlink.store import labels, members, routes, rows, schema
from privlink.store.database import Transaction

_list, _entry, _rule = schema.prefix_list, schema.prefix_list_entry, schema.security_group_rule


def get(
    tx: Transaction, account_id: AccountId, list_id: str, use: PrefixListUse
) -> PrefixList | None:
    return rows.find_one(tx, PrefixList, _list, id=list_id, account_id=account_id, use=use)


def of_account(tx: Transaction, account_id: AccountId, use: PrefixListUse) -> list[PrefixList]:
    """An account's prefix lists for one use, oldest first."""
    return rows.find(tx, PrefixList, _list, order="number", account_id=account_id, use=use)


def readable(tx: Transaction, account_id: AccountId) -> list[PrefixList]:
    """An account's prefix lists for routes and those of gateway services, oldest first."""
    own = of_account(tx, account_id, PrefixListUse.ROUTES)
    of_system = rows.find(tx, PrefixList, _list, use=PrefixListUse.GATEWAY)
    return sorted((*own, *of_system), key=lambda each: each.number)


def count(tx: Transaction, account_id: AccountId, use: PrefixListUse) -> int:
    return rows.count(tx, _list, (_list.c.account_id == account_id) & (_list.c.use == use))


def by_ids(tx: Transaction, list_ids: Iterable[str]) -> list[PrefixList]:
    return rows.find_among(tx, PrefixList, _list, "id", list_ids)


def entries(tx: Transaction, list_ids: Iterable[str]) -> dict[str, list[PrefixListEntry]]:
    """The blocks on prefix lists, by list."""
    found: dict[str, list[PrefixListEntry]] = defaultdict(list)
    for each in rows.find_among(tx, PrefixListEntry, _entry, "list_id", list_ids, order="cidr"):
        found[each.list_id].append(each)
    return found


def add(tx: Transaction, prefix_list: PrefixList, added: Iterable[PrefixListEntry]) -> None:
    rows.add(tx, _list, prefix_list)
    rows.add(tx, _entry, *added)


def change(tx: Transaction, prefix_list: PrefixList) -> None:
    """Put a list's name, description and room down as they are given."""
    rows.change(tx, _list, {"id": prefix_list.id}, **msgspec.structs.asdict(prefix_list))


def set_entries(tx: Transaction, list_id: PrefixListId, given: Iterable[PrefixListEntry]) -> None:
    """Put these blocks on a list in the place of all others; nodes hear of other blocks."""
    before = entries(tx, [list_id])[list_id]
    after = list(given)
    tx.execute(delete(_entry).where(_entry.c.list_id == list_id))
    rows.add(tx, _entry, *after)
    if {each.cidr for each in before} != {each.cidr for each in after}:
        members.touch(tx, [list_id])
        routes.touch_naming(tx, [list_id])


def delete_list(tx: Transaction, list_id: PrefixListId) -> None:
    """Delete a list that neither rule nor route names."""
    tx.execute(delete(_entry).where(_entry.c.list_id == list_id))
    tx.execute(delete(_list).where(_list.c.id == list_id))
    labels.forget(tx, list_id)


def users(tx: Transaction, list_ids: Iterable[str]) -> dict[str, list[SecurityGroupId]]:
    """The security groups whose rules name prefix lists, by list, in order."""
    found: dict[str, list[SecurityGroupId]] = defaultdict(list)
    for chunk in rows.chunks(list_ids):
        pairs = select(_rule.c.peer_id, _rule.c.group_id).where(_rule.c.peer_id.in_(chunk))
        for list_id, group_id in tx.execute(pairs.distinct().order_by(_rule.c.group_id)):
            found[list_id].append(SecurityGroupId(group_id))
    return found
