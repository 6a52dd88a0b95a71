"""Listeners of a CLB: ports, known by their number, that take flows once they are started."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, limits, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import Listener, LoadBalancer, default_group
from privlink.model.ids import ListenerId, ServerGroupId, new_id
from privlink.rules import quotas
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
Protocol = Annotated[Literal["tcp"], msgspec.Meta(description="only tcp so far.")]


class TcpListenerAnswer(Answer):
    load_balancer_id: str
    listener_port: int
    status: str
    description: str
    bandwidth: int
    scheduler: str
    backend_server_port: int | msgspec.UnsetType
    vserver_group_id: str | msgspec.UnsetType
    health_check: str
    connection_drain: str
    persistence_timeout: int
    proxy_protocol_v2_enabled: bool = msgspec.field(name="ProxyProtocolV2Enabled")
    acl_status: str


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
    proxy_protocol_v2_enabled: Annotated[NotSo | None, Wire("ProxyProtocolV2Enabled")] = None,
) -> Answer:
    """Create a listener on TCP. It takes flows once it is started, for the CLB's default servers
    on one port of theirs, or for those of a VServer group.
    """
    balancer = ours.clb(call, load_balancer_id)
    present = balancers.listeners(call.tx, [balancer.id])
    if listener_port in {each.port for each in present}:
        raise errors.ListenerAlreadyExists(load_balancer_id=balancer.id, port=listener_port)
    limits.check(call, quotas.LISTENERS_PER_CLB, len(present), balancer.id)
    group_id = _group(call, balancer, vserver_group_id, backend_server_port)
    listener = Listener(
        id=ListenerId(new_id("lsn")),
        account_id=call.account_id,
        balancer_id=balancer.id,
        protocol="TCP",
        port=listener_port,
        group_id=group_id,
        created_at=call.now,
        started=False,
        description=description,
        server_port=backend_server_port,
    )
    balancers.add_listener(call.tx, listener)
    return Answer()


@action(
    SLB,
    name="DescribeLoadBalancerTCPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
)
def describe_load_balancer_tcp_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str, listener_port: Port
) -> TcpListenerAnswer:
    """Show a listener. It is running, or stopped, once the nodes know it."""
    balancer, listener = _listener(call, load_balancer_id, listener_port)
    is_default = listener.group_id == default_group(balancer.id)
    return TcpListenerAnswer(
        load_balancer_id=balancer.id,
        listener_port=listener.port,
        status=_status(call, balancer, listener),
        description=listener.description,
        bandwidth=-1,
        scheduler="wrr",
        backend_server_port=listener.server_port or msgspec.UNSET,
        vserver_group_id=msgspec.UNSET if is_default else listener.group_id,
        health_check="off",
        connection_drain="off",
        persistence_timeout=0,
        proxy_protocol_v2_enabled=False,
        acl_status="off",
    )


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def start_load_balancer_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    listener_protocol: Protocol = "tcp",
) -> Answer:
    """Let a listener take flows."""
    return _switch(call, load_balancer_id, listener_port, started=True)


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def stop_load_balancer_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    listener_protocol: Protocol = "tcp",
) -> Answer:
    """Stop a listener: its port takes no new flows, running ones go on."""
    return _switch(call, load_balancer_id, listener_port, started=False)


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def delete_load_balancer_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    listener_protocol: Protocol = "tcp",
) -> Answer:
    """Delete a listener: its port takes no new flows."""
    _, listener = _listener(call, load_balancer_id, listener_port)
    balancers.delete_listener(call.tx, listener)
    return Answer()


def _switch(call: Call, load_balancer_id: str, port: int, *, started: bool) -> Answer:
    _, listener = _listener(call, load_balancer_id, port)
    balancers.change_listener(call.tx, msgspec.structs.replace(listener, started=started))
    return Answer()


def _listener(call: Call, load_balancer_id: str, port: int) -> tuple[LoadBalancer, Listener]:
    balancer = ours.clb(call, load_balancer_id)
    present = balancers.listeners(call.tx, [balancer.id])
    for listener in present:
        if listener.port == port:
            return balancer, listener
    known = ", ".join(str(each.port) for each in present) or "none"
    raise errors.ClbListenerNotFound(load_balancer_id=balancer.id, port=port, known=known)


def _group(
    call: Call, balancer: LoadBalancer, group_id: str | None, server_port: int | None
) -> ServerGroupId:
    """Whose servers a new listener takes flows for."""
    if group_id is None and server_port is None:
        why = "which port of the default servers? Or give VServerGroupId."
        raise SLB.missing(parameter="BackendServerPort", why=why)
    if group_id is None:
        return default_group(balancer.id)
    if server_port is not None:
        why = f"the servers of {group_id} say their ports. Leave it out."
        raise SLB.invalid(parameter="BackendServerPort", why=why)
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
    start_load_balancer_listener,
    stop_load_balancer_listener,
    delete_load_balancer_listener,
)
