"""The database: connections and transactions. Writers take turns; readers never wait for them.

SQLite runs in WAL mode. A commit is on disk before its answer leaves, except for nonces: losing
the last of those in a power cut is harmless, and a replay protection must not cost a disk flush of
its own. They share the log with everything else, so whoever moves the log into the database file
still flushes around that (synchronous=NORMAL); without, a power cut could tear the file itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

# An open transaction, as the rest of the house names it.
Transaction = Connection


class Database:
    """Transactions on one database."""

    def __init__(self, url: str) -> None:
        self._readers = _engine(url, "BEGIN", synchronous="FULL", pool=8)
        self._writer = _engine(url, "BEGIN IMMEDIATE", synchronous="FULL", pool=1)
        self._careless = _engine(url, "BEGIN IMMEDIATE", synchronous="NORMAL", pool=1)
        # SQLite has one writer at a time, and waiting in its busy loop costs milliseconds.
        self._turn = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent picture of the database."""
        with self._readers.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction: all of it on disk at the end, or, if an error passes, none of it."""
        with self._turn, self._writer.begin() as connection:
            yield connection

    @contextmanager
    def write_carelessly(self) -> Iterator[Transaction]:
        """A transaction that survives a crash of ours; a power cut may undo the last of them."""
        with self._turn, self._careless.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        for engine in (self._readers, self._writer, self._careless):
            engine.dispose()


def _engine(url: str, begin: str, *, synchronous: str, pool: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 30},
        hide_parameters=True,  # a failed statement is logged, and parameters may be secrets
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself, and only before the first write.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Transaction) -> None:
        connection.exec_driver_sql(begin)

    return engine
