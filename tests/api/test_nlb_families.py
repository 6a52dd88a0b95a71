"""NLB: servers with IPv6 addresses, and the groups that take them."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import World


def test_a_dual_stack_group_has_servers_of_both_families(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    group = world.server_group(
        network, "fd00::10", "10.0.0.10", "FD00:0::9", "10.0.0.9", AddressIPVersion="dualstack"
    )
    world.listener(balancer, group)
    node.catch_up()
    (told,) = node.held[f"balancer/{balancer}"]["listeners"]
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
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    group = world.server_group(network, "2001:db8::1", AddressIPVersion="DualStack")
    world.listener(world.balancer(network), group)
    node.catch_up()
    server = {"ServerType": "Ip", "ServerId": "2001:DB8:0:0::1", "Port": 80}
    where = {"ServerGroupId": group}
    with refused("ResourceAlreadyExist.BackendServer", 400, "2001:db8::1 port 80", group):
        operator.nlb.AddServersToServerGroup(**where, Servers=[server])
    with refused("Mismatch.ServerIp", 400, "'2001:db8::2'", "2001:db8::1"):
        operator.nlb.RemoveServersFromServerGroup(
            **where, Servers=[{**server, "ServerIp": "2001:db8::2"}]
        )
    operator.nlb.RemoveServersFromServerGroup(
        **where, Servers=[{**server, "ServerIp": "2001:db8:0::1"}, server]
    )
    assert operator.nlb.ListServerGroupServers(**where)["Servers"] == []


def test_a_group_of_ipv4_takes_no_other(operator: Account, world: World, refused: Refused) -> None:
    group = world.server_group(world.network())
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
        ("::", "a unique local"),
        ("::1", "a unique local"),
        ("fe80::1", "a unique local"),
        ("ff02::1", "a unique local"),
        ("::ffff:10.0.0.5", "a unique local"),
        ("64:ff9b::a00:5", "a unique local"),
        ("fd70:7269:766c::6440:1", "where servers see endpoints from"),
        ("fd00::5%eth0", "is an IPv4 address, or an IPv6 one"),
        ("fd00::g", "is an IPv4 address, or an IPv6 one"),
        ("[fd00::5]", "is an IPv4 address, or an IPv6 one"),
        ("fd00::/64", "is an IPv4 address, or an IPv6 one"),
        ("10.1.5", "is an IPv4 address, or an IPv6 one"),
        ("", "is an IPv4 address, or an IPv6 one"),
    ],
)
def test_an_address_that_no_server_has_is_refused(
    operator: Account, world: World, refused: Refused, address: str, why: str
) -> None:
    network = world.network()
    group = world.server_group(network, AddressIPVersion="DualStack")
    with refused("IllegalParam.ServerId", 400, repr(address), network.vpc, why):
        operator.nlb.AddServersToServerGroup(
            ServerGroupId=group, Servers=[{"ServerType": "Ip", "ServerId": address, "Port": 80}]
        )


def test_an_attachment_is_its_ipv4_address_in_a_dual_stack_group(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    eni, address = made["NetworkInterfaceId"], made["PrivateIpAddress"]
    group = world.server_group(network, kind="Instance", AddressIPVersion="DualStack")
    server = {"ServerType": "Eni", "ServerId": eni, "Port": 80}
    with refused("Mismatch.ServerIp", 400, "'fd00::5'", eni, address):
        operator.nlb.AddServersToServerGroup(
            ServerGroupId=group, Servers=[{**server, "ServerIp": "fd00::5"}]
        )
    operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[server])
    (listed,) = operator.nlb.ListServerGroupServers(ServerGroupId=group)["Servers"]
    assert (listed["ServerId"], listed["ServerIp"]) == (eni, address)
