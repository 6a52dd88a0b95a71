"""What answers of a resolver mean: bytes as they come, given a question for a name."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from privlink.node.resolving.answers import (
    MOST_ADDRESSES,
    Absent,
    Answer,
    Failed,
    Found,
    query,
    read,
)

NAME = "db.customer.example"
SOA = "customer.example. 900 IN SOA ns.customer.example. root.customer.example. 1 2 3 4 20"


def answer(
    *records: str, code: dns.rcode.Rcode = dns.rcode.NOERROR, authority: tuple[str, ...] = ()
) -> Answer:
    """What a response with these records means, once it was on a wire."""
    response = dns.message.make_response(query(NAME))
    response.set_rcode(code)
    for section, lines in ((response.answer, records), (response.authority, authority)):
        for line in lines:
            name, ttl, in_, kind, rest = line.split(maxsplit=4)
            section.append(dns.rrset.from_text(name, int(ttl), in_, kind, rest))
    return read(dns.message.from_wire(response.to_wire()))


def test_a_question_is_for_ipv4_and_to_be_followed_up() -> None:
    asked = dns.message.from_wire(query(NAME).to_wire())
    assert [each.to_text() for each in asked.question] == [f"{NAME}. IN A"]
    assert asked.flags & dns.flags.RD
    assert len({query(NAME).id for _ in range(8)}) > 1  # not to be guessed


def test_what_is_no_name_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="is no name"):
        query("a..b")


def test_addresses_come_in_order_each_once() -> None:
    said = answer(f"{NAME}. 60 IN A 10.0.0.100", f"{NAME}. 60 IN A 10.0.0.9")
    assert said == Found(("10.0.0.9", "10.0.0.100"), 60)


def test_other_names_are_followed_within_the_answer_and_the_shortest_time_holds() -> None:
    said = answer(f"{NAME}. 300 IN CNAME b.example.", "b.example. 7 IN A 10.0.0.9")
    assert said == Found(("10.0.0.9",), 7)


def test_what_was_not_asked_for_is_no_answer() -> None:
    said = answer("bank.example. 60 IN A 10.0.0.9", f"{NAME}. 60 IN AAAA fd00::1")
    assert isinstance(said, Absent)


def test_so_many_addresses_and_no_more() -> None:
    said = answer(*(f"{NAME}. 60 IN A 10.0.{n // 250}.{n % 250}" for n in range(1000)))
    assert isinstance(said, Found)
    assert len(said.addresses) == MOST_ADDRESSES


@pytest.mark.parametrize(
    ("code", "why"),
    [(dns.rcode.NXDOMAIN, "no such name"), (dns.rcode.NOERROR, "no IPv4 address")],
)
def test_what_there_is_not_is_absent_for_as_long_as_the_zone_says(
    code: dns.rcode.Rcode, why: str
) -> None:
    said = answer(code=code, authority=(SOA,))
    assert isinstance(said, Absent)
    assert why in said.why
    assert said.ttl == 20


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.FORMERR])
def test_a_server_that_cannot_say_has_said_nothing(code: dns.rcode.Rcode) -> None:
    said = answer(f"{NAME}. 60 IN A 10.0.0.9", code=code)
    assert said == Failed(f"the DNS server answers {dns.rcode.to_text(code)}.")


def test_a_name_that_leads_to_itself_makes_no_sense() -> None:
    said = answer(f"{NAME}. 60 IN CNAME b.example.", f"b.example. 60 IN CNAME {NAME}.")
    assert isinstance(said, Failed)
