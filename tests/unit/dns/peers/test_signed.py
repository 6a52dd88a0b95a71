"""Signatures: what is right is opened, what is not is answered as RFC 8945 says, whatever comes."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import pytest
from dns.rdtypes.ANY.TSIG import TSIG
from hypothesis import given
from hypothesis import strategies as some

from privlink.dns.peers.signed import Signed, opened, respond_signed, sealed
from privlink.dns.peers.transfer import transfer
from tests.peers.documents import DOMAIN, server, view
from tests.peers.knot import KEY, SECRET

NOW = 1_800_000_000
VIEW = view(1, 2, 3, knot=server(53, pushes=False))
NAME = f"ep-1.epsrv-1.local.{DOMAIN}"


def signed(
    question: dns.message.Message, *, key: dns.tsig.Key | None = None, at: int = NOW
) -> bytes:
    """A message as whoever has the key sends it."""
    shared = key or dns.tsig.Key(KEY, SECRET)
    inner = Signed(b"", "", shared, b"")
    return sealed(question.to_wire(), inner, at)[0]


def asked(kind: str = "AXFR", name: str = DOMAIN) -> dns.message.Message:
    return dns.message.make_query(name, kind, id=4711)


def tsig_of(wire: bytes) -> TSIG:
    """The signature of an answer, unverified."""
    message = dns.message.from_wire(wire, keyring=False)
    assert message.tsig is not None
    record = message.tsig[0]
    assert isinstance(record, TSIG)
    return record


def code(wire: bytes) -> tuple[dns.rcode.Rcode, int]:
    """The code of an answer, and that of its signature."""
    return dns.message.from_wire(wire, keyring=False).rcode(), int(tsig_of(wire).error)


def test_what_is_signed_is_opened_and_its_answer_is_signed() -> None:
    found = opened(signed(asked()), VIEW.servers, NOW)
    assert isinstance(found, Signed)
    assert (found.wire, found.server) == (asked().to_wire(), "server/knot")
    assert SECRET not in repr(found)


def test_an_answer_to_a_signed_question_is_signed() -> None:
    wire = signed(asked("A", NAME))
    answer = respond_signed(wire, VIEW, 0, NOW, limit=512, stream=False)
    assert answer is not None
    told = dns.message.from_wire(answer, keyring=False)
    assert {each.to_text() for each in told.answer[0]} == {"10.1.0.1", "10.2.0.1"}
    start = answer.rindex(dns.name.from_text(KEY).to_wire())
    key = dns.tsig.Key(KEY, SECRET)
    dns.tsig.validate(answer, key, key.name, tsig_of(answer), NOW, tsig_of(wire).mac, start)


def test_an_answer_that_the_signature_makes_too_long_is_cut_short() -> None:
    wire = signed(asked("A", NAME))
    answer = respond_signed(wire, VIEW, 0, NOW, limit=160, stream=False)
    assert answer is not None
    assert len(answer) <= 160
    told = dns.message.from_wire(answer, keyring=False)
    assert told.flags & dns.flags.TC
    assert (told.answer, tsig_of(answer).error) == ([], 0)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (dns.tsig.Key(KEY, b"another secret of 16"), dns.rcode.BADSIG),
        (dns.tsig.Key("nobodys", SECRET), dns.rcode.BADKEY),
        (dns.tsig.Key(KEY, SECRET, "hmac-sha512"), dns.rcode.BADKEY),
    ],
)
def test_a_wrong_signature_is_answered_without_one(key: dns.tsig.Key, error: int) -> None:
    answer = opened(signed(asked(), key=key), VIEW.servers, NOW)
    assert isinstance(answer, bytes)
    assert code(answer) == (dns.rcode.NOTAUTH, error)
    assert tsig_of(answer).mac == b""


@pytest.mark.parametrize("late", [-301, 301])
def test_who_has_another_time_is_told_ours(late: int) -> None:
    wire = signed(asked(), at=NOW + late)
    answer = opened(wire, VIEW.servers, NOW)
    assert isinstance(answer, bytes)
    assert code(answer) == (dns.rcode.NOTAUTH, dns.rcode.BADTIME)
    told = tsig_of(answer)
    assert (told.time_signed, int.from_bytes(told.other, "big")) == (NOW + late, NOW)
    assert len(told.mac) == 32
    assert isinstance(opened(signed(asked(), at=NOW + 299), VIEW.servers, NOW), Signed)


def test_without_a_key_nobody_is_believed() -> None:
    assert opened(asked().to_wire(), VIEW.servers, NOW) is None
    answer = opened(signed(asked()), {}, NOW)
    assert isinstance(answer, bytes)
    assert code(answer) == (dns.rcode.NOTAUTH, dns.rcode.BADKEY)


@given(some.binary(max_size=200), some.booleans())
def test_no_bytes_break_it(noise: bytes, marked: bool) -> None:
    wire = noise + b"\x00\xfa\x00\xff" + noise[::-1] if marked else noise
    found = opened(wire, VIEW.servers, NOW)
    assert found is None or isinstance(found, bytes)
    for message in transfer(wire, VIEW, lambda: NOW):
        assert b"\x0a\x01\x00\x01" not in message


@given(some.lists(some.tuples(some.integers(0, 200), some.integers(0, 255)), max_size=4))
def test_what_was_changed_on_its_way_is_not_believed(changes: list[tuple[int, int]]) -> None:
    wire = bytearray(signed(asked()))
    for place, value in changes:
        wire[place % len(wire)] = value
    found = opened(bytes(wire), VIEW.servers, NOW)
    if isinstance(found, Signed):  # nothing was changed but what no signature covers
        assert found.wire == asked().to_wire()
        return
    for message in transfer(bytes(wire), VIEW, lambda: NOW):
        assert dns.message.from_wire(message, keyring=False).answer == []


def test_every_message_of_a_transfer_is_signed_and_small() -> None:
    large = view(*range(1, 301), knot=server(53, pushes=False))
    wires = list(transfer(signed(asked()), large, lambda: NOW))
    assert len(wires) > 10
    key, context, mac = dns.tsig.Key(KEY, SECRET), None, tsig_of(signed(asked())).mac
    for wire in wires:
        assert len(wire) < 8192
        start = wire.rindex(dns.name.from_text(KEY).to_wire())
        context = dns.tsig.validate(
            wire, key, key.name, tsig_of(wire), NOW, mac, start, context, True
        )
    first, last = (dns.message.from_wire(wires[each], keyring=False) for each in (0, -1))
    assert first.answer[0].rdtype == last.answer[-1].rdtype == dns.rdatatype.SOA
    assert first.answer[0].rdclass == dns.rdataclass.IN
