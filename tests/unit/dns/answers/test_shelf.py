"""Answers that are kept: they are the bytes that would be made now, and there are not too many."""

from __future__ import annotations

import random

import dns.edns
import dns.flags
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.dns.answers.respond import respond
from privlink.dns.answers.shelf import Shelf
from privlink.dns.answers.view import ON_HOST, Asker
from privlink.model.naming import Alias, AnyDocument
from tests.unit.dns.world import (
    ASKERS,
    DOMAIN,
    NEAR,
    NEAR_B,
    TYPES,
    changes,
    endpoint,
    fronts,
    in_any_case,
    keyed,
    names,
    question,
    view_of,
)

WHOLE = f"ep.svc.north.{DOMAIN}"


@st.composite
def asked(draw: st.DrawFn) -> tuple[bytes, Asker, int, bool]:
    """A question, however it is written, who asks it, the turn, and whether by a stream."""
    query = question(
        draw(names()),
        draw(st.sampled_from(("A", "A", "AAAA", "PTR", *TYPES))),
        payload=draw(st.sampled_from((0, 1, 512, 600, 1232, 9000))),
        dnssec=draw(st.booleans()),
    )
    query.id = draw(st.integers(0, 65535))
    if draw(st.booleans()):
        query.flags = dns.flags.Flag(0)
    wire = in_any_case(query.to_wire(), draw(st.integers(0, 9)))
    return wire, draw(st.sampled_from(ASKERS)), draw(st.integers(0, 9)), draw(st.booleans())


STEPS = st.lists(st.one_of(changes(), asked(), asked(), asked()), max_size=30)
BEGINNING = keyed(
    endpoint("ep0", zones="abc", affinity=True, six="a"),
    endpoint("ep1", order=1, zones="abc", net=2, private=("db.v.example", "*.v.example")),
    endpoint(
        "ep2", order=2, zones="abc", network=2, aliases=(Alias("me"), Alias("v.example", "a"))
    ),
) | fronts(well="abc")


@settings(max_examples=150)
@given(STEPS, st.sampled_from((3, 1000)))
def test_what_is_kept_is_what_would_be_made(
    steps: list[dict[str, AnyDocument | None] | tuple[bytes, Asker, int, bool]], entries: int
) -> None:
    view, shelf, past = view_of(BEGINNING), Shelf(entries=entries), []
    for step in steps:
        if isinstance(step, dict):
            view = view.changed(step, view.revision + 1)
            # Whoever asked before asks again, now that something is other than it was.
            steps = past[-12:]
        else:
            past.append(step)
            steps = [step, step]
        for wire, asker, turn, stream in steps:
            kept = shelf.respond(wire, view, asker, turn, stream=stream)
            assert kept == respond(wire, view, asker, turn, stream=stream)
        assert len(shelf) <= entries


@pytest.mark.parametrize(
    ("name", "rdtype", "change"),
    [
        (WHOLE, "A", keyed(endpoint(net=2))),
        (WHOLE, "A", keyed(endpoint(zones="a"))),
        (WHOLE, "A", keyed(endpoint(zones=""))),
        (WHOLE, "A", keyed(endpoint(affinity=True))),
        (WHOLE, "A", {"names/ep": None}),
        (WHOLE, "A", fronts(well="b", ill="a")),
        (WHOLE, "A", {"front/svc/a": None}),
        (WHOLE, "AAAA", keyed(endpoint(six="b"))),
        (f"ep-a.svc.north.{DOMAIN}", "A", keyed(endpoint(zones="b"))),
        (f"svc.north.{DOMAIN}", "A", keyed(endpoint("new", order=0, net=3))),
        ("db.me", "A", keyed(endpoint("new", order=0, net=3, aliases=(Alias("db.me"),)))),
        ("db.v", "A", keyed(endpoint("new", order=9, net=3, aliases=(Alias("db.v"),)))),
        ("2.1.0.10.in-addr.arpa", "PTR", keyed(endpoint("new", order=9, net=1))),
        ("2.1.0.10.in-addr.arpa", "PTR", keyed(endpoint(net=5))),
        (DOMAIN, "SOA", {}),
        (f"ns.{DOMAIN}", "TXT", {}),
    ],
)
def test_what_changes_an_answer_changes_the_one_kept(
    name: str, rdtype: str, change: dict[str, AnyDocument | None]
) -> None:
    before = endpoint(private=("db.v",), aliases=(Alias("db.me"),))
    view, shelf, wire = view_of(keyed(before) | fronts()), Shelf(), question(name, rdtype).to_wire()
    after = view.changed(change, 8)
    for each in (view, after, view, after):
        assert shelf.respond(wire, each, NEAR_B, 0, stream=False) == respond(
            wire, each, NEAR_B, 0, stream=False
        )
    assert respond(wire, after, NEAR_B, 0, stream=False) != respond(
        wire, view, NEAR_B, 0, stream=False
    )


@pytest.mark.parametrize("first", range(3))
def test_turns_go_on_wherever_they_began(first: int) -> None:
    view, shelf = view_of(keyed(endpoint(zones="abc")) | fronts()), Shelf()
    wire = question(WHOLE).to_wire()
    for turn in range(first, first + 5):
        kept = shelf.respond(wire, view, ON_HOST, turn, stream=False)
        assert kept == respond(wire, view, ON_HOST, turn, stream=False)


def test_every_zone_has_its_own_answer() -> None:
    view, shelf = view_of(keyed(endpoint(affinity=True)) | fronts()), Shelf()
    wire = question(WHOLE).to_wire()
    for asker in (*ASKERS, *ASKERS):
        kept = shelf.respond(wire, view, asker, 0, stream=False)
        assert kept == respond(wire, view, asker, 0, stream=False)


@pytest.mark.parametrize("stream_first", [False, True])
def test_what_does_not_fit_is_cut_short_from_the_shelf_too(stream_first: bool) -> None:
    crowd = keyed(*(endpoint(f"e{n}", network=n + 1, order=n) for n in range(50)))
    view, shelf = view_of(crowd | fronts()), Shelf()
    wire = question("1.1.0.10.in-addr.arpa", "PTR").to_wire()
    for stream in (stream_first, not stream_first, stream_first):
        kept = shelf.respond(wire, view, ON_HOST, 0, stream=stream)
        assert kept == respond(wire, view, ON_HOST, 0, stream=stream)
        assert isinstance(kept, bytes) and (len(kept) > 512) is stream
    assert len(shelf) == 1


def test_an_answer_is_kept_until_what_it_came_from_changes() -> None:
    view, shelf = view_of(keyed(endpoint(), endpoint("two", order=2, net=2)) | fronts()), Shelf()
    wire = question(WHOLE).to_wire()
    shelf.respond(wire, view, ON_HOST, 0, stream=False)
    (entry,) = shelf._entries.values()
    view = view.changed(keyed(endpoint("two", order=2, net=3)), 9)
    shelf.respond(wire, view, ON_HOST, 0, stream=False)
    assert list(shelf._entries.values()) == [entry] and next(iter(shelf._entries.values())) is entry
    view = view.changed(fronts(well="a", ill="b"), 10)
    shelf.respond(wire, view, ON_HOST, 0, stream=False)
    assert next(iter(shelf._entries.values())) is not entry


def test_ways_of_writing_do_not_make_it_grow() -> None:
    view, shelf, rng = view_of(keyed(endpoint()) | fronts()), Shelf(), random.Random(1)
    for number in range(3000):
        query = question(WHOLE)
        cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, rng.randbytes(8))
        dnssec = dns.flags.DO if rng.random() < 0.5 else 0
        query.use_edns(0, dnssec, rng.randrange(512, 4096), options=[cookie])
        query.flags = dns.flags.Flag(rng.choice((0, 0x100, 0x10, 0x120)))
        wire = in_any_case(query.to_wire(), number)
        assert isinstance(shelf.respond(wire, view, ON_HOST, number, stream=False), bytes)
    assert len(shelf) == 1


def test_names_without_end_do_not_make_it_grow() -> None:
    documents = keyed(endpoint(private=("*.v.example",))) | fronts()
    view, shelf = view_of(documents), Shelf()
    for number in range(500):
        for name in (f"x{number}.{DOMAIN}", f"x{number}.v.example", f"x{number}.example"):
            shelf.respond(question(name).to_wire(), view, NEAR, 0, stream=False)
        shelf.respond(question(WHOLE, f"TYPE{number + 300}").to_wire(), view, NEAR, 0, stream=False)
    assert len(shelf) == 0 and shelf.size == 0


def test_it_holds_so_many_bytes_and_no_more() -> None:
    many = keyed(*(endpoint(f"e{n}", order=n, net=n) for n in range(200)))
    view, shelf = view_of(many | fronts()), Shelf(size=20_000)
    for number in range(200):
        wire = question(f"e{number}.svc.north.{DOMAIN}").to_wire()
        shelf.respond(wire, view, ON_HOST, 0, stream=False)
        assert shelf.size <= 20_000
    assert 5 < len(shelf) < 50
    assert shelf.size == sum(entry.size + len(key[2]) for key, entry in shelf._entries.items())


def test_who_was_not_asked_for_longest_goes_first() -> None:
    many = keyed(*(endpoint(f"e{n}", order=n, net=n) for n in range(4)))
    view, shelf = view_of(many | fronts()), Shelf(entries=3)
    for number in (0, 1, 2, 0, 3):
        wire = question(f"e{number}.svc.north.{DOMAIN}").to_wire()
        shelf.respond(wire, view, ON_HOST, 0, stream=False)
    kept = [key[2][1:3].decode() for key in shelf._entries]
    assert kept == ["e2", "e0", "e3"]


def test_another_beginning_is_another_shelf() -> None:
    shelf, wire = Shelf(), question(WHOLE).to_wire()
    for net in (1, 2):
        view = view_of(keyed(endpoint(net=net)) | fronts())
        answer = shelf.respond(wire, view, ON_HOST, 0, stream=False)
        assert answer == respond(wire, view, ON_HOST, 0, stream=False)
        assert len(shelf) == 1
