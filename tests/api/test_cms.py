"""CloudMonitor's metrics, asked for through its official SDK."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from privlink.model.traffic import Amount, Usage, ZoneLife
from privlink.rules.monitoring import METRICS
from privlink.store import rows, schema, traffic
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.cost import counted
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_usage import published
from tests.api.world import A, B, World

NAMESPACE = "acs_privatelink"
HOUR, MINUTE = 3600, 60
USED = Usage(
    bytes_in=600,
    bytes_out=1200,
    packets_in=60,
    packets_out=120,
    dropped_bytes_in=300,
    dropped_packets_in=6,
)


def asked(account: Account, name: str, *dimensions: dict[str, str], **more: Any) -> Any:
    """The points that DescribeMetricList answers."""
    answer = account.cms.DescribeMetricList(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=json.dumps(dimensions) if dimensions else "",
        **more,
    )
    assert (answer["Code"], answer["Success"]) == ("200", True)
    return json.loads(answer["Datapoints"])


@pytest.fixture
def minute() -> int:
    """When the last minute that is over began."""
    return int(datetime.now(UTC).timestamp()) // MINUTE * MINUTE - 2 * MINUTE


def put(stage: Stage, place: int, moment: int, usage: Usage = USED) -> None:
    """Have something used in a minute, and in its hour."""
    values = {name: getattr(usage, name) for name in Usage.__struct_fields__}
    with stage.database.write() as tx:
        tx.execute(
            schema.usage_minute.insert().values(place=place, minute=moment // MINUTE, **values)
        )
        tx.execute(schema.usage_hour.insert().values(place=place, hour=moment // HOUR, **values))
        tx.execute(update(schema.zone_life).values(begun=moment - 40 * 24 * HOUR))


def at(points: Any, moment: int) -> list[float]:
    return [each["Average"] for each in points if each["timestamp"] == moment * 1000]


def test_every_metric_is_what_was_used_by_the_second(
    world: World, node: Node, stage: Stage, minute: int
) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    put(stage, node.place(endpoint), minute)
    found = {name: at(asked(world.account, name), minute) for name in METRICS}
    values = {"InBps": 80, "OutBps": 160, "InPps": 1, "OutPps": 2, "InDropBps": 40}
    values |= {"OutDropBps": 0, "InDropPps": 0.1, "OutDropPps": 0}
    for name, value in values.items():
        assert found[f"VpcEndpoint{name}"] == [value]
        assert found[f"VpcEndpointService{name}"] == [value]
    (last,) = json.loads(
        world.account.cms.DescribeMetricLast(
            Namespace=NAMESPACE,
            MetricName="VpcEndpointInBps",
            EndTime=str((minute + MINUTE) * 1000 - 1),
        )["Datapoints"]
    )
    owner = world.account.id
    assert last == {
        "timestamp": minute * 1000,
        "userId": owner,
        "endpointId": endpoint,
        "Average": 80,
    }


def test_series_are_of_what_the_dimensions_name(
    world: World, node: Node, stage: Stage, minute: int
) -> None:
    service, network = world.published(A, B), world.network(A, B)
    one, other = (world.endpoint(service, network, A, B) for _ in range(2))
    node.catch_up()
    for endpoint, zone, size in ((one, A, 60), (one, B, 120), (other, A, 240)):
        put(stage, node.place(endpoint, zone), minute, Usage(bytes_in=size))
    eni = world.zones(one)[B]["EniId"]
    for name, dimensions, averages in (
        ("VpcEndpointInBps", [{"endpointId": one}], [24]),
        ("VpcEndpointInBps", [{"instanceId": one}], [24]),
        ("VpcEndpointInBps", [{"endpointId": one, "zoneId": A}], [8]),
        ("VpcEndpointInBps", [{"endpointId": one, "zone": B}], [16]),
        ("VpcEndpointInBps", [{"eniId": eni}], [16]),
        ("VpcEndpointInBps", [{"endpointId": one}, {"endpointId": other}], [24, 32]),
        ("VpcEndpointInBps", [{"userId": "42", "endpointId": one}], []),
        ("VpcEndpointInBps", [{"userId": world.account.id, "endpointId": one}], [24]),
        ("VpcEndpointServiceInBps", [{"serviceId": service}], [56]),
        ("VpcEndpointServiceInBps", [{"serviceId": service, "endpointId": other}], [32]),
        ("VpcEndpointServiceInBps", [{"serviceId": service, "resourceId": "nlb-none"}], []),
    ):
        points = asked(world.account, name, *dimensions)
        assert sorted(at(points, minute)) == averages, dimensions
        assert all(each.keys() >= set(dimensions[0]) - {"instanceId", "zone"} for each in points)
    resource = world.account.privatelink.ListVpcEndpointServiceResources(ServiceId=service)
    (carrier,) = {each["ResourceId"] for each in resource["Resources"]}
    of = {"serviceId": service, "resourceId": carrier}
    assert at(asked(world.account, "VpcEndpointServiceInBps", of), minute) == [56]


def test_each_side_sees_its_own(
    world: World, other: Account, node: Node, stage: Stage, minute: int
) -> None:
    consumer = World(other)
    service = published(world, consumer)
    endpoint = consumer.endpoint(service, consumer.network(), A)
    node.catch_up()
    put(stage, node.place(endpoint), minute)
    assert at(asked(other, "VpcEndpointInBps"), minute) == [80]
    assert at(asked(world.account, "VpcEndpointServiceInBps"), minute) == [80]
    for account, name, of in (
        (world.account, "VpcEndpointInBps", {"endpointId": endpoint}),
        (other, "VpcEndpointServiceInBps", {"serviceId": service}),
    ):
        assert asked(account, name) == asked(account, name, of) == []


def test_a_longer_period_is_the_average_over_it_and_hours_stay(
    world: World, node: Node, stage: Stage
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    hour = int(datetime.now(UTC).timestamp()) // HOUR * HOUR - 20 * 24 * HOUR
    put(stage, node.place(endpoint), hour)
    times = {"StartTime": str((hour - 1) * 1000), "EndTime": str((hour + HOUR) * 1000)}
    assert at(asked(world.account, "VpcEndpointInBps", Period="3600", **times), hour) == [
        4800 / HOUR
    ]
    # Minutes of so long ago are not kept, and nothing is said of them rather than zero.
    assert asked(world.account, "VpcEndpointInBps", Period="60", **times) == []


def test_pages_hold_every_point_once(world: World, node: Node, stage: Stage, minute: int) -> None:
    service, network = world.published(), world.network()
    for _ in range(3):
        place = world.endpoint(service, network, A)
        node.catch_up()
        put(stage, node.place(place), minute)
    times = {"StartTime": str((minute - 600) * 1000), "EndTime": str((minute + MINUTE) * 1000)}
    whole = asked(world.account, "VpcEndpointInBps", **times)
    assert len({(each["endpointId"], each["timestamp"]) for each in whole}) == len(whole) >= 30
    found, token = [], None
    while True:
        answer = world.account.cms.DescribeMetricList(
            Namespace=NAMESPACE,
            MetricName="VpcEndpointInBps",
            Length="7",
            **times,
            **({"NextToken": token} if token else {}),
        )
        found += json.loads(answer["Datapoints"])
        token = answer.get("NextToken")
        if token is None:
            break
    assert found == whole


def pages(account: Account, length: int, *dimensions: dict[str, str], **more: Any) -> list[Any]:
    """The points of every page of DescribeMetricLast."""
    found, token = [], None
    while token != "":
        answer = account.cms.DescribeMetricLast(
            Namespace=NAMESPACE,
            Dimensions=json.dumps(dimensions) if dimensions else "",
            Length=str(length),
            **({"NextToken": token} if token else {}),
            **more,
        )
        found.append(json.loads(answer["Datapoints"]))
        token = answer.get("NextToken", "")
    return found


def joined(parts: list[Any]) -> list[Any]:
    """The points of several pages."""
    return [each for part in parts for each in part]


@pytest.fixture
def thousands(stage: Stage, operator: Account, minute: int) -> list[ZoneLife]:
    """Zones of 1,400 endpoints at three services, all of one account, half of which are gone."""
    begun, owner = minute - HOUR, operator.id
    lives = [
        ZoneLife(
            10_000 + 4 * at + number,
            f"ep-{at * 9 % 1400:04}",  # in another order than the places
            (A, B)[number % 2],
            f"eni-{4 * at + number}",
            owner,
            f"epsrv-{at % 3}",
            owner,
            owner,
            begun,
            begun + MINUTE if number >= 2 else None,
        )
        for at in range(1400)
        for number in range(4)
    ]
    with stage.database.write() as tx:
        rows.add(tx, schema.zone_life, *lives)
        none = dict.fromkeys(Usage.__struct_fields__, 0) | {"minute": minute // MINUTE}
        used = [none | {"place": each.place, "bytes_in": each.place * 60} for each in lives[::3]]
        tx.execute(schema.usage_minute.insert(), used)
    return lives


def test_pages_over_thousands_of_lives_are_one_big_page(
    operator: Account, minute: int, thousands: list[ZoneLife]
) -> None:
    times = {"EndTime": str((minute + MINUTE) * 1000 - 1)}
    of = {"MetricName": "VpcEndpointInBps", **times}
    (whole,) = pages(operator, 1440, **of)
    used = {each.place: each.place * 8 for each in thousands[::3] if each.ended is None}
    sums = dict.fromkeys((each.endpoint_id for each in thousands), 0)
    for each in thousands:
        sums[each.endpoint_id] += used.get(each.place, 0)
    assert [(each["endpointId"], each["Average"]) for each in whole] == sorted(sums.items())
    parts = pages(operator, 100, **of)
    assert [len(part) for part in parts] == [100] * 14
    assert joined(parts) == whole
    for dimensions in (
        [{"zoneId": A}, {"endpointId": "ep-0007"}],
        [{"serviceId": f"epsrv-{at}", "zoneId": B} for at in range(2)],
        [{"serviceId": "epsrv-1", "resourceId": ""}],
        [{"eniId": f"eni-{number}"} for number in range(0, 40, 2)],
    ):
        of["MetricName"] = f"VpcEndpoint{'Service' * ('serviceId' in dimensions[0])}InBps"
        whole = joined(pages(operator, 1440, *dimensions, **of))
        assert whole and joined(pages(operator, 7, *dimensions, **of)) == whole


def test_a_page_costs_what_it_shows(
    operator: Account, minute: int, thousands: list[ZoneLife]
) -> None:
    answered: dict[str, Any] = {"Namespace": NAMESPACE, "Length": "10"}
    answered["EndTime"] = str((minute + MINUTE) * 1000 - 1)
    for name, dimensions in (
        ("VpcEndpointInBps", None),
        ("VpcEndpointInBps", {"endpointId": "ep-0900"}),
        ("VpcEndpointServiceInBps", {"serviceId": "epsrv-1", "endpointId": "ep-0009"}),
    ):
        asked_for = answered | {"MetricName": name, "Dimensions": json.dumps(dimensions or [])}
        for at in range(3 if dimensions is None else 1):
            with counted() as cost:
                answer = operator.cms.DescribeMetricLast(**asked_for)
            assert json.loads(answer["Datapoints"])
            # To look at each of the 5,600 lives takes some 50,000.
            assert cost.steps < 6000, (name, dimensions, at, cost)
            if dimensions is None:
                asked_for["NextToken"] = answer["NextToken"]


def test_a_token_of_another_list_is_refused(
    operator: Account, refused: Refused, thousands: list[ZoneLife]
) -> None:
    of = {"Namespace": NAMESPACE, "MetricName": "VpcEndpointInBps", "Length": "1"}
    token = operator.cms.DescribeMetricLast(**of)["NextToken"]
    both = json.dumps({"endpointId": "ep-0001", "zoneId": A})
    with refused("InvalidNextToken", 400, "no page of this list"):
        operator.cms.DescribeMetricLast(**of, Dimensions=both, NextToken=token)
    for moment in (10**30, -(10**30)):
        text = json.dumps([["ep-0001"], moment])
        token = base64.urlsafe_b64encode(text.encode()).decode()
        (point,) = json.loads(operator.cms.DescribeMetricLast(**of, NextToken=token)["Datapoints"])
        assert point["endpointId"] == ("ep-0002" if moment > 0 else "ep-0001")


def test_the_list_of_metrics(operator: Account) -> None:
    answer = operator.cms.DescribeMetricMetaList(Namespace=NAMESPACE)
    assert answer["TotalCount"] == "16"
    listed = {each["MetricName"]: each for each in answer["Resources"]["Resource"]}
    assert listed.keys() == METRICS.keys()
    assert listed["VpcEndpointInBps"]["Unit"] == "bit/s"
    assert listed["VpcEndpointInBps"]["Dimensions"] == "userId,endpointId,zoneId,eniId"
    page = operator.cms.DescribeMetricMetaList(PageNumber=2, PageSize=10)["Resources"]["Resource"]
    assert len(page) == 6


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("Namespace", "acs_ecs_dashboard"),
        ("MetricName", "cpu_idle"),
        ("Period", "61"),
        ("Period", "0"),
        ("Length", "1441"),
        ("Dimensions", '[{"cpu":"1"}]'),
        ("Dimensions", "[" * 3000),
        ("Dimensions", '[{"endpointId":1}]'),
        ("Dimensions", json.dumps([{"endpointId": "ep"}] * 51)),
        ("StartTime", "soon"),
        ("EndTime", "9" * 15),
        ("StartTime", "2000-01-01 00:00:00"),
        ("NextToken", "bmV4dA=="),
    ],
)
def test_what_cannot_be_told_is_refused(
    operator: Account, refused: Refused, parameter: str, value: str
) -> None:
    good = {"Namespace": NAMESPACE, "MetricName": "VpcEndpointInBps"}
    with refused(f"Invalid{parameter}", 400):
        operator.cms.DescribeMetricList(**good | {parameter: value})


def test_a_node_fills_the_minute_in_which_it_speaks(world: World, node: Node, stage: Stage) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    place = node.place(endpoint)
    node.count(place, Amount(1, 60))
    node.push_traffic()
    node.count(place, Amount(1, 60))
    node.push_traffic()
    now = int(datetime.now(UTC).timestamp()) // MINUTE
    with stage.database.read() as tx:
        found = traffic.minutes(tx, [place], now - 3, now + 1)[place]
        assert [each.life for each in rows.find(tx, traffic.Life, schema.traffic_life)] == [1]
    assert sum(usage.bytes_in for _, usage in found) == 120
