"""The whole of an answer: a datagram or a message of a stream in, and the one that goes back out.

Pure. It knows the protocol, and leaves what a name means to `answer`.
"""

from __future__ import annotations

from typing import Final

import dns.flags
import dns.rdataclass
import dns.rdatatype
import msgspec
from dns.rcode import Rcode

from privlink.dns.answers import query as queries
from privlink.dns.answers.answer import Finding, Reading, find
from privlink.dns.answers.message import header_alone, without_data, written
from privlink.dns.answers.query import Query, Unreadable
from privlink.dns.answers.view import HOST, Asker, View

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
        return header_alone(wire, error.code)
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
        return header_alone(wire, code)
    return without_data(query, code, asker, dns.flags.TC if truncated else 0)


def reply(
    query: Query, reading: Reading, asker: Asker, turn: int, *, stream: bool
) -> tuple[Response, Finding | None]:
    """What is done about a question, and what was found if that is all that decided."""
    code = _refusal(query, asker, stream=stream)
    if code is not None:
        return without_data(query, code, asker), None
    if stream and query.rdtype in _TRANSFERS:
        return Transfer(query.signed), None
    limit, on_host = query.limit(stream=stream), asker.network == HOST
    behind = query.rdtype == dns.rdatatype.IXFR
    asked = dns.rdatatype.SOA if behind else query.rdtype
    finding = find(query.labels(), asked, reading, asker)
    if finding is None:
        return without_data(query, Rcode.REFUSED, asker) if on_host else Elsewhere(limit), None
    if query.signed:
        return Signed(limit) if on_host else without_data(query, Rcode.NOTAUTH, asker), None
    if behind and not finding.rdatas:
        return without_data(query, Rcode.REFUSED, asker), None
    wire = written(query, finding, reading.view, asker, turn, limit)
    return (_behind(wire) if behind else wire), (None if behind else finding)


def _behind(wire: bytes) -> bytes:
    """What is said to IXFR by a datagram: where we are, and to come by a stream for the rest.

    Source: RFC 1995 sections 2 and 4.
    """
    return wire[:2] + bytes((wire[2] | dns.flags.TC >> 8,)) + wire[3:]


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
