"""Which servers behind a listener are not well, or not known to be."""

from __future__ import annotations

import msgspec

from privlink.api import ours
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.wire import Answer
from privlink.model.balancer import GroupServer
from privlink.model.health import FrontListener, ServerState
from privlink.rules import health as rules
from privlink.store import health

_PAGE = 20  # what the cloud says of a list that has no further pages


class ReasonAnswer(Answer):
    reason_code: str


class NonNormalServer(Answer):
    server_id: str
    server_ip: str
    port: int
    status: str
    reason: ReasonAnswer | msgspec.UnsetType


class ServerGroupInfo(Answer):
    server_group_id: str
    heath_check_enabled: bool  # spelt so by the cloud
    non_normal_servers: list[NonNormalServer]


class ListenerHealth(Answer):
    listener_id: str
    listener_port: int
    listener_protocol: str
    server_group_infos: list[ServerGroupInfo]


class ListenerHealthAnswer(Answer):
    listener_health_status: list[ListenerHealth]
    total_count: int
    max_results: int


@action(NLB, resource="listener/{listener_id}")
def get_listener_health_status(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> ListenerHealthAnswer:
    """Show the servers of a listener that are not known to be well.

    A server is Unhealthy if its checks fail in any zone, Initial before they have shown anything,
    and Unavailable if its group has no health check.
    """
    listener = ours.listener(call, listener_id)
    (behind,) = health.behind(call.tx, [listener])
    word_of = rules.words_of_all_zones(health.told(call.tx, listener.balancer_id))
    servers = [
        found
        for server in behind.servers
        if (found := _server(server, behind, word_of(rules.key(server, behind)))) is not None
    ]
    ranged = listener.first < listener.last
    shown = ListenerHealth(
        listener_id=listener.id,
        listener_port=0 if ranged else listener.first,
        listener_protocol=listener.protocol,
        server_group_infos=[
            ServerGroupInfo(
                server_group_id=listener.group_id,
                heath_check_enabled=behind.checked,
                non_normal_servers=servers,
            )
        ],
    )
    return ListenerHealthAnswer(listener_health_status=[shown], total_count=1, max_results=_PAGE)


def _server(server: GroupServer, behind: FrontListener, word: rules.Word) -> NonNormalServer | None:
    """A server as the list has it, or None if it is well."""
    if behind.checked and word.state is ServerState.HEALTHY:
        return None
    code = rules.reason(word.why) if behind.checked else None
    return NonNormalServer(
        server_id=server.server_id,
        server_ip=server.address,
        port=rules.key(server, behind)[2],
        status=word.state if behind.checked else "Unavailable",
        reason=msgspec.UNSET if code is None else ReasonAnswer(reason_code=code),
    )


ACTIONS = (get_listener_health_status,)
