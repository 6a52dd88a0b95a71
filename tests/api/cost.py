"""What a call costs the database: statements, and steps of SQLite's machine. Never time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Engine, event


class Cost(msgspec.Struct):
    """Counted while the server answers."""

    statements: int = 0
    steps: int = 0  # instructions of SQLite's virtual machine: they grow with the rows looked at


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what every database of this process does meanwhile."""
    cost = Cost()

    def step() -> int:
        cost.steps += 1
        return 0

    def statement(_text: str) -> None:
        cost.statements += 1

    def begin(connection: Any) -> None:
        driver = connection.connection.driver_connection
        driver.set_progress_handler(step, 1)
        driver.set_trace_callback(statement)

    def end(connection: Any) -> None:
        driver = connection.connection.driver_connection
        driver.set_progress_handler(None, 1)
        driver.set_trace_callback(None)

    event.listen(Engine, "begin", begin)
    event.listen(Engine, "commit", end)
    event.listen(Engine, "rollback", end)
    try:
        yield cost
    finally:
        event.remove(Engine, "begin", begin)
        event.remove(Engine, "commit", end)
        event.remove(Engine, "rollback", end)
