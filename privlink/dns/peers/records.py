"""The records that other name servers get: those of our domain, and which of them a change touches.

Of an endpoint that is what the host is answered: its domain and those of its zones. What belongs to
one VPC (private names, aliases, reverse names) is in nothing that leaves this installation.

Pure. Names are lower case, without the dot at the end, as in the documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import dns.name
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import msgspec
from dns.rdata import Rdata
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from privlink.dns.answers.answer import TTL, Reading, addresses, find, name_server, soa
from privlink.dns.answers.table import Table
from privlink.dns.answers.view import ON_HOST, View, is_below, is_name
from privlink.model.naming import EndpointNames, Front

_FAMILIES: Final = (dns.rdatatype.A, dns.rdatatype.AAAA)

Addresses = tuple[str, ...]  # IPv4 first


class Records(msgspec.Struct, frozen=True):
    """The addresses of all names that we give out, at one moment."""

    view: View  # which they were made from
    names: Table[str, Addresses]

    @classmethod
    def before(cls, view: View) -> Records:
        """Those of the time before a view, when there were none."""
        return cls(View.empty(view.domain, view.address), Table())

    def following(self, view: View) -> tuple[Records, frozenset[str]]:
        """The records of a later view, and the names whose addresses are others than before."""
        after: dict[str, Addresses | None] = {}
        for key in self._endpoints_touched(view):
            before, now = self.view.documents.get(key), view.documents.get(key)
            if isinstance(before, EndpointNames):
                gone = (before.domain, *(zone.domain for zone in before.zones))
                after |= {name: None for name in gone if name not in after}
            if isinstance(now, EndpointNames):
                after.update(of_endpoint(now, view))
        changed = {name for name, found in after.items() if self.names.get(name) != found}
        names = self.names.edited()
        for name in changed:
            names.put(name, after[name])
        return Records(view, names.done()), frozenset(changed)

    def _endpoints_touched(self, view: View) -> set[str]:
        """The keys of endpoints whose records may be others in a later view."""
        touched, fronts = set(), set()
        for key in view.documents.differing(self.view.documents):
            for document in (self.view.documents.get(key), view.documents.get(key)):
                if isinstance(document, EndpointNames):
                    touched.add(key)
                elif isinstance(document, Front):
                    fronts.add(key)
        if fronts:
            touched |= {
                key
                for key, each in view.documents.items()
                if isinstance(each, EndpointNames)
                and any(zone.front in fronts for zone in each.zones)
            }
        return touched


def of_endpoint(endpoint: EndpointNames, view: View) -> Iterator[tuple[str, Addresses]]:
    """The names of an endpoint below our domain, and the addresses that the host is answered."""
    found = tuple(
        address
        for family in (4, 6)
        for address in sorted(addresses(endpoint, family, Reading(view), ON_HOST)[0])
    )
    named = [(endpoint.domain, found)]
    named += [
        (zone.domain, tuple(filter(None, (zone.address, zone.address6)))) for zone in endpoint.zones
    ]
    for name, each in named:
        if each and is_below(name, view.domain) and is_name(name):
            yield name, each


def apex(view: View) -> tuple[dns.rdataset.Rdataset, dns.rdataset.Rdataset]:
    """SOA and NS of our domain."""
    return _rdataset([soa(view)]), _rdataset([name_server(view)])


def serial(view: View) -> int:
    """The serial number of our domain (RFC 1982)."""
    return view.revision & 0xFFFFFFFF


def of_name_server(view: View) -> Iterator[tuple[dns.name.Name, dns.rdataset.Rdataset]]:
    """The name of our own name server and its address, if it has one that others may ask."""
    name = dns.name.from_text(f"ns.{view.domain}")
    for family in _FAMILIES:
        found = find(name.labels, family, Reading(view), ON_HOST)
        if found is not None and found.rdatas:
            yield name, _rdataset(list(found.rdatas))


def rdatasets(found: Addresses) -> tuple[dns.rdataset.Rdataset, ...]:
    """Addresses as A and AAAA records, those that there are."""
    v4: list[Rdata] = [
        A(dns.rdataclass.IN, dns.rdatatype.A, each) for each in found if ":" not in each
    ]
    v6: list[Rdata] = [
        AAAA(dns.rdataclass.IN, dns.rdatatype.AAAA, each) for each in found if ":" in each
    ]
    return tuple(_rdataset(each) for each in (v4, v6) if each)


def _rdataset(rdatas: list[Rdata]) -> dns.rdataset.Rdataset:
    return dns.rdataset.from_rdata_list(TTL, rdatas)
