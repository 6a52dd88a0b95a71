"""The bandwidth of a connection: how near to what was asked for TCP comes, and what waiting costs.

Streams go through an endpoint of the fabric in `tests.kernel.tenants`, while beside them, in the
same connection, 64 bytes go there and back every millisecond: what they wait is the queue. Speeds
for which this machine has no room, as it shows without a limit, are left out and named.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

import privlink
from bench.lanes import PORT, Lane
from bench.options import Options
from bench.report import Bar, Goal, Panel, draw, goals, table, write
from bench.traffic import conversation, served
from privlink.model.items import Balancer, Forward, Listener, Opening, Protocol, Server
from tests.kernel import streams, tenants

SPEEDS = (100, 200, 500, 1000, 2000, 5000)  # Mbit/s
FLOWS = (1, 100)
TOLERANCE = 5  # percent
CROWDS = (100, 1000, 4000)  # connections on one node, which a new one is measured beside
_CONNECTION = 1
_ROOM = 1.3  # times as much must come through without a limit
_STREAMS = 7001  # port


class Found(msgspec.Struct, frozen=True):
    """One measurement; latencies are in µs, of the streams' own connection."""

    speed: int
    flows: int
    back: bool
    goodput: float  # Mbit/s
    p50: float
    p99: float

    @property
    def deviation(self) -> float:
        """Percent by which the goodput is above what was asked for."""
        return 100 * (self.goodput / self.speed - 1)


def run(output: Path, options: Options) -> None:
    """Measure, print and draw."""
    bpf = Path(privlink.__file__).parent / "bpf"
    subprocess.run([bpf / "build"], check=True, capture_output=True)
    with tenants.cloud(bpf / "privlink.bpf.o") as cloud:
        cloud.put(balancer_nlb=_balancer())
        lane = Lane("bandwidth", cloud.names["client"], cloud.names["server"], tenants.ENDPOINT)
        free = min(_goodput(lane, 2 * SPEEDS[-1], flows, False, options) for flows in FLOWS)
        print(f"without a limit {free:,.0f} Mbit/s come through", flush=True)
        fitting = [speed for speed in SPEEDS if free > _ROOM * speed]
        rounds = []
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            rounds.append(list(_round(cloud, lane, fitting, options)))
        cloud.put(forward_one=_forward(0))
        crowds = dict(_crowds(cloud))
    medians = [_median(same) for same in zip(*rounds, strict=True)]
    _show(output, medians, crowds, [speed for speed in SPEEDS if speed not in fitting])


def _balancer() -> Balancer:
    servers = (Server(tenants.SERVER.address, 0, 100),)
    return Balancer(3, (Listener(Protocol.TCP, PORT, _STREAMS, servers),))


def _forward(bandwidth: int) -> Forward:
    before = tenants.FORWARD.opening
    assert before is not None
    opening = msgspec.structs.replace(before, connection=_CONNECTION, bandwidth=bandwidth)
    return msgspec.structs.replace(tenants.FORWARD, opening=opening)


def _round(
    cloud: tenants.Cloud, lane: Lane, speeds: Sequence[int], options: Options
) -> Iterator[Found]:
    for speed in speeds:
        cloud.put(forward_one=_forward(speed))
        for flows in FLOWS:
            for back in (False, True):
                with (
                    served(lane.server, "serve", "echo"),
                    _streaming(lane, flows, back) as flowing,
                ):
                    flowing.goodput(options.seconds / 3, speed)  # slow start is over
                    with conversation(lane, 60) as pinging:
                        goodput = flowing.goodput(options.seconds, speed)
                        told = pinging.end()
                yield Found(speed, flows, back, goodput, told["p50"], told["p99"])


def _goodput(lane: Lane, about: float, flows: int, back: bool, options: Options) -> float:
    with _streaming(lane, flows, back) as flowing:
        return flowing.goodput(options.seconds, about)


def _streaming(lane: Lane, flows: int, back: bool) -> AbstractContextManager[streams.Streams]:
    ends = lane.client, lane.server, lane.address
    return streams.streaming(*ends, _STREAMS, flows, listen=_STREAMS, back=back)


def _crowds(cloud: tenants.Cloud) -> Iterator[tuple[int, tuple[float, float]]]:
    """Milliseconds that a new connection takes, and a change, beside so many."""
    shaper = cloud.kernel.shaper
    there = 0
    for crowd in CROWDS:
        shaper.settle({f"crowd/{number}": (_opening(number),) for number in range(there, crowd)})
        there = crowd
        made, changed = [], []
        for _ in range(21):
            made.append(_milliseconds(cloud, crowd, 100))
            changed.append(_milliseconds(cloud, crowd, 200))
            there = crowd = crowd + 1
        yield crowd, (statistics.median(made), statistics.median(changed))


def _opening(number: int, bandwidth: int = 100) -> Opening:
    connection = number + 1000
    return Opening(connection, 2, "100.64.0.9", 3, connection=connection, bandwidth=bandwidth)


def _milliseconds(cloud: tenants.Cloud, number: int, bandwidth: int) -> float:
    began = time.perf_counter()
    cloud.kernel.shaper.settle({f"crowd/{number}": (_opening(number, bandwidth),)})
    return 1000 * (time.perf_counter() - began)


def _median(same: Sequence[Found]) -> Found:
    first = same[0]
    figures = (
        statistics.median(each)
        for each in zip(*((one.goodput, one.p50, one.p99) for one in same), strict=True)
    )
    return Found(first.speed, first.flows, first.back, *figures)


def _show(
    output: Path,
    medians: Sequence[Found],
    crowds: dict[int, tuple[float, float]],
    left_out: Sequence[int],
) -> None:
    lines = [
        (
            f"{each.speed:,} Mbit/s, {_way(each)}",
            f"{each.goodput:,.1f}",
            f"{each.deviation:+.1f} %",
            f"{each.p50 / 1000:.2f}",
            f"{each.p99 / 1000:.2f}",
        )
        for each in medians
    ]
    print(f"\n{table(['asked', 'Mbit/s', '', 'p50, ms', 'p99, ms'], lines)}")
    for speed in left_out:
        print(f"{speed:,} Mbit/s: more than comes through this machine now")
    crowded = [
        (f"{number:,} connections", f"{made:.2f}", f"{changed:.2f}")
        for number, (made, changed) in crowds.items()
    ]
    print(f"\n{table(['beside', 'a new one, ms', 'a change, ms'], crowded)}")
    held = [
        Goal(f"{each.speed:,} Mbit/s, {_way(each)}", abs(each.deviation), TOLERANCE, " % off", True)
        for each in medians
    ]
    print(f"\n{goals(held)}")
    write(output / "bandwidth.json", {"medians": medians, "crowds": crowds}, held)
    bars = [Bar(_way(each), each.goodput, each.speed, " Mbit/s") for each in medians]
    panels = [
        Panel(f"{speed:,} Mbit/s", [b for b in bars if b.goal == speed])
        for speed in sorted({each.speed for each in medians})
    ]
    draw(output / "bandwidth.svg", panels, columns=2)
    print(f"\nthe chart: {output / 'bandwidth.svg'}; every number: {output / 'bandwidth.json'}")


def _way(found: Found) -> str:
    flows = "1 flow" if found.flows == 1 else f"{found.flows} flows"
    return f"{flows} {'to the client' if found.back else 'to the server'}"
