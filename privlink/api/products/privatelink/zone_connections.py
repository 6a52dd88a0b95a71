"""Consent zone by zone: the provider closes one zone of a connection, and opens it again."""

from __future__ import annotations

import msgspec

from privlink import errors
from privlink.api import ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.products.privatelink.connections import connection_of, is_accepted
from privlink.api.products.privatelink.endpoint_answers import status_of
from privlink.api.products.privatelink.settle import settle, without_replaced
from privlink.api.wire import Answer
from privlink.model.privatelink import (
    EndpointService,
    EndpointZone,
    ZoneStatus,
)
from privlink.rules import lifecycle
from privlink.store import endpoints, services
from privlink.store.endpoints import Facts

# A zone that waits for its node can be closed too: that is when its provider may have to.
_OPEN = (ZoneStatus.CONNECTED, ZoneStatus.MIGRATED, ZoneStatus.CONNECTING, ZoneStatus.MIGRATING)


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def enable_vpc_endpoint_zone_connection(
    call: Call, *, region_id: RegionId, service_id: str, endpoint_id: str, zone_id: str
) -> Answer:
    """Open a zone that was closed with DisableVpcEndpointZoneConnection."""
    service = ours.service(call, service_id)
    facts = connection_of(call, service, endpoint_id)
    zone = _zone(facts, service, zone_id, (ZoneStatus.DISCONNECTED, ZoneStatus.DISCONNECTING))
    if zone.zone_id not in services.zones(call.tx, service.id):
        raise errors.NoAvailableServiceResource(
            service_id=service.id, zones=zone.zone_id, endpoint_id=endpoint_id
        )
    return put_zone(call, facts, msgspec.structs.replace(zone, cut=False))


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def disable_vpc_endpoint_zone_connection(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    endpoint_id: str,
    zone_id: str,
    replaced_resource: bool = False,
) -> Answer:
    """Close one zone of a connection: its flows stop, the other zones go on.

    With ReplacedResource only the flows that a graceful migration left on the old resource stop.
    """
    service = ours.service(call, service_id)
    facts = connection_of(call, service, endpoint_id)
    if replaced_resource:
        migrated = _zone(facts, service, zone_id, (ZoneStatus.MIGRATED, ZoneStatus.MIGRATING))
        return put_zone(call, facts, without_replaced(migrated))
    zone = _zone(facts, service, zone_id, _OPEN)
    return put_zone(call, facts, msgspec.structs.replace(zone, cut=True))


def _zone(
    facts: Facts, service: EndpointService, zone_id: str, wanted: tuple[ZoneStatus, ...]
) -> EndpointZone:
    """A zone of a connected connection, in one of the states wanted."""
    endpoint_id = facts.endpoint.id
    if not is_accepted(facts):
        raise errors.IncorrectStatusConnection(
            endpoint_id=endpoint_id, service_id=service.id, status=status_of(facts)
        )
    for each in facts.zones:
        if each.zone.zone_id == zone_id and not each.zone.deleting:
            status = lifecycle.provider_zone_status(each, facts.connection.decision)
            if status not in wanted:
                raise errors.IncorrectStatusZone(
                    endpoint_id=endpoint_id, zone_id=zone_id, status=status, wanted=wanted[0]
                )
            return each.zone
    known = ", ".join(each.zone.zone_id for each in facts.zones if not each.zone.deleting)
    raise errors.ResourceNotFoundZone(
        endpoint_id=endpoint_id, zone_id=zone_id, known=known or "none"
    )


def put_zone(call: Call, facts: Facts, zone: EndpointZone) -> Answer:
    """Put a zone of a connection down as it is given and let it lead where it now should."""
    endpoints.set_zone(call.tx, zone)
    endpoints.change_connection(
        call.tx, msgspec.structs.replace(facts.connection, modified_at=call.now)
    )
    settle(call, facts.endpoint)
    return Answer()


ACTIONS = (
    enable_vpc_endpoint_zone_connection,
    disable_vpc_endpoint_zone_connection,
)
