"""Questions that come by TCP (RFC 7766): each with its length before it, many on one connection.

Answers are sent in the order in which they are there. A connection in which nothing is asked ends
after a while, one whose client does not take its answers is not read from, and nobody has so many
that there is none for others.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import Final

from privlink.dns.sockets.fair import Shares
from privlink.dns.sockets.loop import READ, WRITE, Loop
from privlink.dns.sockets.outcome import Answering

MOST_CONNECTIONS: Final = 1024  # of the process, and of one client what is fair
IDLE_SECONDS: Final = 10.0  # in which a whole question has to come, or something of an answer to go
_ACCEPTED: Final = 16  # in one turn
_CHUNK: Final = 4096  # bytes read in one turn
_LONGEST_QUESTION: Final = 4096
_MOST_UNSENT: Final = 65536  # bytes of answers that the client has not taken; then no more is read
_MOST_PENDING: Final = 32  # questions passed on to others, likewise


class Streams:
    """A listening socket and its connections."""

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        answering: Answering,
        shares: Shares,
        refused: Callable[[], None],
        idle: float = IDLE_SECONDS,
    ) -> None:
        self.answering = answering
        self.idle = idle
        self._loop = loop
        self._socket = sock
        self._shares = shares
        self._refused = refused
        self._connections: set[Connection] = set()
        sock.setblocking(False)
        loop.watch(sock.fileno(), READ, self._accept)
        loop.every(idle / 4, self._end_idle)

    def __len__(self) -> int:
        return len(self._connections)

    def gone(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)
        self._shares.give_back(connection.holder)

    def _accept(self, _: int) -> None:
        for _ in range(_ACCEPTED):
            try:
                sock, (address, *_) = self._socket.accept()
            except OSError:  # nobody is there any more, or no descriptor is left
                return
            if not self._shares.take(address):
                self._refused()
                sock.close()
                continue
            sock.setblocking(False)
            with suppress(OSError):  # it is over already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(Connection(self, self._loop, sock, address))

    def _end_idle(self) -> None:
        now = time.monotonic()
        for connection in [each for each in self._connections if each.expires <= now]:
            connection.close()


class Connection:
    """A client's connection."""

    def __init__(self, streams: Streams, loop: Loop, sock: socket.socket, address: str) -> None:
        self.expires = time.monotonic() + streams.idle
        self._streams = streams
        self._loop = loop
        self._socket = sock
        self._address = address
        self._unread = bytearray()
        self._unsent = bytearray()
        self._series: Iterator[bytes] | None = None  # an answer of several messages
        self._pending = 0  # answers that will come later
        self._ended = False  # the client asks nothing more
        self._closed = self._working = False
        self._events = READ
        loop.watch(sock.fileno(), READ, self._handle)

    @property
    def holder(self) -> Hashable:
        """Whose connection it is, when connections are shared out."""
        return self._address

    def close(self) -> None:
        """End it."""
        if not self._closed:
            self._closed = True
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._streams.gone(self)

    def _handle(self, events: int) -> None:
        if events & READ and not self._ended:
            try:
                came = self._socket.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            self._unread += came
            self._ended = not came
        elif events & ~(READ | WRITE):  # both directions are over
            self.close()
            return
        self._work()

    def _work(self) -> None:
        """Answer what is there to be answered, send what can be sent, wait for the rest."""
        self._working = True
        try:
            self._continue_series()
            self._answer()
            self._flush()
        except OSError:  # the client is gone, or asks too much at once
            self.close()
            return
        finally:
            self._working = False
        events = WRITE if self._unsent or self._series or self._has_question() else 0
        if not events and self._ended and not self._pending:
            self.close()
            return
        if not self._ended and not self._is_busy():
            events |= READ
        if events != self._events:
            self._events = events
            self._loop.change(self._socket.fileno(), events)

    def _is_busy(self) -> bool:
        """Whether the client has to wait before another of its questions is looked at."""
        waits = len(self._unsent) > _MOST_UNSENT or self._series is not None
        return waits or self._pending >= _MOST_PENDING

    def _has_question(self) -> bool:
        """Whether one is there that can be answered as soon as some of the answers have gone."""
        length = int.from_bytes(self._unread[:2])
        complete = len(self._unread) >= 2 and len(self._unread) >= 2 + length
        return complete and self._pending < _MOST_PENDING

    def _answer(self) -> None:
        while len(self._unread) >= 2 and not self._is_busy():
            end = 2 + int.from_bytes(self._unread[:2])
            if end > 2 + _LONGEST_QUESTION:
                raise OSError("nobody has a question that long")
            if len(self._unread) < end:
                return
            wire = bytes(self._unread[2:end])
            del self._unread[:end]
            self._stay()
            outcome = self._streams.answering(wire, self._address)
            if isinstance(outcome, bytes):
                self._put(outcome)
            elif callable(outcome):
                self._pending += 1
                outcome(self._answer_late)
            else:
                self._series = outcome

    def _answer_late(self, wire: bytes) -> None:
        if self._closed:
            return
        self._pending -= 1
        self._put(wire)
        if not self._working:
            self._work()

    def _continue_series(self) -> None:
        """Make one more message of a long answer, if the client has taken those before."""
        if self._series is not None and len(self._unsent) <= _MOST_UNSENT:
            message = next(self._series, None)
            if message is None:
                self._series = None
            else:
                self._put(message)

    def _put(self, wire: bytes) -> None:
        self._unsent += len(wire).to_bytes(2) + wire

    def _flush(self) -> None:
        if self._unsent:
            with suppress(BlockingIOError):
                del self._unsent[: self._socket.send(self._unsent)]
                self._stay()

    def _stay(self) -> None:
        self.expires = time.monotonic() + self._streams.idle


def open_streams(address: str, port: int) -> socket.socket:
    """A socket that listens for connections. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=512)
