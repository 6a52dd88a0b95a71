"""Messages in and out: what the protocol asks for, and that nothing that comes in does harm."""

from __future__ import annotations

import random
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.dns.answers.query import OWN_PAYLOAD
from privlink.dns.answers.respond import Elsewhere, Response, Signed, Transfer, rejected, respond
from privlink.dns.answers.view import ON_HOST, Asker
from tests.unit.dns.reference import expected
from tests.unit.dns.world import (
    ASKERS,
    DOMAIN,
    FAR,
    NEAR,
    TYPES,
    Documents,
    ask,
    data,
    endpoint,
    fronts,
    in_any_case,
    keyed,
    names,
    parsed,
    question,
    view_of,
    worlds,
)

WHOLE = f"ep.svc.north.{DOMAIN}"
VIEW = view_of(keyed(endpoint(six="ab", private=("v.example",))) | fronts())
# Half of them have one address: more names than a datagram holds.
CROWD = view_of(keyed(*(endpoint(f"e{n}", network=n + 1, order=n) for n in range(120))))
CROWDED = "1.1.0.10.in-addr.arpa"


def said(wire: bytes, asker: Asker = ON_HOST, *, stream: bool = False) -> Response:
    return respond(wire, VIEW, asker, 0, stream=stream)


def header(flags: int = 0, questions: int = 1, *others: int) -> bytes:
    counts = (questions, *others, *(0,) * (3 - len(others)))
    return struct.pack("!HHHHHH", 0xABCD, flags, *counts)


ASKED = dns.name.from_text(WHOLE).to_wire() + b"\0\1\0\1"
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (header(questions=0), "FORMERR"),
        (header(questions=2) + ASKED + ASKED, "FORMERR"),
        (header(), "FORMERR"),
        (header() + ASKED[:-1], "FORMERR"),
        (header() + ASKED + b"\0", "FORMERR"),
        (header() + b"\xc0\x0c\0\1\0\1", "FORMERR"),  # a name that points at itself
        (header() + b"\x40a\0\0\1\0\1", "FORMERR"),
        (header() + b"\x3f" + b"a" * 62, "FORMERR"),
        (header() + b"\x3f" * 4 * 64 + b"\0\0\1\0\1", "FORMERR"),  # longer than names are
        (header(0, 1, 0, 0, 1) + ASKED, "FORMERR"),
        (header(0, 1, 0, 0, 1) + ASKED + OPT[:-1], "FORMERR"),
        (header(0, 1, 0, 0, 1) + ASKED + b"\0\0\x29\x04\xd0\0\0\0\0\xff\xff", "FORMERR"),
        (header(0, 1, 0, 0, 2) + ASKED + OPT + OPT, "FORMERR"),
        (header(0, 1, 1) + ASKED + OPT, "FORMERR"),  # OPT in the answer
        (header(0, 1, 0, 0, 1) + ASKED + b"\1a" + OPT, "FORMERR"),  # OPT of a name
        (header(0, 1, 0, 0, 1) + ASKED + b"\x80" + OPT, "FORMERR"),
        (header(0, 1, 65535, 65535, 65535) + ASKED, "FORMERR"),
        (header(dns.opcode.NOTIFY << 11) + ASKED, "NOTIMP"),
        (header(dns.opcode.UPDATE << 11), "NOTIMP"),
        (header(15 << 11), "NOTIMP"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_header(wire: bytes, code: str) -> None:
    for stream in (False, True):
        answer = said(wire, stream=stream)
        assert isinstance(answer, bytes) and len(answer) == 12
        message = parsed(answer)
        assert (message.id, dns.rcode.to_text(message.rcode())) == (0xABCD, code)
        assert message.flags & dns.flags.QR


@pytest.mark.parametrize("wire", [b"", b"a", header()[:11], header(dns.flags.QR) + ASKED])
def test_what_is_no_question_is_not_answered(wire: bytes) -> None:
    assert said(wire) is None
    assert said(wire, stream=True) is None


def test_the_question_comes_back_as_it_was_written() -> None:
    wire = in_any_case(question(WHOLE).to_wire(), 3)
    answer = said(wire)
    assert isinstance(answer, bytes)
    assert answer[:2] == wire[:2]
    assert answer[12 : len(wire)] == wire[12:] != question(WHOLE).to_wire()[12:]
    assert answer[len(wire) : len(wire) + 2] == b"\xc0\x0c"  # the owner points to it


@pytest.mark.parametrize("recursion", [False, True])
@pytest.mark.parametrize("asker", [ON_HOST, NEAR])
def test_flags_say_who_answers(recursion: bool, asker: Asker) -> None:
    query = question(WHOLE)
    query.flags = dns.flags.RD if recursion else dns.flags.CD
    message = parsed(said(query.to_wire(), asker))
    wanted = dns.flags.QR | dns.flags.AA
    wanted |= dns.flags.RD if recursion else 0
    wanted |= dns.flags.RA if asker == NEAR else 0
    assert message.flags == wanted


@pytest.mark.parametrize("dnssec", [False, True])
@pytest.mark.parametrize("name", [WHOLE, DOMAIN, f"no.{DOMAIN}", "elsewhere.example"])
def test_edns_is_answered_with_edns(dnssec: bool, name: str) -> None:
    message = ask(VIEW, name, "SOA", payload=4096, dnssec=dnssec)
    assert (message.edns, message.payload) == (0, OWN_PAYLOAD)
    assert message.ednsflags == (dns.flags.DO if dnssec else 0)
    assert ask(VIEW, name, "SOA").edns == -1


def test_options_nobody_knows_are_passed_over() -> None:
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(100))
    query = dns.message.make_query(WHOLE, "A", options=[cookie, padding], pad=0)
    message = parsed(said(query.to_wire()))
    assert len(data(message)) == 2 and not message.options


def test_another_version_of_edns_is_told_ours() -> None:
    query = question(WHOLE, payload=1232)
    query.use_edns(1, 0, 1232)
    message = parsed(said(query.to_wire()))
    assert (message.rcode(), message.edns) == (dns.rcode.BADVERS, 0)
    assert not message.answer and not message.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("rdclass", "rdtype", "code"),
    [
        ("CH", "TXT", "REFUSED"),
        ("ANY", "A", "REFUSED"),
        ("NONE", "A", "REFUSED"),
        ("IN", "OPT", "NOTIMP"),
        ("IN", "TYPE0", "NOTIMP"),
        ("IN", "TSIG", "NOTIMP"),
        ("IN", "MAILA", "NOTIMP"),
    ],
)
@pytest.mark.parametrize("asker", [ON_HOST, NEAR])
def test_odd_questions_are_refused(rdclass: str, rdtype: str, code: str, asker: Asker) -> None:
    for name in (WHOLE, "elsewhere.example"):
        wire = header() + dns.name.from_text(name).to_wire()
        wire += struct.pack(
            "!HH", dns.rdatatype.from_text(rdtype), dns.rdataclass.from_text(rdclass)
        )
        answer = said(wire, asker)
        assert isinstance(answer, bytes)
        assert dns.rcode.to_text(answer[3] & 15) == code
        assert answer[12:] == wire[12:]


def test_others_names_are_for_others() -> None:
    wire = question("www.example", payload=700).to_wire()
    assert said(wire, NEAR) == Elsewhere(700)
    assert said(wire, NEAR, stream=True) == Elsewhere(65535)
    message = parsed(said(wire))
    assert message.rcode() == dns.rcode.REFUSED and not message.flags & dns.flags.AA
    assert said(question(".", "NS").to_wire(), NEAR) == Elsewhere(512)


@pytest.mark.parametrize(("payload", "limit"), [(0, 512), (100, 512), (900, 900), (4096, 1232)])
def test_what_does_not_fit_is_cut_short(payload: int, limit: int) -> None:
    for rdtype in ("PTR", "A"):
        wire = question(CROWDED, rdtype, payload=payload).to_wire()
        answer = respond(wire, CROWD, ON_HOST, 0, stream=False)
        assert isinstance(answer, bytes) and len(answer) <= limit
        message = parsed(answer)
        assert bool(message.flags & dns.flags.TC) is (rdtype == "PTR")
        assert not message.answer
    assert len(data(ask(CROWD, CROWDED, "PTR", payload=payload, stream=True))) == 100


def test_addresses_that_do_not_fit_are_cut_short() -> None:
    labels = ".".join("a" * 60 for _ in range(3))
    wide = endpoint(f"{labels}.{'b' * 30}", zones="abcdefghijklm", six="abcdefghijklm")
    view = view_of(keyed(wide) | fronts(well="abcdefghijklm"))
    assert ask(view, wide.domain, "AAAA").flags & dns.flags.TC
    assert len(data(ask(view, wide.domain, "AAAA", payload=1232))) == 13


def test_transfers_are_for_streams_on_the_host() -> None:
    for rdtype in ("AXFR", "IXFR"):
        wire = question(DOMAIN, rdtype).to_wire()
        assert said(wire, stream=True) == Transfer(signed=False)
        for stream in (False, True):
            assert parsed(said(wire, NEAR, stream=stream)).rcode() == dns.rcode.REFUSED
    assert parsed(said(question(DOMAIN, "AXFR").to_wire())).rcode() == dns.rcode.REFUSED
    assert parsed(said(question(WHOLE, "IXFR").to_wire())).rcode() == dns.rcode.REFUSED


def test_a_transfer_of_changes_by_datagram_is_told_where_we_are() -> None:
    message = parsed(said(question(DOMAIN, "IXFR").to_wire()))
    assert message.flags & dns.flags.TC
    assert data(message) == [f"ns.{DOMAIN}. hostmaster.{DOMAIN}. 7 60 10 604800 5"]


def test_signed_questions_are_for_who_has_the_keys() -> None:
    def signed(name: str, rdtype: str) -> bytes:
        query = question(name, rdtype, payload=1000)
        query.use_tsig(dns.tsig.Key("key.", b"secret"))
        return query.to_wire()

    assert said(signed(DOMAIN, "SOA")) == Signed(1000)
    assert said(signed(DOMAIN, "IXFR")) == Signed(1000)
    assert said(signed(DOMAIN, "AXFR"), stream=True) == Transfer(signed=True)
    assert parsed(said(signed("else.example", "A"))).rcode() == dns.rcode.REFUSED
    assert parsed(said(signed(DOMAIN, "SOA"), NEAR)).rcode() == dns.rcode.NOTAUTH
    assert said(signed("else.example", "A"), NEAR) == Elsewhere(1000)
    update = dns.update.UpdateMessage(DOMAIN)
    update.use_tsig(dns.tsig.Key("key.", b"secret"))
    assert parsed(said(update.to_wire())).rcode() == dns.rcode.NOTIMP


def test_who_cannot_help_says_so() -> None:
    wire = question("www.example", payload=700).to_wire()
    message = parsed(rejected(wire, dns.rcode.SERVFAIL, NEAR))
    assert (message.rcode(), message.edns) == (dns.rcode.SERVFAIL, 0)
    assert message.question[0].name.to_text() == "www.example."
    message = parsed(rejected(wire, dns.rcode.NOERROR, NEAR, truncated=True))
    assert message.flags & dns.flags.TC and not message.answer
    assert len(rejected(header(questions=3), dns.rcode.SERVFAIL, NEAR)) == 12


@settings(max_examples=250)
@given(st.binary(max_size=600), st.sampled_from(ASKERS), st.booleans())
def test_any_bytes_are_answered_with_no_more_than_an_error(
    wire: bytes, asker: Asker, stream: bool
) -> None:
    answer = said(wire, asker, stream=stream)
    if isinstance(answer, bytes):
        assert answer[:2] == wire[:2] and answer[2] & 0x80
        assert len(answer) <= max(len(wire), 12)


@settings(max_examples=250)
@given(
    worlds(),
    names(),
    st.sampled_from(TYPES),
    st.sampled_from(ASKERS),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_damaged_questions_do_no_harm(
    documents: Documents,
    name: str,
    rdtype: str,
    asker: Asker,
    stream: bool,
    rng: random.Random,
) -> None:
    """However a question is damaged, it gets what the plain reading says, or nothing of ours."""
    query = question(name, rdtype, payload=rng.choice((0, 512, 700, 5000)))
    wire = bytearray(query.to_wire())
    for _ in range(rng.randrange(4)):
        wire[rng.randrange(len(wire))] = rng.randrange(256)
    if rng.random() < 0.1:
        del wire[rng.randrange(len(wire)) :]
    answer = respond(bytes(wire), view_of(documents), asker, 0, stream=stream)
    if not isinstance(answer, bytes):
        return
    assert len(answer) <= (65535 if stream else 1232)
    message = parsed(answer)
    if message.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        assert not message.answer and not message.authority
        return
    (asked,) = message.question
    if message.flags & dns.flags.TC:
        return
    wanted = expected(documents, asked.name, dns.rdatatype.to_text(asked.rdtype), asker, 0)
    assert wanted is not None
    assert (message.rcode(), data(message)) == (wanted.code, wanted.data)


@given(names(), st.integers(0, 2**32))
def test_case_changes_nothing_but_itself(name: str, seed: int) -> None:
    wire = question(name).to_wire()
    for asker in (NEAR, FAR, ON_HOST):
        plain, other = said(wire, asker), said(in_any_case(wire, seed), asker)
        if isinstance(plain, bytes):
            assert isinstance(other, bytes)
            assert other.replace(in_any_case(wire, seed)[12:], wire[12:]) == plain
        else:
            assert plain == other
