"""Making an endpoint's zones lead where they now should.

Called after whatever can change that: a decision, a zone, a service resource that came or went.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from privlink.api.action import Call
from privlink.kinds import KINDS
from privlink.model.ids import ServiceId, ZoneId
from privlink.model.privatelink import Connection, Endpoint, EndpointZone, ServiceResource
from privlink.store import balancers, endpoints, networks, rows, services


def settle(call: Call, endpoint: Endpoint) -> None:
    """Bring every zone of an endpoint in line with its connection and its service."""
    connection = endpoints.get_connection(call.tx, endpoint.id)
    resources = services.resources(call.tx, endpoint.service_id)
    for zone in endpoints.zones(call.tx, endpoint.id):
        _settle_zone(call, zone, endpoint, connection, resources)


def settle_service(call: Call, service_id: ServiceId, zone_id: ZoneId | None = None) -> None:
    """Bring the endpoints of a service in line with it, in the zone that changed or in all."""
    zones = endpoints.zones_of_service(call.tx, service_id, zone_id)
    ids = {zone.endpoint_id for zone in zones}
    found, bonds = endpoints.by_ids(call.tx, ids), endpoints.connections(call.tx, ids)
    resources = services.resources(call.tx, service_id)
    for zone in zones:
        whose = zone.endpoint_id
        _settle_zone(call, zone, found[whose], bonds[whose], resources)


def _settle_zone(
    call: Call,
    zone: EndpointZone,
    endpoint: Endpoint,
    connection: Connection,
    resources: Sequence[ServiceResource],
) -> None:
    new = settled(call, zone, endpoint, connection, resources)
    if new != zone:
        endpoints.set_zone(call.tx, new)


def settled(
    call: Call,
    zone: EndpointZone,
    endpoint: Endpoint,
    connection: Connection,
    resources: Sequence[ServiceResource],
) -> EndpointZone:
    """A zone in line with its connection and the resources of its service."""
    kind = KINDS[endpoint.type]
    lead = kind.lead(zone, connection, resources)
    if lead is None:
        return _closed(zone, resources)
    return _open_inward(call, zone, lead) if kind.REVERSED else _open(call, zone, lead)


def _open_inward(call: Call, zone: EndpointZone, lead: ServiceResource) -> EndpointZone:
    """A zone that a resource leads through, whose calls come from the zone's own address."""
    if zone.opening is not None and zone.resource_id == lead.resource_id:
        return zone
    number = rows.next_number(call.tx, "opening")
    return msgspec.structs.replace(zone, resource_id=lead.resource_id, opening=number)


def _open(call: Call, zone: EndpointZone, lead: ServiceResource) -> EndpointZone:
    """A zone that leads to a resource. A new opening gets a number no flow has ever seen."""
    if zone.opening is not None and zone.resource_id == lead.resource_id:
        return zone
    provider_vpc_id = balancers.by_ids(call.tx, [lead.resource_id])[0].vpc_id
    source = zone.source
    if source is None or zone.provider_vpc_id != provider_vpc_id:
        source = networks.find_source(call.tx, provider_vpc_id)
    assert source is not None, "four million source addresses are in use"
    return msgspec.structs.replace(
        zone,
        resource_id=lead.resource_id,
        provider_vpc_id=provider_vpc_id,
        source=source,
        opening=rows.next_number(call.tx, "opening"),
    )


def migrate(call: Call, zone: EndpointZone, lead: ServiceResource, *, graceful: bool) -> None:
    """Make an open zone lead to another resource: its flows end, or gracefully stay where they are
    while new ones take the new way.
    """
    moved = _open(call, zone, lead)
    if graceful:
        moved = msgspec.structs.replace(
            moved,
            replaced_resource_id=zone.resource_id,
            replaced_vpc_id=zone.provider_vpc_id,
            replaced_source=zone.source,
            replaced_opening=zone.opening,
        )
    endpoints.set_zone(call.tx, moved)


def without_replaced(zone: EndpointZone) -> EndpointZone:
    """A zone after its migration: flows from before it end."""
    return msgspec.structs.replace(
        zone,
        replaced_resource_id=None,
        replaced_vpc_id=None,
        replaced_source=None,
        replaced_opening=None,
    )


def _closed(zone: EndpointZone, resources: Sequence[ServiceResource]) -> EndpointZone:
    """A zone that leads nowhere. It keeps its source address as long as its resource is there."""
    zone = without_replaced(zone)
    held = any((r.resource_id, r.zone_id) == (zone.resource_id, zone.zone_id) for r in resources)
    if held:
        return msgspec.structs.replace(zone, opening=None)
    return msgspec.structs.replace(
        zone, opening=None, resource_id=None, provider_vpc_id=None, source=None
    )
