"""What each item means as map entries. Pure: whoever reconciles compares sets of entries."""

from __future__ import annotations

import ipaddress
import socket
import zlib
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final

import msgspec

from privlink.model.items import (
    Attachment,
    Balancer,
    Door,
    Filter,
    Forward,
    Item,
    Listener,
    Members,
    NatAddress,
    Opening,
    Protocol,
    Resolver,
    Route,
    RouteKind,
    RouteTable,
    Rule,
    Segment,
    Server,
)
from privlink.model.naming import RESOLVER_ADDRESS, asker_address
from privlink.node.balancing import IDLE, ServerName, listener_entries
from privlink.node.naming import resolver_opening
from privlink.node.program import maps
from privlink.node.program.maps import (
    ADDRESS,
    ADDRESS_BITS,
    DOOR_KEY,
    FILTER,
    FILTER_KEY,
    FORWARD,
    GATEWAY_MAC,
    MAPPED,
    MAX_FILTERS,
    MAX_RULES,
    NEIGHBOUR,
    NO_ADDRESS,
    NUMBER,
    PAGE_KEY,
    PAGE_SIZE,
    PORT,
    PROTOCOLS,
    ROUTE,
    ROUTE_KEY,
    ROUTE_PREFIX,
    RULE,
    SET_KEY,
    SET_PREFIX,
    AddressKind,
    Direction,
    Entry,
    Family,
    address_bytes,
    address_key,
    family_of,
    mac_bytes,
)

SECOND = 1_000_000_000  # ns

_MAPPED_BITS = 96  # before an IPv4 address
_MAPPED_BLOCK = ipaddress.IPv6Network(f"::ffff:0:0/{_MAPPED_BITS}")  # RFC 4291 section 2.5.5.2
_HALF = 64  # bits of half an address
_NOBODY = bytes(4)  # in the place of an IPv4 address


class Circumstances(msgspec.Struct, frozen=True):
    """What a node knows of its items that they do not say themselves."""

    down: Set[ServerName] = frozenset()  # servers that are not well
    targets: tuple[str, ...] = ()  # the addresses that a door's name leads to
    paces: Mapping[int, int] = MappingProxyType({})  # classes of the shaper, by connection


NORMAL: Final = Circumstances()


def entries(item: Item, circumstances: Circumstances = NORMAL) -> Iterable[Entry]:
    """The map entries that make an item true.

    An attachment has none here: its entries need a link, see `port_entries`. ValueError where an
    item is more than a map can hold, or asks for a bandwidth that there is no class for.
    """
    match item:
        case Segment():
            return _segment_entries(item)
        case Balancer():
            return _balancer_entries(item, circumstances.down)
        case Filter():
            return _filter_entries(item)
        case Members():
            return _set_entries(item)
        case Forward():
            return _forward_entries(item, circumstances.paces)
        case RouteTable():
            return [_route_entry(item, route) for route in item.routes]
        case NatAddress():
            return [_address_entry(item.network, item.address, item.mac, AddressKind.NAT)]
        case Door():
            return _door_entries(item, circumstances.targets)
        case Resolver():
            return _resolver_entries(item)
    return ()


def port_entries(attachment: Attachment, ifindex: int, *, peer: bool = True) -> Iterable[Entry]:
    """The map entries of an attachment whose link in the fabric is `ifindex`.

    `peer` says that the link is a veth whose other end is in the workload's own namespace.
    """
    mac = mac_bytes(attachment.mac)
    place = NEIGHBOUR.pack(ifindex, mac, peer)
    for address in filter(None, (attachment.address, attachment.address6)):
        yield Entry("neighbours", address_key(attachment.network, address), place)
    block = ipaddress.IPv4Network(attachment.cidr, strict=False)
    value = PORT.pack(
        attachment.network,
        attachment.table,
        address_bytes(attachment.address)[-4:],
        block.network_address.packed,
        block.netmask.packed,
        _asker(attachment.segment),
        address_bytes(attachment.gateway)[-4:] if attachment.gateway else _NOBODY,
        address_bytes(attachment.gateway6) if attachment.gateway6 else NO_ADDRESS,
        address_bytes(attachment.address6) if attachment.address6 else NO_ADDRESS,
        _subnet6(attachment),
        mac,
        peer,
        len(attachment.filters),
        *_padded(attachment.filters, attachment.address),
    )
    yield Entry("ports", NUMBER.pack(ifindex), value)


def _asker(segment: int) -> bytes:
    """As whom the resolver sees a vswitch; one without such an address is not answered there."""
    try:
        return address_bytes(asker_address(segment))[-4:]
    except ValueError:
        return _NOBODY


def _subnet6(attachment: Attachment) -> bytes:
    """The first half of an address in the vswitch's IPv6 block, which is as long as that."""
    if not attachment.address6:
        return NO_ADDRESS[:8]
    block = ipaddress.IPv6Network(attachment.cidr6, strict=False)
    if block.prefixlen != 64:
        raise ValueError(f"{attachment.cidr6} is no /64, which a vSwitch's IPv6 block has to be")
    return block.network_address.packed[:8]


def _segment_entries(segment: Segment) -> Iterator[Entry]:
    for address in filter(None, (segment.gateway, segment.gateway6)):
        yield _address_entry(segment.network, address, GATEWAY_MAC, AddressKind.GATEWAY)


def _balancer_entries(balancer: Balancer, down: Set[ServerName]) -> Iterator[Entry]:
    yield from listener_entries(balancer, down)
    own = [address for address in (balancer.address, balancer.address6) if address]
    if own:
        opening = Opening(
            balancer.opening, balancer.network, balancer.address, balancer.number, balancer.address6
        )
        yield _opening_entry(opening, {})
    for address in own:
        yield _address_entry(
            balancer.network,
            address,
            balancer.mac,
            AddressKind.BALANCER,
            leads_to=balancer.opening,
            place=balancer.number,
            balancer=balancer.number,
        )


def _forward_entries(forward: Forward, paces: Mapping[int, int]) -> Iterator[Entry]:
    for each in filter(None, (forward.opening, forward.replaced)):
        yield _opening_entry(each, paces, routed=not forward.address)
    opening = None if forward.reversed else forward.opening
    number = opening.number if opening else 0
    number6 = opening.number if opening and opening.source6 else 0  # else it leads by IPv4 alone
    balancer = opening.balancer if opening else 0
    for address, leads_to in ((forward.address, number), (forward.address6, number6)):
        if address:
            yield _address_entry(
                forward.network,
                address,
                forward.mac,
                AddressKind.ENDPOINT,
                leads_to,
                forward.number,
                balancer,
                forward.filters,
            )


def _door_entries(door: Door, found: Iterable[str]) -> Iterator[Entry]:
    servers: tuple[Server, ...] = ()
    # One that is shut has no server: that ends the flows it has, whose forward may well stay.
    if door.opening and door.naming:
        servers = tuple(Server(each, door.naming.port, weight=100) for each in found)
    elif door.opening and door.target:
        servers = (door.target,)
    listener = Listener(door.protocol, door.port, door.port, servers)
    yield from listener_entries(Balancer(door.balancer, (listener,)), frozenset())
    value = _address(
        GATEWAY_MAC,
        AddressKind.DOOR,
        door.address,
        leads_to=door.opening if servers else 0,
        place=door.place,
        balancer=door.balancer,
    )
    key = DOOR_KEY.pack(
        door.network,
        address_bytes(door.address),
        socket.htons(door.port),
        PROTOCOLS[door.protocol.value],
    )
    yield Entry("doors", key, value)


def _resolver_entries(resolver: Resolver) -> Iterator[Entry]:
    opening = resolver_opening(resolver.network)
    yield _opening_entry(opening, {})
    yield _address_entry(
        resolver.network,
        RESOLVER_ADDRESS,
        GATEWAY_MAC,
        AddressKind.BALANCER,
        leads_to=opening.number,
        balancer=opening.balancer,
    )


_ROUTE_KINDS = {
    RouteKind.LOCAL: maps.RouteKind.LOCAL,
    RouteKind.ATTACHMENT: maps.RouteKind.HOP,
    RouteKind.ENDPOINT: maps.RouteKind.ENDPOINT,
}


def _route_entry(table: RouteTable, route: Route) -> Entry:
    address, bits = _block(route.cidr)
    if (route.kind is RouteKind.ATTACHMENT) != bool(route.hop):
        raise ValueError(
            f"{route.cidr} is a route of kind {route.kind} with next hop {route.hop!r}"
        )
    if route.hop and family_of(route.hop) is not family_of(route.cidr):
        raise ValueError(f"{route.cidr} leads to {route.hop}, which is of the other family")
    kind = AddressKind.BLOCK
    called = _address(GATEWAY_MAC, kind, route.cidr, leads_to=route.opening, place=route.place)
    hop = address_bytes(route.hop) if route.hop else NO_ADDRESS
    key = ROUTE_KEY.pack(ROUTE_PREFIX - ADDRESS_BITS + bits, table.number, address)
    return Entry("routes", key, ROUTE.pack(called, hop, _ROUTE_KINDS[route.kind]))


def _opening_entry(opening: Opening, paces: Mapping[int, int], *, routed: bool = False) -> Entry:
    pace = 0
    if opening.bandwidth:
        if opening.connection not in paces:
            raise ValueError(f"connection {opening.connection} has no class of the shaper")
        pace = paces[opening.connection]
    value = FORWARD.pack(
        opening.network,
        address_bytes(opening.source) if opening.source else NO_ADDRESS,
        address_bytes(opening.source6) if opening.source6 else NO_ADDRESS,
        opening.flows,
        SECOND // opening.rate if opening.rate else 0,
        # To where no listener says how long.
        opening.idle_tcp or (IDLE[Protocol.TCP] if routed else 0),
        opening.idle_udp or (IDLE[Protocol.UDP] if routed else 0),
        pace,
        routed,
    )
    return Entry("forwards", NUMBER.pack(opening.number), value)


def _address_entry(
    network: int,
    address: str,
    mac: str,
    kind: AddressKind,
    leads_to: int = 0,
    place: int = 0,
    balancer: int = 0,
    filters: tuple[int, ...] = (),
) -> Entry:
    value = _address(mac, kind, address, leads_to, place, balancer, filters)
    return Entry("addresses", address_key(network, address), value)


def _address(
    mac: str,
    kind: AddressKind,
    named: str,
    leads_to: int = 0,
    place: int = 0,
    balancer: int = 0,
    filters: tuple[int, ...] = (),
) -> bytes:
    """What is called, which errors call `named`."""
    padded = _padded(filters, named)
    return ADDRESS.pack(mac_bytes(mac), kind, len(filters), leads_to, place, balancer, *padded)


def _padded(filters: tuple[int, ...], address: str) -> tuple[int, ...]:
    if len(filters) > MAX_FILTERS:
        raise ValueError(f"{address} has {len(filters)} security groups; at most {MAX_FILTERS} fit")
    return filters + (0,) * (MAX_FILTERS - len(filters))


def _filter_entries(item: Filter) -> Iterator[Entry]:
    for direction, rules in ((Direction.INGRESS, item.rules), (Direction.EGRESS, item.egress)):
        if len(rules) > MAX_RULES:
            raise ValueError(
                f"security group {item.number} has {len(rules)} {direction.name.lower()} rules; "
                f"at most {MAX_RULES} fit"
            )
        packed = b"".join(map(_rule_bytes, rules))
        version = zlib.crc32(packed)
        for page, start in enumerate(range(0, len(packed), PAGE_SIZE)):
            key = PAGE_KEY.pack(item.number, direction, version, page)
            part = packed[start : start + PAGE_SIZE]
            yield Entry("rules", key, part.ljust(PAGE_SIZE, b"\0"))
        key = FILTER_KEY.pack(item.number, direction)
        yield Entry("filters", key, FILTER.pack(len(rules), version))


@lru_cache(maxsize=4096)
def _rule_bytes(rule: Rule) -> bytes:
    if rule.protocol not in PROTOCOLS:
        raise ValueError(f"protocol {rule.protocol!r} is none of {', '.join(PROTOCOLS)}")
    if rule.members:
        address, bits, family = NO_ADDRESS, 0, Family.ANY
    else:
        address, bits = _block(rule.cidr)
        family = family_of(rule.cidr)
    return RULE.pack(
        int.from_bytes(address[:8]),
        int.from_bytes(address[8:]),
        rule.members,
        rule.low,
        rule.high,
        _HALF - min(bits, _HALF),
        _HALF - max(bits - _HALF, 0),
        family,
        0xFF if family else 0,
        PROTOCOLS[rule.protocol],
        0xFF if PROTOCOLS[rule.protocol] else 0,
        rule.priority,
        rule.accept,
    )


def _set_entries(item: Members) -> Iterator[Entry]:
    for block in chain.from_iterable(map(_without_mapped, item.blocks)):
        address, bits = _block(block)
        key = SET_KEY.pack(SET_PREFIX - ADDRESS_BITS + bits, item.number, address)
        yield Entry("sets", key, NUMBER.pack(1))


def _without_mapped(cidr: str) -> Iterable[str]:
    """A block as those that leave out where IPv4 is mapped to: a set knows no families."""
    if family_of(cidr) is Family.IPV4:
        return (cidr,)
    if "/" not in cidr:  # by far the most of a set; networks are slow
        return () if address_bytes(cidr).startswith(MAPPED) else (cidr,)
    block = ipaddress.IPv6Network(cidr, strict=False)
    if block.subnet_of(_MAPPED_BLOCK):
        return ()
    if block.supernet_of(_MAPPED_BLOCK):
        return map(str, block.address_exclude(_MAPPED_BLOCK))
    return (cidr,)


def _block(cidr: str) -> tuple[bytes, int]:
    """The sixteen bytes a block begins with, and how many bits of them it is."""
    if "/" not in cidr:
        return address_bytes(cidr), ADDRESS_BITS
    network = ipaddress.ip_network(cidr, strict=False)
    address = address_bytes(str(network.network_address))
    return address, network.prefixlen + (_MAPPED_BITS if network.version == 4 else 0)
