"""The node's two actions: PullFeed (what to look at again) and PushReport (what is in place)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer, Fields
from privlink.model.account import Fault, Node
from privlink.model.ids import NodeId
from privlink.model.items import AnyItem
from privlink.plane import compiler
from privlink.server import control
from privlink.server.compiling import Compiler, of_parts, present
from privlink.store import accounts, changes, health, networks, nodes, parts, resolutions

log = logging.getLogger(__name__)

Revision = Annotated[int, msgspec.Meta(ge=0)]
LONGEST_WAIT = 60  # seconds
MOST_FAULTS = 1000
MOST_LINKS = 500
Keys = Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_LINKS)]


class ItemAnswer(Answer):
    key: str
    item: AnyItem | None


class FeedAnswer(Answer):
    life: int
    revision: int
    full: bool
    items: list[ItemAnswer]


class FaultReport(Fields, frozen=True):
    """What the kernel refused."""

    key: str
    code: Literal["Refused"]
    message: str


class DropReport(Fields, frozen=True):
    """How many packets were dropped for one reason."""

    reason: str
    count: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


@action(PRIVLINK, who=Who.NODE, resource="node/{node_id}")
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
    check_is_self(call, node_id, "PullFeed")
    newest = changes.newest(call.tx)
    full = revision == 0 or revision > newest or life != changes.life(call.tx)
    found = changes.living(call.tx) if full else changes.since(call.tx, revision)
    compiled = present(call.tx, (change.key for change in found), _COMPILERS)
    return FeedAnswer(
        life=changes.life(call.tx),
        revision=newest,
        full=full,
        items=[ItemAnswer(key=change.key, item=compiled.get(change.key)) for change in found],
    )


@action(PRIVLINK, writes=True, who=Who.NODE, resource="node/{node_id}")
def push_report(
    call: Call,
    *,
    node_id: str,
    life: Revision,
    revision: Revision,
    fabric: str,
    faults: Annotated[tuple[FaultReport, ...], msgspec.Meta(max_length=MOST_FAULTS)] = (),
    plugged: Keys = (),
    unplugged: Keys = (),
    drops: tuple[DropReport, ...] = (),
) -> Answer:
    """A node's word: everything up to `Revision` of `Life` is in its kernel, but for `Faults`.

    `Faults` is the whole list, or its first thousand. `Plugged` and `Unplugged` are the attachments
    whose links came or went since the last report, and after a full pull all of them, in as many
    reports as it takes. `Life` is 0 before the first pull of a node whose kernel holds nothing.
    """
    if len(plugged) + len(unplugged) > MOST_LINKS:
        why = f"together with Unplugged it names at most {MOST_LINKS} attachments."
        raise errors.InvalidParameter(parameter="Plugged", why=why)
    node = check_is_self(call, node_id, "PushReport")
    counted = {drop.reason: drop.count for drop in drops}
    drops_text = msgspec.json.encode(counted).decode()
    node = msgspec.structs.replace(node, fabric=fabric, seen_at=call.now, drops=drops_text)
    if life == 0:
        # It was booted or purged, and holds nothing of what it ever confirmed.
        nodes.put(call.tx, msgspec.structs.replace(node, revision=0))
        networks.set_all_unplugged(call.tx)
        health.forget_node(call.tx, node.id)
        resolutions.forget_node(call.tx, node.id)
        return Answer()
    if life != changes.life(call.tx):
        # It has not heard of this life yet, so it says nothing of what is asked for in it.
        nodes.put(call.tx, node)
        return Answer()
    if revision > changes.newest(call.tx):
        revision = 0  # nobody in this life told it so: nothing of ours is confirmed by it
    nodes.put(call.tx, msgspec.structs.replace(node, life=life, revision=revision))
    stated = {f.key: Fault(node.id, f.key, f.code, f.message) for f in faults}
    nodes.put_faults(call.tx, node.id, stated)
    networks.set_plugged(call.tx, _attachment_ids(plugged), plugged=True)
    networks.set_plugged(call.tx, _attachment_ids(unplugged), plugged=False)
    for sentence in control.settle(call.tx, int(call.moment.timestamp())):
        log.info("%s", sentence)
    changes.forget_gone(call.tx)
    accounts.forget_nonces(call.tx, int(call.moment.timestamp()))
    return Answer()


ACTIONS = (pull_feed, push_report)


def check_is_self(call: Call, node_id: str, action: str) -> Node:
    """The node that calls. Raises NodeNotFound, and NoPermission where it names another."""
    node = nodes.get(call.tx, NodeId(node_id))
    if node is None:
        raise errors.NodeNotFound(node_id=node_id)
    if node.id != call.caller.node_id:
        raise errors.NoPermission(
            caller=call.caller.name, action=action, why=f"it is not {node_id}."
        )
    return node


def _attachment_ids(keys: Iterable[str]) -> list[str]:
    """The ids of attachments from their keys."""
    return [name for kind, _, name in (key.partition("/") for key in keys) if kind == "attachment"]


_COMPILERS: Mapping[str, tuple[Compiler[AnyItem], ...]] = {
    "resolver": (of_parts(parts.of_resolvers, compiler.resolver),),
    "segment": (of_parts(parts.of_segments, compiler.segment),),
    "attachment": (of_parts(parts.of_attachments, compiler.attachment),),
    "table": (of_parts(parts.of_tables, compiler.route_table),),
    "balancer": (of_parts(parts.of_balancers, compiler.balancer),),
    "filter": (of_parts(parts.of_filters, compiler.packet_filter),),
    "members": (of_parts(parts.of_members, compiler.members),),
    "forward": (
        of_parts(parts.of_forwards, compiler.forward),
        of_parts(parts.of_gateways, compiler.gateway),
    ),
    "nat": (of_parts(parts.of_nat_addresses, compiler.nat_address),),
    "door": (of_parts(parts.of_doors, compiler.door),),
}
