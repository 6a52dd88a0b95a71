"""ECS: network interfaces, as users look at the addresses of endpoints, balancers and workloads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.cost import counted
from tests.api.stand_in import Node
from tests.api.test_paging import pages
from tests.api.world import A, B, Network, World


def found(account: Account, **asked: Any) -> list[Answer]:
    """What DescribeNetworkInterfaces shows."""
    answer = account.ecs.DescribeNetworkInterfaces(**asked)
    listed: list[Answer] = answer["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    return listed


def owners(account: Account, **asked: Any) -> set[str]:
    """Whose interfaces those are."""
    return {each["Description"].rpartition(" ")[2] for each in found(account, **asked)}


@pytest.fixture
def network(world: World) -> Network:
    """A VPC with vSwitches in two zones."""
    return world.network(A, B)


def test_an_endpoints_interface_is_the_services_own(
    operator: Account, world: World, network: Network
) -> None:
    group = world.group(network)
    endpoint = world.endpoint(world.published(), network, A, group=group)
    zone = world.zones(endpoint)[A]
    (shown,) = found(operator, NetworkInterfaceId=[zone["EniId"]])
    assert (shown["NetworkInterfaceId"], shown["PrivateIpAddress"]) == (
        zone["EniId"],
        zone["EniIp"],
    )
    assert shown["PrivateIpSets"] == {
        "PrivateIpSet": [{"PrivateIpAddress": zone["EniIp"], "Primary": True}]
    }
    assert (shown["ServiceManaged"], shown["Type"], shown["Status"]) == (True, "Secondary", "InUse")
    assert (shown["VpcId"], shown["VSwitchId"], shown["ZoneId"]) == (
        network.vpc,
        network.vswitch,
        A,
    )
    assert shown["SecurityGroupIds"] == {"SecurityGroupId": [group]}
    assert (shown["OwnerId"], shown["Description"]) == (operator.id, f"endpoint {endpoint}")
    assert (shown["MacAddress"][:3], len(shown["MacAddress"])) == ("02:", 17)
    assert shown["CreationTime"] == world.shown(endpoint)["CreateTime"]
    one = operator.ecs.DescribeNetworkInterfaceAttribute(NetworkInterfaceId=zone["EniId"])
    assert shown == {name: value for name, value in one.items() if name != "RequestId"}


def test_interfaces_are_found_by_what_they_are(
    operator: Account, world: World, network: Network
) -> None:
    balancer = world.balancer(network, A)
    group, other = world.group(network), world.group(network)
    service = world.service()
    endpoint = world.endpoint(service, network, A, B, group=group)
    second = world.endpoint(service, network, B, group=other)
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitches[B])
    attachment, address = made["AttachmentId"], made["PrivateIpAddress"]
    every = {balancer, endpoint, second, attachment}
    assert owners(operator) == owners(operator, VpcId=network.vpc) == every
    assert owners(operator, VSwitchId=network.vswitches[A]) == {balancer, endpoint}
    assert owners(operator, SecurityGroupId=group) == {endpoint}
    assert owners(operator, SecurityGroupId=other) == {second}
    assert owners(operator, ServiceManaged=False) == {attachment}
    assert owners(operator, ServiceManaged=True) == every - {attachment}
    assert owners(operator, PrimaryIpAddress=address) == {attachment}
    assert owners(operator, PrivateIpAddress=[address, "10.0.1.1"]) == {attachment, endpoint}
    assert owners(operator, Type="Secondary", Status="InUse") == every
    assert owners(operator, Type="Primary") == owners(operator, Status="Available") == set()
    assert owners(operator, NetworkInterfaceName="mine") == set()
    assert owners(operator, VpcId="vpc-none") == owners(operator, SecurityGroupId="sg") == set()
    assert owners(operator, VSwitchId=network.vswitches[B], SecurityGroupId=group) == {endpoint}


def test_interfaces_come_in_pages_of_both_kinds(
    operator: Account, world: World, network: Network
) -> None:
    for _ in range(5):
        operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    whole = [each["NetworkInterfaceId"] for each in found(operator)]
    assert len(whole) == 5
    by_number = [found(operator, PageNumber=number, PageSize=2) for number in (1, 2, 3, 4)]
    assert [len(page) for page in by_number] == [2, 2, 1, 0]
    by_token = list(
        pages(operator.ecs.DescribeNetworkInterfaces, "NetworkInterfaceSets", MaxResults=2)
    )
    assert [len(page["NetworkInterfaceSet"]) for page in by_token] == [2, 2, 1]  # type: ignore[call-overload]
    for some in (by_number, [page["NetworkInterfaceSet"] for page in by_token]):  # type: ignore[call-overload]
        assert [each["NetworkInterfaceId"] for page in some for each in page] == whole
    assert operator.ecs.DescribeNetworkInterfaces(PageSize=2)["TotalCount"] == 5


def test_an_interface_goes_with_what_it_belongs_to(
    operator: Account, world: World, network: Network, node: Node, refused: Refused
) -> None:
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    tag = [{"Key": "team", "Value": "red"}]
    eni = made["NetworkInterfaceId"]
    operator.ecs.TagResources(ResourceType="eni", ResourceId=[eni], Tag=tag)
    operator.own.call("DeleteAttachment", AttachmentId=made["AttachmentId"])
    node.catch_up()
    assert found(operator) == []
    assert operator.ecs.ListTagResources(ResourceType="eni", Tag=tag)["TagResources"] == {
        "TagResource": []
    }
    with refused("InvalidEniId.NotFound", 404, eni, "DescribeNetworkInterfaces"):
        operator.ecs.DescribeNetworkInterfaceAttribute(NetworkInterfaceId=eni)


def test_an_address_is_one(operator: Account, refused: Refused) -> None:
    with refused("InvalidPrimaryIpAddress", 400, "'ten'", "IPv4 address"):
        found(operator, PrimaryIpAddress="ten")
    with refused("InvalidPrivateIpAddress", 400, "PrivateIpAddress.2", "'::1'"):
        found(operator, PrivateIpAddress=["10.0.0.1", "::1"])


def test_a_filter_reads_what_it_shows(operator: Account, world: World) -> None:
    network, quiet = world.network(A, B), world.network()
    group = world.group(quiet)
    endpoint = world.endpoint(world.published(), quiet, A, group=group)
    eni = world.zones(endpoint)[A]["EniId"]
    asked: list[dict[str, Any]] = [
        {"NetworkInterfaceId": [eni]},
        {"VSwitchId": quiet.vswitch},
        {"SecurityGroupId": group},
        {"VpcId": quiet.vpc, "PrimaryIpAddress": "10.0.0.1"},
    ]

    def steps() -> list[int]:
        costs = []
        for each in asked:
            with counted() as cost:
                assert owners(operator, **each) == {endpoint}
            costs.append(cost.steps)
        return costs

    before = steps()
    for _ in range(40):
        operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    for few, many in zip(before, steps(), strict=True):
        assert many < few + 100, asked
