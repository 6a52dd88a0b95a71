"""TCP streams between two namespaces, and how fast they are: for tests and benches of bandwidth.

What counts is what the receivers' sockets hand out, over a span in the middle of the transfer, so
that neither slow start nor what is still on its way at the end is in the figure.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from tests.kernel import lab, talk

_BLOCK = 256 * 1024  # bytes of one send or receive


class Streams:
    """Connections that one side sends on for as long as it can. Made by `streaming`."""

    def __init__(self, senders: list[socket.socket], receivers: list[socket.socket]) -> None:
        self._senders = senders
        self._receivers = receivers
        self._received = 0
        self._goal = 0
        self._reached = threading.Event()
        self._reached_at = 0.0
        self._stopped = False
        self._began = time.monotonic()
        self._threads = [
            threading.Thread(target=work, name=work.__name__)
            for work in (self._send, self._receive)
        ]

    def start(self) -> None:
        """Let the bytes flow."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every connection."""
        self._stopped = True
        for each in (*self._senders, *self._receivers):
            with suppress(OSError):  # the other end is gone
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def goodput(self, seconds: float, about: float) -> float:
        """Payload in Mbit/s, over what `about` Mbit/s would bring in so many seconds.

        A tenth of that goes before, uncounted.
        """
        size = int(seconds * about * 1e6 / 8)
        began = self._after(size // 10)
        return 8e-6 * size / (self._after(size) - began)

    def average(self) -> float:
        """Payload in Mbit/s since the streams began: however late it is read, no more came in."""
        received = self._received
        return 8e-6 * received / (time.monotonic() - self._began)

    def _after(self, size: int) -> float:
        """When so many bytes more have come in."""
        self._reached.clear()
        self._goal = self._received + size
        assert self._reached.wait(4 * lab.PATIENCE), f"{size} bytes do not come through"
        return self._reached_at

    def _send(self) -> None:
        block = bytes(_BLOCK)
        with self._polled(self._senders, select.EPOLLOUT) as poll:
            for each in poll:
                with suppress(OSError):  # not just now, or not any more
                    each.send(block)

    def _receive(self) -> None:
        into = bytearray(_BLOCK)
        with self._polled(self._receivers, select.EPOLLIN) as poll:
            for each in poll:
                with suppress(OSError):
                    # TCP throws away what is asked for so (tcp(7)): copying it is not measured.
                    self._received += each.recv_into(into, _BLOCK, socket.MSG_TRUNC)
                if self._goal and self._received >= self._goal:
                    self._reached_at = time.monotonic()
                    self._goal = 0
                    self._reached.set()

    @contextmanager
    def _polled(
        self, sockets: list[socket.socket], event: int
    ) -> Iterator[Iterator[socket.socket]]:
        by_number = {each.fileno(): each for each in sockets}
        with select.epoll() as poll:
            for number in by_number:
                poll.register(number, event)

            def ready() -> Iterator[socket.socket]:
                while not self._stopped:
                    for number, _ in poll.poll(lab.PATIENCE):
                        yield by_number[number]

            yield ready()


@contextmanager
def streaming(
    client: str,
    server: str,
    address: str,
    port: int,
    count: int,
    *,
    listen: int,
    back: bool = False,
) -> Iterator[Streams]:
    """Streams through what the client knows as `address` and `port`; `back`: the server sends."""
    with ExitStack() as stack:
        listener = stack.enter_context(talk.listener(server, listen, talk.family_of(address)))
        near, far = list[socket.socket](), list[socket.socket]()
        for _ in range(count):
            near.append(stack.enter_context(talk.stream(client, address, port)))
            far.append(stack.enter_context(listener.accept()[0]))
        for each in (*near, *far):
            each.setblocking(False)
        streams = Streams(*((far, near) if back else (near, far)))
        streams.start()
        try:
            yield streams
        finally:
            streams.stop()
