"""Where a CLB can be: in one zone of the region, on its VPC's side alone."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.wire import Answer, Wire


class RegionAnswer(Answer):
    region_id: str
    local_name: str
    region_endpoint: str


class RegionList(Answer):
    region: list[RegionAnswer]


class RegionsAnswer(Answer):
    regions: RegionList


class SlaveZones(Answer):
    slave_zone: list[str]


class ZoneAnswer(Answer):
    zone_id: str
    local_name: str
    slave_zones: SlaveZones


class ZoneList(Answer):
    zone: list[ZoneAnswer]


class ZonesAnswer(Answer):
    zones: ZoneList


class SupportResource(Answer):
    address_type: str
    address_ip_version: str = msgspec.field(name="AddressIPVersion")


class SupportResources(Answer):
    support_resource: list[SupportResource]


class AvailableResource(Answer):
    master_zone_id: str
    support_resources: SupportResources


class AvailableResources(Answer):
    available_resource: list[AvailableResource]


class AvailableResourcesAnswer(Answer):
    available_resources: AvailableResources


@action(SLB, resource=None)
def describe_regions(call: Call, *, region_id: RegionId | None = None) -> RegionsAnswer:
    """List the regions: this installation is one."""
    here = RegionAnswer(
        region_id=call.config.region,
        local_name=call.config.region,
        region_endpoint=call.config.listen,
    )
    return RegionsAnswer(regions=RegionList(region=[here]))


@action(SLB, resource=None)
def describe_zones(call: Call, *, region_id: RegionId) -> ZonesAnswer:
    """List the zones of the region. A CLB lies in one of them, without a second one to go to."""
    zones = [
        ZoneAnswer(zone_id=each, local_name=each, slave_zones=SlaveZones(slave_zone=[]))
        for each in call.config.zones
    ]
    return ZonesAnswer(zones=ZoneList(zone=zones))


@action(SLB, resource=None)
def describe_available_resource(
    call: Call,
    *,
    region_id: RegionId,
    address_type: str | None = None,
    address_ip_version: Annotated[str | None, Wire("AddressIPVersion")] = None,
) -> AvailableResourcesAnswer:
    """List what CLBs can be had, by zone: those of address type vpc, with IPv4 addresses."""
    is_had = address_type in (None, "vpc") and address_ip_version in (None, "ipv4")
    had = SupportResource(address_type="vpc", address_ip_version="ipv4")
    found = [
        AvailableResource(
            master_zone_id=zone, support_resources=SupportResources(support_resource=[had])
        )
        for zone in call.config.zones
        if is_had
    ]
    return AvailableResourcesAnswer(
        available_resources=AvailableResources(available_resource=found)
    )


ACTIONS = (describe_regions, describe_zones, describe_available_resource)
