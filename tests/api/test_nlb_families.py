"""NLB: servers with IPv6 addresses, and the groups that take them."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import Network, World

BLOCK = "fd00::/56"


@pytest.fixture
def network(operator: Account, world: World) -> Network:
    """A VPC with the IPv6 block fd00::/56 and a vSwitch with fd00::/64."""
    made = world.network()
    operator.vpc.ModifyVpcAttribute(VpcId=made.vpc, EnableIPv6=True, Ipv6CidrBlock=BLOCK)
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=made.vswitch, EnableIPv6=True, Ipv6CidrBlock=0)
    return made


def test_a_dual_stack_group_has_servers_of_both_families(
    operator: Account, world: World, node: Node, network: Network
) -> None:
    balancer = world.balancer(network)
    group = world.server_group(
        network, "fd00::10", "10.0.0.10", "FD00:0::9", "10.0.0.9", AddressIPVersion="dualstack"
    )
    world.listener(balancer, group)
    node.catch_up()
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    in_order = ["10.0.0.9", "10.0.0.10", "fd00::9", "fd00::10"]
    assert [each["address"] for each in told["servers"]] == in_order
    (about,) = operator.nlb.ListServerGroups()["ServerGroups"]
    assert (about["AddressIPVersion"], about["ServerCount"]) == ("DualStack", 4)
    listed = operator.nlb.ListServerGroupServers
    assert [each["ServerIp"] for each in listed(ServerGroupId=group)["Servers"]] == in_order
    found, token = [], {}
    while True:
        page = listed(ServerGroupId=group, MaxResults=1, **token)
        found += [each["ServerId"] for each in page["Servers"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == in_order
    for filters in ({"ServerIps": ["FD00::0:9"]}, {"ServerIds": ["fd00:0:0::9"]}):
        (one,) = listed(ServerGroupId=group, **filters)["Servers"]
        assert (one["ServerId"], one["ServerIp"]) == ("fd00::9", "fd00::9")


def test_an_address_is_one_server_however_it_is_spelt(
    operator: Account, world: World, node: Node, refused: Refused, network: Network
) -> None:
    group = world.server_group(network, "fd00::1a", AddressIPVersion="DualStack")
    world.listener(world.balancer(network), group)
    node.catch_up()
    server = {"ServerType": "Ip", "ServerId": "FD00:0:0::1A", "Port": 80}
    where = {"ServerGroupId": group}
    with refused("ResourceAlreadyExist.BackendServer", 400, "fd00::1a port 80", group):
        operator.nlb.AddServersToServerGroup(**where, Servers=[server])
    with refused("Mismatch.ServerIp", 400, "'fd00::2'", "fd00::1a"):
        operator.nlb.RemoveServersFromServerGroup(
            **where, Servers=[{**server, "ServerIp": "fd00::2"}]
        )
    operator.nlb.RemoveServersFromServerGroup(
        **where, Servers=[{**server, "ServerIp": "fd00:0::1a"}, server]
    )
    assert operator.nlb.ListServerGroupServers(**where)["Servers"] == []


def test_a_group_of_ipv4_takes_no_other(
    operator: Account, world: World, refused: Refused, network: Network
) -> None:
    group = world.server_group(network)
    servers = [
        {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80},
        {"ServerType": "Ip", "ServerId": "fd00::5", "Port": 80},
    ]
    with refused("Mismatch.AddressIPVersion", 400, "fd00::5", group, "DualStack"):
        operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=servers)
    assert operator.nlb.ListServerGroupServers(ServerGroupId=group)["Servers"] == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("::", "outside fd00::/56"),
        ("::1", "outside fd00::/56"),
        ("fe80::1", "outside fd00::/56"),
        ("ff02::1", "outside fd00::/56"),
        ("::ffff:10.0.0.5", "outside fd00::/56"),
        ("64:ff9b::a00:5", "outside fd00::/56"),
        ("fd70:7269:766c::6440:1", "outside fd00::/56"),
        ("fd00::5%eth0", "is an IPv4 address, or an IPv6 one"),
        ("fd00::g", "is an IPv4 address, or an IPv6 one"),
        ("[fd00::5]", "is an IPv4 address, or an IPv6 one"),
        ("fd00::/64", "is an IPv4 address, or an IPv6 one"),
        ("10.1.5", "is an IPv4 address, or an IPv6 one"),
        ("", "is an IPv4 address, or an IPv6 one"),
    ],
)
def test_an_address_that_no_server_has_is_refused(
    operator: Account, world: World, refused: Refused, network: Network, address: str, why: str
) -> None:
    group = world.server_group(network, AddressIPVersion="DualStack")
    with refused("IllegalParam.ServerId", 400, repr(address), network.vpc, why):
        operator.nlb.AddServersToServerGroup(
            ServerGroupId=group, Servers=[{"ServerType": "Ip", "ServerId": address, "Port": 80}]
        )


def test_a_vpc_without_an_ipv6_block_has_no_such_server(
    operator: Account, world: World, refused: Refused
) -> None:
    bare = world.network()
    group = world.server_group(bare, AddressIPVersion="DualStack")
    server = {"ServerType": "Ip", "ServerId": "fd00::5", "Port": 80}
    with refused("IllegalParam.ServerId", 400, "'fd00::5'", bare.vpc, "has no IPv6 block"):
        operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[server])


def test_an_attachment_is_its_ipv4_address_unless_its_other_one_is_named(
    operator: Account, world: World, node: Node, refused: Refused, network: Network
) -> None:
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch, Ipv6Address="fd00::5")
    eni, address = made["NetworkInterfaceId"], made["PrivateIpAddress"]
    group = world.server_group(network, kind="Instance", AddressIPVersion="DualStack")
    balancer = world.balancer(network)
    world.listener(balancer, group)
    where, server = {"ServerGroupId": group}, {"ServerType": "Eni", "ServerId": eni, "Port": 80}
    named = {**server, "ServerIp": "FD00::5"}
    for wrong in ("fd00::6", "10.0.0.99"):
        with refused("Mismatch.ServerIp", 400, repr(wrong), eni, f"{address} or fd00::5"):
            operator.nlb.AddServersToServerGroup(**where, Servers=[{**server, "ServerIp": wrong}])
    operator.nlb.AddServersToServerGroup(**where, Servers=[named, server])
    node.catch_up()
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    assert [each["address"] for each in told["servers"]] == [address, "fd00::5"]

    def left() -> list[str]:
        servers = operator.nlb.ListServerGroupServers(**where)["Servers"]
        assert {each["ServerId"] for each in servers} <= {eni}
        return [each["ServerIp"] for each in servers]

    operator.nlb.RemoveServersFromServerGroup(**where, Servers=[server])
    assert left() == ["fd00::5"]
    operator.nlb.RemoveServersFromServerGroup(**where, Servers=[server])
    assert left() == []
    only_ipv4 = world.server_group(network, kind="Instance")
    with refused("Mismatch.AddressIPVersion", 400, "fd00::5", only_ipv4):
        operator.nlb.AddServersToServerGroup(ServerGroupId=only_ipv4, Servers=[named])
