"""What the command line asks of a suite."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, frozen=True):
    """How much is measured, and what of it; empty is everything."""

    rounds: int = 5
    seconds: float = 1.5  # of one measurement of traffic
    lanes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    endpoints: int = 10_000  # on the crowded node
