"""The health monitor: which servers of which items are asked, and what came of it.

It stands between three threads. Whoever settles items says what to watch, and gets the servers that
are down and the entries by which probes find their way; the prober asks and brings verdicts;
whoever talks to the server takes the news. A verdict that takes a server out or lets it in says
only "look again at this item".

Verdicts are kept in memory alone. After a restart every server counts as well till it was asked,
which is at once: that is wrong for milliseconds where its host answers that nobody listens, and for
one timeout where it is silent. To believe what the maps held would be wrong for longer, of servers
that came back while nobody asked.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from privlink.model.items import Balancer
from privlink.node.balancing import ServerName
from privlink.node.errors import KernelError
from privlink.node.health.checks import Verdict
from privlink.node.health.course import Course
from privlink.node.health.probes import (
    Asked,
    Numbers,
    Probe,
    asked,
    own_entries,
    probe_entries,
    probe_of,
)
from privlink.node.health.standing import Place, Standing
from privlink.node.program.maps import Entry
from privlink.node.telling.bulletin import Bulletin

log = logging.getLogger(__name__)


class Asker(Protocol):
    """What the monitor needs of `privlink.node.health.prober.Prober`."""

    def start(self, answered: Callable[[Probe, Verdict], None]) -> None: ...

    def put(self, probe: Probe) -> None: ...

    def drop(self, number: int) -> None: ...

    def stop(self) -> None: ...


class Nobody:
    """An asker that never asks, so that every server counts as well."""

    def start(self, answered: Callable[[Probe, Verdict], None]) -> None:
        """Nothing comes of it."""

    def put(self, probe: Probe) -> None:
        """It is not asked."""

    def drop(self, number: int) -> None:
        """It was not asked."""

    def stop(self) -> None:
        """It never began."""


class _Case:
    """One server of one item, and how far it is known."""

    def __init__(self, place: Place, network: int, asked: Asked, number: int | None) -> None:
        self.place = place
        self.network = network
        self.course = Course()
        self.since = self.why = ""
        self._entries: tuple[Entry, ...] = ()
        self._entries_about: object = None
        self.ask(asked, number)

    def ask(self, asked: Asked, number: int | None) -> None:
        """Ask it so from now on; without a number it cannot be asked, and counts as well."""
        self.asked = asked
        self.number = number
        self.probe = None if number is None else probe_of(asked, number, self.network)
        self.course = Course() if number is None else self.course.asked_otherwise()
        if not self.course.down:
            self.why = asked.why

    def entries(self, item: Balancer) -> tuple[Entry, ...]:
        """The entries that lead to it; most items change for other reasons."""
        if self.probe is None:
            return ()
        about = self.probe.number, self.asked, item.network, item.address, item.address6
        if self._entries_about != about:
            self._entries = tuple(probe_entries(item, self.asked, self.probe))
            self._entries_about = about
        return self._entries

    @property
    def at(self) -> tuple[int, str]:
        """Where it is: network and address."""
        return self.network, self.place[1][1]

    def standing(self) -> Standing:
        """What the server is told of it."""
        key, name = self.place
        return Standing(key, name, self.course.state, self.since, self.why)


class Monitor:
    """Items by key, and the state of each server that they have checked."""

    def __init__(
        self,
        asker: Asker | None = None,
        link: Callable[[], int] | None = None,
        numbers: Numbers | None = None,
    ) -> None:
        """`link` has the link of the probes made and says its index; it may raise KernelError.
        `numbers` are those of everybody whose ways begin in the network of the probes.
        """
        self._asker = asker or Nobody()
        self._link = link
        self._lock = threading.Lock()
        self._wake: Callable[[], None] = lambda: None
        self._items: dict[str, Balancer] = {}
        self._cases: dict[str, dict[ServerName, _Case]] = {}
        self._by_number: dict[int, _Case] = {}
        self._at: defaultdict[tuple[int, str], set[Place]] = defaultdict(set)
        self._numbers = numbers or Numbers()
        self._started = self._asking = False  # the asker begins with the first who is asked
        self._starting: dict[int, Probe] = {}  # their entries are not in the kernel yet
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

    def watch(self, key: str, item: Balancer) -> None:
        """Ask the servers of an item as it says; what is known of them stays known."""
        with self._lock:
            before = self._items.get(key)
            if before is item:
                return
            cases = self._cases.setdefault(key, {})
            wanted = asked(item)
            elsewhere = before is not None and before.network != item.network
            for name in [each for each in cases if elsewhere or each not in wanted]:
                self._leave(cases.pop(name))
            self._items[key] = item
            for name, server in wanted.items():
                case = cases.get(name)
                if case is None:
                    cases[name] = self._take_in((key, name), item.network, server)
                elif case.asked != server:
                    self._ask_anew(case, server)

    def forget(self, key: str) -> None:
        """Ask nobody for an item any more."""
        with self._lock:
            for case in self._cases.pop(key, {}).values():
                self._leave(case)
            self._items.pop(key, None)
            self._changed.discard(key)

    def down(self, key: str) -> frozenset[ServerName]:
        """The servers of an item that may have no flows."""
        with self._lock:
            cases = self._cases.get(key, {})
            return frozenset(name for name, case in cases.items() if case.course.down)

    def entries(self, key: str) -> list[Entry]:
        """The entries by which probes reach the servers of an item."""
        with self._lock:
            item = self._items.get(key)
            if item is None:
                return []
            return [each for case in self._cases[key].values() for each in case.entries(item)]

    def own_entries(self) -> list[Entry]:
        """The entries of the link that probes come from; none while it cannot be made."""
        if self._link is None:
            return []
        try:
            return list(own_entries(self._link()))
        except KernelError as error:
            log.warning("no server is asked whether it is well: %s", error)
            return []

    def begin(self) -> None:
        """Ask those who are new: by now the kernel has the entries that lead to them."""
        with self._lock:
            starting, self._starting = self._starting, {}
            if starting and self._started and not self._asking:
                self._asking = True
                self._asker.start(self._answered)
            for probe in starting.values():
                self._asker.put(probe)

    def moved(self, network: int, addresses: Iterable[str]) -> None:
        """Ask servers at once, and let the answer decide: their links came or went."""
        with self._lock:
            for address in addresses:
                for key, name in self._at.get((network, address), ()):
                    case = self._cases[key][name]
                    self._ask_anew(case, case.asked)

    def changed(self) -> set[str]:
        """The items to look at again: a server was taken out or let in."""
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
            self._changed |= set(keys) & self._items.keys()

    # Its own, under the lock.

    def _take_in(self, place: Place, network: int, server: Asked) -> _Case:
        case = _Case(place, network, server, self._number(server, None))
        self._at[case.at].add(place)
        self._start(case)
        self._say(case)
        return case

    def _ask_anew(self, case: _Case, server: Asked) -> None:
        down = case.course.down
        number = self._number(server, case.number)
        case.ask(server, number)
        self._start(case)
        if down and not case.course.down:
            self._look_again(case)
            self._say(case)

    def _number(self, server: Asked, number: int | None) -> int | None:
        """The number to ask a server by, given the one it had."""
        if number is not None:
            self._asker.drop(number)
            self._starting.pop(number, None)
        if server.request is not None:
            return self._numbers.take() if number is None else number
        if number is not None:
            self._give_back(number)
        return None

    def _start(self, case: _Case) -> None:
        if case.probe is not None:
            self._by_number[case.probe.number] = case
            self._starting[case.probe.number] = case.probe

    def _leave(self, case: _Case) -> None:
        if case.number is not None:
            self._asker.drop(case.number)
            self._starting.pop(case.number, None)
            self._give_back(case.number)
        self._at[case.at].discard(case.place)
        if not self._at[case.at]:
            del self._at[case.at]
        self.bulletin.drop(case.place)

    def _give_back(self, number: int) -> None:
        self._by_number.pop(number, None)
        self._numbers.give_back(number)

    def _answered(self, probe: Probe, verdict: Verdict) -> None:
        with self._lock:
            case = self._by_number.get(probe.number)
            if case is None or case.probe is not probe:
                return  # it was about somebody else, or asked in another way
            before = case.course
            case.course = before.after(probe.check.rise, probe.check.fall, good=verdict.good)
            if case.course.down is not before.down:
                self._look_again(case)
            why = "" if not case.course.down else case.why if verdict.good else verdict.why
            changed = case.course.state is not before.state
            if changed or _code(why) != _code(case.why):
                case.why = why
                self._say(case, changed=changed)

    def _look_again(self, case: _Case) -> None:
        self._changed.add(case.place[0])
        self._wake()

    def _say(self, case: _Case, *, changed: bool = True) -> None:
        """Have the server told of a case; `changed` says that its state is new."""
        if changed:
            case.since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.bulletin.put(case.standing())


def _code(why: str) -> str:
    return why.partition(":")[0]
