"""The zones of an endpoint: one address in one vSwitch each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import enis, limits, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.products.privatelink import carriers, protection
from privlink.api.products.privatelink.address_versions import address6
from privlink.api.products.privatelink.endpoint_answers import zone_domain
from privlink.api.products.privatelink.settle import settled
from privlink.api.wire import Answer, Fields, Wire
from privlink.model.ids import ZoneId
from privlink.model.network import EniOwner
from privlink.model.privatelink import Endpoint, EndpointStatus, EndpointZone
from privlink.rules import addresses, lifecycle, quotas
from privlink.store import endpoints, networks, rows, services
from privlink.store.endpoints import Facts


class Zone(Fields, frozen=True):
    """A zone to place an address in."""

    zone_id: str
    vswitch_id: str
    ip: str | None = msgspec.field(name="ip", default=None)  # lower case on the wire
    ipv6_address: str | None = msgspec.field(name="Ipv6Address", default=None)


class ZoneAnswer(Answer):
    zone_id: str
    zone_status: str
    zone_domain: str | msgspec.UnsetType  # a Reverse endpoint has none
    eni_id: str
    eni_ip: str
    zone_ipv6_address: str | msgspec.UnsetType
    vswitch_id: str
    region_id: str


class ZonesAnswer(Answer):
    zones: list[ZoneAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(
    PRIVATELINK, writes=True, resource=("vpcendpoint/{endpoint_id}", "vpc:vswitch/{vswitch_id}")
)
def add_zone_to_vpc_endpoint(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str,
    zone_id: str,
    vswitch_id: str,
    ip: Annotated[str | None, Wire("ip")] = None,
    ipv6_address: Annotated[str | None, Wire("Ipv6Address")] = None,
) -> Answer:
    """Give an endpoint an address in one more zone, or one of each family."""
    endpoint = ours.endpoint(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    refuse_if_over(call, endpoint)
    present = endpoints.zones(call.tx, endpoint.id)
    limits.check(call, quotas.ZONES_PER_ENDPOINT, len(present), endpoint.id)
    service = services.get(call.tx, endpoint.service_id)
    assert service is not None, endpoint
    carriers.check_room(call, service, 1)
    asked = Zone(zone_id=zone_id, vswitch_id=vswitch_id, ip=ip, ipv6_address=ipv6_address)
    zone = place(call, endpoint, asked, present, initial=False)
    connection = endpoints.get_connection(call.tx, endpoint.id)
    resources = services.resources(call.tx, endpoint.service_id)
    endpoints.add_zone(call.tx, settled(call, zone, endpoint, connection, resources))
    return Answer()


@action(PRIVATELINK, writes=True, resource="vpcendpoint/{endpoint_id}")
def remove_zone_from_vpc_endpoint(
    call: Call, *, region_id: RegionId, endpoint_id: str, zone_id: str
) -> Answer:
    """Take an endpoint's address in a zone away. Traffic through it stops."""
    endpoint = ours.endpoint(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    zones = endpoints.zones(call.tx, endpoint.id)
    found = next((zone for zone in zones if zone.zone_id == zone_id and not zone.deleting), None)
    if found is None:
        known = ", ".join(zone.zone_id for zone in zones if not zone.deleting) or "none"
        raise errors.EndpointZoneNotFound(endpoint_id=endpoint.id, zone_id=zone_id, known=known)
    endpoints.set_zone(call.tx, msgspec.structs.replace(found, opening=None, deleting=True))
    return Answer()


@action(PRIVATELINK, resource="vpcendpoint/{endpoint_id}")
def list_vpc_endpoint_zones(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str,
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> ZonesAnswer:
    """List the zones of an endpoint with their addresses."""
    facts = endpoints.facts(call.tx, [ours.endpoint(call, endpoint_id)])[0]
    page, following = by_token(facts.zones, lambda each: each.zone.zone_id, max_results, next_token)
    return ZonesAnswer(
        zones=[_zone_answer(call, facts, each) for each in page],
        total_count=len(facts.zones),
        max_results=max_results,
        next_token=following,
    )


def refuse_if_over(call: Call, endpoint: Endpoint) -> None:
    """Refuse to change an endpoint that is on its way out, or whose service is gone."""
    if endpoint.deleting:
        raise errors.EndpointOperationDenied(
            endpoint_id=endpoint.id,
            status=EndpointStatus.DELETING,
            why="it is on its way out; create a new endpoint.",
        )
    if services.get(call.tx, endpoint.service_id) is None:
        raise errors.EndpointServiceDeleted(endpoint_id=endpoint.id, service_id=endpoint.service_id)


def place(
    call: Call, endpoint: Endpoint, asked: Zone, present: Sequence[EndpointZone], *, initial: bool
) -> EndpointZone:
    """Take an address for an endpoint in a zone, beside those present. It leads nowhere yet, and
    is the caller's to put down.
    """
    if asked.zone_id not in call.config.zones:
        raise errors.EndpointServiceNotSupportedZone(
            resource=f"Region {call.config.region}",
            zone_id=asked.zone_id,
            known=", ".join(call.config.zones),
        )
    vswitch = ours.vswitch_in(call, asked.vswitch_id, endpoint.vpc_id, asked.zone_id)
    for zone in present:
        if zone.zone_id == asked.zone_id and zone.deleting:
            why = f"its zone {zone.zone_id} is still being removed; try again in a moment."
            raise errors.EndpointOperationDenied(
                endpoint_id=endpoint.id, status=EndpointStatus.PENDING, why=why
            )
        if zone.zone_id == asked.zone_id:
            raise errors.EndpointZoneDuplicated(zone_id=asked.zone_id)
    ipv6 = address6(call, endpoint, vswitch, asked.ipv6_address)
    eni = enis.take(call, vswitch, asked.ip, EniOwner.ENDPOINT, endpoint.id, ipv6)
    return EndpointZone(
        endpoint_id=endpoint.id,
        zone_id=ZoneId(asked.zone_id),
        number=rows.next_number(call.tx, "place"),
        vswitch_id=vswitch.id,
        eni_id=eni.id,
        resource_id=None,
        provider_vpc_id=None,
        source=None,
        opening=None,
        initial=initial,
        placed=False,
        deleting=False,
        cut=False,
        replaced_resource_id=None,
        replaced_vpc_id=None,
        replaced_source=None,
        replaced_opening=None,
    )


def _zone_answer(call: Call, facts: Facts, each: lifecycle.ZoneFacts) -> ZoneAnswer:
    zone = each.zone
    eni = networks.get_eni(call.tx, zone.eni_id)
    return ZoneAnswer(
        zone_id=zone.zone_id,
        zone_status=lifecycle.zone_status(each, facts.connection.decision),
        zone_domain=zone_domain(call, facts.endpoint, zone.zone_id),
        eni_id=zone.eni_id,
        eni_ip=addresses.text(eni.address),
        zone_ipv6_address=eni.address6 or msgspec.UNSET,
        vswitch_id=zone.vswitch_id,
        region_id=call.config.region,
    )


ACTIONS = (
    add_zone_to_vpc_endpoint,
    remove_zone_from_vpc_endpoint,
    list_vpc_endpoint_zones,
)
