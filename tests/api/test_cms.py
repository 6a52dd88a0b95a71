"""CloudMonitor's metrics, asked for through its official SDK."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from privlink.model.traffic import Amount, Usage
from privlink.rules.monitoring import METRICS
from privlink.store import rows, schema, traffic
from tests.api.account import Account
from tests.api.conftest import Refused
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
