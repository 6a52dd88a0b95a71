"""What answers say of a service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from privlink.api import grouping, tagging
from privlink.api.action import Call
from privlink.api.tagging import TagAnswer
from privlink.api.wire import Answer
from privlink.kinds import fitting
from privlink.model.network import IpVersion
from privlink.model.privatelink import EndpointService, ResourceType
from privlink.rules import bandwidth, names
from privlink.store import services

# A service is an entry in a table: nothing to wait for, nothing to pay.
STATUS, BUSINESS_STATUS = "Active", "Normal"


class SupportedRegion(Answer):
    supported_region_id: str
    service_region_id: str
    region_service_status: str = "Available"
    region_business_status: str = BUSINESS_STATUS


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
    service_support_ipv6: bool = msgspec.field(name="ServiceSupportIPv6")
    supported_region_set: list[SupportedRegion]
    resource_group_id: str
    create_time: str


class ServiceSummary(CreateServiceAnswer):
    service_resource_type: str
    service_type: str
    payer: str
    region_id: str
    connect_bandwidth: int | msgspec.UnsetType
    min_bandwidth: int | msgspec.UnsetType
    max_bandwidth: int | msgspec.UnsetType


class ListedService(ServiceSummary):
    tags: list[TagAnswer]


class ServiceAnswer(ServiceSummary):
    zones: list[str]


class ServicesAnswer(Answer):
    services: list[ListedService]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


class OfferedService(Answer):
    """A service as those see it who may use it."""

    service_id: str
    service_name: str
    service_domain: str
    service_resource_type: str
    service_type: str
    payer: str
    auto_accept_enabled: bool
    zone_affinity_enabled: bool
    address_ip_version: str
    service_support_ipv6: bool = msgspec.field(name="ServiceSupportIPv6")
    vpc_endpoint_policy_supported: bool
    resource_group_id: str
    zones: list[str]
    tags: list[TagAnswer]


def created(call: Call, service: EndpointService) -> CreateServiceAnswer:
    """A service as its creation answers it."""
    group = grouping.shown(call, [service.id])[service.id]
    regions = services.regions(call.tx, service.id)
    return CreateServiceAnswer(**_common(call, service, group, regions))


def shown(call: Call, service: EndpointService) -> ServiceAnswer:
    """A service as GetVpcEndpointServiceAttribute answers it."""
    group = grouping.shown(call, [service.id])[service.id]
    about = _summary(call, service, group, services.regions(call.tx, service.id))
    return ServiceAnswer(**about, zones=list(services.zones(call.tx, service.id)))


def listed(call: Call, found: Sequence[EndpointService]) -> list[ListedService]:
    """Services as ListVpcEndpointServices answers them."""
    ids = [service.id for service in found]
    groups, tags = grouping.shown(call, ids), tagging.shown(call, ids)
    regions = services.regions_of(call.tx, ids)
    return [
        ListedService(
            **_summary(call, service, groups[service.id], regions[service.id]),
            tags=tags[service.id],
        )
        for service in found
    ]


def offered(call: Call, found: Sequence[EndpointService]) -> list[OfferedService]:
    """Services as ListVpcEndpointServicesByEndUser answers them: a stranger is shown no tags."""
    ids = [service.id for service in found]
    groups, tags = grouping.shown(call, ids), tagging.shown(call, ids)
    regions, zones = services.regions_of(call.tx, ids), services.zones_of(call.tx, ids)
    fields = OfferedService.__struct_fields__
    return [
        OfferedService(
            **{name: value for name, value in about.items() if name in fields},
            vpc_endpoint_policy_supported=False,
            zones=list(zones[service.id]),
            tags=tags[service.id] if service.account_id == call.account_id else [],
        )
        for service in found
        for group in (group_shown(call, service, groups[service.id]),)
        for about in (_summary(call, service, group, regions[service.id]),)
    ]


def group_shown(call: Call, service: EndpointService, group_id: str) -> str:
    """The group that a service is shown in: to a stranger his own that everything is in."""
    is_ours = service.account_id == call.account_id
    return group_id if is_ours else grouping.default_id(call.account_id)


def _common(
    call: Call, service: EndpointService, group_id: str, regions: Iterable[str]
) -> dict[str, Any]:
    config = call.config
    return {
        "service_id": service.id,
        "service_name": names.service_name(config.region, service.id),
        "service_domain": names.service_domain(config.domain, config.region, service.id),
        "service_status": STATUS,
        "service_business_status": BUSINESS_STATUS,
        "service_description": service.description,
        "auto_accept_enabled": service.auto_accept,
        "zone_affinity_enabled": service.zone_affinity,
        "address_ip_version": service.ip_version,
        "service_support_ipv6": service.ip_version is IpVersion.DUAL_STACK,
        "supported_region_set": [
            SupportedRegion(supported_region_id=each, service_region_id=config.region)
            for each in regions
        ],
        "resource_group_id": group_id,
        "create_time": service.created_at,
    }


def _summary(
    call: Call, service: EndpointService, group_id: str, regions: Iterable[str]
) -> dict[str, Any]:
    unset = (msgspec.UNSET, msgspec.UNSET)
    lowest, highest = bandwidth.RANGES.get(service.resource_type, unset)
    return _common(call, service, group_id, regions) | {
        "service_resource_type": service.resource_type,
        "service_type": fitting(service.resource_type),
        "payer": service.payer,
        "region_id": call.config.region,
        "connect_bandwidth": _connect_bandwidth(service),
        "min_bandwidth": lowest,
        "max_bandwidth": highest,
    }


def _connect_bandwidth(service: EndpointService) -> int | msgspec.UnsetType:
    """What new connections get. It is shown of slb alone, though it may be set on nlb as well."""
    if service.resource_type is not ResourceType.SLB:
        return msgspec.UNSET
    return service.connect_bandwidth or bandwidth.DEFAULT
