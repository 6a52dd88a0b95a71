"""Questions that come as datagrams, one socket of them.

A socket on an address of all kinds (0.0.0.0, ::) has its answers leave from the address that was
asked: a client takes them from nobody else.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from privlink.dns.sockets.loop import READ, Loop
from privlink.dns.sockets.outcome import Answering

_BATCH: Final = 64  # datagrams of one turn, after which others have theirs
_LONGEST: Final = 4096  # no question is longer; what is cut off makes no sense, and is told so
_SO_RCVBUFFORCE: Final = 33  # asm-generic/socket.h
_IP_PKTINFO: Final = 8  # linux/in.h
_ROOM: Final = 4 << 20  # bytes that may wait in the socket

Address = Any  # as sockets have it: a tuple whose first part is the IP address


class Datagrams:
    """A socket's datagrams, from now until `close`."""

    def __init__(
        self, loop: Loop, sock: socket.socket, answering: Answering, unsent: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._answering = answering
        self._unsent = unsent
        self._wildcard = sock.getsockname()[0] in ("0.0.0.0", "::")  # noqa: S104
        sock.setblocking(False)
        loop.watch(sock.fileno(), READ, self._read)

    def close(self) -> None:
        """Take no more."""
        self._loop.forget(self._socket.fileno())
        self._socket.close()

    def send(self, wire: bytes, address: Address, local: list[Any]) -> None:
        """Send it, unless there is no room: whoever waits for it will ask again."""
        try:
            if local:
                self._socket.sendmsg([wire], local, 0, address)
            else:
                self._socket.sendto(wire, address)
        except OSError:  # also where nothing can be sent to, such as port 0
            self._unsent()

    def _read(self, _: int) -> None:
        local: list[Any] = []
        for _ in range(_BATCH):
            try:
                if self._wildcard:
                    wire, ancillary, _flags, address = self._socket.recvmsg(_LONGEST, 64)
                    local = _from_there(ancillary)
                else:
                    wire, address = self._socket.recvfrom(_LONGEST)
            except BlockingIOError:
                return
            except OSError:  # of an earlier answer that could not be delivered
                continue
            outcome = self._answering(wire, address[0])
            if isinstance(outcome, bytes):
                self.send(outcome, address, local)
            elif callable(outcome):
                outcome(partial(self.send, address=address, local=local))


def open_datagrams(address: str, port: int) -> socket.socket:
    """A socket for questions. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        with suppress(OSError):  # without rights the usual room must do
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _from_there(ancillary: list[Any]) -> list[Any]:
    """What has an answer leave from the address that its question came to."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            _, own, _ = struct.unpack("=i4s4s", data)
            return [(level, kind, struct.pack("=i4s4s", 0, own, bytes(4)))]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return [(level, kind, data)]
    return []
