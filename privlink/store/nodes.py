"""Nodes, what they report, and what follows from it: which items are in step with the kernel, and
which names with whoever answers them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, select, update

from privlink.model.account import Fault, Node
from privlink.model.ids import NodeId
from privlink.store import changes, resolvers, rows, schema
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
    """What nodes and resolvers have confirmed of some items and documents, at one moment."""

    revision: int  # applied by every node; -1: there is no node, or one that has not spoken
    changed: dict[str, int]  # by key; what was forgotten is not in it
    faulty: frozenset[str]
    resolved: int = sys.maxsize  # known to whoever answers names, as far as they are waited for

    def confirms(self, *keys: str) -> bool:
        """Whether the kernel holds the present state of all these items, and whoever answers names
        that of all these documents.
        """
        return all(
            self.changed.get(key, 0) <= self._held(key) and key not in self.faulty for key in keys
        )

    def confirms_since(self, key: str, item: str) -> bool:
        """Whether a document has been confirmed since an item last changed.

        What changes both touches the document first. One that changed later again, for a reason of
        its own, may be on its way; only if the item did so too, unheard by resolvers, it waits.
        """
        return min(self.changed.get(key, 0), self.changed.get(item, 0)) <= self._held(key)

    def _held(self, key: str) -> int:
        is_item = changes.audience(key) is changes.Audience.NODES
        return self.revision if is_item else self.resolved


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
    """What has been confirmed of these items and documents. Today every node serves every zone."""
    wanted = sorted(set(keys))
    faulty = frozenset(key for (key,) in _FAULTY.rows(tx, wanted))
    has_documents = any(changes.audience(key) is not changes.Audience.NODES for key in wanted)
    return InStep(
        revision_held(tx),
        changes.changed_at(tx, wanted),
        faulty,
        resolvers.revision_awaited(tx) if has_documents else sys.maxsize,
    )
