"""Whether the servers of a CLB are well."""

from __future__ import annotations

from privlink.api import ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.products.slb import listeners
from privlink.api.products.slb.listeners import Port, Protocol
from privlink.api.wire import Answer
from privlink.model.balancer import GroupServer
from privlink.model.health import FrontListener
from privlink.rules import health as rules
from privlink.store import balancers, health


class BackendServerHealth(Answer):
    listener_port: int
    protocol: str
    server_id: str
    server_ip: str
    port: int
    server_health_status: str


class BackendServerHealthList(Answer):
    backend_server: list[BackendServerHealth]


class HealthStatusAnswer(Answer):
    backend_servers: BackendServerHealthList


@action(SLB, resource="loadbalancer/{load_balancer_id}")
def describe_health_status(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port | None = None,
    listener_protocol: Protocol | None = None,
) -> HealthStatusAnswer:
    """Show how the servers behind each listener of a CLB are, or behind those on one port.

    A server is normal or abnormal as its checks say; it is unavailable before they have shown
    anything, where its listener has none, and where that is stopped.
    """
    balancer = ours.clb(call, load_balancer_id)
    present = balancers.listeners(call.tx, [balancer.id])
    asked = [
        each
        for each in present
        if listener_port in (None, each.first)
        and listener_protocol in (None, each.protocol.lower())
    ]
    if not asked and listener_port is not None:
        raise listeners.not_found(balancer, present, listener_port, listener_protocol)
    word_of = rules.words_of_all_zones(health.told(call.tx, balancer.id))
    shown = [
        _answer(behind, server, balancer.active, word_of(rules.key(server, behind)))
        for behind in health.behind(call.tx, asked)
        for server in behind.servers
    ]
    return HealthStatusAnswer(backend_servers=BackendServerHealthList(backend_server=shown))


def _answer(
    behind: FrontListener, server: GroupServer, active: bool, word: rules.Word
) -> BackendServerHealth:
    listener = behind.listener
    _, address, port = rules.key(server, behind)
    return BackendServerHealth(
        listener_port=listener.first,
        protocol=listener.protocol.lower(),
        server_id=server.server_id,
        server_ip=address,
        port=port,
        server_health_status=rules.clb_status(
            behind.checked and listener.started and active, word.state
        ),
    )


ACTIONS = (describe_health_status,)
