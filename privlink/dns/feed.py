"""The documents that names are answered from, pulled from the server, and the word that they are in
use. While the server is away, the last view stays.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from privlink import pulling
from privlink.dns.answers.view import View
from privlink.model.naming import AnyDocument

# A long poll: the server takes whoever has confirmed nothing for 10 seconds for gone.
_WAIT_SECONDS: Final = 3
_LONGEST_PAUSE: Final = 0.25  # seconds; an installation has one of us, and is not ready without

log = logging.getLogger(__name__)


class Answer(pulling.Answer, frozen=True, rename="pascal"):
    """What changed since the revision we asked from; `full`: nothing but `items` is there."""

    items: list[pulling.Change]


class Feed:
    """Pulls in a thread of its own, and has each view put to use before it is confirmed."""

    def __init__(
        self, client: pulling.Caller, node_id: str, empty: View, use: Callable[[View], None]
    ) -> None:
        self._client = client
        self._node_id = node_id
        self._view = empty
        self._use = use
        self._pull = pulling.Pull(client, "PullNames", node_id, Answer, _WAIT_SECONDS)
        self._owed = False  # a view is in use that was not confirmed
        self._unknown: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin with everything."""
        self._thread.start()

    def _run(self) -> None:
        loss = "news of names are lost, the last are answered"
        pulling.keep(self.turn, loss, "news of names", _LONGEST_PAUSE)

    def turn(self) -> None:
        """Ask what is new, put it to use, and say so. Raises what `pulling.Pull` does."""
        if not self._owed:
            answer = self._pull.changes() if self._pull.begun else self._pull.everything()
            self._take(answer)
            self._pull.take(answer)
            self._owed = True
        self._client.call(
            "ConfirmNames",
            NodeId=self._node_id,
            Life=self._pull.life,
            Revision=self._pull.revision,
        )
        self._owed = False

    def _take(self, answer: Answer) -> None:
        began = time.perf_counter()
        known = {each.key: each.item for each in answer.items}
        documents = {key: self._document(key, item) for key, item in known.items()}
        if answer.full:
            every = {key: each for key, each in documents.items() if each is not None}
            self._view = self._view.replaced(every, answer.revision)
        else:
            self._view = self._view.changed(documents, answer.revision)
        self._use(self._view)
        if answer.full:
            gc.freeze()  # it stays; looking for garbage in it would keep those who ask waiting
        if documents:
            log.info(
                "revision %d: %s%d documents, in %.1f ms",
                answer.revision,
                "all " if answer.full else "",
                len(documents),
                1000 * (time.perf_counter() - began),
            )

    def _document(self, key: str, item: dict[str, Any] | None) -> AnyDocument | None:
        """A document as a struct; none where it is of a kind that is not known here."""
        try:
            return None if item is None else msgspec.convert(item, AnyDocument)
        except msgspec.ValidationError as error:
            if key not in self._unknown:
                self._unknown.add(key)
                log.error("%s is not understood, and left out: %s", key, error)
            return None
