"""What the numbers in records mean: places, security groups and their rules, by what the feed said.

Written by the agent's thread and read by the one of records: every step is one operation on a dict.
What is gone is remembered for a while, since the last records of it come after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from privlink.model.items import AnyItem, Balancer, Filter, Forward, Rule
from privlink.node.program.maps import Direction

_MOST_GONE: Final = 10_000  # of what is gone, of each kind
_MOST_VERSIONS: Final = 8  # of a group's rules
_MONOTONIC_COARSE: Final = 6  # clock_gettime(2): what the eBPF program dates its records by
_SETTLING: Final = 5_000_000_000  # ns for which the rules before a change may still be the kernel's


_Named = TypeVar("_Named")


class _Place(msgspec.Struct, frozen=True):
    """What traffic is counted under."""

    key: str
    inside: int  # of a Reverse endpoint: the number of its VPC, else 0


class _Version(msgspec.Struct, frozen=True):
    """A group's rules, and since when they may be those of the kernel."""

    since: int  # CLOCK_MONOTONIC_COARSE, ns
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]

    def id_of(self, direction: Direction, index: int) -> str:
        rules = self.egress if direction is Direction.EGRESS else self.ingress
        return rules[index - 1].id if index <= len(rules) else ""


def _coarse() -> int:
    return time.clock_gettime_ns(_MONOTONIC_COARSE)


class Names:
    """The items that records speak of, by number."""

    def __init__(self, clock: Callable[[], int] = _coarse) -> None:
        self._clock = clock
        self._places: dict[int, _Place] = {}
        self._groups: dict[int, str] = {}
        self._versions: dict[int, tuple[_Version, ...]] = {}
        self._gone_places: dict[int, _Place] = {}
        self._gone_groups: dict[int, str] = {}

    def learn(self, key: str, item: AnyItem) -> None:
        """An item is there, or is other than before."""
        if isinstance(item, (Forward, Balancer)) and item.number:
            inside = item.network if isinstance(item, Forward) and item.reversed else 0
            self._places[item.number] = _Place(key, inside)
            self._gone_places.pop(item.number, None)
        elif isinstance(item, Filter):
            version = _Version(self._clock(), item.rules, item.egress)
            before = self._versions.get(item.number, ())
            self._versions[item.number] = (*before, version)[-_MOST_VERSIONS:]
            self._groups[item.number] = key.partition("/")[2]
            self._gone_groups.pop(item.number, None)

    def forget(self, item: AnyItem) -> None:
        """An item is gone, or about to be learnt anew."""
        if isinstance(item, (Forward, Balancer)) and item.number in self._places:
            _move(self._places, self._gone_places, item.number)
        elif isinstance(item, Filter) and item.number in self._groups:
            for number in _move(self._groups, self._gone_groups, item.number):
                self._versions.pop(number, None)

    def place(self, number: int) -> str:
        """The key of the item that is counted under a number; "" if nobody knows."""
        found = self._place(number)
        return found.key if found else ""

    def inside(self, number: int) -> int:
        """The number of the VPC that full-NAT entries lead into, where what is counted under a
        number is a Reverse endpoint; else 0.
        """
        found = self._place(number)
        return found.inside if found else 0

    def _place(self, number: int) -> _Place | None:
        return self._places.get(number) or self._gone_places.get(number)

    def group(self, number: int) -> str:
        """The id of a security group; "" if nobody knows."""
        return self._groups.get(number) or self._gone_groups.get(number, "")

    def rule(self, number: int, direction: Direction, index: int, moment: int) -> str:
        """The id of a group's rule that decided at a moment of CLOCK_MONOTONIC, counted from 1.

        "" where there was none, and where the rules were just changing so that it could be either
        of two: no rule is blamed for what another one did.
        """
        versions = self._versions.get(number, ())
        if not index or not versions or moment < versions[0].since:
            return ""
        ends = [version.since + _SETTLING for version in versions[1:]]
        ids = {
            version.id_of(direction, index)
            for version, end in zip(versions, (*ends, None), strict=True)
            if version.since <= moment and (end is None or moment <= end)
        }
        return ids.pop() if len(ids) == 1 else ""


def _move(there: dict[int, _Named], gone: dict[int, _Named], number: int) -> list[int]:
    """Move a name to those that are gone; returns the numbers that were forgotten for it."""
    gone[number] = there[number]  # first, so that who reads meanwhile finds it in one of both
    del there[number]
    forgotten = []
    while len(gone) > _MOST_GONE:
        oldest = next(iter(gone))
        del gone[oldest]
        forgotten.append(oldest)
    return forgotten
