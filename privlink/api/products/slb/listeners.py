"""Listeners of a CLB: ports, known by their number, that take flows once they are started.

TCP and UDP have their ports apart, so a port may have a listener of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, limits, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.products.slb.settings import OnOff
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import Listener, LoadBalancer, default_group
from privlink.model.ids import ListenerId, ServerGroupId, new_id
from privlink.rules import listening, quotas
from privlink.store import balancers

Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
NoLimit = Annotated[
    int,
    msgspec.Meta(ge=-1, le=-1, description="only -1: the bandwidth of a listener is not limited."),
]
Scheduler = Annotated[Literal["wrr"], msgspec.Meta(description="only wrr so far.")]
Off = Annotated[Literal["off"], msgspec.Meta(description="only off: privlink does not do that.")]
NoProbe = Annotated[
    Literal["off"], msgspec.Meta(description="only off: servers are not probed yet.")
]
NotSo = Annotated[
    Literal["false", "False"], msgspec.Meta(description="only false: privlink does not do that.")
]
Never = Annotated[
    int, msgspec.Meta(ge=0, le=0, description="only 0: clients do not stay with one server.")
]
ProxyProtocol = Annotated[NotSo | None, Wire("ProxyProtocolV2Enabled")]
Protocol = Annotated[Literal["tcp", "udp"], msgspec.Meta(description="it is tcp or udp.")]


class _About(Answer):
    load_balancer_id: str
    listener_port: int
    status: str
    description: str
    bandwidth: int
    scheduler: str
    backend_server_port: int | msgspec.UnsetType
    vserver_group_id: str | msgspec.UnsetType
    health_check: str
    proxy_protocol_v2_enabled: bool = msgspec.field(name="ProxyProtocolV2Enabled")
    acl_status: str


class TcpListenerAnswer(_About):
    connection_drain: str
    persistence_timeout: int


class UdpListenerAnswer(_About):
    pass


@action(
    SLB,
    writes=True,
    name="CreateLoadBalancerTCPListener",
    resource="loadbalancer/{load_balancer_id}",
)
def create_load_balancer_tcp_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    bandwidth: NoLimit,
    backend_server_port: Port | None = None,
    vserver_group_id: str | None = None,
    description: Description = "",
    scheduler: Scheduler = "wrr",
    health_check_switch: NoProbe | None = None,
    connection_drain: Off | None = None,
    acl_status: Off | None = None,
    persistence_timeout: Never = 0,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Create a listener on TCP. It takes flows once it is started, for the CLB's default servers
    on one port of theirs, or for those of a VServer group.
    """
    balancer = ours.clb(call, load_balancer_id)
    group_id = _group(call, balancer, vserver_group_id, backend_server_port)
    _add(call, balancer, "TCP", listener_port, group_id, backend_server_port, description)
    return Answer()


@action(
    SLB,
    writes=True,
    name="CreateLoadBalancerUDPListener",
    resource="loadbalancer/{load_balancer_id}",
)
def create_load_balancer_udp_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    bandwidth: NoLimit,
    backend_server_port: Port | None = None,
    vserver_group_id: str | None = None,
    description: Description = "",
    scheduler: Scheduler = "wrr",
    health_check_switch: NoProbe | None = None,
    acl_status: Off | None = None,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Create a listener on UDP. It takes flows once it is started, for the CLB's default servers
    on one port of theirs, or for those of a VServer group.
    """
    balancer = ours.clb(call, load_balancer_id)
    group_id = _group(call, balancer, vserver_group_id, backend_server_port)
    _add(call, balancer, "UDP", listener_port, group_id, backend_server_port, description)
    return Answer()


@action(
    SLB,
    name="DescribeLoadBalancerTCPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
)
def describe_load_balancer_tcp_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str, listener_port: Port
) -> TcpListenerAnswer:
    """Show a listener on TCP. It is running, or stopped, once the nodes know it."""
    about = _about(call, load_balancer_id, "TCP", listener_port)
    return TcpListenerAnswer(**about, connection_drain="off", persistence_timeout=0)


@action(
    SLB,
    name="DescribeLoadBalancerUDPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
)
def describe_load_balancer_udp_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str, listener_port: Port
) -> UdpListenerAnswer:
    """Show a listener on UDP. It is running, or stopped, once the nodes know it."""
    return UdpListenerAnswer(**_about(call, load_balancer_id, "UDP", listener_port))


@action(
    SLB,
    writes=True,
    name="SetLoadBalancerUDPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
)
def set_load_balancer_udp_listener_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    bandwidth: NoLimit | None = None,
    vserver_group: OnOff | None = None,
    vserver_group_id: str | None = None,
    description: Description | None = None,
    scheduler: Scheduler | None = None,
    health_check_switch: NoProbe | None = None,
    acl_status: Off | None = None,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Change what is given of a listener on UDP. New flows go to the new servers, running ones
    stay.
    """
    balancer, listener = _listener(call, load_balancer_id, listener_port, "UDP")
    group_id = _moved(call, balancer, listener, vserver_group, vserver_group_id)
    listener = msgspec.structs.replace(listener, group_id=group_id)
    if description is not None:
        listener = msgspec.structs.replace(listener, description=description)
    balancers.change_listener(call.tx, listener)
    return Answer()


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
    _, listener = _listener(call, load_balancer_id, listener_port, listener_protocol)
    balancers.delete_listener(call.tx, listener)
    return Answer()


def not_found(
    balancer: LoadBalancer, present: Iterable[Listener], port: int, protocol: str | None
) -> errors.ClbListenerNotFound:
    """What a caller is told who asks for a listener that is not among those present."""
    known = ", ".join(f"{each.first}/{each.protocol.lower()}" for each in present) or "none"
    where = f"port {port}" if protocol is None else f"{protocol.upper()} port {port}"
    return errors.ClbListenerNotFound(load_balancer_id=balancer.id, where=where, known=known)


def _add(
    call: Call,
    balancer: LoadBalancer,
    protocol: str,
    port: int,
    group_id: ServerGroupId,
    server_port: int | None,
    description: str,
) -> None:
    """Add a listener, not started yet. Raises ListenerAlreadyExists."""
    present = balancers.listeners(call.tx, [balancer.id])
    if listening.in_the_way(present, protocol, port, port):
        raise errors.ListenerAlreadyExists(
            load_balancer_id=balancer.id, protocol=protocol, port=port
        )
    limits.check(call, quotas.LISTENERS_PER_CLB, len(present), balancer.id)
    listener = Listener(
        id=ListenerId(new_id("lsn")),
        account_id=call.account_id,
        balancer_id=balancer.id,
        protocol=protocol,
        first=port,
        last=port,
        group_id=group_id,
        created_at=call.now,
        started=False,
        description=description,
        server_port=server_port,
    )
    balancers.add_listener(call.tx, listener)


def _about(call: Call, load_balancer_id: str, protocol: str, port: int) -> dict[str, Any]:
    balancer, listener = _listener(call, load_balancer_id, port, protocol)
    is_default = listener.group_id == default_group(balancer.id)
    about = _About(
        load_balancer_id=balancer.id,
        listener_port=listener.first,
        status=_status(call, balancer, listener),
        description=listener.description,
        bandwidth=-1,
        scheduler="wrr",
        backend_server_port=(is_default and listener.server_port) or msgspec.UNSET,
        vserver_group_id=msgspec.UNSET if is_default else listener.group_id,
        health_check="off",
        proxy_protocol_v2_enabled=False,
        acl_status="off",
    )
    return msgspec.structs.asdict(about)


def _switch(
    call: Call, load_balancer_id: str, port: int, protocol: str | None, *, started: bool
) -> Answer:
    _, listener = _listener(call, load_balancer_id, port, protocol)
    balancers.change_listener(call.tx, msgspec.structs.replace(listener, started=started))
    return Answer()


def _listener(
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
    create_load_balancer_tcp_listener,
    describe_load_balancer_tcp_listener_attribute,
    create_load_balancer_udp_listener,
    describe_load_balancer_udp_listener_attribute,
    set_load_balancer_udp_listener_attribute,
    start_load_balancer_listener,
    stop_load_balancer_listener,
    delete_load_balancer_listener,
)
