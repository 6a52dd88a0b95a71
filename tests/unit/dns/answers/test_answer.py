"""Who is answered what: the rules of names, one by one, and all of them against a plain reading."""

from __future__ import annotations

import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.dns.answers.answer import MOST_HOLDERS, TTL, answer
from privlink.dns.answers.respond import Elsewhere, respond
from privlink.dns.answers.view import ON_HOST, Asker, View
from privlink.model.naming import Alias
from tests.unit.dns.reference import expected
from tests.unit.dns.world import (
    ASKERS,
    DOMAIN,
    FAR,
    NEAR,
    NEAR_B,
    TYPES,
    Documents,
    ask,
    data,
    endpoint,
    fronts,
    keyed,
    names,
    negative,
    parsed,
    question,
    view_of,
    worlds,
)

SERVICE = f"svc.north.{DOMAIN}"
WHOLE, ZONE_A, ZONE_B = f"ep.{SERVICE}", f"ep-a.{SERVICE}", f"ep-b.{SERVICE}"


def is_elsewhere(documents: Documents, name: str, asker: Asker, rdtype: str = "A") -> bool:
    """Whether a question is for whoever is upstream."""
    wire = question(name, rdtype).to_wire()
    return isinstance(respond(wire, view_of(documents), asker, 0, stream=False), Elsewhere)


@pytest.mark.parametrize("asker", ASKERS)
def test_an_endpoint_is_known_everywhere(asker: Asker) -> None:
    view = view_of(keyed(endpoint(six="ab")) | fronts())
    assert data(ask(view, WHOLE, asker=asker)) == ["10.0.1.1", "10.0.1.2"]
    assert data(ask(view, WHOLE, "AAAA", asker)) == ["fd00:1::1", "fd00:1::2"]
    assert data(ask(view, ZONE_B, asker=asker)) == ["10.0.1.2"]
    assert data(ask(view, ZONE_B, "AAAA", asker)) == ["fd00:1::2"]


def test_addresses_take_turns() -> None:
    view = view_of(keyed(endpoint(zones="abc")) | fronts())
    first = [data(ask(view, WHOLE, turn=turn))[0] for turn in range(4)]
    assert first == ["10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.1"]


def test_a_zone_that_is_not_well_leaves_the_answer_and_keeps_its_own_name() -> None:
    view = view_of(keyed(endpoint()) | fronts(well="a", ill="b"))
    assert data(ask(view, WHOLE)) == ["10.0.1.1"]
    assert data(ask(view, ZONE_B)) == ["10.0.1.2"]


def test_health_never_leaves_nothing() -> None:
    view = view_of(keyed(endpoint(six="b")) | fronts(well="", ill="ab"))
    assert data(ask(view, WHOLE)) == ["10.0.1.1", "10.0.1.2"]
    # Nor does it within a family: the only zone with IPv6 is the one that is not well.
    view = view_of(keyed(endpoint(six="b")) | fronts(well="a", ill="b"))
    assert data(ask(view, WHOLE, "AAAA")) == ["fd00:1::2"]


def test_a_zone_whose_front_is_gone_is_not_well() -> None:
    assert data(ask(view_of(keyed(endpoint()) | fronts(well="a")), WHOLE)) == ["10.0.1.1"]


def test_affinity_puts_the_own_zone_first() -> None:
    view = view_of(keyed(endpoint(zones="abc", affinity=True)) | fronts())
    for turn in range(3):
        assert data(ask(view, WHOLE, asker=NEAR_B, turn=turn)) == [
            "10.0.1.2",
            "10.0.1.1",
            "10.0.1.3",
        ]


@pytest.mark.parametrize("asker", [ON_HOST, FAR, Asker(1, "z")])
def test_affinity_is_for_the_own_network_and_zone(asker: Asker) -> None:
    view = view_of(keyed(endpoint(affinity=True)) | fronts())
    assert [data(ask(view, WHOLE, asker=asker, turn=turn))[0] for turn in (0, 1)] == [
        "10.0.1.1",
        "10.0.1.2",
    ]


def test_affinity_does_not_lead_to_a_zone_that_is_not_well() -> None:
    view = view_of(keyed(endpoint(affinity=True)) | fronts(well="a", ill="b"))
    assert data(ask(view, WHOLE, asker=NEAR_B)) == ["10.0.1.1"]


def test_a_service_is_the_first_endpoint_for_it_in_the_own_vpc() -> None:
    first, second = endpoint("one", order=4, zones="a"), endpoint("two", order=3, net=2, zones="a")
    other = endpoint("three", order=1, network=2, net=3, zones="a")
    view = view_of(keyed(first, second, other) | fronts())
    assert data(ask(view, SERVICE, asker=NEAR)) == ["10.0.2.1"]
    assert data(ask(view, SERVICE, asker=FAR)) == ["10.0.3.1"]
    assert negative(ask(view, SERVICE)) == f"NOERROR {DOMAIN}"
    assert negative(ask(view, SERVICE, asker=Asker(3, "a"))) == f"NOERROR {DOMAIN}"


@pytest.mark.parametrize(
    ("name", "rdtype", "said"),
    [
        (WHOLE, "AAAA", "NOERROR"),
        (WHOLE, "TXT", "NOERROR"),
        (WHOLE, "TYPE999", "NOERROR"),
        (ZONE_A, "AAAA", "NOERROR"),
        (f"north.{DOMAIN}", "A", "NOERROR"),  # nothing has that name, but names below it
        (f"north.{DOMAIN}", "ANY", "NOERROR"),
        (DOMAIN, "A", "NOERROR"),
        (f"ns.{DOMAIN}", "AAAA", "NOERROR"),
        (f"x.{WHOLE}", "A", "NXDOMAIN"),
        (f"south.{DOMAIN}", "A", "NXDOMAIN"),
        (f"ep-c.{SERVICE}", "A", "NXDOMAIN"),
        (f"\\000.{DOMAIN}", "A", "NXDOMAIN"),
        (f"ep\\.svc.north.{DOMAIN}", "A", "NXDOMAIN"),  # one label, with a dot in it
    ],
)
@pytest.mark.parametrize("asker", [ON_HOST, NEAR, FAR])
def test_what_is_not_there_is_said_by_the_soa(
    name: str, rdtype: str, said: str, asker: Asker
) -> None:
    message = ask(view_of(keyed(endpoint()) | fronts(), 2**32 + 5), name, rdtype, asker)
    assert negative(message) == f"{said} {DOMAIN}"
    (soa,) = message.authority[0]
    assert message.authority[0].ttl == soa.minimum == TTL
    assert soa.serial == 5


def test_an_endpoint_without_zones_has_no_name() -> None:
    documents = keyed(endpoint(zones="", private=("v.example",), aliases=(Alias("me"),)))
    assert negative(ask(view_of(documents), WHOLE)).startswith("NXDOMAIN")
    assert negative(ask(view_of(documents), SERVICE, asker=NEAR)).startswith("NXDOMAIN")
    assert is_elsewhere(documents, "v.example", NEAR)
    assert is_elsewhere(documents, "me", NEAR)


def test_chosen_names_are_answered_in_their_vpc_alone() -> None:
    chosen = endpoint(zones="a", private=("db.v.example",), aliases=(Alias("db.me"),))
    documents = keyed(chosen) | fronts()
    for name in ("db.v.example", "db.me"):
        assert data(ask(view_of(documents), name, asker=NEAR)) == ["10.0.1.1"]
        assert is_elsewhere(documents, name, FAR)
        assert ask(view_of(documents), name).rcode() == dns.rcode.REFUSED
        assert negative(ask(view_of(documents), name, "TXT", NEAR)) == f"NOERROR {name}"
        assert negative(ask(view_of(documents), name, "AAAA", NEAR)) == f"NOERROR {name}"
    assert is_elsewhere(documents, "v.example", NEAR)
    assert is_elsewhere(documents, "x.db.v.example", NEAR)


def test_the_closest_word_for_a_name_holds() -> None:
    def one(number: int, *private: str) -> Documents:
        return keyed(endpoint(f"e{number}", order=number, net=number, zones="a", private=private))

    documents = one(1, "*.v.example") | one(2, "*.x.v.example") | one(3, "a.x.v.example")
    view = view_of(documents | fronts())
    for name, number in (
        ("b.v.example", 1),
        ("x.v.example", 1),
        ("d.c.b.v.example", 1),
        ("b.x.v.example", 2),
        ("a.x.v.example", 3),
        ("b.a.x.v.example", 2),
        ("c\\.d.x.v.example", 2),
        ("*.v.example", 1),
    ):
        assert data(ask(view, name, asker=NEAR)) == [f"10.0.{number}.1"], name
    assert is_elsewhere(documents, "v.example", NEAR)
    assert is_elsewhere(documents, "y\\.v.example", NEAR)  # one label, and no *.v.example above it


def test_the_consumers_word_goes_before_the_providers() -> None:
    vendor = endpoint("one", order=1, net=1, zones="a", private=("db.v.example", "*.v.example"))
    later = endpoint("two", order=3, net=2, zones="a", aliases=(Alias("db.v.example"),))
    latest = endpoint("three", order=4, net=3, zones="a", aliases=(Alias("db.v.example"),))
    view = view_of(keyed(vendor, latest, later) | fronts())
    assert data(ask(view, "db.v.example", asker=NEAR)) == ["10.0.2.1"]
    assert data(ask(view, "x.v.example", asker=NEAR)) == ["10.0.1.1"]


def test_an_alias_of_a_zone_is_that_zone_well_or_not() -> None:
    aliases = (Alias("far.me", "b"), Alias("gone.me", "c"))
    documents = keyed(endpoint(aliases=aliases)) | fronts(well="a", ill="b")
    assert data(ask(view_of(documents), "far.me", asker=NEAR)) == ["10.0.1.2"]
    assert is_elsewhere(documents, "gone.me", NEAR)


@pytest.mark.parametrize("name", [DOMAIN, f"db.{DOMAIN}", WHOLE, f"ns.{DOMAIN}", f"*.{DOMAIN}"])
def test_nobody_chooses_names_of_our_domain(name: str) -> None:
    thief = endpoint("thief", net=6, zones="a", private=(name,), aliases=(Alias(name),))
    with_it = view_of(keyed(endpoint(zones="a"), thief) | fronts())
    without = view_of(keyed(endpoint(zones="a")) | fronts())
    assert data(ask(with_it, name, asker=NEAR)) == data(ask(without, name, asker=NEAR))


def test_addresses_say_whose_they_are() -> None:
    here, there = endpoint(six="a"), endpoint("twin", network=2)
    view = view_of(keyed(here, there) | fronts())
    assert data(ask(view, "1.1.0.10.in-addr.arpa", "PTR", NEAR)) == [f"{ZONE_A}."]
    assert data(ask(view, "1.1.0.10.in-addr.arpa", "PTR", FAR)) == [f"twin-a.{SERVICE}."]
    both = [f"{ZONE_A}.", f"twin-a.{SERVICE}."]
    assert data(ask(view, "1.1.0.10.in-addr.arpa", "PTR")) == both
    seen = "1.1.64.100.in-addr.arpa"
    assert data(ask(view, seen, "PTR", Asker(9, "a"))) == both
    assert data(ask(view, seen, "PTR")) == both
    six = "1." + 23 * "0." + "1.0.0.0.0.0.d.f.ip6.arpa"
    assert data(ask(view, six, "PTR", NEAR)) == [f"{ZONE_A}."]
    assert data(ask(view, six.upper(), "PTR", NEAR)) == [f"{ZONE_A}."]


def test_unknown_addresses_are_somebody_elses() -> None:
    documents = keyed(endpoint()) | fronts()
    for name in ("9.1.0.10.in-addr.arpa", "1.1.64.100.in-addr.arpa", "01.1.0.10.in-addr.arpa",
                 "1.0.10.in-addr.arpa", "0.1.1.0.10.in-addr.arpa", "arpa"):  # fmt: skip
        assert is_elsewhere(documents, name, NEAR, "PTR")
    assert ask(view_of(documents), "9.1.0.10.in-addr.arpa", "PTR").rcode() == dns.rcode.REFUSED


def test_a_known_address_has_nothing_but_its_name() -> None:
    name = "1.1.0.10.in-addr.arpa"
    message = ask(view_of(keyed(endpoint()) | fronts()), name, "A", NEAR)
    assert negative(message) == f"NOERROR {name}"


def test_an_address_that_many_have_is_not_all_of_them() -> None:
    many = keyed(*(endpoint(f"e{n:03}", network=n + 1, order=n, zones="a") for n in range(150)))
    said = data(ask(view_of(many), "1.1.0.10.in-addr.arpa", "PTR", stream=True))
    assert said == [f"e{n:03}-a.{SERVICE}." for n in range(MOST_HOLDERS)]


@pytest.mark.parametrize(
    ("asker", "address"), [(ON_HOST, "127.0.0.1"), (NEAR, "100.100.2.136"), (FAR, "100.100.2.136")]
)
def test_our_domain_says_who_answers_for_it(asker: Asker, address: str) -> None:
    view = view_of({}, 9)
    assert data(ask(view, DOMAIN, "NS", asker)) == [f"ns.{DOMAIN}."]
    assert data(ask(view, f"ns.{DOMAIN}", "A", asker)) == [address]
    assert data(ask(view, DOMAIN, "SOA", asker)) == [
        f"ns.{DOMAIN}. hostmaster.{DOMAIN}. 9 60 10 604800 5"
    ]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("127.0.0.1", {"A": ["127.0.0.1"], "AAAA": []}),
        ("::1", {"A": [], "AAAA": ["::1"]}),
        ("0.0.0.0", {"A": [], "AAAA": []}),
        ("::", {"A": [], "AAAA": []}),
        ("", {"A": [], "AAAA": []}),
    ],
)
def test_the_name_server_is_where_the_host_is_asked(
    address: str, found: dict[str, list[str]]
) -> None:
    view = View.empty(DOMAIN, address)
    assert {kind: data(ask(view, f"ns.{DOMAIN}", kind)) for kind in found} == found


def test_a_name_longer_than_names_are_is_not_told() -> None:
    long = endpoint("e" * 62, zones="a")
    view = view_of(keyed(long, endpoint("other", network=2, order=2)) | fronts())
    assert data(ask(view, "1.1.0.10.in-addr.arpa", "PTR")) == [f"other-a.{SERVICE}."]
    assert data(ask(view, long.domain)) == ["10.0.1.1"]


@pytest.mark.parametrize("name", [DOMAIN, f"ns.{DOMAIN}", WHOLE, ZONE_A, "1.1.0.10.in-addr.arpa"])
def test_any_is_answered_little(name: str) -> None:
    assert data(ask(view_of(keyed(endpoint())), name, "ANY")) == ['"RFC8482" ""']


@settings(max_examples=200)
@given(
    worlds(), names(), st.sampled_from(TYPES), st.sampled_from(ASKERS), st.integers(0, 3),
)  # fmt: skip
def test_answers_are_those_of_the_plain_reading(
    documents: Documents, name: str, rdtype: str, asker: Asker, turn: int
) -> None:
    if rdtype in ("AXFR", "IXFR"):
        return
    query = question(name, rdtype)
    message = answer(query, view_of(documents), asker, turn)
    wanted = expected(documents, query.question[0].name, rdtype, asker, turn)
    if wanted is None:
        assert message is None
    else:
        assert message is not None
        assert (message.rcode(), data(message)) == (wanted.code, wanted.data)
        whose = [rrset.name.to_text(True).lower() for rrset in message.authority]
        assert whose == ([] if wanted.data else [wanted.authority])


@settings(max_examples=200)
@given(worlds(), names(), st.sampled_from(TYPES), st.sampled_from(ASKERS), st.integers(0, 3))
def test_bytes_say_the_same_as_the_message(
    documents: Documents, name: str, rdtype: str, asker: Asker, turn: int
) -> None:
    if rdtype in ("AXFR", "IXFR"):
        return
    query, view = question(name, rdtype, dnssec=turn == 1), view_of(documents)
    message = answer(query, view, asker, turn)
    response = respond(query.to_wire(), view, asker, turn, stream=True)
    if message is not None:
        assert (
            parsed(response).to_text()
            == dns.message.from_wire(message.to_wire(max_size=65535, want_shuffle=False)).to_text()
        )
    else:
        assert isinstance(response, Elsewhere) or parsed(response).rcode() == dns.rcode.REFUSED
