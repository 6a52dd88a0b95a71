"""Somebody else's name servers, and what is said of them. Each is a document for the resolvers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import delete

from privlink.model.ids import NameServerId, ResolverId
from privlink.model.peers import Peer, PeerParts, PeerStanding
from privlink.store import accounts, changes, rows, schema
from privlink.store.database import Transaction

_server, _standing = schema.name_server, schema.name_server_standing


def get(tx: Transaction, server_id: str) -> Peer | None:
    return rows.find_one(tx, Peer, _server, id=server_id)


def every(tx: Transaction) -> list[Peer]:
    """All of them, the oldest first."""
    return rows.find(tx, Peer, _server, order="id")


def add(tx: Transaction, server: Peer) -> None:
    rows.add(tx, _server, server)
    changes.touch(tx, changes.name_server_key(server.id))


def remove(tx: Transaction, server_id: NameServerId) -> None:
    tx.execute(delete(_standing).where(_standing.c.server_id == server_id))
    tx.execute(delete(_server).where(_server.c.id == server_id))
    changes.touch(tx, changes.name_server_key(server_id), gone=True)


def of_servers(tx: Transaction, server_ids: Iterable[str]) -> dict[str, PeerParts]:
    """What the documents of name servers are made of, by key."""
    operator = accounts.operator(tx)
    owner = operator.id if operator is not None else ""
    found = rows.find_among(tx, Peer, _server, "id", server_ids)
    return {changes.name_server_key(each.id): PeerParts(each, owner) for each in found}


def put_standings(tx: Transaction, resolver_id: ResolverId, stated: Iterable[PeerStanding]) -> None:
    """Put a resolver's words in the place of its last ones; of servers that are gone, none."""
    there = {each.id for each in every(tx)}
    before = {each.server_id: each for each in standings(tx) if each.resolver_id == resolver_id}
    for each in {one.server_id: one for one in stated}.values():
        if each.server_id in there and before.get(each.server_id) != each:
            ours = (_standing.c.server_id == each.server_id, _standing.c.resolver_id == resolver_id)
            tx.execute(delete(_standing).where(*ours))
            rows.add(tx, _standing, each)


def standings(tx: Transaction) -> list[PeerStanding]:
    """Every word on every server."""
    return rows.find(tx, PeerStanding, _standing, order="server_id")


def standings_by_server(tx: Transaction) -> dict[str, list[PeerStanding]]:
    """Every word, by server."""
    found: dict[str, list[PeerStanding]] = defaultdict(list)
    for each in standings(tx):
        found[each.server_id].append(each)
    return found
