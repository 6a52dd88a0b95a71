"""The provider's side of PrivateLink: services and their settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, limits, listing, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.paging import MaxResults, NextToken
from privlink.api.products.privatelink import address_versions, protection, service_answers
from privlink.api.products.privatelink.address_versions import SupportIpv6
from privlink.api.products.privatelink.labels import LABELS, SERVICE
from privlink.api.products.privatelink.resources import Resource, attach, type_to_offer
from privlink.api.products.privatelink.service_answers import (
    CreateServiceAnswer,
    ServiceAnswer,
    ServicesAnswer,
)
from privlink.api.products.privatelink.settle import settle_service
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.model.ids import ServiceId, new_id
from privlink.model.network import IpVersion
from privlink.model.privatelink import (
    ConnectionStatus,
    EndpointService,
    ResourceType,
    ServiceUser,
)
from privlink.rules import bandwidth, lifecycle, names, quotas
from privlink.store import endpoints, services

Regions = Annotated[
    tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100 regions.")
]
ConnectBandwidth = Annotated[
    int,
    msgspec.Meta(
        ge=bandwidth.CONNECT_LOWEST,
        le=bandwidth.CONNECT_HIGHEST,
        description="it is 100 to 10240 Mbit/s.",
    ),
]
# Connections in these states carry nothing and end with their service, as ServiceDeleted.
_AT_REST = (ConnectionStatus.DISCONNECTED, ConnectionStatus.DELETING)


@action(
    PRIVATELINK,
    writes=True,
    resource=("vpcendpointservice/*", "*:loadbalancer/{resource.resource_id}"),
)
def create_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_resource_type: str = ResourceType.SLB,
    resource: Annotated[
        tuple[Resource, ...], msgspec.Meta(max_length=10, description="at most 10 at creation.")
    ] = (),
    auto_accept_enabled: bool = False,
    payer: Literal["Endpoint", "EndpointService"] = "Endpoint",
    service_description: Description = "",
    zone_affinity_enabled: bool = False,
    address_ip_version: IpVersion | None = None,
    service_support_ipv6: SupportIpv6 = None,
    supported_region_list: Regions = (),
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateServiceAnswer:
    """Publish a service on load balancers of this account, all of one kind: CLBs (slb) or NLBs.

    It is IPv4, or DualStack if all of them are, which only NLBs can be. A DualStack one stays so.
    With ServiceResourceType=vpcnat it is on NAT gateways and takes Reverse endpoints, if the
    operator lets the account offer such services.
    """
    limits.check(call, quotas.SERVICES, services.count(call.tx, call.account_id))
    service = EndpointService(
        id=ServiceId(new_id("epsrv")),
        account_id=call.account_id,
        resource_type=type_to_offer(call, service_resource_type),
        auto_accept=auto_accept_enabled,
        payer=payer,
        description=service_description,
        connect_bandwidth=None,
        zone_affinity=zone_affinity_enabled,
        created_at=call.now,
        ip_version=address_versions.asked(address_ip_version, service_support_ipv6)
        or IpVersion.IPV4,
    )
    address_versions.check_new_service(service)
    services.add(call.tx, service)
    protection.ensure_linked_role(call)
    services.add_user(call.tx, ServiceUser(service.id, service.account_id))
    _offer(call, service, supported_region_list)
    for asked in resource:
        attach(call, service, asked, errors.EndpointServiceNotSupportIpv6)
    grouping.put(call, service.id, resource_group_id)
    LABELS.attach(call, SERVICE, service.id, tag)
    return service_answers.created(call, service)


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def update_vpc_endpoint_service_attribute(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    service_description: Description | None = None,
    auto_accept_enabled: bool | None = None,
    connect_bandwidth: ConnectBandwidth | None = None,
    zone_affinity_enabled: bool | None = None,
    address_ip_version: IpVersion | None = None,
    service_support_ipv6: SupportIpv6 = None,
    add_supported_region_set: Regions = (),
    delete_supported_region_set: Regions = (),
) -> Answer:
    """Change what is given of a service. Connections that are there stay as they are.

    IPv4 can become DualStack if all its resources are; there is no way back.
    """
    service = ours.service(call, service_id)
    version = address_versions.asked(address_ip_version, service_support_ipv6)
    if connect_bandwidth is not None and service.resource_type is ResourceType.VPCNAT:
        raise errors.VpcNatNotSupportBandwidth(
            parameter="ConnectBandwidth", given=connect_bandwidth, service_id=service.id
        )
    given = {
        "description": service_description,
        "auto_accept": auto_accept_enabled,
        "connect_bandwidth": connect_bandwidth,
        "zone_affinity": zone_affinity_enabled,
        "ip_version": address_versions.of_service(call, service, version),
    }
    changed = {field: value for field, value in given.items() if value is not None}
    services.change(call.tx, msgspec.structs.replace(service, **changed))
    if changed.get("zone_affinity", service.zone_affinity) != service.zone_affinity:
        endpoints.touch_names_of_service(call.tx, service.id)
    _offer(call, service, add_supported_region_set)
    for each in delete_supported_region_set:
        services.delete_region(call.tx, service.id, each)
    return Answer()


@action(PRIVATELINK, resource="vpcendpointservice/{service_id}")
def get_vpc_endpoint_service_attribute(
    call: Call, *, region_id: RegionId, service_id: str
) -> ServiceAnswer:
    """Show one of your services."""
    return service_answers.shown(call, ours.service(call, service_id))


@action(PRIVATELINK, resource="vpcendpointservice/*")
def list_vpc_endpoint_services(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str | None = None,
    service_name: str | None = None,
    service_status: Literal["Creating", "Pending", "Active", "Deleting"] | None = None,
    service_business_status: Literal["Normal", "FinancialLocked"] | None = None,
    service_resource_type: str | None = None,
    resource_id: str | None = None,
    auto_accept_enabled: bool | None = None,
    zone_affinity_enabled: bool | None = None,
    address_ip_version: IpVersion | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> ServicesAnswer:
    """List your services. All filters given must match."""
    tx, config = call.tx, call.config
    named = None if service_name is None else names.service_in(config.region, service_name)
    wanted = listing.wanted(
        call,
        {
            "account_id": call.account_id,
            "id": service_id if service_id is not None else named,
            "resource_type": service_resource_type,
            "auto_accept": auto_accept_enabled,
            "zone_affinity": zone_affinity_enabled,
            "ip_version": address_ip_version,
            "carried_by": resource_id,
        },
        LABELS.asked(call, SERVICE, tag),
        resource_group_id,
    )
    # What is alike for all services here either holds for all that are asked for or for none.
    none = (
        service_status not in (None, service_answers.STATUS)
        or service_business_status not in (None, service_answers.BUSINESS_STATUS)
        or (service_name is not None and named != wanted.equal["id"])
    )
    listed = listing.page(
        lambda after, size: [] if none else services.page(tx, wanted, after, size),
        lambda: 0 if none else services.count_wanted(tx, wanted),
        max_results,
        next_token,
    )
    return ServicesAnswer(
        services=service_answers.listed(call, listed.page),
        total_count=listed.total,
        max_results=max_results,
        next_token=listed.following,
    )


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def delete_vpc_endpoint_service(call: Call, *, region_id: RegionId, service_id: str) -> Answer:
    """Delete a service that carries no connection; its resources are detached with it."""
    service = ours.service(call, service_id)
    _refuse_if_carrying(call, service, service.id)
    services.delete_service(call.tx, service.id)
    settle_service(call, service.id)
    return Answer()


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


def _offer(call: Call, service: EndpointService, regions: Regions) -> None:
    """Offer a service in regions. This installation serves one, so only that can be named."""
    for region_id in regions:
        if region_id != call.config.region:
            raise errors.RegionNotFound(region_id=region_id, known=call.config.region)
        services.add_region(call.tx, service.id, region_id)


ACTIONS = (
    create_vpc_endpoint_service,
    update_vpc_endpoint_service_attribute,
    get_vpc_endpoint_service_attribute,
    list_vpc_endpoint_services,
    delete_vpc_endpoint_service,
)
