"""What an action has to ask somebody outside, such as the DNS, before it is carried out.

It is asked between a transaction that reads what to ask and the one that writes what follows, so
nobody waits for a stranger's answer but who wants it. What was read may be otherwise by then: an
action looks again.
"""

from __future__ import annotations

import msgspec


class Question(msgspec.Struct, frozen=True):
    """The TXT records of a name."""

    name: str


class Found(msgspec.Struct, frozen=True):
    """What was answered to a question."""

    question: Question
    texts: tuple[str, ...] = ()
    why: str = ""  # nobody could say; empty: somebody did, if only that there is nothing
