"""Measure the product: `make bench`, or `python -m bench [SUITE ...] [--rounds N]`.

A suite is a function that measures, prints what it found and draws it. Figures are ratios between
things that ran in turns in the same run, since machines differ and so do their hours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench import api

SUITES: dict[str, Callable[[Path, int], None]] = {
    "api": api.run,
}
OUTPUT = Path("build/bench")


def main() -> None:
    """Run the suites asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--rounds", type=int, default=5, help="at least 3; medians are shown")
    asked = parser.parse_args()
    if unknown := set(asked.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    if os.getuid() != 0:
        sys.exit("the bench takes root: it starts the server as `privlink up` does")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in asked.suites or SUITES:
        SUITES[name](OUTPUT, max(3, asked.rounds))


if __name__ == "__main__":
    main()
