"""The meter: reads what the kernel counted, and tells the server what it has not yet taken.

A thread of its own, once a second. It says cumulative numbers, so that a call that is repeated, or
that is never answered, neither counts twice nor loses anything; they live in the kernel, so that
the death of this process loses nothing either. What a place counted that is gone is deleted only
when the server has the last of it and no flow is left that could add to it.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from privlink.client import RemoteError
from privlink.model.items import Balancer, Forward, Opening
from privlink.model.traffic import (
    MOST_BYTES,
    MOST_PLACES,
    NOTHING,
    Amount,
    Both,
    Counters,
    PlaceTraffic,
)
from privlink.node.feed import Caller
from privlink.node.program.bpf import Map, Program
from privlink.node.program.maps import (
    AMOUNT,
    CAUSES,
    COUNT,
    NUMBER,
    REFUSAL_KEY,
    TRAFFIC,
    Cause,
    Number,
    Reason,
    Way,
)

READ_SECONDS: Final = 1.0
_SHARE: Final = 5  # of its time, at most one part in so many is work, however much there is to read
_TIMEOUT: Final = 5.0

Openings = Mapping[int, Collection[int]]  # numbers of openings, by place

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
        self._traffic = _Sums(program.maps["traffic"], TRAFFIC)
        self._refusals = _Sums(program.maps["refusals"], AMOUNT)
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
        found = self._read(places or {})
        changed = [each for place, each in found.items() if self._taken.get(place) != each]
        for some in messages(changed):
            self._tell(some)
        if places is not None:
            self._tidy(found, places)
        return len(changed)

    def _read(self, places: Openings) -> dict[int, PlaceTraffic]:
        """What every place has counted so far."""
        refused = self._read_refusals()
        flows = {
            NUMBER.unpack(key)[0]: COUNT.unpack(value)[1]
            for key, value in self._maps["counts"].dump()
        }
        found = {}
        for key, sums in self._traffic.read().items():
            (place,) = NUMBER.unpack(key)
            counters = _counters(sums, refused.get(place, {}))
            if place in places:
                now = sum(flows.get(number, 0) for number in places[place])
            else:
                now = counters.opened - sum(counters.ended.values())
            found[place] = PlaceTraffic(place, max(now, 0), counters, sums[17 + CAUSES] // 1000)
        return found

    def _read_refusals(self) -> dict[int, dict[str, Both]]:
        found: dict[int, dict[str, Both]] = defaultdict(dict)
        for key, (packets, size) in self._refusals.read().items():
            place, reason, way = REFUSAL_KEY.unpack(key)
            name = _name_of_reason(reason)
            there, back = found[place].get(name, NOTHING)
            amount = Amount(packets, size)
            both = (there, amount) if way == Way.FROM_SERVER else (amount, back)
            found[place][name] = both
        return found

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

    def _tidy(self, found: Mapping[int, PlaceTraffic], places: Openings) -> None:
        """Delete what places counted that are gone, two turns after they last counted anything."""
        gone = {
            place: each.counters
            for place, each in found.items()
            if place not in places and self._taken.get(place) == each and _is_quiet(each.counters)
        }
        over = {place for place, counters in gone.items() if self._leaving.get(place) == counters}
        self._leaving = gone
        if over:
            refusals = [key for key in self._refusals.known() if REFUSAL_KEY.unpack(key)[0] in over]
            # First what has a birth: what counts on from there may count less than was told.
            self._maps["traffic"].delete_many(NUMBER.pack(place) for place in over)
            self._maps["refusals"].delete_many(refusals)
            for place in over:
                del self._taken[place], self._leaving[place]


class _Sums:
    """A map with a value per CPU, added up; only what changed since the last time is unpacked."""

    def __init__(self, source: Map, layout: struct.Struct) -> None:
        assert layout.size == source.value_size and layout.size % 8 == 0, source.name
        self._source, self._layout = source, layout
        self._known: dict[bytes, tuple[int, tuple[int, ...]]] = {}

    def read(self) -> dict[bytes, tuple[int, ...]]:
        """The sums of every field, by key."""
        known, found = self._known, {}
        for key, value in self._source.dump():
            seen = hash(value)
            before = known.get(key)
            if before is None or before[0] != seen:
                each = self._layout.iter_unpack(value)
                before = seen, tuple(map(sum, zip(*each, strict=True)))
            found[key] = before
        self._known = found
        return {key: sums for key, (_, sums) in found.items()}

    def known(self) -> Collection[bytes]:
        """The keys of the last reading."""
        return self._known.keys()


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


def _counters(sums: tuple[int, ...], refused: Mapping[str, Both]) -> Counters:
    """The fields of struct traffic as they are told."""
    opened, *ended = sums[16 : 17 + CAUSES]
    return Counters(
        carried=_both(sums[0:4]),
        dropped=_both(sums[4:8]),
        opened=opened,
        unsaid=sums[-1],
        ended={_name_of_cause(cause): count for cause, count in enumerate(ended) if count},
        refused=dict(refused),
        shaped=_both(sums[8:12]),
        released=_both(sums[12:16]),
    )


def _both(sums: tuple[int, ...]) -> Both:
    return Amount(*sums[:2]), Amount(*sums[2:])


def _is_quiet(counters: Counters) -> bool:
    """Whether every flow that was opened has ended.

    More may have ended: an upgrade brings flows that never were opened here, as do counters that
    were tidied away and born again. If such a flow is left when the others have ended, and counts
    once more, that is another birth and nothing is lost.
    """
    return counters.opened <= sum(counters.ended.values())


def _name_of_reason(number: int) -> str:
    # A newer program may have been here before.
    return Reason(number).name.lower() if number in _REASONS else f"reason_{number}"


def _name_of_cause(number: int) -> str:
    return Cause(number).name.lower() if number in _CAUSES else f"cause_{number}"


_REASONS, _CAUSES = frozenset(Reason), frozenset(Cause)
