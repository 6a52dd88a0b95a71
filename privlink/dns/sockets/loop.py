"""One thread's turns: whoever waits for a descriptor or a moment is called when it has come.

It knows nothing of names. What a handler raises ends the loop: they are to be written so that no
packet makes them raise.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import time
from collections.abc import Callable
from typing import Final

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT

Handler = Callable[[int], None]  # called with what has come: READ, WRITE, or an error's bits
Due = Callable[[], None]


class Loop:
    """Turns, from `run` until `stop`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._due: list[tuple[float, int, Due]] = []
        self._numbers = itertools.count()
        self._stopping = False
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.watch(self._woken, READ, lambda _: None)

    def watch(self, descriptor: int, events: int, handler: Handler) -> None:
        """Call `handler` whenever one of `events` has come, until `forget`."""
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        """Wait for other events; errors are told of in any case."""
        self._epoll.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Wait no more; before the descriptor is closed."""
        del self._handlers[descriptor]
        self._epoll.unregister(descriptor)

    def at(self, moment: float, due: Due) -> None:
        """Call `due` once, at a moment of the monotonic clock."""
        heapq.heappush(self._due, (moment, next(self._numbers), due))

    def every(self, seconds: float, due: Due) -> None:
        """Call `due` again and again."""

        def again() -> None:
            due()
            self.at(time.monotonic() + seconds, again)

        self.at(time.monotonic() + seconds, again)

    def run(self) -> None:
        """Take turns until `stop`."""
        while not self._stopping:
            for descriptor, events in self._epoll.poll(self._pause()):
                # A handler before it in this turn may have forgotten it.
                handler = self._handlers.get(descriptor)
                if handler is not None:
                    handler(events)
            if self._due:
                self._call_due()

    def stop(self) -> None:
        """End `run` after this turn; also from a signal handler."""
        self._stopping = True
        os.eventfd_write(self._woken, 1)

    def _pause(self) -> float | None:
        return max(self._due[0][0] - time.monotonic(), 0) if self._due else None

    def _call_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
