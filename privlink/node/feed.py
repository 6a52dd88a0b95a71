"""The feed: which items changed, pulled from the server for as long as the node lives.

An answer is a statement of present states, not of events: losing one, or getting it twice, does no
harm. When the server is away we ask again for ever; traffic does not depend on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from privlink import pulling
from privlink.model.items import AnyItem
from privlink.pulling import Caller as Caller


class Change(pulling.Change, frozen=True, rename="pascal"):
    """The present state of one key; None: there is no such item any more."""

    def desired(self) -> AnyItem | None:
        """The item as a struct. Raises ValueError for one this node does not understand."""
        return None if self.item is None else msgspec.convert(self.item, AnyItem)


class Answer(pulling.Answer, frozen=True, rename="pascal"):
    """What changed since the revision we asked from; `full`: nothing but `items` should exist."""

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
        self._pull = pulling.Pull(client, "PullFeed", node_id, Answer)
        self._present = present
        self._deliver = deliver
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin with everything."""
        self._thread.start()

    def _run(self) -> None:
        pulling.keep(lambda: self._deliver(self._next()), "feed lost, traffic goes on", "feed")

    def _next(self) -> Delivery:
        if self._pull.begun:
            answer = self._pull.changes()
            if not answer.full:
                return self._taken(answer)
        present = self._present()  # before the question: see Delivery
        return self._taken(self._pull.everything(), present)

    def _taken(self, answer: Answer, present: frozenset[str] = frozenset()) -> Delivery:
        self._pull.take(answer)
        return Delivery(answer, present)
