"""Log lines on standard error: those of one round of the event loop are written together."""

from __future__ import annotations

import asyncio
import logging
import sys


class Lines(logging.Handler):
    """Writes a line at once outside the event loop, and inside when the loop's round is done."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record) + "\n"
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            _write(line)
            return
        if not self._waiting:
            loop.call_soon(self._write_all)
        self._waiting.append(line)

    def flush(self) -> None:
        """Write what waits; the logging module asks for it when the process ends."""
        if self._waiting:
            self._write_all()

    def _write_all(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        _write(text)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
