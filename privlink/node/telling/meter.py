"""The meter: reads what the kernel counted, and tells the server what it has not yet taken.

A thread of its own, once a second. It says cumulative numbers, so that a call that is repeated, or
that is never answered, neither counts twice nor loses anything; they live in the kernel, so that
the death of this process loses nothing either. What a place counted that is gone is deleted only
when the server has the last of it and no flow is left that could add to it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from privlink.client import RemoteError
from privlink.model.items import Balancer, Forward, Opening
from privlink.model.traffic import MOST_BYTES, MOST_PLACES, Counters, PlaceTraffic
from privlink.node.feed import Caller
from privlink.node.program.bpf import Program
from privlink.node.program.maps import NUMBER, Number
from privlink.node.telling.counted import Counted, Openings

READ_SECONDS: Final = 1.0
_SHARE: Final = 5  # of its time, at most one part in so many is work, however much there is to read
_TIMEOUT: Final = 5.0

log = logging.getLogger(__name__)


def openings(items: Iterable[object]) -> dict[int, list[int]]:
    """Under which openings the flows of each place are counted."""
    found: dict[int, list[int]] = {}
    for item in items:
        if isinstance(item, Forward) and item.number:
            either: tuple[Opening | None, ...] = (item.opening, item.replaced)
            found[item.number] = [each.number for each in either if each is not None]
        elif isinstance(item, Balancer):
            found[item.number] = [item.opening] if item.opening else []
    return found


class Meter:
    """Reads, tells and tidies up, in turns."""

    def __init__(
        self,
        program: Program,
        server: Caller,
        node_id: str,
        places: Callable[[], Openings | None],
    ) -> None:
        """`places`: those there are, None while nobody knows."""
        self._maps = program.maps
        self._server, self._node_id = server, node_id
        self._places = places
        self._counted = Counted(program.maps)
        self._life = self._server_life = 0
        self._taken: dict[int, PlaceTraffic] = {}
        self._leaving: dict[int, Counters] = {}
        self._complaint = ""

    def run(self, stopping: threading.Event) -> None:
        """Take turns until told to stop. What is left then is told by whoever comes next."""
        pause = READ_SECONDS
        while not stopping.wait(pause):
            pause = max(READ_SECONDS, (_SHARE - 1) * self._timed_turn())

    def _timed_turn(self) -> float:
        """Take a turn and return how long it took; what fails is tried again by the next."""
        started = time.monotonic()
        try:
            self.turn()
        except RemoteError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.warning("the server refuses what was counted: %s", error)
        except OSError as error:
            log.debug("what was counted was not delivered: %s", error)
        except Exception:
            log.exception("what was counted stays where it is for now")
        else:
            self._complaint = ""
        return time.monotonic() - started

    def turn(self) -> int:
        """Tell the server what it has not yet taken; how many places that was.

        Raises KernelError, RemoteError, and OSError where there is no server.
        """
        (life,) = NUMBER.unpack(self._maps["numbers"].lookup(NUMBER.pack(Number.LIFE)) or bytes(4))
        if life != self._life:
            self._life, self._taken, self._leaving = life, {}, {}
        places = self._places()
        self._counted.look(places)
        found, taken = self._counted.found, self._taken
        changed = [each for place, each in found.items() if taken.get(place) is not each]
        for some in messages(changed):
            self._tell(some)
        if places is not None:
            self._tidy(places)
        return len(changed)

    def _tell(self, some: list[PlaceTraffic]) -> None:
        answer = self._server.call(
            "PushTraffic",
            timeout=_TIMEOUT,
            NodeId=self._node_id,
            Life=self._life,
            Traffic=msgspec.json.encode(some).decode(),
        )
        if answer["Life"] != self._server_life:
            # Another server, or another copy of its database: it may not have what was taken.
            self._server_life = answer["Life"]
            self._taken.clear()
        self._taken.update((each.place, each) for each in some)

    def _tidy(self, places: Openings) -> None:
        """Delete what places counted that are gone, two turns after they last counted anything."""
        found = self._counted.found
        gone = {
            place: found[place].counters
            for place in found.keys() - places.keys()
            if self._taken.get(place) is found[place] and _is_quiet(found[place].counters)
        }
        over = {place for place, counters in gone.items() if self._leaving.get(place) == counters}
        self._leaving = gone
        self._counted.forget(over)
        for place in over:
            del self._taken[place], self._leaving[place]


def messages(places: Iterable[PlaceTraffic]) -> Iterator[list[PlaceTraffic]]:
    """What is to be told in portions that one call may have."""
    some: list[PlaceTraffic] = []
    size = 2
    for each in places:
        more = len(msgspec.json.encode(each)) + 1
        if some and (size + more > MOST_BYTES or len(some) == MOST_PLACES):
            yield some
            some, size = [], 2
        some.append(each)
        size += more
    if some:
        yield some


def _is_quiet(counters: Counters) -> bool:
    """Whether every flow that was opened has ended.

    More may have ended: an upgrade brings flows that never were opened here, as do counters that
    were tidied away and born again. If such a flow is left when the others have ended, and counts
    once more, that is another birth and nothing is lost.
    """
    return counters.opened <= sum(counters.ended.values())
