"""How an answer is written.

Pure. What is asked for most, addresses and that there is nothing, is put together here from a few
bytes, since dnspython takes twenty times as long for it; all else dnspython writes. A test holds
both to the same.

    id, flags, counts     12 bytes
    question              as it was written; all owners of records point to it
    records               those of the answer, or the SOA that says that there are none
    OPT                   11 bytes, where the asker uses EDNS
"""

from __future__ import annotations

import functools
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode

from privlink.dns.answers.answer import SOA_TIMES, TTL, Finding, fill
from privlink.dns.answers.query import HEADER, OWN_PAYLOAD, Query
from privlink.dns.answers.view import HOST, Asker, View

OPT_BYTES: Final = 11
SOA_NUMBERS_BYTES: Final = 20  # at the end of a SOA; the serial is the first four

_HEAD: Final = struct.Struct("!HHHHH")  # flags, and the counts of the sections
_RECORD: Final = struct.Struct("!HHHIH")  # pointer to the owner, type, class, TTL, length
_OPT: Final = struct.Struct("!BHHBBHH")  # owner, type, payload, code, version, flags, length
_NUMBERS: Final = struct.Struct("!IIIII")
_POINTER: Final = 0xC000  # RFC 1035 section 4.1.4
_TO_QUESTION: Final = _POINTER | HEADER
_TYPE_AND_CLASS: Final = 4
_SERVER: Final = b"\2ns"  # the label of it below our domain, as in `answer.soa`
_CONTACT: Final = b"\x0ahostmaster"


def written(
    query: Query, finding: Finding, view: View, asker: Asker, turn: int, limit: int
) -> bytes:
    """What is known of a question, in no more bytes than the limit; else cut short."""
    if finding.rdatas:
        return _by_dnspython(query, finding, view, asker, limit)
    answers, authorities = b"", b""
    if finding.addresses:
        answers = _addresses(query.rdtype, finding.turned(turn))
    elif finding.authority is not None:
        authorities = _authority(query, finding.authority, view)
    opt = _opt(query, finding.code)
    if HEADER + len(query.question) + len(answers) + len(authorities) + len(opt) > limit:
        return without_data(query, finding.code, asker, dns.flags.AA | dns.flags.TC)
    counts = (1, len(finding.addresses), 1 if authorities else 0, 1 if opt else 0)
    head = _HEAD.pack(_flags(query, finding.code, asker) | dns.flags.AA, *counts)
    return b"".join((query.id, head, query.question, answers, authorities, opt))


def without_data(query: Query, code: Rcode, asker: Asker, flags: int = 0) -> bytes:
    """An answer that says nothing but a code, and flags."""
    opt = _opt(query, code)
    head = _HEAD.pack(_flags(query, code, asker) | flags, 1, 0, 0, 1 if opt else 0)
    return query.id + head + query.question + opt


def header_alone(wire: bytes, code: Rcode) -> bytes:
    """The answer to what cannot be read, or is no question: a header with a code."""
    first = 0x80 | wire[2] & 0x79  # it is a response; opcode and RD are the asker's
    return wire[:2] + bytes((first, code)) + bytes(HEADER - 4)


@functools.lru_cache(maxsize=8)
def opt(code: int, *, dnssec: bool) -> bytes:
    """An OPT record without options. Source: RFC 6891 section 6.1.2."""
    flags = dns.flags.DO if dnssec else 0
    return _OPT.pack(0, dns.rdatatype.OPT, OWN_PAYLOAD, code >> 4, 0, flags, 0)


def _opt(query: Query, code: Rcode) -> bytes:
    return b"" if query.options is None else opt(code, dnssec=query.options.dnssec)


def _flags(query: Query, code: Rcode, asker: Asker) -> int:
    flags = int(dns.flags.QR) | code & 0xF
    if query.recursion:
        flags |= dns.flags.RD
    if asker.network != HOST:
        flags |= dns.flags.RA  # in a VPC all other names are asked for upstream
    return flags


def _addresses(rdtype: int, addresses: tuple[str, ...]) -> bytes:
    """The records of addresses of one family."""
    family, size = (IPv4Address, 4) if rdtype == dns.rdatatype.A else (IPv6Address, 16)
    head = _RECORD.pack(_TO_QUESTION, rdtype, dns.rdataclass.IN, TTL, size)
    return b"".join([head + family(address).packed for address in addresses])


def _authority(query: Query, owner: str, view: View) -> bytes:
    """The SOA: of our domain, which ends the question, or of the very name that was asked for."""
    domain = _wire_name(view.domain)
    end = HEADER + len(query.question)
    if owner:
        at = end - _TYPE_AND_CLASS - len(domain)
        to_owner, spelt = _POINTER | at, (_POINTER | at).to_bytes(2, "big")
    else:
        at = end + _RECORD.size + len(_SERVER)
        to_owner, spelt = _TO_QUESTION, domain
    names = _SERVER + spelt + _CONTACT + (_POINTER | at).to_bytes(2, "big")
    numbers = _NUMBERS.pack(view.revision & 0xFFFFFFFF, *SOA_TIMES, TTL)
    size = len(names) + len(numbers)
    head = _RECORD.pack(to_owner, dns.rdatatype.SOA, dns.rdataclass.IN, TTL, size)
    return head + names + numbers


@functools.lru_cache(maxsize=8)
def _wire_name(name: str) -> bytes:
    wire = dns.name.from_text(name).to_wire()
    assert wire is not None
    return wire


def _by_dnspython(query: Query, finding: Finding, view: View, asker: Asker, limit: int) -> bytes:
    response = dns.message.QueryMessage(id=int.from_bytes(query.id, "big"))
    response.flags = dns.flags.Flag(_flags(query, finding.code, asker))
    name = dns.name.Name(query.labels())
    rdtype = dns.rdatatype.RdataType.make(query.rdtype)
    response.question.append(dns.rrset.RRset(name, dns.rdataclass.IN, rdtype))
    if query.options is not None:
        flags = dns.flags.DO if query.options.dnssec else 0
        response.use_edns(0, flags, OWN_PAYLOAD)
    fill(response, finding, view, 0)
    return response.to_wire(max_size=limit, prefer_truncation=True, want_shuffle=False)
