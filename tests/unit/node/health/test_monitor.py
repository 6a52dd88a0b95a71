"""The monitor between its three threads: what is watched, asked, answered and told."""

from __future__ import annotations

import pytest

from privlink.model.items import Balancer, Check, CheckKind, Listener, Protocol, Server
from privlink.node.errors import KernelError
from privlink.node.feed import Answer
from privlink.node.health.checks import GOOD, Code, bad
from privlink.node.health.monitor import Monitor
from privlink.node.health.probes import FIRST_NUMBER
from privlink.node.program.maps import Entry
from tests.judge import Judge

KEY, OTHER = "balancer/nlb-1/local-a", "balancer/nlb-2/local-a"
A, B = Server("10.0.0.5", 80, 1), Server("10.0.0.6", 80, 1)
NAME_A, NAME_B = ("g", "10.0.0.5", 80), ("g", "10.0.0.6", 80)
CHECK = Check(CheckKind.TCP, rise=2, fall=2)
REFUSED = bad(Code.CONNECT_FAILED, "Connection refused")
SILENT = bad(Code.CONNECT_TIMEOUT, "no connection in 5 s")


def item(*servers: Server, check: Check | None = CHECK, network: int = 2) -> Balancer:
    group = Listener(Protocol.TCP, 80, 80, servers, group="g", check=check)
    return Balancer(3, (group,), network, "local-a", "10.0.0.100")


@pytest.fixture
def asker() -> Judge:
    return Judge()


@pytest.fixture
def woken() -> list[None]:
    return []


@pytest.fixture
def monitor(asker: Judge, woken: list[None]) -> Monitor:
    made = Monitor(asker)
    made.start(lambda: woken.append(None))
    made.bulletin.note(Answer(7, 1, True, []))
    return made


def watch(monitor: Monitor, balancer: Balancer, key: str = KEY) -> None:
    monitor.watch(key, balancer)
    monitor.begin()


def news(monitor: Monitor) -> dict[tuple[str, str], tuple[str, str]]:
    """What is told now: state and reason by key and address."""
    told = monitor.bulletin.await_news(0)
    assert told.life == 7
    monitor.bulletin.took(told)
    return {(each.key, each.name[1]): (each.state.value, each.why) for each in told.standings}


def test_nobody_is_asked_before_there_is_a_way_to_him(monitor: Monitor, asker: Judge) -> None:
    monitor.watch(KEY, item(A))
    assert asker.probes == {}
    monitor.begin()
    assert [probe.address for probe in asker.probes.values()] == ["10.0.0.1"]


def test_a_verdict_takes_a_server_out_and_says_which_item_to_look_at(
    monitor: Monitor, asker: Judge, woken: list[None]
) -> None:
    watch(monitor, item(A, B))
    assert monitor.down(KEY) == frozenset()
    asker.answer(GOOD)
    assert (monitor.changed(), len(woken)) == (set(), 0)
    asker.answer(REFUSED)
    assert monitor.down(KEY) == frozenset()
    asker.answer(REFUSED)
    assert monitor.down(KEY) == {NAME_A}
    assert monitor.owes_a_look
    assert (monitor.changed(), monitor.changed(), len(woken)) == ({KEY}, set(), 1)
    asker.answer(GOOD, GOOD)
    assert (monitor.changed(), monitor.down(KEY)) == ({KEY}, frozenset())


def test_the_server_hears_states_and_the_latest_reason(monitor: Monitor, asker: Judge) -> None:
    watch(monitor, item(A))
    assert news(monitor) == {(KEY, A.address): ("Initial", "")}
    asker.answer(GOOD, REFUSED, REFUSED)
    assert news(monitor) == {(KEY, A.address): ("Unhealthy", REFUSED.why)}
    asker.answer(REFUSED, GOOD)
    assert news(monitor) == {}
    asker.answer(SILENT)
    assert news(monitor) == {(KEY, A.address): ("Unhealthy", SILENT.why)}
    asker.answer(GOOD, GOOD)
    assert news(monitor) == {(KEY, A.address): ("Healthy", "")}
    monitor.bulletin.note(Answer(7, 2, True, []))
    assert news(monitor) == {(KEY, A.address): ("Healthy", "")}


def test_an_item_that_changes_keeps_what_is_known_of_its_servers(
    monitor: Monitor, asker: Judge
) -> None:
    watch(monitor, item(A))
    asker.answer(REFUSED)
    probe = asker.probes[FIRST_NUMBER]
    watch(monitor, item(A, B))
    assert monitor.down(KEY) == {NAME_A}
    assert asker.probes[FIRST_NUMBER] is probe
    assert len(asker.probes) == 2


def test_a_check_that_changes_keeps_the_state_until_the_first_answer(
    monitor: Monitor, asker: Judge
) -> None:
    watch(monitor, item(A))
    asker.answer(REFUSED)
    old = asker.probes[FIRST_NUMBER]
    watch(monitor, item(A, check=Check(CheckKind.HTTP, rise=5)))
    assert monitor.down(KEY) == {NAME_A}
    asker.answered(old, GOOD)  # of a question that nobody asks any more
    assert monitor.down(KEY) == {NAME_A}
    asker.answer(GOOD)
    assert monitor.down(KEY) == frozenset()


def test_a_server_whose_check_goes_takes_flows_again(monitor: Monitor, asker: Judge) -> None:
    watch(monitor, item(A))
    asker.answer(REFUSED)
    watch(monitor, item(A, check=None))
    assert (monitor.down(KEY), asker.probes, monitor.entries(KEY)) == (frozenset(), {}, [])


def test_a_server_that_cannot_be_asked_any_more_takes_flows_again(
    monitor: Monitor, asker: Judge
) -> None:
    watch(monitor, item(A))
    asker.answer(REFUSED)
    monitor.changed()
    watch(monitor, item(A, check=Check(CheckKind.HTTP, path="/ ")))
    assert (monitor.down(KEY), asker.probes, monitor.changed()) == (frozenset(), {}, {KEY})
    ((state, why),) = news(monitor).values()
    assert state == "Initial"
    assert why.startswith("not checked: ")


def test_numbers_of_servers_that_went_are_used_again_and_late_answers_are_nobodys(
    monitor: Monitor, asker: Judge
) -> None:
    watch(monitor, item(A))
    old = asker.probes[FIRST_NUMBER]
    monitor.forget(KEY)
    watch(monitor, item(B), OTHER)
    assert list(asker.probes) == [FIRST_NUMBER]
    asker.answered(old, REFUSED)
    assert monitor.down(OTHER) == frozenset()
    assert set(news(monitor)) == {(OTHER, B.address)}


def test_a_link_that_moves_has_its_servers_asked_anew(monitor: Monitor, asker: Judge) -> None:
    watch(monitor, item(A, B))
    watch(monitor, item(A, network=5), OTHER)
    asker.answer(GOOD)
    before = dict(asker.probes)
    monitor.moved(2, (A.address, ""))
    assert FIRST_NUMBER not in asker.probes
    monitor.begin()
    fresh = {n for n, probe in asker.probes.items() if before[n] is not probe}
    assert fresh == {FIRST_NUMBER}  # not the other server, nor the one of the other network
    asker.answer(REFUSED)
    assert monitor.down(KEY) == {NAME_A}


def test_a_balancer_that_moves_to_another_network_begins_anew(
    monitor: Monitor, asker: Judge
) -> None:
    watch(monitor, item(A))
    asker.answer(REFUSED)
    watch(monitor, item(A, network=5))
    assert monitor.down(KEY) == frozenset()
    monitor.moved(5, (A.address,))
    monitor.begin()
    assert len(asker.probes) == 1


def test_a_look_that_failed_is_owed_still(monitor: Monitor, asker: Judge) -> None:
    watch(monitor, item(A))
    asker.answer(REFUSED)
    keys = monitor.changed()
    monitor.look_again({*keys, "balancer/gone/local-a"})
    assert monitor.changed() == {KEY}
    monitor.forget(KEY)
    monitor.look_again(keys)
    assert monitor.changed() == set()


def test_before_the_first_answer_of_the_feed_nothing_is_told(asker: Judge) -> None:
    monitor = Monitor(asker)
    watch(monitor, item(A))
    assert not monitor.bulletin.await_news(0)


def test_without_a_link_probes_have_no_entries_of_their_own() -> None:
    def refuse() -> int:
        raise KernelError.of("make a link", 1)

    assert Monitor().own_entries() == []
    assert Monitor(link=refuse).own_entries() == []
    assert {entry.map for entry in Monitor(link=lambda: 17).own_entries()} == {
        "ports", "addresses",
    }  # fmt: skip


def test_every_server_has_entries_of_its_own(monitor: Monitor) -> None:
    watch(monitor, item(A, B))
    watch(monitor, item(A), OTHER)
    found: list[Entry] = [*monitor.entries(KEY), *monitor.entries(OTHER)]
    assert len({(entry.map, entry.key) for entry in found}) == len(found)
    assert sum(entry.map == "addresses" for entry in found) == 3
