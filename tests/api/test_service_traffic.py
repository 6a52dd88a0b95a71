"""How long flows of a service may be silent, and how many there may be: who says so, who hears it.

Driven by privlink's own client, as the cloud has no word for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.identity import allow, user
from tests.api.stage import OPERATOR, Stage
from tests.api.stand_in import Node
from tests.api.world import A, B, World

DEFAULTS = {
    "TcpIdleTimeout": 900,
    "UdpIdleTimeout": 60,
    "MaxFlows": 65536,
    "MaxNewFlowsPerSecond": 0,
}
OWN = {"TcpIdleTimeout": 65535, "UdpIdleTimeout": 5, "MaxFlows": 1, "MaxNewFlowsPerSecond": 1000000}


def shown(account: Account, service: str) -> dict[str, Any]:
    answer = account.own.call("GetServiceTraffic", ServiceId=service)
    answer.pop("RequestId")
    return answer


def settings(answer: dict[str, Any]) -> dict[str, int]:
    return {name: answer[name] for name in DEFAULTS}


def test_a_service_has_the_defaults_till_it_is_given_its_own(
    operator: Account, world: World
) -> None:
    service = world.service()
    answer = shown(operator, service)
    assert (answer["ServiceId"], settings(answer), answer["OwnSettings"]) == (service, DEFAULTS, [])
    for name, value in OWN.items():
        changed = operator.own.call("ModifyServiceTraffic", ServiceId=service, **{name: value})
        assert (changed[name], name in changed["OwnSettings"]) == (value, True)
    answer = shown(operator, service)
    assert (settings(answer), answer["OwnSettings"]) == (OWN, list(OWN))
    assert answer["Defaults"] == DEFAULTS
    some = ["MaxFlows", "UdpIdleTimeout"]
    operator.own.call("ModifyServiceTraffic", ServiceId=service, Reset=some)
    answer = shown(operator, service)
    assert settings(answer) == OWN | {"MaxFlows": 65536, "UdpIdleTimeout": 60}
    operator.own.call("ModifyServiceTraffic", ServiceId=service, Reset=list(OWN))
    assert settings(shown(operator, service)) == DEFAULTS


def test_one_service_says_nothing_for_another_and_its_other_settings_stay(
    operator: Account, world: World
) -> None:
    service, other = world.service(), world.service()
    get = operator.privatelink.GetVpcEndpointServiceAttribute
    before = get(ServiceId=service)
    operator.own.call("ModifyServiceTraffic", ServiceId=service, MaxFlows=9)
    after = get(ServiceId=service)
    assert before | {"RequestId": ""} == after | {"RequestId": ""}
    assert settings(shown(operator, other)) == DEFAULTS
    operator.privatelink.UpdateVpcEndpointServiceAttribute(
        ServiceId=service, AutoAcceptEnabled=True
    )
    assert shown(operator, service)["MaxFlows"] == 9


def test_nodes_hear_of_it_at_every_open_zone_and_nowhere_else(
    operator: Account, world: World, node: Node
) -> None:
    service, another = world.published(A, B), world.published()
    network = world.network(A, B)
    endpoint, second = world.endpoint(service, network, A, B), world.endpoint(service, network, A)
    world.endpoint(another, network, A)
    waiting = world.published(auto=False)
    world.endpoint(waiting, network, A)
    node.catch_up()
    closed = {"ServiceId": service, "EndpointId": second, "ZoneId": A}
    operator.privatelink.DisableVpcEndpointZoneConnection(**closed)
    node.catch_up()
    zones = [f"forward/{endpoint}/{zone}" for zone in (A, B)]
    modify = operator.own.call

    def told() -> list[tuple[int, ...]]:
        openings = [node.held[key]["opening"] for key in zones]
        names = ("idle_tcp", "idle_udp", "flows", "rate")
        return [tuple(opening[name] for name in names) for opening in openings]

    assert told() == [(0, 0, 65536, 0)] * 2
    modify("ModifyServiceTraffic", ServiceId=service, **OWN)
    assert world.statuses(endpoint)[1] == "Connecting"
    node.pull()
    assert sorted(node.seen) == sorted(zones)
    assert told() == [(65535, 5, 1, 1000000)] * 2
    node.report()
    assert world.statuses(endpoint)[1] == "Connected"
    for unchanged in (OWN, {}, {"Reset": []}):
        modify("ModifyServiceTraffic", ServiceId=service, **unchanged)
        assert node.pull()["Items"] == []
    modify("ModifyServiceTraffic", ServiceId=waiting, MaxFlows=5)
    assert node.pull()["Items"] == []
    operator.privatelink.EnableVpcEndpointZoneConnection(**closed)
    node.catch_up()
    assert node.held[f"forward/{second}/{A}"]["opening"]["flows"] == 1


def test_places_are_numbered_once_and_never_again(
    operator: Account, world: World, node: Node
) -> None:
    service, network = world.published(A, B), world.network(A, B)
    endpoint = world.endpoint(service, network, A, B)
    node.catch_up()

    def number(zone: str) -> int:
        return int(node.held[f"forward/{endpoint}/{zone}"]["number"])

    first, second = number(A), number(B)
    assert first != second
    which = {"ServiceId": service, "EndpointId": endpoint}
    operator.privatelink.DisableVpcEndpointConnection(**which)
    operator.privatelink.EnableVpcEndpointConnection(**which)
    node.catch_up()
    assert (number(A), number(B)) == (first, second)
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    node.catch_up()
    operator.privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
    )
    node.catch_up()
    assert number(A) == first
    assert number(B) > max(first, second)


def test_the_zones_of_a_connection_share_its_number_and_no_other_has_it(
    world: World, node: Node
) -> None:
    service, network = world.published(A, B), world.network(A, B)
    endpoints = [world.endpoint(service, network, A, B) for _ in range(2)]
    node.catch_up()
    numbers = [
        {node.held[f"forward/{each}/{zone}"]["opening"]["connection"] for zone in (A, B)}
        for each in endpoints
    ]
    assert [len(each) for each in numbers] == [1, 1]
    assert numbers[0].isdisjoint(numbers[1])


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("TcpIdleTimeout", 10, 65535),
        ("UdpIdleTimeout", 5, 3600),
        ("MaxFlows", 1, 1000000),
        ("MaxNewFlowsPerSecond", 0, 1000000),
    ],
)
def test_a_value_out_of_range_changes_nothing_and_is_told_the_range(
    operator: Account, world: World, refused: Refused, name: str, lowest: int, highest: int
) -> None:
    service = world.service()
    modify = operator.own.call
    for value in (lowest, highest):
        changed = modify("ModifyServiceTraffic", ServiceId=service, **{name: value})
        assert changed[name] == value
    for value in (lowest - 1, highest + 1, -1, 2**40, "many", "1.5"):
        with refused(f"Invalid{name}", 400, str(highest)):
            modify("ModifyServiceTraffic", ServiceId=service, **{name: value})
    assert shown(operator, service)[name] == highest


def test_what_is_given_and_reset_at_once_is_refused(
    operator: Account, world: World, refused: Refused
) -> None:
    service = world.service()
    modify = operator.own.call
    with refused("InvalidReset", 400, "MaxFlows", "leave one of the two out"):
        modify("ModifyServiceTraffic", ServiceId=service, MaxFlows=1, Reset=["MaxFlows"])
    with refused("InvalidReset", 400, "TcpIdleTimeout"):
        modify("ModifyServiceTraffic", ServiceId=service, Reset=["Everything"])
    assert settings(shown(operator, service)) == DEFAULTS


def test_it_is_the_owners_and_takes_a_policy(
    stage: Stage, operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, another = world.service(), world.service()
    for action in ("GetServiceTraffic", "ModifyServiceTraffic"):
        with refused("EndpointServiceNotFound", 400, service):
            other.own.call(action, ServiceId=service)
    arn = f"acs:privatelink:local:{operator.id}:vpcendpointservice/{service}"
    reader = user(stage, operator, "reader", allow("privlink:GetServiceTraffic", on=arn))
    assert settings(shown(reader, service)) == DEFAULTS
    with refused("NoPermission", 403, "privlink:ModifyServiceTraffic"):
        reader.own.call("ModifyServiceTraffic", ServiceId=service, MaxFlows=1)
    with refused("NoPermission", 403, "privlink:GetServiceTraffic"):
        shown(reader, another)
    reader.own.close()


def test_the_command_shows_and_changes_it(stage: Stage, world: World) -> None:
    service = world.service()
    environment = os.environ | {
        "PRIVLINK_SERVER": stage.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": OPERATOR.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OPERATOR.access_key_secret,
    }

    def attempt(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "privlink", "service-traffic", service, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    assert attempt().stdout.splitlines() == [
        "tcp-idle       900 (default; a listener's own, where it has one)",
        "udp-idle       60 (default; a listener's own, where it has one)",
        "max-flows      65536 (default)",
        "max-new-flows  0 (default)",
    ]
    changed = attempt("--tcp-idle", "300", "--max-new-flows", "50").stdout
    assert "tcp-idle       300 (default 900)" in changed
    spoken = json.loads(attempt("-o", "json").stdout)
    assert spoken["OwnSettings"] == ["TcpIdleTimeout", "MaxNewFlowsPerSecond"]
    assert "tcp-idle       900 (default;" in attempt("--reset", "tcp-idle").stdout
    wrong = attempt("--max-flows", "0")
    assert wrong.returncode == 1
    assert "MaxFlows" in wrong.stderr
    assert "1 to 1000000" in wrong.stderr
