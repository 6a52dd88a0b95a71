"""The way by which questions for names get from VPCs to whoever answers them. Pure.

In every VPC in which names are answered one address leads there, through an opening of its own and
a balancer that all share, to port 53 of one server in a network of the resolver's own:

    VPC n, 100.100.2.136   -- opening 0xC0000000 | n --   balancer 0xC0000000   --   the resolver

The openings have no source. The program takes one from where the question comes from, so that the
resolver sees who asks: see `privlink.model.naming.asker_address`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privlink.model.items import Balancer, Listener, Opening, Protocol, Server
from privlink.model.naming import RESOLVER_ADDRESS, RESOLVER_PORT
from privlink.node.balancing import listener_entries
from privlink.node.program.maps import LISTENER_KEY, Entry, Family

RESOLVER_NETWORK: Final = 0xFFFFFFFE  # no VPC has this number
RESOLVER_BALANCER: Final = 0xC0000000  # above the numbers that the server and the probes have
_MOST_NETWORKS: Final = 1 << 28  # of which each has an opening

# Of one VPC. A question is over when it is answered: what stays is to be told apart from others.
_FLOWS: Final = 16384
_RATE: Final = 20_000  # new flows per second; one is as many questions as come from one port
_IDLE_UDP: Final = 5  # seconds: as long as stub resolvers wait for an answer (resolv.conf(5))
_IDLE_TCP: Final = 30  # the server ends connections before (RFC 7766 section 6.2.3)


def resolver_opening(network: int) -> Opening:
    """Where the questions of a VPC lead. Raises ValueError for a number that no VPC has."""
    if not 0 < network < _MOST_NETWORKS:
        raise ValueError(f"VPC number {network} is too high for names to be answered in it")
    return Opening(
        RESOLVER_BALANCER | network,
        RESOLVER_NETWORK,
        "",
        RESOLVER_BALANCER,
        idle_tcp=_IDLE_TCP,
        idle_udp=_IDLE_UDP,
        flows=_FLOWS,
        rate=_RATE,
    )


def resolver_balancer() -> Balancer:
    """Who answers the questions of all VPCs."""
    servers = (Server(RESOLVER_ADDRESS, RESOLVER_PORT, 1),)
    port = RESOLVER_PORT
    listeners = tuple(Listener(protocol, port, port, servers) for protocol in Protocol)
    return Balancer(RESOLVER_BALANCER, listeners)


def resolver_entries() -> Iterator[Entry]:
    """The entries of who answers. Names are asked for by IPv4 alone."""
    for entry in listener_entries(resolver_balancer()):
        # One of the other family would say that it has no server.
        if entry.map != "listeners" or LISTENER_KEY.unpack(entry.key)[2] == Family.IPV4:
            yield entry
