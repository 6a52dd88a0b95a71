"""NLB: listeners on UDP and on ranges of ports, and the server groups that fit behind them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import World


def told(node: Node, balancer: str) -> list[Answer]:
    """The listeners the node was told of that are not stopped."""
    node.catch_up()
    found: list[Answer] = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    return [each for each in found if {server["weight"] for server in each["servers"]} != {0}]


def test_tcp_and_udp_have_their_ports_apart(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    names = world.server_group(network, "10.0.0.5", port=53, Protocol="TCP_UDP")
    udp = world.listener(balancer, names, 53, "UDP")
    tcp = world.listener(balancer, names, 53)
    server = {"address": "10.0.0.5", "port": 53, "weight": 100, "zone": "local-a"}
    assert [
        (each["protocol"], each["first"], each["last"], each["servers"])
        for each in told(node, balancer)
    ] == [("TCP", 53, 53, [server]), ("UDP", 53, 53, [server])]
    shown = operator.nlb.GetListenerAttribute(ListenerId=udp)
    assert (shown["ListenerProtocol"], shown["ListenerPort"]) == ("UDP", 53)
    assert shown["ListenerStatus"] == "Running"
    assert shown.keys() & {"StartPort", "EndPort"} == set()
    (one,) = operator.nlb.ListListeners(ListenerProtocol="UDP")["Listeners"]
    assert one["ListenerId"] == udp
    with refused("ResourceAlreadyExist.Listener", 400, balancer, "UDP port 53", udp):
        world.listener(balancer, names, 53, "UDP")
    operator.nlb.StopListener(ListenerId=udp)
    assert [each["protocol"] for each in told(node, balancer)] == ["TCP"]
    operator.nlb.DeleteListener(ListenerId=tcp)
    operator.nlb.StartListener(ListenerId=udp)
    assert [each["protocol"] for each in told(node, balancer)] == ["UDP"]


def test_tls_is_not_carried(world: World, refused: Refused) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    with refused("InvalidListenerProtocol", 400, "'TCPSSL'", "reached through PrivateLink"):
        world.listener(balancer, group, 443, "TCPSSL")


@pytest.mark.parametrize(
    ("group", "listener", "fits"),
    [
        ("TCP", "TCP", True),
        ("UDP", "UDP", True),
        ("TCP_UDP", "TCP", True),
        ("TCP_UDP", "UDP", True),
        ("TCP", "UDP", False),
        ("UDP", "TCP", False),
    ],
)
def test_a_group_is_for_listeners_of_its_protocol(
    operator: Account, world: World, refused: Refused, group: str, listener: str, fits: bool
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    wanted = world.server_group(network, Protocol=group)
    other = world.listener(balancer, world.server_group(network, Protocol=listener), 1, listener)
    if fits:
        world.listener(balancer, wanted, 53, listener)
        operator.nlb.UpdateListenerAttribute(ListenerId=other, ServerGroupId=wanted)
        return
    words = (wanted, f"Protocol {group}", f"a {listener} listener", f"{listener} or TCP_UDP")
    with refused("Mismatch.Protocol", 400, *words):
        world.listener(balancer, wanted, 53, listener)
    with refused("Mismatch.Protocol", 400, *words):
        operator.nlb.UpdateListenerAttribute(ListenerId=other, ServerGroupId=wanted)
    assert len(operator.nlb.ListListeners()["Listeners"]) == 1


def test_a_range_is_one_listener_and_keeps_the_clients_port(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    group = world.server_group(network, "10.0.0.5", port=0, AnyPortEnabled=True, Protocol="UDP")
    listener = world.listener(balancer, group, 0, "UDP", StartPort=1, EndPort=65535)
    (ranged,) = told(node, balancer)
    assert (ranged["protocol"], ranged["first"], ranged["last"]) == ("UDP", 1, 65535)
    assert ranged["servers"] == [
        {"address": "10.0.0.5", "port": 0, "weight": 100, "zone": "local-a"}
    ]
    shown = operator.nlb.GetListenerAttribute(ListenerId=listener)
    (listed,) = operator.nlb.ListListeners()["Listeners"]
    for each in (shown, listed):
        assert (each["ListenerPort"], each["StartPort"], each["EndPort"]) == (0, "1", "65535")
    (about,) = operator.nlb.ListServerGroups()["ServerGroups"]
    assert (about["AnyPortEnabled"], about["Protocol"]) == (True, "UDP")


def test_a_range_from_port_0_has_no_port_0(world: World, node: Node) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, AnyPortEnabled=True)
    world.listener(balancer, group, 0, StartPort=0, EndPort=1023)
    (only,) = told(node, balancer)
    assert (only["first"], only["last"]) == (1, 1023)


def test_one_port_may_lead_to_servers_on_any(world: World, node: Node) -> None:
    network = world.network()
    balancer = world.balancer(network)
    group = world.server_group(network, "10.0.0.5", port=0, AnyPortEnabled=True)
    world.listener(balancer, group, 80)
    world.listener(balancer, group, 81)
    assert [(each["first"], each["servers"][0]["port"]) for each in told(node, balancer)] == [
        (80, 0),
        (81, 0),
    ]


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"ListenerPort": 0}, "MissingStartPort", "a StartPort and an EndPort"),
        ({"ListenerPort": 0, "StartPort": 1}, "MissingEndPort", "a StartPort and an EndPort"),
        ({"ListenerPort": 0, "EndPort": 9}, "MissingStartPort", "a StartPort and an EndPort"),
        ({"ListenerPort": 80, "StartPort": 1}, "InvalidStartPort", "ListenerPort=0 alone"),
        ({"ListenerPort": 80, "EndPort": 9}, "InvalidEndPort", "ListenerPort=0 alone"),
        (
            {"ListenerPort": 0, "StartPort": 9, "EndPort": 9},
            "InvalidEndPort",
            "greater than StartPort, 9",
        ),
        ({"ListenerPort": 0, "StartPort": 9, "EndPort": 1}, "InvalidEndPort", "'1' was given"),
        (
            {"ListenerPort": 0, "StartPort": 1, "EndPort": 65536},
            "InvalidEndPort",
            "'65536' was given; an end of a range is 0 to 65535",
        ),
        (
            {"ListenerPort": 0, "StartPort": -1, "EndPort": 9},
            "InvalidStartPort",
            "'-1' was given; an end of a range is 0 to 65535",
        ),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(
    operator: Account,
    world: World,
    refused: Refused,
    asked: dict[str, Any],
    code: str,
    words: str,
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, AnyPortEnabled=True)
    with refused(code, 400, words):
        operator.nlb.CreateListener(
            LoadBalancerId=balancer, ListenerProtocol="TCP", ServerGroupId=group, **asked
        )
    assert operator.nlb.ListListeners()["Listeners"] == []


def test_a_range_needs_servers_that_take_any_port(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    single, any_port = world.server_group(network), world.server_group(network, AnyPortEnabled=True)
    with refused("Mismatch.AnyPortEnabled", 400, "ports 8000-8099", single, "AnyPortEnabled=true"):
        world.listener(balancer, single, 0, StartPort=8000, EndPort=8099)
    listener = world.listener(balancer, any_port, 0, StartPort=8000, EndPort=8099)
    with refused("Mismatch.AnyPortEnabled", 400, single):
        operator.nlb.UpdateListenerAttribute(ListenerId=listener, ServerGroupId=single)
    shown = operator.nlb.GetListenerAttribute(ListenerId=listener)
    assert shown["ServerGroupId"] == any_port


def test_ranges_of_one_protocol_do_not_overlap(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    group = world.server_group(network, AnyPortEnabled=True, Protocol="TCP_UDP")

    def create(first: int, last: int, protocol: str = "TCP") -> str:
        if first == last:
            return world.listener(balancer, group, first, protocol)
        return world.listener(balancer, group, 0, protocol, StartPort=first, EndPort=last)

    middle = create(2000, 3000)
    overlapping = ((2000, 3000), (1, 2000), (3000, 4000), (2500, 2500), (2001, 2002), (1, 9999))
    for first, last in overlapping:
        with refused("ResourceAlreadyExist.Listener", 400, balancer, "TCP port 2000-3000", middle):
            create(first, last)
    create(1999, 1999)
    create(3001, 4000)
    create(1, 65535, "UDP")
    assert operator.nlb.ListListeners()["TotalCount"] == 4
    elsewhere = world.balancer(network)
    world.listener(elsewhere, group, 0, StartPort=2000, EndPort=3000)


def test_the_port_of_a_server_is_said_once(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    any_port, single = world.server_group(network, AnyPortEnabled=True), world.server_group(network)
    add, server = (
        operator.nlb.AddServersToServerGroup,
        {"ServerType": "Ip", "ServerId": "10.0.0.5"},
    )
    with refused("InvalidServers", 400, "Servers.2.Port", "'80'", any_port, "the client says"):
        add(ServerGroupId=any_port, Servers=[server, {**server, "Port": 80}])
    with refused("InvalidServers", 400, "Servers.1.Port", "'0'", "1 to 65535", single):
        add(ServerGroupId=single, Servers=[server])
    add(ServerGroupId=any_port, Servers=[{**server, "Port": 0}])
    with refused("ResourceAlreadyExist.BackendServer", 400, "10.0.0.5 port 0", any_port):
        add(ServerGroupId=any_port, Servers=[server])
    (listed,) = operator.nlb.ListServerGroupServers(ServerGroupId=any_port)["Servers"]
    assert (listed["ServerIp"], listed["Port"]) == ("10.0.0.5", 0)
    operator.nlb.RemoveServersFromServerGroup(ServerGroupId=any_port, Servers=[server])
    assert operator.nlb.ListServerGroupServers(ServerGroupId=any_port)["Servers"] == []


def test_a_group_gets_another_name_and_keeps_the_rest(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    group = world.server_group(
        world.network(), AnyPortEnabled=True, Protocol="UDP", AddressIPVersion="DualStack"
    )
    update, listed = operator.nlb.UpdateServerGroupAttribute, operator.nlb.ListServerGroups
    (before,) = listed()["ServerGroups"]
    answer = update(
        ServerGroupId=group,
        ServerGroupName="names",
        Scheduler="Wrr",
        ConnectionDrainEnabled=False,
        PreserveClientIpEnabled=False,
    )
    assert answer["ServerGroupId"] == group
    node.catch_up()
    assert operator.nlb.GetJobStatus(JobId=answer["JobId"])["Status"] == "Succeeded"
    (after,) = listed()["ServerGroups"]
    assert after == before | {"ServerGroupName": "names"}
    update(ServerGroupId=group)
    for more, code, words in (
        ({"Scheduler": "qch"}, "InvalidScheduler", "no QUIC ids"),
        ({"PreserveClientIpEnabled": True}, "InvalidPreserveClientIpEnabled", "only false"),
        ({"ServerGroupName": "x" * 129}, "InvalidServerGroupName", "up to 128"),
    ):
        with refused(code, 400, words):
            update(ServerGroupId=group, **more)
    with refused("ResourceNotFound.ServerGroup", 404, "'sgp-none'"):
        update(ServerGroupId="sgp-none", ServerGroupName="names")
    assert listed()["ServerGroups"] == [after]
