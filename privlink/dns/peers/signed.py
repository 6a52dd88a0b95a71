"""Messages that are signed with a key which two name servers share (TSIG, RFC 8945).

A signed question is looked at, its signature taken off, and whoever answers need not know of it;
the answer is signed with the same key.

    header . question . ... . TSIG      ->   header . question . ...       what was asked
    header . question . ...             ->   header . question . ... TSIG  what is answered

Pure: times are given, in seconds since 1970. No secret is in any error.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

import dns.exception
import dns.flags
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.wire
import msgspec
from dns.rdtypes.ANY.TSIG import TSIG

from privlink.dns.answers.respond import respond
from privlink.dns.answers.view import ON_HOST, View
from privlink.model.naming import NameServer, TransferKey

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHI")
_FUDGE: Final = 300  # seconds: RFC 8945 section 10
_MARK: Final = b"\x00\xfa\x00\xff"  # type and class of a TSIG record


class Signed(msgspec.Struct, frozen=True):
    """A message whose signature was right."""

    wire: bytes  # the message without it
    server: str  # the key of the document that has the key
    key: Any  # dns.tsig.Key
    mac: bytes  # which the answer's signature covers

    def __repr__(self) -> str:
        """Without the secret, should anybody print it."""
        return f"Signed(by {self.server})"


def key_of(key: TransferKey) -> dns.tsig.Key:
    """A key as dnspython has it. Raises dns.exception.DNSException, ValueError."""
    return dns.tsig.Key(key.name, key.secret, key.algorithm)


def opened(wire: bytes, servers: Mapping[str, NameServer], now: float) -> Signed | bytes | None:
    """What was signed; or how a wrong signature is answered; or None for what is not signed.

    What makes no sense is not signed either: to refuse it is for whoever answers.
    """
    if _MARK not in wire:
        return None
    try:
        found = _find(wire)
    except (dns.exception.DNSException, struct.error, ValueError):
        return None
    if found is None:
        return None
    start, questions, owner, record = found
    if record is None:
        return _refused(wire, questions, dns.rcode.FORMERR)
    key, server = _key_among(servers, owner, record.algorithm)
    if key is None:
        return _refused(
            wire, questions, dns.rcode.NOTAUTH, _tsig(owner, record, int(now), dns.rcode.BADKEY)
        )
    try:
        dns.tsig.validate(wire, key, owner, record, int(now), b"", start)
    except dns.tsig.BadTime:
        late = Signed(b"", server, key, record.mac)
        refusal = _refused(wire, questions, dns.rcode.NOTAUTH)
        told = int(now).to_bytes(6, "big")
        return sealed(refusal, late, record.time_signed, error=dns.rcode.BADTIME, other=told)[0]
    except dns.exception.DNSException:
        return _refused(
            wire, questions, dns.rcode.NOTAUTH, _tsig(owner, record, int(now), dns.rcode.BADSIG)
        )
    number = record.original_id.to_bytes(2, "big")
    fewer = (int.from_bytes(wire[10:12], "big") - 1).to_bytes(2, "big")
    bare = number + wire[2:10] + fewer + wire[12:start]
    return Signed(bare, server, key, record.mac)


def sealed(
    wire: bytes,
    question: Signed,
    now: float,
    context: Any = None,
    *,
    several: bool = False,
    error: int = 0,
    other: bytes = b"",
) -> tuple[bytes, Any]:
    """An answer with its signature; of several messages each but the first is given the context
    that came with the one before (RFC 8945 section 5.3.1).
    """
    key: dns.tsig.Key = question.key
    number = int.from_bytes(wire[:2], "big")
    blank = TSIG(
        dns.rdataclass.ANY,
        dns.rdatatype.TSIG,
        key.algorithm,
        int(now),
        _FUDGE,
        b"",
        number,
        error,
        other,
    )
    record, context = dns.tsig.sign(wire, key, blank, int(now), question.mac, context, several)
    return _with_record(wire, key.name, record), context


def respond_signed(
    wire: bytes, view: View, turn: int, now: float, *, limit: int, stream: bool
) -> bytes | None:
    """The whole answer on the host to a question that has a signature, of up to `limit` bytes.

    As `respond`, which says so of such a question, and nothing where that answers nothing.
    """
    question = opened(wire, view.servers, now)
    if question is None or isinstance(question, bytes):
        return question
    answer = respond(question.wire, view, ON_HOST, turn, stream=stream)
    if not isinstance(answer, bytes):
        return None
    whole = sealed(answer, question, now)[0]
    if len(whole) <= limit:
        return whole
    number, flags, questions, *_ = _HEADER.unpack(answer[:12])
    parser = dns.wire.Parser(answer, 12)
    for _ in range(questions):
        parser.get_name(decompress=True)
        parser.get_bytes(4)
    short = _HEADER.pack(number, flags | dns.flags.TC, questions, 0, 0, 0)
    return sealed(short + answer[12 : parser.current], question, now)[0]


def _find(wire: bytes) -> tuple[int, int, dns.name.Name, TSIG | None] | None:
    """Of a message whose last record is a TSIG record: where that begins, where the questions end,
    the record's name, and the record if it can be read.
    """
    _, _, questions, *others = _HEADER.unpack(wire[:12])
    parser = dns.wire.Parser(wire, 12)
    for _ in range(questions):
        parser.get_name(decompress=True)
        parser.get_bytes(4)
    asked, start = parser.current, 0
    owner, kind, size, body = dns.name.root, 0, 0, 0
    for _ in range(sum(others)):
        start = parser.current
        owner = parser.get_name(decompress=True)
        kind, _, _, size = parser.get_struct("!HHIH")
        body = parser.current
        parser.get_bytes(size)
    if kind != dns.rdatatype.TSIG or others[-1] == 0 or parser.remaining():
        return None
    try:
        record = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, wire, body, size)
    except (dns.exception.DNSException, ValueError):
        return start, asked, owner, None
    return start, asked, owner, record if isinstance(record, TSIG) else None


def _key_among(
    servers: Mapping[str, NameServer], name: dns.name.Name, algorithm: dns.name.Name
) -> tuple[dns.tsig.Key | None, str]:
    """The key of this name, and the document it is of. Those that transfer go first: one that is
    pushed to may have the same key.
    """
    for place, server in sorted(servers.items(), key=lambda each: (each[1].pushes, each[0])):
        if server.key is None:
            continue
        key = key_of(server.key)
        if (key.name, key.algorithm) == (name, algorithm):
            return key, place
    return None, ""


def _tsig(owner: dns.name.Name, asked: TSIG, now: int, error: int) -> tuple[dns.name.Name, TSIG]:
    """The record of an answer that is not signed, because the question was not (section 5.3.2)."""
    record = TSIG(
        dns.rdataclass.ANY,
        dns.rdatatype.TSIG,
        asked.algorithm,
        now,
        _FUDGE,
        b"",
        asked.original_id,
        error,
        b"",
    )
    return owner, record


def _refused(
    wire: bytes, end: int, code: int, record: tuple[dns.name.Name, TSIG] | None = None
) -> bytes:
    """How a message is answered that was not signed as it should be."""
    number, flags, questions, *_ = _HEADER.unpack(wire[:12])
    kept = flags & (0x7800 | dns.flags.RD)  # its opcode, RFC 1035 section 4.1.1
    header = _HEADER.pack(number, dns.flags.QR | kept | code, questions, 0, 0, 0)
    answer = header + wire[12:end]
    return answer if record is None else _with_record(answer, *record)


def _with_record(wire: bytes, owner: dns.name.Name, record: TSIG) -> bytes:
    """A message with one more record at its end."""
    body = record.to_wire()
    assert body is not None
    more = (int.from_bytes(wire[10:12], "big") + 1).to_bytes(2, "big")
    name = owner.to_wire()
    assert name is not None
    head = _RECORD.pack(dns.rdatatype.TSIG, dns.rdataclass.ANY, 0) + len(body).to_bytes(2, "big")
    return wire[:10] + more + wire[12:] + name + head + body
