"""Names of full-NAT entries: whom to ask for them, and what nodes found.

A word lives no longer than what it is about: it goes with its entry, with the entry's name, and
with the resolver that was asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import IPv4Address

from sqlalchemy import delete, select

from privlink.model.ids import EndpointId, FullNatEntryId, NodeId
from privlink.model.nat import EndpointResolver, FullNatEntry, Resolution
from privlink.store import changes, doors, rows, schema
from privlink.store.database import Transaction

_resolution, _resolver, _entry = schema.resolution, schema.endpoint_resolver, schema.full_nat_entry


def resolvers(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, str]:
    """The DNS servers that are asked from endpoints; those without are left out."""
    found = rows.find_among(tx, EndpointResolver, _resolver, "endpoint_id", endpoint_ids)
    return {each.endpoint_id: each.address for each in found}


def set_resolver(tx: Transaction, endpoint_id: EndpointId, address: str) -> None:
    """Ask this one from now on; empty: nobody, and what was found is forgotten."""
    forget_resolver(tx, endpoint_id)
    if address:
        rows.add(tx, _resolver, EndpointResolver(endpoint_id, address))
    else:
        ours = select(_entry.c.id).where(_entry.c.endpoint_id == endpoint_id)
        tx.execute(delete(_resolution).where(_resolution.c.entry_id.in_(ours)))
    doors.touch_of_endpoint(tx, endpoint_id)


def forget_resolver(tx: Transaction, endpoint_id: EndpointId) -> None:
    tx.execute(delete(_resolver).where(_resolver.c.endpoint_id == endpoint_id))


def put(tx: Transaction, words: Iterable[Resolution]) -> None:
    """Put a node's words in the place of its last ones. What it says of entries that are gone or
    have another name is left out: it may not have heard yet.
    """
    said = {each.entry_id: each for each in words}
    entries = rows.find_among(tx, FullNatEntry, _entry, "id", said)
    for entry in entries:
        word = said[entry.id]
        if word.name != entry.domain:
            continue
        ours = (_resolution.c.entry_id == entry.id, _resolution.c.node_id == word.node_id)
        before = rows.one_of(tx, Resolution, select(_resolution).where(*ours))
        tx.execute(delete(_resolution).where(*ours))
        rows.add(tx, _resolution, word)
        if (before.addresses if before else "") != word.addresses:
            changes.touch(tx, changes.door_key(entry.id))


def forget_entry(tx: Transaction, entry_id: FullNatEntryId) -> None:
    tx.execute(delete(_resolution).where(_resolution.c.entry_id == entry_id))


def forget_node(tx: Transaction, node_id: NodeId) -> None:
    """Forget all that a node has said."""
    told = select(_resolution.c.entry_id).where(_resolution.c.node_id == node_id)
    found = [FullNatEntryId(each) for each in tx.execute(told.order_by("entry_id")).scalars()]
    tx.execute(delete(_resolution).where(_resolution.c.node_id == node_id))
    changes.touch(tx, *map(changes.door_key, found))


def words(tx: Transaction, entries: Iterable[FullNatEntry]) -> dict[str, list[Resolution]]:
    """What nodes say of the names that entries have now, by entry."""
    names = {each.id: each.domain for each in entries if each.domain}
    found: dict[str, list[Resolution]] = defaultdict(list)
    for each in rows.find_among(tx, Resolution, _resolution, "entry_id", names, order="node_id"):
        if each.name == names[each.entry_id]:
            found[each.entry_id].append(each)
    return found


def addresses(tx: Transaction, entries: Iterable[FullNatEntry]) -> dict[str, tuple[str, ...]]:
    """The addresses that the names of entries have, in their order."""
    return {
        entry_id: tuple(
            sorted(
                {one for each in said for one in each.addresses.split(",") if one}, key=IPv4Address
            )
        )
        for entry_id, said in words(tx, entries).items()
    }
