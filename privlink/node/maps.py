"""The eBPF maps in Python: the twin of `bpf/maps.h` and `bpf/reasons.h`.

Pure encoding and decoding, and what each item means as map entries. Knows no system call; whoever
reconciles compares sets of entries and hands the difference to `bpf`.
"""

from __future__ import annotations

import enum
import heapq
import ipaddress
import math
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Forward,
    Item,
    Listener,
    Protocol,
    Rule,
    Segment,
    Server,
)

GATEWAY_MAC = "ee:ff:ff:ff:ff:ff"
MAX_FILTERS = 10
MAX_RULES = 250
MAX_FLOWS = 65536
MAX_SLOTS = 128  # of one listener, unless it has more servers

NUMBER = struct.Struct("=I")
PORT = struct.Struct("=I4s4s4s6sBx")
ADDRESS_KEY = struct.Struct("=I4s")
ADDRESS = struct.Struct(f"=6sBBI{MAX_FILTERS}I")
FORWARD = struct.Struct("=I4sI")
LISTENER_KEY = struct.Struct("=IHBx")
SERVER_KEY = struct.Struct("=IHBxI")
SERVER = struct.Struct("=4sHxx")
NEIGHBOUR = struct.Struct("=I6sBx")
RULE = struct.Struct("=4s4sHHBBBx")
FLOW_KEY = struct.Struct("=I4s4sHHB3x")
FLOW = struct.Struct("=QII4s4sHH6s6sIIIBBBBBB6x")
# Of the same: last_seen, forward, reverse, established, client_finished, server_finished, reset.
FLOW_GLANCE = struct.Struct("=QI41x?????6x")
FLOW_COUNT = struct.Struct("=i")

FILTER_SIZE = NUMBER.size + MAX_RULES * RULE.size

PROTOCOLS = {
    "ALL": 0,
    "ICMP": socket.IPPROTO_ICMP,
    "TCP": socket.IPPROTO_TCP,
    "UDP": socket.IPPROTO_UDP,
}


class AddressKind(enum.IntEnum):
    """What the fabric answers for at an address."""

    GATEWAY = 1
    ENDPOINT = 2


class Reason(enum.IntEnum):
    """Why a packet went no further; each is explained in `bpf/reasons.h`."""

    UNKNOWN_PORT = 0
    TRUNCATED = 1
    MALFORMED = 2
    VLAN_TAGGED = 3
    NOT_IPV4 = 4
    IP_OPTIONS = 5
    SPOOFED_SOURCE = 6
    ARP_OUTSIDE = 7
    MULTICAST = 8
    VIA_GATEWAY = 9
    NO_ROUTE = 10
    FRAGMENT = 11
    NOT_TCP = 12
    NOT_ECHO = 13
    SECURITY_GROUP = 14
    UNSOLICITED_SYN = 15
    CLOSED = 16
    NOT_ACCEPTED = 17
    NO_FLOW = 18
    NO_LISTENER = 19
    NO_SERVER = 20
    NO_SOURCE_PORT = 21
    FLOW_TABLE_FULL = 22
    FLOW_LIMIT = 23


class Entry(NamedTuple):
    """One key with its value in one map. A key with another value is another entry."""

    map: str
    key: bytes
    value: bytes


class FlowKey(NamedTuple):
    """What the packets of one direction look like where they come in."""

    network: int
    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: int

    @classmethod
    def unpack(cls, key: bytes) -> FlowKey:
        network, source, destination, source_port, destination_port, protocol = FLOW_KEY.unpack(key)
        return cls(
            network,
            socket.inet_ntoa(source),
            socket.ntohs(source_port),
            socket.inet_ntoa(destination),
            socket.ntohs(destination_port),
            protocol,
        )

    def pack(self) -> bytes:
        return FLOW_KEY.pack(
            self.network,
            address_bytes(self.source),
            address_bytes(self.destination),
            socket.htons(self.source_port),
            socket.htons(self.destination_port),
            self.protocol,
        )


class Flow(NamedTuple):
    """One direction of a conversation: what becomes of its packets, and how far it has come."""

    last_seen: int  # CLOCK_MONOTONIC, ns; exact to a second
    forward: int
    ifindex: int
    source: str
    destination: str
    source_port: int
    destination_port: int
    destination_mac: str
    source_mac: str
    address_difference: int
    port_difference: int
    partner_network: int
    peer: bool
    reverse: bool
    established: bool
    client_finished: bool
    server_finished: bool
    reset: bool

    @classmethod
    def unpack(cls, value: bytes) -> Flow:
        (
            last_seen, forward, ifindex, source, destination, source_port, destination_port,
            destination_mac, source_mac, address_difference, port_difference, partner_network,
            *flags,
        ) = FLOW.unpack(value)  # fmt: skip
        return cls(
            last_seen,
            forward,
            ifindex,
            socket.inet_ntoa(source),
            socket.inet_ntoa(destination),
            socket.ntohs(source_port),
            socket.ntohs(destination_port),
            destination_mac.hex(":"),
            source_mac.hex(":"),
            address_difference,
            port_difference,
            partner_network,
            *(bool(flag) for flag in flags),
        )

    @property
    def ended(self) -> bool:
        """True after a reset, or once both sides have finished."""
        return self.reset or (self.client_finished and self.server_finished)

    def partner(self, key: FlowKey) -> FlowKey:
        """The key of the other direction's entry, given the key of this one."""
        return FlowKey(
            self.partner_network,
            self.destination,
            self.destination_port,
            self.source,
            self.source_port,
            key.protocol,
        )


def address_bytes(address: str) -> bytes:
    """The four bytes of an IPv4 address as they stand in a packet."""
    return ipaddress.IPv4Address(address).packed


def mac_bytes(mac: str) -> bytes:
    """The six bytes of a MAC address as they stand in a frame."""
    return bytes.fromhex(mac.replace(":", ""))


def network_bytes(cidr: str) -> tuple[bytes, bytes]:
    """Subnet and netmask of a CIDR block."""
    network = ipaddress.IPv4Network(cidr, strict=False)
    return network.network_address.packed, network.netmask.packed


def address_key(network: int, address: str) -> bytes:
    """Key of `addresses` and of `neighbours`."""
    return ADDRESS_KEY.pack(network, address_bytes(address))


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
        case Forward():
            return _forward_entries(item)
    return ()


def port_entries(attachment: Attachment, ifindex: int, *, peer: bool = True) -> Iterable[Entry]:
    """The map entries of an attachment whose link in the fabric is `ifindex`.

    `peer` says that the link is a veth whose other end is in the workload's own namespace.
    """
    address, mac = address_bytes(attachment.address), mac_bytes(attachment.mac)
    subnet, netmask = network_bytes(attachment.cidr)
    yield Entry(
        "neighbours",
        address_key(attachment.network, attachment.address),
        NEIGHBOUR.pack(ifindex, mac, peer),
    )
    yield Entry(
        "ports",
        NUMBER.pack(ifindex),
        PORT.pack(attachment.network, address, subnet, netmask, mac, peer),
    )


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
    yield _address_entry(
        segment.network, segment.gateway, GATEWAY_MAC, AddressKind.GATEWAY, forward=0, filters=()
    )


def _forward_entries(forward: Forward) -> Iterator[Entry]:
    opening = forward.opening
    for each in filter(None, (opening, forward.replaced)):
        yield Entry(
            "forwards",
            NUMBER.pack(each.number),
            FORWARD.pack(each.network, address_bytes(each.source), each.balancer),
        )
    yield _address_entry(
        forward.network,
        forward.address,
        forward.mac,
        AddressKind.ENDPOINT,
        forward=opening.number if opening else 0,
        filters=forward.filters,
    )


def _address_entry(
    network: int,
    address: str,
    mac: str,
    kind: AddressKind,
    *,
    forward: int,
    filters: tuple[int, ...],
) -> Entry:
    if len(filters) > MAX_FILTERS:
        raise ValueError(f"{address} has {len(filters)} security groups; at most {MAX_FILTERS} fit")
    padded = filters + (0,) * (MAX_FILTERS - len(filters))
    value = ADDRESS.pack(mac_bytes(mac), kind, len(filters), forward, *padded)
    return Entry("addresses", address_key(network, address), value)


def _balancer_entries(balancer: Balancer) -> Iterator[Entry]:
    for listener in balancer.listeners:
        yield from _listener_entries(balancer.number, listener)


def _listener_entries(balancer: int, listener: Listener) -> Iterator[Entry]:
    port, protocol = socket.htons(listener.first), PROTOCOLS[Protocol(listener.protocol).value]
    slots = interleave(listener.servers)
    for slot, server in enumerate(slots):
        yield Entry(
            "servers",
            SERVER_KEY.pack(balancer, port, protocol, slot),
            SERVER.pack(address_bytes(server.address), socket.htons(server.port)),
        )
    yield Entry("listeners", LISTENER_KEY.pack(balancer, port, protocol), NUMBER.pack(len(slots)))


def _filter_entries(item: Filter) -> Iterator[Entry]:
    if len(item.rules) > MAX_RULES:
        raise ValueError(
            f"security group {item.number} has {len(item.rules)} rules; at most {MAX_RULES} fit"
        )
    value = NUMBER.pack(len(item.rules)) + b"".join(map(_rule_bytes, item.rules))
    yield Entry("filters", NUMBER.pack(item.number), value.ljust(FILTER_SIZE, b"\0"))


def _rule_bytes(rule: Rule) -> bytes:
    if rule.protocol not in PROTOCOLS:
        raise ValueError(f"protocol {rule.protocol!r} is none of {', '.join(PROTOCOLS)}")
    subnet, netmask = network_bytes(rule.cidr)
    return RULE.pack(
        subnet,
        netmask,
        rule.low,
        rule.high,
        PROTOCOLS[rule.protocol],
        rule.priority,
        rule.accept,
    )
