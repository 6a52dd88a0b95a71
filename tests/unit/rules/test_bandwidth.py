"""How much bandwidth a connection may be given, by what stands behind its service."""

from __future__ import annotations

import pytest

from privlink import errors
from privlink.model.ids import EndpointId, ServiceId
from privlink.model.privatelink import Connection, Decision, ResourceType, TrafficControl
from privlink.rules import bandwidth


@pytest.mark.parametrize(
    ("kind", "lowest", "highest"),
    [(ResourceType.NLB, 100, 50000), (ResourceType.SLB, 100, 10240)],
)
def test_each_kind_has_its_range(kind: ResourceType, lowest: int, highest: int) -> None:
    bandwidth.check(lowest, kind)
    bandwidth.check(highest, kind)
    for beyond in (lowest - 1, highest + 1):
        with pytest.raises(errors.IllegalParamFormat, match=f"{lowest} to {highest}"):
            bandwidth.check(beyond, kind)


def test_only_an_nlb_carries_without_an_end() -> None:
    assert bandwidth.default_mode(ResourceType.NLB) is TrafficControl.SCALABILITY
    assert bandwidth.default_mode(ResourceType.SLB) is TrafficControl.BANDWIDTH_LIMIT
    for mode in TrafficControl:
        bandwidth.check_mode(mode, ResourceType.NLB)
    with pytest.raises(errors.IllegalParamFormat, match="BandwidthLimit for slb"):
        bandwidth.check_mode(TrafficControl.SCALABILITY, ResourceType.SLB)


@pytest.mark.parametrize(
    ("control", "limit"), [(TrafficControl.BANDWIDTH_LIMIT, 300), (TrafficControl.SCALABILITY, 0)]
)
def test_a_bandwidth_counts_only_where_it_is_a_limit(control: TrafficControl, limit: int) -> None:
    endpoint, service = EndpointId("ep-1"), ServiceId("epsrv-1")
    connection = Connection(endpoint, 1, service, Decision.ACCEPTED, 300, control, "")
    assert bandwidth.limit(connection) == limit


def test_every_kind_is_covered() -> None:
    assert set(bandwidth.MODES) == set(ResourceType)
    # What stands on a NAT gateway has no bandwidth that could be set.
    assert set(bandwidth.RANGES) == set(ResourceType) - {ResourceType.VPCNAT}
