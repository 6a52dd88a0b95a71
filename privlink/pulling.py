"""Pulling: how whoever carries out what the server says hears of it, for as long as he lives.

An answer is a statement of present states, not of events: losing one, or getting it twice, does no
harm. When the server is away it is asked again for ever. What the states are of, and what is done
about them, is not known here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar

import msgspec

from privlink.client import RemoteError

WAIT_SECONDS: Final = 20  # a long poll: how long the server may keep us when nothing changes
_ANSWER_SECONDS: Final = 15  # and how long an answer may take beyond that
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0

log = logging.getLogger(__name__)


class Caller(Protocol):
    """What is needed of `privlink.client.Client`."""

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]: ...


class Change(msgspec.Struct, frozen=True, rename="pascal"):
    """The present state of one key; None: there is no such item any more."""

    key: str
    item: dict[str, Any] | None


class Answer(msgspec.Struct, frozen=True, rename="pascal"):
    """How far an answer goes; `full`: nothing but what it names should exist."""

    life: int  # of the server; revisions of another one mean nothing
    revision: int
    full: bool


_Answer = TypeVar("_Answer", bound=Answer)


class Pull(Generic[_Answer]):
    """Where one who pulls stands. What he asks raises OSError, RemoteError or ValidationError."""

    def __init__(
        self,
        client: Caller,
        action: str,
        node_id: str,
        answer: type[_Answer],
        wait: int = WAIT_SECONDS,
    ) -> None:
        self.life = 0
        self.revision = 0
        self._client = client
        self._action = action
        self._node_id = node_id
        self._answer = answer
        self._wait = wait

    @property
    def begun(self) -> bool:
        """Whether anything was ever taken."""
        return self.revision > 0

    def changes(self) -> _Answer:
        """What has changed since the last answer taken, as soon as there is something."""
        return self._ask(self.revision)

    def everything(self) -> _Answer:
        """All there is."""
        return self._ask(0)

    def take(self, answer: _Answer) -> None:
        """Go on from this answer."""
        self.life = answer.life
        self.revision = answer.revision

    def _ask(self, revision: int) -> _Answer:
        wait = self._wait if revision else 0
        reply = self._client.call(
            self._action,
            timeout=wait + _ANSWER_SECONDS,
            NodeId=self._node_id,
            Revision=revision,
            Life=self.life,
            WaitSeconds=wait,
        )
        return msgspec.convert(reply, self._answer)


def keep(
    turn: Callable[[], None], loss: str, what: str, longest: float = _LONGEST_PAUSE
) -> NoReturn:
    """Take turns for ever; after one that failed, pause and say once what is lost.

    Pauses grow up to `longest` seconds.
    """
    pause = _FIRST_PAUSE
    lost_at: float | None = None
    while True:
        try:
            turn()
        except (OSError, RemoteError, msgspec.ValidationError) as error:
            if lost_at is None:
                lost_at = time.monotonic()
                log.warning("%s, asking again: %s", loss, error)
            time.sleep(pause)
            pause = min(2 * pause, longest)
        else:
            if lost_at is not None:
                log.info("%s is back after %.1f s", what, time.monotonic() - lost_at)
                lost_at = None
            pause = _FIRST_PAUSE
