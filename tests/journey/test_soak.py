"""A minute of `make soak`: everything it does but what takes longer by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOUND = 900  # seconds, of a minute's load and what waits for a slow machine, till it must hang


def test_a_minute_of_load_and_misfortune() -> None:
    command = [sys.executable, "-m", "tests.soak", "--minutes", "1", "--seed", "minute"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=BOUND, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("done\n")
