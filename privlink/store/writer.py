"""Writes of many requests in one transaction: they share its one commit, and its one flush to disk.

What arrives while a transaction is under way is in the next. Each piece of work stands for itself:
an error undoes that piece and no other. Nobody is told anything before the commit, so whatever was
answered is on disk; and if the commit fails, nobody is told that it was done.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from typing import Any

from privlink.errors import ApiError
from privlink.store.database import Database, Transaction

_MOST, _LONGEST = 64, 0.02  # pieces of work in one transaction; seconds before it takes no more


class _Piece:
    """Work, and who waits for it."""

    __slots__ = ("ended", "error", "first", "flush", "result", "work")

    def __init__(
        self,
        ended: asyncio.Future[Any],
        work: Callable[[Transaction], Any] | None,
        first: Callable[[Transaction], None] | None,
        flush: bool,
    ) -> None:
        self.ended, self.work, self.first, self.flush = ended, work, first, flush
        self.result: Any = None
        self.error: BaseException | None = None


class Writer:
    """The one thread that writes for requests."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: SimpleQueue[_Piece | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(
        self,
        work: Callable[[Transaction], Any] | None,
        *,
        first: Callable[[Transaction], None] | None = None,
        flush: bool = True,
    ) -> asyncio.Future[Any]:
        """Have work done; the future ends with its result, or its error, after the commit.

        `first` comes before the work, and what it writes stays if the work fails; if it fails,
        there is no work. Without `flush`, a power cut may undo what was answered.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()
        ended = asyncio.get_running_loop().create_future()
        self._waiting.put(_Piece(ended, work, first, flush))
        return ended

    def close(self) -> None:
        """Do what waits, and end."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        going_on = True
        while going_on:
            piece = self._waiting.get()
            if piece is None:
                return
            pieces = [piece]
            with suppress(Empty):
                while len(pieces) < _MOST:
                    piece = self._waiting.get_nowait()
                    if piece is None:
                        going_on = False
                        break
                    pieces.append(piece)
            while pieces:
                done = self._transact(pieces)
                _tell(done)
                pieces = pieces[len(done) :]

    def _transact(self, pieces: list[_Piece]) -> list[_Piece]:
        """Do the pieces there is time for, at least one, and commit."""
        if len(pieces) == 1:
            return self._transact_one(pieces)
        done: list[_Piece] = []
        until = time.monotonic() + _LONGEST
        flush = any(piece.flush for piece in pieces)
        try:
            with self._begin(flush=flush) as tx:
                for piece in pieces:
                    done.append(piece)
                    _do(tx, piece)
                    if time.monotonic() > until:
                        break
        except BaseException as error:
            for piece in done or pieces:
                piece.error = error
            return done or pieces
        return done

    def _transact_one(self, pieces: list[_Piece]) -> list[_Piece]:
        """Do one piece of work. Nothing else is to be kept if it fails, which spares SQLite from
        keeping a copy of every page as it was.
        """
        (piece,) = pieces
        is_first_done = False
        try:
            with self._begin(flush=piece.flush) as tx:
                if piece.first is not None:
                    piece.first(tx)
                    is_first_done = True
                if piece.work is not None:
                    piece.result = piece.work(tx)
        except BaseException as error:
            piece.error = error
            if piece.first is not None and is_first_done:
                try:
                    with self._begin(flush=False) as tx:
                        piece.first(tx)
                except BaseException as another:
                    piece.error = another
        return pieces

    def _begin(self, *, flush: bool) -> AbstractContextManager[Transaction]:
        return self._database.write() if flush else self._database.write_carelessly()


def _do(tx: Transaction, piece: _Piece) -> None:
    """Do one piece of work; raises only what ends the whole transaction."""
    execute = tx.driver.execute
    try:
        if piece.first is not None:
            piece.first(tx)
    except ApiError as error:
        piece.error = error
        return
    if piece.work is None:
        return
    execute("SAVEPOINT piece")
    try:
        piece.result = piece.work(tx)
    except Exception as error:
        piece.error = error
        execute("ROLLBACK TO piece")  # fails where SQLite has undone the whole transaction itself
    execute("RELEASE piece")


def _tell(pieces: list[_Piece]) -> None:
    """Wake those who wait, all at once."""

    def tell() -> None:
        for piece in pieces:
            if piece.ended.cancelled():
                continue
            if piece.error is None:
                piece.ended.set_result(piece.result)
            else:
                piece.ended.set_exception(piece.error)

    with suppress(RuntimeError):  # the loop has ended, and with it those who waited
        pieces[0].ended.get_loop().call_soon_threadsafe(tell)
