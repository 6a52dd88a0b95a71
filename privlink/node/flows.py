"""Ending flows: those that are over, so that the table holds only conversations that go on, and
those whose forward, server, door or route is gone, so that both sides hear of it at once.

The agent walks the table, which only user space can do without holding up packets, and tells the
program which entries it means. The program looks again and acts: between its look and its deed are
nanoseconds, not a walk (see `bpf/collect.h`).
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

import msgspec

from privlink.node.program.bpf import Map, Program
from privlink.node.program.maps import (
    COUNT,
    DATAGRAM,
    DOOR_KEY,
    FLOW_GLANCE,
    FLOW_KEY_GLANCE,
    LOAD,
    MAPPED,
    PORT,
    ROUTE_KEY,
    SILENCE,
    TARGET_KEY,
    Family,
)
from privlink.node.reconcile import Plan

SECOND = 1_000_000_000  # ns
_TCP = socket.IPPROTO_TCP

# Silence after which an entry may go, in ns. One that is established has its service's patience.
ENDED = 10 * SECOND  # late retransmissions still find their way
HALF_OPEN = 60 * SECOND  # longer than any pause between two retransmissions of a SYN
HALF_OPEN_CROWDED = 10 * SECOND  # while the table is more than half full
PIECES = 30 * SECOND  # of a datagram; bpf/fragment.h waits no longer for the rest of one

# Of a flow's key: network, destination, its port, protocol. Of its value: forward, destination,
# destination port, balancer, first port of the listener, any_port, reverse.
_KEY_ENDS = struct.Struct("=I16x16s2xHB3x")
_VALUE_ENDS = struct.Struct("=32xI20x16s2xH36xIH4xBxxB10x")


class Gone(msgspec.Struct, frozen=True):
    """What is in the kernel no more, or leads elsewhere: by its key there, but for routes."""

    forwards: frozenset[bytes] = frozenset()
    targets: frozenset[bytes] = frozenset()
    doors: frozenset[bytes] = frozenset()
    tables: frozenset[int] = frozenset()  # whose routes came, went or turned
    networks: frozenset[int] = frozenset()  # where ports have other tables, perhaps

    @classmethod
    def among(cls, plan: Plan) -> Gone:
        """What flows may have rested on, of all that a plan changed."""
        deleted, put = (*plan.shut, *plan.clear), (*plan.put, *plan.open)
        shut = {(entry.map, entry.key) for entry in plan.shut}
        turned = [e for e in put if (e.map, e.key) in shut] + list(plan.put)
        routes = (entry for entry in (*deleted, *put) if entry.map == "routes")
        return cls(
            frozenset(entry.key for entry in deleted if entry.map == "forwards"),
            frozenset(entry.key for entry in deleted if entry.map == "targets"),
            frozenset(entry.key for entry in (*deleted, *turned) if entry.map == "doors"),
            frozenset(ROUTE_KEY.unpack(entry.key)[1] for entry in routes),
            frozenset(PORT.unpack(entry.value)[0] for entry in turned if entry.map == "ports"),
        )

    def __bool__(self) -> bool:
        return self != Gone()

    def __or__(self, other: Gone) -> Gone:
        return Gone(
            self.forwards | other.forwards,
            self.targets | other.targets,
            self.doors | other.doors,
            self.tables | other.tables,
            self.networks | other.networks,
        )


class Silence(NamedTuple):
    """An entry, since when it has been silent at least, and whether both sides are to be told."""

    key: bytes
    since: int
    told: bool

    def pack(self) -> bytes:
        return SILENCE.pack(self.key, self.since)


def patience(
    protocol: int, idle: int, *, over: bool, established: bool, crowded: bool = False
) -> int:
    """For how long, in ns, an entry in this state may be silent. `idle` is in seconds."""
    if over:
        return ENDED
    if established:
        return idle * SECOND
    half_open = HALF_OPEN_CROWDED if crowded else HALF_OPEN
    return half_open if protocol == socket.IPPROTO_TCP else min(half_open, idle * SECOND)


def sweep(program: Program, now: int) -> tuple[int, list[Silence]]:
    """Collect every flow that is over at `now` (CLOCK_MONOTONIC, ns): how many that were.

    Both sides of a TCP connection that was silent for too long, or that was ended under one of
    them, are told, if this is called in the namespace of the fabric; these flows are returned, to
    be collected in a moment. A table more than half full is walked a second time, with less
    patience for flows that never were established.
    """
    flows, collected, told = program.maps["flows"], 0, list[Silence]()
    for crowded in (False, True):
        walk = _Walk(flows, now, crowded=crowded)
        found = list(walk.silences())
        gone = program.collect(each.pack() for each in found if not each.told)
        told += _cut(program, (each for each in found if each.told), now)
        collected += gone
        if 2 * (walk.entries - 2 * gone) <= flows.max_entries:
            break
    _forget_counts(program)
    return collected, told


def cut(program: Program, gone: Gone, now: int) -> list[Silence]:
    """End the flows that rested on what is gone, and have both sides told.

    To be called in the fabric's namespace. Returns what is to be collected in a moment.
    """
    networks = gone.networks | _networks(program.maps["ports"], gone.tables)
    resting = list(_resting_on(program.maps["flows"], gone, networks))
    # None of them is to end for its silence: the program looks whether it is still led.
    return list(_cut(program, (Silence(key, 0, told=True) for key in resting), now))


def _networks(ports: Map, tables: frozenset[int]) -> set[int]:
    """Where these route tables hold."""
    of_ports = (PORT.unpack(value)[:2] for _, value in ports.dump()) if tables else ()
    return {network for network, table in of_ports if table in tables}


def _cut(program: Program, silences: Iterable[Silence], now: int) -> Iterator[Silence]:
    """Cut flows; those whose sides have to hear of it come back, silent since now."""
    for each in silences:
        if program.cut(each.pack()) and FLOW_KEY_GLANCE.unpack(each.key) == (_TCP,):
            yield Silence(each.key, now, told=False)


def _resting_on(flows: Map, gone: Gone, networks: Set[int]) -> Iterator[bytes]:
    """The entries of what clients send that may have no forward, target, door or route any more.

    A flow that a route leads goes where its client called, to no balancer's server.
    """
    for keys, values in flows.pages():
        ends = zip(_KEY_ENDS.iter_unpack(keys), _VALUE_ENDS.iter_unpack(values), strict=True)
        for at, ((network, called, to, protocol), value) in enumerate(ends):
            forward, address, port, balancer, first, any_port, reverse = value
            if reverse:
                continue
            family = Family.IPV4 if address.startswith(MAPPED) else Family.IPV6
            target = TARGET_KEY.pack(
                balancer, family, protocol, first, address, 0 if any_port else port
            )
            if (
                forward.to_bytes(4, sys.byteorder) in gone.forwards
                or target in gone.targets
                or (not balancer and network in networks)
                or (gone.doors and DOOR_KEY.pack(network, called, to, protocol) in gone.doors)
            ):
                yield keys[at * flows.key_size : (at + 1) * flows.key_size]


class _Walk:
    """One look at every entry of the table."""

    def __init__(self, flows: Map, now: int, *, crowded: bool) -> None:
        self.entries = 0
        self._flows = flows
        self._now = now
        self._crowded = crowded

    def silences(self) -> Iterator[Silence]:
        """The entries that have been silent for too long."""
        size = self._flows.key_size
        for keys, values in self._flows.pages():
            glances = zip(
                FLOW_GLANCE.iter_unpack(values), FLOW_KEY_GLANCE.iter_unpack(keys), strict=True
            )
            for at, (glance, (protocol,)) in enumerate(glances):
                self.entries += 1
                last_seen, idle, reverse, established, *ends, reset, revoked = glance
                # Cheapest first: most flows are younger than any limit.
                if self._now - last_seen < min(ENDED, idle * SECOND):
                    continue
                finished = bool(reset or all(ends))
                since = self._now - patience(
                    protocol,
                    idle,
                    over=finished or bool(revoked),
                    established=established,
                    crowded=self._crowded,
                )
                if last_seen <= since:
                    # Of one that is under way, the client's entry speaks for both.
                    ending = revoked or (established and not reverse)
                    told = bool(protocol == _TCP and ending and not finished)
                    yield Silence(keys[at * size : (at + 1) * size], since, told)


def sweep_pieces(fragments: Map, now: int) -> int:
    """Delete datagrams whose rest nobody waits for any more, and say how many that were."""
    return fragments.delete_many(
        [key for key, value in fragments.dump() if now - DATAGRAM.unpack(value)[0] >= PIECES]
    )


def _forget_counts(program: Program) -> None:
    """Drop the counts of forwards and of targets that are gone, once nothing is left to count."""
    for name, of, form, field in (
        ("counts", "forwards", COUNT, 1),
        ("loads", "targets", LOAD, 0),
    ):
        counts, living = program.maps[name], program.maps[of]
        done = [key for key, value in counts.dump() if form.unpack(value)[field] <= 0]
        counts.delete_many([key for key in done if living.lookup(key) is None])
