"""What verdicts do to the maps, on the real kernel; who gives them is the test."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from privlink.model.items import (
    Attachment,
    Balancer,
    Check,
    CheckKind,
    Item,
    Listener,
    Protocol,
    Segment,
    Server,
)
from privlink.node.health.checks import GOOD, Code, bad
from privlink.node.health.monitor import Monitor
from privlink.node.health.probes import FIRST_NUMBER, own_entries
from privlink.node.holding import Holding
from privlink.node.links import workload_name
from privlink.node.plug import Port, plug, unplug
from privlink.node.program.maps import NUMBER, SERVER, TARGET_KEY, address_text
from privlink.node.reconcile import Count
from tests.judge import Judge
from tests.kernel import lab
from tests.kernel.test_holding import Recorder, full, instance, kernel, some

__all__ = ["instance", "kernel"]  # fixtures

A, B = Server("10.0.0.5", 80, 1), Server("10.0.0.6", 82, 1)
CHECK = Check(CheckKind.TCP, rise=2, fall=2)
DOWN = bad(Code.CONNECT_FAILED, "Connection refused")
WORKLOAD = Attachment(1, 1, 2, "10.0.0.0/24", "10.0.0.5", "02:00:00:00:02:05")
OWN_LINK = 0x7FFFFFF0  # no link has this index


def balancer(number: int, *servers: Server, check: Check | None = CHECK) -> Balancer:
    group = Listener(Protocol.TCP, 80, 80, servers, group="g", check=check)
    return Balancer(number, (group,), 2, "local-a", f"10.0.0.10{number}", "02:00:00:00:02:64",
                    opening=90 + number)  # fmt: skip


ONE, TWO = "balancer/nlb-1/local-a", "balancer/nlb-2/local-a"
ITEMS: dict[str, Item | None] = {
    "segment/one": Segment(1, 2, "10.0.0.0/24", "10.0.0.253"),
    "attachment/one": WORKLOAD,
    ONE: balancer(1, A, B),
    TWO: balancer(2, A, check=msgspec.structs.replace(CHECK, port=81)),
}
ONE_A, TWO_A = 80, 81  # the ports that they are asked at


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def monitor(judge: Judge) -> Monitor:
    made = Monitor(judge, lambda: OWN_LINK)
    made.start(lambda: None)
    return made


@pytest.fixture
def holding(kernel: Recorder, monitor: Monitor) -> Iterator[Holding]:
    made = Holding(kernel, monitor)
    made.take(full(ITEMS))
    assert made.faults == {}
    yield made


def slots(kernel: Recorder, number: int) -> list[str]:
    """The servers that take new flows of a balancer."""
    found = kernel.program.maps["servers"].dump()
    return sorted(
        address_text(SERVER.unpack(value)[0])
        for key, value in found
        if key[:4] == NUMBER.pack(number)
    )


def targets(kernel: Recorder, number: int) -> list[str]:
    """The servers that may have flows of a balancer."""
    found = (TARGET_KEY.unpack(key) for key, _ in kernel.program.maps["targets"].dump())
    return sorted(address_text(key[4]) for key in found if key[0] == number)


def test_the_entries_of_probes_and_of_their_link_are_there_and_stay(
    holding: Holding, kernel: Recorder
) -> None:
    assert set(own_entries(OWN_LINK)) <= kernel.observed()
    for at in range(3):
        assert kernel.program.maps["forwards"].lookup(NUMBER.pack(FIRST_NUMBER + at))
    assert not holding.sweep().changed
    kernel.program.maps["ports"].delete(NUMBER.pack(OWN_LINK))
    assert holding.sweep().count == Count(added=1)


def test_a_verdict_takes_one_server_out_of_one_item(
    holding: Holding, kernel: Recorder, judge: Judge, monitor: Monitor
) -> None:
    judge.say(ONE_A, GOOD, DOWN, DOWN)
    assert holding.look_at_servers().changed
    assert (slots(kernel, 1), targets(kernel, 1)) == (["10.0.0.6"], ["10.0.0.6"])
    assert (slots(kernel, 2), targets(kernel, 2)) == (["10.0.0.5"], ["10.0.0.5"])
    assert not holding.sweep().changed
    judge.say(ONE_A, GOOD, GOOD)
    assert holding.look_at_servers().changed
    assert slots(kernel, 1) == ["10.0.0.5", "10.0.0.6"]
    assert not monitor.owes_a_look


def test_a_look_that_breaks_off_is_made_again(
    holding: Holding, kernel: Recorder, judge: Judge, monitor: Monitor
) -> None:
    judge.say(ONE_A, DOWN)
    kernel.stumbles = True
    with pytest.raises(RuntimeError, match="stumbled"):
        holding.look_at_servers()
    kernel.stumbles = False
    assert monitor.owes_a_look
    holding.look_at_servers()
    assert targets(kernel, 1) == ["10.0.0.6"]


def test_an_item_that_goes_takes_its_probes_along(
    holding: Holding, kernel: Recorder, judge: Judge
) -> None:
    holding.take(some({ONE: None, TWO: balancer(2, A, check=None)}))
    assert judge.probes == {}
    numbers = (NUMBER.unpack(key)[0] for key, _ in kernel.program.maps["forwards"].dump())
    assert max(numbers) < FIRST_NUMBER
    assert not holding.sweep().changed


def test_numbers_that_change_hands_within_one_answer_lead_to_their_new_servers(
    holding: Holding, kernel: Recorder, judge: Judge
) -> None:
    holding.take(some({ONE: None, "balancer/nlb-3/local-a": balancer(3, B, A)}))
    reached = {(slots(kernel, number)[0], probe.address) for number, probe in judge.probes.items()}
    assert {server for server, _ in reached} == {"10.0.0.5", "10.0.0.6"}
    assert not holding.sweep().changed


def test_an_item_of_another_text_keeps_who_is_down(
    holding: Holding, kernel: Recorder, judge: Judge
) -> None:
    judge.say(ONE_A, DOWN)
    holding.look_at_servers()
    weighty = msgspec.structs.replace(A, weight=50)
    holding.take(some({ONE: balancer(1, weighty, B)}))
    assert targets(kernel, 1) == ["10.0.0.6"]


def test_a_link_that_comes_or_goes_has_its_servers_asked_anew(
    holding: Holding, judge: Judge, instance: str
) -> None:
    before = judge.by_port()

    def asked_anew() -> set[int]:
        return {port for port, probe in judge.by_port().items() if before[port] is not probe}

    assert not holding.sweep().changed
    assert asked_anew() == set()
    with lab.namespace("workload") as workload:
        port = Port("eth0", WORKLOAD.mac, WORKLOAD.address, 24, "10.0.0.253", "10.0.0.0/16")
        plug(instance, 1, workload, port)
        holding.look({workload_name(1)})
        assert asked_anew() == {ONE_A, TWO_A}
        before = judge.by_port()
        holding.look({workload_name(1)})
        assert asked_anew() == set()
        unplug(instance, 1)
        holding.look({workload_name(1)})
        assert asked_anew() == {ONE_A, TWO_A}
