"""What becomes of a question, whoever brings it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.dns.answers.view import View
from privlink.dns.sockets.counts import Counts
from privlink.dns.sockets.listen import Listener
from privlink.dns.sockets.loop import Loop
from privlink.dns.sockets.outcome import Outcome
from privlink.dns.sockets.upstream import Upstream
from privlink.model.naming import EndpointNames, Place, ZoneNames

NAME = "ep-1.epsrv-1.local.p.internal"
ADDRESSES = ("10.0.0.1", "10.0.0.2")


def listener() -> Listener:
    loop, counts = Loop(), Counts()
    return Listener(loop, Upstream(loop, counts), counts)


def view() -> View:
    zones = tuple(
        ZoneNames(f"z{number}", f"ep-1-z{number}.epsrv-1.local.p.internal", address)
        for number, address in enumerate(ADDRESSES)
    )
    names = EndpointNames("ep-1", 3, 1, NAME, "epsrv-1.local.p.internal", zones)
    place = Place(7, 3, "z0")
    return View.empty("p.internal", "127.0.0.1").changed({"a": names, "b": place}, 5)


@pytest.fixture
def ready() -> Iterator[Listener]:
    answering = listener()
    answering.view = view()
    yield answering


def question(name: str = NAME, kind: str = "A") -> bytes:
    return dns.message.make_query(name, kind).to_wire()


def read(outcome: Outcome) -> dns.message.Message:
    assert isinstance(outcome, bytes)
    return dns.message.from_wire(outcome)


def test_whoever_asks_in_pairs_has_every_turn(ready: Listener) -> None:
    first: Counter[str] = Counter()
    for _ in range(100):
        answer = read(ready._datagram_on_host(question(), "127.0.0.1"))
        ready._datagram_on_host(question(kind="AAAA"), "127.0.0.1")
        first[answer.answer[0][0].to_text()] += 1
    assert set(first) == set(ADDRESSES)
    assert min(first.values()) > 30


def test_without_a_view_nothing_is_known(caplog: pytest.LogCaptureFixture) -> None:
    answering = listener()
    for outcome in (
        answering._datagram_on_host(question(), "127.0.0.1"),
        answering._in_network(question(), "10.0.0.7", stream=True),
    ):
        assert read(outcome).rcode() == dns.rcode.SERVFAIL
    assert answering._datagram_on_host(b"short", "127.0.0.1") is None


def test_only_vswitches_are_answered_in_vpcs(ready: Listener) -> None:
    assert read(ready._in_network(question(), "10.0.0.7", stream=False)).answer
    assert ready._in_network(question(), "10.0.0.8", stream=False) is None
    assert ready.counts.told()["strangers"] == 1


def test_a_flood_from_a_strange_address_is_answered_less(ready: Listener) -> None:
    answers = [ready._datagram_on_host(question(), "192.0.2.1") for _ in range(100)]
    sent = [dns.message.from_wire(each) for each in answers if each is not None]
    whole = [each for each in sent if each.answer]
    cut = [each for each in sent if each.flags & dns.flags.TC]
    # The second may have become another one meanwhile.
    assert 20 <= len(whole) <= 40
    assert len(whole) + len(cut) == len(sent) < 75
    assert not any(each.answer for each in cut)
    assert ready.counts.limited == 100 - len(whole)
    for _ in range(100):
        assert ready._datagram_on_host(question(), "127.0.0.1") is not None


def test_what_we_fail_at_is_told_once_and_answered(
    ready: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(ready._shelf, "respond", fail)
    for _ in range(3):
        answer = read(ready._datagram_on_host(question(), "127.0.0.1"))
        assert answer.rcode() == dns.rcode.SERVFAIL
    assert len(caplog.records) == 1
    assert "a defect" in caplog.text
    assert ready.counts.defects == 3


@given(st.binary(max_size=600), st.sampled_from(("127.0.0.1", "192.0.2.1", "2001:db8::1")))
def test_no_bytes_are_too_strange(wire: bytes, address: str) -> None:
    answering = listener()
    answering.view = view()
    outcome = answering._datagram_on_host(wire, address)
    assert outcome is None or outcome[:2] == wire[:2]
    answering._in_network(wire, "10.0.0.7", stream=True)
    assert answering.counts.defects == 0


def test_counts_name_what_there_was(ready: Listener) -> None:
    ready._datagram_on_host(question(), "127.0.0.1")
    ready._datagram_on_host(question("nobody.p.internal"), "127.0.0.1")
    ready._datagram_on_host(question("example.com"), "127.0.0.1")
    assert ready.counts.told() == {"queries": 3, "NOERROR": 1, "NXDOMAIN": 1, "REFUSED": 1}
    assert ready.counts.sentence() == "queries 3, NOERROR 1, NXDOMAIN 1, REFUSED 1"
