"""CLB: listeners on UDP, alone on a port or beside one on TCP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import World

SERVERS = '[{"ServerId":"10.0.0.5","Type":"eniip"}]'
GROUPED = '[{"ServerId":"10.0.0.6","Type":"eniip","Port":5353}]'


def listener(account: Account, clb: str, port: int = 53) -> Answer:
    """The listener as it is shown, but for the id of the request."""
    shown = account.slb.DescribeLoadBalancerUDPListenerAttribute(
        LoadBalancerId=clb, ListenerPort=port
    )
    return {name: value for name, value in shown.items() if name != "RequestId"}


def told(node: Node, clb: str) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """What the node was told of listeners that take new flows: protocol, port and servers."""
    node.catch_up()
    return [
        (each["protocol"], each["first"], [(s["address"], s["port"]) for s in each["servers"]])
        for each in node.held[f"balancer/{clb}/local-a"]["listeners"]
        if any(s["weight"] for s in each["servers"])
    ]


def test_tcp_and_udp_share_a_port(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    clb = world.clb(world.network())
    operator.slb.AddBackendServers(LoadBalancerId=clb, BackendServers=SERVERS)
    world.clb_listener(clb, 53, "udp", start=False, BackendServerPort=5353)
    assert listener(operator, clb)["Status"] == "stopping"
    assert told(node, clb) == []
    where = {"LoadBalancerId": clb, "ListenerPort": 53}
    operator.slb.StartLoadBalancerListener(**where)
    udp = ("UDP", 53, [("10.0.0.5", 5353)])
    assert told(node, clb) == [udp]
    assert listener(operator, clb)["Status"] == "running"
    with refused("InvalidParameter", 400, "TCP port 53 is NotFound", clb, "53/udp"):
        operator.slb.DescribeLoadBalancerTCPListenerAttribute(**where)
    with refused("ListenerAlreadyExists", 400, clb, "UDP port 53"):
        world.clb_listener(clb, 53, "udp")

    world.clb_listener(clb, 53, BackendServerPort=53)
    tcp = ("TCP", 53, [("10.0.0.5", 53)])
    assert told(node, clb) == [tcp, udp]
    about = operator.slb.DescribeLoadBalancerAttribute(LoadBalancerId=clb)
    assert about["ListenerPorts"] == {"ListenerPort": [53]}
    assert [
        (each["ListenerPort"], each["ListenerProtocol"])
        for each in about["ListenerPortsAndProtocol"]["ListenerPortAndProtocol"]
    ] == [(53, "tcp"), (53, "udp")]
    for call in (
        operator.slb.StartLoadBalancerListener,
        operator.slb.StopLoadBalancerListener,
        operator.slb.DeleteLoadBalancerListener,
    ):
        with refused("MissingListenerProtocol", 400, "port 53", clb, "one on tcp and one on udp"):
            call(**where)
        with refused("InvalidListenerProtocol", 400, "'http'", "tcp or udp"):
            call(**where, ListenerProtocol="http")
        with refused("InvalidParameter", 400, "UDP port 54 is NotFound", "53/tcp, 53/udp"):
            call(LoadBalancerId=clb, ListenerPort=54, ListenerProtocol="udp")
    operator.slb.StopLoadBalancerListener(**where, ListenerProtocol="udp")
    assert told(node, clb) == [tcp]
    operator.slb.DeleteLoadBalancerListener(**where, ListenerProtocol="tcp")
    operator.slb.StartLoadBalancerListener(**where)
    assert told(node, clb) == [udp]
    operator.slb.DeleteLoadBalancerListener(**where)
    assert told(node, clb) == []


def test_what_is_true_of_a_listener_may_be_said_of_it(operator: Account, world: World) -> None:
    clb = world.clb(world.network())
    true = {
        "Scheduler": "wrr",
        "HealthCheckSwitch": "off",
        "AclStatus": "off",
        "ProxyProtocolV2Enabled": False,
    }
    world.clb_listener(clb, 53, "udp", BackendServerPort=5353, Description="names", **true)
    shown = {
        "LoadBalancerId": clb,
        "ListenerPort": 53,
        "Status": "starting",
        "Description": "names",
        "Bandwidth": -1,
        "Scheduler": "wrr",
        "BackendServerPort": 5353,
        "HealthCheck": "off",
        "HealthCheckConnectPort": 5353,
        "HealthCheckConnectTimeout": 10,
        "HealthCheckInterval": 5,
        "HealthyThreshold": 3,
        "UnhealthyThreshold": 3,
        "ProxyProtocolV2Enabled": False,
        "AclStatus": "off",
    }
    assert listener(operator, clb) == shown
    where = {"LoadBalancerId": clb, "ListenerPort": 53}
    operator.slb.SetLoadBalancerUDPListenerAttribute(**where)
    assert listener(operator, clb) == shown
    operator.slb.SetLoadBalancerUDPListenerAttribute(
        **where, Bandwidth=-1, Description="", VServerGroup="off", **true
    )
    assert listener(operator, clb) == shown | {"Description": ""}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"Bandwidth": 10}, "InvalidBandwidth", "only -1"),
        ({"Scheduler": "qch"}, "InvalidScheduler", "no QUIC ids"),
        ({"HealthCheckSwitch": "yes"}, "InvalidHealthCheckSwitch", "on or off"),
        ({"AclStatus": "on"}, "InvalidAclStatus", "only off"),
        ({"ProxyProtocolV2Enabled": True}, "InvalidProxyProtocolV2Enabled", "only false"),
        ({"UnhealthyThreshold": 1}, "InvalidUnhealthyThreshold", "2 to 10"),
        ({"AclId": "acl-1"}, "UnsupportedParameter.AclId", "not act on"),
        ({"VServerGroupId": "rsp-none"}, "InvalidParameter", "'rsp-none' is NotFound"),
        ({"ListenerPort": 65536}, "InvalidListenerPort", "1 to 65535"),
    ],
)
def test_what_a_listener_does_not_do_is_refused(
    operator: Account, world: World, refused: Refused, more: dict[str, Any], code: str, words: str
) -> None:
    clb = world.clb(world.network())
    where = {"LoadBalancerId": clb, "ListenerPort": 53}
    with refused(code, 400, words):
        operator.slb.CreateLoadBalancerUDPListener(**where | {"Bandwidth": -1} | more)
    world.clb_listener(clb, 53, "udp", start=False)
    before = listener(operator, clb)
    with refused(code, 400, words):
        operator.slb.SetLoadBalancerUDPListenerAttribute(**where | {"Description": "x"} | more)
    assert listener(operator, clb) == before


def test_a_listener_needs_servers_and_one_port_of_theirs(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    clb, other = world.clb(network), world.clb(network)
    foreign = operator.slb.CreateVServerGroup(LoadBalancerId=other)["VServerGroupId"]
    create = operator.slb.CreateLoadBalancerUDPListener
    asked = {"LoadBalancerId": clb, "ListenerPort": 53, "Bandwidth": -1}
    with refused("MissingBackendServerPort", 400, "Or give VServerGroupId"):
        create(**asked)
    with refused("InvalidBackendServerPort", 400, "Leave it out"):
        create(**asked, BackendServerPort=53, VServerGroupId=foreign)
    with refused("InvalidVServerGroupId", 400, foreign, other):
        create(**asked, VServerGroupId=foreign)
    with refused("InvalidLoadBalancerId.NotFound", 404, "'lb-none'"):
        create(**asked | {"LoadBalancerId": "lb-none"}, BackendServerPort=53)
    for call in (
        operator.slb.DescribeLoadBalancerUDPListenerAttribute,
        operator.slb.SetLoadBalancerUDPListenerAttribute,
    ):
        with refused("InvalidParameter", 400, "UDP port 53 is NotFound", clb, "ports: none"):
            call(LoadBalancerId=clb, ListenerPort=53)


def test_a_listener_moves_to_a_vserver_group_and_back(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    clb, other = world.clb(network), world.clb(network)
    operator.slb.AddBackendServers(LoadBalancerId=clb, BackendServers=SERVERS)
    made = operator.slb.CreateVServerGroup(LoadBalancerId=clb, BackendServers=GROUPED)
    group = made["VServerGroupId"]
    foreign = operator.slb.CreateVServerGroup(LoadBalancerId=other)["VServerGroupId"]
    world.clb_listener(clb, 53, "udp", BackendServerPort=53)
    where = {"LoadBalancerId": clb, "ListenerPort": 53}

    def change(**more: Any) -> None:
        operator.slb.SetLoadBalancerUDPListenerAttribute(**where, **more)

    for more in ({"VServerGroup": "on", "VServerGroupId": group}, {"VServerGroupId": group}):
        change(**more)
        assert told(node, clb) == [("UDP", 53, [("10.0.0.6", 5353)])]
        shown = listener(operator, clb)
        assert shown["VServerGroupId"] == group
        assert "BackendServerPort" not in shown
        change(VServerGroup="off")
        assert told(node, clb) == [("UDP", 53, [("10.0.0.5", 53)])]
        assert listener(operator, clb)["BackendServerPort"] == 53
    with refused("MissingVServerGroupId", 400, "VServerGroup=on needs a group"):
        change(VServerGroup="on")
    with refused("InvalidVServerGroupId", 400, "contradicts VServerGroup=off"):
        change(VServerGroup="off", VServerGroupId=group)
    with refused("InvalidVServerGroup", 400, "on or off"):
        change(VServerGroup="maybe")
    with refused("InvalidVServerGroupId", 400, foreign, other):
        change(VServerGroup="on", VServerGroupId=foreign)
    assert told(node, clb) == [("UDP", 53, [("10.0.0.5", 53)])]

    world.clb_listener(clb, 54, "udp", VServerGroupId=group)
    with refused("InvalidVServerGroup", 400, "'off'", "BackendServerPort", "Create it anew"):
        operator.slb.SetLoadBalancerUDPListenerAttribute(
            LoadBalancerId=clb, ListenerPort=54, VServerGroup="off"
        )
    with refused("RspoolVipExist", 400, group, "UDP port 54"):
        operator.slb.DeleteVServerGroup(VServerGroupId=group)


@pytest.mark.parametrize("address", ["fd00::5", "2001:db8::5"])
def test_the_servers_of_a_clb_are_ipv4(
    operator: Account, world: World, refused: Refused, address: str
) -> None:
    clb = world.clb(world.network())
    group = operator.slb.CreateVServerGroup(LoadBalancerId=clb)["VServerGroupId"]
    named = f'{{"ServerId":"{address}","Type":"eniip"'
    with refused("InvalidBackendServers", 400, f"'{address}'", "have IPv4 addresses"):
        operator.slb.AddBackendServers(LoadBalancerId=clb, BackendServers=f"[{named}}}]")
    with refused("InvalidBackendServers", 400, f"'{address}'", "have IPv4 addresses"):
        operator.slb.AddVServerGroupBackendServers(
            VServerGroupId=group, BackendServers=f'[{named},"Port":80}}]'
        )
