"""How many names are answered, and how soon: one process on one processor, with many endpoints.

dnsperf asks from another processor, for all names of all endpoints and their zones in random order,
IPv4 and IPv6. The documents come from a stand-in for the server, which says nothing meanwhile; only
in the last measurement endpoints come and go.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench import servers
from bench.options import Options
from bench.report import Bar, Goal, Panel, draw, goals, table, write
from privlink.model.naming import Document, EndpointNames, Front, Place, ZoneNames
from tests.kernel.namebox import DOMAIN, Namebox, namebox, resolving

RATE, LATENCY = 15_000, 2.0  # answers per second; ms, 99 of 100 at half of what there is
ZONES = ("local-a", "local-b", "local-c")
CHANGES = 20  # a second
_SECONDS = 4  # for one of the options: a load tool needs some to come to speed
_PER_VPC = 1000
_OUTSTANDING = 100  # questions at a time, where as many are asked as are answered
_REGION = "local"
_ANSWERED = re.compile(r"^> (\S+) \S+ \S+ ([0-9.]+)$", re.MULTILINE)


class Load(msgspec.Struct, frozen=True):
    """What dnsperf measured."""

    rate: float  # answers per second
    lost: int  # questions without
    codes: dict[str, int]  # answers of each
    latencies: dict[str, float] = {}  # ms, by percentile; where they were asked for


class Found(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    endpoints: int
    names: int
    loading: float  # s, from the start of the process until everything is confirmed
    memory: float  # MB
    first: float  # answers per second, each name for the first time
    cost: float  # µs of the processor for one answer, when it gives as many as it can
    most: list[Load]
    half: list[Load]
    changing: list[Load]


def run(output: Path, options: Options) -> None:
    """Measure, print and draw."""
    if shutil.which("dnsperf") is None:
        raise FileNotFoundError("dnsperf asks here: scripts/setup bench installs it")
    folder = Path(tempfile.mkdtemp(prefix="names-", dir=output.resolve()))
    before = os.sched_getaffinity(0)
    try:
        _pin(0, min(before))
        with namebox() as box:
            found = _measure(box, folder, options, processors=before)
    finally:
        _pin(0, *before)
        shutil.rmtree(folder, ignore_errors=True)
    _show(output, found)


def documents(endpoints: int) -> dict[str, Document]:
    """Endpoints in VPCs that all have the same addresses, three zones each, a service for ten."""
    every: dict[str, Document] = {}
    for number in range(endpoints):
        key = f"names/ep-{number}"
        every[key] = _endpoint(number)
    for service in range(-(-endpoints // 10)):
        every |= {f"front/{service}/{zone}": Front(True) for zone in ZONES}
    for network in range(1, 2 + endpoints // _PER_VPC):
        for at, zone in enumerate(ZONES, 1):
            every[f"place/vsw-{network}-{zone}"] = Place(10 * network + at, network, zone)
    return every


def _endpoint(number: int) -> EndpointNames:
    service, host = f"epsrv-{number // 10}", number % _PER_VPC
    behind = f"{service}.{_REGION}.{DOMAIN}"
    zones = tuple(
        ZoneNames(
            zone,
            f"ep-{number}-{zone}.{behind}",
            f"10.{at}.{host >> 8}.{host & 255}",
            front=f"front/{number // 10}/{zone}",
            provider=1,
            source=f"100.{64 + (number >> 14)}.{number >> 6 & 255}.{(number & 63) * 4 + at}",
        )
        for at, zone in enumerate(ZONES)
    )
    network = 1 + number // _PER_VPC
    return EndpointNames(f"ep-{number}", network, number, f"ep-{number}.{behind}", behind, zones)


def _measure(box: Namebox, folder: Path, options: Options, processors: set[int]) -> Found:
    every = documents(options.endpoints)
    box.put_documents(dict(every))
    questions = folder / "questions"
    names = _write_questions(questions, every)
    port, seconds = servers.free_port(), options.seconds * _SECONDS
    print(f"{options.endpoints:,} endpoints, {names:,} names", flush=True)
    began = time.monotonic()
    with resolving(box, f"bench-{os.getpid()}", port, quiet=True) as process:
        _pin(process.process.pid, max(processors))
        box.await_confirmed(box.revision, within=120)
        loading = time.monotonic() - began
        first = _load(questions, port, "-n", "1", "-q", str(_OUTSTANDING)).rate
        most, half, changing, spent = [], [], [], 0.0
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            length = ("-l", f"{seconds:.0f}")
            before = _worked(process.process.pid)
            most.append(_load(questions, port, *length, "-q", str(_OUTSTANDING)))
            spent += _worked(process.process.pid) - before
            pace = ("-Q", str(round(statistics.median(each.rate for each in most) / 2)))
            half.append(_load(questions, port, *length, *pace, "-v"))
            with _changing(box, options.endpoints):
                changing.append(_load(questions, port, *length, *pace, "-v"))
        memory = servers.memory(process.process.pid)
    cost = 1e6 * spent / sum(sum(each.codes.values()) for each in most)
    return Found(options.endpoints, names, loading, memory, first, cost, most, half, changing)


def _write_questions(file: Path, every: dict[str, Document]) -> int:
    """Both kinds of addresses of every name, in random order; how many names there are."""
    names = [
        name
        for each in every.values()
        if isinstance(each, EndpointNames)
        for name in (each.domain, *(zone.domain for zone in each.zones))
    ]
    lines = [f"{name} {kind}\n" for name in names for kind in ("A", "AAAA")]
    random.Random("names").shuffle(lines)  # noqa: S311 - the same order every time
    file.write_text("".join(lines))
    return len(names)


def _load(questions: Path, port: int, *options: str) -> Load:
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(questions), *options]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def number(label: str) -> float:
        found = re.search(rf"^ *{label}: +([0-9.]+)", told, re.MULTILINE)
        if found is None:
            raise ValueError(f"dnsperf does not tell {label!r}:\n{told[-1000:]}")
        return float(found[1])

    codes = dict(re.findall(r"([A-Z]+) ([0-9]+) \(", told.partition("Response codes:")[2]))
    return Load(
        number("Queries per second"),
        int(number("Queries lost")),
        {code: int(count) for code, count in codes.items()},
        _percentiles([1000 * float(taken) for _, taken in _ANSWERED.findall(told)]),
    )


def _percentiles(latencies: list[float]) -> dict[str, float]:
    if len(latencies) < 2:
        return {}
    cuts = statistics.quantiles(latencies, n=1000)
    return {"p50": cuts[499], "p99": cuts[989], "p99.9": cuts[998], "most": max(latencies)}


@contextmanager
def _changing(box: Namebox, endpoints: int) -> Iterator[None]:
    """Meanwhile, endpoints come and go."""
    ending = threading.Event()

    def change() -> None:
        number = endpoints
        while not ending.wait(1 / CHANGES):
            box.put_documents({f"names/ep-{number}": _endpoint(number) if number % 2 else None})
            number += 1 if number % 2 == 0 else -1

    thread = threading.Thread(target=change, name="changes")
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _worked(process_id: int) -> float:
    """Seconds of a processor that a process has had."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _pin(process_id: int, *processors: int) -> None:
    for thread in Path(f"/proc/{process_id or 'self'}/task").iterdir():
        os.sched_setaffinity(int(thread.name), processors)


def _median(loads: list[Load], percentile: str) -> float:
    return statistics.median(each.latencies[percentile] for each in loads)


def _show(output: Path, found: Found) -> None:
    rate = statistics.median(each.rate for each in found.most)
    quick, busy = _median(found.half, "p99"), _median(found.changing, "p99")
    held = [
        Goal("answers per second on one processor", rate, RATE),
        Goal("99 of 100 answers at half of that, within", quick, LATENCY, " ms", True),
    ]
    lines = [
        (what, *(f"{_median(loads, each):.2f}" for each in ("p50", "p99", "p99.9", "most")))
        for what, loads in (
            ("nothing changes", found.half),
            (f"{CHANGES} changes a second", found.changing),
        )
    ]
    print(f"\n{found.endpoints:,} endpoints with {len(ZONES)} zones each; {found.names:,} names\n")
    print(goals(held))
    print(f"\nlatencies at half load, ms: medians of {len(found.half)} rounds\n")
    print(table(["", "p50", "p99", "p99.9", "most"], lines))
    lost = sum(each.lost for each in (*found.most, *found.half, *found.changing))
    codes: dict[str, Any] = {}
    for each in (*found.most, *found.half, *found.changing):
        codes = {code: codes.get(code, 0) + count for code, count in each.codes.items()}
    print(f"\nanswers: {codes}; without an answer: {lost}")
    full = 1e6 / found.cost
    print(f"processor time of an answer: {found.cost:.1f} µs, so {full:,.0f} in a second of it")
    print(f"each name for the first time: {found.first:,.0f} answers per second")
    print(f"from start to answering: {found.loading:.1f} s; memory: {found.memory:.0f} MB")
    write(output / "names.json", found, held)
    first = Bar("each name for the first time", found.first)
    quickly = Bar("nothing changes", quick, LATENCY, " ms", 2)
    panels = [
        Panel(held[0].what, [Bar("as many as there are", rate, RATE), first]),
        Panel(held[1].what, [quickly, Bar(f"{CHANGES} changes a second", busy, None, " ms", 2)]),
    ]
    draw(output / "names.svg", panels)
    print(f"\nthe chart: {output / 'names.svg'}; every number: {output / 'names.json'}")
