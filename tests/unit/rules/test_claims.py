"""Who has a name in a VPC; and that whoever answers names makes the same choice."""

from __future__ import annotations

from typing import Any

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.dns.answers.answer import answer
from privlink.dns.answers.view import Asker, View
from privlink.model.ids import EndpointId
from privlink.model.naming import Alias, AnyDocument, EndpointNames, Front, ZoneNames
from privlink.rules.claims import Claim, ClaimKind, Judged, NamedZone, answering, judge

ALIAS, PRIVATE = ClaimKind.ALIAS, ClaimKind.PRIVATE_NAME
ASKED = "db.eu.vendor.example"


def claim(endpoint: str, kind: ClaimKind, name: str = ASKED, order: int = 1, **more: Any) -> Claim:
    return Claim(EndpointId(endpoint), kind, name, order, more.pop("connected", True), **more)


def holding(*claims: Claim) -> Judged | None:
    """The claim that holds; there is one at most."""
    found = [each for each in judge(ASKED, claims) if each.holds]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (
            claim("a", PRIVATE, order=9),
            claim("b", PRIVATE, "*.eu.vendor.example", order=1),
            "db.eu.vendor.example is nearer to it than *.eu.vendor.example.",
        ),
        (
            claim("a", PRIVATE, "*.eu.vendor.example", order=9),
            claim("b", PRIVATE, "*.vendor.example", order=1),
            "*.eu.vendor.example is nearer to it than *.vendor.example.",
        ),
        (
            claim("a", ALIAS, order=9),
            claim("b", PRIVATE, order=1),
            "an alias goes before a service's own name.",
        ),
        (
            claim("a", PRIVATE, order=2),
            claim("b", PRIVATE, order=3),
            "the connection of a is older than that of b (2 before 3).",
        ),
        (
            claim("a", ALIAS, order=2),
            claim("b", ALIAS, order=3),
            "the connection of a is older than that of b (2 before 3).",
        ),
        (claim("a", ALIAS), claim("a", PRIVATE), "an alias goes before a service's own name."),
        (
            claim("a", PRIVATE, "*.vendor.example", order=9),
            claim("b", ALIAS, order=1, connected=False),
            "nobody else claims it.",
        ),
    ],
)
def test_of_two_claims_one_holds(first: Claim, second: Claim, why: str) -> None:
    for both in ((first, second), (second, first)):
        found = holding(*both)
        assert found == Judged(first, True, why)
    if second.connected:
        (lost,) = [each for each in judge(ASKED, [first, second]) if not each.holds]
        assert lost.why == why


def test_a_claim_without_an_address_is_none_and_says_so() -> None:
    closed = claim("a", ALIAS, connected=False)
    zone = claim("b", ALIAS, connected=False, zone_id="local-a")
    assert holding(closed, zone) is None
    assert [each.why for each in judge(ASKED, [closed, zone])] == [
        "no zone of a is connected.",
        "zone local-a of b is not connected.",
    ]


@pytest.mark.parametrize("name", ["*.db.eu.vendor.example", "vendor.example", "*.other.example"])
def test_what_does_not_cover_a_name_is_no_claim_to_it(name: str) -> None:
    assert judge(ASKED, [claim("a", PRIVATE, name)]) == []


def zone(zone_id: str, *, healthy: bool = True) -> NamedZone:
    return NamedZone(zone_id, f"10.0.0.{ord(zone_id)}", "", healthy)


def test_which_zones_answer() -> None:
    a, b, c = zone("a"), zone("b", healthy=False), zone("c")
    assert answering([a, b, c]) == [a, c]
    assert answering([b]) == [b]
    assert answering([a, b, c], only="b") == [b]
    assert answering([a, b, c], own="c") == [a, c]
    assert answering([a, b, c], own="c", affinity=True) == [c, a]
    assert answering([a, b, c], own="b", affinity=True) == [a, c]
    assert answering([], own="b", affinity=True) == []


NAMES = ("x.a.example", "a.example", "y.x.a.example", "z.example")
WILD = ("*.a.example", "*.x.a.example", "*.example.example", "*.z.example")
ZONES = ("a", "b")


@some.composite
def endpoints(draw: some.DrawFn, number: int) -> EndpointNames:
    """An endpoint in network 1 or 2, connected or not, with names that others have too."""
    at = draw(some.sets(some.sampled_from(ZONES)))
    listed = draw(some.lists(some.sampled_from(NAMES), unique=True, max_size=2))
    service = draw(some.sampled_from(("s1", "s2"))) + ".local.own.internal"
    return EndpointNames(
        endpoint=f"ep-{number}",
        network=draw(some.integers(1, 2)),
        order=number,
        domain=f"ep-{number}.{service}",
        service_domain=service,
        zones=tuple(
            ZoneNames(
                each,
                f"ep-{number}-{each}.{service}",
                f"10.0.{number}.{ord(each)}",
                front=f"f/{each}",
            )
            for each in sorted(at)
        ),
        affinity=draw(some.booleans()),
        private=tuple(draw(some.lists(some.sampled_from(NAMES + WILD), max_size=1))),
        aliases=tuple(Alias(each, draw(some.sampled_from(("", *ZONES)))) for each in listed),
    )


def claims_of(document: EndpointNames) -> list[Claim]:
    """The claims in a document, as the store has them."""
    at = {each.zone for each in document.zones}

    def made(kind: ClaimKind, name: str, zone_id: str = "") -> Claim:
        connected = bool(at) and zone_id in ("", *at)
        return Claim(EndpointId(document.endpoint), kind, name, document.order, connected, zone_id)

    return [
        *(made(ALIAS, each.name, each.zone) for each in document.aliases),
        *(made(PRIVATE, each) for each in document.private),
        made(ClaimKind.SERVICE_DOMAIN, document.service_domain),
    ]


@given(
    some.lists(some.integers(1, 9), unique=True, max_size=5).flatmap(
        lambda numbers: some.tuples(*map(endpoints, numbers))
    ),
    some.fixed_dictionaries({f"f/{each}": some.booleans() for each in ZONES}),
    some.sampled_from((*NAMES, "q.a.example", "r.q.x.a.example", "s1.local.own.internal")),
    some.sampled_from(ZONES),
)
def test_whoever_answers_makes_the_same_choice(
    documents: tuple[EndpointNames, ...], well: dict[str, bool], name: str, own: str
) -> None:
    known: dict[str, AnyDocument] = {key: Front(healthy) for key, healthy in well.items()}
    known |= {f"names/{each.endpoint}": each for each in documents}
    view = View.empty("own.internal", "127.0.0.1").changed(known, 1)
    said = answer(dns.message.make_query(name, "A"), view, Asker(1, own), 0)
    here = {each.endpoint: each for each in documents if each.network == 1}
    judged = judge(name, [each for document in here.values() for each in claims_of(document)])
    found = next((each.claim for each in judged if each.holds), None)
    if found is None:
        assert said is None or not said.answer
        return
    document = here[found.endpoint_id]
    zones = [NamedZone(z.zone, z.address, "", well[z.front]) for z in document.zones]
    expected = answering(zones, only=found.zone_id, own=own, affinity=document.affinity)
    assert said is not None
    assert [each.address for each in said.answer[0]] == [each.address for each in expected]
