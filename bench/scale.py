"""The crowded node: privlink with many endpoints beside privlink with one, and what many cost.

Two installations stand side by side. The crowded one has its endpoints in ten VPCs or more, all
with the same addresses; in each a security group with 200 rules, of which the last lets in.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec

from bench import servers, site, traffic
from bench.lanes import Lane, lane
from bench.options import Options
from bench.report import Bar, Goal, Panel, draw, goals, table, write
from bench.site import Site
from bench.traffic import Figure, Measured, figures
from demo.cloud import REGION, ZONE, Network
from privlink.cli import session
from privlink.client import Client
from tests.kernel import lab

RULES = 200
_PER_VPC = 1000  # the quota of a VPC; its client's has some more
_CLIENTS = 8  # that fill at once: writes share their flushes to disk
_FIRST_BYTES, _RESTARTS = 200, 5
_PRIVATELINK = "2020-04-15"
_PATIENCE = 60.0  # seconds for a node to be in step
_LEAST = 0.97  # of itself with one endpoint
_SUBNET = "10.0.0.0/16"  # room for a VPC's endpoints
_TAKEN = re.compile(r'^privlink_requests_total{action="PushReport",code="OK"} (\S+)$', re.MULTILINE)


class Restart(msgspec.Struct, frozen=True):
    """A node that was killed under a running conversation."""

    seconds: float  # until it was in step again
    longest: float = 0  # ms between a question and its answer meanwhile
    answers: int = 0  # that the conversation had
    broken: str = ""  # why it did not last

    def sentence(self) -> str:
        """What it came to."""
        step = f"restart: in step after {self.seconds:.2f} s;"
        if self.broken:
            return f"{step} a conversation broke: {self.broken}"
        return (
            f"{step} a conversation went on with {self.answers:,} answers, "
            f"none later than {self.longest:.1f} ms"
        )


class FirstByte(msgspec.Struct, frozen=True):
    """Milliseconds from the call of CreateVpcEndpoint until..."""

    created: float  # it was answered
    connected: float  # the endpoint was Connected
    known: float  # its address was known
    came: float  # a byte had come back through it


class Found(msgspec.Struct, frozen=True):
    """What was measured."""

    endpoints: int
    traffic: Measured
    first_bytes: list[FirstByte]
    restarts: list[Restart]
    memory: dict[str, float]  # MB that the node's process holds, at some moments


def run(output: Path, options: Options) -> None:
    """Measure, print and draw."""
    folder = Path(tempfile.mkdtemp(prefix="scale-", dir=output.resolve()))
    try:
        with ExitStack() as stack:
            few = stack.enter_context(site.build(folder / "few"))
            many = stack.enter_context(site.build(folder / "many", RULES, _SUBNET))
            fill(many, options.endpoints)
            memory = {"filled": _memory(many)}
            lanes = lane(few, "one"), lane(many, "many")
            measured = traffic.take(lanes, options.measures, options.rounds, options.seconds)
            print(f"creating {_FIRST_BYTES} more, and calling each", flush=True)
            with traffic.served(many.server.netns, "serve", "echo"):
                calls = _calls(many)
                first_bytes = [_first_byte(many, calls) for _ in range(_FIRST_BYTES)]
            memory["after traffic"] = _memory(many)
            restarts = [_restart(many, lanes[1], number) for number in range(_RESTARTS)]
            memory["after a restart"] = _memory(many)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = Found(options.endpoints, measured, first_bytes, restarts, memory)
    _show(output, found, figures(options.measures))


def fill(crowded: Site, endpoints: int) -> None:
    """Create endpoints until there are so many, through the API, and wait until all are in place.

    Those of the first VPC are beside the client.
    """
    print(f"creating {endpoints:,} endpoints", flush=True)
    quota = ("quota", "set", "pvl_quota_total_ep_per_vpc", str(2 * _PER_VPC))
    crowded.installation.run(*quota)
    began = time.monotonic()
    places = [(crowded.consumer, crowded.group)]
    for number in range(1, -(-endpoints // _PER_VPC)):
        network = crowded.cloud.network(f"consumer-{number}", subnet=_SUBNET)
        places.append((network, site.security_group(crowded.cloud, network, RULES)))
    wanted = [places[number // _PER_VPC] for number in range(1, endpoints)]  # there is one

    def create(first: int) -> None:
        calls = _calls(crowded)
        for where, group in wanted[first::_CLIENTS]:
            _create(calls, crowded.service, where, group)

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(create, range(_CLIENTS)))
    made = time.monotonic() - began
    _until(crowded.installation.is_ready, "/readyz")
    late = time.monotonic() - began - made
    print(f"created in {made:.1f} s, in place {late:.1f} s later", flush=True)


def _create(calls: Client, service: str, where: Network, group: str) -> str:
    answer = calls.call(
        "CreateVpcEndpoint",
        version=_PRIVATELINK,
        RegionId=REGION,
        VpcId=where.vpc,
        ServiceId=service,
        SecurityGroupId=[group],
        Zone=[{"ZoneId": ZONE, "VSwitchId": where.vswitch}],
    )
    made: str = answer["EndpointId"]
    return made


def _first_byte(crowded: Site, calls: Client) -> FirstByte:
    """Make an endpoint and use it as the README tells people to: create, ask until it is Connected,
    ask for its address, connect.
    """
    began = time.monotonic()

    def passed() -> float:
        return 1000 * (time.monotonic() - began)

    made = _create(calls, crowded.service, crowded.consumer, crowded.group)
    created = passed()
    asked = {"version": _PRIVATELINK, "RegionId": REGION, "EndpointId": made}
    _until(lambda: _is_connected(calls, asked), f"{made} Connected")
    connected = passed()
    address = calls.call("ListVpcEndpointZones", **asked)["Zones"][0]["EniIp"]
    known = passed()
    with lab.connect(crowded.client.netns, address, site.PORT) as connection:
        connection.sendall(b"?")
        assert connection.recv(1) == b"?"
    return FirstByte(created, connected, known, passed())


def _is_connected(calls: Client, asked: dict[str, Any]) -> bool:
    answer = calls.call("GetVpcEndpointAttribute", **asked)
    return bool(answer["ConnectionStatus"] == "Connected")


def _restart(crowded: Site, way: Lane, number: int) -> Restart:
    """Kill the node under a conversation, and wait for the next one to be in step."""
    print(f"restart {number + 1} of {_RESTARTS}", flush=True)
    with (
        traffic.served(way.server, "serve", "echo"),
        traffic.conversation(way, 2 * _PATIENCE) as conversation,
    ):
        before = _node(crowded)
        assert before is not None
        began = time.monotonic()
        os.kill(before, signal.SIGKILL)
        _until(lambda: _node(crowded) not in (None, before), "another process of the node")
        # The dead one's last report has been counted by now, the new one's first not yet.
        reports = _reports(crowded)
        _until(lambda: _reports(crowded) > reports, "a report of the new process")
        _until(crowded.installation.is_ready, "/readyz")
        seconds = time.monotonic() - began
        try:
            told = conversation.end()
        except traffic.MeasureFailed as failure:
            return Restart(seconds, broken=str(failure))
    return Restart(seconds, told["longest"] / 1000, int(told["count"]))


def _node(crowded: Site) -> int | None:
    with suppress(LookupError, OSError):
        return crowded.installation.process("privlink.node")
    return None


def _reports(crowded: Site) -> float:
    """How many reports the server has taken, all in all."""
    with urllib.request.urlopen(f"http://{crowded.installation.listen}/metrics") as answer:
        found = _TAKEN.search(answer.read().decode())
    return float(found[1]) if found else 0.0


def _until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {_PATIENCE:.0f} s: {what}")
        time.sleep(0.002)


def _calls(crowded: Site) -> Client:
    keys = session.of_folder(crowded.installation.state)
    return Client(keys.server, keys.access_key_id, keys.access_key_secret)


def _memory(crowded: Site) -> float:
    return servers.memory(crowded.installation.process("privlink.node"))


def _show(output: Path, found: Found, shown: list[Figure]) -> None:
    measured, count = found.traffic, f"{found.endpoints:,}"
    lines = [
        (
            f"{figure.label}, {figure.unit}",
            figure.text(measured.median("one", figure.name)),
            figure.text(measured.median("many", figure.name)),
        )
        for figure in shown
    ]
    print(f"\nmedians of {len(measured.rounds)} rounds\n")
    print(table(["privlink with so many endpoints", "1", count], lines))
    for complaint in measured.complaints():
        print(complaint)
    ratios = [
        Goal(
            f"with {count} endpoints to with one, {figure.label}",
            measured.ratio("many", "one", figure.name),
            _LEAST,
            "x",
        )
        for figure in shown
    ]
    costs = _costs(found)
    print(f"\nwith {count} endpoints\n\n{goals([*ratios, *costs])}")
    print(_parts(found.first_bytes))
    for restart in found.restarts:
        print(restart.sentence())
    moments = ", ".join(f"{moment} {size:.0f}" for moment, size in found.memory.items())
    print(f"memory of the node's process, MB: {moments}")
    write(output / "scale.json", found, [*ratios, *costs])
    draw(output / "scale.svg", _panels(ratios, costs, count))
    print(f"\nthe chart: {output / 'scale.svg'}; every number: {output / 'scale.json'}")


def _parts(first_bytes: list[FirstByte]) -> str:
    """Where the time to a first byte goes."""
    steps = {
        "answered": [each.created for each in first_bytes],
        "Connected": [each.connected - each.created for each in first_bytes],
        "address asked for": [each.known - each.connected for each in first_bytes],
        "byte there and back": [each.came - each.known for each in first_bytes],
    }
    medians = (f"{step} {statistics.median(times):.1f}" for step, times in steps.items())
    return f"to the first byte, median ms of each step: {', '.join(medians)}"


def _costs(found: Found) -> list[Goal]:
    first = [each.came for each in found.first_bytes]
    took = [each.seconds for each in found.restarts]
    lasted = sum(not each.broken for each in found.restarts)
    return [
        Goal("CreateVpcEndpoint to the first byte, p50", statistics.median(first), 50, " ms", True),
        Goal(
            "CreateVpcEndpoint to the first byte, p99",
            statistics.quantiles(first, n=100)[98],
            *(200, " ms", True),
        ),
        Goal("restart of the node until in step, slowest", max(took), 3, " s", True),
        Goal("conversations that live through it", lasted / len(took), 1),
        Goal("memory of the node's process", max(found.memory.values()), 150, " MB", True),
    ]


def _panels(ratios: list[Goal], costs: list[Goal], count: str) -> list[Panel]:
    def bar(goal: Goal, label: str) -> Bar:
        return Bar(label, goal.value or 0, goal.asked, goal.unit, 2)

    measured = [goal for goal in ratios if goal.value is not None]
    times = [bar(goal, goal.what.partition(", ")[2]) for goal in measured]
    return [
        Panel(f"Times as good with {count} endpoints as with one", times),
        *(Panel(goal.what, [bar(goal, f"with {count} endpoints")]) for goal in costs),
    ]
