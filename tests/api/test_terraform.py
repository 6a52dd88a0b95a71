"""Networks as the Terraform provider builds them: RPC v1, form bodies, and what it reads back.

Source: aliyun/terraform-provider-alicloud, the resources alicloud_vpc, alicloud_vswitch,
alicloud_route_table and alicloud_security_group. What it reads without looking must be there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.wire import Reply, rpc1, send
from tests.api.world import A, World

VPC, ECS = "2016-04-28", "2014-05-26"
Ask = Callable[..., Reply]


@pytest.fixture
def ask(stage: Stage, operator: Account) -> Ask:
    """A call as the provider sends it."""

    def ask(version: str, action: str, **fields: str) -> Reply:
        form = [("RegionId", "local"), *fields.items()]
        return send(stage.host, rpc1(operator, action, version=version, form=form))

    return ask


def good(reply: Reply) -> dict[str, Any]:
    """An answer that the provider does not take for an error."""
    assert reply.status == 200, reply
    assert not {"Code", "Success"} & set(reply.answer)
    return reply.answer


def gone(reply: Reply) -> bool:
    """What the provider takes for a resource that is not there."""
    return reply.status == 404 or "NotFound" in reply.message


def test_a_vpc_has_its_life(ask: Ask, world: World) -> None:
    blue = world.resource_group()
    token = "TF-CreateVpc-1795614291-0"
    made = [
        good(ask(VPC, "CreateVpc", CidrBlock="10.0.0.0/16", VpcName="tf", ClientToken=token))
        for _ in range(2)
    ]
    vpc, table = made[0]["VpcId"], made[0]["RouteTableId"]
    assert made[1]["VpcId"] == vpc
    read = good(ask(VPC, "DescribeVpcAttribute", VpcId=vpc))
    assert (read["Status"], read["CidrBlock"], read["VpcName"]) == (
        "Available",
        "10.0.0.0/16",
        "tf",
    )
    assert read["SecondaryCidrBlocks"] == {"SecondaryCidrBlock": []}
    assert read["UserCidrs"] == {"UserCidr": []}
    assert read["VSwitchIds"] == {"VSwitchId": []}
    tables = good(ask(VPC, "DescribeRouteTableList", VpcId=vpc, PageNumber="1", PageSize="50"))
    (only,) = tables["RouterTableList"]["RouterTableListType"]
    assert (only["RouteTableId"], only["RouterId"]) == (table, read["VRouterId"])
    good(ask(VPC, "ModifyVpcAttribute", VpcId=vpc, VpcName="tf2", Description=""))
    tag = {"Tag.1.Key": "Created", "Tag.1.Value": "TF", "ResourceId.1": vpc}
    good(ask(VPC, "TagResources", ResourceType="VPC", **tag))
    good(
        ask(
            VPC,
            "MoveResourceGroup",
            ResourceType="vpc",
            ResourceId=vpc,
            NewResourceGroupId=blue,
        )
    )
    read = good(ask(VPC, "DescribeVpcAttribute", VpcId=vpc))
    assert (read["VpcName"], read["ResourceGroupId"]) == ("tf2", blue)
    assert read["Tags"] == {"Tag": [{"Key": "Created", "Value": "TF"}]}
    untag = {"ResourceId.1": vpc, "TagKey.1": "Created"}
    good(ask(VPC, "UnTagResources", ResourceType="VPC", **untag))
    good(ask(VPC, "DeleteVpc", VpcId=vpc))
    assert gone(ask(VPC, "DescribeVpcAttribute", VpcId=vpc))
    assert gone(ask(VPC, "DeleteVpc", VpcId=vpc))


def test_a_vswitch_with_a_route_table_has_its_life(ask: Ask, world: World, node: Node) -> None:
    vpc = good(ask(VPC, "CreateVpc", CidrBlock="10.0.0.0/16"))["VpcId"]
    vswitch = good(
        ask(
            VPC,
            "CreateVSwitch",
            VpcId=vpc,
            ZoneId=A,
            CidrBlock="10.0.0.0/24",
            **{"Tag.1.Key": "Created", "Tag.1.Value": "TF"},
        )
    )["VSwitchId"]
    node.catch_up()
    read = good(ask(VPC, "DescribeVSwitchAttributes", VSwitchId=vswitch))
    assert (read["Status"], read["ZoneId"]) == ("Available", A)
    assert read["Tags"] == {"Tag": [{"Key": "Created", "Value": "TF"}]}
    table = good(ask(VPC, "CreateRouteTable", VpcId=vpc, AssociateType="VSwitch"))["RouteTableId"]
    both = {"RouteTableId": table, "VSwitchId": vswitch}
    good(ask(VPC, "AssociateRouteTable", **both))
    blocked = ask(VPC, "DeleteRouteTable", RouteTableId=table)
    assert blocked.code == "DependencyViolation.VSwitch"
    blocked = ask(VPC, "DeleteVpc", VpcId=vpc)
    assert blocked.code == "DependencyViolation.VSwitch"  # which the provider tries again
    good(ask(VPC, "UnassociateRouteTable", **both))
    assert gone(ask(VPC, "UnassociateRouteTable", **both))
    good(ask(VPC, "DeleteRouteTable", RouteTableId=table))
    listed = good(ask(VPC, "DescribeRouteTableList", RouteTableId=table))
    assert listed["RouterTableList"] == {"RouterTableListType": []}
    good(ask(VPC, "DeleteVSwitch", VSwitchId=vswitch))
    assert gone(ask(VPC, "DescribeVSwitchAttributes", VSwitchId=vswitch))


def test_a_security_group_has_its_life(ask: Ask, world: World) -> None:
    network, blue = world.network(), world.resource_group()
    group = good(
        ask(
            ECS,
            "CreateSecurityGroup",
            VpcId=network.vpc,
            SecurityGroupName="tf",
            SecurityGroupType="normal",
            **{"Tag.1.Key": "Created", "Tag.1.Value": "TF"},
        )
    )["SecurityGroupId"]
    named = {"SecurityGroupId": group}
    good(ask(ECS, "ModifySecurityGroupPolicy", **named, InnerAccessPolicy="Accept"))
    good(ask(ECS, "ModifySecurityGroupAttribute", **named, SecurityGroupName="tf2"))
    good(
        ask(
            ECS,
            "JoinResourceGroup",
            ResourceType="securitygroup",
            ResourceId=group,
            ResourceGroupId=blue,
        )
    )
    read = good(ask(ECS, "DescribeSecurityGroupAttribute", **named))
    assert (read["InnerAccessPolicy"], read["SecurityGroupName"]) == ("Accept", "tf2")
    assert read["Permissions"] == {"Permission": []}
    listed = good(ask(ECS, "DescribeSecurityGroups", **named))
    (shown,) = listed["SecurityGroups"]["SecurityGroup"]
    assert (shown["ResourceGroupId"], shown["SecurityGroupType"]) == (blue, "normal")
    assert shown["Tags"] == {"Tag": [{"TagKey": "Created", "TagValue": "TF"}]}
    endpoint = world.endpoint(world.published(), network, group=group)
    busy = ask(ECS, "DeleteSecurityGroup", **named)
    assert (busy.status, busy.code) == (403, "DependencyViolation")  # tried again
    world.account.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    good(ask(ECS, "DeleteSecurityGroup", **named))
    again = ask(ECS, "DeleteSecurityGroup", **named)
    assert (again.status, again.code) == (404, "InvalidSecurityGroup.NotFound")
    assert good(ask(ECS, "DescribeSecurityGroups", **named))["SecurityGroups"] == {
        "SecurityGroup": []
    }
