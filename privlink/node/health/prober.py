"""The prober: asks servers whether they are well, thousands of them from one thread.

The thread lives in the network namespace of the probes, where every server has an address of its
own (see `probes`). Whom to ask comes in as probes, verdicts go out by a callback; what follows from
a verdict is not its business.

Only what a server did counts. When the host refuses a socket, or the program does not even refuse a
connection to the gateway of the probes as it should, there is no verdict: a fault of ours must not
take out every server.
"""

from __future__ import annotations

import errno
import heapq
import logging
import math
import os
import queue
import resource
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Final

from privlink.node import system
from privlink.node.health.attempt import Attempt
from privlink.node.health.checks import Verdict
from privlink.node.health.probes import GATEWAY4, Probe

SPACING: Final = 0.001  # seconds between the first probes of two servers that come at once
MOST_OPEN: Final = 4096  # probes under way; the others wait
_SHARES: Final = 8  # no network has more than this part of them: a check may take minutes
_PUT_OFF: Final = 0.1  # seconds, for whoever has its share under way
_FEWEST_OPEN: Final = 64
_SPARE_FILES: Final = 512  # descriptors left to everything else in this process
# Seconds between two looks whether the way of the probes is sound. No timeout is so short that none
# would begin and end within it.
_LOOK_EVERY: Final = 0.4
_LOST_AFTER: Final = 10.0  # without a sound one: enter the namespace anew
_PAUSE: Final = 1.0  # after a failure of ours
_LONGEST_WAIT: Final = 1.0
_COMPLAIN_EVERY: Final = 60.0

log = logging.getLogger(__name__)


class _Turn:
    """A probe that is in force; another one of its number ends it."""

    def __init__(self, probe: Probe, due: float) -> None:
        self.probe = probe
        self.due = due  # when it began last, or begins next


class Prober:
    """A thread that asks, for as long as the process lives."""

    def __init__(self, namespace: Path) -> None:
        self._namespace = namespace
        self._orders: queue.SimpleQueue[tuple[int, Probe | None]] = queue.SimpleQueue()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._stopping = threading.Event()
        self._turns: dict[int, _Turn] = {}
        self._answered: Callable[[Probe, Verdict], None] = lambda _, __: None

    def start(self, answered: Callable[[Probe, Verdict], None]) -> None:
        """Begin; `answered` is called from the thread that asks."""
        self._answered = answered
        threading.Thread(target=self._live, name="prober", daemon=True).start()

    def put(self, probe: Probe) -> None:
        """Ask this from now on, and nothing else by its number; from any thread."""
        self._order(probe.number, probe)

    def drop(self, number: int) -> None:
        """Ask nothing by this number any more; from any thread."""
        self._order(number, None)

    def stop(self) -> None:
        """Ask nobody any more."""
        self._stopping.set()
        self._wake()

    def _order(self, number: int, probe: Probe | None) -> None:
        self._orders.put((number, probe))
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it is awake
            self._waker.send(b"\0")

    def _live(self) -> None:
        complaint = ""
        while not self._stopping.is_set():
            try:
                system.within(self._namespace, self._ask_until_lost)
                complaint = ""
            except OSError as error:  # no such namespace yet
                if str(error) != complaint:
                    complaint = str(error)
                    log.warning("no server can be asked whether it is well: %s", error)
            except Exception:
                log.exception("the prober failed, and begins anew")
            self._stopping.wait(_PAUSE)

    def _ask_until_lost(self) -> None:
        with closing(_Round(self._turns, self._answered)) as round_:
            round_.listen(self._woken)
            while not self._stopping.is_set() and not round_.lost:
                while not self._orders.empty():
                    round_.take(*self._orders.get())
                round_.turn()


class _Round:
    """What is under way in one namespace: all that goes with it when that is lost."""

    def __init__(self, turns: dict[int, _Turn], answered: Callable[[Probe, Verdict], None]) -> None:
        self._turns = turns  # in force, by number
        self._answered = answered
        self._selector = selectors.DefaultSelector()
        self._sequence = count()  # of equals in a heap, the first to come is the first to go
        self._due: list[tuple[float, int, _Turn]] = []
        self._deadlines: list[tuple[float, int, socket.socket]] = []
        self._open: dict[socket.socket, tuple[_Turn, Attempt]] = {}
        self._most = max(_files() - _SPARE_FILES, _FEWEST_OPEN)
        self._next_first: dict[int, float] = {}  # by network, as is ...
        self._under_way: Counter[int] = Counter()  # ... the number that is
        self._complained: dict[str, float] = {}  # when, by what
        self._sound_at = -math.inf  # when the last look began that found the way sound
        self._began = time.monotonic()
        self._look_at = -math.inf  # when the last one began
        self._look: socket.socket | None = None
        for turn in turns.values():
            self._schedule_first(turn)

    @property
    def lost(self) -> bool:
        """Whether there has been no way out of here for long."""
        return time.monotonic() - max(self._sound_at, self._began) > _LOST_AFTER

    def close(self) -> None:
        """Give up what is under way."""
        for each in self._open:
            each.close()
        if self._look is not None:
            self._look.close()
        self._selector.close()

    def listen(self, woken: socket.socket) -> None:
        """Have `turn` end when this can be read."""
        self._selector.register(woken, selectors.EVENT_READ)

    def take(self, number: int, probe: Probe | None) -> None:
        """Ask a probe from now on, or, where it is None, nothing by its number."""
        if probe is None:
            self._turns.pop(number, None)
            return
        self._turns[number] = turn = _Turn(probe, 0.0)
        self._schedule_first(turn)

    def turn(self) -> None:
        """Begin what is due, wait for what comes first, and go on with what is ready."""
        self._look_whether_sound()
        self._begin_due()
        for key, _ in self._selector.select(self._pause()):
            found = self._open.get(key.fileobj)  # type: ignore[call-overload]
            if found is not None:
                self._go_on(*found)
            elif key.fileobj is self._look:
                self._end_look()
            else:
                with suppress(BlockingIOError):
                    key.fileobj.recv(4096)  # type: ignore[union-attr]
        self._expire()  # last: what has been answered has not timed out

    def _pause(self) -> float:
        now = time.monotonic()
        ends = [now + _LONGEST_WAIT]
        if self._turns:
            ends.append(self._look_at + _LOOK_EVERY)
        if self._due and len(self._open) < self._most:
            ends.append(self._due[0][0])
        if self._deadlines:
            ends.append(self._deadlines[0][0])
        return max(min(ends) - now, 0)

    def _schedule_first(self, turn: _Turn) -> None:
        network = turn.probe.network
        due = max(time.monotonic(), self._next_first.get(network, 0.0) + SPACING)
        turn.due = self._next_first[network] = due
        heapq.heappush(self._due, (turn.due, next(self._sequence), turn))

    def _schedule_next(self, turn: _Turn) -> None:
        turn.due = max(turn.due + max(turn.probe.check.interval, 1), time.monotonic())
        heapq.heappush(self._due, (turn.due, next(self._sequence), turn))

    def _in_force(self, turn: _Turn) -> bool:
        return self._turns.get(turn.probe.number) is turn

    def _begin_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now and len(self._open) < self._most:
            _, _, turn = heapq.heappop(self._due)
            if not self._in_force(turn):
                continue
            if self._under_way[turn.probe.network] < self._most // _SHARES:
                self._begin(turn)
            else:
                heapq.heappush(self._due, (now + _PUT_OFF, next(self._sequence), turn))

    def _begin(self, turn: _Turn) -> None:
        try:
            attempt = Attempt(turn.probe)
        except OSError as error:
            self._complain(f"this host refuses a probe: {error}")
            self._schedule_next(turn)
            return
        self._open[attempt.socket] = turn, attempt
        self._under_way[turn.probe.network] += 1
        self._selector.register(attempt.socket, attempt.events)
        deadline = attempt.began + max(turn.probe.check.timeout, 1)
        heapq.heappush(self._deadlines, (deadline, next(self._sequence), attempt.socket))

    def _go_on(self, turn: _Turn, attempt: Attempt) -> None:
        events = attempt.events
        verdict = attempt.go_on()
        if verdict is not None:
            self._end(turn, attempt, verdict)
        elif attempt.events != events:
            self._selector.modify(attempt.socket, attempt.events)

    def _expire(self) -> None:
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, over = heapq.heappop(self._deadlines)
            if over not in self._open:
                continue
            turn, attempt = self._open[over]
            sound = self._sound_at >= attempt.began
            self._end(turn, attempt, attempt.expire() if sound else None)

    def _end(self, turn: _Turn, attempt: Attempt, verdict: Verdict | None) -> None:
        del self._open[attempt.socket]
        self._under_way[turn.probe.network] -= 1
        self._selector.unregister(attempt.socket)
        attempt.socket.close()
        if not self._in_force(turn):
            return
        self._schedule_next(turn)
        if verdict is not None:
            self._answered(turn.probe, verdict)

    def _look_whether_sound(self) -> None:
        """The program refuses a connection to the gateway, and by that shows that it is there."""
        now = time.monotonic()
        if not self._turns:
            self._began = now  # nothing to lose
            return
        if now < self._look_at + _LOOK_EVERY:
            return
        if self._look is not None:  # it was not answered
            self._drop_look()
            self._complain("probes do not come through, and decide nothing till they do")
        self._look_at = now
        try:
            look = socket.socket()
        except OSError as error:
            self._complain(f"this host refuses a probe: {error}")
            return
        look.setblocking(False)
        code = look.connect_ex((GATEWAY4, 1))
        if code == errno.EINPROGRESS:
            self._look = look
            self._selector.register(look, selectors.EVENT_WRITE)
            return
        look.close()
        self._complain(f"this host refuses a probe: {os.strerror(code)}")

    def _end_look(self) -> None:
        assert self._look is not None
        code = self._look.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._drop_look()
        if code == errno.ECONNREFUSED:
            self._sound_at = self._look_at

    def _drop_look(self) -> None:
        assert self._look is not None
        self._selector.unregister(self._look)
        self._look.close()
        self._look = None

    def _complain(self, complaint: str) -> None:
        now = time.monotonic()
        if now >= self._complained.get(complaint, -math.inf) + _COMPLAIN_EVERY:
            self._complained[complaint] = now
            log.warning("%s", complaint)


def _files() -> int:
    """How many descriptors this process may have, after having asked for enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = MOST_OPEN + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= enough:
        return enough
    most = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
