"""NLB: load balancers, server groups and listeners."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


def test_a_balancer_is_shown_as_it_was_made(operator: Account, world: World, node: Node) -> None:
    network = world.network(A, B)
    balancer = operator.nlb.CreateLoadBalancer(
        VpcId=network.vpc,
        AddressType="Intranet",
        AddressIpVersion="ipv4",
        LoadBalancerType="network",
        LoadBalancerName="web",
        ZoneMappings=[
            {"ZoneId": A, "VSwitchId": network.vswitches[A], "PrivateIPv4Address": "10.0.0.9"},
            {"ZoneId": B, "VSwitchId": network.vswitches[B]},
        ],
    )["LoadbalancerId"]
    before = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    assert before["LoadBalancerStatus"] == "Provisioning"
    node.catch_up()
    shown = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    assert (shown["LoadBalancerStatus"], shown["LoadBalancerName"]) == ("Active", "web")
    assert (shown["VpcId"], shown["AddressType"]) == (network.vpc, "Intranet")
    assert [
        (mapping["ZoneId"], mapping["VSwitchId"], mapping["Status"])
        for mapping in shown["ZoneMappings"]
    ] == [(A, network.vswitches[A], "Active"), (B, network.vswitches[B], "Active")]
    addresses = [
        each["PrivateIPv4Address"]
        for mapping in shown["ZoneMappings"]
        for each in mapping["LoadBalancerAddresses"]
    ]
    assert addresses == ["10.0.0.9", "10.0.1.1"]


def test_a_balancer_needs_a_zone_of_its_vpc(
    operator: Account, world: World, refused: Refused
) -> None:
    network, elsewhere = world.network(A), world.network(A)

    def create(*places: tuple[str, str], **more: str) -> None:
        mappings = [{"ZoneId": zone, "VSwitchId": vswitch} for zone, vswitch in places]
        asked = {"VpcId": network.vpc, "AddressType": "Intranet"} | more
        operator.nlb.CreateLoadBalancer(ZoneMappings=mappings, **asked)

    with refused("MissingZoneMappings", 400, "ZoneMappings is mandatory"):
        create()
    with refused("VSwitchNotFound", 400, elsewhere.vswitch, f"in {network.vpc}, zone local-a"):
        create((A, elsewhere.vswitch))
    with refused("VSwitchNotFound", 400, network.vswitch, "zone local-b"):
        create((B, network.vswitch))
    with refused("InvalidZoneId.NotFound", 404, "'moon-a'"):
        create(("moon-a", network.vswitch))
    with refused("InvalidZoneMappings", 400, "a zone is given twice"):
        create((A, network.vswitch), (A, network.vswitch))
    with refused("InvalidVpcId.NotFound", 404, "'vpc-none'"):
        create((A, network.vswitch), VpcId="vpc-none")
    with refused("InvalidAddressType", 400, "'Internet'", "only Intranet"):
        create((A, network.vswitch), AddressType="Internet")


def test_an_unknown_balancer_is_not_found(operator: Account, refused: Refused) -> None:
    missing = ("ResourceNotFound.loadBalancer", 404, "'nlb-none'")
    with refused(*missing):
        operator.nlb.GetLoadBalancerAttribute(LoadBalancerId="nlb-none")
    with refused(*missing):
        operator.nlb.DeleteLoadBalancer(LoadBalancerId="nlb-none")
    with refused(*missing):
        operator.nlb.CreateListener(
            LoadBalancerId="nlb-none",
            ListenerProtocol="TCP",
            ListenerPort=80,
            ServerGroupId="sgp-none",
        )


def test_a_balancer_goes_with_its_listeners_and_addresses(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    listener = world.listener(balancer, group)
    node.catch_up()
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    node.catch_up()
    assert list(node.held) == world.alone(network)
    with refused("ResourceNotFound.Listener", 404, listener):
        operator.nlb.GetListenerAttribute(ListenerId=listener)
    with refused("ResourceNotFound.loadBalancer", 404, balancer):
        operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)


def test_a_listener_is_running_once_the_node_knows_it(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.5")
    node.catch_up()
    listener = world.listener(balancer, group, 443)
    assert (
        operator.nlb.GetListenerAttribute(ListenerId=listener)["ListenerStatus"] == "Provisioning"
    )
    node.catch_up()
    shown = operator.nlb.GetListenerAttribute(ListenerId=listener)
    assert (shown["ListenerStatus"], shown["ListenerPort"]) == ("Running", 443)
    assert (shown["LoadBalancerId"], shown["ServerGroupId"]) == (balancer, group)
    assert (shown["ListenerId"], shown["ListenerProtocol"]) == (listener, "TCP")
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    assert (told["protocol"], told["first"], told["last"]) == ("TCP", 443, 443)
    assert told["servers"] == [{"address": "10.0.0.5", "port": 80, "weight": 100, "zone": A}]


def test_servers_added_later_reach_the_node(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    world.listener(balancer, group)
    node.catch_up()
    operator.nlb.AddServersToServerGroup(
        ServerGroupId=group,
        Servers=[
            {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80, "Weight": 30},
            {"ServerType": "Ip", "ServerId": "10.0.0.6", "Port": 80, "Weight": 0},
        ],
    )
    node.pull()
    assert node.seen == [f"balancer/{balancer}/local-a"]
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    assert told["servers"] == [
        {"address": "10.0.0.5", "port": 80, "weight": 30, "zone": A},
        {"address": "10.0.0.6", "port": 80, "weight": 0, "zone": A},
    ]


def test_an_attachment_may_be_a_server(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    balancer, group = world.balancer(network), world.server_group(network, kind="Instance")
    world.listener(balancer, group)
    operator.nlb.AddServersToServerGroup(
        ServerGroupId=group,
        Servers=[{"ServerType": "Eni", "ServerId": made["NetworkInterfaceId"], "Port": 80}],
    )
    node.pull()
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    assert told["servers"][0]["address"] == made["PrivateIpAddress"]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("192.168.0.5", ("outside 10.0.0.0/16",)),
        ("web", ("is an IPv4 address, or an IPv6 one",)),
    ],
)
def test_a_server_lies_in_the_groups_vpc(
    operator: Account,
    world: World,
    refused: Refused,
    server: str,
    words: tuple[str, ...],
) -> None:
    network = world.network()
    group = world.server_group(network)
    with refused("IllegalParam.ServerId", 400, repr(server), network.vpc, *words):
        operator.nlb.AddServersToServerGroup(
            ServerGroupId=group,
            Servers=[
                {"ServerType": "Ip", "ServerId": "10.0.0.9", "Port": 80},
                {"ServerType": "Ip", "ServerId": server, "Port": 80},
            ],
        )


def test_an_attachment_of_another_vpc_is_no_server(
    operator: Account, world: World, refused: Refused
) -> None:
    network, elsewhere = world.network(), world.network()
    eni = operator.own.call("CreateAttachment", VSwitchId=elsewhere.vswitch)["NetworkInterfaceId"]
    group = world.server_group(network, kind="Instance")
    for stranger, why in ((eni, f"lies in {elsewhere.vpc}"), ("eni-none", "no attachment of this")):
        with refused("IllegalParam.ServerId", 400, stranger, why):
            operator.nlb.AddServersToServerGroup(
                ServerGroupId=group,
                Servers=[{"ServerType": "Eni", "ServerId": stranger, "Port": 80}],
            )


def test_a_group_takes_servers_of_its_type(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    of_addresses, of_instances = (
        world.server_group(network),
        world.server_group(network, kind="Instance"),
    )
    eni = {"ServerType": "Eni", "ServerId": made["NetworkInterfaceId"], "Port": 80}
    address = {"ServerType": "Ip", "ServerId": made["PrivateIpAddress"], "Port": 80}
    with refused("Mismatch.ServerType", 400, "of type Ip", "ServerType Ip"):
        operator.nlb.AddServersToServerGroup(ServerGroupId=of_addresses, Servers=[eni])
    with refused("Mismatch.ServerType", 400, "of type Instance", "ServerType Eni"):
        operator.nlb.AddServersToServerGroup(ServerGroupId=of_instances, Servers=[address])
    operator.nlb.AddServersToServerGroup(ServerGroupId=of_addresses, Servers=[address])
    operator.nlb.AddServersToServerGroup(ServerGroupId=of_instances, Servers=[eni])


def test_an_address_beside_the_id_may_not_contradict_it(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    eni, address = made["NetworkInterfaceId"], made["PrivateIpAddress"]
    for group, kind, server in (
        (world.server_group(network), "Ip", address),
        (world.server_group(network, kind="Instance"), "Eni", eni),
    ):
        given = {"ServerType": kind, "ServerId": server, "Port": 80}
        with refused("Mismatch.ServerIp", 400, "'10.0.0.99'", server, address):
            operator.nlb.AddServersToServerGroup(
                ServerGroupId=group, Servers=[{**given, "ServerIp": "10.0.0.99"}]
            )
        operator.nlb.AddServersToServerGroup(
            ServerGroupId=group, Servers=[{**given, "ServerIp": address}]
        )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Port": 0}, ("Servers.1.Port", "'0'", "1 to 65535")),
        ({"Port": 65536}, ("Servers.1.Port", "'65536'", "1 to 65535")),
        ({"Weight": 101}, ("Servers.1.Weight", "'101'", "0 to 100")),
        ({"ServerType": "Ecs"}, ("Servers.1.ServerType", "'Ecs'", "there are no ECS here")),
    ],
)
def test_a_server_that_makes_no_sense_is_refused(
    operator: Account,
    world: World,
    refused: Refused,
    changed: dict[str, object],
    words: tuple[str, ...],
) -> None:
    group = world.server_group(world.network())
    server = {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80} | changed
    with refused("InvalidServers", 400, *words):
        operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[server])


def test_a_server_is_in_a_group_once_for_each_port(
    operator: Account, world: World, refused: Refused
) -> None:
    group = world.server_group(world.network(), "10.0.0.5")
    again = {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80}
    with refused("ResourceAlreadyExist.BackendServer", 400, "10.0.0.5 port 80", group):
        operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[again])
    operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[{**again, "Port": 81}])


def test_a_group_needs_a_name_and_a_vpc(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    with refused("MissingServerGroupName", 400, "ServerGroupName is mandatory"):
        operator.nlb.CreateServerGroup(VpcId=network.vpc)
    with refused("InvalidVpcId.NotFound", 404, "'vpc-none'"):
        operator.nlb.CreateServerGroup(VpcId="vpc-none", ServerGroupName="web")
    with refused("InvalidProtocol", 400, "'SCTP'", "TCP, UDP or TCP_UDP"):
        operator.nlb.CreateServerGroup(VpcId=network.vpc, ServerGroupName="x", Protocol="SCTP")
    with refused("ResourceNotFound.ServerGroup", 404, "'sgp-none'"):
        operator.nlb.AddServersToServerGroup(
            ServerGroupId="sgp-none",
            Servers=[{"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80}],
        )


def test_a_port_of_a_balancer_has_one_listener(world: World, refused: Refused) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    first = world.listener(balancer, group)
    with refused("ResourceAlreadyExist.Listener", 400, balancer, "TCP port 80", first):
        world.listener(balancer, group)
    world.listener(balancer, group, 81)


def test_balancer_and_group_share_a_vpc(world: World, refused: Refused) -> None:
    here, there = world.network(), world.network()
    balancer, group = world.balancer(here), world.server_group(there)
    with refused("Mismatch.VpcId", 400, balancer, here.vpc, group, there.vpc):
        world.listener(balancer, group)
    with refused("ResourceNotFound.ServerGroup", 404, "'sgp-none'"):
        world.listener(balancer, "sgp-none")
    with refused("InvalidListenerPort", 400, "'65536'", "1 to 65535"):
        world.listener(balancer, group, 65536)


def test_an_unknown_listener_is_not_found(operator: Account, refused: Refused) -> None:
    with refused("ResourceNotFound.Listener", 404, "'lsn-none'"):
        operator.nlb.GetListenerAttribute(ListenerId="lsn-none")


def test_a_deleted_listener_takes_no_flows(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    gone, stays = world.listener(balancer, group, 80), world.listener(balancer, group, 81)
    node.catch_up()
    operator.nlb.DeleteListener(ListenerId=gone)
    node.pull()
    assert [each["first"] for each in node.held[f"balancer/{balancer}/local-a"]["listeners"]] == [
        81
    ]
    with refused("ResourceNotFound.Listener", 404, gone):
        operator.nlb.DeleteListener(ListenerId=gone)
    assert operator.nlb.GetListenerAttribute(ListenerId=stays)["ListenerPort"] == 81


def test_a_group_goes_when_no_listener_uses_it_and_its_vpc_after_it(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.5")
    listener = world.listener(balancer, group)
    with refused("ResourceInUse.ServerGroup", 400, group, listener, balancer):
        operator.nlb.DeleteServerGroup(ServerGroupId=group)
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    with refused("DependencyViolation.ServerGroup", 400, network.vpc, group):
        operator.vpc.DeleteVpc(VpcId=network.vpc)
    operator.nlb.DeleteServerGroup(ServerGroupId=group)
    with refused("ResourceNotFound.ServerGroup", 404, group):
        operator.nlb.DeleteServerGroup(ServerGroupId=group)
    operator.vpc.DeleteVpc(VpcId=network.vpc)
