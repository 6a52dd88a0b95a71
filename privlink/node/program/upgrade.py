"""Upgrade in place: a new program, and if need be new maps, take the place of the old ones.

An instance's maps are pinned in a folder per layout: `layout-3`, and layout 1 in the instance's
folder itself. If there is the present layout alone, its maps are taken up as they are, and the
program is replaced port by port, each in one step. If there is an older one, its flows move:

    begun       the new maps are pinned beside the old ones and say that flows are moving, so that
                the new program is silent about TCP it does not know, where it would reset it
    filled      what follows from items is in the new maps: a full answer of the feed was settled.
                Till then, however long that takes, the old program goes on with the old maps
    copied      the flows of the old table are in the new one
    counted     ... and are counted
    switched    the new program stands on every port
    followed    what the old program opened, or saw the end of, since it was copied, has followed
    forgotten   the old flows are pinned no more
    done        nothing of the older layout is left; the new maps say that nothing moves

Wherever that is broken off, these hold, so that the next start begins with `begun` again:

  1. While old flows are pinned, the new maps say that flows are moving.
  2. The new program replaces the old one on no port before `copied`; a port that has none gets it.
  3. A flow that was copied is in both tables, and goes on at ports with either program.
  4. An entry that the new program has made is never replaced; to one that it has changed is only
     added what the old program saw of the same flow.
  5. Copied flows are held against the new rules at their next packet: none passes by having moved.

What is not kept: a datagram that is passing in pieces. A connection that is being opened while
ports are switched has its next packet sent again by TCP; a UDP flow that young may get another
server. A flow that ends for the old program after it was copied, and is gone from its table, stays
in the new one for its idle time.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from privlink.node.errors import LayoutError
from privlink.node.program import layouts
from privlink.node.program.bpf import Map, Program
from privlink.node.program.maps import COUNT, LAYOUT, NUMBER, Number

_FOLDER: Final = "layout-"
_FLOWS: Final = "flows"
_READ: Final = (_FLOWS, "numbers", "drops")  # of an older layout
_UNWRITTEN: Final = 2_000_000_000  # ns for which a packet may not show in `last_seen`, at most
_REMEMBERED: Final = 1 << 16  # entries looked up
_WAY_OUT: Final = "`privlink down --purge` removes them, and with them every flow"

log = logging.getLogger(__name__)


def layout_directory(pins: Path, layout: int = LAYOUT) -> Path:
    """Where the maps of a layout are pinned, below the folder of the instance."""
    return pins if layout == 1 else pins / f"{_FOLDER}{layout}"


def pinned_layouts(pins: Path) -> list[int]:
    """The layouts of which there are flows, the latest last; newer ones count by their folder."""
    folders = (path.name.removeprefix(_FOLDER) for path in pins.glob(f"{_FOLDER}*"))
    return sorted(
        layout
        for layout in {1, *(int(number) for number in folders if number.isdecimal())}
        if layout > LAYOUT or (layout_directory(pins, layout) / _FLOWS).exists()
    )


def refuse_unknown(pins: Path) -> None:
    """Raise LayoutError where maps are pinned that this version cannot go on with."""
    for layout in pinned_layouts(pins):
        where = layout_directory(pins, layout)
        if layout > LAYOUT:
            raise LayoutError(
                f"the maps in {where} are of layout {layout}, and this version knows none later "
                f"than {LAYOUT}",
                f"start the version of privlink that made them, or a newer one; {_WAY_OUT}",
            )
        if layout < LAYOUT and not _fits(where, layout):
            raise LayoutError(
                f"the maps in {where} have not layout {layout}, which is what their place says",
                f"they are damaged, or of a version that never was released; {_WAY_OUT}",
            )


def _fits(where: Path, layout: int) -> bool:
    known = layouts.OLDER.get(layout)
    if not all((where / name).exists() for name in _READ):
        return False
    with Map.pinned(where / _FLOWS) as flows:
        return known is not None and (flows.key_size, flows.value_size) == known[:2]


def begin(program: Program, pins: Path) -> Move | None:
    """Begin to move the flows of an older layout to the maps of `program`; None: there is none."""
    older = [layout for layout in pinned_layouts(pins) if layout < LAYOUT]
    if not older:
        _finish(program, pins)
        return None
    return Move(program, pins, older[-1])


class Move:
    """Flows on their way from the maps of an older layout into those of the present one."""

    def __init__(self, program: Program, pins: Path, layout: int) -> None:
        self._program = program
        self._pins = pins
        self._layout = layout
        self._convert = layouts.OLDER[layout].convert
        self._old = {name: Map.pinned(layout_directory(pins, layout) / name) for name in _READ}
        self._flows = program.maps[_FLOWS]
        self.brought = 0
        _say_moving(program, moving=True)
        log.info(
            "there are flows of layout %d: they go on as they are, and move to layout %d once the "
            "server has said what there should be", layout, LAYOUT,
        )  # fmt: skip

    def run(self, switch: Callable[[], object]) -> str:
        """Take every step, and say what was moved.

        The maps have to be filled. `switch` puts the new program on every port that has one. Raises
        KernelError; running it again goes on.
        """
        started = time.perf_counter()
        for step in self.steps(switch):
            log.debug("upgrade: %s", step)
        took = 1000 * (time.perf_counter() - started)
        flows = "1 flow" if self.brought == 1 else f"{self.brought} flows"
        return f"{flows} moved from layout {self._layout} to {LAYOUT} in {took:.1f} ms"

    def steps(self, switch: Callable[[], object]) -> Iterator[str]:
        """Each step's name, once it is done."""
        self.brought = 0
        copied = self._copy()
        yield "copied"
        self._count()
        # A large table takes seconds; what remains to be done after the switch is to be little.
        copied = self._follow(copied)
        yield "counted"
        switch()
        yield "switched"
        self._follow(copied)
        yield "followed"
        (layout_directory(self._pins, self._layout) / _FLOWS).unlink(missing_ok=True)
        yield "forgotten"
        _finish(self._program, self._pins)
        self.close()
        yield "done"

    def close(self) -> None:
        """Let go of the older maps."""
        for each in self._old.values():
            each.close()

    def _copy(self) -> int:
        """Bring every flow, and say as of when that was (CLOCK_MONOTONIC, ns)."""
        self._carry_over()
        if next(self._flows.dump(), None) is not None:
            return self._follow(0)
        began = time.monotonic_ns()
        self._flows.update_many(self._converted(self._finder()))
        return began

    def _converted(self, find: layouts.Find) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._old[_FLOWS].dump():
            brought = self._convert(key, value, find)
            self.brought += layouts.owner(brought) is not None
            yield key, brought

    def _finder(self) -> layouts.Find:
        maps = self._program.maps

        @lru_cache(_REMEMBERED)
        def find(name: str, key: bytes) -> bytes | None:
            return maps[name].lookup(key)

        return find

    def _carry_over(self) -> None:
        """The numbers that go on: of drops, and of identifications given away."""
        old, new = self._old["drops"], self._program.maps["drops"]
        for reason in range(old.max_entries):
            key = NUMBER.pack(reason)
            before = old.count(key)
            if before > new.count(key):
                new.set_count(key, before)
        key = NUMBER.pack(Number.IDENTIFICATION)
        if value := self._old["numbers"].lookup(key):
            self._program.maps["numbers"].update_many([(key, value)])

    def _count(self) -> None:
        """Write down how many flows there are by forward, of all that the table holds."""
        owners = (layouts.owner(value) for _, value in self._flows.dump())
        counts = Counter(owner for owner in owners if owner is not None)
        self._program.maps["counts"].update_many(
            (NUMBER.pack(forward), COUNT.pack(0, count)) for forward, count in counts.items()
        )

    def _follow(self, since: int) -> int:
        """Bring what came or changed in the old table since then, flow by flow; as of when."""
        began, find = time.monotonic_ns(), self._finder()
        for key, value in self._old[_FLOWS].dump():
            if layouts.last_seen(value) < since - _UNWRITTEN:
                continue
            entry = self._convert(key, value, find)
            if self._knows(key, entry):
                continue
            other_key = layouts.partner_key(key, entry)
            found = self._old[_FLOWS].lookup(other_key)
            other = None if found is None else self._convert(other_key, found, find)
            if layouts.owner(entry) is not None:
                self._bring(key, entry, other_key, other)
            elif other is not None:
                self._bring(other_key, other, key, entry)
            else:  # its client was told that it is over; the server is to be
                self._put(key, entry)
        return began

    def _knows(self, key: bytes, entry: bytes) -> bool:
        """Whether the new table has all of it: so it is with most, and that has to be quick."""
        held = self._flows.lookup(key)
        return (
            held is not None
            and layouts.same_flow(held, entry)
            and layouts.merged(held, entry) == held
        )

    def _bring(self, key: bytes, entry: bytes, back_key: bytes, back: bytes | None) -> None:
        """Bring one flow, the server's answers first: that entry is the claim on its source port.

        A flow whose port or whose key another one has by now is not brought, nor half of it.
        """
        came = False
        if back is not None:
            came, own = self._put(back_key, back)
            if not own:
                held = self._flows.lookup(key)
                if held is not None and layouts.same_flow(held, entry):
                    self._flows.delete(key)
                return
        new, own = self._put(key, entry)
        if new:
            self.brought += 1
            self._count_one(entry)
        elif not own and came:
            self._flows.delete(back_key)

    def _put(self, key: bytes, entry: bytes) -> tuple[bool, bool]:
        """Put an entry; whether it is new, and whether what the key leads to is the same flow."""
        if self._flows.add(key, entry):
            return True, True
        held = self._flows.lookup(key)
        if held is None or not layouts.same_flow(held, entry):
            return False, False
        both = layouts.merged(held, entry)
        if both != held:
            self._flows.update_many([(key, both)])
        return False, True

    def _count_one(self, entry: bytes) -> None:
        counts, key = self._program.maps["counts"], NUMBER.pack(layouts.owner(entry) or 0)
        following, flows = COUNT.unpack(counts.lookup(key) or bytes(COUNT.size))
        counts.update_many([(key, COUNT.pack(following, flows + 1))])


def _finish(program: Program, pins: Path) -> None:
    """Remove what is left of older layouts, and say that nothing moves any more."""
    for path in pins.iterdir():
        if not path.is_dir():
            path.unlink()
        elif path != layout_directory(pins):
            shutil.rmtree(path)
    _say_moving(program, moving=False)


def _say_moving(program: Program, *, moving: bool) -> None:
    key = NUMBER.pack(Number.MOVING)
    program.maps["numbers"].update_many([(key, NUMBER.pack(moving))])
