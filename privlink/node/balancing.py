"""What a load balancer in one zone means as map entries: who takes new flows, and who has some.

Pure. The servers of a listener that are well stand in the slots that the program chooses from; all
that may have flows, if only those they have, are its targets.
"""

from __future__ import annotations

import array
import heapq
import math
import socket
from collections.abc import Iterable, Iterator, Set
from functools import lru_cache
from hashlib import blake2b

from privlink.model import items
from privlink.model.items import Balancer, Listener, Protocol, Server
from privlink.node.program.maps import (
    LISTENER,
    LISTENER_KEY,
    LISTENER_PREFIX,
    NUMBER,
    PORT_BITS,
    PROTOCOLS,
    SERVER,
    SERVER_KEY,
    TARGET_KEY,
    Entry,
    Family,
    Scheduler,
    address_bytes,
    family_of,
)

MAX_SLOTS = 128  # of one listener and family, unless it has more servers
HASH_SLOTS = 1024  # of one that chooses by hash: with ten servers, shares are right within a tenth
IDLE = {Protocol.TCP: 900, Protocol.UDP: 60}  # seconds, where a listener does not say

ServerName = tuple[str, str, int]  # group, address, port: what health is told of

_SCHEDULERS = {
    items.Scheduler.ROUND_ROBIN: Scheduler.TURNS,
    items.Scheduler.LEAST_CONNECTIONS: Scheduler.LEAST,
    items.Scheduler.SOURCE_HASH: Scheduler.SOURCE,
    items.Scheduler.TUPLE_HASH: Scheduler.TUPLE,
}


def listener_entries(balancer: Balancer, down: Set[ServerName] = frozenset()) -> Iterator[Entry]:
    """The entries of a balancer's listeners, given the servers that are down."""
    for listener in balancer.listeners:
        for family in (Family.IPV4, Family.IPV6):
            ours = [each for each in listener.servers if family_of(each.address) is family]
            # Without a server it is there all the same, to say so; that need be said only once.
            if ours or family is Family.IPV4:
                well = [each for each in ours if name_of(listener, each) not in down]
                yield from _listener_entries(balancer, listener, family, well)


def name_of(listener: Listener, server: Server) -> ServerName:
    """What a server is called when its health is told."""
    return listener.group, server.address, server.port


def takers(balancer: Balancer, servers: Iterable[Server]) -> list[Server]:
    """Who of the servers that are well takes new flows: those of the zone, if there are any."""
    willing = [server for server in servers if server.weight > 0]
    near = [server for server in willing if server.zone in ("", balancer.zone)]
    if near or not balancer.cross_zone:
        return near
    return willing


def _listener_entries(
    balancer: Balancer, listener: Listener, family: Family, well: list[Server]
) -> Iterator[Entry]:
    protocol = Protocol(listener.protocol)
    number, first = PROTOCOLS[protocol.value], socket.htons(listener.first)
    slots = slots_of(listener.scheduler, takers(balancer, well))
    for server in well:
        port = socket.htons(server.port)
        at = address_bytes(server.address)
        key = TARGET_KEY.pack(balancer.number, family, number, first, at, port)
        yield Entry("targets", key, NUMBER.pack(1))
    # Else what stands in a slot would change with a weight that does not count there.
    compared = listener.scheduler is items.Scheduler.LEAST_CONNECTIONS
    for slot, server in enumerate(slots):
        weight = server.weight if compared else 0
        yield Entry(
            "servers",
            SERVER_KEY.pack(balancer.number, family, number, first, slot),
            SERVER.pack(address_bytes(server.address), socket.htons(server.port), weight),
        )
    idle = listener.idle or IDLE[protocol]
    value = LISTENER.pack(len(slots), first, idle, _SCHEDULERS[listener.scheduler])
    for port, bits in port_prefixes(listener.first, listener.last):
        prefix = LISTENER_PREFIX - PORT_BITS + bits
        key = LISTENER_KEY.pack(prefix, balancer.number, family, number, socket.htons(port))
        yield Entry("listeners", key, value)


def slots_of(scheduler: items.Scheduler, servers: list[Server]) -> list[Server]:
    """The slots that a listener's program chooses from."""
    match scheduler:
        case items.Scheduler.ROUND_ROBIN:
            return interleave(servers)
        case items.Scheduler.LEAST_CONNECTIONS:
            return servers
    return rendezvous(servers)


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


def rendezvous(servers: list[Server]) -> list[Server]:
    """HASH_SLOTS places, each of the server that bids least for it.

    A server's bids are its own, so that one server less leaves all places but its own as they were,
    and one more takes only its share. Bids are exponentially distributed by weight: the chance to
    bid least is its share of the weights. Source: Thaler and Ravishankar, "Using Name-Based
    Mappings to Increase Hit Rates", IEEE/ACM Transactions on Networking 6 (1998); weights after
    Schindelhauer and Schomaker, "Weighted Distributed Hash Tables" (2005).
    """
    if not servers:
        return []
    bids = [(_bids(server.address, server.port), server.weight) for server in servers]
    ranks = range(len(servers))
    return [
        servers[min(ranks, key=lambda rank: bids[rank][0][slot] / bids[rank][1])]
        for slot in range(HASH_SLOTS)
    ]


@lru_cache(maxsize=1024)
def _bids(address: str, port: int) -> array.array[float]:
    """A server's bid for each slot, at weight 1."""
    name = f"{address} {port} ".encode()
    hashes = (blake2b(name + b"%d" % slot, digest_size=8).digest() for slot in range(HASH_SLOTS))
    return array.array("d", (-math.log((int.from_bytes(h) + 1) / 2**64) for h in hashes))


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


def port_prefixes(first: int, last: int) -> Iterator[tuple[int, int]]:
    """A range of ports as the fewest prefixes that make it up: each port with its bits."""
    while first <= last:
        size = (first & -first) or 1 << PORT_BITS  # as far as the first port is aligned
        while first + size - 1 > last:
            size >>= 1
        yield first, PORT_BITS + 1 - size.bit_length()
        first += size
