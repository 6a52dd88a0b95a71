"""CLB: load balancers as SLB 2014-05-15 makes, shows and changes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World

TAG = [{"Key": "team", "Value": "red"}]


def shown(account: Account, clb: str) -> dict[str, Any]:
    return account.slb.DescribeLoadBalancerAttribute(LoadBalancerId=clb)


def test_where_a_clb_can_be(operator: Account) -> None:
    (region,) = operator.slb.DescribeRegions()["Regions"]["Region"]
    assert region["RegionId"] == "local"
    zones = operator.slb.DescribeZones()["Zones"]["Zone"]
    assert [zone["ZoneId"] for zone in zones] == ["local-a", "local-b", "local-c"]
    available = operator.slb.DescribeAvailableResource()["AvailableResources"]["AvailableResource"]
    assert [each["MasterZoneId"] for each in available] == ["local-a", "local-b", "local-c"]
    (resource,) = available[0]["SupportResources"]["SupportResource"]
    assert resource == {"AddressType": "vpc", "AddressIPVersion": "ipv4"}
    none = operator.slb.DescribeAvailableResource(AddressType="classic_internet")
    assert none["AvailableResources"]["AvailableResource"] == []


def test_a_clb_lies_where_its_vswitch_does(operator: Account, world: World) -> None:
    network, group = world.network(A, B), world.resource_group()
    made = operator.slb.CreateLoadBalancer(
        VpcId=network.vpc,
        VSwitchId=network.vswitches[B],
        MasterZoneId=B,
        Address="10.0.1.9",
        AddressType="intranet",
        AddressIPVersion="ipv4",
        LoadBalancerName="shop",
        LoadBalancerSpec="slb.s2.small",
        InternetChargeType="paybytraffic",
        Bandwidth=1,  # which Terraform always sends
        PayType="PayOnDemand",
        DeleteProtection="on",
        ModificationProtectionStatus="ConsoleProtection",
        ModificationProtectionReason="by code alone",
        ResourceGroupId=group,
        Tag=TAG,
    )
    clb = made["LoadBalancerId"]
    assert clb.startswith("lb-")
    assert (made["Address"], made["NetworkType"]) == ("10.0.1.9", "vpc")
    about = shown(operator, clb)
    for name, value in {
        "LoadBalancerName": "shop",
        "LoadBalancerStatus": "active",
        "LoadBalancerSpec": "slb.s2.small",
        "InstanceChargeType": "PayBySpec",
        "InternetChargeType": "paybytraffic",
        "PayType": "PayOnDemand",
        "Address": "10.0.1.9",
        "AddressType": "intranet",
        "AddressIPVersion": "ipv4",
        "MasterZoneId": B,
        "VpcId": network.vpc,
        "VSwitchId": network.vswitches[B],
        "DeleteProtection": "on",
        "ModificationProtectionStatus": "ConsoleProtection",
        "ModificationProtectionReason": "by code alone",
        "ResourceGroupId": group,
        "Tags": {"Tag": [{"TagKey": "team", "TagValue": "red"}]},
        "BackendServers": {"BackendServer": []},
        "ListenerPorts": {"ListenerPort": []},
    }.items():
        assert about[name] == value, name


def test_a_clb_is_charged_by_what_it_carries_unless_told_otherwise(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    for given, charge, spec in (
        ({}, "PayByCLCU", "slb.lcu.elastic"),
        ({"InstanceChargeType": "PayByCLCU"}, "PayByCLCU", "slb.lcu.elastic"),
        ({"InstanceChargeType": "PayBySpec"}, "PayBySpec", "slb.s1.small"),
    ):
        about = shown(operator, world.clb(network, **given))
        assert (about["InstanceChargeType"], about["LoadBalancerSpec"]) == (charge, spec)
    with refused("InvalidLoadBalancerSpec", 400, "'slb.s1.small'", "PayByCLCU"):
        world.clb(network, InstanceChargeType="PayByCLCU", LoadBalancerSpec="slb.s1.small")


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"AddressType": "internet"}, "InvalidAddressType", "no public addresses here"),
        ({"PayType": "PrePay"}, "InvalidPayType", "only PayOnDemand"),
        ({"AddressIPVersion": "ipv6"}, "InvalidAddressIPVersion", "an NLB can be DualStack"),
        ({"InternetChargeType": "paybybandwidth"}, "InvalidInternetChargeType", "not limited"),
        ({"LoadBalancerSpec": "large"}, "InvalidLoadBalancerSpec", "slb.s1.small"),
        ({"MasterZoneId": B}, "InvalidMasterZoneId", "lies in local-a"),
        ({"SlaveZoneId": B}, "UnsupportedParameter.SlaveZoneId", "does not act on"),
        ({"VpcId": "vpc-none"}, "InvalidVpcId", "lies in vpc-"),
        ({"Address": "10.9.0.1"}, "EniIpUnavailable", "10.9.0.1"),
        (
            {"ModificationProtectionReason": "none"},
            "InvalidModificationProtectionReason",
            "ConsoleProtection alone",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(
    world: World, refused: Refused, more: dict[str, str], code: str, words: str
) -> None:
    network = world.network()
    with refused(code, 400, words):
        world.clb(network, **more)


def test_a_clb_needs_a_vswitch(operator: Account, refused: Refused) -> None:
    with refused("MissingVSwitchId", 400, "VSwitchId is mandatory"):
        operator.slb.CreateLoadBalancer()
    with refused("InvalidVSwitchId.NotFound", 404, "'vsw-none'"):
        operator.slb.CreateLoadBalancer(VSwitchId="vsw-none")


def test_each_product_knows_its_own_kind(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    nlb, clb = world.balancer(network), world.clb(network)
    with refused("InvalidLoadBalancerId.NotFound", 404, nlb, "NotFound"):
        shown(operator, nlb)
    with refused("ResourceNotFound.loadBalancer", 404, clb):
        operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=clb)
    with refused("ResourceNotFound.ServerGroup", 404, clb):  # the id of its default servers, too
        operator.nlb.DeleteServerGroup(ServerGroupId=clb)
    with refused("InvalidParameter", 400, clb, "NotFound"):
        operator.slb.DeleteVServerGroup(VServerGroupId=clb)


def test_clbs_are_listed_by_what_is_asked(operator: Account, world: World) -> None:
    here, there = world.network(A, B), world.network()
    first = world.clb(here, B, LoadBalancerName="shop", Tag=TAG, Address="10.0.1.7")
    second = world.clb(there)
    world.balancer(here)  # which is no CLB
    operator.slb.SetLoadBalancerStatus(LoadBalancerId=second, LoadBalancerStatus="inactive")
    operator.slb.AddBackendServers(
        LoadBalancerId=first, BackendServers='[{"ServerId": "10.0.0.5", "Type": "eniip"}]'
    )
    listed = operator.slb.DescribeLoadBalancers
    for filters, found in (
        ({}, {first, second}),
        ({"LoadBalancerId": f"{first},lb-none"}, {first}),
        ({"LoadBalancerName": "shop"}, {first}),
        ({"LoadBalancerStatus": "inactive"}, {second}),
        ({"Address": "10.0.1.7"}, {first}),
        ({"AddressType": "internet"}, set()),
        ({"MasterZoneId": A}, {second}),
        ({"VpcId": here.vpc}, {first}),
        ({"VSwitchId": there.vswitch}, {second}),
        ({"NetworkType": "vpc", "PayType": "PayOnDemand"}, {first, second}),
        ({"ServerId": "10.0.0.5"}, {first}),
        ({"Tag": TAG}, {first}),
    ):
        answer = listed(**filters)
        found_ids = {each["LoadBalancerId"] for each in answer["LoadBalancers"]["LoadBalancer"]}
        assert found_ids == found, filters
        assert answer["TotalCount"] == len(found)
    pages = [listed(PageSize=1, PageNumber=number) for number in (1, 2, 3)]
    assert [len(page["LoadBalancers"]["LoadBalancer"]) for page in pages] == [1, 1, 0]


def test_the_settings_of_a_clb_change_one_by_one(operator: Account, world: World) -> None:
    clb = world.clb(world.network())
    ours = operator.slb
    ours.SetLoadBalancerName(LoadBalancerId=clb, LoadBalancerName="shop")
    ours.SetLoadBalancerDeleteProtection(LoadBalancerId=clb, DeleteProtection="on")
    ours.SetLoadBalancerModificationProtection(
        LoadBalancerId=clb,
        ModificationProtectionStatus="ConsoleProtection",
        ModificationProtectionReason="by code alone",
    )
    about = shown(operator, clb)
    assert (about["LoadBalancerName"], about["DeleteProtection"]) == ("shop", "on")
    assert about["ModificationProtectionReason"] == "by code alone"
    ours.SetLoadBalancerModificationProtection(
        LoadBalancerId=clb, ModificationProtectionStatus="NonProtection"
    )
    about = shown(operator, clb)
    assert about["ModificationProtectionStatus"] == "NonProtection"
    assert (about["ModificationProtectionReason"], about["DeleteProtection"]) == ("", "on")


def test_an_inactive_clb_takes_no_new_flows(operator: Account, world: World, node: Node) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb)
    servers = '[{"ServerId":"10.0.0.5","Type":"eniip"}]'
    operator.slb.AddBackendServers(LoadBalancerId=clb, BackendServers=servers)
    node.catch_up()

    def weights() -> list[int]:
        (told,) = node.held[f"balancer/{clb}/local-a"]["listeners"]
        return [server["weight"] for server in told["servers"]]

    assert weights() == [100]
    operator.slb.SetLoadBalancerStatus(LoadBalancerId=clb, LoadBalancerStatus="inactive")
    node.catch_up()
    assert weights() == [0]
    assert shown(operator, clb)["LoadBalancerStatus"] == "inactive"
    listener = operator.slb.DescribeLoadBalancerTCPListenerAttribute(
        LoadBalancerId=clb, ListenerPort=80
    )
    assert listener["Status"] == "stopped"
    operator.slb.SetLoadBalancerStatus(LoadBalancerId=clb, LoadBalancerStatus="active")
    node.catch_up()
    assert weights() == [100]


def test_a_protected_clb_stays(operator: Account, world: World, refused: Refused) -> None:
    clb = world.clb(world.network(), DeleteProtection="on")
    with refused("OperationDenied.DeleteProtectionIsOn", 400, clb, "DeleteProtection=off"):
        operator.slb.DeleteLoadBalancer(LoadBalancerId=clb)
    operator.slb.SetLoadBalancerDeleteProtection(LoadBalancerId=clb, DeleteProtection="off")
    operator.slb.DeleteLoadBalancer(LoadBalancerId=clb)


def test_a_clb_goes_with_all_that_is_its_own(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    clb = world.clb(network, Tag=TAG)
    servers = '[{"ServerId": "10.0.0.5", "Type": "eniip", "Port": 80}]'
    group = operator.slb.CreateVServerGroup(LoadBalancerId=clb, BackendServers=servers)
    world.clb_listener(clb, VServerGroupId=group["VServerGroupId"])
    node.catch_up()
    service = world.service_on_clbs(clb)
    with refused("DependencyViolation", 400, clb, service):
        operator.slb.DeleteLoadBalancer(LoadBalancerId=clb)
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    with refused("DependencyViolation.LoadBalancer", 400, network.vswitch, clb):
        operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    operator.slb.DeleteLoadBalancer(LoadBalancerId=clb)
    with refused("InvalidLoadBalancerId.NotFound", 404, clb):
        shown(operator, clb)
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    operator.vpc.DeleteVpc(VpcId=network.vpc)
    node.catch_up()
    assert node.held == {}


def test_clbs_are_tagged_as_instances(operator: Account, world: World, refused: Refused) -> None:
    clb = world.clb(world.network())
    operator.slb.TagResources(ResourceType="instance", ResourceId=[clb], Tag=TAG)
    listed = operator.slb.ListTagResources(ResourceType="instance", ResourceId=[clb])
    assert listed["TagResources"]["TagResource"] == [
        {
            "ResourceId": clb,
            "ResourceType": "instance",
            "TagKey": "team",
            "TagValue": "red",
        }
    ]
    operator.slb.UntagResources(ResourceType="instance", ResourceId=[clb], TagKey=["team"])
    assert shown(operator, clb)["Tags"] == {"Tag": []}
    with refused("InvalidResourceType", 400, "'listener'", "it is instance"):
        operator.slb.TagResources(ResourceType="listener", ResourceId=[clb], Tag=TAG)


def test_a_clb_moves_to_another_group(operator: Account, world: World, refused: Refused) -> None:
    clb, group = world.clb(world.network()), world.resource_group()
    move = operator.slb.MoveResourceGroup
    move(ResourceId=clb, ResourceType="loadbalancer", NewResourceGroupId=group)
    assert shown(operator, clb)["ResourceGroupId"] == group
    with refused("InvalidResourceType", 400, "'acl'", "it is loadbalancer"):
        move(ResourceId=clb, ResourceType="acl", NewResourceGroupId=group)
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        move(ResourceId=clb, ResourceType="loadbalancer", NewResourceGroupId="rg-none")
