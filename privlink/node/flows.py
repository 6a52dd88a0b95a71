"""Collecting the flows that are over, so that the table holds only conversations that go on.

A flow is two entries, one per direction, and goes when both say it may: each side's entry knows
only what that side has sent.
"""

from __future__ import annotations

import struct

from privlink.node.bpf import Map
from privlink.node.maps import FLOW, Flow, FlowKey

SECOND = 1_000_000_000  # ns

# Silence after which an entry may go, in ns.
ENDED = 10 * SECOND  # late retransmissions still find their way
HALF_OPEN = 60 * SECOND  # longer than any pause between two retransmissions of a SYN
ESTABLISHED = 7500 * SECOND  # RFC 5382 REQ-5: not before 2 hours 4 minutes

_LAST_SEEN = struct.Struct(f"=Q{FLOW.size - 8}x")


def expired(flow: Flow, now: int) -> bool:
    """Whether one direction of a flow has been silent for long enough; `now` as in `last_seen`."""
    if flow.ended:
        limit = ENDED
    elif flow.established:
        limit = ESTABLISHED
    else:
        limit = HALF_OPEN
    return now - flow.last_seen >= limit


def sweep(flows: Map, now: int) -> int:
    """Delete every flow that is over, both entries of each, and say how many flows that were.

    `now` is CLOCK_MONOTONIC in ns.
    """
    collected = 0
    for keys, values in flows.pages():
        for index, (last_seen,) in enumerate(_LAST_SEEN.iter_unpack(values)):
            if now - last_seen >= ENDED:  # cheap; most flows are younger than any limit
                start = index * flows.key_size
                collected += _collect(flows, keys[start : start + flows.key_size], now)
    return collected


def _collect(flows: Map, key: bytes, now: int) -> bool:
    # Read afresh: since the page was read, a SYN may have begun the conversation anew.
    value = flows.lookup(key)
    if value is None:
        return False
    flow = Flow.unpack(value)
    if not expired(flow, now):
        return False
    partner_key = flow.partner(FlowKey.unpack(key)).pack()
    partner = flows.lookup(partner_key)
    if partner is not None and not expired(Flow.unpack(partner), now):
        return False
    flows.delete(partner_key)
    return flows.delete(key)
