"""Where load balancers can be."""

from __future__ import annotations

from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.wire import Answer


class ZoneAnswer(Answer):
    zone_id: str
    local_name: str


class ZonesAnswer(Answer):
    zones: list[ZoneAnswer]


@action(NLB, resource=None)
def describe_zones(
    call: Call, *, region_id: RegionId | None = None, service_code: str | None = None
) -> ZonesAnswer:
    """List the zones of the region; none for another product than nlb."""
    zones = call.config.zones if service_code in (None, "", "nlb") else ()
    return ZonesAnswer(zones=[ZoneAnswer(zone_id=each, local_name=each) for each in zones])


ACTIONS = (describe_zones,)
