"""What each item means as map entries. Pure: whoever reconciles compares sets of entries."""

from __future__ import annotations

import heapq
import ipaddress
import math
import socket
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Forward,
    Item,
    Listener,
    Members,
    Opening,
    Protocol,
    Rule,
    Segment,
    Server,
)
from privlink.node.maps import (
    ADDRESS,
    ADDRESS_BITS,
    FILTER,
    FILTER_KEY,
    FORWARD,
    GATEWAY_MAC,
    LISTENER,
    LISTENER_KEY,
    LISTENER_PREFIX,
    MAPPED,
    MAX_FILTERS,
    MAX_RULES,
    NEIGHBOUR,
    NO_ADDRESS,
    NUMBER,
    PAGE_KEY,
    PAGE_SIZE,
    PORT,
    PORT_BITS,
    PROTOCOLS,
    RULE,
    SERVER,
    SERVER_KEY,
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

MAX_SLOTS = 128  # of one listener and family, unless it has more servers

_MAPPED_BITS = 96  # before an IPv4 address
_MAPPED_BLOCK = ipaddress.IPv6Network(f"::ffff:0:0/{_MAPPED_BITS}")  # RFC 4291 section 2.5.5.2
_HALF = 64  # bits of half an address


def entries(item: Item) -> Iterable[Entry]:
    """The map entries that make an item true.

    An attachment has none here: its entries need a link, see `port_entries`. ValueError where an
    item is more than a map can hold.
    """
    match item:
        case Segment():
            return _segment_entries(item)
        case Balancer():
            return _balancer_entries(item)
        case Filter():
            return _filter_entries(item)
        case Members():
            return _set_entries(item)
        case Forward():
            return _forward_entries(item)
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
        address_bytes(attachment.address)[-4:],
        block.network_address.packed,
        block.netmask.packed,
        address_bytes(attachment.address6) if attachment.address6 else NO_ADDRESS,
        _subnet6(attachment),
        mac,
        peer,
        len(attachment.filters),
        *_padded(attachment.filters, attachment.address),
    )
    yield Entry("ports", NUMBER.pack(ifindex), value)


def _subnet6(attachment: Attachment) -> bytes:
    """The first half of an address in the vswitch's IPv6 block, which is as long as that."""
    if not attachment.address6:
        return NO_ADDRESS[:8]
    block = ipaddress.IPv6Network(attachment.cidr6, strict=False)
    if block.prefixlen != 64:
        raise ValueError(f"{attachment.cidr6} is no /64, which a vSwitch's IPv6 block has to be")
    return block.network_address.packed[:8]


def interleave(servers: Iterable[Server]) -> list[Server]:
    """One place per unit of weight, in lowest terms, each server's places spread evenly.

    Where that is more than MAX_SLOTS, weights are scaled to so many; a server keeps at least one
    place, so more servers than that have one each. Spread evenly, a change of weights or servers
    changes as few places as it can.
    """
    weighted = [server for server in servers if server.weight > 0]
    shares = _lowest(_scaled([server.weight for server in weighted]))
    places = [
        ((turn + 0.5) / share, rank, server)
        for rank, (server, share) in enumerate(zip(weighted, shares, strict=True))
        for turn in range(share)
    ]
    return [server for _, _, server in sorted(places, key=lambda place: place[:2])]


def _scaled(weights: list[int]) -> list[int]:
    """Weights as whole places of which there are at most MAX_SLOTS, or one each.

    By highest averages with Sainte-Laguë's divisors, which favour neither large nor small.
    """
    if sum(_lowest(weights)) <= MAX_SLOTS:
        return weights
    shares = [1] * len(weights)
    averages = [(-weight / 3, rank) for rank, weight in enumerate(weights)]
    heapq.heapify(averages)
    for _ in range(MAX_SLOTS - len(weights)):
        _, rank = averages[0]
        shares[rank] += 1
        heapq.heapreplace(averages, (-weights[rank] / (2 * shares[rank] + 1), rank))
    return shares


def _lowest(weights: list[int]) -> list[int]:
    common = math.gcd(*weights)
    return [weight // common for weight in weights]


def _segment_entries(segment: Segment) -> Iterator[Entry]:
    for address in filter(None, (segment.gateway, segment.gateway6)):
        yield _address_entry(segment.network, address, GATEWAY_MAC, AddressKind.GATEWAY)


def _forward_entries(forward: Forward) -> Iterator[Entry]:
    for each in filter(None, (forward.opening, forward.replaced)):
        yield _opening_entry(each)
    opening = forward.opening
    number = opening.number if opening else 0
    number6 = opening.number if opening and opening.source6 else 0  # else it leads by IPv4 alone
    for address, leads_to in ((forward.address, number), (forward.address6, number6)):
        if address:
            yield _address_entry(
                forward.network,
                address,
                forward.mac,
                AddressKind.ENDPOINT,
                leads_to,
                forward.filters,
            )


def _opening_entry(opening: Opening) -> Entry:
    value = FORWARD.pack(
        opening.network,
        opening.balancer,
        address_bytes(opening.source),
        address_bytes(opening.source6) if opening.source6 else NO_ADDRESS,
    )
    return Entry("forwards", NUMBER.pack(opening.number), value)


def _address_entry(
    network: int,
    address: str,
    mac: str,
    kind: AddressKind,
    forward: int = 0,
    filters: tuple[int, ...] = (),
) -> Entry:
    padded = _padded(filters, address)
    value = ADDRESS.pack(mac_bytes(mac), kind, len(filters), forward, *padded)
    return Entry("addresses", address_key(network, address), value)


def _padded(filters: tuple[int, ...], address: str) -> tuple[int, ...]:
    if len(filters) > MAX_FILTERS:
        raise ValueError(f"{address} has {len(filters)} security groups; at most {MAX_FILTERS} fit")
    return filters + (0,) * (MAX_FILTERS - len(filters))


def _balancer_entries(balancer: Balancer) -> Iterator[Entry]:
    for listener in balancer.listeners:
        for family in (Family.IPV4, Family.IPV6):
            servers = [each for each in listener.servers if family_of(each.address) is family]
            # Without a server it is there all the same, to say so; that need be said only once.
            if servers or family is Family.IPV4:
                yield from _listener_entries(balancer.number, listener, family, servers)


def _listener_entries(
    balancer: int, listener: Listener, family: Family, servers: list[Server]
) -> Iterator[Entry]:
    protocol = PROTOCOLS[Protocol(listener.protocol).value]
    first = socket.htons(listener.first)
    slots = interleave(servers)
    for slot, server in enumerate(slots):
        yield Entry(
            "servers",
            SERVER_KEY.pack(balancer, family, protocol, first, slot),
            SERVER.pack(address_bytes(server.address), socket.htons(server.port)),
        )
    value = LISTENER.pack(len(slots), first)
    for port, bits in port_prefixes(listener.first, listener.last):
        prefix = LISTENER_PREFIX - PORT_BITS + bits
        key = LISTENER_KEY.pack(prefix, balancer, family, protocol, socket.htons(port))
        yield Entry("listeners", key, value)


def port_prefixes(first: int, last: int) -> Iterator[tuple[int, int]]:
    """A range of ports as the fewest prefixes that make it up: each port with its bits."""
    while first <= last:
        size = (first & -first) or 1 << PORT_BITS  # as far as the first port is aligned
        while first + size - 1 > last:
            size >>= 1
        yield first, PORT_BITS + 1 - size.bit_length()
        first += size


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
