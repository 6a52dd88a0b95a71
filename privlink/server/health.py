"""The node's action PushHealth: which servers it found to be well, and which not.

What it says of servers that are not asked (any more) is left out: it may not have heard yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer, Fields
from privlink.model.health import ServerHealth, ServerState
from privlink.model.ids import LoadBalancerId, NodeId, ServerGroupId, ZoneId
from privlink.rules import health as rules
from privlink.server import feed
from privlink.store import changes, health

MOST_STATES = 500
_LONGEST = 200  # what a node may write of a reason
_DAY = r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_MOMENT = rf"^{_DAY}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{{1,9}})?Z\Z"
_SECONDS = len("2026-12-01T00:00:00")


class StateReport(Fields, frozen=True):
    """What the checks of one server have shown, as asked for a load balancer in one zone."""

    key: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^balancer/[^/]{1,64}/[^/]{1,64}\Z",
            description="the key of an item: balancer/, a load balancer, / and a zone.",
        ),
    ]
    group: Annotated[str, msgspec.Meta(max_length=64)]
    address: Annotated[str, msgspec.Meta(max_length=64)]
    port: Annotated[
        int,
        msgspec.Meta(ge=0, le=65535, description="the port of the item's server, 0 to 65535."),
    ]
    state: ServerState
    since: Annotated[
        str,
        msgspec.Meta(pattern=_MOMENT, description="a time is UTC, such as 2026-12-01T09:30:00Z."),
    ]
    why: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = ""


@action(PRIVLINK, writes=True, who=Who.NODE, resource="node/{node_id}")
def push_health(
    call: Call,
    *,
    node_id: str,
    life: feed.Revision,
    states: Annotated[tuple[StateReport, ...], msgspec.Meta(max_length=MOST_STATES)] = (),
) -> Answer:
    """A node's word on servers: those whose state changed, or after a full pull all of them.

    What it said of the others still holds. `Why` begins with one of the reason codes of NLB's
    GetListenerHealthStatus. `Life` is 0 from a node that holds nothing, which voids all it said.
    """
    node = feed.check_is_self(call, node_id, "PushHealth")
    if life == 0:
        health.forget_node(call.tx, node.id)
    elif life == changes.life(call.tx):
        told = list(_told(node.id, states))
        fronts = health.fronts(call.tx, {each.balancer_id for each in told})
        asked = {balancer_id: rules.asked(front) for balancer_id, front in fronts.items()}
        known = (each for each in told if rules.place(each) in asked.get(each.balancer_id, ()))
        health.put(call.tx, fronts, known)
    return Answer()


def _told(node_id: NodeId, states: Iterable[StateReport]) -> Iterator[ServerHealth]:
    for each in states:
        _, balancer_id, zone_id = each.key.split("/")
        yield ServerHealth(
            node_id,
            LoadBalancerId(balancer_id),
            ZoneId(zone_id),
            ServerGroupId(each.group),
            each.address,
            each.port,
            each.state,
            each.why,
            f"{each.since[:_SECONDS]}Z",
        )


ACTIONS = (push_health,)
