"""The feed: which items changed, pulled from the server for as long as the node lives.

An answer is a statement of present states, not of events: losing one, or getting it twice, does no
harm. When the server is away we ask again for ever; traffic does not depend on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from privlink.client import RemoteError
from privlink.model.items import AnyItem

WAIT_SECONDS: Final = 20  # a long poll: how long the server may keep us when nothing changes
_ANSWER_SECONDS: Final = 15  # and how long an answer may take beyond that
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0

log = logging.getLogger(__name__)


class Caller(Protocol):
    """What the node needs of `privlink.client.Client`."""

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]: ...


class Change(msgspec.Struct, frozen=True, rename="pascal"):
    """The present state of one key; None: there is no such item any more."""

    key: str
    item: dict[str, Any] | None

    def desired(self) -> AnyItem | None:
        """The item as a struct. Raises ValueError for one this node does not understand."""
        return None if self.item is None else msgspec.convert(self.item, AnyItem)


class Answer(msgspec.Struct, frozen=True, rename="pascal"):
    """What changed since the revision we asked from; `full`: nothing but `items` should exist."""

    life: int  # of the server; revisions of another one mean nothing
    revision: int
    full: bool
    items: list[Change]


class Delivery(msgspec.Struct, frozen=True):
    """An answer, and for a full one the links that were there before it was asked for.

    An attachment is known to the server before anybody plugs it in. So of these links, those the
    answer does not name are leftovers; a link younger than the question may be news.
    """

    answer: Answer
    present: frozenset[str] = frozenset()


class Feed:
    """Pulls in a thread of its own and hands each delivery to `deliver`."""

    def __init__(
        self,
        client: Caller,
        node_id: str,
        present: Callable[[], frozenset[str]],
        deliver: Callable[[Delivery], None],
    ) -> None:
        self._client = client
        self._node_id = node_id
        self._present = present
        self._deliver = deliver
        self._life = 0
        self._revision = 0
        self._lost_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin with everything."""
        self._thread.start()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                self._deliver(self._next())
            except (OSError, RemoteError, msgspec.ValidationError) as error:
                self._note_loss(error)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._note_return()
                pause = _FIRST_PAUSE

    def _next(self) -> Delivery:
        if self._revision:
            answer = self._pull(self._revision)
            if not answer.full:
                return self._taken(answer)
        present = self._present()  # before the question: see Delivery
        return self._taken(self._pull(0), present)

    def _taken(self, answer: Answer, present: frozenset[str] = frozenset()) -> Delivery:
        self._life = answer.life
        self._revision = answer.revision
        return Delivery(answer, present)

    def _pull(self, revision: int) -> Answer:
        wait = WAIT_SECONDS if revision else 0
        reply = self._client.call(
            "PullFeed",
            timeout=wait + _ANSWER_SECONDS,
            NodeId=self._node_id,
            Revision=revision,
            Life=self._life,
            WaitSeconds=wait,
        )
        return msgspec.convert(reply, Answer)

    def _note_loss(self, error: Exception) -> None:
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            log.warning("feed lost, traffic goes on, asking again: %s", error)

    def _note_return(self) -> None:
        if self._lost_at is not None:
            log.info("feed is back after %.1f s", time.monotonic() - self._lost_at)
            self._lost_at = None
