"""PushTraffic, the node's third action: what it counted."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer
from privlink.model.traffic import MOST_BYTES, MOST_PLACES, PlaceTraffic
from privlink.server.feed import check_is_self
from privlink.store import changes, traffic

_RULE = "it is an array of places with their counters, as JSON."
Places = Annotated[tuple[PlaceTraffic, ...], msgspec.Meta(max_length=MOST_PLACES)]
_decoder = msgspec.json.Decoder(Places)


class TrafficAnswer(Answer):
    life: int


@action(PRIVLINK, writes=True, who=Who.NODE, resource="node/{node_id}")
def push_traffic(
    call: Call,
    *,
    node_id: str,
    life: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)],
    traffic_: Annotated[str, msgspec.Meta(max_length=MOST_BYTES, description=_RULE)],
) -> TrafficAnswer:
    """A node's counters, of those places where they changed, cumulative within one `Life` of them.

    A call that is repeated counts once; one that is lost is made good by the next. The answer's
    `Life` is the server's own: in another one, the node says everything again.
    """
    node = check_is_self(call, node_id, "PushTraffic")
    try:
        said = _decoder.decode(traffic_)
    except msgspec.MsgspecError as error:
        raise errors.InvalidParameter(parameter="Traffic", why=f"{_RULE} {error}.") from None
    traffic.take(call.tx, node.id, life, said, int(call.moment.timestamp()))
    return TrafficAnswer(life=changes.life(call.tx))


ACTIONS = (push_traffic,)
