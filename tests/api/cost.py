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

    def before(connection: Any, *_: object) -> None:
        cost.statements += 1
        connection.connection.driver_connection.set_progress_handler(step, 1)

    def after(connection: Any, *_: object) -> None:
        connection.connection.driver_connection.set_progress_handler(None, 1)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "commit", after)
    event.listen(Engine, "rollback", after)
    try:
        yield cost
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "commit", after)
        event.remove(Engine, "rollback", after)
