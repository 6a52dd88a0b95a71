"""Terraform's provider gets from create to destroy with what PrivateLink stands on."""

from __future__ import annotations

from ipaddress import IPv6Network

import pytest

from tests.api.terraform import ECS, STS, VPC, Provider, SdkError
from tests.api.terraform_neighbours import Network, RamUser, SecurityGroup, resource_groups
from tests.api.terraform_resources import ServiceUser
from tests.api.world import A, World


def test_a_vpc(provider: Provider, world: World) -> None:
    network, blue = Network(provider), world.resource_group()
    vpc = network.vpc(CidrBlock="10.0.0.0/16", VpcName="tf", Tag=[{"Key": "a", "Value": "b"}])
    state = network.read_vpc(vpc)
    assert state is not None
    assert (state["CidrBlock"], state["VpcName"]) == ("10.0.0.0/16", "tf")
    # Read without looking whether they are there.
    assert state["SecondaryCidrBlocks"] == {"SecondaryCidrBlock": []}
    assert state["UserCidrs"] == {"UserCidr": []}
    assert state["VSwitchIds"] == {"VSwitchId": []}
    assert state["route_table_id"].startswith("vtb-")
    network.change_vpc(vpc, VpcName="tf2", Description="")
    network.tag_vpc(vpc, ["a"], {"Created": "TF"})
    network.move_vpc(vpc, blue)
    changed = network.read_vpc(vpc)
    assert changed is not None
    assert (changed["VpcName"], changed["ResourceGroupId"]) == ("tf2", blue)
    assert changed["Tags"] == {"Tag": [{"Key": "Created", "Value": "TF"}]}
    network.delete_vpc(vpc)
    network.delete_vpc(vpc)


def test_a_network_with_ipv6(provider: Provider) -> None:
    network = Network(provider)
    vpc = network.vpc(CidrBlock="10.0.0.0/16", EnableIpv6=True, Ipv6Isp="BGP")
    state = network.read_vpc(vpc)
    assert state is not None
    assert state["EnabledIpv6"] is True
    (block,) = state["Ipv6CidrBlocks"]["Ipv6CidrBlock"]
    assert block == {"Ipv6CidrBlock": state["Ipv6CidrBlock"], "Ipv6Isp": "BGP"}
    vswitch = network.vswitch(VpcId=vpc, ZoneId=A, CidrBlock="10.0.0.0/24")
    network.change_vswitch(vswitch, EnableIPv6=True, Ipv6CidrBlock=12)
    switched = network.read_vswitch(vswitch)
    assert switched is not None
    subnets = list(IPv6Network(block["Ipv6CidrBlock"]).subnets(new_prefix=64))
    assert switched["Ipv6CidrBlock"] == str(subnets[12])
    # It is said again with whatever else changes.
    network.change_vswitch(vswitch, EnableIPv6=True, VSwitchName="tf")
    network.change_vpc(vpc, EnableIPv6=True, VpcName="tf")
    assert (network.read_vswitch(vswitch) or {})["EnabledIpv6"] is True
    network.change_vswitch(vswitch, EnableIPv6=False)
    network.change_vpc(vpc, EnableIPv6=False)
    assert (network.read_vpc(vpc) or {})["EnabledIpv6"] is False
    network.delete_vswitch(vswitch)
    network.delete_vpc(vpc)


def test_a_vswitch_and_a_route_table(provider: Provider) -> None:
    network = Network(provider)
    vpc = network.vpc(CidrBlock="10.0.0.0/16")
    vswitch = network.vswitch(
        VpcId=vpc, ZoneId=A, CidrBlock="10.0.0.0/24", Tag=[{"Key": "Created", "Value": "TF"}]
    )
    network.change_vswitch(vswitch, VSwitchName="tf")
    state = network.read_vswitch(vswitch)
    assert state is not None
    assert (state["VSwitchName"], state["ZoneId"]) == ("tf", A)
    assert state["Tags"] == {"Tag": [{"Key": "Created", "Value": "TF"}]}
    table = network.route_table(VpcId=vpc, RouteTableName="tf", AssociateType="VSwitch")
    network.change_table(table, RouteTableName="tf2", Description="")
    assert (network.read_table(table) or {})["RouteTableName"] == "tf2"
    both = provider.region(RouteTableId=table, VSwitchId=vswitch)
    provider.write(VPC, "AssociateRouteTable", both)
    for action, body, code in (
        ("DeleteRouteTable", {"RouteTableId": table}, "DependencyViolation.VSwitch"),
        ("DeleteVpc", {"VpcId": vpc}, "DependencyViolation.VSwitch"),  # which is tried again
    ):
        with pytest.raises(SdkError) as caught:
            provider.post(VPC, action, provider.region(**body))
        assert caught.value.code == code
    provider.write(VPC, "UnassociateRouteTable", both)
    network.delete_table(table)
    network.delete_vswitch(vswitch)
    network.delete_vpc(vpc)


def test_a_security_group(provider: Provider, world: World) -> None:
    network, blue = world.network(), world.resource_group()
    groups = SecurityGroup(provider)
    group = groups.create(
        VpcId=network.vpc,
        SecurityGroupName="tf",
        SecurityGroupType="normal",
        Tag=[{"Key": "Created", "Value": "TF"}],
    )
    groups.set_policy(group, "Accept")
    groups.change(group, SecurityGroupName="tf2")
    groups.move(group, blue)
    state = groups.read(group)
    assert state is not None
    assert (state["SecurityGroupName"], state["SecurityGroupType"]) == ("tf2", "normal")
    assert (state["InnerAccessPolicy"], state["ResourceGroupId"]) == ("Accept", blue)
    assert state["Tags"] == {"Tag": [{"TagKey": "Created", "TagValue": "TF"}]}
    endpoint = world.endpoint(world.published(), network, group=group)
    with pytest.raises(SdkError) as caught:
        provider.post(ECS, "DeleteSecurityGroup", provider.region(SecurityGroupId=group))
    assert (caught.value.code, caught.value.status) == ("DependencyViolation", 403)  # tried again
    world.account.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    groups.delete(group)
    groups.delete(group)


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule(provider: Provider, world: World, direction: str) -> None:
    groups, group = SecurityGroup(provider), world.group(world.network())
    peer = "DestCidrIp" if direction == "egress" else "SourceCidrIp"
    rule = {
        "IpProtocol": "tcp",
        "PortRange": "22/22",
        peer: "10.159.6.18/12",  # as written: the provider compares the text
        "Policy": "accept",
        "Priority": 1,
        "NicType": "intranet",
    }
    groups.allow(group, direction, **rule, Description="SHDRP-7513")
    (state,) = groups.rules(group, direction)
    assert state[peer] == "10.159.6.18/12"
    assert (state["Policy"].lower(), int(state["Priority"])) == ("accept", 1)
    assert state["Description"] == "SHDRP-7513"
    groups.revoke(group, direction, **rule)
    assert groups.rules(group, direction) == []


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_about_a_group_or_a_prefix_list(
    provider: Provider, world: World, direction: str
) -> None:
    network, groups = world.network(), SecurityGroup(provider)
    group, peer = world.group(network), world.group(network)
    offices = groups.prefix_list(
        AddressFamily="IPv4",
        MaxEntries=2,
        PrefixListName="tf",
        Entry=[{"Cidr": "192.168.0.0/24", "Description": "description"}],
    )
    side = "Dest" if direction == "egress" else "Source"
    for field, id in ((f"{side}GroupId", peer), (f"{side}PrefixListId", offices)):
        rule = {
            "IpProtocol": "tcp",
            "PortRange": "22/22",
            field: id,
            "Policy": "accept",
            "Priority": 1,
            "NicType": "intranet",
        }
        groups.allow(group, direction, **rule)
        (state,) = groups.rules(group, direction)
        assert state[field] == id
        assert state[f"{side}GroupOwnerAccount"] == ""  # as it was not given
        groups.revoke(group, direction, **rule)
        assert groups.rules(group, direction) == []
    groups.change_prefix_list(
        offices,
        PrefixListName="tf2",
        AddEntry=[{"Cidr": "192.168.1.0/24", "Description": ""}],
        RemoveEntry=[{"Cidr": "192.168.0.0/24"}],
    )
    changed = groups.read_prefix_list(offices)
    assert changed is not None
    assert (changed["PrefixListName"], changed["MaxEntries"]) == ("tf2", 2)
    assert changed["Entries"] == {"Entry": [{"Cidr": "192.168.1.0/24", "Description": ""}]}
    groups.delete_prefix_list(offices)
    assert groups.read_prefix_list(offices) is None


def test_a_ram_user_on_an_allow_list(provider: Provider, world: World) -> None:
    users, allowed = RamUser(provider), ServiceUser(provider)
    user = users.create("tf-testacc")
    world.account.ram.CreateAccessKey(UserName="tf-testacc")
    world.account.ram.AttachPolicyToUser(
        UserName="tf-testacc", PolicyName="ReadOnlyAccess", PolicyType="System"
    )
    state = users.read(user)
    assert state is not None
    assert (state["UserName"], state["DisplayName"]) == ("tf-testacc", "tf-testacc")
    service = world.service()
    listed = allowed.create(service, user)  # as the acceptance test has it
    assert allowed.read(listed) == {"UserId": user}
    allowed.delete(listed)
    users.rename("tf-testacc", "tf-testacc-2")
    assert (users.read(user) or {})["Comments"] == "renamed"
    users.delete("tf-testacc-2")
    assert users.read(user) is None


def test_who_the_provider_is(provider: Provider) -> None:
    assert provider.post(STS, "GetCallerIdentity")["AccountId"] == provider.account.id


def test_the_resource_groups_with_their_details(provider: Provider, world: World) -> None:
    world.resource_group()
    found = resource_groups(provider)
    assert len(found) == 2
    assert all(each["RegionStatuses"]["RegionStatus"] for each in found)
