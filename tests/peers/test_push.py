"""Names are pushed to Knot, by dynamic update, and to nothing but those that are ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest
from msgspec.structs import replace

from privlink.dns.answers.view import View
from privlink.dns.peers.following import Peers, Standing, State
from privlink.model.naming import AnyDocument, Front
from tests.peers.documents import DOMAIN, FRONT_A, FRONT_B, endpoint, server, view
from tests.peers.knot import KEY, OTHER, SECRET, Knot
from tests.peers.waiting import until

REST = f"epsrv-1.local.{DOMAIN}"
BOTH = {"10.1.0.1", "10.2.0.1"}


@pytest.fixture
def knot(tmp_path: Path) -> Iterator[Knot]:
    """A server with a zone of our domain's name."""
    knot = Knot(tmp_path, DOMAIN)
    knot.start()
    yield knot
    knot.stop()


class Installation:
    """A view that changes, and the peers that follow it."""

    def __init__(self, first: View) -> None:
        self.view = first
        self.told: list[list[dict[str, str]]] = []
        self.peers = Peers(lambda: self.view, self.told.append)
        self.peers.start()
        self.peers.look()

    def change(self, **documents: AnyDocument | None) -> None:
        """Other documents, by their keys."""
        self.view = self.view.changed(documents, self.view.revision + 1)
        self.peers.look()

    @property
    def standing(self) -> Standing:
        """How far the one server is."""
        (standing,) = self.peers.standings()
        return standing

    def settle(self, state: State = State.IN_STEP) -> None:
        """Wait until its server is that far."""
        until(lambda: bool(self.peers.standings()) and self.standing.state is state)


@pytest.fixture
def installed() -> Iterator[list[Installation]]:
    """Installations that are stopped at the end."""
    made: list[Installation] = []
    yield made
    for each in made:
        each.peers.stop()


def install(installed: list[Installation], first: View) -> Installation:
    installed.append(Installation(first))
    return installed[-1]


def test_names_come_with_an_endpoint_and_go_with_it(
    knot: Knot, installed: list[Installation]
) -> None:
    ours = install(installed, view(1, knot=server(knot.port, pushes=True)))
    until(lambda: knot.records(f"ep-1.{REST}") == BOTH)
    assert knot.records(f"ep-1.{REST}", "AAAA") == {"fd00::1"}
    assert knot.records(f"ep-1-local-a.{REST}") == {"10.1.0.1"}
    assert knot.records(f"ep-1.{REST}", "TXT") == {'"privlink owner=1000000000000001"'}
    ours.settle()
    ours.change(**{"names/ep-2": endpoint(2)})
    until(lambda: knot.records(f"ep-2-local-b.{REST}") == {"10.2.0.2"})
    ours.change(**{"names/ep-1": None})
    until(lambda: knot.code("ep-1.epsrv-1.local") == dns.rcode.NXDOMAIN)
    assert knot.code("ep-1-local-b.epsrv-1.local") == dns.rcode.NXDOMAIN
    assert knot.records(f"ep-2.{REST}") == {"10.1.0.2", "10.2.0.2"}
    assert ours.told[-1][0]["State"] == "InStep"


def test_a_zone_that_is_not_well_leaves_the_answer_and_comes_back(
    knot: Knot, installed: list[Installation]
) -> None:
    ours = install(installed, view(1, knot=server(knot.port, pushes=True)))
    until(lambda: knot.records(f"ep-1.{REST}") == BOTH)
    ours.change(**{FRONT_A: Front(healthy=False)})
    until(lambda: knot.records(f"ep-1.{REST}") == {"10.2.0.1"})
    assert knot.records(f"ep-1-local-a.{REST}") == {"10.1.0.1"}
    ours.change(**{FRONT_B: Front(healthy=False)})
    until(lambda: knot.records(f"ep-1.{REST}") == BOTH)  # never nothing because of health
    ours.change(**{FRONT_A: Front(healthy=True)})
    until(lambda: knot.records(f"ep-1.{REST}") == {"10.1.0.1"})


def test_it_catches_up_with_a_server_that_was_away(
    knot: Knot, installed: list[Installation], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ours = install(installed, view(1, 2, knot=server(knot.port, pushes=True)))
    ours.settle()
    knot.stop()
    ours.change(**{"names/ep-1": None, "names/ep-3": endpoint(3)})
    ours.settle(State.FAILING)
    assert "cannot be reached" in ours.standing.why
    knot.start()
    until(lambda: knot.records(f"ep-3.{REST}") == {"10.1.0.3", "10.2.0.3"})
    ours.settle()
    assert knot.code("ep-1.epsrv-1.local") == dns.rcode.NXDOMAIN
    lines = [each.message for each in caplog.records if "name server" in each.message]
    assert [line.split(" is ")[1].split(":")[0] for line in lines] == [
        "InStep",
        "Failing",
        "InStep",
    ]


def test_after_a_restart_of_ours_what_is_gone_by_then_is_taken_out(
    knot: Knot, installed: list[Installation]
) -> None:
    first = install(installed, view(1, 2, knot=server(knot.port, pushes=True)))
    first.settle()
    first.peers.stop()
    install(installed, view(2, knot=server(knot.port, pushes=True))).settle()
    assert knot.code("ep-1.epsrv-1.local") == dns.rcode.NXDOMAIN
    assert knot.records(f"ep-2.{REST}") == {"10.1.0.2", "10.2.0.2"}


def test_what_is_somebody_elses_is_not_touched(knot: Knot, installed: list[Installation]) -> None:
    by_hand(knot, f"ep-1.{REST}", "192.0.2.1")  # a name that we would have
    by_hand(knot, f"mail.{REST}", "192.0.2.2")
    ours = install(installed, view(1, 2, knot=server(knot.port, pushes=True)))
    until(lambda: knot.records(f"ep-2.{REST}") == {"10.1.0.2", "10.2.0.2"})
    ours.settle()
    assert f"1 of our names are somebody else's there and stay so: ep-1.{REST}" in ours.standing.why
    by_hand(knot, f"ep-3.{REST}", "192.0.2.3")  # while we think that the name is free
    ours.change(**{"names/ep-3": endpoint(3)})
    until(lambda: knot.records(f"ep-3-local-a.{REST}") == {"10.1.0.3"})
    until(lambda: "2 of our names" in ours.standing.why)
    ours.change(**{f"names/ep-{number}": None for number in (1, 2, 3)})
    until(lambda: knot.code("ep-2.epsrv-1.local") == dns.rcode.NXDOMAIN)
    until(lambda: knot.code("ep-3-local-a.epsrv-1.local") == dns.rcode.NXDOMAIN)
    assert knot.records(f"ep-1.{REST}") == {"192.0.2.1"}
    assert knot.records(f"ep-3.{REST}") == {"192.0.2.3"}
    assert knot.records(f"mail.{REST}") == {"192.0.2.2"}
    assert knot.records(f"www.{DOMAIN}") == {"192.0.2.80"}


def test_what_another_installation_pushed_is_not_touched(
    knot: Knot, installed: list[Installation]
) -> None:
    install(installed, view(1, knot=server(knot.port, pushes=True))).settle()
    theirs = replace(server(knot.port, pushes=True), owner="1000000000000002")
    install(installed, view(2, knot=theirs)).settle()
    assert knot.records(f"ep-1.{REST}") == BOTH
    assert knot.records(f"ep-2.{REST}") == {"10.1.0.2", "10.2.0.2"}


def test_names_are_taken_out_when_their_server_is_not_pushed_to_any_more(
    knot: Knot, installed: list[Installation]
) -> None:
    by_hand(knot, f"mail.{REST}", "192.0.2.2")
    ours = install(installed, view(1, knot=server(knot.port, pushes=True)))
    ours.settle()
    ours.change(**{"server/knot": None})
    until(lambda: knot.code("ep-1.epsrv-1.local") == dns.rcode.NXDOMAIN)
    assert ours.peers.standings() == []
    assert knot.records(f"mail.{REST}") == {"192.0.2.2"}
    ours.change(**{"server/again": server(knot.port, pushes=True)})
    until(lambda: knot.records(f"ep-1.{REST}") == BOTH)


@pytest.mark.parametrize(
    ("key", "secret", "why"),
    [
        (KEY, OTHER, f"the secret of key {KEY} is not the one it has."),
        ("nobodys", SECRET, "it does not know the key nobodys"),
    ],
)
def test_a_wrong_key_is_said(
    knot: Knot,
    installed: list[Installation],
    caplog: pytest.LogCaptureFixture,
    key: str,
    secret: str,
    why: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    ours = install(installed, view(1, knot=server(knot.port, pushes=True, key=key, secret=secret)))
    ours.settle(State.FAILING)
    assert why in ours.standing.why
    until(lambda: bool(ours.told))
    for text in (caplog.text, str(ours.told), repr(ours.standing), repr(ours.view.servers)):
        assert secret not in text


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ("update", f"does not take it for a transfer of zone {DOMAIN}"),
        ("transfer", f"does not take it for an update of zone {DOMAIN}"),
    ],
)
def test_what_the_key_may_not_do_is_said(
    tmp_path: Path, installed: list[Installation], actions: str, why: str
) -> None:
    knot = Knot(tmp_path, DOMAIN, actions=actions)
    knot.start()
    try:
        ours = install(installed, view(1, knot=server(knot.port, pushes=True)))
        ours.settle(State.FAILING)
        assert why in ours.standing.why
        assert knot.records(f"ep-1.{REST}") == set()
    finally:
        knot.stop()


def test_a_zone_above_our_domain_has_our_names_too(
    tmp_path: Path, installed: list[Installation]
) -> None:
    knot = Knot(tmp_path, "internal")
    knot.start()
    try:
        there = server(knot.port, pushes=True, zone="internal")
        ours = install(installed, view(1, knot=there))
        until(lambda: knot.records(f"ep-1.{REST}") == BOTH)
        ours.change(**{"names/ep-1": None})
        until(lambda: knot.code("ep-1.epsrv-1.local.privatelink") == dns.rcode.NXDOMAIN)
        assert knot.records("www.internal") == {"192.0.2.80"}
    finally:
        knot.stop()


def test_a_thousand_endpoints_are_pushed_in_messages_of_a_hundred_changes(
    knot: Knot, installed: list[Installation]
) -> None:
    numbers = range(1, 1001)
    install(installed, view(*numbers, knot=server(knot.port, pushes=True))).settle()
    for number in (1, 500, 1000):
        high, low = divmod(number, 250)
        assert knot.records(f"ep-{number}-local-a.{REST}") == {f"10.1.{high}.{low}"}


def by_hand(knot: Knot, name: str, address: str) -> None:
    """What somebody else puts into the zone."""
    message = dns.update.UpdateMessage(knot.zone, keyring=dns.tsig.Key(KEY, SECRET))
    message.add(f"{name}.", 60, "A", address)
    answer = dns.query.tcp(message, "127.0.0.1", timeout=5, port=knot.port)
    assert answer.rcode() == dns.rcode.NOERROR
