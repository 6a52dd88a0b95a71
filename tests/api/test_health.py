"""How the installation is: /healthz, /readyz, /metrics."""

from __future__ import annotations

import http.client
from contextlib import closing
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from privlink.model.traffic import Amount
from privlink.store import changes, schema
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Node
from tests.api.world import A, World


def get(stage: Stage, path: str) -> tuple[int, str]:
    """Status and text of an unsigned request."""
    with closing(http.client.HTTPConnection(stage.host, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_a_server_that_answers_is_healthy(stage: Stage) -> None:
    assert get(stage, "/healthz") == (200, "ok\n")


def test_ready_is_who_is_in_step(stage: Stage, world: World, node: Node) -> None:
    vswitch = world.network().vswitch
    node.resolver.catch_up()
    status, text = get(stage, "/readyz")
    assert (status, text) == (503, f"{NODE.node_id} has not reported since the server started\n")
    node.pull()
    with stage.database.read() as tx:
        revision = changes.newest_for(tx, changes.Audience.NODES)
    node.revision = revision - 1
    node.report()
    status, text = get(stage, "/readyz")
    told = f"{NODE.node_id} is at revision {node.revision} of {revision}\n"
    assert (status, text) == (503, told)
    node.fail(f"segment/{vswitch}", message="no bridge")
    node.catch_up()
    status, text = get(stage, "/readyz")
    assert (status, text) == (503, f"{NODE.node_id} cannot do segment/{vswitch}: no bridge\n")
    node.recover()
    node.report()
    assert get(stage, "/readyz") == (200, "ready\n")


def test_a_node_that_is_silent_is_a_reason(stage: Stage, node: Node) -> None:
    node.catch_up()
    long_ago = datetime.now(UTC) - timedelta(seconds=100)
    with stage.database.write() as tx:
        seen = {"seen_at": long_ago.strftime("%Y-%m-%dT%H:%M:%SZ")}
        tx.execute(update(schema.node).values(seen))
    status, text = get(stage, "/readyz")
    assert status == 503
    assert text.startswith(f"{NODE.node_id} has not reported for 10")


def test_a_server_without_a_node_is_not_ready(stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.execute(schema.access_key.delete().where(schema.access_key.c.node_id == NODE.node_id))
        tx.execute(schema.node.delete())
        tx.execute(schema.resolver.delete())
    assert get(stage, "/readyz") == (503, "no node is known\n")


def test_an_unplugged_workload_does_not_hold_ready_up(
    stage: Stage, world: World, node: Node
) -> None:
    made = world.account.own.call("CreateAttachment", VSwitchId=world.network().vswitch)
    node.plug(made["AttachmentId"], there=False)
    node.catch_up()
    assert get(stage, "/readyz") == (200, "ready\n")


def test_metrics_count_requests_by_what_came_of_them(
    stage: Stage, operator: Account, node: Node, refused: Refused
) -> None:
    operator.vpc.CreateVpc()
    with refused("InvalidVpcId.NotFound", 404):
        operator.vpc.DeleteVpc(VpcId="vpc-none")
    node.drops = {"no-flow": 7}
    node.catch_up()
    status, text = get(stage, "/metrics")
    assert status == 200
    lines = text.splitlines()
    assert 'privlink_requests_total{action="CreateVpc",code="OK"} 1.0' in lines
    assert 'privlink_requests_total{action="DeleteVpc",code="InvalidVpcId.NotFound"} 1.0' in lines
    assert 'privlink_request_seconds_count{action="CreateVpc"} 1.0' in lines
    assert f'privlink_node_revision{{node="{NODE.node_id}"}} {node.revision}.0' in lines
    assert f"privlink_revision {node.revision}.0" in lines
    dropped = f'privlink_node_dropped_packets{{node="{NODE.node_id}",reason="no-flow"}} 7.0'
    assert dropped in lines


def test_what_passed_through_each_endpoint_zone(stage: Stage, world: World, node: Node) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    there, back = Amount(3, 2**53 - 5), Amount(2, 84)
    refused = {"ingress_rule": (Amount(1, 60), Amount())}
    shaped, released = (Amount(5, 900), Amount()), (Amount(4, 720), Amount())
    node.count(
        node.place(endpoint),
        there,
        back,
        flows=2,
        opened=5,
        ended={"idle": 3},
        refused=refused,
        shaped=shaped,
        released=released,
    )
    node.push_traffic()
    _, text = get(stage, "/metrics")
    zone = f'endpoint="{endpoint}",zone="local-a",service="{service}"'
    ours = [
        line.removeprefix("privlink_endpoint_")
        for line in text.splitlines()
        if line.startswith("privlink_endpoint_")
    ]
    assert sorted(ours) == sorted(
        [
            f'bytes_total{{{zone},direction="in"}} {2**53 - 5}',
            f'bytes_total{{{zone},direction="out"}} 84',
            f'packets_total{{{zone},direction="in"}} 3',
            f'packets_total{{{zone},direction="out"}} 2',
            f"flows_opened_total{{{zone}}} 5",
            f"flows_active{{{zone}}} 2",
            f'flows_ended_total{{{zone},cause="idle"}} 3',
            f'shaper_in_bytes_total{{{zone},direction="in"}} 900',
            f'shaper_in_packets_total{{{zone},direction="in"}} 5',
            f'shaper_out_bytes_total{{{zone},direction="in"}} 720',
            f'shaper_out_packets_total{{{zone},direction="in"}} 4',
            f'dropped_bytes_total{{{zone},direction="in",reason="ingress_rule"}} 60',
            f'dropped_packets_total{{{zone},direction="in",reason="ingress_rule"}} 1',
        ]
    )
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["privlink_endpoint_bytes"].type == "counter"
    assert families["privlink_endpoint_flows_active"].type == "gauge"
    world.account.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    node.catch_up()
    assert endpoint not in get(stage, "/metrics")[1]
