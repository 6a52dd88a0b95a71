"""Listeners of a CLB on UDP."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.health_checks import Threshold, Timeout
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
from privlink.api.products.slb.tcp_listeners import OF_HTTP, Interval
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import HealthCheck
from privlink.store import balancers

# As the SDK spells them.
Request = Annotated[health_checks.Words | None, Wire("healthCheckReq")]
Expected = Annotated[health_checks.Words | None, Wire("healthCheckExp")]

# What Terraform sends along, of listeners on HTTP and TCP.
_OF_OTHERS = (
    *OF_HTTP,
    *("HealthCheckType", "HealthCheckDomain", "HealthCheckURI", "HealthCheckHttpCode"),
    "EstablishedTimeout",
)


class UdpListenerAnswer(About):
    health_check_req: str | msgspec.UnsetType
    health_check_exp: str | msgspec.UnsetType


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
    health_check_switch: health_checks.Switch = "on",
    health_check_connect_port: health_checks.Port | None = None,
    health_check_connect_timeout: Timeout | None = None,
    health_check_interval: Interval = None,
    healthy_threshold: Threshold | None = None,
    unhealthy_threshold: Threshold | None = None,
    health_check_req: Request = None,
    health_check_exp: Expected = None,
    acl_status: Off | None = None,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Create a listener on UDP. It takes flows once it is started, for the CLB's default servers
    on one port of theirs, or for those of a VServer group.
    """
    bare = listeners.new(
        call, load_balancer_id, "UDP", listener_port, vserver_group_id, backend_server_port
    )
    settled = listeners.settled(
        bare,
        health_check_switch,
        port=health_check_connect_port,
        timeout=health_check_connect_timeout,
        interval=health_check_interval,
        rise=healthy_threshold,
        fall=unhealthy_threshold,
        request=health_check_req,
        expected=health_check_exp,
        description=description,
        scheduler=scheduler,
    )
    balancers.add_listener(call.tx, settled)
    return Answer()


@action(
    SLB,
    name="DescribeLoadBalancerUDPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
)
def describe_load_balancer_udp_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str, listener_port: Port
) -> UdpListenerAnswer:
    """Show a listener on UDP. It is running, or stopped, once the nodes know it."""
    balancer, listener = listeners.find(call, load_balancer_id, listener_port, "UDP")
    check = HealthCheck.read(listener.health).check
    return UdpListenerAnswer(
        **listeners.about(call, balancer, listener),
        health_check_req=check.request or msgspec.UNSET,
        health_check_exp=check.expected or msgspec.UNSET,
    )


@action(
    SLB,
    writes=True,
    name="SetLoadBalancerUDPListenerAttribute",
    resource="loadbalancer/{load_balancer_id}",
    ignores=_OF_OTHERS,
)
def set_load_balancer_udp_listener_attribute(
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
    health_check_switch: health_checks.Switch | None = None,
    health_check_connect_port: health_checks.Port | None = None,
    health_check_connect_timeout: Timeout | None = None,
    health_check_interval: health_checks.Interval | None = None,
    healthy_threshold: Threshold | None = None,
    unhealthy_threshold: Threshold | None = None,
    health_check_req: Request = None,
    health_check_exp: Expected = None,
    acl_status: Off | None = None,
    persistence_timeout: Never | None = None,
    proxy_protocol_v2_enabled: ProxyProtocol = None,
) -> Answer:
    """Change what is given of a listener on UDP. New flows go to the new servers, running ones
    stay.

    `BackendServerPort` cannot change. Settings of HTTP and TCP listeners, which Terraform sends
    along, mean nothing here.
    """
    changed = listeners.changed(
        call,
        load_balancer_id,
        "UDP",
        listener_port,
        vserver_group=vserver_group,
        vserver_group_id=vserver_group_id,
        backend_server_port=backend_server_port,
    )
    settled = listeners.settled(
        changed,
        health_check_switch,
        port=health_check_connect_port,
        timeout=health_check_connect_timeout,
        interval=health_check_interval,
        rise=healthy_threshold,
        fall=unhealthy_threshold,
        request=health_check_req,
        expected=health_check_exp,
        description=description,
        scheduler=scheduler,
    )
    balancers.change_listener(call.tx, settled)
    return Answer()


ACTIONS = (
    create_load_balancer_udp_listener,
    describe_load_balancer_udp_listener_attribute,
    set_load_balancer_udp_listener_attribute,
)
