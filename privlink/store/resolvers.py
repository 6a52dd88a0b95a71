"""Who answers names, what they report, and how long anybody waits for them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import msgspec
from sqlalchemy import delete, select

from privlink.model.account import Resolver
from privlink.model.ids import ResolverId
from privlink.store import changes, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Query

# For how long one that says nothing is waited for, in seconds. Traffic does not need names, so
# nobody may keep a connection from being Connected by being silent.
PATIENCE = 10

_resolver, _key = schema.resolver, schema.access_key
_EVERY = Query(Resolver, select(_resolver).order_by(_resolver.c.id))


def get(tx: Transaction, resolver_id: str) -> Resolver | None:
    return rows.find_one(tx, Resolver, _resolver, id=resolver_id)


def every(tx: Transaction) -> list[Resolver]:
    return _EVERY.all(tx)


def add(tx: Transaction, resolver: Resolver) -> None:
    rows.add(tx, _resolver, resolver)


def put(tx: Transaction, resolver: Resolver) -> None:
    """Put what a resolver says of itself in the place of what it said last."""
    rows.change(tx, _resolver, {"id": resolver.id}, **msgspec.structs.asdict(resolver))


def keep(tx: Transaction, resolver_id: ResolverId | None, key_id: str) -> None:
    """Forget every resolver but one, or all, and every key of resolvers but that one's own."""
    tx.execute(delete(_resolver).where(_resolver.c.id != (resolver_id or "")))
    tx.execute(delete(_key).where(_key.c.resolver_id.is_not(None), _key.c.id != key_id))


def missing(tx: Transaction) -> dict[ResolverId, str]:
    """Why resolvers are not in step, for a person; empty if all are."""
    life, newest = changes.life(tx), changes.newest_for(tx, changes.Audience.RESOLVERS)
    found = {}
    for each in every(tx):
        silent = silence(each)
        if silent > PATIENCE:
            found[each.id] = f"{each.id} has not confirmed names for {silent:.0f} s"
        elif each.life != life:
            found[each.id] = f"{each.id} has not confirmed names since the server started"
        elif each.revision < newest:
            found[each.id] = f"{each.id} has the names of revision {each.revision} of {newest}"
    return found


def silence(resolver: Resolver) -> float:
    """For how long a resolver has said nothing, in seconds."""
    return (datetime.now(UTC) - datetime.fromisoformat(resolver.seen_at)).total_seconds()


def revision_awaited(tx: Transaction) -> int:
    """The revision up to which everybody who answers names knows them, but for those who are
    silent; without anybody, a revision that never comes.

    A server that has just begun gives them time to speak again: what was there before it is taken
    as known by those who were silent then, since nobody can tell why they were.
    """
    life, began = changes.life(tx), changes.age(tx)
    known = []
    for each in every(tx):
        is_silent = silence(each) > PATIENCE
        if each.life == life:
            if not is_silent:
                known.append(each.revision)
        elif 0 <= began < PATIENCE:
            before = changes.newest_before(tx) if is_silent else 0
            known.append(max(each.revision, before))
    return min(known, default=sys.maxsize)
