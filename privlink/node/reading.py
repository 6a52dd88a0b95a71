"""What entries say of others: whose a port is, where an address leads, which pages a filter has.

Pure: values of maps in, keys and numbers out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from privlink.node.program.maps import (
    ADDRESS,
    FILTER,
    FILTER_KEY,
    LISTENER,
    LISTENER_KEY,
    MAX_FILTERS,
    NUMBER,
    PAGE_KEY,
    PAGE_RULES,
    PORT,
    SERVER_KEY,
    Entry,
)

Key = tuple[str, bytes]
Held = Mapping[Key, Entry]
Listener = tuple[int, int, int, int]  # balancer, family, protocol, first port as it is in the key

FILTER_FIELDS: Final = 1 + MAX_FILTERS  # of a port, at its end: how many, and which


def table_of(port: Entry) -> int:
    """The route table that a port has."""
    return int(PORT.unpack(port.value)[1])


def workload_of(port: Entry) -> tuple[object, ...]:
    """Whose a port is: all but the table it has and the filters it obeys."""
    network, _, *workload = PORT.unpack(port.value)[:-FILTER_FIELDS]
    return network, *workload


def network_of(key: Key, held: Held) -> int:
    """The network that an address, a door or a port is in."""
    if key[0] == "ports":
        return int(PORT.unpack(held[key].value)[0])
    return int(NUMBER.unpack_from(key[1])[0])


def port_filters(port: Entry) -> tuple[int, ...]:
    count, *filters = PORT.unpack(port.value)[-FILTER_FIELDS:]
    return tuple(filters[:count])


def address_filters(called: Entry) -> tuple[int, ...]:
    _, _, count, _, _, _, *filters = called_of(called)
    return tuple(filters[:count])


def way_of(called: Entry) -> Key:
    """The key of the forward that an address, a door or a route leads to."""
    return "forwards", NUMBER.pack(called_of(called)[3])


def called_of(called: Entry) -> tuple[Any, ...]:
    """What is called, as an address has it; a route begins with it."""
    return ADDRESS.unpack_from(called.value)


def pages_of(entry: Entry) -> Iterator[Key]:
    """The keys of a filter's pages."""
    count, version = FILTER.unpack(entry.value)
    for at in range((count + PAGE_RULES - 1) // PAGE_RULES):
        yield "rules", PAGE_KEY.pack(*FILTER_KEY.unpack(entry.key), version, at)


def listener_of(entry: Entry) -> Listener:
    """The listener that an entry of `listeners` or `servers` is part of."""
    if entry.map == "servers":
        return SERVER_KEY.unpack(entry.key)[:4]
    _, balancer, family, protocol, _ = LISTENER_KEY.unpack(entry.key)
    return balancer, family, protocol, LISTENER.unpack(entry.value)[1]
