"""Routes in route tables, beside those to a VPC's own vSwitches, which no row holds.

Whoever changes what a route leads to, or what a list it names has on it, has the tables looked at
again here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import bindparam, delete, exists, select

from privlink.model.ids import RouteEntryId, RouteTableId, VpcId, new_id
from privlink.model.network import HopKind, RouteEntry
from privlink.store import changes, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn

_entry, _table, _vswitch = schema.route_entry, schema.route_table, schema.vswitch

_DELETE = Prepared(delete(_entry).where(_entry.c.id == bindparam("wanted")))
_TABLES_NAMING = PreparedIn(
    lambda ids: select(_entry.c.table_id).where(_entry.c.prefix_list_id.in_(ids)).distinct()
)
_TABLES_LEADING = PreparedIn(
    lambda ids: select(_entry.c.table_id).where(_entry.c.hop_id.in_(ids)).distinct()
)
_TABLES_OF = Prepared(select(_table.c.id).where(_table.c.vpc_id == bindparam("vpc_id")))
_IN_USE = PreparedIn(
    lambda ids: (
        select(_table.c.id, exists().where(_vswitch.c.vpc_id == _table.c.vpc_id))
        .where(_table.c.id.in_(ids))
        .order_by(_table.c.number)
    )
)


def of_tables(tx: Transaction, table_ids: Iterable[str]) -> dict[str, list[RouteEntry]]:
    """The routes in route tables, those the system made among them, by table and id."""
    found: dict[str, list[RouteEntry]] = defaultdict(list)
    for each in rows.find_among(tx, RouteEntry, _entry, "table_id", table_ids, order="id"):
        found[each.table_id].append(each)
    return found


def by_id(tx: Transaction, entry_id: str) -> RouteEntry | None:
    """A route, of whichever account."""
    return rows.find_one(tx, RouteEntry, _entry, id=entry_id)


def to_hops(tx: Transaction, hop_ids: Iterable[str]) -> list[RouteEntry]:
    """The routes that lead to any of these attachments, ENIs, gateways or endpoints."""
    return rows.find_among(tx, RouteEntry, _entry, "hop_id", hop_ids, order="id")


def naming(tx: Transaction, list_ids: Iterable[str]) -> dict[str, list[RouteEntry]]:
    """The routes that name prefix lists, by list."""
    found: dict[str, list[RouteEntry]] = defaultdict(list)
    for each in rows.find_among(tx, RouteEntry, _entry, "prefix_list_id", list_ids, order="id"):
        found[each.prefix_list_id].append(each)
    return found


def add(tx: Transaction, entry: RouteEntry) -> None:
    rows.add(tx, _entry, entry)
    touch(tx, [entry.table_id])


def change(tx: Transaction, entry: RouteEntry) -> None:
    """Put a route's name, description and next hop down as they are given."""
    given = {"name": entry.name, "description": entry.description}
    hop = {"hop_kind": entry.hop_kind, "hop_id": entry.hop_id}
    rows.change(tx, _entry, {"id": entry.id}, **given, **hop)
    touch(tx, [entry.table_id])


def delete_entry(tx: Transaction, entry: RouteEntry) -> None:
    _DELETE.run(tx, wanted=entry.id)
    touch(tx, [entry.table_id])


def add_system(
    tx: Transaction, table_id: RouteTableId, prefix_list_id: str, endpoint_id: str, now: str
) -> RouteEntry:
    """Write the route of a gateway endpoint: what is on a list leads to it. Nobody may delete it.

    That no other route of the table names the list is the caller's to check.
    """
    made = RouteEntry(
        id=RouteEntryId(new_id("rte")),
        table_id=table_id,
        destination="",
        prefix_list_id=prefix_list_id,
        hop_kind=HopKind.GATEWAY_ENDPOINT,
        hop_id=endpoint_id,
        name="",
        description="",
        system=True,
        created_at=now,
    )
    add(tx, made)
    return made


def remove_system(tx: Transaction, table_id: RouteTableId, endpoint_id: str) -> None:
    """Remove the route of a gateway endpoint from a table; nothing happens if there is none."""
    for each in to_hops(tx, [endpoint_id]):
        if each.table_id == table_id:
            delete_entry(tx, each)


def touch(tx: Transaction, table_ids: Iterable[str]) -> None:
    """Have the nodes look at these route tables again.

    They hold those of VPCs with a vSwitch: elsewhere nobody is there to be routed.
    """
    for found, in_use in _IN_USE.rows(tx, table_ids):
        key = changes.table_key(RouteTableId(found))
        if in_use or changes.changed_at(tx, [key]):
            changes.touch(tx, key, gone=not in_use)


def touch_naming(tx: Transaction, list_ids: Iterable[str]) -> None:
    """The same for the tables whose routes name any of these prefix lists."""
    touch(tx, [found for (found,) in _TABLES_NAMING.rows(tx, list_ids)])


def touch_leading(tx: Transaction, hop_ids: Iterable[str]) -> None:
    """The same for the tables with routes to any of these hops."""
    touch(tx, [found for (found,) in _TABLES_LEADING.rows(tx, hop_ids)])


def touch_vpc(tx: Transaction, vpc_id: VpcId) -> None:
    """The same for every table of a VPC, whose vSwitches come, go or get IPv6."""
    touch(tx, [found for (found,) in _TABLES_OF.rows(tx, vpc_id=vpc_id)])
