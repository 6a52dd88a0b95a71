"""The crowded node: privlink with many endpoints beside privlink with one, and what many cost."""

from __future__ import annotations

from pathlib import Path

from bench.options import Options


def run(output: Path, options: Options) -> None:
    """."""
