"""Telling the server of health: until it takes it, whatever it answers before."""

from __future__ import annotations

import queue
from typing import Any

from privlink.client import RemoteError
from privlink.model.items import Balancer, Check, CheckKind, Listener, Protocol, Server
from privlink.node.feed import Answer
from privlink.node.health.monitor import Monitor
from privlink.node.telling.reports import Reports

PATIENCE = 10.0  # seconds
ITEM = Balancer(
    3,
    (Listener(Protocol.TCP, 80, 80, (Server("10.0.0.5", 80, 1),), group="g", check=Check(
        CheckKind.TCP
    )),),
    2,
    address="10.0.0.100",
)  # fmt: skip


class Ear:
    """A server that fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._failures = list(failures)

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        assert (action, timeout is not None) == ("PushHealth", True)
        if self._failures:
            raise self._failures.pop(0)
        self.heard.put(parameters)
        return {}


def monitor() -> Monitor:
    made = Monitor()
    made.watch("balancer/nlb-1/a", ITEM)
    return made


def test_what_was_not_taken_is_told_again() -> None:
    watching = monitor().bulletin
    watching.note(Answer(7, 1, True, []))
    refusal = RemoteError(400, "InvalidAction", "what?", "request-1")
    ear = Ear(OSError("no answer"), refusal, refusal, ValueError("a defect"))
    reports = Reports(ear, "node-1", watching)
    reports.start()
    try:
        told = ear.heard.get(timeout=PATIENCE)
        assert (told["NodeId"], told["Life"]) == ("node-1", 7)
        assert [state["State"] for state in told["States"]] == ["Initial"]
        watching.note(Answer(8, 1, True, []))
        told = ear.heard.get(timeout=PATIENCE)
        assert (told["Life"], len(told["States"])) == (8, 1)
    finally:
        reports.stop()


def test_a_node_that_holds_nothing_first_takes_back_what_it_said() -> None:
    watching = monitor().bulletin
    ear = Ear(OSError("no answer"))
    reports = Reports(ear, "node-1", watching)
    reports.start(void=True)
    try:
        assert ear.heard.get(timeout=PATIENCE) == {"NodeId": "node-1", "Life": 0, "States": []}
        watching.note(Answer(7, 1, True, []))
        assert ear.heard.get(timeout=PATIENCE)["Life"] == 7
    finally:
        reports.stop()
