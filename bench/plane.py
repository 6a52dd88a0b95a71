"""The data plane: privlink beside a wire, a switch, and the other ways to join two networks.

All of them carry the same traffic, in turns, between a client and a server in network namespaces.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.lanes import LANES, TITLES
from bench.options import Options
from bench.report import Bar, Goal, Panel, draw, goals, table, write
from bench.traffic import Figure, Measured, figures, take

# Whom privlink is to be how many times as good as, and in what; None: in everything.
GOALS: tuple[tuple[str, float, tuple[str, ...] | None], ...] = (
    ("switch", 1.0, None),
    ("nftables", 1.3, ("connections", "udp")),
    ("haproxy", 2.0, ("tcp-1", "tcp-8", "requests")),
)


def run(output: Path, options: Options) -> None:
    """Measure, print and draw."""
    folder = Path(tempfile.mkdtemp(prefix="plane-", dir=output.resolve()))
    try:
        with ExitStack() as stack:
            lanes = []
            for name in options.lanes or LANES:
                print(f"building {TITLES[name]}", flush=True)
                lanes.append(stack.enter_context(LANES[name](folder)))
            measured = take(lanes, options.measures, options.rounds, options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _show(output, measured, options.lanes or tuple(LANES), figures(options.measures))


def _show(output: Path, measured: Measured, lanes: tuple[str, ...], shown: list[Figure]) -> None:
    lines = [
        (
            f"{figure.label}, {figure.unit}",
            *(figure.text(measured.median(lane, figure.name)) for lane in lanes),
        )
        for figure in shown
    ]
    found = list(_goals(measured, shown))
    print(f"\nmedians of {len(measured.rounds)} rounds\n")
    print(table(["", *(TITLES[lane] for lane in lanes)], lines))
    for complaint in measured.complaints():
        print(complaint)
    if found:
        print(f"\nratios are medians of the rounds' ratios\n\n{goals(found)}")
    write(output / "plane.json", measured, found)
    draw(output / "plane.svg", [_panel(measured, figure, lanes) for figure in shown], columns=2)
    print(f"\nthe chart: {output / 'plane.svg'}; every number: {output / 'plane.json'}")


def _goals(measured: Measured, shown: list[Figure]) -> Iterator[Goal]:
    lanes = measured.rounds[0].keys()
    for other, least, names in GOALS:
        for figure in shown:
            if {"privlink", other} <= lanes and (names is None or figure.name in names):
                what = f"privlink to {TITLES[other]}, {figure.label}"
                yield Goal(what, measured.ratio("privlink", other, figure.name), least, "x")


def _panel(measured: Measured, figure: Figure, lanes: tuple[str, ...]) -> Panel:
    """A figure of every lane; privlink's is held against the highest of its goals."""
    medians = {lane: measured.median(lane, figure.name) for lane in lanes}
    wanted = []
    for other, least, names in GOALS:
        value = medians.get(other)
        if value is not None and (names is None or figure.name in names):
            wanted.append(value / least if figure.less_is_better else value * least)
    goal = None
    if wanted:
        goal = min(wanted) if figure.less_is_better else max(wanted)
    better = "less" if figure.less_is_better else "more"
    bars = [
        Bar(
            TITLES[lane],
            value,
            goal if lane == "privlink" else None,
            f" {figure.unit}",
            figure.digits,
        )
        for lane, value in medians.items()
        if value is not None
    ]
    return Panel(f"{figure.label}: {better} is better", bars)
