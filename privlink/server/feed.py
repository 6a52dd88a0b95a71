"""The node's two actions: PullFeed (what to look at again) and PushReport (what is in place)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.wire import Answer, Fields
from privlink.model.account import Fault, Node
from privlink.model.ids import NodeId
from privlink.model.items import AnyItem
from privlink.plane import compiler
from privlink.server import control
from privlink.store import changes, nodes, parts
from privlink.store.database import Transaction

log = logging.getLogger(__name__)

Revision = Annotated[int, msgspec.Meta(ge=0)]
LONGEST_WAIT = 60  # seconds


class ItemAnswer(Answer):
    key: str
    item: AnyItem | None


class FeedAnswer(Answer):
    life: int
    revision: int
    full: bool
    items: list[ItemAnswer]


class FaultReport(Fields, frozen=True):
    key: str
    code: str
    message: str


class DropReport(Fields, frozen=True):
    reason: str
    count: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


@action(PRIVLINK, who="node")
def pull_feed(
    call: Call,
    *,
    node_id: str,
    revision: Revision,
    life: Revision = 0,
    wait_seconds: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 0,
) -> FeedAnswer:
    """What changed since a revision; everything, if that is 0 or of another life of the server.

    The server holds the request for up to `WaitSeconds` while there is nothing to say.
    """
    _check_is_self(call, node_id, "PullFeed")
    newest = changes.newest(call.tx)
    full = revision == 0 or revision > newest or life != changes.life(call.tx)
    found = changes.living(call.tx) if full else changes.since(call.tx, revision)
    compiled = _compile(call.tx, (change.key for change in found))
    return FeedAnswer(
        life=changes.life(call.tx),
        revision=newest,
        full=full,
        items=[ItemAnswer(key=change.key, item=compiled.get(change.key)) for change in found],
    )


@action(PRIVLINK, writes=True, who="node")
def push_report(
    call: Call,
    *,
    node_id: str,
    revision: Revision,
    fabric: str,
    faults: tuple[FaultReport, ...] = (),
    drops: tuple[DropReport, ...] = (),
) -> Answer:
    """A node's full statement: everything up to `Revision` is in its kernel, but for `Faults`."""
    node = _check_is_self(call, node_id, "PushReport")
    if revision > changes.newest(call.tx):
        revision = 0  # from another life of the database: nothing of ours is confirmed by it
    counted = {drop.reason: drop.count for drop in drops}
    reported = msgspec.structs.replace(
        node,
        fabric=fabric,
        revision=revision,
        seen_at=call.now,
        drops=msgspec.json.encode(counted).decode(),
    )
    stated = {f.key: Fault(node.id, f.key, f.code, f.message) for f in faults}
    nodes.report(call.tx, reported, stated.values())
    for sentence in control.settle(call.tx):
        log.info("%s", sentence)
    changes.forget_gone(call.tx)
    return Answer()


ACTIONS = (pull_feed, push_report)


def _check_is_self(call: Call, node_id: str, action: str) -> Node:
    node = nodes.get(call.tx, NodeId(node_id))
    if node is None:
        raise errors.NodeNotFound(node_id=node_id)
    if node.id != call.caller.node_id:
        raise errors.NoPermission(
            caller=call.caller.name, action=action, why=f"it is not {node_id}."
        )
    return node


def _compile(tx: Transaction, keys: Iterable[str]) -> dict[str, AnyItem]:
    """The present items of some keys; a key without an item is gone."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        kind, _, name = key.partition("/")
        by_kind[kind].append(name)
    return {
        key: compiled
        for kind, names in by_kind.items()
        for key, compiled in _COMPILERS[kind](tx, names).items()
    }


def _compiler(
    fetch: Callable[[Transaction, Iterable[str]], Mapping[str, Any]],
    compile_: Callable[..., AnyItem],
) -> Callable[[Transaction, Iterable[str]], dict[str, AnyItem]]:
    def compiled(tx: Transaction, names: Iterable[str]) -> dict[str, AnyItem]:
        return {
            key: compile_(**{field: getattr(part, field) for field in part.__struct_fields__})
            for key, part in fetch(tx, names).items()
        }

    return compiled


_COMPILERS = {
    "segment": _compiler(parts.segments, compiler.segment),
    "attachment": _compiler(parts.attachments, compiler.attachment),
    "balancer": _compiler(parts.balancers_, compiler.balancer),
    "filter": _compiler(parts.filters, compiler.filter_),
    "forward": _compiler(parts.forwards, compiler.forward),
}
