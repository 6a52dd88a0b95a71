"""What a message asks, as far as that can be told without knowing any name.

Pure, and the first to touch what strangers send. Of the records behind the question no more is
read than their lengths and, of OPT, its fixed fields. dnspython would parse them all, and remembers
a class for each type it has met: that is for messages of people one knows.
"""

from __future__ import annotations

import struct
from typing import Final

import dns.opcode
import dns.rdataclass
import dns.rdatatype
import msgspec
from dns.rcode import Rcode

HEADER: Final = 12  # bytes; RFC 1035 section 4.1.1
OWN_PAYLOAD: Final = 1232  # bytes of a datagram that pass everywhere; what we say and send at most
_PLAIN_PAYLOAD: Final = 512  # RFC 1035 section 4.2.1
_STREAM_PAYLOAD: Final = 65535
_LONGEST_NAME: Final = 255
_LONGEST_LABEL: Final = 63
_POINTER: Final = 0xC0  # begins a pointer to where the name goes on

_QR: Final = 0x8000
_OPCODE: Final = 0x7800
_RD: Final = 0x0100
_DO: Final = 0x8000  # RFC 3225

_COUNTS: Final = struct.Struct("!HHHHH")  # flags, and the four sections
_ASKED: Final = struct.Struct("!HH")  # type and class
_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, length


class Unreadable(ValueError):
    """A message that is asked to be another one."""

    def __init__(self, code: Rcode) -> None:
        super().__init__(code.name)
        self.code = code


class Options(msgspec.Struct, frozen=True, gc=False):
    """What the asker says by EDNS (RFC 6891), as far as it matters here."""

    payload: int
    version: int
    dnssec: bool


class Query(msgspec.Struct, frozen=True, gc=False):
    """A question."""

    id: bytes
    recursion: bool  # is desired
    question: bytes  # as it was written: name, type and class
    rdtype: int
    rdclass: int
    options: Options | None = None
    signed: bool = False  # by TSIG (RFC 8945), whose key nobody has looked for yet

    @property
    def name(self) -> bytes:
        """The name in its one spelling, lower case: what two that differ in case have in common."""
        return self.question[:-4].lower()

    def labels(self) -> tuple[bytes, ...]:
        """The labels as they were written, and the root."""
        labels, at = [], 0
        while length := self.question[at]:
            labels.append(self.question[at + 1 : at + 1 + length])
            at += length + 1
        return (*labels, b"")

    def limit(self, *, stream: bool) -> int:
        """How many bytes an answer has at most."""
        if stream:
            return _STREAM_PAYLOAD
        if self.options is None:
            return _PLAIN_PAYLOAD
        return min(max(self.options.payload, _PLAIN_PAYLOAD), OWN_PAYLOAD)


def read(wire: bytes) -> Query | None:
    """What a message asks; None of one that is not to be answered at all.

    Raises Unreadable with the code to answer. Sources: RFC 1035 section 4.1, RFC 9619 for more
    questions than one.
    """
    if len(wire) < HEADER:
        return None
    flags, questions, *others = _COUNTS.unpack_from(wire, 2)
    if flags & _QR:
        return None
    if flags & _OPCODE != dns.opcode.QUERY:
        raise Unreadable(Rcode.NOTIMP)
    if questions != 1:
        raise Unreadable(Rcode.FORMERR)
    end = _end_of_name(wire, HEADER) + _ASKED.size
    if end > len(wire):
        raise Unreadable(Rcode.FORMERR)
    rdtype, rdclass = _ASKED.unpack_from(wire, end - _ASKED.size)
    options, signed = _read_records(wire, end, others)
    question = wire[HEADER:end]
    return Query(wire[:2], bool(flags & _RD), question, rdtype, rdclass, options, signed)


def _end_of_name(wire: bytes, at: int) -> int:
    """Where a name ends that is written out, as the first one is: nothing is before it."""
    begin = at
    try:
        while length := wire[at]:
            if length > _LONGEST_LABEL:
                raise Unreadable(Rcode.FORMERR)
            at += length + 1
    except IndexError:
        raise Unreadable(Rcode.FORMERR) from None
    if at + 1 - begin > _LONGEST_NAME:
        raise Unreadable(Rcode.FORMERR)
    return at + 1


def _read_records(wire: bytes, at: int, counts: list[int]) -> tuple[Options | None, bool]:
    """What the records behind the question say of how it is to be answered."""
    options, signed = None, False
    left = sum(counts)
    try:
        while left:
            owner = at
            while 0 < wire[at] <= _LONGEST_LABEL:
                at += wire[at] + 1
            if 0 < wire[at] < _POINTER:
                raise Unreadable(Rcode.FORMERR)
            at += 2 if wire[at] else 1
            rdtype, rdclass, ttl, length = _RECORD.unpack_from(wire, at)
            at += _RECORD.size + length
            if rdtype == dns.rdatatype.OPT:
                if options is not None or wire[owner] or left > counts[-1]:
                    raise Unreadable(Rcode.FORMERR)
                options = Options(rdclass, ttl >> 16 & 0xFF, bool(ttl & _DO))
            elif rdtype == dns.rdatatype.TSIG:
                if left != 1 or not counts[-1]:
                    raise Unreadable(Rcode.FORMERR)
                signed = True
            left -= 1
    except (IndexError, struct.error):
        raise Unreadable(Rcode.FORMERR) from None
    if at != len(wire):
        raise Unreadable(Rcode.FORMERR)
    return options, signed
