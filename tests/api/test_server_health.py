"""What nodes say of servers, and what NLB, CLB and endpoints show of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from privlink.client import RemoteError
from privlink.store import schema
from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.identity import allow, deny, user
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Node
from tests.api.world import A, B, World

NINE, TEN = "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z"
ROOT = Path(__file__).parents[2]
CHECK = {"HealthCheckEnabled": True}


class Shop:
    """A service in zones A and B: one server at 10.0.0.9 in A, one at 10.0.1.9 in B."""

    def __init__(self, world: World, node: Node) -> None:
        self.world, self.node, self.nlb = world, node, world.account.nlb
        self.network = world.network(A, B)
        self.balancer = world.balancer(self.network)
        self.group = world.server_group(
            self.network, "10.0.0.9", "10.0.1.9", HealthCheckConfig=CHECK
        )
        self.listener = world.listener(self.balancer, self.group)
        node.catch_up()

    def state(self, address: str, state: str, zone: str = A, **more: Any) -> dict[str, Any]:
        """A word on one of its servers."""
        where = {"Key": f"balancer/{self.balancer}/{zone}", "Group": self.group, "Port": 80}
        return {**where, "Address": address, "State": state, "Since": NINE, **more}

    def everywhere(self, state: str, *addresses: str, **more: Any) -> None:
        """The node finds its servers so in both zones."""
        of = addresses or ("10.0.0.9", "10.0.1.9")
        self.node.tell(*(self.state(each, state, zone, **more) for each in of for zone in (A, B)))

    def not_normal(self) -> dict[str, str]:
        """What GetListenerHealthStatus lists, by address."""
        info = self.info()
        return {each["ServerIp"]: each["Status"] for each in info["NonNormalServers"]}

    def info(self) -> Answer:
        """What GetListenerHealthStatus says of its one server group."""
        answer = self.nlb.GetListenerHealthStatus(ListenerId=self.listener)
        assert (answer["TotalCount"], answer["MaxResults"]) == (1, 20)
        (of_listener,) = answer["ListenerHealthStatus"]
        (info,) = of_listener["ServerGroupInfos"]
        return dict(info)

    def addresses(self) -> dict[str, str]:
        """How its addresses are, by zone."""
        shown = self.nlb.GetLoadBalancerAttribute(LoadBalancerId=self.balancer)["ZoneMappings"]
        return {
            each["ZoneId"]: each["LoadBalancerAddresses"][0]["PrivateIPv4HcStatus"]
            for each in shown
        }


@pytest.fixture
def shop(world: World, node: Node) -> Shop:
    """A service whose servers are checked, of which no node has said anything yet."""
    return Shop(world, node)


def health_of(account: Account, endpoint: str) -> Answer:
    """What GetEndpointHealth says, without what it was asked for."""
    found = account.own.call("GetEndpointHealth", EndpointId=endpoint)
    assert found.pop("EndpointId") == endpoint
    found.pop("RequestId")
    return found


def rows(stage: Stage) -> list[dict[str, Any]]:
    """What is kept of what nodes say."""
    names = schema.server_health.columns.keys()
    return [dict(zip(names, row, strict=True)) for row in stage.dump()["server_health"]]


def test_a_server_is_initial_till_a_node_has_asked_it(shop: Shop) -> None:
    assert shop.info()["HeathCheckEnabled"] is True
    assert shop.not_normal() == {"10.0.0.9": "Initial", "10.0.1.9": "Initial"}
    shop.everywhere("Healthy")
    assert shop.not_normal() == {}


def test_a_server_that_is_down_says_why(shop: Shop) -> None:
    shop.everywhere("Healthy")
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy", Why="CONNECT_FAILED: connection refused"))
    (down,) = shop.info()["NonNormalServers"]
    assert down == {
        "ServerId": "10.0.0.9",
        "ServerIp": "10.0.0.9",
        "Port": 80,
        "Status": "Unhealthy",
        "Reason": {"ReasonCode": "CONNECT_FAILED"},
    }
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy", Why="it is on fire"))
    (down,) = shop.info()["NonNormalServers"]
    assert "Reason" not in down
    shop.node.tell(shop.state("10.0.0.9", "Healthy"))
    assert shop.not_normal() == {}


def test_an_address_is_unhealthy_when_nothing_it_leads_to_is_well(shop: Shop) -> None:
    assert shop.addresses() == {A: "Healthy", B: "Healthy"}
    shop.everywhere("Unhealthy", "10.0.0.9")
    assert shop.addresses() == {A: "Healthy", B: "Healthy"}  # the other zone's stands in
    shop.everywhere("Unhealthy")
    assert shop.addresses() == {A: "Unhealthy", B: "Unhealthy"}
    (listed,) = shop.nlb.ListLoadBalancers()["LoadBalancers"]
    found = [each["LoadBalancerAddresses"][0] for each in listed["ZoneMappings"]]
    assert [each["PrivateIPv4HcStatus"] for each in found] == ["Unhealthy", "Unhealthy"]
    assert all("PrivateIPv6HcStatus" not in each for each in found)
    shop.nlb.StopListener(ListenerId=shop.listener)
    shop.node.catch_up()
    assert shop.addresses() == {A: "Healthy", B: "Healthy"}


def test_without_cross_zone_a_zone_has_its_own_servers_alone(shop: Shop) -> None:
    shop.nlb.UpdateLoadBalancerAttribute(LoadBalancerId=shop.balancer, CrossZoneEnabled=False)
    shop.node.catch_up()
    shop.everywhere("Unhealthy", "10.0.0.9")
    shop.everywhere("Healthy", "10.0.1.9")
    assert shop.addresses() == {A: "Unhealthy", B: "Healthy"}


def test_an_address_says_how_it_is_once_the_nodes_know_it(world: World, node: Node) -> None:
    network = world.dual_network()
    balancer = world.balancer(network, version="DualStack")

    def address() -> Answer:
        shown = world.account.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
        return dict(shown["ZoneMappings"][0]["LoadBalancerAddresses"][0])

    assert not {"PrivateIPv4HcStatus", "PrivateIPv6HcStatus"} & address().keys()
    node.catch_up()
    assert address()["PrivateIPv4HcStatus"] == address()["PrivateIPv6HcStatus"] == "Healthy"


def test_servers_that_nobody_asks_are_unavailable(stage: Stage, shop: Shop) -> None:
    shop.everywhere("Unhealthy")
    off = {"HealthCheckEnabled": False}
    shop.nlb.UpdateServerGroupAttribute(ServerGroupId=shop.group, HealthCheckConfig=off)
    assert rows(stage) == []
    assert shop.info()["HeathCheckEnabled"] is False
    assert shop.not_normal() == {"10.0.0.9": "Unavailable", "10.0.1.9": "Unavailable"}
    shop.node.catch_up()
    assert shop.addresses() == {A: "Healthy", B: "Healthy"}
    shop.nlb.UpdateServerGroupAttribute(ServerGroupId=shop.group, HealthCheckConfig=CHECK)
    assert shop.not_normal() == {"10.0.0.9": "Initial", "10.0.1.9": "Initial"}


def test_a_word_goes_with_what_it_is_about(stage: Stage, shop: Shop) -> None:
    def gone() -> Iterator[str]:
        shop.everywhere("Healthy")
        server = {"ServerType": "Ip", "ServerId": "10.0.0.9", "Port": 80}
        shop.nlb.RemoveServersFromServerGroup(ServerGroupId=shop.group, Servers=[server])
        yield "the server"
        shop.nlb.AddServersToServerGroup(ServerGroupId=shop.group, Servers=[server])
        assert shop.not_normal()["10.0.0.9"] == "Initial"
        for _ in range(2):
            shop.everywhere("Healthy")
            shop.nlb.StopListener(ListenerId=shop.listener)
            yield "the listener that was started"
            shop.nlb.StartListener(ListenerId=shop.listener)
        shop.everywhere("Healthy")
        other = shop.world.server_group(shop.network, "10.0.0.8", HealthCheckConfig=CHECK)
        shop.nlb.UpdateListenerAttribute(ListenerId=shop.listener, ServerGroupId=other)
        yield "the group behind the listener"
        shop.nlb.UpdateListenerAttribute(ListenerId=shop.listener, ServerGroupId=shop.group)
        shop.everywhere("Healthy")
        shop.nlb.DeleteListener(ListenerId=shop.listener)
        yield "the listener"
        shop.listener = shop.world.listener(shop.balancer, shop.group)
        shop.everywhere("Healthy")
        shop.nlb.DeleteLoadBalancer(LoadBalancerId=shop.balancer)
        yield "the load balancer"

    for what in gone():
        left = {each["address"] for each in rows(stage)}
        assert left == ({"10.0.1.9"} if what == "the server" else set()), what


def test_a_word_of_one_load_balancer_is_none_of_another(stage: Stage, shop: Shop) -> None:
    second = shop.world.balancer(shop.network)
    shop.world.listener(second, shop.group)
    shop.everywhere("Healthy")
    shop.nlb.StopListener(ListenerId=shop.listener)
    assert rows(stage) == []
    shop.nlb.StartListener(ListenerId=shop.listener)
    shop.everywhere("Healthy")
    shop.nlb.DeleteLoadBalancer(LoadBalancerId=second)
    assert len(rows(stage)) == 4


def test_news_are_of_what_changed_and_the_rest_still_holds(stage: Stage, shop: Shop) -> None:
    shop.everywhere("Healthy")
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy", Since=TEN))
    shop.node.tell()
    assert shop.not_normal() == {"10.0.0.9": "Unhealthy"}
    kept = {(each["address"], each["zone_id"]): each for each in rows(stage)}
    assert len(kept) == 4
    assert (kept["10.0.0.9", A]["state"], kept["10.0.0.9", A]["since"]) == ("Unhealthy", TEN)
    assert (kept["10.0.0.9", B]["state"], kept["10.0.0.9", B]["since"]) == ("Healthy", NINE)


def test_what_is_not_asked_is_ignored(stage: Stage, shop: Shop) -> None:
    unchecked = shop.world.server_group(
        shop.network, "10.0.0.9", HealthCheckConfig={"HealthCheckEnabled": False}
    )
    shop.world.listener(shop.balancer, unchecked, 81)
    aside = shop.world.server_group(shop.network, "10.0.0.9", HealthCheckConfig=CHECK)
    shop.node.tell(
        shop.state("10.0.0.77", "Unhealthy"),
        shop.state("10.0.0.9", "Unhealthy", Port=81),
        shop.state("10.0.0.9", "Unhealthy", Group=unchecked),
        shop.state("10.0.0.9", "Unhealthy", Group=aside),  # behind no listener
        shop.state("10.0.0.9", "Unhealthy", Group="sgp-none"),
        shop.state("10.0.0.9", "Unhealthy", zone="local-c"),
        shop.state("10.0.0.9", "Unhealthy", Key="balancer/nlb-none/local-a"),
    )
    assert rows(stage) == []


def test_a_late_word_is_ignored(stage: Stage, shop: Shop) -> None:
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy"), Life=shop.node.life + 1)
    assert rows(stage) == []
    stage.restart()
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy"))
    assert rows(stage) == []
    shop.node.catch_up()
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy"))
    assert len(rows(stage)) == 1


@pytest.mark.parametrize("action", ["PushHealth", "PushReport"])
def test_a_node_that_holds_nothing_knows_nothing(stage: Stage, shop: Shop, action: str) -> None:
    shop.everywhere("Unhealthy")
    more = {"Revision": 0, "Fabric": "x"} if action == "PushReport" else {}
    shop.node.client.call(action, NodeId=NODE.node_id, Life=0, **more)
    assert rows(stage) == []
    assert set(shop.not_normal().values()) == {"Initial"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"Key": "forward/ep-1/local-a"}, "the key of an item"),
        ({"Key": "balancer/nlb-1"}, "the key of an item"),
        ({"Key": "balancer/nlb-1/local-a/x"}, "the key of an item"),
        ({"State": "Sick"}, "Initial, Healthy or Unhealthy"),
        ({"Since": "yesterday"}, "a time is UTC"),
        ({"Since": "2026-13-01T00:00:00Z"}, "a time is UTC"),
        ({"Since": "2026-12-01T00:00:00Z\n"}, "a time is UTC"),
        ({"Port": 65536}, "the port of the item's server"),
        ({"Why": "x" * 201}, "States.1.Why"),
        ({"Address": "x" * 65}, "States.1.Address"),
        ({"Group": "x" * 65}, "States.1.Group"),
    ],
)
def test_a_word_that_says_nothing_is_refused(
    stage: Stage, shop: Shop, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(RemoteError) as caught:
        good = shop.state("10.0.0.9", "Healthy")
        shop.node.tell(good, {**good, **wrong})
    assert caught.value.status == 400
    assert words.replace("States.1", "States.2") in caught.value.message
    assert rows(stage) == []


def test_a_node_says_so_much_at_once_and_no_more(shop: Shop) -> None:
    many = [shop.state(f"10.0.2.{n % 250}", "Healthy", Port=n) for n in range(501)]
    shop.node.tell(*many[:500])
    with pytest.raises(RemoteError) as caught:
        shop.node.tell(*many)
    assert caught.value.code == "InvalidStates"


def test_a_clb_says_how_its_servers_are(
    stage: Stage, world: World, operator: Account, node: Node, refused: Refused
) -> None:
    network = world.network()
    clb = world.clb(network)
    operator.slb.AddBackendServers(
        LoadBalancerId=clb,
        BackendServers='[{"ServerId":"10.0.0.9","Type":"eniip"},'
        '{"ServerId":"10.0.0.8","Type":"eniip"}]',
    )
    world.clb_listener(clb, 80, BackendServerPort=8080, HealthCheckSwitch="on")
    world.clb_listener(clb, 81, "udp", BackendServerPort=53, HealthCheckSwitch="off")
    node.catch_up()

    def states(**asked: Any) -> list[tuple[int, str, str, int, str]]:
        found = operator.slb.DescribeHealthStatus(LoadBalancerId=clb, **asked)
        fields = ("ListenerPort", "Protocol", "ServerIp", "Port", "ServerHealthStatus")
        servers = found["BackendServers"]["BackendServer"]
        return [tuple(each[field] for field in fields) for each in servers]

    unchecked = [(81, "udp", f"10.0.0.{n}", 53, "unavailable") for n in (8, 9)]
    tcp = [(80, "tcp", f"10.0.0.{n}", 8080, "unavailable") for n in (8, 9)]
    assert states() == tcp + unchecked
    where = {"Key": f"balancer/{clb}/{A}", "Group": clb, "Port": 8080, "Since": NINE}
    node.tell(
        {**where, "Address": "10.0.0.8", "State": "Healthy"},
        {**where, "Address": "10.0.0.9", "State": "Unhealthy", "Why": "CONNECT_TIMEOUT"},
        {**where, "Address": "10.0.0.9", "State": "Unhealthy", "Port": 53},
    )
    known = [(80, "tcp", "10.0.0.8", 8080, "normal"), (80, "tcp", "10.0.0.9", 8080, "abnormal")]
    assert states() == known + unchecked
    assert states(ListenerPort=80) == states(ListenerProtocol="tcp") == known
    assert states(ListenerPort=81, ListenerProtocol="udp") == unchecked
    for asked in ({"ListenerPort": 82}, {"ListenerPort": 81, "ListenerProtocol": "tcp"}):
        with refused("InvalidParameter", 400, "NotFound", "80/tcp, 81/udp"):
            states(**asked)
    operator.slb.SetLoadBalancerStatus(LoadBalancerId=clb, LoadBalancerStatus="inactive")
    assert rows(stage) == []
    assert states() == tcp + unchecked


@pytest.fixture
def consumer(shop: Shop, operator: Account, other: Account) -> tuple[Account, str]:
    """Another account, and its endpoint in both zones."""
    service = shop.world.service(shop.balancer, [A, B])
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    theirs = World(other)
    endpoint = theirs.endpoint(service, theirs.network(A, B), A, B)
    shop.node.catch_up()
    return other, endpoint


def test_a_consumer_sees_whether_a_new_connection_finds_a_server(
    shop: Shop, operator: Account, consumer: tuple[Account, str]
) -> None:
    account, endpoint = consumer

    def zones() -> dict[str, tuple[str, int, int]]:
        found = health_of(account, endpoint)["Zones"]
        return {each["ZoneId"]: (each["Health"], each["Servers"], each["Well"]) for each in found}

    assert zones() == {A: ("Unknown", 1, 1), B: ("Unknown", 1, 1)}
    shop.everywhere("Healthy")
    assert zones() == {A: ("Healthy", 1, 1), B: ("Healthy", 1, 1)}
    found = health_of(account, endpoint)
    assert found["Health"] == "Healthy"
    assert found["Zones"][0] == {
        "ZoneId": A,
        "Health": "Healthy",
        "Servers": 1,
        "Well": 1,
        "Since": NINE,
        "Listeners": [
            {
                "Protocol": "TCP",
                "Port": "80",
                "Health": "Healthy",
                "Servers": 1,
                "Well": 1,
                "Since": NINE,
            }
        ],
    }
    second = shop.world.server_group(shop.network, "10.0.0.7", port=81, HealthCheckConfig=CHECK)
    shop.world.listener(shop.balancer, second, 81)
    shop.node.catch_up()
    shop.node.tell(shop.state("10.0.0.7", "Unhealthy", Group=second, Port=81, Since=TEN))
    assert zones() == {A: ("Degraded", 2, 1), B: ("Healthy", 2, 2)}
    assert health_of(account, endpoint)["Health"] == "Degraded"
    assert health_of(account, endpoint)["Zones"][0]["Since"] == TEN
    shop.everywhere("Unhealthy", "10.0.1.9", "10.0.0.9")
    assert zones()[A] == ("Unhealthy", 3, 0)
    assert health_of(operator, endpoint) == health_of(account, endpoint)


def test_a_consumer_learns_nothing_of_which_servers_there_are(
    shop: Shop, consumer: tuple[Account, str]
) -> None:
    account, endpoint = consumer
    shop.everywhere("Unhealthy", Why="CONNECT_FAILED: 10.0.0.9 port 80: refused")
    told = str(health_of(account, endpoint))
    for secret in ("10.0.", "CONNECT", shop.group, shop.balancer, shop.listener, NODE.node_id):
        assert secret not in told


def test_an_endpoint_that_leads_nowhere_says_nothing_of_its_service(
    shop: Shop, operator: Account, other: Account
) -> None:
    service = shop.world.service(shop.balancer, [A, B], auto=False)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    theirs = World(other)
    endpoint = theirs.endpoint(service, theirs.network(A, B), A)
    shop.everywhere("Healthy")
    nothing = {"ZoneId": A, "Health": "Unknown", "Servers": 0, "Well": 0, "Listeners": []}
    assert health_of(other, endpoint) == {
        "ServiceId": service,
        "Health": "Unknown",
        "Zones": [nothing],
    }
    operator.privatelink.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    assert health_of(other, endpoint)["Health"] == "Healthy"
    operator.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    assert health_of(other, endpoint)["Zones"] == [nothing]


def test_a_stranger_is_told_of_no_endpoint(
    operator: Account, consumer: tuple[Account, str], refused: Refused, stage: Stage
) -> None:
    _, endpoint = consumer
    made = operator.own.call("CreateAccount", Name="third")
    third = Account(stage.host, made["AccountId"], made["AccessKeyId"], made["AccessKeySecret"])
    with refused("EndpointNotFound", 400, endpoint):
        third.own.call("GetEndpointHealth", EndpointId=endpoint)
    third.own.close()


def test_to_see_it_needs_a_policy_for_that_endpoint(
    stage: Stage, consumer: tuple[Account, str], refused: Refused
) -> None:
    account, endpoint = consumer
    arn = f"acs:privatelink:*:{account.id}:vpcendpoint/{endpoint}"
    alice = user(stage, account, "alice", allow("privlink:GetEndpointHealth", on=arn))
    health_of(alice, endpoint)
    with refused("NoPermission", 403, "vpcendpoint/ep-none"):
        alice.own.call("GetEndpointHealth", EndpointId="ep-none")
    bob = user(stage, account, "bob", allow("*"), deny("privlink:GetEndpointHealth", on=arn))
    with refused("NoPermission", 403, "a policy denies it"):
        bob.own.call("GetEndpointHealth", EndpointId=endpoint)
    for each in (alice, bob):
        each.own.close()


def test_an_endpoint_to_a_load_balancer_without_listeners_is_unhealthy(
    world: World, operator: Account, node: Node
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    (zone,) = health_of(operator, endpoint)["Zones"]
    assert (zone["Health"], zone["Servers"], zone["Listeners"]) == ("Unhealthy", 0, [])
    assert world.zones(endpoint)[A]["ZoneStatus"] == "Connected"


def printed(stage: Stage, account: Account, *words: str, code: int = 0) -> str:
    """What the command says to somebody with an account's key."""
    environment = os.environ | {
        "PRIVLINK_STATE": stage.config.state,
        "PRIVLINK_SERVER": stage.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": account.key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.secret,
    }
    command = [sys.executable, "-m", "privlink", *words]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


def test_the_command_shows_it_as_a_table_and_for_programs(
    stage: Stage, shop: Shop, consumer: tuple[Account, str]
) -> None:
    account, endpoint = consumer
    shop.everywhere("Healthy")
    shop.everywhere("Unhealthy", "10.0.0.9", "10.0.1.9", Since=TEN)
    shop.node.tell(shop.state("10.0.1.9", "Healthy", zone=B))
    service = service_of(account, endpoint)
    lines = printed(stage, account, "health", endpoint).splitlines()
    assert lines[0] == f"{endpoint} to {service}  Degraded"
    assert [line.split() for line in lines[1:]] == [
        [],
        ["zones"],
        ["ZoneId", "Port", "Health", "Well", "Servers", "Since"],
        [A, "all", "Unhealthy", "0", "2", TEN],
        ["80/tcp", "Unhealthy", "0", "2", TEN],
        [B, "all", "Healthy", "1", "1", NINE],
        ["80/tcp", "Healthy", "1", "1", NINE],
    ]
    found = json.loads(printed(stage, account, "health", endpoint, "-o", "json"))
    assert found == {"EndpointId": endpoint, **health_of(account, endpoint)}
    assert "[EndpointNotFound]" in printed(stage, account, "health", "ep-none", code=1)


def test_the_status_says_of_each_endpoint_how_it_is(
    stage: Stage, world: World, operator: Account, shop: Shop
) -> None:
    service = world.service(shop.balancer, [A, B])
    endpoint = world.endpoint(service, world.network(A), A)
    shop.node.catch_up()
    shop.everywhere("Healthy")
    found = json.loads(printed(stage, operator, "status", "-o", "json"))
    assert [each["Health"] for each in found["Endpoints"]] == ["Healthy"]
    (line,) = (each for each in printed(stage, operator, "status").splitlines() if endpoint in each)
    assert line.split()[-1] == "Healthy"


def service_of(account: Account, endpoint: str) -> str:
    """The service that an endpoint is for."""
    shown = account.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)
    return str(shown["ServiceId"])
