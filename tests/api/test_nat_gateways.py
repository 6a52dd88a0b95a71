"""VPC NAT gateways and their addresses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, Network, World


@pytest.fixture
def network(world: World) -> Network:
    """The provider's network, in two zones."""
    return world.network(A, B)


def shown(account: Account, gateway: str) -> Answer:
    """What GetNatGatewayAttribute says."""
    return account.vpc.GetNatGatewayAttribute(NatGatewayId=gateway)


def listed(account: Account, **filters: Any) -> list[str]:
    """The ids that DescribeNatGateways finds."""
    found = account.vpc.DescribeNatGateways(**filters)["NatGateways"]["NatGateway"]
    return [each["NatGatewayId"] for each in found]


def ips(account: Account, gateway: str, **filters: Any) -> list[Answer]:
    """The addresses of a gateway."""
    found = account.vpc.ListNatIps(NatGatewayId=gateway, **filters)
    assert found["TotalCount"] == str(len(found["NatIps"]))
    return list(found["NatIps"])


def test_a_gateway_has_its_first_address_and_is_available_once_its_node_answers_for_it(
    operator: Account, world: World, network: Network, node: Node
) -> None:
    gateway = world.nat_gateway(network, Name="out", Description="to the customers")
    facts = shown(operator, gateway)
    assert facts["Status"] == "Creating"
    (first,) = ips(operator, gateway)
    assert (first["IsDefault"], first["NatIpStatus"]) == (True, "Creating")
    node.catch_up()
    facts, (first,) = shown(operator, gateway), ips(operator, gateway)
    assert (facts["Status"], first["NatIpStatus"]) == ("Available", "Available")
    assert facts["PrivateInfo"]["PrivateIpAddress"] == first["NatIp"]
    assert facts["PrivateInfo"]["VswitchId"] == network.vswitch
    assert (facts["Name"], facts["NetworkType"], facts["NatType"]) == (
        "out",
        "intranet",
        "Enhanced",
    )
    assert (facts["PrivateLinkEnabled"], facts["PrivateLinkMode"]) == (True, "FullNat")
    held = node.held[f"nat/{first['NatIpId']}"]
    assert held["address"] == first["NatIp"]
    (eni,) = operator.ecs.DescribeNetworkInterfaces(
        NetworkInterfaceId=[facts["PrivateInfo"]["EniInstanceId"]]
    )["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    assert (eni["MacAddress"], eni["ServiceManaged"]) == (held["mac"], True)


def test_the_wanted_address_is_taken(operator: Account, world: World, network: Network) -> None:
    gateway = world.nat_gateway(network, NatIp="10.0.0.50")
    assert [each["NatIp"] for each in ips(operator, gateway)] == ["10.0.0.50"]
    added = operator.vpc.CreateNatIp(
        NatGatewayId=gateway, NatIpCidr="10.0.0.0/24", NatIp="10.0.0.51", NatIpName="second"
    )
    assert added["NatIp"] == "10.0.0.51"
    assert [each["NatIp"] for each in ips(operator, gateway, NatIpName=["second"])] == ["10.0.0.51"]
    assert [each["NatIp"] for each in ips(operator, gateway, NatIpIds=[added["NatIpId"]])] == [
        "10.0.0.51"
    ]
    assert ips(operator, gateway, NatIpStatus="Available") == []
    assert len(ips(operator, gateway, NatIpCidr="10.0.0.0/24")) == 2


@pytest.mark.parametrize(
    ("given", "code", "status", "word"),
    [
        ({"NetworkType": "internet"}, "InvalidNetworkType", 400, "nothing leads to the Internet"),
        ({"NetworkType": None}, "InvalidNetworkType", 400, "'internet' was given"),
        ({"NatType": "Normal"}, "InvalidNatType", 400, "Enhanced"),
        ({"InstanceChargeType": "PrePaid"}, "InvalidInstanceChargeType", 400, "PostPaid"),
        ({"EipBindMode": "NAT"}, "UnsupportedParameter.EipBindMode", 400, "EipBindMode"),
        ({"IcmpReplyEnabled": False}, "UnsupportedParameter.IcmpReplyEnabled", 400, "Icmp"),
        ({"VpcId": "vpc-none"}, "InvalidVpcId.NotFound", 404, "vpc-none"),
        ({"VSwitchId": "vsw-none"}, "InvalidVSwitchId.NotFound", 404, "vsw-none"),
        ({"VSwitchId": None}, "MissingVSwitchId", 400, "VSwitchId"),
        ({"NatIp": "10.0.9.9"}, "EniIpUnavailable", 400, "10.0.9.9"),
    ],
)
def test_what_cannot_be_made_is_refused(
    operator: Account,
    network: Network,
    refused: Refused,
    given: dict[str, Any],
    code: str,
    status: int,
    word: str,
) -> None:
    good = {"VpcId": network.vpc, "VSwitchId": network.vswitch, "NetworkType": "intranet"}
    asked = {name: value for name, value in (good | given).items() if value is not None}
    with refused(code, status, word):
        operator.vpc.CreateNatGateway(**asked)


def test_a_vswitch_of_another_vpc_is_refused(
    operator: Account, world: World, network: Network, refused: Refused
) -> None:
    elsewhere = world.network()
    with refused("InvalidVSwitchId", 400, elsewhere.vpc, network.vpc):
        operator.vpc.CreateNatGateway(
            VpcId=network.vpc, VSwitchId=elsewhere.vswitch, NetworkType="intranet"
        )


def test_lists_are_filtered(operator: Account, world: World, network: Network, node: Node) -> None:
    tag = {"Key": "team", "Value": "red"}
    first = world.nat_gateway(network, Name="first", Tag=[tag])
    node.catch_up()
    second = world.nat_gateway(network, private_link=False)
    both = sorted([first, second])
    for filters, expected in (
        ({}, both),
        ({"VpcId": network.vpc}, both),
        ({"VpcId": "vpc-none"}, []),
        ({"NatGatewayId": second}, [second]),
        ({"Name": "first"}, [first]),
        ({"Status": "Available"}, [first]),
        ({"Status": "Creating"}, [second]),
        ({"ZoneId": A}, both),
        ({"ZoneId": B}, []),
        ({"NetworkType": "internet"}, []),
        ({"NetworkType": "intranet", "NatType": "Enhanced"}, both),
        ({"Tag": [tag]}, [first]),
        ({"PageSize": 1, "PageNumber": 3}, []),
    ):
        assert sorted(listed(operator, **filters)) == expected, filters
    found = operator.vpc.DescribeNatGateways(NatGatewayId=first)["NatGateways"]["NatGateway"]
    assert found[0]["Tags"]["Tag"] == [{"TagKey": "team", "TagValue": "red"}]
    assert found[0]["FullNatTableIds"]["FullNatTableId"] == [
        shown(operator, first)["FullNatTable"]["FullNatTableId"]
    ]
    assert listed(operator, ResourceGroupId="rg-none") == []


def test_names_and_tags_change_and_no_node_hears_of_it(
    operator: Account, world: World, network: Network, node: Node
) -> None:
    gateway = world.nat_gateway(network, Name="out")
    node.catch_up()
    operator.vpc.ModifyNatGatewayAttribute(NatGatewayId=gateway, Name="in", Description="why")
    facts = shown(operator, gateway)
    assert (facts["Name"], facts["Description"]) == ("in", "why")
    operator.vpc.TagResources(
        ResourceType="NATGATEWAY", ResourceId=[gateway], Tag=[{"Key": "a", "Value": "b"}]
    )
    assert listed(operator, Tag=[{"Key": "a"}]) == [gateway]
    assert node.pull()["Items"] == []


def test_what_is_deleted_gives_its_addresses_back(
    operator: Account, world: World, network: Network, node: Node, refused: Refused
) -> None:
    gateway = world.nat_gateway(network)
    added = operator.vpc.CreateNatIp(NatGatewayId=gateway, NatIpCidr="10.0.0.0/24")
    (default,) = [each for each in ips(operator, gateway) if each["IsDefault"]]
    with refused("OperationDenied.DefaultNatIp", 400, default["NatIpId"], gateway):
        operator.vpc.DeleteNatIp(NatIpId=default["NatIpId"])
    with refused("DependencyViolation.NetworkInterface", 400, f"NAT gateway {gateway}"):
        operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    node.catch_up()
    operator.vpc.DeleteNatIp(NatIpId=added["NatIpId"])
    node.catch_up()
    assert set(node.held) & {f"nat/{added['NatIpId']}"} == set()
    with refused("InvalidNatIpId.NotFound", 404, added["NatIpId"]):
        operator.vpc.DeleteNatIp(NatIpId=added["NatIpId"])
    with refused("UnsupportedParameter.Force", 400, "Force"):
        operator.vpc.DeleteNatGateway(NatGatewayId=gateway, Force=True)
    operator.vpc.DeleteNatGateway(NatGatewayId=gateway)
    node.catch_up()
    assert [key for key in node.held if key.startswith("nat/")] == []
    with refused("InvalidNatGatewayId.NotFound", 404, gateway):
        shown(operator, gateway)
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)


def test_another_block_than_the_vswitchs_is_refused(
    operator: Account, world: World, network: Network, refused: Refused
) -> None:
    gateway = world.nat_gateway(network)
    with refused("InvalidNatIpCidr", 400, "10.0.0.0/24"):
        operator.vpc.CreateNatIp(NatGatewayId=gateway, NatIpCidr="10.0.1.0/24")
    with refused("MissingNatIpCidr", 400, "NatIpCidr"):
        operator.vpc.CreateNatIp(NatGatewayId=gateway)


def test_quotas_hold(operator: Account, world: World, network: Network, refused: Refused) -> None:
    gateway = world.nat_gateway(network)
    operator.own.call("SetQuota", QuotaName="vpc_quota_nat_gateways_num", Limit=1)
    with refused("QuotaExceeded.NatGateway", 400, network.vpc):
        world.nat_gateway(network)
    operator.own.call("SetQuota", QuotaName="vpcnatgw_quota_nat_ips", Limit=1)
    with refused("QuotaExceeded.NatIp", 400, gateway):
        operator.vpc.CreateNatIp(NatGatewayId=gateway, NatIpCidr="10.0.0.0/24")
