"""What is found out in the end: whether usage and metrics say what the programs counted, whether
memory stayed flat, whether the table of flows is empty, and whether anything is left behind."""

from __future__ import annotations

import json
import re
import statistics
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from privlink.node.health.probes import FIRST_NUMBER
from privlink.node.kernel import pin_directory
from privlink.node.program.bpf import Map
from privlink.node.program.maps import Flow
from privlink.node.program.upgrade import layout_directory
from tests.journey.installation import Installation
from tests.soak.land import Land, processes
from tests.soak.programs import Books, Place, Watch

SETTLING = 240.0  # seconds: what is half open may be silent for 60, and is swept every 60
UDP_HEADERS = 28  # RFC 791, RFC 768
TCP_HEADERS = 20 + 60  # RFC 791, RFC 9293: at most, of workloads that set no IP options
MIB = 1024 * 1024
JUDGED = 300  # seconds from which on memory is judged: in less, processes are still warming up
YOUNG = 15.0  # seconds in which a process is still starting

_SERIES = re.compile(r'privlink_endpoint_(\w+)\{endpoint="([^"]+)",zone="([^"]+)",[^}]*?\} (\d+)')
_WAY = re.compile(r'direction="(\w+)"')


class Counted(NamedTuple):
    """What /metrics says of a place."""

    opened: int
    ended: int
    active: int
    bytes: dict[str, int]
    packets: dict[str, int]


def counted(installation: Installation) -> dict[tuple[str, str], Counted]:
    """What /metrics says, by endpoint and zone."""
    with urllib.request.urlopen(f"http://{installation.listen}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for found in _SERIES.finditer(text):
        name, endpoint, zone, number = found.groups()
        if way := _WAY.search(found.group()):
            name += f" {way[1]}"
        sums[endpoint, zone][name] += int(number)
    return {
        place: Counted(
            each["flows_opened_total"],
            each["flows_ended_total"],
            each["flows_active"],
            {way: each[f"bytes_total {way}"] for way in ("in", "out")},
            {way: each[f"packets_total {way}"] for way in ("in", "out")},
        )
        for place, each in sums.items()
    }


def flows(installation: Installation) -> int:
    """Entries in the kernel's table of flows, but for those of health checks, which go on."""
    pins = layout_directory(pin_directory(installation.instance))
    with Map.pinned(pins / "flows") as table:
        found = [Flow.unpack(value).forward for _, value in table.dump()]
    return sum(forward < FIRST_NUMBER for forward in found)


def settle(land: Land, watch: Watch) -> float:
    """Wait until no flow is left and the server has been told so; the seconds that took."""
    began, pause = time.monotonic(), threading.Event()
    while True:
        left = flows(land.installation)
        active = sum(each.active for each in counted(land.installation).values())
        if not left and not active:
            return time.monotonic() - began
        if time.monotonic() > began + SETTLING:
            watch.fail(f"{left} entries and {active} active flows after {SETTLING:.0f} s")
            return time.monotonic() - began
        pause.wait(0.5)


def audit(land: Land, watch: Watch) -> list[str]:
    """Hold usage and metrics against the books; rows of a table."""
    said, rows = counted(land.installation), []
    for place in land.places:
        books, found = watch.book(place), said[place.endpoint, place.zone]
        is_udp = place.endpoint in {tenant.udp for tenant in land.tenants}
        problems = [*_flows(books, found, is_udp), *_usage(land.installation, place, found)]
        problems += _datagrams(books, found) if is_udp else _streams(books, found)
        for problem in problems:
            watch.fail(f"{place.endpoint} {place.zone}: {problem}; {books}; {found}")
        rows.append(
            f"{place.endpoint:28} {place.zone} {'UDP' if is_udp else 'TCP'} "
            f"{books.opened:7} {books.refused:7} {books.resets:6} {found.opened:7} "
            f"{books.sent:11} {found.bytes['in']:11} {books.received:11} {found.bytes['out']:11}"
        )
    return rows


def _flows(books: Books, found: Counted, is_udp: bool) -> list[str]:
    problems = []
    if found.opened != found.ended + found.active:
        problems.append("flows opened are not those ended and active")
    most = books.exchanges if is_udp else books.attempted + books.insisted
    if not books.opened <= found.opened <= most:
        problems.append(f"flows opened are not {books.opened} to {most}")
    return problems


def _datagrams(books: Books, found: Counted) -> list[str]:
    """To the byte. What was lost is a failure of its own."""
    asked = books.exchanges * UDP_HEADERS + books.sent
    if found.bytes == {"in": asked, "out": asked}:
        return []
    return [f"{asked} bytes each way were sent by UDP"]


def _streams(books: Books, found: Counted) -> list[str]:
    """At least what came back; at most what was sent, a twentieth of it twice, and headers."""
    problems = []
    for way, payload in (("in", books.sent), ("out", books.sent + books.received)):
        most = payload * 1.05 + TCP_HEADERS * found.packets[way] + 65536
        if not books.received - 4 * books.opened <= found.bytes[way] <= most:
            problems.append(f"bytes {way} are not {books.received} to {most:.0f}")
        # A message is up to three segments there and back, each of which may be acknowledged.
        if found.packets[way] > 10 * books.exchanges + 20 * books.attempted + 1000:
            problems.append(f"{found.packets[way]} packets {way} are more than there can be")
    if found.bytes["out"] < books.received:
        problems.append(f"bytes out are fewer than the {books.received} that came")
    return problems


def _usage(installation: Installation, place: Place, found: Counted) -> list[str]:
    answer = installation.run("usage", "--endpoint", place.endpoint, "-o", "json")
    rows = [row for row in json.loads(answer) if row["ZoneId"] == place.zone]
    used = {
        "in": sum(row["BytesIn"] for row in rows),
        "out": sum(row["BytesOut"] for row in rows),
    }
    return [] if used == found.bytes else [f"usage is {used}"]


class Memory:
    """How much memory the two processes hold (PSS), over time."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._began = time.monotonic()
        self._first: dict[int, float] = {}  # when a process was first seen
        self._samples: dict[str, list[tuple[float, int]]] = defaultdict(list)

    def sample(self) -> dict[str, int]:
        """What they hold now, in bytes."""
        now, held = time.monotonic(), {}
        for module, process in processes(self._installation).items():
            try:
                text = Path(f"/proc/{process}/smaps_rollup").read_text()
            except OSError:  # it has just been killed
                continue
            found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
            if found is None:
                continue
            held[module] = int(found[1]) * 1024
            if now - self._first.setdefault(process, now) >= YOUNG:
                self._samples[module].append((now, held[module]))
        return held

    def judge(self, watch: Watch) -> list[str]:
        """Compare the last quarter with the second; lines for people."""
        lasted, lines = time.monotonic() - self._began, []
        for module, samples in sorted(self._samples.items()):
            second, last = (
                [held for at, held in samples if low <= (at - self._began) / lasted < high]
                for low, high in ((0.25, 0.5), (0.75, 1.1))
            )
            if lasted < JUDGED or not second or not last:
                lines.append(f"{module}: memory not judged, the time is too short")
                continue
            before, after = statistics.median(second), statistics.median(last)
            lines.append(f"{module}: {before / MIB:.1f} MiB, then {after / MIB:.1f} MiB")
            if after > 1.1 * before + 8 * MIB:
                watch.fail(f"memory grows: {lines[-1]}")
        return lines
