"""What is known of a name: what follows from the answers, and when to ask again.

    answer    addresses             next question after
    --------  --------------------  --------------------------------------------------
    Found     those of the answer   its TTL, 5 to 300 s
    Absent    none: the door shuts  its TTL, 5 to 30 s: a name may come into being
    Failed    as they were          5 s, twice as long each time, up to 60 s

Pure: no clock and no socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import Final

import msgspec

from privlink.node.resolving.answers import Absent, Answer, Found

SHORTEST: Final = 5  # seconds between two questions, whatever an answer asks for
LONGEST: Final = 300
LONGEST_ABSENT: Final = 30
LONGEST_FAILED: Final = 60


class Course(msgspec.Struct, frozen=True):
    """What a name is for at present."""

    addresses: tuple[str, ...] = ()  # of the last good answer, permitted or not
    why: str = ""  # what was wrong with the last answer
    failures: int = 0  # in a row

    def after(self, answer: Answer) -> tuple[Course, float]:
        """The course after one more answer, and the seconds until the next question."""
        if isinstance(answer, Found):
            return Course(answer.addresses), _within(answer.ttl, LONGEST)
        if isinstance(answer, Absent):
            return Course(why=answer.why), _within(answer.ttl, LONGEST_ABSENT)
        pause = min(SHORTEST << min(self.failures, 8), LONGEST_FAILED)
        return Course(self.addresses, answer.why, self.failures + 1), pause


def permitted(addresses: Iterable[str], blocks: Iterable[str]) -> tuple[str, ...]:
    """Those of addresses that may be called. Whoever answers may lead where he likes; whoever is
    led may not (the attack is known as DNS rebinding).
    """
    networks = [IPv4Network(each) for each in blocks]
    return tuple(
        each for each in addresses if any(IPv4Address(each) in block for block in networks)
    )


def _within(ttl: int, longest: int) -> int:
    return max(SHORTEST, min(ttl, longest))
