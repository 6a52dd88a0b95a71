"""Where security groups and network interfaces can be: one region and its zones.

A zone offers vSwitches. Instances, disks and hosts are not to be had here: those lists are empty.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.wire import Answer

ChargeType = Annotated[
    str, msgspec.Meta(max_length=64, description="it is PostPaid, PrePaid or SpotWithPriceLimit.")
]
ResourceType = Annotated[
    str, msgspec.Meta(max_length=64, description="it is the name of a kind of resource.")
]


class RegionAnswer(Answer):
    region_id: str
    local_name: str
    region_endpoint: str
    status: str = "available"


class RegionList(Answer):
    region: list[RegionAnswer]


class RegionsAnswer(Answer):
    regions: RegionList


class ResourceTypes(Answer):
    resource_types: list[str]


class InstanceTypes(Answer):
    instance_types: list[str]


class DiskCategories(Answer):
    disk_categories: list[str]


class VolumeCategories(Answer):
    volume_categories: list[str]


class DedicatedHostTypes(Answer):
    dedicated_host_type: list[str]


class DedicatedHostGenerations(Answer):
    dedicated_host_generation: list[str]


class ResourcesInfo(Answer):
    resources_info: list[str]


class ZoneAnswer(Answer):
    zone_id: str
    local_name: str
    zone_type: str = "AvailabilityZone"
    available_resource_creation: ResourceTypes | msgspec.UnsetType = msgspec.UNSET
    available_instance_types: InstanceTypes | msgspec.UnsetType = msgspec.UNSET
    available_disk_categories: DiskCategories | msgspec.UnsetType = msgspec.UNSET
    available_volume_categories: VolumeCategories | msgspec.UnsetType = msgspec.UNSET
    available_dedicated_host_types: DedicatedHostTypes | msgspec.UnsetType = msgspec.UNSET
    dedicated_host_generations: DedicatedHostGenerations | msgspec.UnsetType = msgspec.UNSET
    available_resources: ResourcesInfo | msgspec.UnsetType = msgspec.UNSET


class ZoneList(Answer):
    zone: list[ZoneAnswer]


class ZonesAnswer(Answer):
    zones: ZoneList


@action(ECS, resource=None)
def describe_regions(
    call: Call,
    *,
    region_id: RegionId | None = None,
    instance_charge_type: ChargeType | None = None,
    resource_type: ResourceType | None = None,
) -> RegionsAnswer:
    """List the regions: this installation is one, whatever is asked for."""
    here = RegionAnswer(
        region_id=call.config.region,
        local_name=call.config.region,
        region_endpoint=call.config.listen,
    )
    return RegionsAnswer(regions=RegionList(region=[here]))


@action(ECS, resource=None)
def describe_zones(
    call: Call,
    *,
    region_id: RegionId,
    instance_charge_type: ChargeType | None = None,
    verbose: bool = True,
) -> ZonesAnswer:
    """List the zones of the region. Without `Verbose`, only their names."""
    zones = [_zone_answer(each, verbose=verbose) for each in call.config.zones]
    return ZonesAnswer(zones=ZoneList(zone=zones))


def _zone_answer(zone_id: str, *, verbose: bool) -> ZoneAnswer:
    if not verbose:
        return ZoneAnswer(zone_id=zone_id, local_name=zone_id)
    return ZoneAnswer(
        zone_id=zone_id,
        local_name=zone_id,
        available_resource_creation=ResourceTypes(resource_types=["VSwitch"]),
        available_instance_types=InstanceTypes(instance_types=[]),
        available_disk_categories=DiskCategories(disk_categories=[]),
        available_volume_categories=VolumeCategories(volume_categories=[]),
        available_dedicated_host_types=DedicatedHostTypes(dedicated_host_type=[]),
        dedicated_host_generations=DedicatedHostGenerations(dedicated_host_generation=[]),
        available_resources=ResourcesInfo(resources_info=[]),
    )


ACTIONS = (describe_regions, describe_zones)
