"""What the server is told: a full statement each time, but for links, of which only the news.

Pure: what is in place comes in, the parameters of PushReport go out. Whoever sends them says when
the server took them; until then they are news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from privlink.node.feed import Answer

MOST_FAULTS: Final = 1000  # the server takes no longer list
MOST_LINKS: Final = 500  # news of links in one report; the rest follows at once


class Report(msgspec.Struct, frozen=True):
    """The changing part of one PushReport."""

    life: int
    revision: int
    faults: dict[str, str]  # refused items by key, with the reason
    links: dict[str, bool]  # attachments by key: whether their link is there

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""
        return {
            "Life": self.life,
            "Revision": self.revision,
            "Faults": [
                {"Key": key, "Code": "Refused", "Message": message}
                for key, message in self.faults.items()
            ],
            "Plugged": [key for key, there in self.links.items() if there],
            "Unplugged": [key for key, there in self.links.items() if not there],
        }


class Correspondence:
    """How far the feed has come, and what of that the server has heard."""

    def __init__(self) -> None:
        self.life = self.revision = 0
        self._heard_life = self._heard_revision = 0
        self._heard_links: dict[str, bool] = {}

    def note(self, answer: Answer) -> None:
        """An answer of the feed was made true. A full one is a server that may know nothing."""
        self.life, self.revision = answer.life, answer.revision
        if answer.full:
            self._heard_links.clear()

    def compose(self, faults: Mapping[str, str], links: Mapping[str, bool]) -> Report:
        """The next report, given every refused item and every attachment.

        A revision is confirmed only with every fault beside it. With more faults than fit, what was
        confirmed last stays, if it was in the same life of the server.
        """
        revision = self.revision
        if len(faults) > MOST_FAULTS:
            revision = self._heard_revision if self._heard_life == self.life else 0
        return Report(
            self.life,
            revision,
            {key: faults[key] for key in sorted(faults)[:MOST_FAULTS]},
            dict(islice(self._news(links), MOST_LINKS)),
        )

    def took(self, report: Report, links: Mapping[str, bool]) -> bool:
        """The server took a report; whether there is more to tell of `links` at once."""
        self._heard_life, self._heard_revision = report.life, report.revision
        self._heard_links |= report.links
        for key in self._heard_links.keys() - links.keys():
            del self._heard_links[key]
        return any(self._news(links))

    def _news(self, links: Mapping[str, bool]) -> Iterable[tuple[str, bool]]:
        return ((k, there) for k, there in links.items() if self._heard_links.get(k) is not there)
