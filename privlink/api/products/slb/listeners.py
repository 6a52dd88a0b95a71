"""Listeners of a CLB: ports, known by their number, that take flows once they are started.

TCP and UDP have their ports apart, so a port may have a listener of each. What is the same for both
is here; each has a file of its own beside this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, limits, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.products.slb import health_checks
from privlink.api.products.slb.health_checks import HealthCheckAnswer
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import HealthCheck, Listener, LoadBalancer, default_group
from privlink.model.ids import ListenerId, ServerGroupId, new_id
from privlink.rules import listening, quotas
from privlink.store import balancers

Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
NoLimit = Annotated[
    int,
    msgspec.Meta(ge=-1, le=-1, description="only -1: the bandwidth of a listener is not limited."),
]
Scheduler = Annotated[
    Literal["wrr", "rr", "wlc", "sch", "tch"],
    msgspec.Meta(
        description="it is wrr, rr, wlc, sch or tch. qch is refused: privlink reads no QUIC ids."
    ),
]
Off = Annotated[Literal["off"], msgspec.Meta(description="only off: privlink does not do that.")]
NotSo = Annotated[
    Literal["false", "False"], msgspec.Meta(description="only false: privlink does not do that.")
]
Never = Annotated[
    int, msgspec.Meta(ge=0, le=0, description="only 0: clients do not stay with one server.")
]
ProxyProtocol = Annotated[NotSo | None, Wire("ProxyProtocolV2Enabled")]
Protocol = Annotated[Literal["tcp", "udp"], msgspec.Meta(description="it is tcp or udp.")]


class About(HealthCheckAnswer):
    """What both kinds of listeners show."""

    load_balancer_id: str
    listener_port: int
    status: str
    description: str
    bandwidth: int
    scheduler: str
    backend_server_port: int | msgspec.UnsetType
    vserver_group_id: str | msgspec.UnsetType
    proxy_protocol_v2_enabled: bool = msgspec.field(name="ProxyProtocolV2Enabled")
    acl_status: str


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def start_load_balancer_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    listener_protocol: Protocol | None = None,
) -> Answer:
    """Let a listener take flows.

    `ListenerProtocol` is needed where the port has two listeners.
    """
    return _switch(call, load_balancer_id, listener_port, listener_protocol, started=True)


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def stop_load_balancer_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    listener_protocol: Protocol | None = None,
) -> Answer:
    """Stop a listener: its port takes no new flows, running ones go on.

    `ListenerProtocol` is needed where the port has two listeners.
    """
    return _switch(call, load_balancer_id, listener_port, listener_protocol, started=False)


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def delete_load_balancer_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    listener_protocol: Protocol | None = None,
) -> Answer:
    """Delete a listener: its port takes no new flows.

    `ListenerProtocol` is needed where the port has two listeners.
    """
    _, listener = find(call, load_balancer_id, listener_port, listener_protocol)
    balancers.delete_listener(call.tx, listener)
    return Answer()


def not_found(
    balancer: LoadBalancer, present: Iterable[Listener], port: int, protocol: str | None
) -> errors.ClbListenerNotFound:
    """What a caller is told who asks for a listener that is not among those present."""
    known = ", ".join(f"{each.first}/{each.protocol.lower()}" for each in present) or "none"
    where = f"port {port}" if protocol is None else f"{protocol.upper()} port {port}"
    return errors.ClbListenerNotFound(load_balancer_id=balancer.id, where=where, known=known)


def new(
    call: Call,
    load_balancer_id: str,
    protocol: str,
    port: int,
    vserver_group_id: str | None,
    server_port: int | None,
) -> Listener:
    """A listener that is not started yet. Raises ListenerAlreadyExists."""
    balancer = ours.clb(call, load_balancer_id)
    group_id = _group(call, balancer, vserver_group_id, server_port)
    present = balancers.listeners(call.tx, [balancer.id])
    if listening.in_the_way(present, protocol, port, port):
        raise errors.ListenerAlreadyExists(
            load_balancer_id=balancer.id, protocol=protocol, port=port
        )
    limits.check(call, quotas.LISTENERS_PER_CLB, len(present), balancer.id)
    return Listener(
        id=ListenerId(new_id("lsn")),
        account_id=call.account_id,
        balancer_id=balancer.id,
        protocol=protocol,
        first=port,
        last=port,
        group_id=group_id,
        created_at=call.now,
        started=False,
        server_port=server_port,
        health=health_checks.default(protocol).text,
    )


def settled(
    listener: Listener,
    switch: str | None,
    *,
    description: str | None,
    scheduler: str | None,
    idle: int | None = None,
    **check: Any,
) -> Listener:
    """A listener, new or not, with its settings: None where they stay. `check` are fields of its
    health check as the parameters have them.
    """
    health = health_checks.changed(HealthCheck.read(listener.health), switch, **check)
    given = {"description": description, "scheduler": scheduler, "idle": idle}
    values = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(listener, health=health.text, **values)


def changed(
    call: Call,
    load_balancer_id: str,
    protocol: str,
    port: int,
    *,
    vserver_group: str | None,
    vserver_group_id: str | None,
    backend_server_port: int | None,
) -> Listener:
    """A listener that is there, for the servers that are given, if any are."""
    balancer, listener = find(call, load_balancer_id, port, protocol)
    if backend_server_port not in (None, listener.server_port):
        why = (
            f"'{backend_server_port}' was given, and it is {listener.server_port or 'none'} for "
            "good. Create the listener anew with another one."
        )
        raise SLB.invalid(parameter="BackendServerPort", why=why)
    group_id = _moved(call, balancer, listener, vserver_group, vserver_group_id)
    return msgspec.structs.replace(listener, group_id=group_id)


def about(call: Call, balancer: LoadBalancer, listener: Listener) -> dict[str, Any]:
    """What both kinds of listeners show."""
    is_default = listener.group_id == default_group(balancer.id)
    server_port = listener.server_port if is_default else None
    health = health_checks.about(HealthCheck.read(listener.health), server_port)
    shown = About(
        **msgspec.structs.asdict(health),
        load_balancer_id=balancer.id,
        listener_port=listener.first,
        status=_status(call, balancer, listener),
        description=listener.description,
        bandwidth=-1,
        scheduler=listener.scheduler,
        backend_server_port=server_port or msgspec.UNSET,
        vserver_group_id=msgspec.UNSET if is_default else listener.group_id,
        proxy_protocol_v2_enabled=False,
        acl_status="off",
    )
    return msgspec.structs.asdict(shown)


def _switch(
    call: Call, load_balancer_id: str, port: int, protocol: str | None, *, started: bool
) -> Answer:
    _, listener = find(call, load_balancer_id, port, protocol)
    balancers.change_listener(call.tx, msgspec.structs.replace(listener, started=started))
    return Answer()


def find(
    call: Call, load_balancer_id: str, port: int, protocol: str | None
) -> tuple[LoadBalancer, Listener]:
    """The listener on a port. Without a protocol it must be the only one there."""
    balancer = ours.clb(call, load_balancer_id)
    present = balancers.listeners(call.tx, [balancer.id])
    found = [
        each
        for each in present
        if each.first == port and (protocol is None or each.protocol == protocol.upper())
    ]
    if not found:
        raise not_found(balancer, present, port, protocol)
    if len(found) > 1:
        why = f"port {port} of {balancer.id} has two listeners, one on tcp and one on udp."
        raise errors.NeededParameter(parameter="ListenerProtocol", why=why)
    return balancer, found[0]


def _moved(
    call: Call,
    balancer: LoadBalancer,
    listener: Listener,
    switch: str | None,
    group_id: str | None,
) -> ServerGroupId:
    """Whose servers a listener takes flows for after a change."""
    if switch == "on" and group_id is None:
        raise errors.NeededParameter(
            parameter="VServerGroupId", why="VServerGroup=on needs a group."
        )
    if switch == "off" and group_id is not None:
        why = "it contradicts VServerGroup=off. Give one of the two."
        raise SLB.invalid(parameter="VServerGroupId", why=why)
    if group_id is not None:
        return _vserver_group(call, balancer, group_id)
    if switch is None:
        return listener.group_id
    if listener.server_port is None:
        why = (
            "'off' was given, but this listener was created without the BackendServerPort that "
            "default servers need. Create it anew with one."
        )
        raise SLB.invalid(parameter="VServerGroup", why=why)
    return default_group(balancer.id)


def _group(
    call: Call, balancer: LoadBalancer, group_id: str | None, server_port: int | None
) -> ServerGroupId:
    """Whose servers a new listener takes flows for."""
    if group_id is None and server_port is None:
        why = "it is the port of the default servers. Or give VServerGroupId."
        raise errors.NeededParameter(parameter="BackendServerPort", why=why)
    if group_id is None:
        return default_group(balancer.id)
    if server_port is not None:
        why = f"the servers of {group_id} say their ports. Leave it out."
        raise SLB.invalid(parameter="BackendServerPort", why=why)
    return _vserver_group(call, balancer, group_id)


def _vserver_group(call: Call, balancer: LoadBalancer, group_id: str) -> ServerGroupId:
    group = ours.vserver_group(call, group_id)
    if group.balancer_id != balancer.id:
        why = f"{group.id} is a group of {group.balancer_id}."
        raise SLB.invalid(parameter="VServerGroupId", why=why)
    return group.id


def _status(call: Call, balancer: LoadBalancer, listener: Listener) -> str:
    ready = balancing.known_to_nodes(call, balancer.id)
    if listener.started and balancer.active:
        return "running" if ready else "starting"
    return "stopped" if ready else "stopping"


ACTIONS = (
    start_load_balancer_listener,
    stop_load_balancer_listener,
    delete_load_balancer_listener,
)
