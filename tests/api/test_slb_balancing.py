"""CLB: how a listener shares out flows, how it checks servers, idle times, and what drains."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.world import World

# As the official SDK spells it where a listener is created, and where it is changed.
NEW, LATER = "healthCheckInterval", "HealthCheckInterval"


def servers(*addresses: str) -> str:
    """Default servers as callers name them."""
    return json.dumps([{"ServerId": each, "Type": "eniip"} for each in addresses])


def shown(account: Account, clb: str, protocol: str = "TCP") -> Answer:
    """The listener on port 80."""
    show = getattr(account.slb, f"DescribeLoadBalancer{protocol}ListenerAttribute")
    return dict(show(LoadBalancerId=clb, ListenerPort=80))


def told(node: Node, clb: str) -> list[Answer]:
    """What the node was told of the listeners."""
    node.catch_up()
    found: list[Answer] = node.held[f"balancer/{clb}/local-a"]["listeners"]
    return found


def change(account: Account, clb: str, protocol: str = "TCP", **given: Any) -> None:
    """Change the listener on port 80."""
    call = getattr(account.slb, f"SetLoadBalancer{protocol}ListenerAttribute")
    call(LoadBalancerId=clb, ListenerPort=80, **given)


@pytest.mark.parametrize("scheduler", ["wrr", "rr", "wlc", "sch", "tch"])
@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_each_listener_has_a_scheduler(
    operator: Account, world: World, node: Node, protocol: str, scheduler: str
) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb, protocol=protocol.lower(), BackendServerPort=80, Scheduler=scheduler)
    wanted = "wrr" if scheduler == "rr" else scheduler
    assert shown(operator, clb, protocol)["Scheduler"] == scheduler
    assert told(node, clb)[0]["scheduler"] == wanted
    change(operator, clb, protocol, Scheduler="wlc")
    change(operator, clb, protocol, Description="the shop")
    assert shown(operator, clb, protocol)["Scheduler"] == "wlc"
    assert told(node, clb)[0]["scheduler"] == "wlc"


def test_a_listener_on_tcp_is_checked_as_it_says(
    operator: Account, world: World, node: Node
) -> None:
    clb = world.clb(world.network())
    world.clb_listener(
        clb,
        BackendServerPort=8080,
        HealthCheckSwitch="on",
        HealthCheckType="http",
        HealthCheckConnectPort=8081,
        HealthCheckConnectTimeout=300,
        HealthyThreshold=2,
        UnhealthyThreshold=10,
        HealthCheckDomain="shop.example",
        HealthCheckURI="/well",
        HealthCheckHttpCode="http_2xx,http_3xx",
        **{NEW: 50},
    )
    (listener,) = told(node, clb)
    assert listener["group"] == clb
    assert listener["check"] == {
        "kind": "HTTP",
        "port": 8081,
        "interval": 50,
        "timeout": 300,
        "rise": 2,
        "fall": 10,
        "method": "HEAD",
        "path": "/well",
        "host": "shop.example",
        "version": "HTTP/1.0",
        "codes": ["http_2xx", "http_3xx"],
        "request": "",
        "expected": "",
    }
    change(operator, clb, HealthCheckType="tcp", HealthCheckConnectPort=-520, **{LATER: 3})
    about = shown(operator, clb)
    assert (about["HealthCheck"], about["HealthCheckType"]) == ("on", "tcp")
    assert (about["HealthCheckConnectPort"], about["HealthCheckInterval"]) == (8080, 3)
    assert (about["HealthCheckURI"], about["HealthCheckHttpCode"]) == (
        "/well",
        "http_2xx,http_3xx",
    )
    (listener,) = told(node, clb)
    assert (listener["check"]["kind"], listener["check"]["port"]) == ("TCP", 0)
    change(operator, clb, HealthCheckSwitch="off")
    assert shown(operator, clb)["HealthCheck"] == "off"
    assert told(node, clb)[0]["check"] is None


def test_a_listener_on_udp_is_checked_with_a_datagram(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    clb = world.clb(world.network())
    asked = {"healthCheckReq": "ping", "healthCheckExp": "pong", NEW: 50}
    world.clb_listener(clb, protocol="udp", BackendServerPort=80, **asked)
    about = shown(operator, clb, "UDP")
    assert (about["HealthCheckReq"], about["HealthCheckExp"]) == ("ping", "pong")
    assert (about["HealthCheck"], about["HealthCheckInterval"]) == ("on", 50)
    check = told(node, clb)[0]["check"]
    assert (check["kind"], check["request"], check["expected"]) == ("UDP", "ping", "pong")
    with refused("InvalidhealthCheckExp", 400, "'pong'", "Say what is sent"):
        change(operator, clb, "UDP", healthCheckReq="")
    change(operator, clb, "UDP", healthCheckReq="", healthCheckExp="", **{LATER: 7})
    assert told(node, clb)[0]["check"] == check | {"request": "", "expected": "", "interval": 7}


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"HealthCheckConnectPort": 0}, "HealthCheckConnectPort", "1 to 65535"),
        ({"HealthCheckConnectPort": 65536}, "HealthCheckConnectPort", "1 to 65535"),
        ({"HealthCheckConnectTimeout": 301}, "HealthCheckConnectTimeout", "1 to 300"),
        ({LATER: 51}, LATER, "1 to 50"),
        ({LATER: 0}, LATER, "1 to 50"),
        ({"HealthyThreshold": 1}, "HealthyThreshold", "2 to 10"),
        ({"UnhealthyThreshold": 11}, "UnhealthyThreshold", "2 to 10"),
        ({"HealthCheckDomain": "a b"}, "HealthCheckDomain", "$_ip"),
        ({"HealthCheckURI": "well"}, "HealthCheckURI", "begins with a slash"),
        ({"HealthCheckHttpCode": "200"}, "HealthCheckHttpCode", "http_2xx"),
        ({"EstablishedTimeout": 9}, "EstablishedTimeout", "10 to 900"),
        ({"EstablishedTimeout": 901}, "EstablishedTimeout", "10 to 900"),
        (
            {"ConnectionDrain": "on", "ConnectionDrainTimeout": 9},
            "ConnectionDrainTimeout",
            "10 to 900",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    operator: Account,
    world: World,
    refused: Refused,
    given: dict[str, Any],
    code: str,
    words: str,
) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb)
    with refused(f"Invalid{code}", 400, code, words):
        change(operator, clb, **given)
    created = {NEW if name == LATER else name: value for name, value in given.items()}
    code = NEW if code == LATER else code
    with refused(f"Invalid{code}", 400, code, words):
        world.clb_listener(clb, 81, BackendServerPort=80, **created)


def test_a_flow_ends_after_a_silence(operator: Account, world: World, node: Node) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb, EstablishedTimeout=10, BackendServerPort=80)
    assert shown(operator, clb)["EstablishedTimeout"] == 10
    change(operator, clb, EstablishedTimeout=900)
    assert told(node, clb)[0]["idle"] == 900


def test_a_server_drains_from_the_listeners_that_let_it(
    operator: Account, world: World, node: Node, stage: Stage, refused: Refused
) -> None:
    clb = world.clb(world.network())
    with refused("MissingConnectionDrainTimeout", 400, "10 to 900"):
        world.clb_listener(clb, BackendServerPort=80, ConnectionDrain="on")
    world.clb_listener(clb, BackendServerPort=80)
    world.clb_listener(clb, protocol="udp", BackendServerPort=80)
    change(operator, clb, ConnectionDrain="on", ConnectionDrainTimeout=900)
    about = shown(operator, clb)
    assert (about["ConnectionDrain"], about["ConnectionDrainTimeout"]) == ("on", 900)
    where = {"LoadBalancerId": clb}
    operator.slb.AddBackendServers(**where, BackendServers=servers("10.0.0.5", "10.0.0.6"))
    operator.slb.RemoveBackendServers(**where, BackendServers=servers("10.0.0.5"))
    held = {
        each["protocol"]: [(one["address"], one["weight"]) for one in each["servers"]]
        for each in told(node, clb)
    }
    assert held == {
        "TCP": [("10.0.0.5", 0), ("10.0.0.6", 100)],
        "UDP": [("10.0.0.6", 100)],
    }
    left = operator.slb.DescribeLoadBalancerAttribute(**where)["BackendServers"]["BackendServer"]
    assert [each["ServerId"] for each in left] == ["10.0.0.6"]
    stage.end_draining()
    node.report()
    assert [len(each["servers"]) for each in told(node, clb)] == [1, 1]
    change(operator, clb, ConnectionDrain="off")
    assert "ConnectionDrainTimeout" not in shown(operator, clb)
    operator.slb.RemoveBackendServers(**where, BackendServers=servers("10.0.0.6"))
    assert [each["servers"] for each in told(node, clb)] == [[], []]


def test_a_listener_on_tcp_moves_to_a_vserver_group_and_back(
    operator: Account, world: World, node: Node
) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb)
    group = operator.slb.CreateVServerGroup(LoadBalancerId=clb)["VServerGroupId"]
    change(operator, clb, VServerGroup="on", VServerGroupId=group)
    assert told(node, clb)[0]["group"] == group
    change(operator, clb, VServerGroup="off")
    assert told(node, clb)[0]["group"] == clb
