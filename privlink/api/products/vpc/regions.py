"""Where VPCs can be: this installation's one region and its zones."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.wire import Answer

ProductType = Annotated[
    Literal["VPC", "VPN"], msgspec.Meta(description="it is VPC, or VPN, which is not served.")
]
ZoneType = Annotated[
    Literal["AvailabilityZone"],
    msgspec.Meta(description="it is AvailabilityZone, the only type here."),
]


class RegionAnswer(Answer):
    region_id: str
    local_name: str
    region_endpoint: str


class RegionList(Answer):
    region: list[RegionAnswer]


class RegionsAnswer(Answer):
    regions: RegionList


class ZoneAnswer(Answer):
    zone_id: str
    local_name: str
    zone_type: str = "AvailabilityZone"


class ZoneList(Answer):
    zone: list[ZoneAnswer]


class ZonesAnswer(Answer):
    zones: ZoneList


@action(VPC, resource=None)
def describe_regions(
    call: Call, *, region_id: RegionId | None = None, product_type: ProductType = "VPC"
) -> RegionsAnswer:
    """List the regions: this installation is one."""
    here = RegionAnswer(
        region_id=call.config.region,
        local_name=call.config.region,
        region_endpoint=call.config.listen,
    )
    return RegionsAnswer(regions=RegionList(region=[here] if product_type == "VPC" else []))


@action(VPC, resource=None)
def describe_zones(
    call: Call, *, region_id: RegionId, zone_type: ZoneType = "AvailabilityZone"
) -> ZonesAnswer:
    """List the zones of the region."""
    zones = [ZoneAnswer(zone_id=each, local_name=each) for each in call.config.zones]
    return ZonesAnswer(zones=ZoneList(zone=zones))


ACTIONS = (describe_regions, describe_zones)
