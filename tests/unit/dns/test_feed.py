"""News of names: taken, put to use, confirmed; in this order."""

from __future__ import annotations

from typing import Any

import pytest

from privlink.dns.answers.view import View
from privlink.dns.feed import Feed
from privlink.model.naming import Place

PLACE = {"kind": "place", "number": 7, "network": 3, "zone": "a"}


class Server:
    """Says what it is told to, one call after the other, and remembers what it was asked."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        self.asked.append((action, parameters))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def news(revision: int, full: bool, **items: dict[str, Any] | None) -> dict[str, Any]:
    told = [{"Key": key, "Item": item} for key, item in items.items()]
    return {"Life": 9, "Revision": revision, "Full": full, "Items": told}


def feed(server: Server) -> tuple[Feed, list[View]]:
    used: list[View] = []
    return Feed(server, "names-1", View.empty("p.internal", "127.0.0.1"), used.append), used


def test_everything_first_and_then_what_changed() -> None:
    server = Server(news(5, True, one=PLACE), {}, news(6, False, one=None), {})
    pulling, used = feed(server)
    pulling.turn()
    pulling.turn()
    actions = [(action, asked.get("Revision"), asked.get("Life")) for action, asked in server.asked]
    assert actions == [
        ("PullNames", 0, 0),
        ("ConfirmNames", 5, 9),
        ("PullNames", 5, 9),
        ("ConfirmNames", 6, 9),
    ]
    assert [view.documents.get("one") for view in used] == [Place(7, 3, "a"), None]
    assert [view.revision for view in used] == [5, 6]


def test_full_news_leave_nothing_of_before() -> None:
    server = Server(news(5, True, one=PLACE), {}, news(2, True, two=PLACE), {})
    pulling, used = feed(server)
    pulling.turn()
    pulling.turn()
    assert list(used[-1].documents) == ["two"]


def test_what_could_not_be_confirmed_is_before_anything_new_is_asked_for() -> None:
    server = Server(news(5, True, one=PLACE), OSError("away"), {})
    pulling, used = feed(server)
    with pytest.raises(OSError, match="away"):
        pulling.turn()
    pulling.turn()
    assert [action for action, _ in server.asked] == ["PullNames", "ConfirmNames", "ConfirmNames"]
    assert len(used) == 1


def test_a_document_that_is_not_understood_is_left_out_with_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(news(5, True, one=PLACE, moon={"kind": "moon"}), {})
    pulling, used = feed(server)
    pulling.turn()
    assert list(used[0].documents) == ["one"]
    assert "moon is not understood" in caplog.text
