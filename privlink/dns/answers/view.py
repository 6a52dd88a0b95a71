"""What answers are made from: all documents at one moment, found by what is asked.

A view is never changed; the next one shares with it all that is the same. It knows names and who
claims them, but not what a question or a message is.

Every name that is answered is a claim of an endpoint to it. Those that everybody sees, below our
own domain, are claimed in the network HOST; those that one VPC sees, in its own. Names are text in
lower case without the dot at the end.
"""

from __future__ import annotations

import bisect
import contextlib
import enum
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from privlink.dns.answers.table import Edit, Table
from privlink.model.naming import (
    AnyDocument,
    EndpointNames,
    Front,
    NameServer,
    Place,
    ZoneNames,
    asker_address,
)

_LONGEST_NAME: Final = 253  # characters, without the dot at the end
_LONGEST_LABEL: Final = 63

HOST: Final = 0  # the network of whoever asks on the host itself


class Asker(NamedTuple):
    """Who asks: a VPC, and the zone of the vSwitch that the question comes from."""

    network: int
    zone: str


ON_HOST: Final = Asker(HOST, "")


class Rank(enum.IntEnum):
    """Whose word a name is. Of two that claim it the lower has it, whatever their order."""

    OWN = 0  # ours: a name that we give out, below our own domain
    ALIAS = 1  # the consumer's
    PRIVATE = 2  # the provider's


class Claim(msgspec.Struct, frozen=True, order=True, gc=False):
    """An endpoint's claim to a name. The lowest has it."""

    rank: int
    order: int
    key: str  # of the endpoint's document
    zone: str = ""  # the one whose address answers; empty: those of the endpoint


Where = tuple[int, str]  # a network, and a name or an address in it


class View:
    """All documents at one moment. Make one by `empty`, and the next by `changed`."""

    __slots__ = (
        "address",
        "askers",
        "below",
        "claims",
        "documents",
        "domain",
        "holders",
        "origin",
        "revision",
        "servers",
        "token",
    )

    domain: str
    address: str
    revision: int
    documents: Table[str, AnyDocument]
    claims: Table[Where, tuple[Claim, ...]]  # lowest first
    holders: Table[Where, tuple[str, ...]]  # whose an address is, in alphabetical order
    below: Table[str, int]  # of a name of our domain: how many claims are at it and below
    askers: Table[str, Asker]  # by the address that the resolver sees asking
    servers: Mapping[str, NameServer]
    origin: object  # the same for all that came of one empty view
    token: object  # its own: two views with one token are one

    @classmethod
    def empty(cls, domain: str, address: str) -> View:
        """A view without documents, of an installation's domain.

        `address` is the one that the host is asked at, which `ns.<domain>` leads to there.
        """
        view = cls()
        view.domain, view.address = domain, address
        view.revision = 0
        view.documents, view.claims, view.holders = Table(), Table(), Table()
        view.below, view.askers = Table(), Table()
        view.servers = {}
        view.origin = view.token = object()
        return view

    def changed(self, documents: Mapping[str, AnyDocument | None], revision: int) -> View:
        """The view with other documents under some keys, or with None, without them.

        What it costs follows what has changed. A document that equals the one there was stays the
        same object.
        """
        return _change(self, documents, revision)

    def replaced(self, documents: Mapping[str, AnyDocument], revision: int) -> View:
        """The view with these documents and no others."""
        gone = dict.fromkeys(key for key in self.documents if key not in documents)
        return self.changed({**gone, **documents}, revision)

    def asker(self, address: str) -> Asker | None:
        """Who asks from an address inside of the VPCs; None for one that no vSwitch has."""
        return self.askers.get(address)

    def endpoints(self) -> Iterator[EndpointNames]:
        """All endpoints that have names."""
        for _, document in self.documents.items():
            if isinstance(document, EndpointNames) and document.zones:
                yield document

    def well(self, zone: ZoneNames) -> bool:
        """Whether somebody answers in a zone. One whose front is not there any more is not well."""
        front = self.documents.get(zone.front) if zone.front else None
        return front.healthy if isinstance(front, Front) else not zone.front


def _change(view: View, documents: Mapping[str, AnyDocument | None], revision: int) -> View:
    after = View()
    after.domain, after.address, after.origin = view.domain, view.address, view.origin
    after.revision, after.token = revision, object()
    after.servers = view.servers
    kept, askers = view.documents.edited(), view.askers.edited()
    claims, holders = view.claims.edited(), view.holders.edited()
    below = view.below.edited()
    for key, document in documents.items():
        before = kept.get(key)
        if before == document:
            continue
        kept.put(key, document)
        _seat(askers, before, document)
        _hold(holders, _holdings(before), _holdings(document))
        _claim(claims, below, view.domain, _claims(key, before), _claims(key, document))
        if isinstance(before, NameServer) or isinstance(document, NameServer):
            after.servers = _with_server(after.servers, key, document)
    after.documents, after.askers = kept.done(), askers.done()
    after.claims, after.holders, after.below = claims.done(), holders.done(), below.done()
    return after


def _with_server(
    servers: Mapping[str, NameServer], key: str, document: AnyDocument | None
) -> Mapping[str, NameServer]:
    others = {name: server for name, server in servers.items() if name != key}
    return {**others, key: document} if isinstance(document, NameServer) else others


def _seat(
    askers: Edit[str, Asker], before: AnyDocument | None, document: AnyDocument | None
) -> None:
    """Say anew who asks from a vSwitch's address. A number past all addresses has none."""
    with contextlib.suppress(ValueError):
        if isinstance(before, Place):
            askers.put(asker_address(before.number), None)
        if isinstance(document, Place):
            asker = Asker(document.network, document.zone)
            askers.put(asker_address(document.number), asker)


def _claims(key: str, document: AnyDocument | None) -> set[tuple[Where, Claim]]:
    """What a document claims. An endpoint without zones claims nothing."""
    if not isinstance(document, EndpointNames) or not document.zones:
        return set()
    network, order = document.network, document.order
    own, vendors = Claim(Rank.OWN, order, key), Claim(Rank.PRIVATE, order, key)
    claims = {((HOST, document.domain), own), ((network, document.service_domain), own)}
    claims.update(
        ((HOST, zone.domain), Claim(Rank.OWN, order, key, zone.zone)) for zone in document.zones
    )
    claims.update(((network, name), vendors) for name in document.private)
    connected = {"", *(zone.zone for zone in document.zones)}
    claims.update(
        ((network, alias.name), Claim(Rank.ALIAS, order, key, alias.zone))
        for alias in document.aliases
        if alias.zone in connected
    )
    return claims


def _holdings(document: AnyDocument | None) -> set[tuple[Where, str]]:
    """Which addresses a document says whose they are, and where. On the host all are seen."""
    if not isinstance(document, EndpointNames):
        return set()
    holdings: set[tuple[Where, str]] = set()
    for zone in filter(lambda zone: is_name(zone.domain), document.zones):
        for network, address in (
            (document.network, zone.address),
            (document.network, zone.address6),
            (zone.provider, zone.source),
            (zone.provider, zone.source6),
        ):
            if address:
                holdings.add(((network, address), zone.domain))
                holdings.add(((HOST, address), zone.domain))
    return holdings


def _hold(
    holders: Edit[Where, tuple[str, ...]],
    before: set[tuple[Where, str]],
    after: set[tuple[Where, str]],
) -> None:
    for where, name in before - after:
        holders.put(where, _without(holders.get(where), name))
    for where, name in after - before:
        holders.put(where, _inserted(holders.get(where), name))


def _claim(
    claims: Edit[Where, tuple[Claim, ...]],
    below: Edit[str, int],
    domain: str,
    before: set[tuple[Where, Claim]],
    after: set[tuple[Where, Claim]],
) -> None:
    """Take out the claims that are no more, and put in the new ones; what stays is not touched.

    Below our own domain nobody may choose names, and elsewhere we give out none.
    """
    for by, which in ((-1, before - after), (1, after - before)):
        for where, claim in which:
            name = where[1]
            if is_below(name, domain) is not (claim.rank == Rank.OWN):
                continue
            change = _inserted if by > 0 else _without
            claims.put(where, change(claims.get(where), claim))
            while claim.rank == Rank.OWN and name != domain:
                below.put(name, (below.get(name) or 0) + by or None)
                name = name.partition(".")[2]


def is_name(text: str) -> bool:
    """Whether a name is short enough to be one (RFC 1035 section 2.3.4).

    A zone's may be longer than a label can be, and its endpoints have no domain there then.
    """
    if len(text) > _LONGEST_NAME:
        return False
    return all(0 < len(label) <= _LONGEST_LABEL for label in text.split("."))


def is_below(name: str, domain: str) -> bool:
    """Whether a name is below a domain."""
    return name.endswith(domain) and name.endswith(f".{domain}")


Item = TypeVar("Item", Claim, str)


def _inserted(items: tuple[Item, ...] | None, item: Item) -> tuple[Item, ...]:
    """The items with one more, in order."""
    if not items:
        return (item,)
    more = list(items)
    bisect.insort(more, item)
    return tuple(more)


def _without(items: tuple[Item, ...] | None, item: Item) -> tuple[Item, ...] | None:
    """The items without one, or None if there are none left."""
    if not items:
        return None
    at = bisect.bisect_left(items, item)
    return items[:at] + items[at + 1 :] or None
