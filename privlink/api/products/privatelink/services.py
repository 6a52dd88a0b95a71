"""The provider's side of PrivateLink: services, their resources, who may use them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults50, NextToken, by_token
from privlink.api.products.privatelink.settle import settle_service
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import LoadBalancerZone
from privlink.model.ids import LoadBalancerId, ServiceId, ZoneId, new_id
from privlink.model.privatelink import (
    ConnectionStatus,
    EndpointService,
    ResourceType,
    ServiceResource,
    ServiceUser,
)
from privlink.rules import addresses, lifecycle, names, quotas
from privlink.store import balancers, endpoints, networks, services

Description = Annotated[
    str,
    msgspec.Meta(
        max_length=256, pattern=names.DESCRIPTION_PATTERN, description=names.DESCRIPTION_RULE
    ),
]
# Connections in these states carry nothing and end with their service, as ServiceDeleted.
_AT_REST = (ConnectionStatus.DISCONNECTED, ConnectionStatus.DELETING)


class Resource(Fields, frozen=True):
    """A load balancer in one zone."""

    resource_id: str
    zone_id: str | None = None
    resource_type: str = "nlb"


class CreateServiceAnswer(Answer):
    service_id: str
    service_name: str
    service_domain: str
    service_status: str
    service_business_status: str
    service_description: str
    auto_accept_enabled: bool
    zone_affinity_enabled: bool
    address_ip_version: str
    create_time: str


class ServiceAnswer(CreateServiceAnswer):
    service_resource_type: str
    service_type: str
    payer: str
    region_id: str
    zones: list[str]


class ResourceAnswer(Answer):
    resource_id: str
    resource_type: str
    zone_id: str
    region_id: str
    vpc_id: str
    vswitch_id: str
    ip: str
    auto_allocated_enabled: bool
    related_endpoint_count: int


class ResourcesAnswer(Answer):
    resources: list[ResourceAnswer]
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/*")
def create_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_resource_type: str = "nlb",
    resource: Annotated[
        tuple[Resource, ...], msgspec.Meta(max_length=10, description="at most 10 at creation.")
    ] = (),
    auto_accept_enabled: bool = False,
    payer: Literal["Endpoint", "EndpointService"] = "Endpoint",
    service_description: Description = "",
) -> CreateServiceAnswer:
    """Publish a service on load balancers of this account."""
    quotas.SERVICES.check(services.count(call.tx, call.account_id))
    service = EndpointService(
        id=ServiceId(new_id("epsrv")),
        account_id=call.account_id,
        resource_type=_resource_type(service_resource_type),
        auto_accept=auto_accept_enabled,
        payer=payer,
        description=service_description,
        created_at=call.now,
    )
    services.add(call.tx, service)
    services.add_user(call.tx, ServiceUser(service.id, service.account_id))
    for asked in resource:
        _attach(call, service, asked)
    return CreateServiceAnswer(**_common(call, service))


@action(PRIVATELINK, resource="vpcendpointservice/{service_id}")
def get_vpc_endpoint_service_attribute(
    call: Call, *, region_id: RegionId, service_id: str
) -> ServiceAnswer:
    """Show one of your services."""
    service = ours.service(call, service_id)
    return ServiceAnswer(
        **_common(call, service),
        service_resource_type=service.resource_type,
        service_type="Interface",
        payer=service.payer,
        region_id=call.config.region,
        zones=list(services.zones(call.tx, service.id)),
    )


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def delete_vpc_endpoint_service(call: Call, *, region_id: RegionId, service_id: str) -> Answer:
    """Delete a service that carries no connection; its resources are detached with it."""
    service = ours.service(call, service_id)
    _refuse_if_carrying(call, service, service.id)
    services.delete_service(call.tx, service.id)
    settle_service(call, service.id)
    return Answer()


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def attach_resource_to_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    resource_id: str,
    resource_type: str,
    zone_id: str | None = None,
) -> Answer:
    """Let a load balancer carry a service in a zone."""
    service = ours.service(call, service_id)
    asked = Resource(resource_id=resource_id, zone_id=zone_id, resource_type=resource_type)
    added = _attach(call, service, asked)
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
    resource_type: str = "nlb",
) -> Answer:
    """Take a load balancer that carries no connection off a service."""
    service = ours.service(call, service_id)
    found = next(
        (
            resource
            for resource in services.resources(call.tx, service.id)
            if (resource.resource_id, resource.zone_id) == (resource_id, zone_id)
        ),
        None,
    )
    if found is None:
        raise errors.EndpointServiceResourceNotFound(
            resource_id=resource_id, zone_id=zone_id or "(no ZoneId given)", service_id=service.id
        )
    carried = [
        zone.endpoint_id for zone in endpoints.zones_on(call.tx, found) if zone.opening is not None
    ]
    if carried:
        raise errors.EndpointServiceConnectionDependence(
            resource=f"{found.resource_id} in {found.zone_id}", dependants=", ".join(carried)
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
    """List the load balancers that carry a service."""
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


def _attach(call: Call, service: EndpointService, asked: Resource) -> ServiceResource:
    if _resource_type(asked.resource_type) is not service.resource_type:
        raise errors.EndpointServiceResourceTypeNotEqual(
            service_id=service.id,
            expected=service.resource_type,
            resource_type=asked.resource_type,
        )
    if not asked.zone_id:
        raise errors.MissingParam(parameter="ZoneId", why="an nlb is attached zone by zone.")
    if balancers.get(call.tx, call.account_id, asked.resource_id) is None:
        raise errors.LoadBalancerNotFound(resource_id=asked.resource_id)
    places = balancers.zones(call.tx, asked.resource_id)
    if asked.zone_id not in {place.zone_id for place in places}:
        raise errors.EndpointServiceNotSupportedZone(
            resource=asked.resource_id, zone_id=asked.zone_id, known=_zones(places)
        )
    resource = ServiceResource(service.id, LoadBalancerId(asked.resource_id), ZoneId(asked.zone_id))
    present = services.resources(call.tx, service.id)
    if resource in present:
        raise errors.EndpointServiceResourceExist(
            resource_id=asked.resource_id, zone_id=asked.zone_id, service_id=service.id
        )
    quotas.RESOURCES_PER_SERVICE.check(len(present), service.id)
    services.add_resources(call.tx, [resource])
    return resource


def _refuse_if_carrying(call: Call, service: EndpointService, what: str) -> None:
    carried = [
        facts.endpoint.id
        for facts in endpoints.facts(call.tx, endpoints.of_service(call.tx, service.id))
        if lifecycle.connection_status(facts.endpoint, facts.connection, True, facts.zones)
        not in _AT_REST
    ]
    if carried:
        raise errors.EndpointServiceConnectionDependence(
            resource=what, dependants=", ".join(carried)
        )


def _resource_type(text: str) -> ResourceType:
    try:
        return ResourceType(text)
    except ValueError:
        raise errors.EndpointServiceResourceTypeNotSupport(resource_type=text) from None


def _common(call: Call, service: EndpointService) -> dict[str, Any]:
    config = call.config
    return {
        "service_id": service.id,
        "service_name": names.service_name(config.region, service.id),
        "service_domain": names.service_domain(config.domain, config.region, service.id),
        "service_status": "Active",  # a service is an entry in a table: nothing to wait for
        "service_business_status": "Normal",
        "service_description": service.description,
        "auto_accept_enabled": service.auto_accept,
        "zone_affinity_enabled": False,
        "address_ip_version": "IPv4",
        "create_time": service.created_at,
    }


def _resource_answer(
    call: Call, service: EndpointService, resource: ServiceResource
) -> ResourceAnswer:
    place = next(
        place
        for place in balancers.zones(call.tx, resource.resource_id)
        if place.zone_id == resource.zone_id
    )
    eni = networks.get_eni(call.tx, place.eni_id)
    return ResourceAnswer(
        resource_id=resource.resource_id,
        resource_type=service.resource_type,
        zone_id=resource.zone_id,
        region_id=call.config.region,
        vpc_id=eni.vpc_id,
        vswitch_id=place.vswitch_id,
        ip=addresses.text(eni.address),
        auto_allocated_enabled=True,
        related_endpoint_count=len(endpoints.zones_on(call.tx, resource)),
    )


def _zones(places: list[LoadBalancerZone]) -> str:
    return ", ".join(place.zone_id for place in places)


ACTIONS = (
    create_vpc_endpoint_service,
    get_vpc_endpoint_service_attribute,
    delete_vpc_endpoint_service,
    attach_resource_to_vpc_endpoint_service,
    detach_resource_from_vpc_endpoint_service,
    list_vpc_endpoint_service_resources,
)
