"""How counters grow: what came since the last time, whatever was repeated, lost or overtaken."""

from __future__ import annotations

from privlink.model.traffic import NOTHING, Amount, Both, Counters, Usage


def growth(now: Counters, last: Counters) -> Counters | None:
    """What was counted between two states of the same counters, without what never happened.

    None if `now` is the older of the two: none of its numbers may be smaller.
    """
    grown = Counters(
        _less(now.carried, last.carried),
        _less(now.dropped, last.dropped),
        now.opened - last.opened,
        now.unsaid - last.unsaid,
        {
            cause: now.ended.get(cause, 0) - last.ended.get(cause, 0)
            for cause in now.ended | last.ended
        },
        {
            reason: _less(now.refused.get(reason, NOTHING), last.refused.get(reason, NOTHING))
            for reason in now.refused | last.refused
        },
        _less(now.shaped, last.shaped),
        _less(now.released, last.released),
    )
    return grown if _least(grown) >= 0 else None


def total(one: Counters, other: Counters) -> Counters:
    """What two counters have counted together."""
    return Counters(
        _sum(one.carried, other.carried),
        _sum(one.dropped, other.dropped),
        one.opened + other.opened,
        one.unsaid + other.unsaid,
        {
            cause: one.ended.get(cause, 0) + other.ended.get(cause, 0)
            for cause in one.ended | other.ended
        },
        {
            reason: _sum(one.refused.get(reason, NOTHING), other.refused.get(reason, NOTHING))
            for reason in one.refused | other.refused
        },
        _sum(one.shaped, other.shaped),
        _sum(one.released, other.released),
    )


def usage(grown: Counters) -> Usage:
    """What bills and metrics keep of it."""
    (carried_in, carried_out), (dropped_in, dropped_out) = grown.carried, grown.dropped
    return Usage(
        bytes_in=carried_in.bytes,
        bytes_out=carried_out.bytes,
        packets_in=carried_in.packets,
        packets_out=carried_out.packets,
        dropped_bytes_in=dropped_in.bytes,
        dropped_bytes_out=dropped_out.bytes,
        dropped_packets_in=dropped_in.packets,
        dropped_packets_out=dropped_out.packets,
        flows=grown.opened,
    )


def _less(now: Both, last: Both) -> Both:
    return (
        Amount(now[0].packets - last[0].packets, now[0].bytes - last[0].bytes),
        Amount(now[1].packets - last[1].packets, now[1].bytes - last[1].bytes),
    )


def _sum(one: Both, other: Both) -> Both:
    return (
        Amount(one[0].packets + other[0].packets, one[0].bytes + other[0].bytes),
        Amount(one[1].packets + other[1].packets, one[1].bytes + other[1].bytes),
    )


def _least(grown: Counters) -> int:
    least = min(grown.opened, grown.unsaid, *grown.ended.values())
    both = (grown.carried, grown.dropped, grown.shaped, grown.released, *grown.refused.values())
    for there, back in both:
        least = min(least, there.packets, there.bytes, back.packets, back.bytes)
    return least
