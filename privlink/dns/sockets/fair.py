"""Sharing what there is only so much of among those who ask for it.

Whoever asks may have as many as are free still. So one alone may take half, several take equal
parts, and there is always something left for one who has not asked before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable


class Shares:
    """So many places, and who has them."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._taken: Counter[Hashable] = Counter()

    def take(self, who: Hashable) -> bool:
        """Take a place, if there is one for `who`."""
        if self._taken[who] >= self._free:
            if not self._taken[who]:
                del self._taken[who]
            return False
        self._taken[who] += 1
        self._free -= 1
        return True

    def give_back(self, who: Hashable) -> None:
        """Give back a place that `who` has taken."""
        self._free += 1
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken.total()
