"""How long flows of a service may be silent, and how many of them there may be."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import ours
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.wire import Answer
from privlink.model.privatelink import EndpointService
from privlink.rules.service_traffic import (
    DEFAULT,
    FLOW_RATES,
    FLOWS,
    TCP_IDLE_TIMES,
    UDP_IDLE_TIMES,
    Traffic,
    effective,
    own,
)
from privlink.store import endpoints, services


class Setting(enum.StrEnum):
    """What a service may set of its traffic."""

    TCP_IDLE_TIMEOUT = "TcpIdleTimeout"
    UDP_IDLE_TIMEOUT = "UdpIdleTimeout"
    MAX_FLOWS = "MaxFlows"
    MAX_NEW_FLOWS_PER_SECOND = "MaxNewFlowsPerSecond"


_FIELDS = dict(zip(Setting, Traffic.__struct_fields__, strict=True))
_SECONDS = "{} to {} seconds."

TcpIdleTimeout = Annotated[
    int,
    msgspec.Meta(
        ge=TCP_IDLE_TIMES[0], le=TCP_IDLE_TIMES[1], description=_SECONDS.format(*TCP_IDLE_TIMES)
    ),
]
UdpIdleTimeout = Annotated[
    int,
    msgspec.Meta(
        ge=UDP_IDLE_TIMES[0], le=UDP_IDLE_TIMES[1], description=_SECONDS.format(*UDP_IDLE_TIMES)
    ),
]
MaxFlows = Annotated[
    int,
    msgspec.Meta(
        ge=FLOWS[0],
        le=FLOWS[1],
        description=f"{FLOWS[0]} to {FLOWS[1]} flows at a time through each zone of an endpoint.",
    ),
]
MaxNewFlows = Annotated[
    int,
    msgspec.Meta(
        ge=FLOW_RATES[0],
        le=FLOW_RATES[1],
        description=f"up to {FLOW_RATES[1]} new flows per second through each zone of an endpoint, "
        "0 for as many as come.",
    ),
]
Reset = Annotated[
    tuple[Setting, ...],
    msgspec.Meta(max_length=len(Setting), description=f"any of {', '.join(Setting)}."),
]


class TrafficAnswer(Answer):
    tcp_idle_timeout: int
    udp_idle_timeout: int
    max_flows: int
    max_new_flows_per_second: int


class ServiceTrafficAnswer(TrafficAnswer):
    service_id: str
    own_settings: list[Setting]  # idle timeouts that are not among them: the listener's, if it has
    defaults: TrafficAnswer


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpointservice/{service_id}")
def modify_service_traffic(
    call: Call,
    *,
    service_id: str,
    tcp_idle_timeout: TcpIdleTimeout | None = None,
    udp_idle_timeout: UdpIdleTimeout | None = None,
    max_flows: MaxFlows | None = None,
    max_new_flows_per_second: MaxNewFlows | None = None,
    reset: Reset = (),
) -> ServiceTrafficAnswer:
    """Change how long flows of your service may be silent, and how many of them there may be.

    What is not given stays; what `Reset` names goes back to the default. It holds for connections
    that are there too: they are Connecting until their nodes obey. Flows that run keep the idle
    timeout they began with, and none is ended because there are too many.
    """
    service = ours.service(call, service_id)
    given = {
        Setting.TCP_IDLE_TIMEOUT: tcp_idle_timeout,
        Setting.UDP_IDLE_TIMEOUT: udp_idle_timeout,
        Setting.MAX_FLOWS: max_flows,
        Setting.MAX_NEW_FLOWS_PER_SECOND: max_new_flows_per_second,
    }
    for setting in reset:
        if given[setting] is not None:
            why = f"{setting} is given a value as well; leave one of the two out."
            raise errors.InvalidParameter(parameter="Reset", why=why)
    changes = {
        _FIELDS[setting]: value
        for setting, value in given.items()
        if value is not None or setting in reset
    }
    changed = msgspec.structs.replace(service, **changes)
    if own(changed) != own(service):
        services.change(call.tx, changed)
        endpoints.touch_open(call.tx, endpoints.zones_of_service(call.tx, service.id, None))
    return _answer(changed)


@action(PRIVLINK, resource="privatelink:vpcendpointservice/{service_id}")
def get_service_traffic(call: Call, *, service_id: str) -> ServiceTrafficAnswer:
    """Show how long flows of your service may be silent, and how many of them there may be.

    A listener that has an idle timeout of its own keeps to that, unless `OwnSettings` names the
    service's.
    """
    return _answer(ours.service(call, service_id))


def _answer(service: EndpointService) -> ServiceTrafficAnswer:
    holding = effective(service)
    return ServiceTrafficAnswer(
        service_id=service.id,
        tcp_idle_timeout=holding.idle_tcp,
        udp_idle_timeout=holding.idle_udp,
        max_flows=holding.most_flows,
        max_new_flows_per_second=holding.flow_rate,
        own_settings=[setting for setting, field in _FIELDS.items() if field in own(service)],
        defaults=TrafficAnswer(
            tcp_idle_timeout=DEFAULT.idle_tcp,
            udp_idle_timeout=DEFAULT.idle_udp,
            max_flows=DEFAULT.most_flows,
            max_new_flows_per_second=DEFAULT.flow_rate,
        ),
    )


ACTIONS = (modify_service_traffic, get_service_traffic)
