"""Writes that share a transaction: each stands for itself, and all wait for the one commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from privlink import errors
from privlink.store.database import Database, Transaction
from privlink.store.writer import Writer

Piece = Callable[[Transaction], Any]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with a table for names and one for what refers to them."""
    database = Database(f"sqlite:///{tmp_path}/privlink.db")
    with database.write() as tx:
        tx.execute(text("CREATE TABLE name (name TEXT PRIMARY KEY)"))
        tx.execute(
            text("CREATE TABLE said (name REFERENCES name(name) DEFERRABLE INITIALLY DEFERRED)")
        )
    yield database
    database.close()


def put(name: str) -> Piece:
    """Work that writes a name and returns it."""

    def work(tx: Transaction) -> str:
        tx.execute(text("INSERT INTO name VALUES (:name)"), {"name": name})
        return name

    return work


def fail_after(name: str) -> Piece:
    """Work that writes a name and then fails."""

    def work(tx: Transaction) -> None:
        put(name)(tx)
        raise errors.DryRunOperation

    return work


def run_sql(sql: str) -> Piece:
    """Work that is one statement."""
    return lambda tx: tx.execute(text(sql)).rowcount


def names(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.execute(text("SELECT name FROM name")).scalars())


def together(database: Database, *pieces: Piece, first: Piece | None = None) -> list[Any]:
    """Have pieces of work done in one transaction; their results and errors."""
    begun: list[str] = []

    async def submit() -> list[Any]:
        writer = Writer(database)
        held, go = threading.Event(), threading.Event()

        def hold(_tx: Transaction) -> None:
            held.set()
            assert go.wait(10)

        holding = writer.submit(hold)
        await asyncio.to_thread(held.wait, 10)
        waiting = [writer.submit(piece, first=first) for piece in pieces]
        event.listen(Engine, "begin", begin)
        go.set()
        await holding
        try:
            return await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            event.remove(Engine, "begin", begin)
            await asyncio.to_thread(writer.close)

    def begin(_connection: object) -> None:
        begun.append("begin")

    ended = asyncio.run(submit())
    assert begun == ["begin"]
    return ended


def test_what_waits_shares_a_transaction(database: Database) -> None:
    assert together(database, *(put(f"n{n}") for n in range(50))) == [f"n{n}" for n in range(50)]
    assert len(names(database)) == 50


def test_an_error_undoes_its_own_piece_and_no_other(database: Database) -> None:
    one, failed, two, twice = together(
        database, put("one"), fail_after("failed"), put("two"), put("one")
    )
    assert (one, two) == ("one", "two")
    assert isinstance(failed, errors.DryRunOperation)
    assert "UNIQUE" in str(twice)
    assert names(database) == {"one", "two"}


def test_what_comes_first_stays_when_the_work_fails(database: Database) -> None:
    count = iter(range(2))
    failed, beside = together(
        database,
        fail_after("failed"),
        put("beside"),
        first=lambda tx: put(f"nonce {next(count)}")(tx),
    )
    assert (type(failed), beside) == (errors.DryRunOperation, "beside")
    assert names(database) == {"nonce 0", "nonce 1", "beside"}


def test_there_is_no_work_when_what_comes_first_refuses(database: Database) -> None:
    def refuse(_tx: Transaction) -> None:
        raise errors.SignatureNonceUsed

    ended = together(database, put("one"), put("two"), first=refuse)
    assert all(isinstance(error, errors.SignatureNonceUsed) for error in ended)
    assert names(database) == set()


def test_nobody_is_told_of_success_when_the_commit_fails(database: Database) -> None:
    ended = together(database, put("one"), run_sql("INSERT INTO said VALUES ('nobody')"))
    assert all("FOREIGN KEY" in str(error) for error in ended)
    assert names(database) == set()


def test_nobody_is_told_of_success_when_the_database_undoes_everything(
    database: Database,
) -> None:
    undo = run_sql("INSERT OR ROLLBACK INTO name VALUES ('one')")
    ended = together(database, put("one"), undo)
    assert all(isinstance(error, Exception) for error in ended), ended
    assert names(database) == set()


def test_after_a_failure_the_writer_goes_on(database: Database) -> None:
    undo = run_sql("INSERT OR ROLLBACK INTO name VALUES ('one')")
    together(database, put("one"), undo)
    assert together(database, put("two")) == ["two"]
    assert names(database) == {"two"}


def test_alone_a_piece_of_work_is_done_undone_and_followed_like_any_other(
    database: Database,
) -> None:
    async def submit() -> list[Any]:
        writer = Writer(database)
        ended = [
            (await asyncio.gather(writer.submit(work, first=first), return_exceptions=True))[0]
            for work, first in (
                (put("one"), put("nonce one")),
                (fail_after("two"), put("nonce two")),
                (put("three"), refuse),
                (put("four"), None),
                (None, put("nonce five")),
            )
        ]
        await asyncio.to_thread(writer.close)
        return ended

    def refuse(_tx: Transaction) -> None:
        raise errors.SignatureNonceUsed

    one, two, three, four, five = asyncio.run(submit())
    assert (one, four, five) == ("one", "four", None)
    assert isinstance(two, errors.DryRunOperation)
    assert isinstance(three, errors.SignatureNonceUsed)
    assert names(database) == {"one", "nonce one", "nonce two", "four", "nonce five"}
