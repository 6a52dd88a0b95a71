"""Nodes, what they report, and what follows from it: which items are in step with the kernel."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, select, update

from privlink.model.account import Fault, Node
from privlink.model.ids import NodeId
from privlink.store import changes, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn

# For how long a server that has just begun takes the nodes' last word to an earlier one, in
# seconds: until they have had time to speak again, so that its restart changes no status.
GRACE = 10


_SAID = Prepared(select(schema.node.c.life, schema.node.c.revision))
_FAULTY = PreparedIn(
    lambda keys: select(schema.fault.c.key).where(schema.fault.c.key.in_(keys)).distinct()
)


class InStep(msgspec.Struct, frozen=True):
    """What the nodes have confirmed of some items, at one moment."""

    revision: int  # applied by every node; -1: there is no node, or one that has not spoken
    changed: dict[str, int]  # by item key; items that were forgotten are not in it
    faulty: frozenset[str]

    def confirms(self, *keys: str) -> bool:
        """Whether the kernel holds the present state of all these items."""
        return all(
            self.changed.get(key, 0) <= self.revision and key not in self.faulty for key in keys
        )


def get(tx: Transaction, node_id: NodeId) -> Node | None:
    return rows.one_of(tx, Node, select(schema.node).where(schema.node.c.id == node_id))


def all_nodes(tx: Transaction) -> list[Node]:
    return rows.all_of(tx, Node, select(schema.node).order_by(schema.node.c.id))


def faults(tx: Transaction) -> list[Fault]:
    return rows.all_of(tx, Fault, select(schema.fault).order_by(schema.fault.c.key))


def add(tx: Transaction, node: Node) -> None:
    rows.add(tx, schema.node, node)


def set_zones(tx: Transaction, node_id: NodeId, zones: str) -> None:
    tx.execute(update(schema.node).where(schema.node.c.id == node_id).values(zones=zones))


def put(tx: Transaction, node: Node) -> None:
    """Put what a node says of itself in the place of what it said last."""
    values = msgspec.structs.asdict(node)
    tx.execute(update(schema.node).where(schema.node.c.id == node.id).values(values))


def put_faults(tx: Transaction, node_id: NodeId, stated: dict[str, Fault]) -> None:
    """Put a node's full list of faults, by key, in the place of its last; write what differs."""
    ours = schema.fault.c.node_id == node_id
    present = rows.all_of(tx, Fault, select(schema.fault).where(ours))
    before = {fault.key: fault for fault in present}
    ended = [key for key, fault in before.items() if stated.get(key) != fault]
    for chunk in rows.chunks(ended):
        tx.execute(delete(schema.fault).where(ours, schema.fault.c.key.in_(chunk)))
    rows.add(
        tx, schema.fault, *(fault for key, fault in stated.items() if before.get(key) != fault)
    )


def revision_held(tx: Transaction, *, in_this_life: bool = False) -> int:
    """The revision every node has confirmed; -1 if there is no node, or one that has not spoken.

    A node has spoken if it has reported in this life of the server. A server that has just begun
    goes by the nodes' last word, unless the word must be of `in_this_life`.
    """
    life = changes.life(tx)
    patient = not in_this_life and 0 <= changes.age(tx) < GRACE
    heard = (revision if patient or spoken == life else -1 for spoken, revision in _SAID.rows(tx))
    return min(heard, default=-1)


def in_step(tx: Transaction, keys: Iterable[str]) -> InStep:
    """What the nodes have confirmed of these items. Today every node serves every zone."""
    wanted = sorted(set(keys))
    faulty = frozenset(key for (key,) in _FAULTY.rows(tx, wanted))
    return InStep(revision_held(tx), changes.changed_at(tx, wanted), faulty)
