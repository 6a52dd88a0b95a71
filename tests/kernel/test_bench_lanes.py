"""The bench's traffic really runs, and says what is so, on the lanes that need no package."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.lanes import LANES, PORT, Lane
from bench.traffic import FIGURES, MEASURES, PROGRAM, MeasureFailed, conversation, served, take
from tests.kernel import lab

ROOT = Path(__file__).parents[2]
MOMENT = 0.1  # seconds


@pytest.fixture(params=["veth", "switch"])
def lane(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lane]:
    subprocess.run([ROOT / "bench" / "build"], check=True, capture_output=True)
    with LANES[request.param](tmp_path_factory.mktemp("lane")) as built:
        yield built
    assert not lab.path(built.client).exists()
    assert not lab.path(built.server).exists()


def test_every_measure_gives_its_figures(lane: Lane) -> None:
    measured = take([lane], list(MEASURES), rounds=1, seconds=MOMENT)
    assert measured.failures == {}
    (found,) = measured.rounds
    assert found[lane.name].keys() == FIGURES.keys()
    assert all(value > 0 for name, value in found[lane.name].items() if name != "cpu")
    assert found[lane.name]["p50"] <= found[lane.name]["p99"]


def test_what_nobody_answers_has_no_number_but_a_reason(lane: Lane) -> None:
    nowhere = Lane("nowhere", lane.client, lane.server, "10.0.0.1", "there is no UDP")
    unreachable = take([nowhere], ["udp"], rounds=1, seconds=MOMENT)
    assert list(unreachable.complaints()) == ["round 1, nowhere, udp: there is no UDP"]
    assert unreachable.median("nowhere", "udp") is None
    with (
        pytest.raises(MeasureFailed, match=r"connect to 10\.0\.0\.6: Connection refused"),
        conversation(lane, MOMENT),
    ):
        pass


def test_connections_that_fail_are_no_connections(lane: Lane) -> None:
    command = ["ip", "netns", "exec", lane.client, str(PROGRAM)]
    asked = [*command, "connect", lane.address, str(PORT), str(MOMENT)]
    refused = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[0] == "traffic: connect: Connection refused"


def test_a_conversation_lasts_until_it_is_ended(lane: Lane) -> None:
    with served(lane.server, "serve", "echo"), conversation(lane, 60) as going:
        before = lab.run(lane.client, "cat", "/proc/net/snmp")
        lab.eventually(lambda: lab.run(lane.client, "cat", "/proc/net/snmp") != before)
        told = going.end()
    assert told["count"] > 0
    assert told["p50"] <= told["longest"]


def test_the_program_says_what_it_is_asked_wrongly() -> None:
    asked = subprocess.run([PROGRAM, "nonsense"], capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "bench/traffic.c" in asked.stderr
