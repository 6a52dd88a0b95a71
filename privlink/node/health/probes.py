"""Which servers are asked whether they are well, and the map entries by which a probe gets there.

Pure. A probe takes the way of every client's packet: in a network of the probes' own each server
has an address of its own, open to nobody else, and that leads to this one server. It comes from the
load balancer's own address, as does what clients in its network send.

    network 2^32-1, 10.0.0.0/8 or fd00::/64   -- forward n --   balancer n   --   the server
"""

from __future__ import annotations

import heapq
import ipaddress
import socket
from collections.abc import Iterator
from typing import Final

import msgspec

from privlink.model.items import (
    Balancer,
    Check,
    CheckKind,
    Forward,
    Listener,
    Opening,
    Protocol,
    Server,
)
from privlink.node.balancing import ServerName, listener_entries, name_of
from privlink.node.entries import entries
from privlink.node.health.checks import request
from privlink.node.program.maps import (
    ADDRESS,
    GATEWAY_MAC,
    LISTENER_KEY,
    MAX_FILTERS,
    NO_ADDRESS,
    NUMBER,
    PORT,
    AddressKind,
    Entry,
    address_bytes,
    address_key,
    family_of,
    mac_bytes,
)

PROBE_NETWORK: Final = 0xFFFFFFFF  # no VPC has this number
FIRST_NUMBER: Final = 0x80000000  # the server gives out none from here on
MOST_PROBES: Final = (1 << 24) - (1 << 16)  # addresses below ADDRESS

ADDRESS4, GATEWAY4 = "10.255.255.254", "10.255.255.253"  # of the probes, and where they go by
ADDRESS6, GATEWAY6 = "fd01::2", "fd01::1"
TARGETS4, TARGETS6 = "10.0.0.0/8", "fd00::/64"
MAC: Final = "02:70:72:6f:62:65"
_BASE4, _BASE6 = ipaddress.IPv4Address("10.0.0.0"), ipaddress.IPv6Address("fd00::")

_NO_ADDRESS4: Final = str(ipaddress.IPv4Address(0))  # of a load balancer of IPv6 alone

_FLOWS: Final = 4096  # through one probe: more than end within a sweep
_IDLE_BEYOND: Final = 5  # seconds a flow stays after its check has timed out


class Probe(msgspec.Struct, frozen=True):
    """How one server is asked."""

    number: int  # of the forward and the balancer that lead to it
    address: str  # in the network of the probes
    port: int
    check: Check
    request: bytes
    network: int = 0  # the VPC whose load balancer asks


class Asked(msgspec.Struct, frozen=True):
    """A server of an item, and how it is asked; None: it cannot be, and why."""

    name: ServerName
    check: Check
    port: int
    request: bytes | None
    why: str = ""


class Numbers:
    """Numbers for probes: the lowest that is free."""

    def __init__(self) -> None:
        self._next = FIRST_NUMBER
        self._free: list[int] = []

    def take(self) -> int:
        """A number that nobody has. Raises ValueError when there are no more."""
        if self._free:
            return heapq.heappop(self._free)
        if self._next - FIRST_NUMBER >= MOST_PROBES:
            raise ValueError(f"more than {MOST_PROBES} servers cannot be checked")
        self._next += 1
        return self._next - 1

    def give_back(self, number: int) -> None:
        """A number that is needed no more."""
        heapq.heappush(self._free, number)


def asked(balancer: Balancer) -> dict[ServerName, Asked]:
    """The servers of an item that have a check. One behind several listeners is asked once, as
    the first of them says."""
    found: dict[ServerName, Asked] = {}
    for listener in balancer.listeners:
        if listener.check is None:
            continue
        for server in listener.servers:
            name = name_of(listener, server)
            if name not in found:
                found[name] = _asked(balancer, name, server, listener.check)
    return found


def _asked(balancer: Balancer, name: ServerName, server: Server, check: Check) -> Asked:
    port = check.port or server.port
    source = balancer.address6 if ":" in server.address else balancer.address
    try:
        if not port:
            raise ValueError("the server takes any port, and its check names none")
        if not source:
            raise ValueError("the load balancer has no address to ask from")
        said = request(check, server.address)
    except ValueError as error:
        return Asked(name, check, port, None, f"not checked: {error}")
    return Asked(name, check, port, said)


def probe_of(server: Asked, number: int, network: int = 0) -> Probe:
    """How a server that can be asked is asked by a probe of this number, for a network."""
    assert server.request is not None
    address = probe_address(number, ipv6=":" in server.name[1])
    return Probe(number, address, server.port, server.check, server.request, network)


def probe_address(number: int, *, ipv6: bool = False) -> str:
    """The address in the network of the probes that is reached by this number."""
    base = _BASE6 if ipv6 else _BASE4
    return str(base + (number - FIRST_NUMBER + 1))


def probe_address_entry(address: str, number: int) -> Entry:
    """The entry of such an address, which leads to the forward and the balancer of its number."""
    return _address_entry(address, AddressKind.BALANCER, number, number)


def probe_entries(balancer: Balancer, server: Asked, probe: Probe) -> Iterator[Entry]:
    """The entries that lead a probe to its server."""
    _, address, _ = server.name
    protocol = Protocol.UDP if probe.check.kind is CheckKind.UDP else Protocol.TCP
    idle = probe.check.timeout + _IDLE_BEYOND
    behind = Listener(
        protocol, probe.port, probe.port, (Server(address, probe.port, 1),), idle=idle
    )
    for entry in listener_entries(Balancer(probe.number, (behind,))):
        # One of the other family says that it has no server.
        if entry.map != "listeners" or LISTENER_KEY.unpack(entry.key)[2] == family_of(address):
            yield entry
    opening = Opening(
        probe.number,
        balancer.network,
        balancer.address or _NO_ADDRESS4,
        probe.number,
        balancer.address6,
        flows=_FLOWS,
    )
    leads = Forward(PROBE_NETWORK, "", "", (), opening)
    yield from entries(leads)
    yield probe_address_entry(probe.address, probe.number)


def own_entries(ifindex: int) -> Iterator[Entry]:
    """The entries of the link that probes come from, which has no rules."""
    alone, nobody = address_bytes(ADDRESS4)[-4:], bytes(4)
    value = PORT.pack(
        PROBE_NETWORK,
        0,
        alone,
        alone,
        socket.inet_aton("255.255.255.255"),  # it has no neighbours
        nobody,
        nobody,
        NO_ADDRESS,
        address_bytes(ADDRESS6),
        address_bytes(ADDRESS6)[:8],
        mac_bytes(MAC),
        1,
        0,
        *(0,) * MAX_FILTERS,
    )
    yield Entry("ports", NUMBER.pack(ifindex), value)
    for gateway in (GATEWAY4, GATEWAY6):
        yield _address_entry(gateway, AddressKind.GATEWAY)


def _address_entry(address: str, kind: AddressKind, leads_to: int = 0, balancer: int = 0) -> Entry:
    """What is counted nowhere: a probe is nobody's traffic."""
    padded = (0,) * MAX_FILTERS
    value = ADDRESS.pack(mac_bytes(GATEWAY_MAC), kind, 0, leads_to, 0, balancer, *padded)
    return Entry("addresses", address_key(PROBE_NETWORK, address), value)
