"""Who pays for what: usage by payer, endpoint and zone, and the prices of its time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from privlink.api.times import moment_of
from privlink.client import RemoteError
from privlink.model.traffic import Amount
from privlink.rules.billing import Price
from privlink.store import rows, schema
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Node
from tests.api.world import A, B, World

HOUR = 3600
THERE, BACK = Amount(10, 1000), Amount(20, 30_000)


@pytest.fixture
def consumer(other: Account) -> World:
    """The second account's world."""
    return World(other)


@pytest.fixture
def now() -> int:
    """The beginning of the present hour; a test has nearly all of it ahead."""
    return int(datetime.now(UTC).timestamp()) // HOUR * HOUR


def published(world: World, consumer: World, *zones: str, payer: str = "Endpoint") -> str:
    """A service that the other account may use, paid for by one side."""
    network = world.network(*(zones or (A,)))
    balancer = world.balancer(network)
    made = world.account.privatelink.CreateVpcEndpointService(
        ServiceResourceType="nlb",
        AutoAcceptEnabled=True,
        Payer=payer,
        Resource=[
            {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone}
            for zone in network.vswitches
        ],
    )
    world.account.privatelink.AddUserToVpcEndpointService(
        ServiceId=made["ServiceId"], UserId=int(consumer.account.id)
    )
    return str(made["ServiceId"])


def used(account: Account, **asked: Any) -> list[dict[str, Any]]:
    """The rows of DescribeUsage."""
    found: list[dict[str, Any]] = account.own.call("DescribeUsage", **asked)["Usage"]
    return found


def begin_at(stage: Stage, moment: int, ended: int | None = None) -> None:
    """Have every zone's life be of another time."""
    with stage.database.write() as tx:
        tx.execute(update(schema.zone_life).values(begun=moment, ended=ended))


def test_the_payer_sees_it_and_an_operator_sees_all(
    world: World, consumer: World, node: Node
) -> None:
    by_consumer = published(world, consumer)
    by_provider = published(world, consumer, payer="EndpointService")
    network = consumer.network()
    own = consumer.endpoint(by_consumer, network, A)
    paid = consumer.endpoint(by_provider, network, A)
    node.catch_up()
    for endpoint in (own, paid):
        node.count(node.place(endpoint), THERE, BACK, opened=1)
    node.push_traffic()
    (row,) = used(consumer.account)
    assert (row["EndpointId"], row["PayerAccountId"]) == (own, consumer.account.id)
    assert (row["BytesIn"], row["BytesOut"], row["ZoneHours"]) == (1000, 30_000, 1)
    assert (row["ServiceId"], row["ServiceAccountId"]) == (by_consumer, world.account.id)
    assert (row["Price"], row["Currency"]) == ("0.000000", "CNY")
    everything = used(world.account)
    assert [each["EndpointId"] for each in everything] == [own, paid]
    (row,) = used(world.account, AccountId=world.account.id)
    assert (row["EndpointId"], row["PayerAccountId"]) == (paid, world.account.id)
    assert row["EndpointAccountId"] == consumer.account.id
    assert used(consumer.account, EndpointId=paid) == []
    assert [row["EndpointId"] for row in used(world.account, ServiceId=by_provider)] == [paid]


def test_what_is_repeated_or_of_a_new_life_counts_once(
    world: World, node: Node, stage: Stage
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    place = node.place(endpoint)
    node.count(place, THERE, BACK)
    node.push_traffic()
    stage.restart()
    node.push_traffic()
    node.push_traffic()
    node.count(place, THERE)
    node.push_traffic()
    node.counted.clear()  # the host was booted
    node.count(place, THERE)
    node.push_traffic(life=2)
    node.push_traffic(life=2)
    (row,) = used(world.account)
    assert (row["BytesIn"], row["BytesOut"]) == (3000, 30_000)


def test_usage_outlives_the_endpoint(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(A, B), network := world.network(A, B), A, B)
    node.catch_up()
    for zone in network.vswitches:
        node.count(node.place(endpoint, zone), THERE)
    node.push_traffic()
    privatelink = world.account.privatelink
    for zone in network.vswitches:
        privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=zone)
    node.catch_up()
    privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    node.push_traffic()
    for row in (found := used(world.account, EndpointId=endpoint)):
        assert (row["EndpointId"], row["BytesIn"], row["ZoneHours"]) == (endpoint, 1000, 1)
    assert [row["ZoneId"] for row in found] == [A, B]


def test_hours_that_have_begun_count_while_nothing_is_connected(
    world: World, stage: Stage, now: int
) -> None:
    world.endpoint(world.published(auto=False), world.network(), A)
    begin_at(stage, now - 50 * HOUR - 1800, ended=now - 47 * HOUR - 1800 + 1)
    asked = {"StartTime": moment_of(now - 60 * HOUR), "EndTime": moment_of(now)}
    (row,) = used(world.account, **asked)
    assert row["ZoneHours"] == 4
    by_hour = used(world.account, **asked, Granularity="Hour")
    assert [each["ZoneHours"] for each in by_hour] == [1, 1, 1, 1]
    assert by_hour[0]["StartTime"] == moment_of(now - 51 * HOUR)
    assert by_hour[0]["EndTime"] == moment_of(now - 50 * HOUR)
    by_day = used(world.account, **asked, Granularity="Day")
    assert sum(each["ZoneHours"] for each in by_day) == 4


def test_a_price_holds_from_its_hour_on(
    world: World, stage: Stage, node: Node, operator: Account, now: int
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    begin_at(stage, now - 5 * HOUR)
    with stage.database.write() as tx:
        rows.add(tx, schema.price, Price(now // HOUR - 3, "USD", "0.01", "0.01"))
    said = operator.own.call("SetPrices", Currency="CNY", ZoneHour="0.07", Gigabyte="0.5")
    assert said["SinceTime"] == moment_of(now)
    node.count(node.place(endpoint), Amount(1, 10**9), Amount(1, 2 * 10**9))
    node.push_traffic()
    start = {"StartTime": moment_of(now - 10 * HOUR)}
    # Five hours have gone by, of which two were free, and the present one has begun.
    assert [
        (row["Currency"], row["ZoneHours"], row["Price"]) for row in used(operator, **start)
    ] == [("CNY", 3, "1.570000"), ("USD", 3, "0.030000")]
    listed = operator.own.call("DescribePrices")["Prices"]
    assert [(each["Currency"], each["ZoneHour"]) for each in listed] == [
        ("CNY", "0.07"),
        ("USD", "0.01"),
    ]
    operator.own.call("SetPrices", Currency="CNY", ZoneHour="0", Gigabyte="0")
    assert used(operator, **start)[0]["Price"] == "0.000000"


@pytest.mark.parametrize("granularity", ["Hour", "Total"])
def test_pages_hold_every_row_once(world: World, stage: Stage, now: int, granularity: str) -> None:
    service, network = world.published(), world.network()
    for _ in range(3):
        world.endpoint(service, network, A)
    begin_at(stage, now - 4 * HOUR)
    asked = {"StartTime": moment_of(now - 9 * HOUR), "Granularity": granularity}
    whole = used(world.account, **asked)
    found: list[dict[str, Any]] = []
    for page in pages(world.account, MaxResults=2, **asked):
        assert len(page) <= 2
        found += page
    assert found == whole
    assert len(whole) == (15 if granularity == "Hour" else 3)


def pages(account: Account, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    token = None
    while True:
        answer = account.own.call("DescribeUsage", NextToken=token, **asked)
        yield answer["Usage"]
        token = answer.get("NextToken")
        if token is None:
            return


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"StartTime": "yesterday"}, ("StartTime", "'yesterday'", "2026-12-01T00:00:00Z")),
        ({"StartTime": "2026-12-01T00:30:00Z"}, ("StartTime", "full")),
        ({"StartTime": "9999-12-31T23:00:00Z"}, ("StartTime",)),
        ({"EndTime": "2000-01-01T00:00:00Z"}, ("EndTime", "after StartTime")),
        (
            {
                "StartTime": "2026-01-01T00:00:00Z",
                "EndTime": "2026-12-01T00:00:00Z",
                "Granularity": "Hour",
            },
            ("StartTime", "31 days"),
        ),
        ({"Granularity": "Week"}, ("Granularity",)),
        ({"NextToken": "bmV4dA=="}, ("NextToken",)),
    ],
)
def test_what_cannot_be_told_is_refused(
    operator: Account, refused: Refused, asked: dict[str, str], words: tuple[str, ...]
) -> None:
    with refused("Invalid" + ("NextToken" if "NextToken" in asked else words[0]), 400, *words):
        used(operator, **asked)


def test_nobody_asks_for_another_account(
    other: Account, operator: Account, refused: Refused
) -> None:
    with refused("AccountNotFound", 404):
        used(other, AccountId=operator.id)
    with refused("AccountNotFound", 404):
        used(operator, AccountId="42")
    for name, given in (
        ("SetPrices", {"Currency": "CNY", "ZoneHour": "1", "Gigabyte": "1"}),
        ("DescribePrices", {}),
    ):
        with refused("NoPermission", 403, "operator only"):
            other.own.call(name, **given)


@pytest.mark.parametrize("price", ["", "-1", "1e3", "0x1", ".5", "1.", "1" * 10, "٣", "NaN", "1,5"])
def test_a_price_is_a_decimal_number(operator: Account, refused: Refused, price: str) -> None:
    with refused("InvalidZoneHour", 400, "decimal number"):
        operator.own.call("SetPrices", Currency="CNY", ZoneHour=price, Gigabyte="0")


@pytest.mark.parametrize(
    "said",
    [
        *("", "{}", "[1]", "[[]]", "[" * 5000, "[[1,0,[[[1,1],[1,1]]],1,2]]", "[[0,0,[]]]"),
        *("[[1,-1,[]]]", "[[1,0,[[[-1,0],[0,0]]]]]", f"[[1,0,[[[{2**54},0],[0,0]]]]]"),
        '[[1,0,[[[1,1],[0,0]],[[0,0],[0,0]],0,0,{"no\\"label":1}]]]',
        json.dumps([[1, 0, []]] * 1001),
    ],
)
def test_what_a_node_says_is_checked(node: Node, stage: Stage, said: str) -> None:
    before = stage.dump()
    with pytest.raises(RemoteError) as caught:
        node.client.call("PushTraffic", NodeId=NODE.node_id, Life=1, Traffic=said)
    assert (caught.value.code, caught.value.status) == ("InvalidTraffic", 400)
    assert stage.dump() == before


def test_what_is_of_no_endpoint_is_nobodys(node: Node, world: World) -> None:
    node.count(4711, THERE)
    node.push_traffic()
    assert used(world.account) == []


def test_the_biggest_numbers_do_no_harm(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    node.count(node.place(endpoint), Amount(2**53, 2**53), Amount(2**53, 2**53))
    for life in range(1, 4):
        node.push_traffic(life=life)
    (row,) = used(world.account)
    assert row["BytesIn"] == 3 * 2**53
    assert msgspec.json.decode(str(row["BytesIn"])) == row["BytesIn"]
