"""How the installation is."""

from __future__ import annotations

import msgspec

from privlink.api.action import PRIVLINK, Call, Who, action
from privlink.api.wire import Answer
from privlink.store import changes, nodes


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


class StatusAnswer(Answer):
    revision: int
    in_step: bool
    operator_account_id: str
    nodes: list[NodeAnswer]
    faults: list[FaultAnswer]


@action(PRIVLINK, who=Who.OPERATOR, resource="status")
def describe_status(call: Call) -> StatusAnswer:
    """Show how the installation is: its nodes, what they cannot do, what they dropped."""
    newest = changes.newest(call.tx)
    faults = nodes.faults(call.tx)
    held = nodes.revision_held(call.tx, in_this_life=True)
    return StatusAnswer(
        revision=newest,
        in_step=held >= newest and not faults,
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
        faults=[
            FaultAnswer(
                node_id=fault.node_id, key=fault.key, code=fault.code, message=fault.message
            )
            for fault in faults
        ],
    )


ACTIONS = (describe_status,)
