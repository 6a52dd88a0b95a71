"""What a suite says at its end: a table for the terminal, and a chart as SVG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import msgspec

_BAR, _GAP, _LEFT, _WIDTH = 22, 10, 300, 420


class Goal(msgspec.Struct, frozen=True):
    """Something that was asked for, and what there is; None where it could not be measured."""

    what: str
    value: float | None
    asked: float
    unit: str = ""
    at_most: bool = False  # else at least

    @property
    def reached(self) -> float:
        """The part of the goal that is reached; 1 and more is all of it."""
        if self.value is None:
            return 0.0
        return self.asked / self.value if self.at_most else self.value / self.asked

    def verdict(self) -> str:
        """Whether it is met, and by how much not."""
        if self.value is None:
            return "not measured"
        if self.reached >= 1:
            return "met"
        missed = abs(self.value - self.asked) / self.asked
        side = "above" if self.at_most else "below"
        return f"MISSED, {100 * missed:.1f} % {side}"

    def line(self) -> tuple[str, str, str, str]:
        """A line of the table of goals."""
        digits = 1 if self.unit in (" ms", " MB") else 2
        value = "-" if self.value is None else f"{self.value:.{digits}f}{self.unit}"
        limit = "at most" if self.at_most else "at least"
        return self.what, value, f"{limit} {self.asked:g}{self.unit}", self.verdict()


def goals(every: Sequence[Goal]) -> str:
    """The table of goals, and how many are met."""
    met = sum(goal.reached >= 1 for goal in every)
    lines = [goal.line() for goal in every]
    return f"{table(['goal', 'there is', 'asked', ''], lines)}\n{met} of {len(every)} goals met"


class Bar(msgspec.Struct, frozen=True):
    """One bar of a chart, and the goal it is held against."""

    label: str
    value: float
    goal: float | None = None
    unit: str = ""
    digits: int = 1


class Panel(msgspec.Struct, frozen=True):
    """Bars on one scale."""

    title: str
    bars: Sequence[Bar]


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Lines under heads: the first column to the left, the others to the right."""
    widths = [max(len(line[at]) for line in (heads, *lines)) for at in range(len(heads))]

    def row(line: Sequence[str]) -> str:
        first, *others = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join([first, *others]).rstrip()

    return "\n".join([row(heads), "  ".join("-" * width for width in widths), *map(row, lines)])


def write(file: Path, found: Any, held: Sequence[Goal]) -> None:
    """Write what was found as JSON, the goals it is held against, and the machine."""
    machine = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "kernel": os.uname().release,
        "processors": os.cpu_count(),
    }
    verdicts = [{**msgspec.to_builtins(goal), "verdict": goal.verdict()} for goal in held]
    document = msgspec.json.encode({"machine": machine, "found": found, "goals": verdicts})
    file.write_bytes(msgspec.json.format(document) + b"\n")


def draw(file: Path, panels: Sequence[Panel], columns: int = 1) -> None:
    """Write panels as an SVG file: one under the other, and so in each column."""
    rows = -(-len(panels) // columns)
    shapes: list[str] = []
    width, height = _LEFT + _WIDTH + 130, 0
    for column in range(columns):
        drawn, y = _column(panels[column * rows : (column + 1) * rows])
        shapes += [f'<g transform="translate({column * width} 0)">', *drawn, "</g>"]
        height = max(height, y + 10)
    style = "text{font:13px sans-serif;fill:#222}.title{font-weight:bold}"
    size = f'width="{columns * width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    ground = '<rect width="100%" height="100%" fill="white"/>'
    file.write_text("\n".join([head, f"<style>{style}</style>", ground, *shapes, "</svg>\n"]))


def _column(panels: Sequence[Panel]) -> tuple[list[str], int]:
    """Panels one under the other, and how far down they reach."""
    shapes: list[str] = []
    y = 10
    for panel in panels:
        y += 24
        shapes.append(f'<text x="10" y="{y}" class="title">{escape(panel.title)}</text>')
        y += 12
        largest = max((max(bar.value, bar.goal or 0) for bar in panel.bars), default=0)
        for bar in panel.bars:
            shapes += _bar(bar, y, _WIDTH / largest if largest else 0)
            y += _BAR + _GAP
    return shapes, y


def _bar(bar: Bar, y: int, scale: float) -> list[str]:
    length, baseline = bar.value * scale, y + 16
    shown = f"{bar.value:,.{bar.digits}f}{bar.unit}"
    shapes = [
        f'<text x="{_LEFT - 10}" y="{baseline}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" fill="#4a7fb5"/>',
        f'<text x="{_LEFT + length + 8:.1f}" y="{baseline}">{escape(shown)}</text>',
    ]
    if bar.goal is not None:
        x = _LEFT + bar.goal * scale
        shapes.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y + _BAR + 4}" '
            f'stroke="#c0392b" stroke-width="2"><title>the goal</title></line>'
        )
    return shapes
