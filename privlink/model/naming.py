"""The documents that names are answered from: what the server tells whoever answers, and no more.

As with a node's items, each is one frozen document with a key, and the change feed says which to
look at again. Networks are the numbers of VPCs, as in `privlink.model.items`.
"""

from __future__ import annotations

import ipaddress
from typing import Final

import msgspec

RESOLVER_ADDRESS: Final = "100.100.2.136"  # who is asked inside every VPC, by UDP and TCP
RESOLVER_PORT: Final = 53

_ASKERS: Final = ipaddress.IPv4Network("10.0.0.0/8")


def asker_address(segment: int) -> str:
    """Whom the resolver sees asking where the question comes from a vSwitch of this number.

    Raises ValueError for a number that has no such address.
    """
    if not 0 < segment < _ASKERS.num_addresses - 1:
        raise ValueError(f"vSwitch number {segment} is too high for names to be answered in it")
    return str(_ASKERS.network_address + segment)


class Document(msgspec.Struct, frozen=True, tag_field="kind", gc=False):
    """One thing that answers follow from."""


class Place(Document, frozen=True, tag="place"):
    """A vSwitch, which questions come from."""

    number: int  # of its segment: see `asker_address`
    network: int
    zone: str


class ZoneNames(msgspec.Struct, frozen=True, gc=False):
    """A connected zone of an endpoint."""

    zone: str
    domain: str  # its own name, lower case, without the dot at the end
    address: str
    address6: str = ""  # empty without
    front: str = ""  # the key of who answers there for the service; empty: nobody asks how it is
    provider: int = 0  # the network where its connections come out ...
    source: str = ""  # ... as coming from this address
    source6: str = ""


class Alias(msgspec.Struct, frozen=True, gc=False):
    """A name that a consumer has given to an endpoint in its VPC, or to one zone of it."""

    name: str
    zone: str = ""


class EndpointNames(Document, frozen=True, tag="names"):
    """An endpoint with a connection, and the names it goes by."""

    endpoint: str  # its id
    network: int  # its VPC
    order: int  # of those that claim one name in one VPC the lowest number has it
    domain: str
    service_domain: str
    zones: tuple[ZoneNames, ...]  # those that are connected, in the order of their ids
    affinity: bool = False  # who asks gets the address in its own zone, if that one is well
    private: tuple[str, ...] = ()  # its service's own names, where they are switched on; * may lead
    aliases: tuple[Alias, ...] = ()


class Front(Document, frozen=True, tag="front"):
    """A load balancer in one zone, and whether any server behind it is well."""

    healthy: bool


class TransferKey(msgspec.Struct, frozen=True):
    """A key that name servers know each other by (RFC 8945)."""

    name: str
    algorithm: str  # as dnspython spells it, such as hmac-sha256
    secret: str  # base64

    def __repr__(self) -> str:
        """Without the secret, should anybody print it."""
        return f"TransferKey({self.name}, {self.algorithm})"


class NameServer(Document, frozen=True, tag="server"):
    """Somebody else's name server that shall have the names too."""

    address: str
    port: int
    zone: str  # of theirs, in which our names are; the domain of this installation or above it
    pushes: bool  # it is told by dynamic update; else it may transfer the zone, and is notified
    key: TransferKey | None = None
    owner: str = ""  # what marks the names that are pushed there as ours


AnyDocument = Place | EndpointNames | Front | NameServer
