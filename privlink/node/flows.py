"""Collecting the flows that are over, so that the table holds only conversations that go on.

The agent walks the table, which only user space can do without holding up packets, and tells the
program which entries have been silent for longer than their state allows. The program looks again
and ends them: between its look and its deed are nanoseconds, not a walk (see `bpf/collect.h`).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from privlink.node.bpf import Map, Program
from privlink.node.maps import (
    DATAGRAM,
    FLOW_COUNT,
    FLOW_GLANCE,
    FLOW_KEY_GLANCE,
    SILENCE,
)

SECOND = 1_000_000_000  # ns

# Silence after which an entry may go, in ns.
ENDED = 10 * SECOND  # late retransmissions still find their way
HALF_OPEN = 60 * SECOND  # longer than any pause between two retransmissions of a SYN
HALF_OPEN_CROWDED = 10 * SECOND  # while the table is more than half full
ESTABLISHED = 7500 * SECOND  # RFC 5382 REQ-5: not before 2 hours 4 minutes
DATAGRAMS = 300 * SECOND  # RFC 4787 REQ-5: 5 minutes are recommended, 2 the least
PIECES = 30 * SECOND  # of a datagram; bpf/fragment.h waits no longer for the rest of one


def patience(protocol: int, *, ended: bool, established: bool, crowded: bool = False) -> int:
    """For how long, in ns, an entry in this state may be silent."""
    if ended:
        return ENDED
    if established:
        return DATAGRAMS if protocol == socket.IPPROTO_UDP else ESTABLISHED
    return HALF_OPEN_CROWDED if crowded else HALF_OPEN


def sweep(program: Program, now: int) -> int:
    """End every flow that is over at `now` (CLOCK_MONOTONIC, ns), and say how many that were.

    A table more than half full is walked a second time, with less patience for flows that never
    were established.
    """
    flows, collected = program.maps["flows"], 0
    for crowded in (False, True):
        walk = _Walk(flows, now, crowded=crowded)
        gone = program.collect(walk.silences())
        collected += gone
        if 2 * (walk.entries - 2 * gone) <= flows.max_entries:
            break
    _forget_counts(program)
    return collected


class _Walk:
    """One look at every entry of the table."""

    def __init__(self, flows: Map, now: int, *, crowded: bool) -> None:
        self.entries = 0
        self._flows = flows
        self._now = now
        self._crowded = crowded

    def silences(self) -> Iterator[bytes]:
        """The entries that have been silent for too long, each with since when at the least."""
        size = self._flows.key_size
        for keys, values in self._flows.pages():
            glances = zip(
                FLOW_GLANCE.iter_unpack(values), FLOW_KEY_GLANCE.iter_unpack(keys), strict=True
            )
            for at, ((last_seen, *state), (protocol,)) in enumerate(glances):
                self.entries += 1
                # Cheapest first: most flows are younger than any limit.
                if self._now - last_seen < ENDED:
                    continue
                since = self._now - self._patience(protocol, *state)
                if last_seen <= since:
                    yield SILENCE.pack(keys[at * size : (at + 1) * size], since)

    def _patience(
        self, protocol: int, established: bool, client_over: bool, server_over: bool, reset: bool
    ) -> int:
        ended = reset or (client_over and server_over)
        return patience(protocol, ended=ended, established=established, crowded=self._crowded)


def sweep_pieces(fragments: Map, now: int) -> int:
    """Delete datagrams whose rest nobody waits for any more, and say how many that were."""
    return fragments.delete_many(
        [key for key, value in fragments.dump() if now - DATAGRAM.unpack(value)[0] >= PIECES]
    )


def _forget_counts(program: Program) -> None:
    """Drop the counts of forwards that are gone, once nothing is left to be counted."""
    forwards, counts = program.maps["forwards"], program.maps["flow_counts"]
    done = [key for key, value in counts.dump() if FLOW_COUNT.unpack(value)[0] <= 0]
    counts.delete_many([key for key in done if forwards.lookup(key) is None])
