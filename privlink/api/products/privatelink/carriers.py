"""What may carry a service: load balancers of both kinds, and NAT gateways."""

from __future__ import annotations

from privlink import errors
from privlink.api.action import Call
from privlink.model.balancer import LoadBalancer
from privlink.model.ids import ZoneId
from privlink.model.nat import NatGateway
from privlink.model.network import Eni
from privlink.model.privatelink import EndpointService, ResourceType, ServiceResource
from privlink.rules import quotas
from privlink.store import balancers, nat_gateways, networks, services
from privlink.store import quotas as settings

Carrier = LoadBalancer | NatGateway


def find(call: Call, service: EndpointService, resource_id: str) -> Carrier:
    """A load balancer or NAT gateway of the caller's that may carry a service.

    Raises LoadBalancerNotFound, ResourceNotFoundNatGateway, MismatchResourceType, and
    NatGatewayWithoutPrivateLink.
    """
    balancer = balancers.get(call.tx, call.account_id, resource_id)
    gateway = nat_gateways.get(call.tx, call.account_id, resource_id)
    kind = balancer.kind if balancer else ResourceType.VPCNAT
    wanted = service.resource_type
    if balancer is None and gateway is None:
        if wanted is ResourceType.VPCNAT:
            raise errors.ResourceNotFoundNatGateway(resource_id=resource_id)
        raise errors.LoadBalancerNotFound(resource_id=resource_id)
    if kind is not wanted:
        raise errors.MismatchResourceType(
            resource_id=resource_id, found=kind, service_id=service.id, expected=wanted
        )
    if gateway is not None and not gateway.private_link:
        raise errors.NatGatewayWithoutPrivateLink(resource_id=gateway.id)
    found = balancer or gateway
    assert found is not None
    return found


def zone_of(call: Call, carrier: Carrier, asked: str | None) -> ZoneId:
    """The zone a carrier is wanted in: one of an NLB's, the only one that a CLB has, and whichever
    is asked for of a NAT gateway, else its own.
    """
    if isinstance(carrier, NatGateway):
        return _zone_of_gateway(call, carrier, asked)
    places = balancers.zones(call.tx, carrier.id)
    if not asked and carrier.kind is ResourceType.SLB:
        return places[0].zone_id
    if not asked:
        raise errors.MissingParam(parameter="ZoneId", why="an nlb is attached zone by zone.")
    for place in places:
        if place.zone_id == asked:
            return place.zone_id
    known = ", ".join(place.zone_id for place in places)
    raise errors.EndpointServiceNotSupportedZone(resource=carrier.id, zone_id=asked, known=known)


def eni_of(call: Call, service: EndpointService, resource: ServiceResource) -> Eni:
    """The ENI that a resource has: in its zone, or of a NAT gateway the one it began with."""
    if service.resource_type is ResourceType.VPCNAT:
        ips = nat_gateways.ips_of(call.tx, [resource.resource_id])[resource.resource_id]
        return networks.get_eni(call.tx, ips[0].eni_id)
    places = balancers.zones(call.tx, resource.resource_id)
    place = next(place for place in places if place.zone_id == resource.zone_id)
    return networks.get_eni(call.tx, place.eni_id)


def check_room(call: Call, service: EndpointService, more: int) -> None:
    """Refuse more zones of endpoints than there may be behind a NAT gateway, by the quota of whose
    it is. Raises QuotaMisMatched.
    """
    if service.resource_type is not ResourceType.VPCNAT:
        return
    quota = quotas.INTERFACES_PER_GATEWAY
    limit = settings.of_account(call.tx, service.account_id).get(quota.name)
    for gateway_id in sorted(services.resource_ids(call.tx, service.id)):
        present = nat_gateways.count_behind(call.tx, gateway_id)
        quota.check(present, gateway_id, more=more, limit=limit)


def _zone_of_gateway(call: Call, gateway: NatGateway, asked: str | None) -> ZoneId:
    if not asked:
        (vswitch,) = networks.vswitches_by_ids(call.tx, [gateway.vswitch_id]).values()
        return vswitch.zone_id
    if asked not in call.config.zones:
        raise errors.EndpointServiceNotSupportedZone(
            resource=gateway.id, zone_id=asked, known=", ".join(call.config.zones)
        )
    return ZoneId(asked)
