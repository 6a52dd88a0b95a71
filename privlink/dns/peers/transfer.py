"""Transfers of our zone to other name servers (AXFR, RFC 5936; IXFR, RFC 1995), by TCP and signed.

Who may: whoever has the key of a name server that is not pushed to. Whoever asks for what changed
is given the whole zone, which RFC 1995 section 4 permits, or told that nothing did.

Pure. A transfer is a sequence of messages, and whoever sends them may do other things between two:
each is made when it is asked for, and small enough to be made in a millisecond or two. All of them
are of the one view that it began with.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.renderer
import dns.rrset
from dns.rdtypes.ANY.SOA import SOA

from privlink.dns.answers.answer import TTL
from privlink.dns.answers.view import View
from privlink.dns.peers import records, signed
from privlink.dns.peers.signed import Signed

_RECORDS: Final = 100  # of a message
_KINDS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, length
_POINTER: Final = 0xC000
_POINTER_TO_QUESTION: Final = (_POINTER | _HEADER.size).to_bytes(2, "big")

_Owned = tuple[dns.name.Name, dns.rdataset.Rdataset]


def transfer(wire: bytes, view: View, clock: Callable[[], float]) -> Iterator[bytes]:
    """The messages that answer a request by TCP for our zone; one, if it is refused.

    `clock` tells the seconds since 1970: each message says when it was signed.
    """
    question = signed.opened(wire, view.servers, clock())
    if isinstance(question, bytes):
        yield question
        return
    try:
        request = dns.message.from_wire(wire if question is None else question.wire)
    except (dns.exception.DNSException, ValueError):
        return
    code = _refusal(request, question, view)
    if code != dns.rcode.NOERROR or question is None:
        response = dns.message.make_response(request)
        response.set_rcode(code)
        answer = response.to_wire()
        yield answer if question is None else signed.sealed(answer, question, clock())[0]
        return
    context: Any = None
    for message in _messages(request, question.wire, view):
        answer, context = signed.sealed(message, question, clock(), context, several=True)
        yield answer


def _refusal(request: dns.message.Message, question: Signed | None, view: View) -> dns.rcode.Rcode:
    """Why there is no transfer; NOERROR if there is."""
    if len(request.question) != 1 or request.question[0].rdtype not in _KINDS:
        return dns.rcode.FORMERR
    if question is None:
        return dns.rcode.REFUSED
    asked = request.question[0]
    ours = dns.name.from_text(view.domain)
    if asked.rdclass != dns.rdataclass.IN or asked.name != ours:
        return dns.rcode.NOTAUTH
    server = view.servers.get(question.server)
    if server is None or server.pushes or server.zone != view.domain:
        return dns.rcode.REFUSED
    if asked.rdtype == dns.rdatatype.IXFR and _held(request) is None:
        return dns.rcode.FORMERR
    return dns.rcode.NOERROR


def _held(request: dns.message.Message) -> int | None:
    """The serial of what whoever asks has already; None: it does not say."""
    for each in request.authority:
        if each.rdtype == dns.rdatatype.SOA and isinstance(each[0], SOA):
            return int(each[0].serial)
    return None


def _messages(request: dns.message.Message, wire: bytes, view: View) -> Iterator[bytes]:
    """The transfer, unsigned: what is at the top, all names, and the SOA record again."""
    domain = dns.name.from_text(view.domain)
    soa, ns = records.apex(view)
    head = _Head(request, wire)
    if request.question[0].rdtype == dns.rdatatype.IXFR and _held(request) == soa[0].serial:
        yield head.message([(domain, soa)])  # RFC 1995 section 2: it has what there is
        return
    yield head.message([(domain, soa), (domain, ns), *records.of_name_server(view)])
    message = _Names(head, view.domain)
    for endpoint in view.endpoints():
        for name, addresses in records.of_endpoint(endpoint, view):
            message.add(name, addresses)
        if message.count >= _RECORDS:
            yield message.done()
            message = _Names(head, view.domain)
    if message.count:
        yield message.done()
    yield head.message([(domain, soa)])


class _Head:
    """What each message begins with: the header, and the question as it was written."""

    def __init__(self, request: dns.message.Message, wire: bytes) -> None:
        asked = request.question[0]
        self._request = request
        self._flags = int(dns.flags.QR | dns.flags.AA | (request.flags & dns.flags.RD))
        self.question = wire[_HEADER.size : _HEADER.size + len(asked.name.to_wire() or b"") + 4]

    def of(self, count: int) -> bytes:
        """The beginning of a message with so many records."""
        return _HEADER.pack(self._request.id, self._flags, 1, count, 0, 0) + self.question

    def message(self, owned: list[_Owned]) -> bytes:
        """A message with these records."""
        renderer = dns.renderer.Renderer(self._request.id, self._flags)
        asked = self._request.question[0]
        renderer.add_question(asked.name, asked.rdtype, asked.rdclass)
        for owner, rdataset in owned:
            renderer.add_rdataset(dns.renderer.ANSWER, owner, rdataset)
        renderer.write_header()
        return bytes(renderer.get_wire())


class _Names:
    """A message with names and their addresses.

    It is put together from a few bytes: dnspython would take so long for a hundred records that
    those who ask meanwhile would notice. Each name is its first label, those that it shares with
    others of its service, and a pointer to our domain in the question (RFC 1035 section 4.1.4).
    """

    def __init__(self, head: _Head, domain: str) -> None:
        self.count = 0
        self._head = head
        self._end = f".{domain}"
        self._body = bytearray()
        self._begin = len(head.of(0))
        self._known: dict[str, bytes] = {"": _POINTER_TO_QUESTION}

    def add(self, name: str, addresses: records.Addresses) -> None:
        """One more name, which is below our domain."""
        first, _, rest = name.removesuffix(self._end).partition(".")
        owner = _label(first) + self._spelt(rest, 1 + len(first))
        for address in addresses:
            parsed = ipaddress.ip_address(address)
            kind = dns.rdatatype.A if parsed.version == 4 else dns.rdatatype.AAAA
            packed = parsed.packed
            record = _RECORD.pack(kind, dns.rdataclass.IN, TTL, len(packed))
            self._body += owner + record + packed
            self.count += 1

    def _spelt(self, rest: str, before: int) -> bytes:
        """Labels that come so many bytes after the end of the message: a pointer, from the second
        time on.
        """
        known = self._known.get(rest)
        if known is not None:
            return known
        place = self._begin + len(self._body) + before
        self._known[rest] = (_POINTER | place).to_bytes(2, "big")
        return b"".join(map(_label, rest.split("."))) + _POINTER_TO_QUESTION

    def done(self) -> bytes:
        """The message."""
        return self._head.of(self.count) + bytes(self._body)


def _label(text: str) -> bytes:
    return len(text).to_bytes(1, "big") + text.encode()
