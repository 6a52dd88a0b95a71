"""What the server is told of servers' health: only the news, until it took them.

Pure: states come in, the parameters of PushHealth go out. Whoever sends them says when the server
took them; until then they are news.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import islice
from typing import Any, Final, Protocol

import msgspec

from privlink.node.balancing import ServerName
from privlink.node.feed import Answer
from privlink.node.health.course import State

MOST_STATES: Final = 500  # the server takes no longer list
_LONGEST_WHY: Final = 200  # characters; it takes no longer one

Place = tuple[str, ServerName]  # the key of an item, and a server in it


class Word(Protocol):
    """What there is to say of one thing."""

    @property
    def place(self) -> Hashable:
        """What it is about."""

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""


class Standing(msgspec.Struct, frozen=True):
    """How a server is."""

    key: str
    name: ServerName
    state: State
    since: str  # UTC, ISO 8601
    why: str = ""  # of one that is down, or that cannot be asked

    @property
    def place(self) -> Place:
        """What it is about."""
        return self.key, self.name

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""
        group, address, port = self.name
        return {
            "Key": self.key,
            "Group": group,
            "Address": address,
            "Port": port,
            "State": self.state.value,
            "Since": self.since,
            "Why": self.why[:_LONGEST_WHY],
        }


class News(msgspec.Struct, frozen=True):
    """What there is to tell at once; empty if nothing."""

    life: int  # of the server that it is for
    edition: int
    standings: tuple[Word, ...]

    def __bool__(self) -> bool:
        return bool(self.standings)


class Bulletin:
    """How every server is, and what of that the server has not heard."""

    def __init__(self) -> None:
        self._life = 0  # of the server; 0: it has not been heard of
        self._edition = 0
        self._standings: dict[Hashable, Word] = {}
        self._unheard: dict[Hashable, None] = {}  # in the order they came up

    def put(self, standing: Word) -> None:
        """How a server is now."""
        if self._standings.get(standing.place) != standing:
            self._standings[standing.place] = standing
            self._unheard[standing.place] = None

    def knows(self, place: Hashable) -> bool:
        """Whether anything was said of it."""
        return place in self._standings

    def drop(self, place: Hashable) -> None:
        """A server that is asked no more, of which there is nothing to say."""
        self._standings.pop(place, None)
        self._unheard.pop(place, None)

    def note(self, answer: Answer) -> None:
        """An answer of the feed was made true. A full one is a server that may know nothing."""
        self._life = answer.life
        if answer.full:
            self._edition += 1
            self._unheard = dict.fromkeys(self._standings)

    def news(self) -> News:
        """The oldest of what was not heard, as much as fits in one call."""
        places = islice(self._unheard, MOST_STATES if self._life else 0)
        return News(self._life, self._edition, tuple(self._standings[place] for place in places))

    def took(self, told: News) -> None:
        """The server took these; what changed meanwhile is news still.

        So is everything where it may have forgotten meanwhile: then it was another that took them.
        """
        if told.edition != self._edition:
            return
        for standing in told.standings:
            if self._standings.get(standing.place) == standing:
                self._unheard.pop(standing.place, None)
