"""The shaper: holds the packets of a connection back to its bandwidth, each direction for itself.

    port ─ privlink_ingress ─▶ shaper<n> ═ HTB ═▶ shaped<n> ─ privlink_deliver ─▶ port

A connection has a number here, its *pace*, even: the class of what its clients send; the next one
is that of the answers. A forward bears the pace, so a change of the bandwidth alone is a change of
two classes and of no map. Connections without a bandwidth never come here.

The bandwidth is that of the payload. Headers come on top and pass as well, so that TCP brings
within 5 % of what was asked for whatever the MTU: 1 % less with packets of 1500 bytes over IPv4,
2.4 % less over IPv6, 3.5 % more with the largest.

The kernel walks through all classes of a qdisc whenever it gets one. So a link has 512 at most.

The kernel's classes and forwards are what is true: after a restart a connection keeps its pace.
A class is there before a forward bears it, and goes a sweep or two after none does.
"""

from __future__ import annotations

import heapq
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Final

from privlink.model.items import Opening
from privlink.node.classes import Class, Classes, Seen
from privlink.node.errors import KernelError
from privlink.node.links import FAR, NEAR, Fabric
from privlink.node.program.bpf import Program
from privlink.node.program.maps import FORWARD, NUMBER, Number

MOST: Final = 32_000  # connections with a bandwidth
SHARD_BITS: Final = 9  # as in bpf/pace.h
FIRST_LINK: Final = 1 << 24  # index of the first link; the kernel counts its own from 1

BYTES_PER_MBIT: Final = 129_375  # bytes per second to a Mbit/s: 3.5 % are room for headers
_BURST: Final = 5_000_000  # ns; a busy processor is late by less
_QUEUE: Final = 0.02  # seconds that a packet waits at most
_LEAST_QUEUE: Final = 1 << 17  # bytes: two of the largest packets

log = logging.getLogger(__name__)


class Shaper:
    """The classes of a node's connections."""

    def __init__(self, fabric: Fabric, program: Program) -> None:
        self.refused: dict[int, str] = {}  # connections that have no class, with the reason
        self.paces: dict[int, int] = {}  # of those that have one
        self._fabric = fabric
        self._program = program
        self._asked: dict[str, tuple[Opening, ...]] = {}  # what items ask for
        self._shares: defaultdict[int, dict[tuple[str, int], int]] = defaultdict(dict)
        self._rates: dict[int, int] = {}  # Mbit/s of the classes there are, by pace
        self._ready: set[int] = set()  # shards whose links this process has looked after
        self._look()
        # From before, and not asked for yet: by opening, and the other way round.
        self._kept = self._borne()
        self._keepers: defaultdict[int, set[int]] = defaultdict(set)
        for opening, pace in self._kept.items():
            self._keepers[pace].add(opening)
        self._idle = self._rates.keys() - self._keepers.keys()  # paces that nobody asks for
        self._doomed: set[int] = set()  # those that were idle a sweep ago
        used = self._rates.keys() | self._keepers.keys()
        self._free = [pace for pace in range(2, 2 * MOST + 2, 2) if pace not in used]

    def settle(self, asked: Mapping[str, Iterable[Opening]], *, verify: bool = False) -> None:
        """Have a class for every connection that items, by key, ask a bandwidth for.

        To be called before their forwards are made. Connections that can have none are in `refused`
        afterwards. Where zones of one disagree for a moment, the lowest holds. `verify` compares
        with the kernel and clears up; everything that there is has been asked for by then.
        """
        touched = {number for key, some in asked.items() for number in self._learn(key, some)}
        if verify:
            self._look()
            touched |= self._shares.keys() | self.refused.keys()
        wanted: defaultdict[int, dict[int, int]] = defaultdict(dict)  # by shard: pace, connection
        for connection in sorted(touched):
            self.refused.pop(connection, None)
            try:
                pace = self._pace(connection)
            except ValueError as error:
                self.refused[connection] = str(error)
                continue
            if pace is not None and self._rates.get(pace) != self._rate(connection):
                wanted[pace >> SHARD_BITS][pace] = connection
        for shard, connections in wanted.items():
            self._put(shard, connections)
        if verify:
            self._clear()

    def _learn(self, key: str, openings: Iterable[Opening]) -> Iterator[int]:
        """Take in what an item asks for now; the connections that this is about."""
        for before in self._asked.pop(key, ()):
            self._shares[before.connection].pop((key, before.number), None)
            yield before.connection
        limited = tuple(opening for opening in openings if opening.bandwidth)
        if limited:
            self._asked[key] = limited
        for opening in limited:
            self._shares[opening.connection][key, opening.number] = opening.bandwidth
            yield opening.connection

    def _rate(self, connection: int) -> int:
        return min(self._shares[connection].values())

    def _pace(self, connection: int) -> int | None:
        """The pace of a connection, given to it now if need be; None if it asks for none.

        ValueError where no more can be given.
        """
        shares = self._shares[connection]
        pace = self.paces.get(connection)
        if not shares:
            del self._shares[connection]
            if pace is not None:
                del self.paces[connection]
                self._idle.add(pace)
            return None
        if pace is None:
            pace = self._from_before(number for _, number in shares) or self._next(connection)
            self.paces[connection] = pace
        return pace

    def _from_before(self, openings: Iterable[int]) -> int | None:
        """What one of these openings had when this process began."""
        for opening in openings:
            pace = self._kept.get(opening)
            if pace is not None:
                for each in self._keepers.pop(pace):
                    del self._kept[each]
                return pace
        return None

    def _next(self, connection: int) -> int:
        if self._free:
            return heapq.heappop(self._free)
        if self._idle:
            pace = min(self._idle)
            self._idle.discard(pace)
            return pace
        raise ValueError(
            f"connection {connection} gets no bandwidth of its own: {MOST} connections on this "
            "node have one, the most there can be; take it from some of them, or serve a part of "
            "the endpoints from another node"
        )

    def _put(self, shard: int, connections: Mapping[int, int]) -> None:
        """Make or change the classes of connections, by pace."""
        rates = {pace: self._rate(connection) for pace, connection in connections.items()}
        try:
            if shard not in self._ready:
                self._make(shard)
            with closing(Classes(self._fabric.path)) as classes:
                classes.put(FIRST_LINK + shard, _classes(rates))
        except KernelError as error:
            self._ready.discard(shard)
            for pace, connection in connections.items():
                self.refused[connection] = str(error)
                self._rates.pop(pace, None)
        else:
            self._rates |= rates

    def _make(self, shard: int) -> None:
        """Have the two links of a shard, HTB between them and the program behind it.

        Nothing passes before all of it is there.
        """
        near, far, index = f"{NEAR}{shard}", f"{FAR}{shard}", FIRST_LINK + shard
        end = self._fabric.make_pair(near, far, index)
        with closing(Classes(self._fabric.path)) as classes:
            classes.begin(index)
        self._fabric.guard(end, self._program.deliverer)
        self._fabric.set_up(far, end.index)
        self._fabric.set_up(near, index)
        first = NUMBER.pack(FIRST_LINK)
        self._program.maps["numbers"].update_many([(NUMBER.pack(Number.SHAPER), first)])
        self._ready.add(shard)

    def _guarded(self, shard: int) -> bool:
        """Whether the far end of a shard is there, with a program."""
        far = self._fabric.link(f"{FAR}{shard}")
        return far is not None and far.up and self._fabric.guarded(far)

    def _look(self) -> None:
        """Read from the kernel which classes there are, and see to their links."""
        self._rates.clear()
        found = self._fabric.shapers()
        self._ready &= {index - FIRST_LINK for index in found.values()}
        for name, index in found.items():
            shard = index - FIRST_LINK
            try:
                if shard not in self._ready or not self._guarded(shard):
                    self._make(shard)
                with closing(Classes(self._fabric.path)) as classes:
                    self._rates |= _rates(classes.seen(index))
            except KernelError as error:
                log.warning("%s: %s", name, error)

    def _borne(self) -> dict[int, int]:
        """The paces that forwards bear, by number."""
        found = self._program.maps["forwards"].dump()
        paces = ((NUMBER.unpack(key)[0], FORWARD.unpack(value)[-2]) for key, value in found)
        return {number: pace for number, pace in paces if pace}

    def _clear(self) -> None:
        """Delete the classes that were idle at the last sweep already, and no forward bears."""
        if not (self._idle or self._keepers):
            self._doomed.clear()
            return
        self._idle |= self._keepers.keys()
        self._kept.clear()
        self._keepers.clear()
        self._doomed &= self._idle - set(self._borne().values())
        for pace in sorted(self._doomed):
            try:
                with closing(Classes(self._fabric.path)) as classes:
                    classes.delete(FIRST_LINK + (pace >> SHARD_BITS), (pace, pace + 1))
            except KernelError as error:
                log.warning("%s", error)
                continue
            self._idle.discard(pace)
            self._rates.pop(pace, None)
            heapq.heappush(self._free, pace)
        self._doomed = set(self._idle)


def _classes(rates: Mapping[int, int]) -> Iterator[Class]:
    """Both classes of each pace."""
    for pace, rate in rates.items():
        bytes_per_second = rate * BYTES_PER_MBIT
        limit = max(int(bytes_per_second * _QUEUE), _LEAST_QUEUE)
        for number in (pace, pace + 1):
            yield Class(number, bytes_per_second, _BURST, limit)


def _rates(found: Iterable[Seen]) -> dict[int, int]:
    """Mbit/s by pace, of those whose two classes are alike."""
    classes = {seen.number: seen.rate for seen in found}
    return {
        number: rate // BYTES_PER_MBIT
        for number, rate in classes.items()
        if number % 2 == 0 and classes.get(number + 1) == rate and rate % BYTES_PER_MBIT == 0
    }
