"""What becomes of the entries of an older layout of the maps in the present one.

A layout is how entries are laid out, and has a number (`maps.LAYOUT`). What follows from items is
put anew from the feed; only what the program itself has made is converted here: flows. A layout
that changes has to get a row in `OLDER`, its flows' format and a converter to the present one.

Pure: bytes in, bytes out. What an old entry does not say is looked up among the new entries.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from privlink.node.program.maps import (
    ADDRESS,
    ADDRESS_KEY,
    FLOW,
    FLOW_KEY,
    FORWARD,
    LISTENER,
    LISTENER_KEY,
    LISTENER_PREFIX,
    MAPPED,
    NUMBER,
    TARGET_KEY,
    Cause,
    Family,
    Flow,
)

# The value of a key in a map of the present layout, or None.
Find = Callable[[str, bytes], bytes | None]

IDLE_TCP: Final = 900  # seconds, where neither forward nor listener says: as a listener's default
IDLE_UDP: Final = 60

_FLOW_FIRST: Final = struct.Struct("=QII16s16sHH6s6sIIIIIBBBBBBBBI")

_LATER: Final = 10_000_000_000  # ns from which on an entry is written for being seen later alone
_LAST_SEEN: Final = struct.Struct("=Q")


class Layout(NamedTuple):
    """An older layout: the sizes of its flows' keys and values, and how they are converted."""

    key_size: int
    value_size: int
    convert: Callable[[bytes, bytes, Find], bytes]


class _First(NamedTuple):
    """A flow of layout 1."""

    last_seen: int
    forward: int
    ifindex: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    destination_mac: bytes
    source_mac: bytes
    address_difference: int
    port_difference: int
    partner_network: int
    epoch: int
    taken: int
    peer: int
    reverse: int
    established: int
    client_finished: int
    server_finished: int
    reset: int
    revoked: int
    acknowledged: int
    last: int


class _Rests(NamedTuple):
    """What a flow rests on in the present layout."""

    place: int
    balancer: int
    listener: int  # its first port, as in a packet
    idle: int
    pace: int
    any_port: bool


def _from_first(key: bytes, value: bytes, find: Find) -> bytes:
    """A flow of layout 1.

    It counts as opened when it was last seen, its packets from 0. It is of epoch 0, so that it is
    held against the rules at its next packet; one whose forward or server is not there any more is
    brought all the same, so that both its sides are told by then.
    """
    old = _First._make(_FLOW_FIRST.unpack(value))
    rests = _rests(key, old, find)
    return FLOW.pack(
        old.last_seen,
        old.last_seen,
        0,
        0,
        *old[1:12],
        0,
        0,  # whoever took it to end it did so by now
        *rests,
        False,
        old.peer,
        old.reverse,
        old.established,
        old.client_finished,
        old.server_finished,
        Cause.CLIENT_RESET if old.reset else 0,  # it did not say by whom
        Cause.NO_LONGER_PERMITTED if old.revoked else 0,
        old.acknowledged,
        old.last,
    )


def _rests(key: bytes, flow: _First, find: Find) -> _Rests:
    network, source, called, source_port, called_port, protocol = FLOW_KEY.unpack(key)
    server, server_port = flow.destination, flow.destination_port
    if flow.reverse:
        server, server_port = source, source_port
        network, called, called_port = flow.partner_network, flow.source, flow.source_port
    address = find("addresses", ADDRESS_KEY.pack(network, called))
    place, balancer = ADDRESS.unpack(address)[4:6] if address else (0, 0)
    tcp = protocol == socket.IPPROTO_TCP
    default = IDLE_TCP if tcp else IDLE_UDP
    forward = find("forwards", NUMBER.pack(flow.forward))
    if forward is None:
        return _Rests(place, 0, called_port, default, 0, any_port=False)
    idle_tcp, idle_udp, pace, _ = FORWARD.unpack(forward)[-4:]
    family = Family.IPV4 if called.startswith(MAPPED) else Family.IPV6
    head = (balancer, family, protocol)
    listener = find("listeners", LISTENER_KEY.pack(LISTENER_PREFIX, *head, called_port))
    first, idle = LISTENER.unpack(listener)[1:3] if listener else (called_port, 0)
    return _Rests(
        place,
        balancer,
        first,
        (idle_tcp if tcp else idle_udp) or idle or default,
        pace + flow.reverse if pace else 0,
        any_port=find("targets", TARGET_KEY.pack(*head, first, server, server_port)) is None
        and find("targets", TARGET_KEY.pack(*head, first, server, 0)) is not None,
    )


_AT: Final = {name: at for at, name in enumerate(Flow._fields)}


def _from_second(key: bytes, value: bytes, find: Find) -> bytes:
    """A flow of layout 2, which is one of the present layout.

    What it leads through has another form, so it is of epoch 0, too. Its server's flows are not
    moved: it counts among them no more.
    """
    flow = list(FLOW.unpack(value))
    for name in ("epoch", "taken", "loaded"):
        flow[_AT[name]] = 0
    return FLOW.pack(*flow)


OLDER: Final[Mapping[int, Layout]] = {
    1: Layout(FLOW_KEY.size, _FLOW_FIRST.size, _from_first),
    2: Layout(FLOW_KEY.size, FLOW.size, _from_second),
}

_SAME: Final = tuple(
    _AT[name]
    for name in (
        "forward", "source", "destination", "source_port", "destination_port", "partner_network",
        "reverse",
    )
)  # fmt: skip
_SEEN: Final = tuple(
    _AT[name]
    for name in (
        "established", "client_finished", "server_finished", "reset", "revoked", "acknowledged",
        "last",
    )
)  # fmt: skip


def same_flow(one: bytes, other: bytes) -> bool:
    """Whether two values of one key, in the present layout, are of one flow."""
    mine, its = FLOW.unpack(one), FLOW.unpack(other)
    return all(mine[at] == its[at] for at in _SAME)


def merged(held: bytes, brought: bytes) -> bytes:
    """The entry that is held, with what the old program has seen of the same flow beside it.

    What has been seen stays seen. An entry opened after the old program's last packet is another
    flow, of which that knows nothing.
    """
    mine, its = list(FLOW.unpack(held)), FLOW.unpack(brought)
    seen = its[_AT["last_seen"]]
    if seen < mine[_AT["opened"]]:
        return held
    if seen > mine[_AT["last_seen"]] + _LATER:
        mine[_AT["last_seen"]] = seen
    for at in _SEEN:
        mine[at] = mine[at] or its[at]
    return FLOW.pack(*mine)


def owner(value: bytes) -> int | None:
    """The number of the forward that a flow counts for; None for a server's answers."""
    flow = FLOW.unpack(value)
    return None if flow[_AT["reverse"]] else int(flow[_AT["forward"]])


def partner_key(key: bytes, value: bytes) -> bytes:
    """The key of the other direction's entry, of a value in the present layout."""
    flow = FLOW.unpack(value)
    return FLOW_KEY.pack(
        flow[_AT["partner_network"]],
        flow[_AT["destination"]],
        flow[_AT["source"]],
        flow[_AT["destination_port"]],
        flow[_AT["source_port"]],
        FLOW_KEY.unpack(key)[5],
    )


def last_seen(value: bytes) -> int:
    """When a direction had its last packet, in ns of CLOCK_MONOTONIC; first in any layout."""
    return int(_LAST_SEEN.unpack_from(value)[0])
