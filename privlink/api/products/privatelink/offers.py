"""What a consumer may ask before it creates anything: services it may use, regions, zones."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.products.privatelink.labels import LABELS, SERVICE
from privlink.api.products.privatelink.service_answers import (
    OfferedService,
    group_shown,
    offered,
)
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.kinds import fitting
from privlink.model.privatelink import ResourceType
from privlink.rules import names
from privlink.store import services

KindOfResource = Annotated[
    str,
    msgspec.Meta(
        pattern="(?i)^(slb|alb|nlb|gwlb|vpcnat)\\Z",
        description="it is slb, alb, nlb, gwlb or vpcnat.",
    ),
]
KindOrAll = Annotated[
    str,
    msgspec.Meta(
        pattern="(?i)^(slb|alb|nlb|gwlb|vpcnat|all)\\Z",
        description="it is slb, alb, nlb, gwlb, vpcnat or ALL.",
    ),
]


class OfferedServicesAnswer(Answer):
    services: list[OfferedService]
    total_count: str  # a string here, a number in other lists
    max_results: int
    next_token: str | msgspec.UnsetType


class ResourceTypes(Answer):
    service_resource_type: list[str]


class RegionAnswer(Answer):
    region_id: str
    local_name: str
    region_endpoint: str
    service_resource_types: ResourceTypes


class RegionList(Answer):
    region: list[RegionAnswer]


class RegionsAnswer(Answer):
    regions: RegionList


class ZoneAnswer(Answer):
    zone_id: str
    local_name: str


class ZoneList(Answer):
    zone: list[ZoneAnswer]


class ZonesAnswer(Answer):
    zones: ZoneList


@action(PRIVATELINK, resource="vpcendpointservice/*")
def list_vpc_endpoint_services_by_end_user(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str | None = None,
    service_name: str | None = None,
    service_region_id: str | None = None,
    service_type: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> OfferedServicesAnswer:
    """List the services you may use, and those your endpoints are connected to."""
    tagged = LABELS.matching(call, SERVICE, tag)
    ids = services.open_to(call.tx, call.account_id)
    ids = ids if tagged is None else ids & tagged
    groups = grouping.shown(call, ids)
    found = [
        service
        for service in services.by_ids(call.tx, ids).values()
        if service_id in (None, service.id)
        and service_name in (None, names.service_name(call.config.region, service.id))
        and service_region_id in (None, call.config.region)
        and service_type in (None, fitting(service.resource_type))
        and resource_group_id in (None, group_shown(call, service, groups[service.id]))
    ]
    found.sort(key=lambda service: service.id)
    page, following = by_token(found, lambda service: service.id, max_results, next_token)
    return OfferedServicesAnswer(
        services=offered(call, page),
        total_count=str(len(found)),
        max_results=max_results,
        next_token=following,
    )


@action(PRIVATELINK, resource=None, before_opening=True)
def describe_regions(
    call: Call,
    *,
    region_id: RegionId | None = None,
    service_resource_type: KindOrAll = ResourceType.SLB,
) -> RegionsAnswer:
    """List the regions: this installation is one. It is named if it serves the kind asked for."""
    kinds = [kind.value for kind in ResourceType]
    here = RegionAnswer(
        region_id=call.config.region,
        local_name=call.config.region,
        region_endpoint=call.config.listen,
        service_resource_types=ResourceTypes(service_resource_type=kinds),
    )
    is_served = service_resource_type.lower() in (*kinds, "all")
    return RegionsAnswer(regions=RegionList(region=[here] if is_served else []))


@action(PRIVATELINK, resource=None, before_opening=True)
def describe_zones(
    call: Call,
    *,
    region_id: RegionId,
    service_resource_type: KindOfResource = ResourceType.SLB,
    cross_region: bool = False,
    cross_region_side: Literal["Endpoint", "EndpointService"] | None = None,
) -> ZonesAnswer:
    """List the zones of the region; none for a kind of resource that is not served here."""
    if cross_region_side and not cross_region:
        raise errors.IllegalParamFormat(
            parameter="CrossRegionSide", why="it goes with CrossRegion=true only."
        )
    is_served = service_resource_type.lower() in [kind.value for kind in ResourceType]
    # An endpoint in another region than its service cannot be had here, so no zone is for that.
    zones = call.config.zones if is_served and not cross_region else ()
    return ZonesAnswer(
        zones=ZoneList(zone=[ZoneAnswer(zone_id=each, local_name=each) for each in zones])
    )


ACTIONS = (list_vpc_endpoint_services_by_end_user, describe_regions, describe_zones)
