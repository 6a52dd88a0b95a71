"""Pulling, as nodes and who answers names do it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from privlink import pulling
from privlink.pulling import Answer, Pull


class Server:
    """Answers with one revision, and remembers the last question."""

    def __init__(self, revision: Any) -> None:
        self.revision = revision
        self.asked: dict[str, Any] = {}

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        self.asked = {"Action": action, "timeout": timeout, **parameters}
        return {"Life": 9, "Revision": self.revision, "Full": False}


def test_it_asks_from_where_it_stands_and_waits_only_for_changes() -> None:
    server = Server(5)
    pull = Pull(server, "PullFeed", "node-1", Answer)
    assert not pull.begun
    pull.take(pull.everything())
    assert server.asked["WaitSeconds"] == 0
    assert pull.begun
    pull.changes()
    assert server.asked == {
        "Action": "PullFeed",
        "timeout": 35,
        "NodeId": "node-1",
        "Revision": 5,
        "Life": 9,
        "WaitSeconds": 20,
    }


def test_an_answer_of_another_shape_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        Pull(Server("five"), "PullFeed", "node-1", Answer).everything()


def test_a_loss_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    outcomes: list[Exception | None] = [None, OSError("away"), OSError("away"), None, None]

    def turn() -> None:
        if not outcomes:
            raise StopIteration  # the only way out
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    with pytest.raises(StopIteration):
        pulling.keep(turn, "it is lost", "it")
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "it is lost, asking again: away"
    assert said[1].startswith("it is back after")
    assert len(said) == 2
