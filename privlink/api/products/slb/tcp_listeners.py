"""Listeners of a CLB on TCP."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.health_checks import Path, Threshold, Timeout
from privlink.api.products.slb import health_checks, listeners
from privlink.api.products.slb.listeners import (
    About,
    Never,
    NoLimit,
    Off,
    Port,
    ProxyProtocol,
    Scheduler,
)
from privlink.api.products.slb.settings import OnOff
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import HealthCheck, Listener
from privlink.store import balancers

_IDLE = 900  # seconds without a packet after which a flow ends, where nobody says

EstablishedTimeout = Annotated[
    int, msgspec.Meta(ge=10, le=900, description="it is 10 to 900 seconds without a packet.")
]
DrainTimeout = Annotated[int, msgspec.Meta(ge=10, le=900, description="it is 10 to 900 seconds.")]
Uri = Annotated[Path | None, Wire("HealthCheckURI")]
# The SDK spells this one so where a listener is created.
Interval = Annotated[health_checks.Interval | None, Wire("healthCheckInterval")]

# What Terraform sends along, of listeners on HTTP.
OF_HTTP = (
    *("StickySession", "HealthCheck", "HealthCheckTimeout", "IdleTimeout", "RequestTimeout"),
    *("Gzip", "XForwardedFor_SLBIP", "XForwardedFor_SLBID", "XForwardedFor_proto"),
)


class TcpListenerAnswer(About):
    established_timeout: int
    connection_drain: str
    connection_drain_timeout: int | msgspec.UnsetType
    persistence_timeout: int
    health_check_type: str
    health_check_domain: str
    health_check_uri: str = msgspec.field(name="HealthCheckURI")
    health_check_http_code: str
    health_check_method: str


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
    established_timeout: EstablishedTimeout = _IDLE,
    health_check_switch: health_checks.Switch = "on",
    health_check_type: health_checks.Type = "tcp",
    health_check_connect_port: health_checks.Port | None = None,
    health_check_connect_timeout: Timeout | None = None,
    health_check_interval: Interval = None,
    healthy_threshold: Threshold | None = None,
    unhealthy_threshold: Threshold | None = None,
    health_check_domain: health_checks.Domain | None = None,
    health_check_uri: Uri = None,
    health_check_http_code: health_checks.Codes | None = None,
    connection_drain: OnOff = "off",
    connection_drain_timeout: DrainTimeout | None = None,
    acl_status: Off | None = None,
    persistence_timeout: Never = 0,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Create a listener on TCP. It takes flows once it is started, for the CLB's default servers
    on one port of theirs, or for those of a VServer group.

    What is about HTTP has an effect with `HealthCheckType=http` alone. With `ConnectionDrain`, a
    server that is taken out keeps its flows for a while.
    """
    bare = listeners.new(
        call, load_balancer_id, "TCP", listener_port, vserver_group_id, backend_server_port
    )
    settled = listeners.settled(
        bare,
        health_check_switch,
        kind=health_check_type,
        port=health_check_connect_port,
        timeout=health_check_connect_timeout,
        interval=health_check_interval,
        rise=healthy_threshold,
        fall=unhealthy_threshold,
        host=health_check_domain,
        path=health_check_uri,
        codes=health_check_http_code,
        description=description,
        scheduler=scheduler,
        idle=established_timeout,
    )
    listener = _drained(settled, connection_drain, connection_drain_timeout)
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
    """Show a listener on TCP. It is running, or stopped, once the nodes know it."""
    balancer, listener = listeners.find(call, load_balancer_id, listener_port, "TCP")
    check = HealthCheck.read(listener.health).check
    return TcpListenerAnswer(
        **listeners.about(call, balancer, listener),
        established_timeout=listener.idle or _IDLE,
        connection_drain="on" if listener.draining else "off",
        connection_drain_timeout=listener.drain_timeout if listener.draining else msgspec.UNSET,
        persistence_timeout=0,
        health_check_type=check.kind.lower(),
        health_check_domain=health_checks.domain(check),
        health_check_uri=check.path,
        health_check_http_code=",".join(check.codes),
        health_check_method=check.method.lower(),
    )


@action(
    SLB,
    writes=True,
    name="SetLoadBalancerTCPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
    ignores=OF_HTTP,
)
def set_load_balancer_tcp_listener_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_port: Port,
    bandwidth: NoLimit | None = None,
    backend_server_port: Port | None = None,
    vserver_group: OnOff | None = None,
    vserver_group_id: str | None = None,
    description: Description | None = None,
    scheduler: Scheduler | None = None,
    established_timeout: EstablishedTimeout | None = None,
    health_check_switch: health_checks.Switch | None = None,
    health_check_type: health_checks.Type | None = None,
    health_check_connect_port: health_checks.Port | None = None,
    health_check_connect_timeout: Timeout | None = None,
    health_check_interval: health_checks.Interval | None = None,
    healthy_threshold: Threshold | None = None,
    unhealthy_threshold: Threshold | None = None,
    health_check_domain: health_checks.Domain | None = None,
    health_check_uri: Uri = None,
    health_check_http_code: health_checks.Codes | None = None,
    connection_drain: OnOff | None = None,
    connection_drain_timeout: DrainTimeout | None = None,
    acl_status: Off | None = None,
    persistence_timeout: Never | None = None,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Change what is given of a listener on TCP. New flows go to the new servers, running ones
    stay.

    `BackendServerPort` cannot change. Settings of HTTP listeners, which Terraform sends along, mean
    nothing here.
    """
    changed = listeners.changed(
        call,
        load_balancer_id,
        "TCP",
        listener_port,
        vserver_group=vserver_group,
        vserver_group_id=vserver_group_id,
        backend_server_port=backend_server_port,
    )
    settled = listeners.settled(
        changed,
        health_check_switch,
        kind=health_check_type,
        port=health_check_connect_port,
        timeout=health_check_connect_timeout,
        interval=health_check_interval,
        rise=healthy_threshold,
        fall=unhealthy_threshold,
        host=health_check_domain,
        path=health_check_uri,
        codes=health_check_http_code,
        description=description,
        scheduler=scheduler,
        idle=established_timeout,
    )
    listener = _drained(settled, connection_drain, connection_drain_timeout)
    balancers.change_listener(call.tx, listener)
    return Answer()


def _drained(listener: Listener, switch: str | None, timeout: int | None) -> Listener:
    """A listener with what is given of its draining. Raises MissingConnectionDrainTimeout."""
    if switch == "on" and timeout is None and not listener.draining:
        why = "ConnectionDrain=on needs one, 10 to 900 seconds."
        raise errors.NeededParameter(parameter="ConnectionDrainTimeout", why=why)
    values: dict[str, Any] = {}
    if switch is not None:
        values["draining"] = switch == "on"
    if timeout is not None:
        values["drain_timeout"] = timeout
    return msgspec.structs.replace(listener, **values)


ACTIONS = (
    create_load_balancer_tcp_listener,
    describe_load_balancer_tcp_listener_attribute,
    set_load_balancer_tcp_listener_attribute,
)
