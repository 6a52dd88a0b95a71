"""NLB: how flows are shared out, how servers are checked, idle times, zones, and what drains."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.world import A, B, C, Network, World

CHECKED = {
    "HealthCheckEnabled": True,
    "HealthCheckType": "HTTP",
    "HealthCheckConnectPort": 8081,
    "HealthCheckConnectTimeout": 3,
    "HealthCheckInterval": 50,
    "HealthyThreshold": 4,
    "UnhealthyThreshold": 10,
    "HttpCheckMethod": "HEAD",
    "HealthCheckUrl": "/well?deep=1",
    "HealthCheckDomain": "shop.example",
    "HealthCheckHttpVersion": "HTTP1.1",
    "HealthCheckHttpCode": ["http_2xx", "http_3xx"],
}
BY_DEFAULT = {
    "HealthCheckEnabled": True,
    "HealthCheckType": "TCP",
    "HealthCheckConnectPort": 0,
    "HealthCheckConnectTimeout": 5,
    "HealthCheckInterval": 5,
    "HealthyThreshold": 2,
    "UnhealthyThreshold": 2,
    "HttpCheckMethod": "GET",
    "HealthCheckUrl": "/",
    "HealthCheckDomain": "$SERVER_IP",
    "HealthCheckHttpVersion": "HTTP1.0",
    "HealthCheckHttpCode": ["http_2xx"],
}


def shown(account: Account, group: str) -> Answer:
    """A server group as it is listed."""
    (found,) = account.nlb.ListServerGroups(ServerGroupIds=[group])["ServerGroups"]
    return dict(found)


def told(node: Node, balancer: str, zone: str = A) -> Answer:
    """What the node was told of the balancer's one listener."""
    node.catch_up()
    (found,) = node.held[f"balancer/{balancer}/{zone}"]["listeners"]
    return dict(found)


def statuses(account: Account, group: str) -> dict[str, str]:
    """What becomes of the servers of a group."""
    listed = account.nlb.ListServerGroupServers(ServerGroupId=group)["Servers"]
    return {each["ServerIp"]: each["Status"] for each in listed}


def take_out(account: Account, group: str, *addresses: str) -> None:
    """Take servers on port 80 out of a group."""
    gone = [{"ServerType": "Ip", "ServerId": each, "Port": 80} for each in addresses]
    account.nlb.RemoveServersFromServerGroup(ServerGroupId=group, Servers=gone)


def test_a_balancer_is_told_in_each_of_its_zones(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network(A, B, C)
    balancer = world.balancer(network, A, B)
    group = world.server_group(network, "10.0.0.5", "10.0.1.5", "10.0.2.5", "10.0.9.5")
    world.listener(balancer, group)
    node.catch_up()
    about = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    addresses = {
        each["ZoneId"]: each["LoadBalancerAddresses"][0]["PrivateIPv4Address"]
        for each in about["ZoneMappings"]
    }
    held = {zone: node.held[f"balancer/{balancer}/{zone}"] for zone in (A, B)}
    assert f"balancer/{balancer}/{C}" not in node.held
    assert {zone: item["address"] for zone, item in held.items()} == addresses
    assert [item["zone"] for item in held.values()] == [A, B]
    assert held[A]["number"] != held[B]["number"]
    assert held[A]["opening"] != held[B]["opening"]
    for item in held.values():
        assert [each["zone"] for each in item["listeners"][0]["servers"]] == [A, B, C, ""]
        assert item["mac"] and item["network"]
    enis = operator.ecs.DescribeNetworkInterfaces(VpcId=network.vpc)["NetworkInterfaceSets"]
    there = {each["PrivateIpAddress"]: each["MacAddress"] for each in enis["NetworkInterfaceSet"]}
    assert there == {item["address"]: item["mac"] for item in held.values()}
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    node.catch_up()
    assert [key for key in node.held if key.startswith("balancer/")] == []


def test_an_endpoint_zone_leads_to_the_balancer_in_its_zone(world: World, node: Node) -> None:
    provider, consumer = world.network(A, B), world.network(A, B)
    balancer = world.balancer(provider)
    endpoint = world.endpoint(world.service(balancer, [A, B]), consumer, A, B)
    node.fail(f"balancer/{balancer}/{B}")
    node.catch_up()
    for zone in (A, B):
        number = node.held[f"balancer/{balancer}/{zone}"]["number"]
        assert node.forward(endpoint, zone)["opening"]["balancer"] == number
    zones = {zone: each["ZoneStatus"] for zone, each in world.zones(endpoint).items()}
    assert (zones[A], zones[B] == "Connected") == ("Connected", False)
    node.recover()
    node.catch_up()
    assert {each["ZoneStatus"] for each in world.zones(endpoint).values()} == {"Connected"}


def test_a_server_has_the_zone_of_its_vswitch_also_when_that_comes_later(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.7.5")
    world.listener(balancer, group)
    assert told(node, balancer)["servers"][0]["zone"] == ""
    world.vswitch(network.vpc, "10.0.6.0/24", C)
    node.pull()
    assert f"balancer/{balancer}/{A}" not in node.seen
    later = world.vswitch(network.vpc, "10.0.7.0/24", B)
    assert told(node, balancer)["servers"][0]["zone"] == B
    (listed,) = operator.nlb.ListServerGroupServers(ServerGroupId=group)["Servers"]
    assert listed["ZoneId"] == B
    operator.vpc.DeleteVSwitch(VSwitchId=later)
    assert told(node, balancer)["servers"][0]["zone"] == ""


def test_flows_cross_zones_unless_told_otherwise(
    operator: Account, world: World, node: Node
) -> None:
    balancer = world.balancer(world.network(A, B))
    update = operator.nlb.UpdateLoadBalancerAttribute

    def crosses() -> set[bool]:
        node.catch_up()
        about = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
        (listed,) = operator.nlb.ListLoadBalancers()["LoadBalancers"]
        held = [node.held[f"balancer/{balancer}/{zone}"]["cross_zone"] for zone in (A, B)]
        return {*held, about["CrossZoneEnabled"], listed["CrossZoneEnabled"]}

    assert crosses() == {True}
    job = update(LoadBalancerId=balancer, CrossZoneEnabled=False)["JobId"]
    assert operator.nlb.GetJobStatus(JobId=job)["Status"] == "Processing"
    assert crosses() == {False}
    update(LoadBalancerId=balancer, LoadBalancerName="shop")
    assert crosses() == {False}
    update(LoadBalancerId=balancer, CrossZoneEnabled=True)
    assert crosses() == {True}


@pytest.mark.parametrize("given", ["Wrr", "Rr", "rr", "Wlc", "Sch", "sch", "Tch", "tch"])
def test_a_scheduler_is_taken_shown_and_told(
    operator: Account, world: World, node: Node, given: str
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, Scheduler=given)
    world.listener(balancer, group)
    assert shown(operator, group)["Scheduler"] == given
    assert told(node, balancer)["scheduler"] == given.lower().replace("rr", "wrr", 1).replace(
        "wwrr", "wrr"
    )


def test_a_scheduler_changes(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    world.listener(balancer, group)
    assert told(node, balancer)["scheduler"] == "wrr"
    operator.nlb.UpdateServerGroupAttribute(ServerGroupId=group, Scheduler="Tch")
    assert told(node, balancer)["scheduler"] == "tch"
    operator.nlb.UpdateServerGroupAttribute(ServerGroupId=group, Scheduler="Tch")
    node.pull()
    assert node.seen == []


def test_a_group_is_checked_unless_told_otherwise(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    world.listener(balancer, group)
    assert shown(operator, group)["HealthCheck"] == BY_DEFAULT
    found = told(node, balancer)
    assert (found["group"], found["check"]["kind"], found["check"]["interval"]) == (group, "TCP", 5)
    update = operator.nlb.UpdateServerGroupAttribute
    update(ServerGroupId=group, HealthCheckConfig=CHECKED)
    assert shown(operator, group)["HealthCheck"] == CHECKED
    assert told(node, balancer)["check"] == {
        "kind": "HTTP",
        "port": 8081,
        "interval": 50,
        "timeout": 3,
        "rise": 4,
        "fall": 10,
        "method": "HEAD",
        "path": "/well?deep=1",
        "host": "shop.example",
        "version": "HTTP/1.1",
        "codes": ["http_2xx", "http_3xx"],
        "request": "",
        "expected": "",
    }
    update(ServerGroupId=group, HealthCheckConfig={"HealthCheckEnabled": False})
    assert told(node, balancer)["check"] is None
    assert shown(operator, group)["HealthCheck"] == CHECKED | {"HealthCheckEnabled": False}
    back = {"HealthCheckEnabled": True, "HealthCheckDomain": "$SERVER_IP"}
    update(ServerGroupId=group, HealthCheckConfig=back)
    assert shown(operator, group)["HealthCheck"] == CHECKED | back
    assert told(node, balancer)["check"]["host"] == ""


def test_a_group_on_udp_is_checked_with_a_datagram(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    asked = {"HealthCheckReq": "ping", "HealthCheckExp": "pong", "HealthCheckInterval": 300}
    group = world.server_group(network, Protocol="UDP", HealthCheckConfig=asked)
    world.listener(balancer, group, 53, "UDP")
    wanted = BY_DEFAULT | {"HealthCheckType": "UDP"} | asked
    assert shown(operator, group)["HealthCheck"] == wanted
    check = told(node, balancer)["check"]
    assert (check["kind"], check["request"], check["expected"]) == ("UDP", "ping", "pong")
    by_tcp = {"HealthCheckType": "TCP", "HealthCheckInterval": 10}
    operator.nlb.UpdateServerGroupAttribute(ServerGroupId=group, HealthCheckConfig=by_tcp)
    assert shown(operator, group)["HealthCheck"] == BY_DEFAULT | by_tcp


def test_servers_on_any_port_are_checked_on_one_that_is_named(
    operator: Account, world: World, refused: Refused
) -> None:
    group = world.server_group(world.network(), AnyPortEnabled=True)
    update = operator.nlb.UpdateServerGroupAttribute
    assert shown(operator, group)["HealthCheck"]["HealthCheckEnabled"] is False
    with refused("InvalidHealthCheckConfig", 400, "HealthCheckConnectPort", "AnyPortEnabled"):
        update(ServerGroupId=group, HealthCheckConfig={"HealthCheckEnabled": True})
    asked = {"HealthCheckEnabled": True, "HealthCheckConnectPort": 80}
    update(ServerGroupId=group, HealthCheckConfig=asked)
    assert shown(operator, group)["HealthCheck"] == BY_DEFAULT | asked


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"HealthCheckEnabled": "maybe"}, ["HealthCheckEnabled"]),
        ({"HealthCheckType": "HTTPS"}, ["HealthCheckType", "TCP, HTTP or UDP"]),
        ({"HealthCheckType": "UDP"}, ["HealthCheckType", "servers on TCP"]),
        ({"HealthCheckConnectPort": -1}, ["HealthCheckConnectPort", "1 to 65535"]),
        ({"HealthCheckConnectPort": 65536}, ["HealthCheckConnectPort", "1 to 65535"]),
        ({"HealthCheckConnectTimeout": 0}, ["HealthCheckConnectTimeout", "1 to 300"]),
        ({"HealthCheckConnectTimeout": 301}, ["HealthCheckConnectTimeout", "1 to 300"]),
        ({"HealthCheckInterval": 0}, ["HealthCheckInterval", "1 to 50"]),
        ({"HealthCheckInterval": 51}, ["HealthCheckInterval", "'51'", "TCP check"]),
        (
            {"HealthCheckType": "HTTP", "HealthCheckInterval": 300},
            ["HealthCheckInterval", "HTTP check"],
        ),
        ({"HealthyThreshold": 1}, ["HealthyThreshold", "2 to 10"]),
        ({"UnhealthyThreshold": 11}, ["UnhealthyThreshold", "2 to 10"]),
        ({"HttpCheckMethod": "POST"}, ["HttpCheckMethod", "GET or HEAD"]),
        ({"HealthCheckUrl": "well"}, ["HealthCheckUrl", "begins with a slash"]),
        ({"HealthCheckUrl": "/" + "x" * 80}, ["HealthCheckUrl", "up to 80"]),
        ({"HealthCheckUrl": "/a b"}, ["HealthCheckUrl"]),
        ({"HealthCheckUrl": "/a\r\nb"}, ["HealthCheckUrl"]),
        ({"HealthCheckDomain": "a_b"}, ["HealthCheckDomain", "$SERVER_IP"]),
        ({"HealthCheckDomain": "x" * 81}, ["HealthCheckDomain", "up to 80"]),
        ({"HealthCheckHttpVersion": "HTTP2.0"}, ["HealthCheckHttpVersion", "HTTP1.1"]),
        ({"HealthCheckHttpCode": ["200"]}, ["HealthCheckHttpCode", "http_2xx"]),
        ({"HealthCheckReq": "ping"}, ["HealthCheckReq", "HealthCheckType=UDP"]),
        ({"HealthCheckExp": "pong"}, ["HealthCheckExp", "HealthCheckType=UDP"]),
        ({"HealthCheckReq": "two words"}, ["HealthCheckReq", "letters and digits"]),
        ({"HealthCheckReq": "x" * 513}, ["HealthCheckReq", "up to 512"]),
    ],
)
def test_a_check_that_makes_no_sense_is_refused(
    operator: Account, world: World, refused: Refused, given: dict[str, Any], words: list[str]
) -> None:
    network = world.network()
    group = world.server_group(network)
    with refused("InvalidHealthCheckConfig", 400, *words):
        world.server_group(network, HealthCheckConfig=given)
    with refused("InvalidHealthCheckConfig", 400, *words):
        operator.nlb.UpdateServerGroupAttribute(ServerGroupId=group, HealthCheckConfig=given)


def test_an_answer_is_expected_to_a_request(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    with refused("InvalidHealthCheckConfig", 400, "HealthCheckExp", "'pong'", "Say what is sent"):
        world.server_group(network, Protocol="UDP", HealthCheckConfig={"HealthCheckExp": "pong"})
    both = {"HealthCheckType": "UDP", "HealthCheckReq": "ping", "HealthCheckExp": "pong"}
    group = world.server_group(network, Protocol="TCP_UDP", HealthCheckConfig=both)
    with refused("InvalidHealthCheckConfig", 400, "HealthCheckExp", "'pong'"):
        operator.nlb.UpdateServerGroupAttribute(
            ServerGroupId=group, HealthCheckConfig={"HealthCheckReq": ""}
        )


@pytest.mark.parametrize(("protocol", "default"), [("TCP", 900), ("UDP", 60)])
def test_a_flow_ends_after_a_silence(
    operator: Account,
    world: World,
    node: Node,
    refused: Refused,
    protocol: str,
    default: int,
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, Protocol="TCP_UDP")
    listener = world.listener(balancer, group, 53, protocol)

    def idle() -> tuple[int, int]:
        (listed,) = operator.nlb.ListListeners()["Listeners"]
        one = operator.nlb.GetListenerAttribute(ListenerId=listener)
        return listed["IdleTimeout"], one["IdleTimeout"]

    update = operator.nlb.UpdateListenerAttribute
    assert idle() == (default, default)
    assert told(node, balancer)["idle"] == 0
    update(ListenerId=listener, IdleTimeout=1)
    assert idle() == (1, 1)
    assert told(node, balancer)["idle"] == 1
    for wrong in (0, 901):
        with refused("InvalidIdleTimeout", 400, f"'{wrong}'", "1 to 900"):
            update(ListenerId=listener, IdleTimeout=wrong)
        with refused("InvalidIdleTimeout", 400, f"'{wrong}'", "1 to 900"):
            world.listener(balancer, group, 54, protocol, IdleTimeout=wrong)
    operator.nlb.DeleteListener(ListenerId=listener)
    listener = world.listener(balancer, group, 53, protocol, IdleTimeout=900)
    assert idle() == (900, 900)


def test_draining_is_set_and_shown(operator: Account, world: World, refused: Refused) -> None:
    group = world.server_group(world.network())
    update = operator.nlb.UpdateServerGroupAttribute

    def drain() -> tuple[bool, int]:
        found = shown(operator, group)
        return found["ConnectionDrainEnabled"], found["ConnectionDrainTimeout"]

    assert drain() == (False, 300)
    update(ServerGroupId=group, ConnectionDrainEnabled=True, ConnectionDrainTimeout=900)
    assert drain() == (True, 900)
    update(ServerGroupId=group, ConnectionDrainEnabled=False)
    assert drain() == (False, 900)
    for wrong in (-1, 901):
        with refused("InvalidConnectionDrainTimeout", 400, f"'{wrong}'", "0 to 900"):
            update(ServerGroupId=group, ConnectionDrainTimeout=wrong)


def draining(world: World, network: Network, *servers: str) -> tuple[str, str, str]:
    """A balancer, its one listener, and the group of servers behind it, whose connections drain."""
    balancer = world.balancer(network)
    group = world.server_group(network, *servers, ConnectionDrainEnabled=True)
    return balancer, world.listener(balancer, group), group


def test_a_server_that_is_taken_out_drains(
    operator: Account, world: World, node: Node, stage: Stage, refused: Refused
) -> None:
    network = world.network()
    balancer, _, group = draining(world, network, "10.0.0.5", "10.0.0.6")
    take_out(operator, group, "10.0.0.5")
    assert [(each["address"], each["weight"]) for each in told(node, balancer)["servers"]] == [
        ("10.0.0.5", 0),
        ("10.0.0.6", 100),
    ]
    assert statuses(operator, group) == {"10.0.0.5": "Removing", "10.0.0.6": "Available"}
    assert shown(operator, group)["ServerCount"] == 1
    with refused("ResourceNotFound.BackendServer", 404, "10.0.0.5 port 80"):
        take_out(operator, group, "10.0.0.5")
    node.report()
    node.pull()
    assert node.seen == []
    stage.end_draining()
    node.report()
    assert statuses(operator, group) == {"10.0.0.6": "Available"}
    assert [each["address"] for each in told(node, balancer)["servers"]] == ["10.0.0.6"]


def test_a_server_that_starts_looks_what_has_drained(
    operator: Account, world: World, node: Node, stage: Stage
) -> None:
    _, _, group = draining(world, world.network(), "10.0.0.5")
    take_out(operator, group, "10.0.0.5")
    stage.restart()
    assert statuses(operator, group) == {"10.0.0.5": "Removing"}
    stage.end_draining()
    stage.restart()
    assert statuses(operator, group) == {}


def test_a_server_that_drains_may_come_back(
    operator: Account, world: World, node: Node, stage: Stage
) -> None:
    network = world.network()
    balancer, _, group = draining(world, network, "10.0.0.5")
    take_out(operator, group, "10.0.0.5")
    again = {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80, "Weight": 30}
    operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[again])
    assert statuses(operator, group) == {"10.0.0.5": "Available"}
    stage.end_draining()
    node.report()
    (back,) = told(node, balancer)["servers"]
    assert (back["address"], back["weight"]) == ("10.0.0.5", 30)


def test_what_drains_goes_with_what_it_drains_from(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    _, listener, group = draining(world, network, "10.0.0.5")
    take_out(operator, group, "10.0.0.5")
    operator.nlb.DeleteListener(ListenerId=listener)
    assert statuses(operator, group) == {}
    balancer, _, second = draining(world, network, "10.0.0.6")
    take_out(operator, second, "10.0.0.6")
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    assert statuses(operator, second) == {}
    operator.nlb.DeleteServerGroup(ServerGroupId=second)


@pytest.mark.parametrize(
    "settings",
    [
        {"ConnectionDrainEnabled": False},
        {"ConnectionDrainEnabled": True, "ConnectionDrainTimeout": 0},
    ],
)
def test_without_a_time_to_drain_a_server_is_gone_at_once(
    operator: Account, world: World, node: Node, settings: dict[str, Any]
) -> None:
    network = world.network()
    balancer = world.balancer(network)
    group = world.server_group(network, "10.0.0.5", **settings)
    world.listener(balancer, group)
    take_out(operator, group, "10.0.0.5")
    assert statuses(operator, group) == {}
    assert told(node, balancer)["servers"] == []


def test_a_server_nobody_leads_to_has_nothing_to_drain(operator: Account, world: World) -> None:
    group = world.server_group(world.network(), "10.0.0.5", ConnectionDrainEnabled=True)
    take_out(operator, group, "10.0.0.5")
    assert statuses(operator, group) == {}
