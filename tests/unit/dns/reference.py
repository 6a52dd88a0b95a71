"""The rules of names read plainly: all documents are looked through for every question."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

import dns.name
import dns.rcode

from privlink.dns.answers.view import Asker
from privlink.model.naming import EndpointNames, Front, ZoneNames
from tests.unit.dns.world import DOMAIN, HOST_ADDRESS, Documents


class Expected(NamedTuple):
    """What an answer says."""

    code: dns.rcode.Rcode
    data: list[str]
    authority: str  # whose SOA it is that says that there is nothing


def expected(
    documents: Documents, asked: dns.name.Name, rdtype: str, asker: Asker, turn: int
) -> Expected | None:
    """What is answered to a question; None if it is not ours to answer."""
    there = [each for each in documents.values() if isinstance(each, EndpointNames) and each.zones]
    there.sort(key=lambda each: each.order)
    own = dns.name.from_text(DOMAIN)

    def is_(text: str) -> bool:
        return dns.name.from_text(text) == asked

    def found(data: list[str], authority: str) -> Expected:
        if rdtype == "ANY":
            data = ['"RFC8482" ""']
        return Expected(dns.rcode.NOERROR, data, authority)

    def whole(each: EndpointNames, authority: str) -> Expected:
        return found(addresses(documents, each, rdtype, asker, turn), authority)

    def zone(which: ZoneNames, authority: str) -> Expected:
        return found([address for address in [of_type(which, rdtype)] if address], authority)

    if asked.is_subdomain(own):
        if asked == own:
            soa = f"ns.{DOMAIN}. hostmaster.{DOMAIN}. 7 60 10 604800 5"
            return found({"SOA": [soa], "NS": [f"ns.{DOMAIN}."]}.get(rdtype, []), DOMAIN)
        if is_(f"ns.{DOMAIN}"):
            ours = HOST_ADDRESS if asker.network == 0 else "100.100.2.136"
            return found([ours] if rdtype == "A" else [], DOMAIN)
        for each in there:
            if is_(each.domain):
                return whole(each, DOMAIN)
            for which in each.zones:
                if is_(which.domain):
                    return zone(which, DOMAIN)
        for each in there:
            if is_(each.service_domain) and each.network == asker.network:
                return whole(each, DOMAIN)
        exist = [each.domain for each in there] + [each.service_domain for each in there]
        exist += [which.domain for each in there for which in each.zones]
        if any(dns.name.from_text(name).is_subdomain(asked) for name in exist):
            return Expected(dns.rcode.NOERROR, [], DOMAIN)
        return Expected(dns.rcode.NXDOMAIN, [], DOMAIN)

    self = asked.to_text(True).lower()
    holders = sorted(
        {
            f"{which.domain}."
            for each in there
            for which in each.zones
            for network, address in (
                (each.network, which.address),
                (each.network, which.address6),
                (which.provider, which.source),
                (which.provider, which.source6),
            )
            if address and is_(ip_address(address).reverse_pointer)
            if asker.network in (0, network)
        }
    )
    if holders:
        return found(holders if rdtype == "PTR" else [], self)
    if asker.network == 0:
        return None

    mine = [each for each in there if each.network == asker.network]
    words = [dns.name.Name((b"*", *asked.labels[at:])) for at in range(1, len(asked.labels) - 1)]
    for word in (asked, *words):
        for each in mine:
            connected = {which.zone: which for which in each.zones}
            for alias in sorted(each.aliases, key=lambda alias: alias.zone):
                if dns.name.from_text(alias.name) == word and not own_name(alias.name):
                    if not alias.zone:
                        return whole(each, self)
                    if alias.zone in connected:
                        return zone(connected[alias.zone], self)
        for each in mine:
            if any(dns.name.from_text(n) == word and not own_name(n) for n in each.private):
                return whole(each, self)
    return None


def own_name(name: str) -> bool:
    """Whether it is our domain or a name below it."""
    return dns.name.from_text(name).is_subdomain(dns.name.from_text(DOMAIN))


def of_type(zone: ZoneNames, rdtype: str) -> str:
    return {"A": zone.address, "AAAA": zone.address6}.get(rdtype, "")


def addresses(
    documents: Documents, endpoint: EndpointNames, rdtype: str, asker: Asker, turn: int
) -> list[str]:
    """The addresses of an endpoint, in the order they are answered."""
    having = [zone for zone in endpoint.zones if of_type(zone, rdtype)]
    well = [zone for zone in having if documents.get(zone.front) == Front(True)]
    near = [zone for zone in well if zone.zone == asker.zone]
    if endpoint.affinity and asker.network == endpoint.network and near:
        return [of_type(z, rdtype) for z in near + [z for z in well if z not in near]]
    left = [of_type(zone, rdtype) for zone in well or having]
    return left[turn % len(left) :] + left[: turn % len(left)] if left else []
