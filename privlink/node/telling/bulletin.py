"""What the server is told of many things that stay as they are till they change, such as the health
of servers: only the news, until it took them.

It stands between threads: who knows puts words in, who talks to the server takes them out and says
when it took them; until then they are news. Nobody is called from here.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from itertools import islice
from typing import Any, Final, Protocol

import msgspec

from privlink.node.feed import Answer

MOST_STATES: Final = 500  # the server takes no longer list


class Word(Protocol):
    """What there is to say of one thing."""

    @property
    def place(self) -> Hashable:
        """What it is about."""

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""


class News(msgspec.Struct, frozen=True):
    """What there is to tell at once; empty if nothing."""

    life: int  # of the server that it is for
    edition: int
    standings: tuple[Word, ...]

    def __bool__(self) -> bool:
        return bool(self.standings)


class Bulletin:
    """How everything is, and what of that the server has not heard."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._life = 0  # of the server; 0: it has not been heard of
        self._edition = 0
        self._standings: dict[Hashable, Word] = {}
        self._unheard: dict[Hashable, None] = {}  # in the order they came up

    def put(self, standing: Word) -> None:
        """How a thing is now."""
        with self._changed:
            if self._standings.get(standing.place) != standing:
                self._standings[standing.place] = standing
                self._unheard[standing.place] = None
                self._changed.notify_all()

    def knows(self, place: Hashable) -> bool:
        """Whether anything was said of it."""
        with self._changed:
            return place in self._standings

    def drop(self, place: Hashable) -> None:
        """There is nothing to say of it any more."""
        with self._changed:
            self._standings.pop(place, None)
            self._unheard.pop(place, None)

    def note(self, answer: Answer) -> None:
        """An answer of the feed was made true. A full one is a server that may know nothing."""
        with self._changed:
            self._life = answer.life
            if answer.full:
                self._edition += 1
                self._unheard = dict.fromkeys(self._standings)
            self._changed.notify_all()

    def news(self) -> News:
        """The oldest of what was not heard, as much as fits in one call."""
        with self._changed:
            return self._news()

    def await_news(self, seconds: float) -> News:
        """The same, once there is something; nothing after so long."""
        with self._changed:
            self._changed.wait_for(self._news, seconds)
            return self._news()

    def took(self, told: News) -> None:
        """The server took these; what changed meanwhile is news still.

        So is everything where it may have forgotten meanwhile: then it was another that took them.
        """
        with self._changed:
            if told.edition != self._edition:
                return
            for standing in told.standings:
                if self._standings.get(standing.place) == standing:
                    self._unheard.pop(standing.place, None)

    def _news(self) -> News:
        places = islice(self._unheard, MOST_STATES if self._life else 0)
        return News(self._life, self._edition, tuple(self._standings[place] for place in places))
