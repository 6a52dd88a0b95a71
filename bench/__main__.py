"""Measure the product: `make bench`, or `python -m bench [SUITE ...] [--rounds N] ...`.

A suite is a function that measures, prints what it found and draws it. Figures are ratios between
things that ran in turns in the same run, since machines differ and so do their hours.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from bench import api, bandwidth, names, plane, scale
from bench.lanes import LANES
from bench.options import Options
from bench.traffic import MEASURES

SUITES: dict[str, Callable[[Path, Options], None]] = {
    "api": api.run,
    "plane": plane.run,
    "scale": scale.run,
    "bandwidth": bandwidth.run,
    "names": names.run,
}
OUTPUT = Path("build/bench")


def main() -> None:
    """Run the suites asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--rounds", type=int, default=5, help="at least 3; medians are shown")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measurement of traffic")
    parser.add_argument("--paths", default="", help=f"of plane, commas between: {','.join(LANES)}")
    parser.add_argument("--measures", default="", help=f"of traffic: {','.join(MEASURES)}")
    parser.add_argument("--endpoints", type=int, default=10_000, help="of scale and names")
    asked = parser.parse_args()
    options = Options(
        rounds=max(3, asked.rounds),
        seconds=asked.seconds,
        lanes=_chosen(parser, asked.paths, LANES),
        measures=_chosen(parser, asked.measures, MEASURES),
        endpoints=asked.endpoints,
    )
    _chosen(parser, ",".join(asked.suites), SUITES)
    if os.getuid() != 0:
        sys.exit("the bench takes root: it makes network namespaces and runs `privlink up`")
    # What a suite has made goes as the stack unwinds, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in asked.suites or SUITES:
        SUITES[name](OUTPUT, options)


def _chosen(parser: argparse.ArgumentParser, names: str, known: Collection[str]) -> tuple[str, ...]:
    chosen = tuple(name for name in names.split(",") if name)
    if unknown := set(chosen) - set(known):
        parser.error(f"no such thing: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return chosen


if __name__ == "__main__":
    main()
