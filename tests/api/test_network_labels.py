"""Tags and resource groups of VPCs, vSwitches, route tables, security groups and interfaces."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.world import A, Network, World

RED = [{"Key": "team", "Value": "red"}]


def listed(account: Account, kind: str, resource: str) -> dict[str, str]:
    """The tags that ListTagResources shows, by key."""
    product = account.ecs if kind in ("securitygroup", "eni") else account.vpc
    answer = product.ListTagResources(ResourceType=kind, ResourceId=[resource])
    tags = answer["TagResources"]["TagResource"]
    assert all(each["ResourceId"] == resource for each in tags)
    return {each["TagKey"]: each["TagValue"] for each in tags}


@pytest.fixture
def network(world: World) -> Network:
    """A VPC with a vSwitch."""
    return world.network()


def things(world: World, network: Network) -> dict[str, str]:
    """One resource of each type that has tags."""
    attachment = world.account.own.call("CreateAttachment", VSwitchId=network.vswitch)
    return {
        "VPC": network.vpc,
        "VSWITCH": network.vswitch,
        "ROUTETABLE": world.route_table(network),
        "securitygroup": world.group(network),
        "eni": attachment["NetworkInterfaceId"],
    }


def test_tags_come_and_go(operator: Account, world: World, network: Network) -> None:
    for kind, resource in things(world, network).items():
        of_ecs = kind in ("securitygroup", "eni")
        product = operator.ecs if of_ecs else operator.vpc
        asked: dict[str, Any] = {"ResourceType": kind, "ResourceId": [resource]}
        for value in ("red", "blue"):
            tags = [{"Key": "team", "Value": value}, {"Key": "tier", "Value": ""}]
            product.TagResources(**asked, Tag=tags)
        assert listed(operator, kind, resource) == {"team": "blue", "tier": ""}
        take_off = product.UntagResources if of_ecs else product.UnTagResources
        take_off(**asked, TagKey=["team"])
        assert listed(operator, kind, resource) == {"tier": ""}
        take_off(**asked, All=True)
        assert listed(operator, kind, resource) == {}


def test_what_is_made_with_tags_shows_them(operator: Account, world: World) -> None:
    vpc = operator.vpc.CreateVpc(CidrBlock="10.0.0.0/16", Tag=RED)["VpcId"]
    vswitch = operator.vpc.CreateVSwitch(VpcId=vpc, ZoneId=A, CidrBlock="10.0.0.0/24", Tag=RED)
    table = operator.vpc.CreateRouteTable(VpcId=vpc, Tag=RED)
    group = operator.ecs.CreateSecurityGroup(VpcId=vpc, Tag=RED)
    shown = [
        operator.vpc.DescribeVpcAttribute(VpcId=vpc),
        operator.vpc.DescribeVpcs()["Vpcs"]["Vpc"][0],
        operator.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch["VSwitchId"]),
        operator.vpc.DescribeVSwitches()["VSwitches"]["VSwitch"][0],
        operator.vpc.DescribeRouteTableList(RouteTableId=table["RouteTableId"])["RouterTableList"][
            "RouterTableListType"
        ][0],
    ]
    assert [each["Tags"] for each in shown] == [{"Tag": RED}] * len(shown)
    (seen,) = operator.ecs.DescribeSecurityGroups()["SecurityGroups"]["SecurityGroup"]
    assert seen["SecurityGroupId"] == group["SecurityGroupId"]
    assert seen["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "red"}]}


def found(account: Account, **asked: Any) -> set[str]:
    """What every list shows for a filter, by id."""
    lists: list[tuple[Answer, str]] = [
        (account.vpc.DescribeVpcs(**asked)["Vpcs"]["Vpc"], "VpcId"),
        (account.vpc.DescribeVSwitches(**asked)["VSwitches"]["VSwitch"], "VSwitchId"),
        (
            account.vpc.DescribeRouteTableList(**asked)["RouterTableList"]["RouterTableListType"],
            "RouteTableId",
        ),
        (
            account.ecs.DescribeSecurityGroups(**asked)["SecurityGroups"]["SecurityGroup"],
            "SecurityGroupId",
        ),
        (
            account.ecs.DescribeNetworkInterfaces(**asked)["NetworkInterfaceSets"][
                "NetworkInterfaceSet"
            ],
            "NetworkInterfaceId",
        ),
    ]
    return {each[field] for some, field in lists for each in some}


def test_every_list_finds_by_tag(operator: Account, world: World, network: Network) -> None:
    every = things(world, network)
    for kind, resource in every.items():
        product = operator.ecs if kind in ("securitygroup", "eni") else operator.vpc
        product.TagResources(ResourceType=kind, ResourceId=[resource], Tag=RED)
    assert found(operator, Tag=RED) == set(every.values())
    assert found(operator, Tag=[{"Key": "team"}]) == set(every.values())
    assert found(operator, Tag=[*RED, {"Key": "tier"}]) == set()
    assert found(operator, Tag=[{"Key": "team", "Value": "blue"}]) == set()


def test_every_list_finds_by_resource_group(
    operator: Account, world: World, network: Network
) -> None:
    every, blue = things(world, network), world.resource_group()
    default = operator.vpc.DescribeVpcAttribute(VpcId=network.vpc)["ResourceGroupId"]
    assert set(every.values()) <= found(operator, ResourceGroupId=default)
    assert found(operator, ResourceGroupId=blue) == set()
    operator.vpc.MoveResourceGroup(
        ResourceType="vpc", ResourceId=network.vpc, NewResourceGroupId=blue
    )
    operator.ecs.JoinResourceGroup(
        ResourceType="securitygroup", ResourceId=every["securitygroup"], ResourceGroupId=blue
    )
    operator.ecs.JoinResourceGroup(
        ResourceType="eni", ResourceId=every["eni"], ResourceGroupId=blue
    )
    assert set(every.values()) <= found(operator, ResourceGroupId=blue)
    assert found(operator, ResourceGroupId=default) == set()


def test_a_vpc_and_a_group_are_made_in_a_resource_group(operator: Account, world: World) -> None:
    blue = world.resource_group()
    made = operator.vpc.CreateVpc(ResourceGroupId=blue)
    assert made["ResourceGroupId"] == blue
    assert operator.vpc.DescribeVpcAttribute(VpcId=made["VpcId"])["ResourceGroupId"] == blue
    operator.ecs.CreateSecurityGroup(VpcId=made["VpcId"], ResourceGroupId=blue)
    (group,) = operator.ecs.DescribeSecurityGroups()["SecurityGroups"]["SecurityGroup"]
    assert group["ResourceGroupId"] == blue


def test_a_group_that_is_none_is_refused(
    operator: Account, network: Network, refused: Refused
) -> None:
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        operator.vpc.CreateVpc(ResourceGroupId="rg-none")
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        operator.ecs.CreateSecurityGroup(VpcId=network.vpc, ResourceGroupId="rg-none")
    with refused("InvalidResourceType", 400, "'vswitch'", "follow theirs"):
        operator.vpc.MoveResourceGroup(
            ResourceType="vswitch", ResourceId=network.vswitch, NewResourceGroupId="rg-none"
        )
    with refused("InvalidResourceType", 400, "'instance'", "securitygroup or eni"):
        operator.ecs.JoinResourceGroup(
            ResourceType="instance", ResourceId="i-1", ResourceGroupId="rg-none"
        )


def test_tags_of_what_is_not_there_are_refused(operator: Account, refused: Refused) -> None:
    for product, kind in (
        (operator.vpc, "vpc"),
        (operator.vpc, "vswitch"),
        (operator.vpc, "routetable"),
        (operator.ecs, "securitygroup"),
        (operator.ecs, "eni"),
    ):
        with refused("InvalidResourceId.NotFound", 404, "'x-none'", kind):
            product.TagResources(ResourceType=kind, ResourceId=["x-none"], Tag=RED)
    with refused("InvalidResourceType", 400, "'EIP'", "vpc or vswitch or routetable"):
        operator.vpc.TagResources(ResourceType="EIP", ResourceId=["eip-1"], Tag=RED)


def test_tags_and_groups_go_with_what_had_them(
    operator: Account, world: World, refused: Refused
) -> None:
    blue = world.resource_group()
    vpc = operator.vpc.CreateVpc(ResourceGroupId=blue, Tag=RED)["VpcId"]
    with refused("DeleteConflict.ResourceGroup.Resource", 409, vpc):
        operator.resourcemanager.DeleteResourceGroup(ResourceGroupId=blue)
    operator.vpc.DeleteVpc(VpcId=vpc)
    assert operator.vpc.ListTagResources(ResourceType="vpc", Tag=RED)["TagResources"] == {
        "TagResource": []
    }
    operator.resourcemanager.DeleteResourceGroup(ResourceGroupId=blue)


def test_tags_come_in_pages(operator: Account, world: World) -> None:
    vpcs = [operator.vpc.CreateVpc(Tag=RED)["VpcId"] for _ in range(3)]
    listing = operator.vpc.ListTagResources
    first = listing(ResourceType="vpc", Tag=RED, MaxResults=2)
    second = listing(ResourceType="vpc", Tag=RED, MaxResults=2, NextToken=first["NextToken"])
    pages = [page["TagResources"]["TagResource"] for page in (first, second)]
    assert [len(page) for page in pages] == [2, 1]
    assert {each["ResourceId"] for page in pages for each in page} == set(vpcs)
    assert "NextToken" not in second
