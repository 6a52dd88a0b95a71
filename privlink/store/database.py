"""The database: connections and transactions. Writers take turns; readers never wait for them.

SQLite runs in WAL mode. A commit is on disk before its answer leaves, except for those of nonces
alone: losing the last of those in a power cut is harmless, and a replay protection must not cost a
disk flush of its own. They share the log with everything else, so whoever moves the log into the
database file still flushes around that (synchronous=NORMAL); without, a power cut could tear the
file itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool


class Transaction(Connection):
    """An open transaction, as the rest of the house names it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        # The driver's own connection, for statements that are prepared.
        self.driver: Any = self.connection.driver_connection


class Database:
    """Transactions on one database."""

    def __init__(self, url: str) -> None:
        self._readers = _Connections(url, "BEGIN", synchronous="FULL")
        self._writer = _Connections(url, "BEGIN IMMEDIATE", synchronous="FULL", cache=32768)
        self._careless = _Connections(url, "BEGIN IMMEDIATE", synchronous="NORMAL")
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
        for connections in (self._readers, self._writer, self._careless):
            connections.close()


class _Connections:
    """Connections of one kind, kept open: to make one, or to check one, costs more than its use."""

    def __init__(self, url: str, begin: str, *, synchronous: str, cache: int = 2048) -> None:
        """`cache`: KiB of the database that each connection may keep in memory."""
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 512},
            hide_parameters=True,  # a failed statement is logged, and parameters may be secrets
        )
        self._idle: list[Transaction] = []

        @event.listens_for(self._engine, "connect")
        def _configure(connection: Any, _record: object) -> None:
            # The driver would begin transactions by itself, and only before the first write.
            connection.isolation_level = None
            for pragma in (
                "journal_mode=WAL",
                f"synchronous={synchronous}",
                "foreign_keys=ON",
                "temp_store=MEMORY",  # what a savepoint may have to bring back, in files else
                f"cache_size=-{cache}",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(self._engine, "begin")
        def _begin(connection: Transaction) -> None:
            connection.driver.execute(begin)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Transaction(self._engine)
        try:
            with connection.begin():
                yield connection
        finally:
            self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
