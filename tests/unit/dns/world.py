"""A small world of endpoints for the tests of names, and how to ask in it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from ipaddress import ip_address

import dns.message
import dns.rcode
import dns.rdatatype
from hypothesis import strategies as st

from privlink.dns.answers.respond import Response, respond
from privlink.dns.answers.view import ON_HOST, Asker, View
from privlink.model.naming import (
    Alias,
    AnyDocument,
    EndpointNames,
    Front,
    Place,
    ZoneNames,
)

DOMAIN = "privlink.internal"
HOST_ADDRESS = "127.0.0.1"
NEAR, NEAR_B, FAR = Asker(1, "a"), Asker(1, "b"), Asker(2, "a")  # two VPCs
ASKERS = (ON_HOST, NEAR, NEAR_B, FAR)

Documents = dict[str, AnyDocument]


def endpoint(
    name: str = "ep",
    *,
    network: int = 1,
    order: int = 1,
    service: str = "svc",
    zones: str = "ab",
    net: int = 1,
    six: str = "",
    affinity: bool = False,
    private: tuple[str, ...] = (),
    aliases: tuple[Alias, ...] = (),
) -> EndpointNames:
    """An endpoint; in zone a of net 1 its address is 10.0.1.1, and its source 100.64.1.1."""
    below = f"{service}.north.{DOMAIN}"
    return EndpointNames(
        endpoint=name,
        network=network,
        order=order,
        domain=f"{name}.{below}",
        service_domain=below,
        zones=tuple(
            ZoneNames(
                zone=zone,
                domain=f"{name}-{zone}.{below}",
                address=f"10.0.{net}.{ord(zone) - 96}",
                address6=f"fd00:{net}::{ord(zone) - 96}" if zone in six else "",
                front=f"front/{service}/{zone}",
                provider=9,
                source=f"100.64.{net}.{ord(zone) - 96}",
                source6=f"fd64:{net}::{ord(zone) - 96}" if zone in six else "",
            )
            for zone in zones
        ),
        affinity=affinity,
        private=private,
        aliases=aliases,
    )


def fronts(service: str = "svc", well: str = "abc", ill: str = "") -> Documents:
    """Load balancers of a service in zones, and how they are."""
    return {f"front/{service}/{zone}": Front(zone in well) for zone in well + ill}


def keyed(*endpoints: EndpointNames) -> Documents:
    """Endpoints under their keys."""
    return {f"names/{each.endpoint}": each for each in endpoints}


def view_of(documents: Mapping[str, AnyDocument | None], revision: int = 7) -> View:
    """A view of these documents and no others."""
    return View.empty(DOMAIN, HOST_ADDRESS).changed(documents, revision)


def question(
    name: str, rdtype: str = "A", *, payload: int = 0, dnssec: bool = False
) -> dns.message.QueryMessage:
    """A question, with EDNS if a payload is given."""
    edns = 0 if payload or dnssec else -1
    return dns.message.make_query(
        name, rdtype, use_edns=edns, payload=payload or 1232, want_dnssec=dnssec
    )


def ask(
    view: View,
    name: str,
    rdtype: str = "A",
    asker: Asker = ON_HOST,
    *,
    turn: int = 0,
    payload: int = 0,
    dnssec: bool = False,
    stream: bool = False,
) -> dns.message.Message:
    """The answer to a question that has one."""
    wire = question(name, rdtype, payload=payload, dnssec=dnssec).to_wire()
    return parsed(respond(wire, view, asker, turn, stream=stream))


def parsed(response: Response) -> dns.message.Message:
    """An answer as dnspython reads it, which has to be able to."""
    assert isinstance(response, bytes), response
    return dns.message.from_wire(response)


def data(message: dns.message.Message) -> list[str]:
    """The data of an answer's records, in their order."""
    return [rdata.to_text() for rrset in message.answer for rdata in rrset]


def negative(message: dns.message.Message) -> str:
    """The code of an answer without data, and whose SOA says so."""
    assert not message.answer
    (rrset,) = message.authority
    assert rrset.rdtype == dns.rdatatype.SOA
    return f"{dns.rcode.to_text(message.rcode())} {rrset.name.to_text(True)}"


# What random worlds are made of: few things, so that they meet.

CHOSEN = ("db.v.example", "*.v.example", "*.x.v.example", "a.x.v.example", "v.example", "me")
HOSTILE = (DOMAIN, f"db.{DOMAIN}", "*.internal", f"ep0.svc.north.{DOMAIN}", "1.1.0.10.in-addr.arpa")
TYPES = ("A", "AAAA", "PTR", "SOA", "NS", "TXT", "HTTPS", "ANY", "CNAME", "AXFR", "IXFR", "TYPE999")


@st.composite
def endpoints(draw: st.DrawFn, number: int) -> EndpointNames:
    """An endpoint with this number, whatever else it is."""
    names = st.lists(st.sampled_from(CHOSEN + HOSTILE), max_size=3).map(tuple)
    aliased = st.builds(
        Alias, name=st.sampled_from(CHOSEN + HOSTILE), zone=st.sampled_from(("", "", "a", "c"))
    )
    return endpoint(
        f"ep{number}",
        network=draw(st.sampled_from((1, 1, 2))),
        order=number,
        service=draw(st.sampled_from(("svc", "other"))),
        zones=draw(st.sampled_from(("", "a", "ab", "abc"))),
        net=draw(st.sampled_from((1, 1, number))),
        six=draw(st.sampled_from(("", "a", "ab"))),
        affinity=draw(st.booleans()),
        private=draw(names),
        aliases=draw(st.lists(aliased, max_size=3).map(tuple)),
    )


@st.composite
def changes(draw: st.DrawFn) -> dict[str, AnyDocument | None]:
    """Some documents that are new, other than before, or gone."""
    found: dict[str, AnyDocument | None] = {}
    for number in draw(st.sets(st.integers(0, 4))):
        found[f"names/ep{number}"] = draw(st.none() | endpoints(number))
    for service in ("svc", "other"):
        for zone in draw(st.sets(st.sampled_from("abc"))):
            found[f"front/{service}/{zone}"] = draw(st.none() | st.builds(Front, st.booleans()))
    for number in draw(st.sets(st.integers(1, 3))):
        place = st.builds(Place, st.just(number), st.integers(1, 2), st.sampled_from("ab"))
        found[f"place/{number}"] = draw(st.none() | place)
    return found


def worlds() -> st.SearchStrategy[Documents]:
    """Any documents."""
    return changes().map(
        lambda found: {key: value for key, value in found.items() if value is not None}
    )


def names() -> st.SearchStrategy[str]:
    """Names that there may be, and their neighbours."""
    below = [f"{service}.north.{DOMAIN}" for service in ("svc", "other")]
    known = [DOMAIN, f"ns.{DOMAIN}", f"north.{DOMAIN}", "internal", "example", "x.v.example"]
    known += [*below, *CHOSEN, *HOSTILE, "deep.a.x.v.example", "y.x.v.example", "z.v.example"]
    known += [
        f"ep{n}{zone}.{each}" for n in range(4) for zone in ("", "-a", "-b") for each in below
    ]
    known += [f"{last}.{net}.0.10.in-addr.arpa" for last in (1, 2) for net in (1, 2)]
    known += [f"{last}.{net}.64.100.in-addr.arpa" for last in (1, 2) for net in (1, 2)]
    known += [ip_address(f"fd00:1::{last}").reverse_pointer for last in (1, 2)]
    return st.sampled_from(known) | st.builds(
        "{}.{}".format,
        st.sampled_from(("w", "*", "a\\.b", "\\000", "xn--a")),
        st.sampled_from(known),
    )


def in_any_case(wire: bytes, seed: int) -> bytes:
    """A query whose name is written in some case: 0x20."""
    rng = random.Random(seed)
    end = wire.index(0, 12)
    name = bytes(rng.choice((each, ord(chr(each).swapcase()))) if chr(each).isalpha() and each < 128
                 else each for each in wire[12:end])  # fmt: skip
    return wire[:12] + name + wire[end:]
