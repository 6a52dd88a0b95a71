"""Telling the server how servers are, or what names lead to: a thread of its own for each, so that
nothing else waits for it."""

from __future__ import annotations

import logging
import threading
from typing import Final

from privlink.client import RemoteError
from privlink.node.feed import Caller
from privlink.node.telling.bulletin import Bulletin, News

_TIMEOUT: Final = 5.0  # seconds
_WAIT: Final = 1.0  # the longest until `stop` is noticed
_GATHER: Final = 0.2  # between two calls, so that what comes up together is told together
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_NOTHING: Final = News(0, 0, ())  # of a life that no server has

log = logging.getLogger(__name__)


class Reports:
    """Sends the news on a bulletin until `stop`."""

    def __init__(
        self,
        client: Caller,
        node_id: str,
        bulletin: Bulletin,
        action: str = "PushHealth",
        listed: str = "States",
    ) -> None:
        """`action` takes them, as its parameter `listed`."""
        self._client = client
        self._node_id = node_id
        self._bulletin = bulletin
        self._action, self._listed = action, listed
        self._stopping = threading.Event()
        self._complaint = ""
        self._void = False

    def start(self, *, void: bool = False) -> None:
        """Begin, in a thread; with `void` by saying that what was told before holds no more."""
        self._void = void
        threading.Thread(target=self._run, name=self._action, daemon=True).start()

    def stop(self) -> None:
        """Send nothing after the present call."""
        self._stopping.set()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                told = self._tell()
            except Exception:
                log.exception("%s: news were not told", self._action)
                told = False
            if told:
                pause = _FIRST_PAUSE
                self._stopping.wait(_GATHER)
            else:
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _tell(self) -> bool:
        """Tell the news, if there are any; whether the server took them."""
        news = _NOTHING if self._void else self._bulletin.await_news(_WAIT)
        if not news and not self._void:
            return True
        try:
            self._client.call(
                self._action,
                timeout=_TIMEOUT,
                NodeId=self._node_id,
                Life=news.life,
                **{self._listed: [each.parameters() for each in news.standings]},
            )
        except RemoteError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.warning("the server refuses %s: %s", self._action, error)
            return False
        except OSError as error:
            log.debug("%s not delivered: %s", self._action, error)
            return False
        self._complaint, self._void = "", False
        self._bulletin.took(news)
        return True
