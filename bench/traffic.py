"""The measures of the data plane, each taken by bench/traffic.c between two network namespaces."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.lanes import PORT, Lane

PROGRAM = Path(__file__).parents[1] / "build" / "bench" / "traffic"
_PATIENCE = 20.0  # seconds beyond those a measurement is meant to take
_BROKEN = "broken"  # beside the figures: connections that failed
_MORE = 0.4  # seconds for which datagrams are sent while nobody counts


class Figure(msgspec.Struct, frozen=True):
    """A number that a measure gives."""

    name: str
    label: str
    unit: str
    digits: int
    less_is_better: bool = False

    def text(self, value: float | None) -> str:
        """The number as a table shows it; a dash for none."""
        return "-" if value is None else f"{value:,.{self.digits}f}"

    def ratio(self, value: float, other: float) -> float:
        """How many times as good as another."""
        return other / value if self.less_is_better else value / other


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("tcp-1", "TCP, 1 stream", "Gb/s", 1),
        Figure("tcp-8", "TCP, 8 streams", "Gb/s", 1),
        Figure("p50", "64 bytes there and back, p50", "µs", 1, less_is_better=True),
        Figure("p99", "64 bytes there and back, p99", "µs", 1, less_is_better=True),
        Figure("connections", "new connections", "1/s", 0),
        Figure("requests", "keep-alive requests", "1/s", 0),
        Figure("udp", "UDP, 64 bytes", "kpps", 0),
        Figure("cpu", "CPU per gigabyte, 1 stream", "ms", 0, less_is_better=True),
    )
}
Values = dict[str, float]  # by figure


def _stream(lane: Lane, seconds: float) -> Values:
    with served(lane.server, "serve", "sink"):
        told = _ask(lane, "stream", seconds, "1")
    gigabytes = told["bytes"] / 1e9
    return {"tcp-1": 8 * gigabytes / told["seconds"], "cpu": 1000 * told["busy"] / gigabytes}


def _streams(lane: Lane, seconds: float) -> Values:
    with served(lane.server, "serve", "sink"):
        told = _ask(lane, "stream", seconds, "8")
    return {"tcp-8": 8e-9 * told["bytes"] / told["seconds"]}


def _latency(lane: Lane, seconds: float) -> Values:
    with served(lane.server, "serve", "echo"):
        told = _ask(lane, "pingpong", seconds, "0")
    return {"p50": told["p50"], "p99": told["p99"]}


def _connections(lane: Lane, seconds: float) -> Values:
    with served(lane.server, "serve", "close"):
        told = _ask(lane, "connect", seconds)
    found = {"connections": told["count"] / told["seconds"]}
    return found | ({_BROKEN: told["broken"]} if told["broken"] else {})


def _requests(lane: Lane, seconds: float) -> Values:
    with served(lane.server, "serve", "answer"):
        told = _ask(lane, "request", seconds)
    return {"requests": told["count"] / told["seconds"]}


def _datagrams(lane: Lane, seconds: float) -> Values:
    if not lane.carries_udp:
        raise MeasureFailed(lane.why_no_udp)
    with served(lane.server, "receive", last=str(seconds)) as receiver:
        _ask(lane, "send", seconds + _MORE)
        told, complaint = receiver.communicate(timeout=_PATIENCE)
        if receiver.returncode != 0:
            raise MeasureFailed(complaint.strip())
    answer = msgspec.json.decode(told, type=Values)
    return {"udp": answer["packets"] / answer["seconds"] / 1000}


class Measure(msgspec.Struct, frozen=True):
    """A run of the traffic, and the figures it gives."""

    run: Callable[[Lane, float], Values]
    figures: tuple[str, ...]


MEASURES = {
    "stream": Measure(_stream, ("tcp-1", "cpu")),
    "streams": Measure(_streams, ("tcp-8",)),
    "latency": Measure(_latency, ("p50", "p99")),
    "connections": Measure(_connections, ("connections",)),
    "requests": Measure(_requests, ("requests",)),
    "udp": Measure(_datagrams, ("udp",)),
}


def figures(measures: Sequence[str]) -> list[Figure]:
    """The figures of measures, in the order they are shown in; of all, if none is named."""
    wanted = {name for measure in measures or MEASURES for name in MEASURES[measure].figures}
    return [figure for figure in FIGURES.values() if figure.name in wanted]


class MeasureFailed(Exception):
    """Why there is no number."""


class Measured(msgspec.Struct, frozen=True):
    """What came of some rounds."""

    rounds: list[dict[str, Values]]  # each by lane
    failures: dict[str, list[str]]  # by what went wrong: round, lane and measure
    others: float = 0  # percent of all processors that others used just before

    def complaints(self) -> Iterator[str]:
        """What went wrong, and where first."""
        for why, where in self.failures.items():
            more = f" and {len(where) - 1} times more" if len(where) > 1 else ""
            yield f"{where[0]}{more}: {why}"

    def values(self, lane: str, figure: str) -> list[float]:
        """A lane's figure in each round that has one."""
        return [each[lane][figure] for each in self.rounds if figure in each.get(lane, {})]

    def median(self, lane: str, figure: str) -> float | None:
        """The median of those; None where there is none."""
        values = self.values(lane, figure)
        return statistics.median(values) if values else None

    def ratio(self, lane: str, other: str, figure: str) -> float | None:
        """How many times as good as another lane's: the median of the rounds that have both."""
        ratio = FIGURES[figure].ratio
        ratios = [
            ratio(each[lane][figure], each[other][figure])
            for each in self.rounds
            if figure in each.get(lane, {}) and figure in each.get(other, {})
        ]
        return statistics.median(ratios) if ratios else None


def take(lanes: Sequence[Lane], measures: Sequence[str], rounds: int, seconds: float) -> Measured:
    """Take each measure on one lane after the other, and that in every round."""
    others = _busy()
    print(f"before the first round the processors are {others:.0f} % busy", flush=True)
    taken: list[dict[str, Values]] = []
    failures: dict[str, list[str]] = {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        taken.append({lane.name: {} for lane in lanes})
        turn = number % len(lanes)  # nobody is always first
        for measure in measures or MEASURES:
            for lane in (*lanes[turn:], *lanes[:turn]):
                which = f"round {number + 1}, {lane.name}, {measure}"
                try:
                    found = MEASURES[measure].run(lane, seconds)
                except MeasureFailed as failure:
                    failures.setdefault(str(failure), []).append(which)
                else:
                    if broken := found.pop(_BROKEN, 0):
                        failures.setdefault(f"{broken:.0f} broke", []).append(which)
                    taken[-1][lane.name] |= found
    return Measured(taken, failures, others)


def _busy() -> float:
    """Percent of all processors that were in use during a second."""

    def look() -> tuple[int, int]:
        times = [int(word) for word in Path("/proc/stat").read_text().split()[1:9]]
        return sum(times), times[3] + times[4]  # all; idle and waiting for a disk

    before = look()
    time.sleep(1)
    every, idle = (after - then for after, then in zip(look(), before, strict=True))
    return 100 * (every - idle) / every


@contextmanager
def served(netns: str, *words: str, last: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """The traffic's server in a namespace, once it listens, until the end."""
    more = () if last is None else (last,)
    with subprocess.Popen(
        [*_command(netns, *words, str(PORT)), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            _await_word(server)
            yield server
        finally:
            server.kill()


def _ask(lane: Lane, what: str, seconds: float, *more: str) -> Values:
    """What the traffic's client says."""
    words = (what, lane.address, str(PORT), str(seconds), *more)
    done = subprocess.run(
        _command(lane.client, *words),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + _PATIENCE,
    )
    if done.returncode != 0:
        raise MeasureFailed(done.stderr.strip())
    return msgspec.json.decode(done.stdout, type=Values)


class Conversation:
    """A ping-pong that goes on beside something else."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running

    def end(self) -> Values:
        """End it, and say how it was. Raises MeasureFailed if it did not last that long."""
        self._running.terminate()
        told, complaint = self._running.communicate(timeout=_PATIENCE)
        if self._running.returncode != 0:
            raise MeasureFailed(complaint.strip())
        return msgspec.json.decode(told, type=Values)


@contextmanager
def conversation(lane: Lane, most_seconds: float) -> Iterator[Conversation]:
    """A ping-pong every millisecond; an echo must be there."""
    words = ("pingpong", lane.address, str(PORT), str(most_seconds), "1000")
    pipe = subprocess.PIPE
    with subprocess.Popen(
        _command(lane.client, *words), stdout=pipe, stderr=pipe, text=True
    ) as running:
        try:
            _await_word(running)
            yield Conversation(running)
        finally:
            running.kill()


def _await_word(program: subprocess.Popen[str]) -> None:
    assert program.stdout is not None and program.stderr is not None
    if program.stdout.readline() != "ready\n":
        raise MeasureFailed(program.stderr.read().strip())


def _command(netns: str, *words: str) -> list[str]:
    return ["ip", "netns", "exec", netns, str(PROGRAM), *words]
