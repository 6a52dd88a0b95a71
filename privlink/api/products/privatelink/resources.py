"""The load balancers, or NAT gateways, that carry a service, zone by zone."""

from __future__ import annotations

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults50, NextToken, by_token
from privlink.api.products.privatelink import carriers
from privlink.api.products.privatelink.address_versions import refuse_lacking
from privlink.api.products.privatelink.settle import settle_service
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import LoadBalancer
from privlink.model.network import IpVersion
from privlink.model.privatelink import EndpointService, ResourceType, ServiceResource
from privlink.rules import addresses, quotas
from privlink.store import endpoints, services

_UNKNOWN = "use nlb or slb, or vpcnat for Reverse endpoints."
_NOT_SERVED = {
    "alb": f"it works on HTTP requests, and privlink carries TCP as it comes; {_UNKNOWN}",
    "gwlb": f"it needs endpoints of type GatewayLoadBalancer, which are not here; {_UNKNOWN}",
}


class Resource(Fields, frozen=True):
    """A load balancer in one zone. A CLB has only one, which need not be given.

    A NAT gateway serves whichever zone is given, else its own.
    """

    resource_id: str
    zone_id: str | None = None
    resource_type: str | None = None  # the service's, if it is not given


class ResourceAnswer(Answer):
    resource_id: str
    resource_type: str
    zone_id: str
    region_id: str
    vpc_id: str
    vswitch_id: str
    ip: str
    auto_allocated_enabled: bool
    resource_support_ipv6: bool = msgspec.field(name="ResourceSupportIPv6")
    related_endpoint_count: int
    related_deprecated_endpoint_count: int


class ResourcesAnswer(Answer):
    resources: list[ResourceAnswer]
    max_results: int
    next_token: str | msgspec.UnsetType


@action(
    PRIVATELINK,
    writes=True,
    resource=("vpcendpointservice/{service_id}", "*:loadbalancer/{resource_id}"),
)
def attach_resource_to_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    resource_id: str,
    resource_type: str,
    zone_id: str | None = None,
) -> Answer:
    """Let a load balancer, or a NAT gateway, carry a service in a zone."""
    service = ours.service(call, service_id)
    _refuse_strangers_to_reverse(call, service.resource_type)
    asked = Resource(resource_id=resource_id, zone_id=zone_id, resource_type=resource_type)
    added = attach(call, service, asked)
    settle_service(call, service.id, added.zone_id)
    return Answer()


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def detach_resource_from_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    resource_id: str,
    zone_id: str | None = None,
    resource_type: str | None = None,
) -> Answer:
    """Take a load balancer, or a NAT gateway, that carries no connection off a service."""
    service = ours.service(call, service_id)
    _refuse_another_type(service, resource_type)
    found = _resource(call, service, resource_id, zone_id)
    carried = [
        zone.endpoint_id for zone in endpoints.zones_on(call.tx, found) if zone.opening is not None
    ]
    carried += [zone.endpoint_id for zone in endpoints.zones_left_on(call.tx, found)]
    if carried:
        raise errors.EndpointServiceConnectionDependence(
            resource=f"{found.resource_id} in {found.zone_id}", dependants=", ".join(carried)
        )
    others = _others_in_zone(call, found)
    if others and not any(each.auto_allocated for each in others):
        raise errors.EndpointServiceResourceCannotRemove(
            resource_id=found.resource_id, zone_id=found.zone_id, service_id=service.id
        )
    services.delete_resource(call.tx, found)
    settle_service(call, service.id, found.zone_id)
    return Answer()


@action(PRIVATELINK, resource="vpcendpointservice/{service_id}")
def list_vpc_endpoint_service_resources(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    max_results: MaxResults50 = 50,
    next_token: NextToken = "",
) -> ResourcesAnswer:
    """List the load balancers, or NAT gateways, that carry a service."""
    service = ours.service(call, service_id)
    page, following = by_token(
        services.resources(call.tx, service.id),
        lambda resource: f"{resource.zone_id} {resource.resource_id}",
        max_results,
        next_token,
    )
    return ResourcesAnswer(
        resources=[_resource_answer(call, service, resource) for resource in page],
        max_results=max_results,
        next_token=following,
    )


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def update_vpc_endpoint_service_resource_attribute(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    resource_id: str,
    auto_allocated_enabled: bool,
    zone_id: str | None = None,
) -> Answer:
    """Let new zone connections be placed on a resource, or not. Those that are on it stay."""
    service = ours.service(call, service_id)
    found = _resource(call, service, resource_id, zone_id)
    if not auto_allocated_enabled and not any(
        each.auto_allocated for each in _others_in_zone(call, found)
    ):
        raise errors.ResourceAutoAllocateViolation(
            resource_id=found.resource_id, zone_id=found.zone_id, service_id=service.id
        )
    changed = msgspec.structs.replace(found, auto_allocated=auto_allocated_enabled)
    services.change_resource(call.tx, changed)
    settle_service(call, service.id, found.zone_id)
    return Answer()


def attach(
    call: Call,
    service: EndpointService,
    asked: Resource,
    lacking: type[errors.EndpointServiceNotSupportIpv6] = errors.ServiceResourceNotSupportIpv6,
) -> ServiceResource:
    """Put a load balancer or a NAT gateway among the resources of a service.

    Raises `lacking` if the service is DualStack and the load balancer is not.
    """
    _refuse_another_type(service, asked.resource_type)
    found = carriers.find(call, service, asked.resource_id)
    if service.ip_version is IpVersion.DUAL_STACK and isinstance(found, LoadBalancer):
        refuse_lacking(service, [found], lacking)
    zone_id = carriers.zone_of(call, found, asked.zone_id)
    present = services.resources(call.tx, service.id)
    if (found.id, zone_id) in {(each.resource_id, each.zone_id) for each in present}:
        raise errors.EndpointServiceResourceExist(
            resource_id=found.id, zone_id=zone_id, service_id=service.id
        )
    limits.check(call, quotas.RESOURCES_PER_SERVICE, len(present), service.id)
    here = [each for each in present if each.zone_id == zone_id]
    limits.check(call, quotas.RESOURCES_PER_ZONE, len(here), f"{service.id}, {zone_id}")
    resource = ServiceResource(service.id, found.id, zone_id, auto_allocated=True)
    services.add_resources(call.tx, [resource])
    carriers.check_room(call, service, 0)
    return resource


def _refuse_another_type(service: EndpointService, given: str | None) -> None:
    """Refuse a resource type that is not the service's, unless none is given."""
    if given is not None and type_of(given) is not service.resource_type:
        raise errors.EndpointServiceResourceTypeNotEqual(
            service_id=service.id, expected=service.resource_type, resource_type=given
        )


def _resource(
    call: Call, service: EndpointService, resource_id: str, zone_id: str | None
) -> ServiceResource:
    found = [
        each
        for each in services.resources(call.tx, service.id)
        if each.resource_id == resource_id and zone_id in (None, "", each.zone_id)
    ]
    # A CLB has one zone, and a NAT gateway may be in one alone; an NLB is named zone by zone.
    if len(found) == 1 and (zone_id or service.resource_type is not ResourceType.NLB):
        return found[0]
    raise errors.EndpointServiceResourceNotFound(
        resource_id=resource_id, zone_id=zone_id or "(no ZoneId given)", service_id=service.id
    )


def _others_in_zone(call: Call, resource: ServiceResource) -> list[ServiceResource]:
    """What else carries the service in the zone of one of its resources."""
    return [
        each
        for each in services.resources(call.tx, resource.service_id)
        if each.zone_id == resource.zone_id and each.resource_id != resource.resource_id
    ]


def type_to_offer(call: Call, text: str) -> ResourceType:
    """The same of a new service. Raises EndpointServiceResourceTypeNotSupport too for an account
    that may not offer services for reverse endpoints.
    """
    kind = type_of(text)
    _refuse_strangers_to_reverse(call, kind)
    return kind


def _refuse_strangers_to_reverse(call: Call, kind: ResourceType) -> None:
    assert call.caller.account is not None
    if kind is ResourceType.VPCNAT and not call.caller.account.reverse:
        why = (
            "only accounts that the operator lets may call into consumers' networks. Ask for "
            f"SetAccountOptions with AccountId {call.account_id} and ReverseServices=true."
        )
        raise errors.EndpointServiceResourceTypeNotSupport(resource_type=kind, why=why)


def type_of(text: str) -> ResourceType:
    """The resource type a caller spells. Raises EndpointServiceResourceTypeNotSupport."""
    try:
        return ResourceType(text)
    except ValueError:
        why = _NOT_SERVED.get(text, _UNKNOWN)
        raise errors.EndpointServiceResourceTypeNotSupport(resource_type=text, why=why) from None


def _resource_answer(
    call: Call, service: EndpointService, resource: ServiceResource
) -> ResourceAnswer:
    eni = carriers.eni_of(call, service, resource)
    return ResourceAnswer(
        resource_id=resource.resource_id,
        resource_type=service.resource_type,
        zone_id=resource.zone_id,
        region_id=call.config.region,
        vpc_id=eni.vpc_id,
        vswitch_id=eni.vswitch_id,
        ip=addresses.text(eni.address),
        auto_allocated_enabled=resource.auto_allocated,
        resource_support_ipv6=eni.address6 is not None,
        related_endpoint_count=len(endpoints.zones_on(call.tx, resource)),
        related_deprecated_endpoint_count=len(endpoints.zones_left_on(call.tx, resource)),
    )


ACTIONS = (
    attach_resource_to_vpc_endpoint_service,
    detach_resource_from_vpc_endpoint_service,
    list_vpc_endpoint_service_resources,
    update_vpc_endpoint_service_resource_attribute,
)
