"""Flow records: from a node's word into the log, and out of it for those whose flows they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from privlink.client import Client, RemoteError
from privlink.model.flow_records import MOST_RECORDS, Event, Said
from privlink.node.program import maps
from privlink.node.telling.names import Names
from privlink.node.telling.records import FlowRecords
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.identity import allow, user
from tests.api.loser import Loser
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Node
from tests.api.world import A, World
from tests.flow_records import a_flow, a_record

Answer = dict[str, Any]

# What of a record is the one side's and what the other's.
CONSUMERS = {"ClientAddress": "10.0.0.5", "ClientPort": 40000, "CalledAddress": "10.0.0.9"}
PROVIDERS = {"ServerAddress": "10.9.9.7", "ServerPort": 8080}
BOTH = {"SourceAddress": "100.64.0.1", "SourcePort": 1025, "CalledPort": 80}
NOBODYS = dict.fromkeys(CONSUMERS | PROVIDERS, "") | {"ClientPort": 0, "ServerPort": 0}


def refusal(place: str, cause: str, **more: Any) -> Said:
    """A refused packet: nobody chose a source or a server for it."""
    nothing = {"source": "", "source_port": 0, "server": "", "server_port": 0, "duration": 0}
    return a_flow(place, Event.REFUSED, cause, way="client", **(nothing | more))


def push(node: Node, *records: Said, skipped: int = 0, **more: int) -> None:
    node.client.call(
        "PushFlowRecords",
        NodeId=NODE.node_id,
        Records=msgspec.json.encode(records).decode(),
        Skipped=skipped,
        **more,
    )


def told(account: Account, **asked: Any) -> list[Answer]:
    """Everything an account is told, the newest first."""
    found: list[Answer] = []
    token = None
    while True:
        page = account.own.call("DescribeFlowRecords", **asked, NextToken=token)
        found += page["FlowRecords"]
        token = page.get("NextToken")
        if token is None:
            return found


class Bond:
    """A provider's service and a consumer's endpoint, of two accounts that run nothing."""

    def __init__(self, stage: Stage, operator: Account) -> None:
        self.provider, self.consumer, self.stranger = (
            self._account(stage, operator, name) for name in ("provider", "consumer", "stranger")
        )
        provides = World(self.provider)
        self.service = provides.published()
        self.provider.privatelink.AddUserToVpcEndpointService(
            ServiceId=self.service, UserId=int(self.consumer.id)
        )
        consumes = World(self.consumer)
        network = consumes.network()
        self.group = consumes.group(network)
        self.endpoint = consumes.endpoint(self.service, network, A, group=self.group)
        self.place = f"forward/{self.endpoint}/{A}"
        (resource,) = self.provider.privatelink.ListVpcEndpointServiceResources(
            ServiceId=self.service
        )["Resources"]
        self.balancer = resource["ResourceId"]

    @staticmethod
    def _account(stage: Stage, operator: Account, name: str) -> Account:
        made = operator.own.call("CreateAccount", Name=name)
        keys = made["AccessKeyId"], made["AccessKeySecret"]
        account = Account(stage.host, made["AccountId"], *keys)
        account.privatelink.OpenPrivateLinkService()
        return account

    def close(self) -> None:
        for account in (self.provider, self.consumer, self.stranger):
            account.own.close()


@pytest.fixture
def bond(stage: Stage, operator: Account) -> Any:
    """Three accounts beside the operator's."""
    bond = Bond(stage, operator)
    yield bond
    bond.close()


def test_each_side_sees_its_own_of_a_flow(bond: Bond, operator: Account, node: Node) -> None:
    push(node, a_flow(bond.place))
    whose = {
        "EndpointId": bond.endpoint,
        "ZoneId": A,
        "ServiceId": bond.service,
        "ConsumerAccountId": bond.consumer.id,
        "ProviderAccountId": bond.provider.id,
        "Event": "closed",
        "Cause": "finished",
        "ClientBytes": 480,
        "ServerPackets": 5,
        "Duration": 2000,
    }
    for account, visible in (
        (operator, CONSUMERS | PROVIDERS | BOTH | {"NodeId": NODE.node_id}),
        (bond.consumer, NOBODYS | CONSUMERS | BOTH | {"NodeId": ""}),
        (bond.provider, NOBODYS | PROVIDERS | BOTH | {"NodeId": ""}),
    ):
        (record,) = told(account)
        expected = whose | visible
        assert {name: record[name] for name in expected} == expected
    assert told(bond.stranger) == []


def test_what_is_hidden_cannot_be_asked_for(bond: Bond, node: Node) -> None:
    # A filter that matched what is not shown would tell it, one question at a time.
    push(node, a_flow(bond.place), refusal(bond.place, "security_group", group=bond.group))
    assert told(bond.provider, Client="10.0.0.5") == []
    assert told(bond.provider, Client="10.0.0.0/8") == []
    assert len(told(bond.provider, Client="100.64.0.0/16")) == 1
    assert told(bond.consumer, Client="100.64.0.1") == []
    assert len(told(bond.consumer, Client="10.0.0.5")) == 2
    for asked in ({"EndpointId": bond.endpoint}, {"ServiceId": bond.service}, {"Event": "closed"}):
        assert told(bond.stranger, **asked) == []
    assert told(bond.provider, Cause="security_group") == []


def test_the_consumers_rules_are_the_consumers(bond: Bond, operator: Account, node: Node) -> None:
    push(
        node,
        refusal(bond.place, "security_group", group=bond.group, rule="sgr-1", direction="ingress"),
        refusal(bond.place, "egress_rule", group=bond.group, rule="sgr-2", direction="egress"),
        refusal(bond.place, "no_listener"),
    )
    for account in (bond.consumer, operator):
        causes = [record["Cause"] for record in told(account)]
        assert causes == ["no_listener", "egress_rule", "security_group"]
    (ours,) = told(bond.consumer, Cause="security_group")
    assert (ours["SecurityGroupId"], ours["SecurityGroupRuleId"]) == (bond.group, "sgr-1")
    assert (ours["Direction"], ours["RefusedSide"]) == ("ingress", "client")
    (theirs,) = told(bond.provider)
    assert theirs["Cause"] == "no_listener"
    assert bond.group not in str(told(bond.provider))


def test_a_load_balancers_own_flows_are_its_owners(bond: Bond, node: Node) -> None:
    push(node, a_flow(f"balancer/{bond.balancer}/{A}"))
    (record,) = told(bond.provider)
    expected = CONSUMERS | PROVIDERS | {"LoadBalancerId": bond.balancer, "EndpointId": ""}
    assert {name: record[name] for name in expected} == expected
    assert told(bond.consumer) == []


def test_what_nobody_owns_is_for_the_operator(bond: Bond, operator: Account, node: Node) -> None:
    places = ["", "forward/ep-none/local-a", "balancer/lb-none/x", "segment/vsw-1", "a/b/c/d"]
    push(node, *map(a_flow, places), skipped=7)
    assert [record["Event"] for record in told(operator)] == ["closed"] * 5 + ["skipped"]
    assert told(operator, Event="skipped")[0]["Count"] == 7
    for account in (bond.provider, bond.consumer, bond.stranger):
        assert told(account) == []


def test_the_last_records_of_an_endpoint_still_have_their_owners(bond: Bond, node: Node) -> None:
    push(node, a_flow(bond.place, Event.OPENED, ""))
    node.catch_up()
    bond.consumer.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=bond.endpoint, ZoneId=A)
    node.catch_up()
    bond.consumer.privatelink.DeleteVpcEndpoint(EndpointId=bond.endpoint)
    node.catch_up()
    assert bond.consumer.privatelink.ListVpcEndpoints()["Endpoints"] == []
    push(node, a_flow(bond.place, Event.CLOSED, "closed"))
    assert [record["Event"] for record in told(bond.consumer)] == ["closed", "opened"]
    assert len(told(bond.provider)) == 2


def test_pages_are_the_whole_and_their_tokens_say_nothing(
    stage: Stage, bond: Bond, node: Node, refused: Refused
) -> None:
    push(node, *(a_flow(bond.place, client_port=port) for port in range(1, 26)))
    ports = [record["ClientPort"] for record in told(bond.consumer, MaxResults=7)]
    assert ports == list(range(25, 0, -1))
    first, again = (
        bond.consumer.own.call("DescribeFlowRecords", MaxResults=7)["NextToken"] for _ in range(2)
    )
    assert first != again
    changed = first[:-4] + ("AAAA" if first[-4:] != "AAAA" else "BBBB")
    for token in (changed, "x", first[:-4], "0", "é"):
        with refused("InvalidNextToken", 400, "none of ours"):
            bond.consumer.own.call("DescribeFlowRecords", NextToken=token)
    # A stranger with somebody's token reads from there, and finds nothing.
    answer = bond.stranger.own.call("DescribeFlowRecords", NextToken=first)
    assert answer["FlowRecords"] == []
    stage.restart()
    with refused("InvalidNextToken", 400, "begin with the first page"):
        bond.consumer.own.call("DescribeFlowRecords", NextToken=first)


def test_the_log_outlives_the_server(stage: Stage, bond: Bond, node: Node) -> None:
    push(node, a_flow(bond.place))
    stage.restart()
    push(node, a_flow(bond.place, client_port=2))
    assert [record["ClientPort"] for record in told(bond.consumer)] == [2, 40000]


def test_times_bound_what_is_told(bond: Bond, node: Node) -> None:
    at = {1: 1767268800000, 2: 1767268800500, 3: 1767268801000}  # 2026-01-01T12:00:00Z
    push(node, *(a_flow(bond.place, client_port=port, time=at[port]) for port in at))
    for asked, ports in (
        ({}, [3, 2, 1]),
        ({"StartTime": "2026-01-01T12:00:00.500Z"}, [3, 2]),
        ({"EndTime": "2026-01-01T12:00:00.5Z"}, [2, 1]),
        ({"StartTime": "2026-01-01T12:00:01Z", "EndTime": "2026-01-01T12:00:01Z"}, [3]),
        ({"StartTime": "2026-01-01T12:00:02Z"}, []),
    ):
        assert [record["ClientPort"] for record in told(bond.consumer, **asked)] == ports, asked


def test_no_record_is_of_a_time_to_come(bond: Bond, node: Node) -> None:
    push(node, a_flow(bond.place, time=2**62))
    (record,) = told(bond.consumer)
    assert record["Time"] < "2100"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"StartTime": "yesterday"}, ["StartTime", "2026-12-01T12:00:00Z"]),
        ({"StartTime": "2026-13-01T00:00:00Z"}, ["no such time"]),
        ({"StartTime": "2026-01-02T00:00:00Z", "EndTime": "2026-01-01T00:00:00Z"}, ["is after"]),
        ({"Event": "gone"}, ["opened, closed, refused or skipped"]),
        ({"Cause": "gone"}, ["security_group", "idle"]),
        ({"Client": "10.0.0.0/33"}, ["10.0.0.0/24"]),
        ({"Client": "host"}, ["'host'"]),
        ({"Protocol": "SCTP"}, ["TCP, UDP, ICMP or ICMPV6"]),
        ({"MaxResults": 1001}, ["1 to 1000"]),
    ],
)
def test_what_cannot_be_asked(
    operator: Account, refused: Refused, asked: dict[str, Any], words: list[str]
) -> None:
    with refused(f"Invalid{next(iter(asked))}", 400, *words):
        operator.own.call("DescribeFlowRecords", **asked)


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ("", "truncated"),
        ("{}", "array"),
        ("[[1]]", "array"),
        ("[" * 100_000, "list of flow records"),
        (msgspec.json.encode([a_flow("x", client="<script>")]).decode(), "regex"),
        (msgspec.json.encode([a_flow("x\n")]).decode(), "regex"),
        (msgspec.json.encode([a_flow("x", server_port=65536)]).decode(), "65535"),
        (msgspec.json.encode([a_flow("x", cause="Bad Luck")]).decode(), "regex"),
        (msgspec.json.encode([a_flow("x", time=-1)]).decode(), ">= 0"),
        (msgspec.json.encode([a_flow("")] * (MOST_RECORDS + 1)).decode(), "1001 were given"),
    ],
)
def test_what_a_node_cannot_say(node: Node, operator: Account, records: str, why: str) -> None:
    with pytest.raises(RemoteError, match=why) as caught:
        node.client.call("PushFlowRecords", NodeId=NODE.node_id, Records=records)
    assert (caught.value.code, caught.value.status) == ("InvalidRecords", 400)
    assert told(operator) == []


@pytest.fixture
def loser(stage: Stage) -> Iterator[Loser]:
    made = Loser(stage.host)
    yield made
    made.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_what_is_said_again_after_a_lost_answer_is_logged_once(
    stage: Stage, operator: Account, loser: Loser, restarted: bool
) -> None:
    client = Client(loser.url, NODE.access_key_id, NODE.access_key_secret)
    records = FlowRecords(Names(), client, NODE.node_id)
    ports = iter(range(1, 5000))

    def take(count: int) -> None:
        flows = (a_record(opened=next(ports)) for _ in range(count))
        records.take([maps.RECORD.pack(*each) for each in flows])

    take(10)
    records.say()
    loser.losing = 1
    take(20)
    records.say()
    assert (loser.losing, len(told(operator))) == (0, 30)  # taken, but the node does not know
    if restarted:
        stage.restart()
    take(1500)
    records.say()
    client.close()
    assert len(told(operator)) == 1530
    assert len(told(operator, Event="skipped")) == 0


def test_batches_of_another_life_or_node_are_others(node: Node, operator: Account) -> None:
    for life, batch, logged in ((5, 1, 1), (5, 2, 2), (5, 1, 2), (5, 2, 2), (3, 1, 3), (3, 1, 3)):
        push(node, a_flow(""), Life=life, Batch=batch)
        assert len(told(operator)) == logged
    for _ in range(2):
        push(node, a_flow(""))
    assert len(told(operator)) == 5


def test_a_dry_run_leaves_nothing_in_the_log(node: Node, operator: Account) -> None:
    with pytest.raises(RemoteError, match="DryRunOperation"):
        node.client.call("PushFlowRecords", NodeId=NODE.node_id, Records="[]", DryRun=True)
    records = msgspec.json.encode([a_flow("")]).decode()
    with pytest.raises(RemoteError, match="DryRunOperation"):
        node.client.call("PushFlowRecords", NodeId=NODE.node_id, Records=records, DryRun=True)
    assert told(operator) == []


def test_a_full_disk_is_said_and_nothing_is_half_there(
    stage: Stage, node: Node, operator: Account
) -> None:
    push(node, a_flow(""))
    folder = stage.config.folder / "flows"
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    stage.flow_log.close()
    file.rename(folder / "kept")
    file.mkdir()  # no file can be opened there
    with pytest.raises(RemoteError, match="Make room") as caught:
        push(node, a_flow(""))
    assert (caught.value.code, caught.value.status) == ("FlowLogUnavailable", 503)
    file.rmdir()
    (folder / "kept").rename(file)
    assert len(told(operator)) == 1


def test_a_user_needs_a_policy(
    stage: Stage, bond: Bond, node: Node, operator: Account, refused: Refused
) -> None:
    push(node, a_flow(bond.place))
    reader = user(stage, bond.consumer, "reader", allow("privlink:DescribeFlowRecords"))
    assert len(told(reader)) == 1
    nobody = user(stage, bond.consumer, "nobody", allow("vpc:*"))
    with refused("NoPermission", 403, "privlink:DescribeFlowRecords"):
        nobody.own.call("DescribeFlowRecords")
    for account in (reader, nobody):
        account.own.close()
