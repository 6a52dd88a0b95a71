"""Whether an endpoint leads to servers that are well, as its consumer and its provider may know."""

from __future__ import annotations

from typing import Any

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.wire import Answer
from privlink.model.health import FrontListener, Health
from privlink.model.network import IpVersion
from privlink.model.privatelink import Endpoint, EndpointZone
from privlink.rules import health as rules
from privlink.rules.health import Condition
from privlink.rules.listening import ports
from privlink.store import endpoints, health, services


class ListenerHealthAnswer(Answer):
    protocol: str
    port: str
    health: str
    servers: int
    well: int
    since: str | msgspec.UnsetType


class ZoneHealthAnswer(Answer):
    zone_id: str
    health: str
    servers: int
    well: int
    since: str | msgspec.UnsetType
    listeners: list[ListenerHealthAnswer]


class EndpointHealthAnswer(Answer):
    endpoint_id: str
    service_id: str
    health: str  # of the zones that lead somewhere, together
    zones: list[ZoneHealthAnswer]


@action(PRIVLINK, resource="privatelink:vpcendpoint/{endpoint_id}")
def get_endpoint_health(call: Call, *, endpoint_id: str) -> EndpointHealthAnswer:
    """Show whether new connections through an endpoint find a server, zone by zone.

    For who owns the endpoint, and for who owns its service. Healthy: every server that they are
    for is well. Degraded: some are down. Unhealthy: none is well, so new connections are reset.
    Unknown: no server has been checked, or the zone leads nowhere. `Since` is when the last of the
    servers changed.
    """
    endpoint = _visible(call, endpoint_id)
    zones = [each for each in endpoints.zones(call.tx, endpoint.id) if not each.deleting]
    fronts = health.fronts(call.tx, {each.resource_id for each in zones if each.resource_id})
    families = (4, 6) if endpoint.ip_version is IpVersion.DUAL_STACK else (4,)
    shown, leading = [], []
    for zone in zones:
        front = fronts.get(zone.resource_id or "")
        if zone.opening is None or front is None:
            shown.append(_zone(zone, Condition(Health.UNKNOWN), []))
            continue
        conditions = rules.conditions(front, zone.zone_id, families)
        leading.append(rules.together(conditions))
        shown.append(_zone(zone, leading[-1], list(zip(front.listeners, conditions, strict=True))))
    return EndpointHealthAnswer(
        endpoint_id=endpoint.id,
        service_id=endpoint.service_id,
        health=rules.together(leading).health if leading else Health.UNKNOWN,
        zones=shown,
    )


def _visible(call: Call, endpoint_id: str) -> Endpoint:
    """An endpoint of the caller's, or one of a service of the caller's. Raises EndpointNotFound."""
    found = endpoints.get(call.tx, endpoint_id)
    if found is not None and found.account_id != call.account_id:
        service = services.get(call.tx, found.service_id)
        if service is None or service.account_id != call.account_id:
            found = None
    if found is None:
        raise errors.EndpointNotFound(endpoint_id=endpoint_id)
    return found


def _zone(
    zone: EndpointZone, whole: Condition, each: list[tuple[FrontListener, Condition]]
) -> ZoneHealthAnswer:
    """Of the provider's servers it says how many, and never which."""
    return ZoneHealthAnswer(
        zone_id=zone.zone_id,
        **_shown(whole),
        listeners=[
            ListenerHealthAnswer(
                protocol=behind.listener.protocol,
                port=ports(behind.listener.first, behind.listener.last),
                **_shown(condition),
            )
            for behind, condition in each
        ],
    )


def _shown(condition: Condition) -> dict[str, Any]:
    return {
        "health": condition.health,
        "servers": condition.servers,
        "well": condition.well,
        "since": condition.since or msgspec.UNSET,
    }


ACTIONS = (get_endpoint_health,)
