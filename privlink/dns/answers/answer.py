"""What is answered to a question, and to whom: the rules of names.

Pure: a view, a question and an asker in, what is known of it out. It knows nothing of bytes, sizes
or how a question came.

A name of our own domain is answered to everybody, one that was chosen only in its VPC; a name there
that nobody has claimed is somebody else's to answer. Sources: RFC 1034 section 4.3.2, RFC 2308 for
negative answers, RFC 4592 for wildcards, RFC 8020 for names between others, RFC 8482 for ANY.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import msgspec
from dns.rcode import Rcode
from dns.rdata import Rdata
from dns.rdtypes.ANY.HINFO import HINFO
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from privlink.dns.answers.query import OWN_PAYLOAD
from privlink.dns.answers.view import HOST, Asker, Claim, View, is_below
from privlink.model.naming import RESOLVER_ADDRESS, EndpointNames, ZoneNames

TTL: Final = 5  # seconds; a zone that is not well any more is asked for no longer
SOA_TIMES: Final = (60, 10, 604800)  # seconds: refresh, retry, expire, for who transfers it
MOST_HOLDERS: Final = 100  # of one address that a PTR answer names

_FAMILIES: Final = {int(dns.rdatatype.A): 4, int(dns.rdatatype.AAAA): 6}
_KINDS: Final[Mapping[int, Callable[..., Rdata]]] = {
    dns.rdatatype.A: A,
    dns.rdatatype.AAAA: AAAA,
    dns.rdatatype.HINFO: HINFO,
    dns.rdatatype.NS: NS,
    dns.rdatatype.PTR: PTR,
    dns.rdatatype.SOA: SOA,
}


class Finding(msgspec.Struct, frozen=True):
    """What is known of a question: addresses, or other data, or who says that there are none."""

    code: Rcode = Rcode.NOERROR
    addresses: tuple[str, ...] = ()  # of the type that was asked for
    rotates: bool = False  # which of them comes first changes from one time to the next
    rdatas: tuple[Rdata, ...] = ()
    authority: str | None = None  # the name whose SOA it is; empty: the very one asked for
    lasts: bool = False  # as long as all that was read is the same, so is this

    @property
    def turns(self) -> int:
        """After how many times it is the same again."""
        return len(self.addresses) if self.rotates else 1

    def turned(self, turn: int) -> tuple[str, ...]:
        """The addresses, in the order of this time."""
        first = turn % self.turns
        return self.addresses[first:] + self.addresses[:first]


class Reading:
    """A view that is read, and all that was read of it to find an answer."""

    __slots__ = ("facts", "view")

    def __init__(self, view: View) -> None:
        self.view = view
        self.facts: list[tuple[str, object, object]] = []

    def claims(self, network: int, name: str) -> tuple[Claim, ...]:
        """Who claims a name in a network."""
        key = (network, name)
        claims = self.view.claims.get(key)
        self.facts.append(("claims", key, claims))
        return claims or ()

    def holders(self, network: int, address: str) -> tuple[str, ...]:
        """Whose an address in a network is."""
        key = (network, address)
        holders = self.view.holders.get(key)
        self.facts.append(("holders", key, holders))
        return holders or ()

    def endpoint(self, claim: Claim) -> EndpointNames:
        """Whose claim it is."""
        document = self.view.documents.get(claim.key)
        assert isinstance(document, EndpointNames)
        self.facts.append(("documents", claim.key, document))
        return document

    def well(self, zone: ZoneNames) -> bool:
        """Whether somebody answers in a zone."""
        if zone.front:
            self.facts.append(("documents", zone.front, self.view.documents.get(zone.front)))
        return self.view.well(zone)


def answer(
    query: dns.message.Message, view: View, asker: Asker, turn: int
) -> dns.message.Message | None:
    """The answer to a message with one question of class IN; None if that is not ours to answer.

    `turn` says which address comes first where several take turns.
    """
    question = query.question[0]
    finding = find(question.name.labels, question.rdtype, Reading(view), asker)
    if finding is None:
        return None
    response = dns.message.make_response(
        query, recursion_available=asker.network != HOST, our_payload=OWN_PAYLOAD, pad=0
    )
    response.ednsflags |= query.ednsflags & dns.flags.DO
    fill(response, finding, view, turn)
    return response


def fill(response: dns.message.Message, finding: Finding, view: View, turn: int) -> None:
    """Put what is known of a question into the response to it."""
    question = response.question[0]
    response.set_rcode(finding.code)
    response.flags |= dns.flags.AA
    addresses = finding.turned(turn) if finding.addresses else ()
    rdatas = [*finding.rdatas, *(_rdata(question.rdtype, address) for address in addresses)]
    if rdatas:
        response.answer.append(dns.rrset.from_rdata_list(question.name, TTL, rdatas))
    if finding.authority is not None:
        owner = _name(finding.authority) if finding.authority else question.name
        response.authority.append(dns.rrset.from_rdata(owner, TTL, soa(view)))


def find(labels: tuple[bytes, ...], rdtype: int, reading: Reading, asker: Asker) -> Finding | None:
    """What is known of a question; None if it is not ours to answer."""
    parts = [_spelt(label) for label in labels[:-1]]
    name, domain = ".".join(parts), reading.view.domain
    if name == domain or is_below(name, domain):
        return _find_own(name, rdtype, reading, asker)
    if parts[-1:] == ["arpa"] and (found := _find_holders(parts, rdtype, reading, asker)):
        return found
    if asker.network == HOST:
        return None
    return _find_chosen(name, parts, rdtype, reading, asker)


def soa(view: View) -> Rdata:
    """The start of authority: one for our domain and for all names that we answer for."""
    domain, serial = view.domain, view.revision & 0xFFFFFFFF
    server, contact = _name(f"ns.{domain}"), _name(f"hostmaster.{domain}")
    return _rdata(dns.rdatatype.SOA, server, contact, serial, *SOA_TIMES, TTL)


def name_server(view: View) -> Rdata:
    """The name server of our domain, as all are told."""
    return _rdata(dns.rdatatype.NS, _name(f"ns.{view.domain}"))


def addresses(
    endpoint: EndpointNames, family: int, reading: Reading, asker: Asker
) -> tuple[tuple[str, ...], bool]:
    """The addresses of an endpoint in a family, 4 or 6, and whether they take turns.

    They are those of the zones that are well or, if none is, of all: there may be no answer because
    there is no address, but never because of health.
    """
    zones = [zone for zone in endpoint.zones if _address(zone, family)]
    well = [zone for zone in zones if reading.well(zone)]
    if endpoint.affinity and asker.network == endpoint.network:
        near = [zone for zone in well if zone.zone == asker.zone]
        if near:
            others = (zone for zone in well if zone not in near)
            return tuple(_address(zone, family) for zone in (*near, *others)), False
    return tuple(_address(zone, family) for zone in well or zones), True


def _find_own(name: str, rdtype: int, reading: Reading, asker: Asker) -> Finding:
    """What is known of our domain, or of a name below it."""
    view = reading.view
    nothing = Finding(authority=view.domain, lasts=True)
    if name == view.domain:
        apex: dict[int, Rdata] = {dns.rdatatype.SOA: soa(view), dns.rdatatype.NS: name_server(view)}
        return _found(rdtype, [apex[rdtype]] if rdtype in apex else [], nothing)
    if name == f"ns.{view.domain}":
        address = view.address if asker.network == HOST else RESOLVER_ADDRESS
        return _found(rdtype, _server_rdatas(rdtype, address), nothing)
    claims = reading.claims(HOST, name) or reading.claims(asker.network, name)
    if claims:
        return _find_claimed(claims[0], rdtype, reading, asker, view.domain)
    if name in view.below:
        return Finding(authority=view.domain)
    return Finding(Rcode.NXDOMAIN, authority=view.domain)


def _find_chosen(
    name: str, parts: list[str], rdtype: int, reading: Reading, asker: Asker
) -> Finding | None:
    """What is known of a name that somebody chose in the asker's VPC.

    One that is claimed itself goes before wildcards, and of those the one closest to it.
    """
    claims = reading.claims(asker.network, name)
    if claims:
        return _find_claimed(claims[0], rdtype, reading, asker, "")
    above = ""
    for part in reversed(parts[1:]):
        above = f"{part}.{above}" if above else part
        claims = reading.view.claims.get((asker.network, f"*.{above}")) or claims
    if not claims:
        return None
    found = _find_claimed(claims[0], rdtype, reading, asker, "")
    # Names without end are below a wildcard: an answer for each is not worth keeping.
    return msgspec.structs.replace(found, lasts=False)


def _find_claimed(
    claim: Claim, rdtype: int, reading: Reading, asker: Asker, authority: str
) -> Finding:
    """What is known of a name that this claim has."""
    endpoint = reading.endpoint(claim)
    nothing = Finding(authority=authority, lasts=True)
    family = _FAMILIES.get(rdtype)
    if family is None:
        return _found(rdtype, [], nothing)
    if claim.zone:
        zones = (zone for zone in endpoint.zones if zone.zone == claim.zone)
        found: tuple[str, ...] = tuple(filter(None, (_address(zone, family) for zone in zones)))
        rotates = False
    else:
        found, rotates = addresses(endpoint, family, reading, asker)
    return Finding(addresses=found, rotates=rotates, lasts=True) if found else nothing


def _find_holders(parts: list[str], rdtype: int, reading: Reading, asker: Asker) -> Finding | None:
    """What is known of a name that is an address, written in reverse; None if nothing is."""
    address = _reversed_address(parts)
    holders = reading.holders(asker.network, address) if address else ()
    if not holders:
        return None
    names = tuple(dict.fromkeys(holders))[:MOST_HOLDERS]
    pointers: list[Rdata] = []
    if rdtype == dns.rdatatype.PTR:
        pointers = [_rdata(dns.rdatatype.PTR, _name(name)) for name in names]
    return _found(rdtype, pointers, Finding(authority="", lasts=True))


def _found(rdtype: int, rdatas: list[Rdata], nothing: Finding) -> Finding:
    """What is known of a name that exists: what it has of a type, or that there is nothing."""
    if rdtype == dns.rdatatype.ANY:
        return Finding(rdatas=(_rdata(dns.rdatatype.HINFO, "RFC8482", ""),), lasts=True)
    return Finding(rdatas=tuple(rdatas), lasts=True) if rdatas else nothing


def _address(zone: ZoneNames, family: int) -> str:
    return zone.address if family == 4 else zone.address6


def _server_rdatas(rdtype: int, address: str) -> list[Rdata]:
    """Our own address, if it is of the type that was asked for, and one that can be called."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return []
    if given.is_unspecified or _FAMILIES.get(rdtype) != given.version:
        return []
    return [_rdata(rdtype, address)]


def _reversed_address(parts: list[str]) -> str:
    """The address that a name below in-addr.arpa or ip6.arpa is; empty if it is none.

    Sources: RFC 1035 section 3.5, RFC 3596 section 2.5.
    """
    if parts[-2:] == ["in-addr", "arpa"] and len(parts) == 6:
        address = ".".join(reversed(parts[:4]))
    elif parts[-2:] == ["ip6", "arpa"] and len(parts) == 34:
        nibbles = "".join(reversed(parts[:32]))
        address = ":".join(nibbles[at : at + 4] for at in range(0, 32, 4))
    else:
        return ""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def _spelt(label: bytes) -> str:
    """A label in its one spelling. No dot that is inside of it can be one between two."""
    text = label.lower().decode("latin-1")
    if "." in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace(".", "\\.")
    return text


@functools.lru_cache(maxsize=4096)
def _name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


def _rdata(rdtype: int, *fields: str | int | dns.name.Name) -> Rdata:
    return _KINDS[rdtype](dns.rdataclass.IN, rdtype, *fields)
