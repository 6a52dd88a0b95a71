"""The resolver's action PushNameServerStates: how far other people's name servers are."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer, Fields
from privlink.model.ids import NameServerId
from privlink.model.peers import PeerStanding, PeerState
from privlink.rules.peers import MOST_SERVERS
from privlink.server.naming import check_is_self
from privlink.server.resolutions import Moment
from privlink.store import name_servers

_LONGEST = 200  # what may be written of a reason


class NameServerState(Fields, frozen=True):
    """How far one name server is."""

    key: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^server/[^/]{1,64}\Z",
            description="the key of a document: server/ and a name server.",
        ),
    ]
    state: PeerState
    since: Moment
    why: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = ""


@action(PRIVLINK, writes=True, who=Who.RESOLVER, resource="resolver/{node_id}")
def push_name_server_states(
    call: Call,
    *,
    node_id: str,
    states: Annotated[tuple[NameServerState, ...], msgspec.Meta(max_length=2 * MOST_SERVERS)] = (),
) -> Answer:
    """A resolver's word on other people's name servers: those it names stand so from now on."""
    resolver = check_is_self(call, node_id, "PushNameServerStates")
    name_servers.put_standings(
        call.tx,
        resolver.id,
        (
            PeerStanding(
                NameServerId(each.key.partition("/")[2]),
                resolver.id,
                each.state,
                each.why,
                each.since,
            )
            for each in states
        ),
    )
    return Answer()


ACTIONS = (push_name_server_states,)
