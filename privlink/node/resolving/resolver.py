"""The names of doors: which are asked for, what they lead to, and what the server is told of them.

It stands between threads as the health monitor does: whoever settles items says what to watch, and
gets the targets and the entries by which questions find their way; an asker brings answers; whoever
talks to the server takes the news. An answer that changes where a door leads says only "look again
at this item".

After a restart a door leads where a node last said that its name leads, as far as that is still
permitted, until there is an answer: flows that run notice nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from privlink.model.items import Door, Naming
from privlink.node.health.probes import Numbers
from privlink.node.program.maps import Entry
from privlink.node.resolving.answers import Answer
from privlink.node.resolving.course import SHORTEST, Course, permitted
from privlink.node.resolving.ways import Question, question_of, way
from privlink.node.telling.bulletin import Bulletin

_NONE_PERMITTED = "its name has no address that the endpoint's owner permits."


class Asker(Protocol):
    """What is needed of `privlink.node.resolving.asker.Asker`."""

    def start(self, answered: Callable[[Question, Answer], float]) -> None: ...

    def put(self, question: Question) -> None: ...

    def drop(self, number: int) -> None: ...

    def stop(self) -> None: ...


class Nobody:
    """An asker that never asks: doors lead where their items say that they did."""

    def start(self, answered: Callable[[Question, Answer], float]) -> None:
        """Nothing comes of it."""

    def put(self, question: Question) -> None:
        """It is not asked."""

    def drop(self, number: int) -> None:
        """It was not asked."""

    def stop(self) -> None:
        """It never began."""


class Standing(msgspec.Struct, frozen=True):
    """What a door's name leads to."""

    place: str  # the door's key
    name: str
    addresses: tuple[str, ...]
    why: str
    since: str  # UTC, ISO 8601

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""
        return {
            "Key": self.place,
            "Name": self.name,
            "Addresses": ",".join(self.addresses),
            "Why": self.why,
            "Since": self.since,
        }


class _Case:
    """One door and how far its name is known."""

    def __init__(self, naming: Naming, number: int) -> None:
        self.naming = naming
        self.number = number
        self.course = Course(naming.known)
        self.question = question_of(naming, number)
        self.entries = tuple(way(naming, number))

    def follow(self, naming: Naming) -> bool:
        """Follow this from now on; whether it is to be asked at once."""
        before, self.naming = self.naming, naming
        if _asked(before) == _asked(naming):
            return False
        if (before.name, before.network) != (naming.name, naming.network):
            # What one network says is nothing in another one, though it may have such an address.
            self.course = Course(naming.known)
        self.question = question_of(naming, self.number)
        self.entries = tuple(way(naming, self.number))
        return True

    @property
    def targets(self) -> tuple[str, ...]:
        """Where it leads: what is permitted of the last good answer."""
        return permitted(self.course.addresses, self.naming.blocks)

    @property
    def why(self) -> str:
        """What is wrong; of a name that leads somewhere, with the last answer alone."""
        if self.course.addresses and not self.targets:
            return _NONE_PERMITTED
        return self.course.why


def _asked(naming: Naming) -> tuple[str, str, int, str]:
    return naming.name, naming.resolver, naming.network, naming.source


class Resolver:
    """Doors by key, and what their names lead to."""

    def __init__(self, asker: Asker | None = None, numbers: Numbers | None = None) -> None:
        """`numbers` are those of everybody whose ways begin in the network of the probes."""
        self._asker = asker or Nobody()
        self._numbers = numbers or Numbers()
        self._lock = threading.Lock()
        self._wake: Callable[[], None] = lambda: None
        self._cases: dict[str, _Case] = {}
        self._keys: dict[int, str] = {}
        self._started = self._asking = False
        self._starting: dict[int, Question] = {}  # their entries are not in the kernel yet
        self._changed: set[str] = set()
        self.bulletin = Bulletin()  # for whoever talks to the server

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to ask; `wake` is called, from any thread, when there is something in `changed`."""
        self._wake = wake
        self._started = True

    def stop(self) -> None:
        """Ask nobody any more."""
        self._asker.stop()

    # What whoever settles items needs.

    def watch(self, key: str, door: Door) -> None:
        """Follow the name of a door; what is known of it stays known. Raises ValueError where there
        are more doors than can be followed.
        """
        if door.naming is None:
            self.forget(key)
            return
        with self._lock:
            case = self._cases.get(key)
            if case is None:
                case = _Case(door.naming, self._numbers.take())
                self._cases[key], self._keys[case.number] = case, key
                self._starting[case.number] = case.question
            elif case.naming == door.naming:
                return
            else:
                targets, why = case.targets, case.why
                if case.follow(door.naming):
                    self._asker.drop(case.number)
                    self._starting[case.number] = case.question
                if (targets, why) != (case.targets, case.why):
                    self._say(key, case)

    def forget(self, key: str) -> None:
        """Follow no name for an item any more."""
        with self._lock:
            case = self._cases.pop(key, None)
            if case is None:
                return
            self._asker.drop(case.number)
            self._starting.pop(case.number, None)
            del self._keys[case.number]
            self._numbers.give_back(case.number)
            self._changed.discard(key)
            self.bulletin.drop(key)

    def targets(self, key: str) -> tuple[str, ...]:
        """The addresses that a door leads to by its name."""
        with self._lock:
            case = self._cases.get(key)
            return case.targets if case else ()

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The entries by which a door's name is asked for."""
        with self._lock:
            case = self._cases.get(key)
            return case.entries if case else ()

    def begin(self) -> None:
        """Ask for those that are new: by now the kernel has the entries that lead there."""
        with self._lock:
            starting, self._starting = self._starting, {}
            if starting and self._started and not self._asking:
                self._asking = True
                self._asker.start(self._answered)
            for question in starting.values():
                self._asker.put(question)

    def changed(self) -> set[str]:
        """The items to look at again: their names lead elsewhere."""
        with self._lock:
            changed, self._changed = self._changed, set()
            return changed

    @property
    def owes_a_look(self) -> bool:
        """Whether there is something in `changed`."""
        return bool(self._changed)

    def look_again(self, keys: Iterable[str]) -> None:
        """These were not looked at after all."""
        with self._lock:
            self._changed |= set(keys) & self._cases.keys()

    # Its own, under the lock.

    def _answered(self, question: Question, answer: Answer) -> float:
        with self._lock:
            key = self._keys.get(question.number)
            case = self._cases[key] if key is not None else None
            if key is None or case is None or case.question is not question:
                return SHORTEST  # it was about somebody else, or asked in another way
            first = not self.bulletin.knows(key)
            targets, why = case.targets, case.why
            case.course, pause = case.course.after(answer)
            if case.targets != targets:
                self._changed.add(key)
                self._wake()
            if first or (case.targets, case.why) != (targets, why):
                self._say(key, case)
            return pause

    def _say(self, key: str, case: _Case) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.bulletin.put(Standing(key, case.naming.name, case.targets, case.why, since))
