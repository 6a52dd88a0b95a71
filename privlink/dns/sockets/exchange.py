"""One question to one server and its answer, by a datagram or by TCP.

Each has a socket of its own, connected, so with a port that the kernel chose at random: whoever
wants to slip in an answer has to guess that, the id and the spelling of the name.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress

from privlink.dns.sockets.loop import READ, WRITE, Loop

_LONGEST = 65535

Server = tuple[str, int]  # address and port
# Called with what came, maybe often, until it says that this was the answer; with None if nothing
# will come any more.
Came = Callable[[bytes | None], bool]


class Exchange:
    """What both have in common: a socket, until `close`."""

    def __init__(self, loop: Loop, server: Server, kind: socket.SocketKind, came: Came) -> None:
        self._loop = loop
        self._came = came
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._socket = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        self._watched = False

    def close(self) -> None:
        """End it."""
        if self._watched:
            self._watched = False
            self._loop.forget(self._socket.fileno())
        self._socket.close()

    def _watch(self, events: int, handler: Callable[[int], None]) -> None:
        self._loop.watch(self._socket.fileno(), events, handler)
        self._watched = True

    def _fail(self) -> None:
        self.close()
        self._came(None)


class Datagram(Exchange):
    """By a datagram. Raises OSError where there is no way to the server."""

    def __init__(self, loop: Loop, server: Server, message: bytes, came: Came) -> None:
        super().__init__(loop, server, socket.SOCK_DGRAM, came)
        try:
            self._socket.connect(server)
            self._socket.send(message)
        except OSError:
            self._socket.close()
            raise
        self._watch(READ, self._read)

    def _read(self, _: int) -> None:
        try:
            wire = self._socket.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:  # nobody listens there
            self._fail()
            return
        if self._came(wire):
            self.close()


class Stream(Exchange):
    """By TCP. Raises OSError where there is no way to the server."""

    def __init__(self, loop: Loop, server: Server, message: bytes, came: Came) -> None:
        super().__init__(loop, server, socket.SOCK_STREAM, came)
        self._unsent = len(message).to_bytes(2) + message
        self._read = bytearray()
        code = self._socket.connect_ex(server)
        if code not in (0, errno.EINPROGRESS):
            self._socket.close()
            raise OSError(code, "connect")
        self._watch(WRITE, self._handle)

    def _handle(self, events: int) -> None:
        try:
            if self._unsent:
                self._send()
            elif events & ~WRITE:
                self._receive()
        except OSError:
            self._fail()

    def _send(self) -> None:
        with suppress(BlockingIOError):
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        if not self._unsent:
            self._loop.change(self._socket.fileno(), READ)

    def _receive(self) -> None:
        try:
            came = self._socket.recv(_LONGEST)
        except BlockingIOError:
            return
        if not came:
            raise OSError(errno.ECONNRESET, "it has hung up")
        self._read += came
        end = 2 + int.from_bytes(self._read[:2])
        if len(self._read) >= max(end, 2):
            if self._came(bytes(self._read[2:end])):
                self.close()
            else:
                self._fail()
