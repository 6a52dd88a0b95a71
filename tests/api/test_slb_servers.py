"""CLB: listeners, and the servers behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import World


def servers(*given: dict[str, Any] | str, **more: Any) -> str:
    """Backend servers as callers spell them; a text is an address."""
    each = ({"ServerId": g, "Type": "eniip"} if isinstance(g, str) else g for g in given)
    return json.dumps([named | more for named in each])


def listener(account: Account, clb: str, port: int = 80) -> Answer:
    return account.slb.DescribeLoadBalancerTCPListenerAttribute(
        LoadBalancerId=clb, ListenerPort=port
    )


def told(node: Node, clb: str) -> dict[int, list[tuple[str, int, int]]]:
    """What the node was told: servers by the port of a listener where any takes new flows."""
    node.catch_up()
    return {
        each["first"]: [(s["address"], s["port"], s["weight"]) for s in each["servers"]]
        for each in node.held[f"balancer/{clb}/local-a"]["listeners"]
        if any(s["weight"] for s in each["servers"])
    }


def test_a_clb_without_a_started_listener_takes_no_flows(
    operator: Account, world: World, node: Node
) -> None:
    clb = world.clb(world.network())
    operator.slb.AddBackendServers(LoadBalancerId=clb, BackendServers=servers("10.0.0.5"))
    world.clb_listener(clb, start=False)
    assert listener(operator, clb)["Status"] == "stopping"
    assert told(node, clb) == {}
    assert listener(operator, clb)["Status"] == "stopped"
    where = {"LoadBalancerId": clb, "ListenerPort": 80}
    operator.slb.StartLoadBalancerListener(**where, ListenerProtocol="tcp")
    assert listener(operator, clb)["Status"] == "starting"
    assert told(node, clb) == {80: [("10.0.0.5", 80, 100)]}
    assert listener(operator, clb)["Status"] == "running"
    operator.slb.StopLoadBalancerListener(**where)
    assert told(node, clb) == {}
    operator.slb.DeleteLoadBalancerListener(**where)
    about = operator.slb.DescribeLoadBalancerAttribute(LoadBalancerId=clb)
    assert about["ListenerPorts"] == {"ListenerPort": []}


def test_default_servers_have_the_port_that_each_listener_says(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    clb = world.clb(network)
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    eni, address = made["NetworkInterfaceId"], made["PrivateIpAddress"]
    answer = operator.slb.AddBackendServers(
        LoadBalancerId=clb,
        BackendServers=json.dumps(
            [
                {"ServerId": eni, "Type": "eni", "Weight": "40", "Description": "web"},
                {"ServerId": "10.0.0.77", "Type": "eniip", "ServerIp": "10.0.0.77"},
            ]
        ),
    )
    assert {
        each["ServerId"]: each["Weight"] for each in answer["BackendServers"]["BackendServer"]
    } == {
        eni: "40",
        "10.0.0.77": "100",
    }
    world.clb_listener(clb, 80, BackendServerPort=8080)
    world.clb_listener(clb, 81, BackendServerPort=8081)
    assert told(node, clb) == {
        80: [(address, 8080, 40), ("10.0.0.77", 8080, 100)],
        81: [(address, 8081, 40), ("10.0.0.77", 8081, 100)],
    }
    about = operator.slb.DescribeLoadBalancerAttribute(LoadBalancerId=clb)
    first = about["BackendServers"]["BackendServer"][0]
    assert first == {
        "ServerId": eni,
        "ServerIp": address,
        "Type": "eni",
        "Weight": 40,
        "Description": "web",
    }
    assert about["ListenerPorts"] == {"ListenerPort": [80, 81]}
    ports = about["ListenerPortsAndProtocol"]["ListenerPortAndProtocol"]
    assert [(each["ListenerPort"], each["ListenerProtocol"]) for each in ports] == [
        (80, "tcp"),
        (81, "tcp"),
    ]
    assert listener(operator, clb, 81)["BackendServerPort"] == 8081


def test_default_servers_are_weighed_and_taken_off(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb)
    where = {"LoadBalancerId": clb}
    operator.slb.AddBackendServers(**where, BackendServers=servers("10.0.0.5", "10.0.0.6"))
    operator.slb.SetBackendServers(**where, BackendServers=servers("10.0.0.5", Weight=0))
    assert told(node, clb) == {80: [("10.0.0.5", 80, 0), ("10.0.0.6", 80, 100)]}
    operator.slb.SetBackendServers(**where, BackendServers=servers("10.0.0.5", Weight=10))
    left = operator.slb.RemoveBackendServers(**where, BackendServers='[{"ServerId":"10.0.0.6"}]')
    assert [each["Weight"] for each in left["BackendServers"]["BackendServer"]] == [10]
    assert told(node, clb) == {80: [("10.0.0.5", 80, 10)]}
    for call in (operator.slb.SetBackendServers, operator.slb.RemoveBackendServers):
        with refused("InvalidBackendServers", 400, "'10.0.0.6'", "Its servers: 10.0.0.5"):
            call(**where, BackendServers=servers("10.0.0.6"))
    with refused("InvalidBackendServers", 400, "'10.0.0.5'", "already"):
        operator.slb.AddBackendServers(**where, BackendServers=servers("10.0.0.5"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "it is a JSON array"),
        ("[", "it is a JSON array"),
        ("[" * 5000, "it is a JSON array"),
        ("{}", "it is a JSON array"),
        ("null", "it is a JSON array"),
        ("[1]", "it is a JSON array"),
        ("[]", "one call takes 1 to 20"),
        (servers(*[f"10.0.0.{n}" for n in range(1, 22)]), "21 servers"),
        ('[{"Type": "eni"}]', "`ServerId`"),
        ('[{"ServerId": "10.0.0.5", "Wait": 1}]', "`Wait`"),
        ('[{"ServerId": "i-1"}]', "there are no ECS instances here"),
        ('[{"ServerId": "i-1", "Type": "ecs"}]', "there are no ECS instances here"),
        (servers("10.0.0.5", Weight=101), "Weight"),
        (servers("10.0.0.5", Weight="heavy"), "Weight"),
        (servers("10.0.0.5", Port=80), "BackendServerPort"),
        (servers("192.168.0.5"), "outside 10.0.0.0/16"),
        (servers("web"), "is an IPv4 address"),
        (servers("eni-none", Type="eni"), "no attachment of this account"),
        (servers("10.0.0.5", ServerIp="10.0.0.6"), "has the address 10.0.0.5"),
        (servers("10.0.0.5", "10.0.0.5"), "already"),
    ],
)
def test_servers_that_make_no_sense_are_refused(
    operator: Account, world: World, refused: Refused, given: str, words: str
) -> None:
    clb = world.clb(world.network())
    with refused("InvalidBackendServers", 400, "BackendServers", words):
        operator.slb.AddBackendServers(LoadBalancerId=clb, BackendServers=given)


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"Bandwidth": 10}, "InvalidBandwidth", "only -1"),
        ({"BackendServerPort": None}, "MissingBackendServerPort", "Or give VServerGroupId"),
        ({"BackendServerPort": 0}, "InvalidBackendServerPort", "1 to 65535"),
        ({"Scheduler": "qch"}, "InvalidScheduler", "no QUIC ids"),
        ({"HealthCheckSwitch": "yes"}, "InvalidHealthCheckSwitch", "on or off"),
        ({"ConnectionDrain": "on"}, "MissingConnectionDrainTimeout", "10 to 900 seconds"),
        ({"AclStatus": "on"}, "InvalidAclStatus", "only off"),
        ({"PersistenceTimeout": 60}, "InvalidPersistenceTimeout", "only 0"),
        ({"ProxyProtocolV2Enabled": True}, "InvalidProxyProtocolV2Enabled", "only false"),
        ({"HealthCheckType": "udp"}, "InvalidHealthCheckType", "tcp or http"),
        ({"AclId": "acl-1"}, "UnsupportedParameter.AclId", "not act on"),
        ({"VServerGroupId": "rsp-1"}, "InvalidBackendServerPort", "Leave it out"),
        (
            {"VServerGroupId": "rsp-1", "BackendServerPort": None},
            "InvalidParameter",
            "'rsp-1' is NotFound",
        ),
    ],
)
def test_what_a_listener_does_not_do_is_refused(
    operator: Account, world: World, refused: Refused, more: dict[str, Any], code: str, words: str
) -> None:
    asked = {
        "LoadBalancerId": world.clb(world.network()),
        "ListenerPort": 80,
        "Bandwidth": -1,
        "BackendServerPort": 80,
    } | more
    given = {name: value for name, value in asked.items() if value is not None}
    with refused(code, 400, words):
        operator.slb.CreateLoadBalancerTCPListener(**given)


def test_what_is_true_of_a_listener_may_be_said_of_it(operator: Account, world: World) -> None:
    clb = world.clb(world.network())
    world.clb_listener(
        clb,
        BackendServerPort=8080,
        Description="the shop",
        Scheduler="wrr",
        HealthCheckSwitch="off",
        ConnectionDrain="off",
        AclStatus="off",
        PersistenceTimeout=0,
        ProxyProtocolV2Enabled=False,
    )
    shown = listener(operator, clb)
    shown.pop("RequestId")
    assert shown == {
        "LoadBalancerId": clb,
        "ListenerPort": 80,
        "Status": "starting",
        "Description": "the shop",
        "Bandwidth": -1,
        "Scheduler": "wrr",
        "BackendServerPort": 8080,
        "EstablishedTimeout": 900,
        "HealthCheck": "off",
        "HealthCheckType": "tcp",
        "HealthCheckConnectPort": 8080,
        "HealthCheckConnectTimeout": 5,
        "HealthCheckInterval": 2,
        "HealthyThreshold": 3,
        "UnhealthyThreshold": 3,
        "HealthCheckDomain": "$_ip",
        "HealthCheckURI": "/",
        "HealthCheckHttpCode": "http_2xx",
        "HealthCheckMethod": "head",
        "ConnectionDrain": "off",
        "PersistenceTimeout": 0,
        "ProxyProtocolV2Enabled": False,
        "AclStatus": "off",
    }


def test_a_port_has_one_listener_and_an_unknown_one_is_not_found(
    operator: Account, world: World, refused: Refused
) -> None:
    clb = world.clb(world.network())
    world.clb_listener(clb)
    with refused("ListenerAlreadyExists", 400, clb, "port 80"):
        world.clb_listener(clb)
    for call in (
        operator.slb.StartLoadBalancerListener,
        operator.slb.StopLoadBalancerListener,
        operator.slb.DeleteLoadBalancerListener,
        operator.slb.DescribeLoadBalancerTCPListenerAttribute,
    ):
        with refused("InvalidParameter", 400, clb, "port 81 is NotFound", "ports: 80/tcp"):
            call(LoadBalancerId=clb, ListenerPort=81)


def test_a_vserver_group_has_ports_of_its_own(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    clb, other = world.clb(network), world.clb(network)
    made = operator.slb.CreateVServerGroup(
        LoadBalancerId=clb,
        VServerGroupName="web",
        BackendServers=servers("10.0.0.5", Port=8080),
    )
    group = made["VServerGroupId"]
    assert group.startswith("rsp-")
    with refused("InvalidVServerGroupId", 400, group, clb):
        world.clb_listener(other, VServerGroupId=group)
    world.clb_listener(clb, VServerGroupId=group)
    assert listener(operator, clb)["VServerGroupId"] == group
    where = {"VServerGroupId": group}
    operator.slb.AddVServerGroupBackendServers(
        **where, BackendServers=servers("10.0.0.5", "10.0.0.6", Port=8081)
    )
    both = [("10.0.0.5", 8080, 100), ("10.0.0.5", 8081, 100), ("10.0.0.6", 8081, 100)]
    assert told(node, clb) == {80: both}
    operator.slb.RemoveVServerGroupBackendServers(
        **where, BackendServers=servers("10.0.0.5", Port=8080)
    )
    operator.slb.SetVServerGroupAttribute(
        **where, VServerGroupName="shop", BackendServers=servers("10.0.0.6", Port=8081, Weight=5)
    )
    assert told(node, clb) == {80: [("10.0.0.5", 8081, 100), ("10.0.0.6", 8081, 5)]}
    shown = operator.slb.DescribeVServerGroupAttribute(**where)
    assert (shown["VServerGroupName"], shown["LoadBalancerId"]) == ("shop", clb)
    assert [each["ServerIp"] for each in shown["BackendServers"]["BackendServer"]] == [
        "10.0.0.5",
        "10.0.0.6",
    ]
    (listed,) = operator.slb.DescribeVServerGroups(LoadBalancerId=clb)["VServerGroups"][
        "VServerGroup"
    ]
    assert (listed["VServerGroupId"], listed["ServerCount"]) == (group, 2)
    with refused("InvalidBackendServers", 400, "has no Port"):
        operator.slb.AddVServerGroupBackendServers(**where, BackendServers=servers("10.0.0.9"))
    with refused("InvalidBackendServers", 400, "port 8081", "already"):
        operator.slb.AddVServerGroupBackendServers(
            **where, BackendServers=servers("10.0.0.6", Port=8081)
        )
    with refused("InvalidBackendServers", 400, "port 1 is no server"):
        operator.slb.RemoveVServerGroupBackendServers(
            **where, BackendServers=servers("10.0.0.6", Port=1)
        )
    with refused("RspoolVipExist", 400, group, "port 80"):
        operator.slb.DeleteVServerGroup(**where)
    operator.slb.DeleteLoadBalancerListener(LoadBalancerId=clb, ListenerPort=80)
    operator.slb.DeleteVServerGroup(**where)
    with refused("InvalidParameter", 400, group, "NotFound"):
        operator.slb.DescribeVServerGroupAttribute(**where)
