"""How the installation is."""

from __future__ import annotations

import msgspec

from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer
from privlink.store import changes, nodes, resolvers
from privlink.store.changes import Audience


class NodeAnswer(Answer):
    node_id: str
    zones: list[str]
    fabric: str
    revision: int
    last_seen_time: str
    drops: dict[str, int]


class FaultAnswer(Answer):
    node_id: str
    key: str
    code: str
    message: str


class ResolverAnswer(Answer):
    node_id: str
    revision: int
    in_step: bool
    last_seen_time: str


class StatusAnswer(Answer):
    revision: int
    in_step: bool
    operator_account_id: str
    nodes: list[NodeAnswer]
    resolvers: list[ResolverAnswer]
    faults: list[FaultAnswer]


@action(PRIVLINK, who=Who.OPERATOR, resource="status")
def describe_status(call: Call) -> StatusAnswer:
    """Show how the installation is: its nodes, what they cannot do, what they dropped, and who
    answers names.
    """
    faults = nodes.faults(call.tx)
    held = nodes.revision_held(call.tx, in_this_life=True)
    nodes_are = held >= changes.newest_for(call.tx, Audience.NODES) and not faults
    answering = resolvers.every(call.tx)
    missing = resolvers.missing(call.tx)
    return StatusAnswer(
        revision=changes.newest(call.tx),
        in_step=nodes_are and not missing,
        operator_account_id=call.account_id,
        nodes=[
            NodeAnswer(
                node_id=node.id,
                zones=node.zones.split(","),
                fabric=node.fabric,
                revision=node.revision,
                last_seen_time=node.seen_at,
                drops=msgspec.json.decode(node.drops, type=dict[str, int]),
            )
            for node in nodes.all_nodes(call.tx)
        ],
        resolvers=[
            ResolverAnswer(
                node_id=each.id,
                revision=each.revision,
                in_step=each.id not in missing,
                last_seen_time=each.seen_at,
            )
            for each in answering
        ],
        faults=[
            FaultAnswer(
                node_id=fault.node_id, key=fault.key, code=fault.code, message=fault.message
            )
            for fault in faults
        ],
    )


ACTIONS = (describe_status,)
