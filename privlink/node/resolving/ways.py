"""The map entries by which a question gets from the namespace of the probes to a resolver.

Pure. As for a health probe: an address of the probes' network that leads to one port of one server
in one VPC, by UDP and TCP, and is seen there as coming from the endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from privlink.model.items import (
    Balancer,
    Forward,
    Listener,
    Naming,
    Opening,
    Protocol,
    Server,
)
from privlink.node.balancing import listener_entries
from privlink.node.entries import entries
from privlink.node.health.probes import PROBE_NETWORK, probe_address, probe_address_entry
from privlink.node.program.maps import LISTENER_KEY, Entry, Family
from privlink.node.resolving.answers import PORT

_IDLE: Final = 15  # seconds: longer than a question is waited for
_FLOWS: Final = 64  # of one name's questions at a time


class Question(msgspec.Struct, frozen=True):
    """A name that is asked for, and where."""

    number: int  # of the way
    address: str  # of the resolver, in the network of the probes
    name: str
    network: int  # the VPC that it is asked in


def question_of(naming: Naming, number: int) -> Question:
    """A name asked for by a way of this number."""
    return Question(number, probe_address(number), naming.name, naming.network)


def way(naming: Naming, number: int) -> Iterator[Entry]:
    """The entries that lead to a name's resolver."""
    servers = (Server(naming.resolver, PORT, 1),)
    listeners = tuple(Listener(protocol, PORT, PORT, servers, idle=_IDLE) for protocol in Protocol)
    for entry in listener_entries(Balancer(number, listeners)):
        # One of the other family says that it has no server.
        if entry.map != "listeners" or LISTENER_KEY.unpack(entry.key)[2] == Family.IPV4:
            yield entry
    opening = Opening(number, naming.network, naming.source, number, flows=_FLOWS)
    yield from entries(Forward(PROBE_NETWORK, "", "", (), opening))
    yield probe_address_entry(probe_address(number), number)
