"""What every place has counted, as the kernel's maps have it; kept up by what changed in them.

Ten thousand places are read every second, of which few have counted anything: what is the same as
before costs no more than to see that it is. Knows nothing of the server and of what it has taken.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from privlink.model.traffic import NOTHING, Amount, Both, Counters, PlaceTraffic
from privlink.node.program.bpf import Map
from privlink.node.program.maps import (
    AMOUNT,
    CAUSES,
    COUNT,
    NUMBER,
    REFUSAL_KEY,
    TRAFFIC,
    Cause,
    Reason,
    Way,
)

Openings = Mapping[int, Collection[int]]  # numbers of openings, by place

_NAMES: Final = {reason.value: reason.name.lower() for reason in Reason}
_CAUSE_NAMES: Final = {cause.value: cause.name.lower() for cause in Cause}
# A newer program may have been here before.
_CAUSES: Final = tuple(_CAUSE_NAMES.get(cause, f"cause_{cause}") for cause in range(CAUSES))
_BORN: Final = 17 + CAUSES  # of the fields of struct traffic


class Counted:
    """The counters of all places, as of the last look."""

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self.found: dict[int, PlaceTraffic] = {}  # the same object as long as nothing changes
        self._maps = maps
        self._traffic = _Sums(maps["traffic"], TRAFFIC)
        self._refusals = _Sums(maps["refusals"], AMOUNT)
        self._flows = _Sums(maps["counts"], COUNT)
        self._refused: defaultdict[int, dict[str, Both]] = defaultdict(dict)
        self._openings: Openings = {}
        self._places: dict[int, int] = {}  # by opening

    def look(self, openings: Openings | None) -> None:
        """Read what changed; `openings` are those of the places there are, None: as before.

        Raises KernelError; the next look makes up for it.
        """
        for each in (self._flows, self._refusals, self._traffic):
            each.read()
        changed = self._learn(openings) if openings is not None else set()
        for (number,) in map(NUMBER.unpack, self._flows.changed):
            if number in self._places:
                changed.add(self._places[number])
        changed.update(map(self._refuse, self._refusals.changed))
        changed.update(number for (number,) in map(NUMBER.unpack, self._traffic.changed))
        for place in changed:
            self._count(place)
        for each in (self._flows, self._refusals, self._traffic):
            each.changed.clear()

    def forget(self, places: Collection[int]) -> None:
        """Delete what places have counted, and refusals of those that have no counters any more.

        What has a birth goes first: what counts on after it may count less than was told.
        """
        self._maps["traffic"].delete_many(map(NUMBER.pack, places))
        over = {*places, *(self._refused.keys() - self.found.keys() - self._openings.keys())}
        if over:
            known = self._refusals.sums
            refusals = [key for key in known if REFUSAL_KEY.unpack(key)[0] in over]
            self._maps["refusals"].delete_many(refusals)

    def _learn(self, openings: Openings) -> set[int]:
        """Take in which openings there are; the places of which others are than before."""
        before = self._openings
        if openings is before:
            return set()
        self._openings = openings
        self._places = {number: place for place, numbers in openings.items() for number in numbers}
        both = openings.keys() | before.keys()
        return {place for place in both if openings.get(place) != before.get(place)}

    def _refuse(self, key: bytes) -> int:
        """Take in what was refused for one reason one way; the place."""
        place: int
        place, number, way = REFUSAL_KEY.unpack(key)
        name = _NAMES.get(number) or f"reason_{number}"
        refused = self._refused[place]
        there, back = refused.get(name, NOTHING)
        amount = Amount(*self._refusals.sums.get(key, (0, 0)))
        refused[name] = (there, amount) if way == Way.FROM_SERVER else (amount, back)
        if refused[name] == NOTHING:
            del refused[name]
        if not refused:
            del self._refused[place]
        return place

    def _count(self, place: int) -> None:
        sums = self._traffic.sums.get(NUMBER.pack(place))
        if sums is None:
            self.found.pop(place, None)
            return
        counters = _counters(sums, self._refused.get(place, {}))
        if place in self._openings:
            flows = self._flows.sums
            numbers = map(NUMBER.pack, self._openings[place])
            now = sum(flows[each][1] for each in numbers if each in flows)
        else:
            now = counters.opened - sum(counters.ended.values())
        said = PlaceTraffic(place, max(now, 0), counters, sums[_BORN] // 1000)
        if self.found.get(place) != said:
            self.found[place] = said


class _Sums:
    """The values of a map, each the sum over all CPUs, by key; unpacked is only what changed."""

    def __init__(self, source: Map, layout: struct.Struct) -> None:
        assert layout.size == source.value_size and layout.size % 8 == 0, source.name
        self.sums: dict[bytes, tuple[int, ...]] = {}
        self.changed: set[bytes] = set()  # keys that came, went or have other sums
        self._source, self._layout = source, layout
        self._hashes: dict[bytes, int] = {}  # of values as they were last unpacked
        self._pages: set[tuple[int, int]] = set()  # hashes of keys and of values
        self._keys = b""

    def read(self) -> None:
        """Bring the sums up to date."""
        pages: set[tuple[int, int]] = set()
        listed: list[bytes] = []
        for keys, values in self._source.pages():
            page = hash(keys), hash(values)
            if page not in self._pages:
                self._unpack(keys, values)
            pages.add(page)
            listed.append(keys)
        self._pages = pages
        together = b"".join(listed)
        if together != self._keys:
            self._keys = together
            self._drop(_parts(together, self._source.key_size))

    def _unpack(self, keys: bytes, values: bytes) -> None:
        width, hashes = self._source.width, self._hashes
        for at, key in enumerate(_parts(keys, self._source.key_size)):
            value = values[at * width : (at + 1) * width]
            seen = hash(value)
            if hashes.get(key) == seen:
                continue
            hashes[key] = seen
            sums = tuple(map(sum, zip(*self._layout.iter_unpack(value), strict=True)))
            if self.sums.get(key) != sums:
                self.sums[key] = sums
                self.changed.add(key)

    def _drop(self, present: Iterable[bytes]) -> None:
        for key in self.sums.keys() - set(present):
            del self.sums[key], self._hashes[key]
            self.changed.add(key)


def _parts(joined: bytes, size: int) -> Iterable[bytes]:
    return (joined[at : at + size] for at in range(0, len(joined), size))


def _counters(sums: tuple[int, ...], refused: Mapping[str, Both]) -> Counters:
    """The fields of struct traffic as they are told."""
    opened, *ended = sums[16:_BORN]
    return Counters(
        carried=_both(sums[0:4]),
        dropped=_both(sums[4:8]),
        opened=opened,
        unsaid=sums[-1],
        ended={cause: count for cause, count in zip(_CAUSES, ended, strict=True) if count},
        refused=dict(refused),
        shaped=_both(sums[8:12]),
        released=_both(sums[12:16]),
    )


def _both(sums: tuple[int, ...]) -> Both:
    return Amount(*sums[:2]), Amount(*sums[2:])
