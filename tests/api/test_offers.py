"""What a consumer may ask before it creates anything: services it may use, regions, zones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.world import A, B, World


def offered(account: Account, **wanted: Any) -> set[str]:
    listed = account.privatelink.ListVpcEndpointServicesByEndUser(**wanted)
    assert listed["TotalCount"] == str(len(listed["Services"]))
    return {service["ServiceId"] for service in listed["Services"]}


@pytest.mark.parametrize("arn", [None, "*", "acs:ram:*:{account}:*"])
def test_a_service_is_offered_to_those_it_is_shared_with(
    operator: Account, other: Account, world: World, arn: str | None
) -> None:
    service = world.published(A, B)
    assert offered(other) == set()
    user = {"UserARN": arn.format(account=other.id)} if arn else {"UserId": int(other.id)}
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, **user)
    operator.privatelink.TagResources(
        ResourceType="vpcendpointservice",
        ResourceId=[service],
        Tag=[{"Key": "secret", "Value": "plan"}],
    )
    (seen,) = other.privatelink.ListVpcEndpointServicesByEndUser()["Services"]
    group = seen.pop("ResourceGroupId")
    assert seen == {
        "ServiceId": service,
        "ServiceName": f"com.aliyuncs.privatelink.local.{service}",
        "ServiceDomain": f"{service}.local.privatelink.internal",
        "ServiceResourceType": "nlb",
        "ServiceType": "Interface",
        "Payer": "Endpoint",
        "AutoAcceptEnabled": True,
        "ZoneAffinityEnabled": False,
        "AddressIpVersion": "IPv4",
        "ServiceSupportIPv6": False,
        "VpcEndpointPolicySupported": False,
        "Zones": [A, B],
        "Tags": [],
    }
    assert offered(other, ResourceGroupId=group) == {service}
    assert offered(other, Tag=[{"Key": "secret"}]) == set()
    assert offered(operator, Tag=[{"Key": "secret"}]) == {service}


def test_a_service_stays_offered_to_those_that_are_connected(
    operator: Account, other: Account, world: World
) -> None:
    service, consumer = world.published(), World(other)
    user = {"ServiceId": service, "UserId": int(other.id)}
    operator.privatelink.AddUserToVpcEndpointService(**user)
    consumer.endpoint(service, consumer.network(), A)
    operator.privatelink.RemoveUserFromVpcEndpointService(**user)
    assert offered(other) == {service}


def test_offers_are_found_by_every_filter(operator: Account, world: World) -> None:
    first, second = world.published(), world.published()
    assert offered(operator) == {first, second}
    assert offered(operator, ServiceId=first) == {first}
    assert offered(operator, ServiceName=f"com.aliyuncs.privatelink.local.{second}") == {second}
    assert offered(operator, ServiceRegionId="local", ServiceType="Interface") == {first, second}
    assert offered(operator, ServiceRegionId="moon") == set()
    assert offered(operator, ServiceType="GatewayLoadBalancer") == set()
    page = operator.privatelink.ListVpcEndpointServicesByEndUser(MaxResults=1)
    rest = operator.privatelink.ListVpcEndpointServicesByEndUser(NextToken=page["NextToken"])
    assert {page["Services"][0]["ServiceId"], rest["Services"][0]["ServiceId"]} == {first, second}


def test_the_region_and_its_zones(operator: Account, refused: Refused) -> None:
    for asked in ({}, {"ServiceResourceType": "ALL"}, {"ServiceResourceType": "nlb"}):
        (region,) = operator.privatelink.DescribeRegions(**asked)["Regions"]["Region"]
        assert (region["RegionId"], region["LocalName"]) == ("local", "local")
        assert "nlb" in region["ServiceResourceTypes"]["ServiceResourceType"]
        assert region["RegionEndpoint"].count(":") == 1
    regions = operator.privatelink.DescribeRegions(ServiceResourceType="gwlb")["Regions"]
    assert regions["Region"] == []
    zones = operator.privatelink.DescribeZones()["Zones"]["Zone"]
    assert [zone["ZoneId"] for zone in zones] == ["local-a", "local-b", "local-c"]
    assert zones[0]["LocalName"] == "local-a"
    none = operator.privatelink.DescribeZones(ServiceResourceType="gwlb")["Zones"]["Zone"]
    assert none == []
    cross = operator.privatelink.DescribeZones(CrossRegion=True, CrossRegionSide="Endpoint")
    assert cross["Zones"]["Zone"] == []
    with refused("IllegalParamFormat.CrossRegionSide", 400, "CrossRegion=true"):
        operator.privatelink.DescribeZones(CrossRegionSide="Endpoint")
    for kind in ("elb", "ALL"):
        with refused("IllegalParamFormat.ServiceResourceType", 400, repr(kind), "or vpcnat."):
            operator.privatelink.DescribeZones(ServiceResourceType=kind)
