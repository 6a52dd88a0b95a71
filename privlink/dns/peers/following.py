"""Other people's name servers, each kept in step by a thread of its own, and how far it is.

Level, not edge: whoever swaps views says only "look again"; what there is to do is found by what is
there. A server that does not answer holds up nobody else, and is tried again after growing pauses.

    Pending  ──▶  InStep  ◀──▶  Failing      each change is one line of the log, and is told
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from privlink.client import RemoteError
from privlink.dns.answers.table import Table
from privlink.dns.answers.view import View
from privlink.dns.peers import push, talk
from privlink.dns.peers.records import Records
from privlink.dns.peers.talk import Failed, Unexpected
from privlink.model.naming import NameServer

log = logging.getLogger(__name__)

_LONGEST_PAUSE: Final = 60  # seconds between two tries
_WITHDRAWAL: Final = 60  # seconds for which our names are tried to be taken out again
_TOLD_AGAIN: Final = 60  # seconds after which all that is known is told once more
_RETOLD: Final = 5  # seconds after it could not be told
_LOOKS: Final = 3  # at a zone that somebody else changes at the same time
_LONGEST_WHY: Final = 200


class State(enum.StrEnum):
    """How far a name server is."""

    PENDING = "Pending"
    IN_STEP = "InStep"
    FAILING = "Failing"


class Standing(msgspec.Struct, frozen=True):
    """How far a name server is, and since when."""

    server: str  # the key of its document
    state: State
    why: str
    since: str  # UTC, ISO 8601

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""
        return {
            "Key": self.server,
            "State": str(self.state),
            "Why": self.why,
            "Since": self.since,
        }


class Work(Protocol):
    """What is done for a name server."""

    pause: float  # seconds between two steps, at least
    period: float  # seconds after which it is looked at again though nothing has changed

    def step(self, records: Records, changed: Iterable[str]) -> str:
        """Bring it in step; what there is to say of that. Raises Failed."""


class Pushing:
    """A server that has our names in a zone of its own, and is told of every change."""

    pause, period = 0.25, 300.0

    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._held: push.Held | None = None
        self._names: set[str] = set()  # that may differ
        self._looked = 0.0

    def step(self, records: Records, changed: Iterable[str]) -> str:
        """Have their zone say what we say. Raises Failed."""
        self._names.update(changed)
        if time.monotonic() - self._looked >= self.period:
            self._held = None
        for _ in range(_LOOKS):
            held = self._held if self._held is not None else self._look(records)
            try:
                self._make(push.plan(self._names, records.names, held), held)
            except Unexpected:
                self._held = None
                continue
            self._names.clear()
            return _foreign(records.names, held)
        raise Failed("somebody else changes the same names at the same time.")

    def _look(self, records: Records) -> push.Held:
        self._held = held = talk.learn(self._server, records.view.domain)
        self._looked = time.monotonic()
        self._names.update(held.ours)
        self._names.update(records.names)
        return held

    def _make(self, changes: list[push.Change], held: push.Held) -> None:
        for batch in push.batches(changes):
            try:
                talk.send(self._server, push.update(self._server, batch))
            except Failed:
                self._held = None  # it may have been made, and the answer lost
                raise
            push.note(held, batch)


class Notifying:
    """A server that transfers our domain, and is told that it has changed."""

    pause, period = 1.0, float("inf")

    def __init__(self, server: NameServer) -> None:
        self._server = server

    def step(self, records: Records, _changed: Iterable[str]) -> str:
        """Tell it. Raises Failed."""
        talk.notify(self._server, records.view)
        return ""


class Peers:
    """All name servers of a view. `look` is cheap and may be called after every swap."""

    def __init__(
        self, view: Callable[[], View], tell: Callable[[list[dict[str, Any]]], None] | None = None
    ) -> None:
        """`tell` says to the server how far they are. It may raise OSError and RemoteError."""
        self._view = view
        self._tell = tell
        self._condition = threading.Condition()
        self._again = self._stopped = False
        self._lines: dict[str, _Line] = {}
        self._leaving: list[_Line] = []
        self._standings: dict[str, Standing] = {}
        self._news = False
        self._records: Records | None = None

    def start(self) -> None:
        """Begin, in threads that end with the process."""
        threading.Thread(target=self._follow, name="peers", daemon=True).start()
        if self._tell is not None:
            threading.Thread(target=self._report, name="peers-report", daemon=True).start()

    def look(self) -> None:
        """There is another view."""
        with self._condition:
            self._again = True
            self._condition.notify_all()

    def stop(self) -> None:
        """Do nothing more. What has begun is left to end, or to end with the process."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
        for line in (*self._lines.values(), *self._leaving):
            line.stop()

    def standings(self) -> list[Standing]:
        """How far each name server is."""
        with self._condition:
            return [self._standings[key] for key in sorted(self._standings)]

    def _follow(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._again or self._stopped)
                if self._stopped:
                    return
                self._again = False
            try:
                self._take(self._view())
            except Exception:  # whatever is in a view, the next one is looked at
                log.exception("name servers could not follow the names")

    def _take(self, view: View) -> None:
        if not view.servers and not self._lines:
            self._records = None  # nobody wants to know
            return
        before = self._records or Records.before(view)
        self._records, changed = before.following(view)
        for key in self._lines.keys() - view.servers.keys():
            self._end(key, self._records)
        for key, server in view.servers.items():
            line = self._lines.get(key)
            if line is not None and line.server != server:
                self._end(key, self._records)
                line = None
            if line is None:
                self._begin(key, server)
            if line is None or changed:
                self._lines[key].look(self._records, changed)

    def _begin(self, key: str, server: NameServer) -> None:
        # One that leaves would take out what this one puts in.
        for line in [each for each in self._leaving if _place(each.server) == _place(server)]:
            line.stop()
            line.join(_WITHDRAWAL)
        self._leaving = [each for each in self._leaving if each.is_alive()]
        work: Work = Pushing(server) if server.pushes else Notifying(server)
        line = self._lines[key] = _Line(key, server, work, self._stands)
        self._stands(Standing(key, State.PENDING, "", _now()))
        line.start()

    def _end(self, key: str, records: Records) -> None:
        line = self._lines.pop(key)
        if line.server.pushes:
            nothing = Records(records.view, Table())
            line.leave(nothing, records.names)
            self._leaving.append(line)
        else:
            line.stop()
        with self._condition:
            self._standings.pop(key, None)

    def _stands(self, standing: Standing) -> None:
        with self._condition:
            line = self._lines.get(standing.server)
            if line is not None:
                self._standings[standing.server] = standing
                self._news = True
                self._condition.notify_all()

    def _report(self) -> None:
        pause = 0.0
        while self._await_news(pause):
            told = [each.parameters() for each in self.standings()]
            pause = 0.0
            try:
                if told and self._tell is not None:
                    self._tell(told)
            except (OSError, RemoteError) as error:
                log.info("what name servers say could not be told: %s", error)
                pause = _RETOLD
                with self._condition:
                    self._news = True

    def _await_news(self, pause: float) -> bool:
        """Wait until there is something to tell, after so many seconds; False: never again."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, pause)
            self._condition.wait_for(lambda: self._stopped or self._news, _TOLD_AGAIN)
            self._news = False
            return not self._stopped


class _Line(threading.Thread):
    """One name server's thread."""

    def __init__(
        self, key: str, server: NameServer, work: Work, stands: Callable[[Standing], None]
    ) -> None:
        super().__init__(name=f"peer-{key}", daemon=True)
        self.server = server
        self._key, self._work, self._stands = key, work, stands
        self._condition = threading.Condition()
        self._records: Records | None = None
        self._changed: set[str] = set()
        self._new = self._stopped = False
        self._until = float("inf")  # it leaves, and by then is given up
        self._state, self._why = State.PENDING, ""
        self._failures = 0

    def look(self, records: Records, changed: Iterable[str]) -> None:
        """These names have changed."""
        with self._condition:
            self._records, self._new = records, True
            self._changed.update(changed)
            self._condition.notify()

    def leave(self, records: Records, names: Iterable[str]) -> None:
        """Have it without our names, if it can be had in a minute, and end."""
        self._until = time.monotonic() + _WITHDRAWAL
        self.look(records, names)

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def run(self) -> None:
        """Keep it in step until told to stop."""
        soonest, latest = 0.0, float("inf")
        while self._wait(soonest, latest):
            with self._condition:
                records, changed = self._records, self._changed
                self._changed, self._new = set(), False
                leaves = self._until < float("inf")
            assert records is not None
            try:
                why = self._work.step(records, changed)
            except Failed as failed:
                self._failures += 1
                self._become(State.FAILING, str(failed))
                soonest = latest = time.monotonic() + min(2.0**self._failures, _LONGEST_PAUSE)
            except Exception as error:  # one server's answers must not end all that is done for it
                self._failures += 1
                self._become(State.FAILING, f"our own failure: {type(error).__name__}.")
                log.exception("name server %s", self._key)
                soonest = latest = time.monotonic() + _LONGEST_PAUSE
            else:
                self._failures = 0
                self._become(State.IN_STEP, why)
                soonest = time.monotonic() + self._work.pause
                latest = time.monotonic() + self._work.period
                if leaves:
                    return

    def _wait(self, soonest: float, latest: float) -> bool:
        """Wait until there is something to do; whether to do it."""
        with self._condition:
            while not self._stopped and (now := time.monotonic()) < self._until:
                due = soonest if self._new else latest
                if now >= due and self._records is not None:
                    return True
                left = min(due, self._until) - now
                self._condition.wait(left if left < threading.TIMEOUT_MAX else None)
            return False

    def _become(self, state: State, sentence: str) -> None:
        why = sentence[:_LONGEST_WHY]
        if (state, why) == (self._state, self._why):
            return
        self._state, self._why = state, why
        where = f"{self.server.address} port {self.server.port}, zone {self.server.zone}"
        log.info("name server %s (%s) is %s%s", self._key, where, state, why and f": {why}")
        self._stands(Standing(self._key, state, why, _now()))


def _foreign(wanted: Table[str, Any], held: push.Held) -> str:
    """What to say of names that we would have there and that are somebody else's."""
    names = sorted(name for name in held.others if name in wanted)
    if not names:
        return ""
    return f"{len(names)} of our names are somebody else's there and stay so: {names[0]}, ..."


def _place(server: NameServer) -> tuple[str, int, str]:
    return server.address, server.port, server.zone


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
