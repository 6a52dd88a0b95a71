"""A server that takes what a meter tells, in place of the real one."""

from __future__ import annotations

from typing import Any

import msgspec

from privlink.model.traffic import PlaceTraffic


class Taker:
    """Takes what it is told, or fails in the way that is set."""

    def __init__(self) -> None:
        self.life = 1
        self.failure: Exception | None = None
        self.told: dict[int, PlaceTraffic] = {}
        self.calls: list[list[int]] = []  # the places of each

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        assert action == "PushTraffic"
        said = msgspec.json.decode(parameters["Traffic"], type=list[PlaceTraffic])
        self.calls.append([each.place for each in said])
        if self.failure is not None:
            raise self.failure
        self.told.update((each.place, each) for each in said)
        return {"Life": self.life}
