"""Response-rate limiting: nobody is made to send a victim more answers than the victim can bear.

A datagram's source may be a lie, and an answer is longer than its question. So answers to a block
of addresses are counted, all of them and those that are alike. Above the limit every second one is
sent without its records, as truncated: a true client comes by TCP then, which cannot be lied to.

Counting is by two rows of counters that names and blocks fall into by their hash, and the lower of
two counts holds. So memory is fixed; who is not the only one in both of his counters may be limited
too early, and nobody ever too late. The time is a parameter.
"""

from __future__ import annotations

import ipaddress
from array import array
from collections.abc import Hashable
from enum import Enum
from typing import Final

SAME_PER_SECOND: Final = 20  # like answers to a block
ALL_PER_SECOND: Final = 1000  # answers to a block
_SLIP: Final = 2  # every so manieth answer above the limit is sent, truncated
_BLOCK4, _BLOCK6 = 24, 56  # bits of an address that make a block
_COUNTERS: Final = 1 << 15  # in each row
_MOST_BLOCKS: Final = 4096  # that are remembered, to spare parsing


class Verdict(Enum):
    """What becomes of an answer."""

    SEND = "send"
    TRUNCATE = "truncate"
    DROP = "drop"


class Limiter:
    """Counts of this second."""

    def __init__(self, same: int = SAME_PER_SECOND, every: int = ALL_PER_SECOND) -> None:
        self._same = same
        self._every = every
        self._second = -1
        self._rows = (_row(), _row())
        self._blocks: dict[str, int] = {}

    def judge(self, address: str, answer: Hashable, now: float) -> Verdict:
        """Whether one more answer may go to `address`; those that are alike share `answer`."""
        if int(now) != self._second:
            self._second = int(now)
            self._rows = (_row(), _row())
        block = self._block(address)
        alike = self._count((block, answer)) - self._same
        every = self._count((block, None)) - self._every
        above = max(alike, every)
        if above <= 0:
            return Verdict.SEND
        return Verdict.DROP if above % _SLIP else Verdict.TRUNCATE

    def _count(self, what: Hashable) -> int:
        """How many of these there were in this second, this one among them."""
        found = []
        mixed = hash(what)
        for row in self._rows:
            place = mixed % _COUNTERS
            row[place] += 1
            found.append(row[place])
            mixed >>= 32
        return min(found)

    def _block(self, address: str) -> int:
        block = self._blocks.get(address)
        if block is None:
            if len(self._blocks) >= _MOST_BLOCKS:
                self._blocks.clear()
            block = self._blocks[address] = block_of(address)
        return block


def block_of(address: str) -> int:
    """A number for the block of addresses that one is in."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return int(found) >> (128 - _BLOCK6) << 64
        found = found.ipv4_mapped
    return int(found) >> (32 - _BLOCK4)


def is_loopback(address: str) -> bool:
    """Whether an address is this host's own: nobody else can use it, so it needs no limit."""
    return address.startswith("127.") or address == "::1"


def _row() -> array[int]:
    return array("L", bytes(_COUNTERS * array("L").itemsize))
