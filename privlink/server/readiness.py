"""Whether the installation is in step: what /readyz says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from privlink.store import changes, nodes, resolvers
from privlink.store.changes import Audience
from privlink.store.database import Transaction

_SEEN_WITHIN = 20.0  # seconds; nodes report every few


def what_is_missing(tx: Transaction) -> list[str]:
    """Why the installation is not in step, in lines for a person; empty if it is."""
    refused = [f"{f.node_id} cannot do {f.key}: {f.message}" for f in nodes.faults(tx)]
    return [*refused, *_of_nodes(tx), *resolvers.missing(tx).values()]


def _of_nodes(tx: Transaction) -> Iterator[str]:
    life, newest = changes.life(tx), changes.newest_for(tx, Audience.NODES)
    present = nodes.all_nodes(tx)
    if not present:
        yield "no node is known"
    for node in present:
        silent = (datetime.now(UTC) - datetime.fromisoformat(node.seen_at)).total_seconds()
        if silent > _SEEN_WITHIN:
            yield f"{node.id} has not reported for {silent:.0f} s"
        elif node.life != life:
            yield f"{node.id} has not reported since the server started"
        elif node.revision < newest:
            yield f"{node.id} is at revision {node.revision} of {newest}"
