"""The eBPF maps in Python: the twin of `bpf/maps.h` and `bpf/reasons.h`.

Pure packing and unpacking. Knows no system call and nothing of items: what those mean as entries is
`entries`' business, and what becomes of flows is `flows`'.
"""

from __future__ import annotations

import enum
import socket
import struct
from typing import NamedTuple

GATEWAY_MAC = "ee:ff:ff:ff:ff:ff"
LAYOUT = 3  # of all that is pinned
MAX_FILTERS = 10
MAX_RULES = 250
PAGE_RULES = 16

NUMBER = struct.Struct("=I")
PORT = struct.Struct(f"=II4s4s4s4s4s16s16s8s6sBB{MAX_FILTERS}I")
ADDRESS_KEY = struct.Struct("=I16s")
ADDRESS = struct.Struct(f"=6sBBIII{MAX_FILTERS}I")
DOOR_KEY = struct.Struct("=I16sHBx")
ROUTE_KEY = struct.Struct("=II16s")
ROUTE = struct.Struct(f"={ADDRESS.size}s16sI")
FORWARD = struct.Struct("=I16s16sIIHHHH")
LISTENER_KEY = struct.Struct("=IIBBH")
LISTENER = struct.Struct("=IHHB3x")
SERVER_KEY = struct.Struct("=IBBHI")
SERVER = struct.Struct("=16sHBx")
TARGET_KEY = struct.Struct("=IBBH16sH2x")
TURN_KEY = struct.Struct("=IBBH")
LOAD = struct.Struct("=i")
NEIGHBOUR = struct.Struct("=I6sBx")
FILTER_KEY = struct.Struct("=II")
FILTER = struct.Struct("=II")
PAGE_KEY = struct.Struct("=IIII")
RULE = struct.Struct("=QQIHHBBBBBBBB")
SET_KEY = struct.Struct("=II16s")
FLOW_KEY = struct.Struct("=I16s16sHHB3x")
FLOW = struct.Struct("=QQQQII16s16sHH6s6sIIIIIIIHHHBBBBBBBBBBI")
# Of the same: last_seen, idle, reverse, established, client_finished, server_finished, reset and
# revoked.
FLOW_GLANCE = struct.Struct("=Q110xH5x????B?5x")
FLOW_KEY_GLANCE = struct.Struct("=40xB3x")  # protocol
COUNT = struct.Struct("=Qi4x")
COMPLAINTS = struct.Struct("=QI4x")
CAUSES = 9
TRAFFIC = struct.Struct(f"=QQQQQQQQQQQQQQQQQ{CAUSES}QQQII")
REFUSAL_KEY = struct.Struct("=IHBx")
AMOUNT = struct.Struct("=QQ")
RECORD = struct.Struct("=QQQQQQII16s16s16s16sHHHHIHBBBBB5x")
SILENCE = struct.Struct("=44s4xQ")
FRAGMENT_KEY = struct.Struct("=II")
DATAGRAM = struct.Struct("=Q44sIIHBx")

PAGE_SIZE = PAGE_RULES * RULE.size
LISTENER_PREFIX = 8 * (LISTENER_KEY.size - NUMBER.size)  # bits of a key for one port
SET_PREFIX = 8 * (SET_KEY.size - NUMBER.size)  # bits of a key for one address
ROUTE_PREFIX = 8 * (ROUTE_KEY.size - NUMBER.size)  # the same
PORT_BITS, ADDRESS_BITS = 16, 128

NO_ADDRESS = bytes(16)
MAPPED = bytes.fromhex("00000000000000000000ffff")  # RFC 4291 section 2.5.5.2

PROTOCOLS = {
    "ALL": 0,
    "ICMP": socket.IPPROTO_ICMP,
    "TCP": socket.IPPROTO_TCP,
    "UDP": socket.IPPROTO_UDP,
    "ICMPV6": socket.IPPROTO_ICMPV6,
}


class Family(enum.IntEnum):
    """IP versions, as rules, listeners and servers are told apart by them."""

    ANY = 0
    IPV4 = 4
    IPV6 = 6


class AddressKind(enum.IntEnum):
    """What the fabric answers for at an address."""

    GATEWAY = 1
    ENDPOINT = 2
    BALANCER = 3
    NAT = 4
    DOOR = 5
    BLOCK = 6


class RouteKind(enum.IntEnum):
    """Where to a packet goes that is for no neighbour."""

    LOCAL = 1
    HOP = 2
    ENDPOINT = 3


class Scheduler(enum.IntEnum):
    """How a listener chooses among its servers."""

    TURNS = 1
    LEAST = 2
    SOURCE = 3
    TUPLE = 4


class Way(enum.IntEnum):
    """The directions of a flow."""

    FROM_CLIENT = 0
    FROM_SERVER = 1


class Event(enum.IntEnum):
    """What a flow record tells of."""

    OPENED = 1
    CLOSED = 2
    REFUSED = 3


class Cause(enum.IntEnum):
    """Why a flow ended; each is explained in `bpf/reasons.h`."""

    FINISHED = 1
    CLIENT_RESET = 2
    SERVER_RESET = 3
    IDLE = 4
    UNANSWERED = 5
    CLOSED = 6
    SERVER_GONE = 7
    NO_LONGER_PERMITTED = 8


class Direction(enum.IntEnum):
    """Which of a security group's rules a filter is."""

    INGRESS = 0
    EGRESS = 1


class Number(enum.IntEnum):
    """The single numbers of the map `numbers`."""

    EPOCH = 0
    IDENTIFICATION = 1
    LIFE = 2
    SHAPER = 3
    RECORDS = 4
    MOVING = 5
    COMPLAINTS = 6


class Reason(enum.IntEnum):
    """Why a packet went no further; each is explained in `bpf/reasons.h`."""

    UNKNOWN_PORT = 1
    TRUNCATED = 2
    MALFORMED = 3
    VLAN_TAGGED = 4
    NOT_IP = 5
    IP_OPTIONS = 6
    SPOOFED_SOURCE = 7
    NEIGHBOUR_OUTSIDE = 8
    MULTICAST = 9
    VIA_GATEWAY = 10
    NO_ROUTE = 11
    FRAGMENT = 12
    PROTOCOL = 13
    ICMP_TYPE = 14
    SECURITY_GROUP = 15
    UNSOLICITED_SYN = 16
    CLOSED = 17
    NOT_ACCEPTED = 18
    NO_FLOW = 19
    NO_LISTENER = 20
    NO_SERVER = 21
    NO_SOURCE_PORT = 22
    FLOW_TABLE_FULL = 23
    FLOW_LIMIT = 24
    NO_LONGER_PERMITTED = 25
    FOREIGN_ERROR = 26
    EGRESS_RULE = 27
    ADVERTISEMENT = 28
    CHANGING = 29
    FLOW_RATE = 30
    SERVER_GONE = 31
    IDLE = 32
    BANDWIDTH = 33
    HOP_LIMIT = 34


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
            address_text(source),
            socket.ntohs(source_port),
            address_text(destination),
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
    opened: int  # the same clock
    packets: int
    octets: int  # of IP
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
    epoch: int
    taken: int
    place: int
    balancer: int
    listener: int  # its first port
    idle: int  # seconds
    pace: int
    any_port: bool
    loaded: bool
    peer: bool
    reverse: bool
    established: bool
    client_finished: bool
    server_finished: bool
    reset: int  # by whom: a Cause, or 0
    revoked: int  # why: a Cause, or 0
    acknowledged: bool
    last: int = 0

    @classmethod
    def unpack(cls, value: bytes) -> Flow:
        found = cls._make(FLOW.unpack(value))
        return found._replace(
            source=address_text(found.source),  # type: ignore[arg-type]
            destination=address_text(found.destination),  # type: ignore[arg-type]
            source_port=socket.ntohs(found.source_port),
            destination_port=socket.ntohs(found.destination_port),
            destination_mac=found.destination_mac.hex(":"),  # type: ignore[attr-defined]
            source_mac=found.source_mac.hex(":"),  # type: ignore[attr-defined]
            listener=socket.ntohs(found.listener),
            any_port=bool(found.any_port),
            loaded=bool(found.loaded),
            peer=bool(found.peer),
            reverse=bool(found.reverse),
            established=bool(found.established),
            client_finished=bool(found.client_finished),
            server_finished=bool(found.server_finished),
            acknowledged=bool(found.acknowledged),
            last=socket.ntohl(found.last),
        )

    @property
    def ended(self) -> bool:
        """True after a reset, or once both sides have finished."""
        return bool(self.reset) or (self.client_finished and self.server_finished)

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
    """The sixteen bytes of an address, IPv4 mapped into IPv6. Raises ValueError."""
    try:
        if ":" in address:
            return socket.inet_pton(socket.AF_INET6, address)
        return MAPPED + socket.inet_pton(socket.AF_INET, address)
    except OSError:
        raise ValueError(f"{address!r} is no IP address") from None


def address_text(packed: bytes) -> str:
    """An address as people write it, of its sixteen bytes."""
    if packed.startswith(MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[-4:])
    return socket.inet_ntop(socket.AF_INET6, packed)


def family_of(address: str) -> Family:
    """The IP version of an address or a block."""
    return Family.IPV6 if ":" in address else Family.IPV4


def mac_bytes(mac: str) -> bytes:
    """The six bytes of a MAC address as they stand in a frame."""
    return bytes.fromhex(mac.replace(":", ""))


def address_key(network: int, address: str) -> bytes:
    """Key of `addresses` and of `neighbours`."""
    return ADDRESS_KEY.pack(network, address_bytes(address))
