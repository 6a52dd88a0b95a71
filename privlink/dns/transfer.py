"""Transfers of our zone to other name servers (AXFR, RFC 5936; IXFR, RFC 1995), by TCP and signed.

Who may: whoever has the key of a name server that is not pushed to. Whoever asks for what changed
is given the whole zone, which RFC 1995 section 4 permits, or told that nothing did.

Pure. A transfer is a sequence of messages, and whoever sends them may do other things between two:
each is made when it is asked for, and small enough to be made in a millisecond or two. All of them
are of the one view that it began with.
"""

from __future__ import annotations

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

from privlink.dns import records, signed
from privlink.dns.signed import Signed
from privlink.dns.view import View

_RECORDS: Final = 100  # of a message
_KINDS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)

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
    for message in _messages(request, _zone(request, view)):
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


def _zone(request: dns.message.Message, view: View) -> Iterator[_Owned]:
    """What is transferred, in its order: the SOA record first and last."""
    domain = dns.name.from_text(view.domain)
    soa, ns = records.apex(view)
    yield domain, soa
    if request.question[0].rdtype == dns.rdatatype.IXFR and _held(request) == soa[0].serial:
        return  # RFC 1995 section 2: it has what there is
    yield domain, ns
    yield from records.of_name_server(view)
    for endpoint in view.endpoints():
        for name, addresses in records.of_endpoint(endpoint, view):
            owner = dns.name.from_text(name)
            for each in records.rdatasets(addresses):
                yield owner, each
    yield domain, soa


def _messages(request: dns.message.Message, zone: Iterator[_Owned]) -> Iterator[bytes]:
    """Records in messages of a bounded number, of which the first has the question."""
    flags = dns.flags.QR | dns.flags.AA | (request.flags & dns.flags.RD)
    asked = request.question[0]
    renderer: dns.renderer.Renderer | None = None
    held, first = 0, True
    for owner, rdataset in zone:
        if renderer is None:
            renderer = dns.renderer.Renderer(request.id, flags)
            if first:
                renderer.add_question(asked.name, asked.rdtype, asked.rdclass)
            held, first = 0, False
        renderer.add_rdataset(dns.renderer.ANSWER, owner, rdataset)
        held += len(rdataset)
        if held >= _RECORDS:
            yield _written(renderer)
            renderer = None
    if renderer is not None:
        yield _written(renderer)


def _written(renderer: dns.renderer.Renderer) -> bytes:
    renderer.write_header()
    return bytes(renderer.get_wire())
