"""Nodes, what they report, and what follows from it: which items are in step with the kernel."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, select, update

from privlink.model.account import UNPLUGGED, Fault, Node
from privlink.model.ids import NodeId
from privlink.store import rows, schema


class InStep(msgspec.Struct, frozen=True):
    """What the nodes have confirmed, at one moment."""

    revision: int  # applied by every node; -1: there is no node
    faults: dict[str, Fault]  # by item key

    def confirms(self, key: str, changed_at: int) -> bool:
        """Whether the kernel holds the state that item `key` has had since `changed_at`."""
        return changed_at <= self.revision and key not in self.faults


def get(tx: Connection, node_id: NodeId) -> Node | None:
    return rows.one_of(tx, Node, select(schema.node).where(schema.node.c.id == node_id))


def all_nodes(tx: Connection) -> list[Node]:
    return rows.all_of(tx, Node, select(schema.node).order_by(schema.node.c.id))


def faults(tx: Connection) -> list[Fault]:
    return rows.all_of(tx, Fault, select(schema.fault).order_by(schema.fault.c.key))


def add(tx: Connection, node: Node) -> None:
    rows.add(tx, schema.node, node)


def set_zones(tx: Connection, node_id: NodeId, zones: str) -> None:
    tx.execute(update(schema.node).where(schema.node.c.id == node_id).values(zones=zones))


def report(tx: Connection, node: Node, faults: Iterable[Fault]) -> None:
    """Put a node's full statement of itself in the place of its last one."""
    values = msgspec.structs.asdict(node)
    tx.execute(update(schema.node).where(schema.node.c.id == node.id).values(values))
    tx.execute(delete(schema.fault).where(schema.fault.c.node_id == node.id))
    rows.add(tx, schema.fault, *faults)


def in_step(tx: Connection) -> InStep:
    """What the nodes have confirmed. Today every node serves every zone."""
    revisions = tx.execute(select(schema.node.c.revision)).scalars().all()
    return InStep(min(revisions, default=-1), {fault.key: fault for fault in faults(tx)})


def refused(tx: Connection) -> list[Fault]:
    """Faults that somebody must look at: all but workloads that are not plugged in."""
    statement = select(schema.fault).where(schema.fault.c.code != UNPLUGGED)
    return rows.all_of(tx, Fault, statement)
