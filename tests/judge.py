"""An asker of servers whose verdicts are the test's."""

from __future__ import annotations

from collections.abc import Callable

from privlink.node.health.checks import Verdict
from privlink.node.health.probes import FIRST_NUMBER, Probe


class Judge:
    """Asks nobody: what is answered to a probe, the test says."""

    def __init__(self) -> None:
        self.probes: dict[int, Probe] = {}
        self.answered: Callable[[Probe, Verdict], None] = lambda _, __: None

    def start(self, answered: Callable[[Probe, Verdict], None]) -> None:
        self.answered = answered

    def put(self, probe: Probe) -> None:
        self.probes[probe.number] = probe

    def drop(self, number: int) -> None:
        self.probes.pop(number, None)

    def stop(self) -> None:
        self.probes.clear()

    def by_port(self) -> dict[int, Probe]:
        """The probes by the port that they ask at."""
        return {probe.port: probe for probe in self.probes.values()}

    def answer(self, *verdicts: Verdict, at: int = 0) -> None:
        """Verdicts on a probe, by its place among all that were made."""
        for verdict in verdicts:
            self.answered(self.probes[FIRST_NUMBER + at], verdict)

    def say(self, port: int, *verdicts: Verdict) -> None:
        """Verdicts on the one that is asked at a port."""
        for verdict in verdicts:
            self.answered(self.by_port()[port], verdict)
