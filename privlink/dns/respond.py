"""The whole of an answer: a datagram or a message of a stream in, and the one that goes back out.

Pure. It knows the protocol, and leaves what a name means to `answer`.
"""

from __future__ import annotations

from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import msgspec
from dns.rcode import Rcode

from privlink.dns import query as queries
from privlink.dns.answer import Finding, Reading, fill, find
from privlink.dns.query import OWN_PAYLOAD, Query, Unreadable
from privlink.dns.view import HOST, Asker, View

_TRANSFERS: Final = frozenset((dns.rdatatype.AXFR, dns.rdatatype.IXFR))
_NO_DATA: Final = frozenset((0, int(dns.rdatatype.OPT), *range(128, 255))) - _TRANSFERS


class Elsewhere(msgspec.Struct, frozen=True):
    """The question is not ours: whoever is upstream may know."""

    limit: int  # bytes that the asker takes at most


class Transfer(msgspec.Struct, frozen=True):
    """Somebody on the host asks for our whole domain, or what has changed in it, by a stream."""

    signed: bool


class Signed(msgspec.Struct, frozen=True):
    """A question of ours with a signature: whoever has the keys verifies it, and signs."""

    limit: int


Response = bytes | Elsewhere | Transfer | Signed | None


def respond(wire: bytes, view: View, asker: Asker, turn: int, *, stream: bool) -> Response:
    """What is done about a message; None: nothing, it is not to be answered at all."""
    try:
        query = queries.read(wire)
    except Unreadable as error:
        return _bare(wire, error.code)
    if query is None:
        return None
    return reply(query, Reading(view), asker, turn, stream=stream)[0]


def rejected(wire: bytes, code: Rcode, asker: Asker, *, truncated: bool = False) -> bytes:
    """The answer to a question that says nothing but a code or, cut short, to ask by a stream."""
    try:
        query = queries.read(wire)
    except Unreadable:
        query = None
    if query is None:
        return _bare(wire, code)
    response = _begun(query, asker)
    response.set_rcode(code)
    if truncated:
        response.flags |= dns.flags.TC
    return response.to_wire()


def reply(
    query: Query, reading: Reading, asker: Asker, turn: int, *, stream: bool
) -> tuple[Response, Finding | None]:
    """What is done about a question, and what was found if that is all that decided."""
    limit = query.limit(stream=stream)
    code = _refusal(query, asker, stream=stream)
    if code is not None:
        return _encoded(query, code, asker, limit), None
    if stream and query.rdtype in _TRANSFERS:
        return Transfer(query.signed), None
    behind = query.rdtype == dns.rdatatype.IXFR
    asked = dns.rdatatype.SOA if behind else query.rdtype
    finding = find(query.labels(), asked, reading, asker)
    if finding is None:
        elsewhere = Elsewhere(limit)
        refused = asker.network == HOST
        return (_encoded(query, Rcode.REFUSED, asker, limit) if refused else elsewhere), None
    if query.signed:
        trusted = asker.network == HOST
        return (Signed(limit) if trusted else _encoded(query, Rcode.NOTAUTH, asker, limit)), None
    if behind:
        return _behind(query, finding, reading.view, asker), None
    return encoded(query, finding, reading.view, asker, turn, limit), finding


def encoded(
    query: Query, finding: Finding, view: View, asker: Asker, turn: int, limit: int
) -> bytes:
    """What is known of a question as bytes, which are not more than the limit."""
    response = _begun(query, asker)
    fill(response, finding, view, turn)
    return response.to_wire(max_size=limit, prefer_truncation=True, want_shuffle=False)


def _refusal(query: Query, asker: Asker, *, stream: bool) -> Rcode | None:
    """Why a question is not even looked at, whatever its name is."""
    if query.options is not None and query.options.version != 0:
        return Rcode.BADVERS
    if query.rdclass != dns.rdataclass.IN:
        return Rcode.REFUSED
    if query.rdtype in _NO_DATA:
        return Rcode.NOTIMP
    # A VPC has nothing to transfer to. RFC 5936 leaves open what AXFR by UDP is.
    if query.rdtype in _TRANSFERS and asker.network != HOST:
        return Rcode.REFUSED
    if query.rdtype == dns.rdatatype.AXFR and not stream:
        return Rcode.REFUSED
    return None


def _behind(query: Query, finding: Finding, view: View, asker: Asker) -> bytes:
    """What is said to IXFR by a datagram: where we are, and to come by a stream for the rest.

    Source: RFC 1995 sections 2 and 4.
    """
    response = _begun(query, asker)
    if not finding.rdatas:
        response.set_rcode(Rcode.REFUSED)
        return response.to_wire()
    fill(response, finding, view, 0)
    response.flags |= dns.flags.TC
    return response.to_wire()


def _encoded(query: Query, code: Rcode, asker: Asker, limit: int) -> bytes:
    response = _begun(query, asker)
    response.set_rcode(code)
    return response.to_wire(max_size=limit, prefer_truncation=True)


def _begun(query: Query, asker: Asker) -> dns.message.QueryMessage:
    """A response that has the question as it was written, and nothing else yet."""
    response = dns.message.QueryMessage(id=int.from_bytes(query.id, "big"))
    response.flags = dns.flags.QR
    if query.recursion:
        response.flags |= dns.flags.RD
    if asker.network != HOST:
        response.flags |= dns.flags.RA  # in a VPC all other names are asked for upstream
    name = dns.name.Name(query.labels())
    rdtype = dns.rdatatype.RdataType.make(query.rdtype)
    rdclass = dns.rdataclass.RdataClass.make(query.rdclass)
    response.question.append(dns.rrset.RRset(name, rdclass, rdtype))
    if query.options is not None:
        flags = dns.flags.DO if query.options.dnssec else 0
        response.use_edns(0, flags, OWN_PAYLOAD)
    return response


def _bare(wire: bytes, code: Rcode) -> bytes:
    """The header alone, with a code: for what cannot be read, or is not a question."""
    first = 0x80 | wire[2] & 0x79  # it is a response; opcode and RD are the asker's
    return wire[:2] + bytes((first, code)) + bytes(queries.HEADER - 4)
