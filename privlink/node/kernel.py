"""What the kernel holds for this node, read and changed: maps and links behind one seam.

It knows how; the agent knows what and when. Nothing is cached here but on which links this process
has already put its own program.
"""

from __future__ import annotations

import queue
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from privlink.node import system
from privlink.node.errors import KernelError
from privlink.node.flows import Gone
from privlink.node.links import Fabric, Link
from privlink.node.program import upgrade
from privlink.node.program.bpf import Program
from privlink.node.program.maps import ADDRESS, NUMBER, Entry, Number, Reason
from privlink.node.program.upgrade import Move
from privlink.node.reconcile import CALLED, MAPS, Plan
from privlink.node.shaper import Shaper
from privlink.node.telling.ring import Ring

_COMPLAINTS: Final = 100  # of a gateway to one workload, per second (RFC 1812 section 4.3.2.8)


def pin_directory(instance: str) -> Path:
    """Where an instance's maps are pinned, so that flows outlive every process."""
    return system.BPFFS / f"privlink-{instance}"


class Kernel:
    """An instance's fabric and maps."""

    def __init__(self, fabric: Fabric, program: Program, move: Move | None = None) -> None:
        self.fabric = fabric
        self.program = program
        self.move = move  # of flows from an older layout, till it is done
        self.fragments = program.maps["fragments"]
        self.gone: queue.SimpleQueue[Gone] = queue.SimpleQueue()  # whose flows are to be cut
        self.shaper = Shaper(fabric, program)
        self._guarded: dict[str, int] = {}  # link name -> index

    @classmethod
    def open(cls, instance: str, object_path: Path) -> Self:
        """Open what is there and make what is missing. Raises KernelError."""
        system.mount_bpffs()
        pins = pin_directory(instance)
        upgrade.refuse_unknown(pins)
        program = Program.open(object_path, upgrade.layout_directory(pins))
        kernel = cls(Fabric.open(instance), program, upgrade.begin(program, pins))
        # Whoever was here before may have died between a change and this.
        kernel.begin_epoch()
        kernel.set_number(Number.COMPLAINTS, _COMPLAINTS)
        if not kernel.number(Number.LIFE):
            kernel.set_number(Number.LIFE, secrets.randbelow(0xFFFFFFFF) + 1)
        return kernel

    def observed(self) -> frozenset[Entry]:
        """Every entry of every map that follows from items."""
        return frozenset(self._dump())

    def holds_nothing(self) -> bool:
        """Whether no entry is there that follows from an item: so it is after a boot or a purge."""
        return self.move is None and next(self._dump(), None) is None

    def _dump(self) -> Iterator[Entry]:
        for name in MAPS:
            for key, value in self.program.maps[name].dump():
                yield Entry(name, key, value)

    def carry_out(self, plan: Plan) -> None:
        """Do what the plan says, in its order. Raises KernelError at the first refusal."""
        try:
            for put, name, entries in plan.steps():
                if put:
                    if name in CALLED:
                        self._make_counters(entries)
                    self.program.maps[name].update_many((e.key, e.value) for e in entries)
                else:
                    self.program.maps[name].delete_many(e.key for e in entries)
        finally:
            if plan.rejudges:
                self.begin_epoch()
            if gone := Gone.among(plan):
                self.gone.put(gone)

    def _make_counters(self, called: Iterable[Entry]) -> None:
        """Have the counters of places there before their first packets.

        The program makes them too, but of many at one moment it may find no memory for some.
        """
        traffic = self.program.maps["traffic"]
        with suppress(KernelError):
            for place in {ADDRESS.unpack_from(entry.value)[4] for entry in called} - {0}:
                traffic.add(NUMBER.pack(place), bytes(traffic.width))

    def begin_epoch(self) -> None:
        """Have every flow held against what it rests on anew, each at its next packet."""
        self.set_number(Number.EPOCH, (self.number(Number.EPOCH) + 1) % (1 << 32))

    def number(self, which: Number) -> int:
        """One of the single numbers that program and agent share."""
        value = self.program.maps["numbers"].lookup(NUMBER.pack(which))
        return int(NUMBER.unpack(value or bytes(NUMBER.size))[0])

    def set_number(self, which: Number, value: int) -> None:
        """Set one of the single numbers."""
        self.program.maps["numbers"].update_many([(NUMBER.pack(which), NUMBER.pack(value))])

    def connect(self, link: Link, bridge: Link, mac: str, *, verify: bool) -> None:
        """Join the link of the workload with `mac` to its segment, under our program.

        `verify` looks whether the program still stands where this process has put it. Raises
        KernelError.
        """
        # While flows move, the program of the older layout goes on with what it has.
        ours = self.move is not None or self._guarded.get(link.name) == link.index
        if not ours or ((verify or self.move) and not self.fabric.guarded(link)):
            self._guard(link)
        self.fabric.join(link, bridge, mac)

    def open_records(self, most: int) -> Ring:
        """The flow records, `most` of them per place, CPU and second. Raises KernelError."""
        self.allow_records(most)
        return Ring(self.program.maps["records"].fd)

    def allow_records(self, most: int) -> None:
        """From now on `most` flow records per place, CPU and second. Raises KernelError."""
        self.set_number(Number.RECORDS, most)

    def finish_move(self) -> list[str]:
        """Move the flows of an older layout, if there is one, now that the maps are filled.

        Says what was moved. Raises KernelError; again goes on.
        """
        if self.move is None:
            return []
        said = self.move.run(self.switch)
        self.move = None
        return [said]

    def switch(self) -> None:
        """Put our program in the place of whatever other stands on a port."""
        for link in self.fabric.links().values():
            if self.fabric.guarded(link):
                self._guard(link)

    def _guard(self, link: Link) -> None:
        self.fabric.guard(link, self.program.fd)
        self._guarded[link.name] = link.index

    def drops(self) -> dict[str, int]:
        """Packets dropped so far, by reason."""
        return {
            Reason(number).name.lower(): count for number, count in self.program.drops().items()
        }
