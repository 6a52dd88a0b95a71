"""Collecting the flows that are over, so that the table holds only conversations that go on.

A flow is two entries, one per direction, and goes when both say it may: each side's entry knows
only what that side has sent. Whoever walks the whole table also knows how many flows each forward
has, and says so: the program's own count is right to within what it made since the last walk, so
neither a flow that was lost nor an agent that was away leaves it wrong for longer.
"""

from __future__ import annotations

import socket
from collections import Counter
from typing import NamedTuple

from privlink.node.bpf import Map
from privlink.node.maps import (
    DATAGRAM,
    FLOW_COUNT,
    FLOW_GLANCE,
    FLOW_KEY_GLANCE,
    NUMBER,
    Flow,
    FlowKey,
)

SECOND = 1_000_000_000  # ns

# Silence after which an entry may go, in ns.
ENDED = 10 * SECOND  # late retransmissions still find their way
HALF_OPEN = 60 * SECOND  # longer than any pause between two retransmissions of a SYN
HALF_OPEN_CROWDED = 10 * SECOND  # while the table is more than half full
ESTABLISHED = 7500 * SECOND  # RFC 5382 REQ-5: not before 2 hours 4 minutes
DATAGRAMS = 300 * SECOND  # RFC 4787 REQ-5: 5 minutes are recommended, 2 the least
PIECES = 30 * SECOND  # of a datagram; bpf/fragment.h waits no longer for the rest of one


class _Walk(NamedTuple):
    """What one look at every entry came to."""

    entries: int
    collected: int
    living: Counter[int]  # flows by forward


def expired(flow: Flow, protocol: int, now: int, *, crowded: bool = False) -> bool:
    """Whether one direction of a flow has been silent for long enough; `now` as in `last_seen`."""
    patience = _patience(protocol, flow.ended, flow.established, crowded)
    return now - flow.last_seen >= patience


def _patience(protocol: int, ended: bool, established: bool, crowded: bool) -> int:
    if ended:
        return ENDED
    if established:
        return DATAGRAMS if protocol == socket.IPPROTO_UDP else ESTABLISHED
    return HALF_OPEN_CROWDED if crowded else HALF_OPEN


def sweep(flows: Map, counts: Map, now: int) -> int:
    """Delete every flow that is over, say how many that were, and set the counts of the rest.

    `now` is CLOCK_MONOTONIC in ns. A table more than half full is walked a second time, with less
    patience for flows that never were established.
    """
    collected = 0
    for crowded in (False, True):
        before = dict(counts.dump())
        walk = _walk(flows, now, crowded=crowded)
        collected += walk.collected
        if 2 * (walk.entries - 2 * walk.collected) <= flows.max_entries:
            break
    _recount(counts, before, walk.living)
    return collected


def _walk(flows: Map, now: int, *, crowded: bool) -> _Walk:
    entries = collected = 0
    living: Counter[int] = Counter()
    for keys, values in flows.pages():
        glances = zip(
            FLOW_GLANCE.iter_unpack(values), FLOW_KEY_GLANCE.iter_unpack(keys), strict=True
        )
        for index, (glance, (protocol,)) in enumerate(glances):
            last_seen, forward, reverse, established, client_finished, server_finished, ended = (
                glance
            )
            entries += 1
            silence = now - last_seen
            ended = ended or (client_finished and server_finished)
            # Cheapest first: most flows are younger than any limit.
            if silence >= ENDED and silence >= _patience(protocol, ended, established, crowded):
                start = index * flows.key_size
                gone = _collect(flows, keys[start : start + flows.key_size], now, crowded)
                if gone is not False:
                    collected += gone or 0
                    continue
            if not reverse:
                living[forward] += 1
    return _Walk(entries, collected, living)


def _collect(flows: Map, key: bytes, now: int, crowded: bool) -> bool | None:
    """Delete the flow of an entry if it is over: whether it was, None if it had gone before."""
    # Read afresh: since the page was read, a SYN may have begun the conversation anew.
    value = flows.lookup(key)
    if value is None:
        return None
    flow, ours = Flow.unpack(value), FlowKey.unpack(key)
    if not expired(flow, ours.protocol, now, crowded=crowded):
        return False
    partner_key = flow.partner(ours)
    value = flows.lookup(partner_key.pack())
    partner = None if value is None else Flow.unpack(value)
    # Another flow may have claimed that place since: see find_partner in bpf/flow.h.
    if partner and partner.forward == flow.forward and partner.partner(partner_key).pack() == key:
        if not expired(partner, ours.protocol, now, crowded=crowded):
            return False
        flows.delete(partner_key.pack())
    return flows.delete(key) or None


def sweep_pieces(fragments: Map, now: int) -> int:
    """Delete datagrams whose rest nobody waits for any more, and say how many that were."""
    return fragments.delete_many(
        [key for key, value in fragments.dump() if now - DATAGRAM.unpack(value)[0] >= PIECES]
    )


def _recount(counts: Map, before: dict[bytes, bytes], living: Counter[int]) -> None:
    """Set each forward's count to what was seen, and what the program made during the walk.

    A flow made meanwhile may have been seen as well: till the next walk the count is then too high,
    which is the safe side. Too low it is by what the program makes between reading and writing.
    """
    after = dict(counts.dump())
    puts, gone = [], []
    for key in after.keys() | {NUMBER.pack(forward) for forward in living}:
        made = _number(after.get(key)) - _number(before.get(key))
        number = living[NUMBER.unpack(key)[0]] + max(made, 0)
        if not number:
            gone.append(key)
        elif number != _number(after.get(key)):
            puts.append((key, FLOW_COUNT.pack(number)))
    counts.update_many(puts)
    counts.delete_many(gone)


def _number(count: bytes | None) -> int:
    return 0 if count is None else int(FLOW_COUNT.unpack(count)[0])
