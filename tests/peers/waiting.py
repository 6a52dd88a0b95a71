"""Waiting for what is to come true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PATIENCE = 30.0  # seconds


def until(condition: Callable[[], bool], what: str = "") -> None:
    """Wait until a condition holds."""
    end, pause = time.monotonic() + _PATIENCE, threading.Event()
    while not condition():
        assert time.monotonic() < end, what or "it did not come true"
        pause.wait(0.02)
