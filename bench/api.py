"""The API: how fast endpoints are created, against moto; how pages and memory grow with the data.

Both servers get prepared requests from the same load generator, in turns. moto keeps everything in
memory and forgets it when it ends; privlink checks every signature, and has each endpoint on disk
before it answers.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import breakdown, population
from bench.options import Options
from bench.peer import ENVIRONMENT, Moto
from bench.report import Bar, Panel, draw, table
from bench.servers import Privlink
from privlink.api.action import Call

FEW, MANY, PAGE = 100, 100_000, 50
_OURS = {1: 600, 16: 1600}  # requests of one round, by clients
_THEIRS = {1: 200, 16: 400}
_OFFICIAL, _PAGES = 150, 200
_PLACES = 64


class Filled(msgspec.Struct, frozen=True):
    """What is in a database before its server starts."""

    service: population.Service
    places: list[population.Place]  # networks for the endpoints that the bench creates


class Round(msgspec.Struct, frozen=True):
    """What one round measured."""

    ours: dict[int, float]  # creates per second, by clients
    theirs: dict[int, float]
    crowded: float  # ours with 16 clients, beside many endpoints
    official: float  # through the official SDK
    boto: float  # through boto3, on moto
    few: list[float]  # milliseconds of a page out of few, and out of many
    many: list[float]
    described: float  # milliseconds of moto's answer with as many as a page


def run(output: Path, options: Options) -> None:
    """Measure, print and draw."""
    rounds = options.rounds
    folder = Path(tempfile.mkdtemp(prefix="state-", dir=output.resolve()))
    servers: list[Privlink | Moto] = []
    try:
        with (output / "servers.log").open("wb") as log:
            print(f"writing {MANY:,} endpoints", flush=True)
            many = Privlink(folder / "many", log, lambda call: _fill(call, MANY))
            few = Privlink(folder / "few", log, lambda call: _fill(call, FEW))
            servers += [many, few, Moto(log)]
            moto: Moto = servers[-1]  # type: ignore[assignment]
            measured = [_round(few, many, moto, number, rounds) for number in range(rounds)]
            memory = _memory(many)
            for server in servers:
                server.stop()
            parts = breakdown.measure(few, few.filled.places[-1], few.filled.service.id)
        _show(output, measured, memory, parts)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(call: Call, count: int) -> Filled:
    service = population.service(call)
    population.fill(call, service, count)
    return Filled(service, [population.place(call) for _ in range(_PLACES)])


def _round(few: Privlink, many: Privlink, moto: Moto, number: int, rounds: int) -> Round:
    print(f"round {number + 1} of {rounds}", flush=True)
    moto.reset()
    some = moto.place()
    _load(moto.port, 16, [moto.create(some)] * PAGE)
    described = _load(moto.port, 1, [moto.describe(some)] * 30)
    moto.reset()
    place = moto.place()
    where = few.filled.places[number]
    ours, theirs = {}, {}
    for clients in (1, 16):
        theirs[clients] = _rate(moto.port, clients, [moto.create(place)] * _THEIRS[clients])
        ours[clients] = _rate(few.port, clients, _creates(few, where, _OURS[clients]))
    crowded = _rate(many.port, 16, _creates(many, many.filled.places[number], _OURS[16]))
    return Round(
        ours=ours,
        theirs=theirs,
        crowded=crowded,
        official=_official(few, where),
        boto=_boto(moto, place),
        few=_pages(few),
        many=_pages(many),
        described=statistics.median(described["milliseconds"]),
    )


def _creates(server: Privlink, place: population.Place, count: int) -> list[bytes]:
    parameters = _parameters(server, place)
    return [server.request("CreateVpcEndpoint", **parameters) for _ in range(count)]


def _parameters(server: Privlink, place: population.Place) -> dict[str, Any]:
    return {
        "RegionId": server.config.region,
        "VpcId": place.vpc_id,
        "ServiceId": server.filled.service.id,
        "SecurityGroupId": [place.group_id],
        "Zone": [{"ZoneId": server.config.zones[0], "VSwitchId": place.vswitch_id}],
    }


def _pages(server: Privlink) -> list[float]:
    """Milliseconds of pages, each after the one before, from the first on."""
    asked = {"RegionId": server.config.region, "MaxResults": PAGE}
    token = server.call("ListVpcEndpoints", **asked)["NextToken"]
    pages = [{}, {"NextToken": token}] * (_PAGES // 2)
    requests = [server.request("ListVpcEndpoints", **asked, **more) for more in pages]
    milliseconds: list[float] = _load(server.port, 1, requests)["milliseconds"]
    return milliseconds


def _memory(server: Privlink) -> float:
    """What the process holds after calls of many kinds, in MB."""
    region = {"RegionId": server.config.region}
    token = ""
    for _ in range(40):
        more = {"NextToken": token} if token else {}
        page = server.call("ListVpcEndpoints", MaxResults=1000, **region, **more)
        token = page["NextToken"]
    for each in page["Endpoints"][:50]:
        server.call("GetVpcEndpointAttribute", EndpointId=each["EndpointId"], **region)
        server.call("ListVpcEndpointZones", EndpointId=each["EndpointId"], **region)
    server.call("ListVpcEndpointConnections", MaxResults=1000, **region)
    server.call("ListVpcEndpointServicesByEndUser", **region)
    _load(server.port, 16, _creates(server, server.filled.places[-2], 500))
    return server.memory()


def _rate(port: int, clients: int, requests: Sequence[bytes]) -> float:
    return len(requests) / float(_load(port, clients, requests)["seconds"])


def _load(port: int, clients: int, requests: Sequence[bytes]) -> dict[str, Any]:
    sent = [request.decode("latin-1") for request in requests]
    job = {"host": "127.0.0.1", "port": port, "clients": clients, "requests": sent}
    answer = _process(sys.executable, "bench.load", job)
    if answer["refusal"] is not None:
        raise RuntimeError(answer["refusal"])
    return answer


def _official(server: Privlink, place: population.Place) -> float:
    job = {
        "host": server.host,
        "key_id": server.key_id,
        "secret": server.secret,
        "parameters": _parameters(server, place),
        "count": _OFFICIAL,
    }
    return _OFFICIAL / float(_process(sys.executable, "bench.official", job)["seconds"])


def _boto(moto: Moto, place: Any) -> float:
    job = {"url": moto.url, "parameters": place.parameters(), "count": _OFFICIAL}
    return _OFFICIAL / float(_process(str(ENVIRONMENT / "python"), "bench.boto", job)["seconds"])


def _process(python: str, module: str, job: dict[str, Any]) -> dict[str, Any]:
    """Run a client in a process of its own."""
    done = subprocess.run(
        [python, "-m", module], input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _show(
    output: Path, measured: list[Round], memory: float, parts: dict[str, list[float]]
) -> None:
    def median(values: Any) -> float:
        return statistics.median(values)

    ratios = {n: median(each.ours[n] / each.theirs[n] for each in measured) for n in (1, 16)}
    crowded = median(each.crowded / each.theirs[16] for each in measured)
    official = median(each.official / each.boto for each in measured)
    few = _percentiles([ms for each in measured for ms in each.few])
    many = _percentiles([ms for each in measured for ms in each.many])
    pages = median(statistics.median(each.many) / statistics.median(each.few) for each in measured)
    listed = median(each.described / statistics.median(each.few) for each in measured)
    lines = [
        ("creates/s, 1 client, prepared requests", *_pair(measured, 1), f"{ratios[1]:.1f}x", "3x"),
        ("creates/s, 16 clients", *_pair(measured, 16), f"{ratios[16]:.1f}x", "6x"),
        (
            f"creates/s, 16 clients, beside {MANY:,} endpoints",
            f"{median(each.crowded for each in measured):,.0f}",
            f"{median(each.theirs[16] for each in measured):,.0f}",
            f"{crowded:.1f}x",
            "",
        ),
        (
            "creates/s, 1 client: official SDK, boto3",
            f"{median(each.official for each in measured):,.0f}",
            f"{median(each.boto for each in measured):,.0f}",
            f"{official:.1f}x",
            "",
        ),
        (
            f"list {PAGE} endpoints, median ms",
            f"{few[0]:.2f}",
            f"{median(each.described for each in measured):.2f}",
            f"{listed:.1f}x faster",
            "",
        ),
    ]
    print(f"\nmedians of {len(measured)} rounds\n")
    print(table(["", "privlink", "moto", "ratio", "goal"], lines))
    grown = [
        ("median ms", f"{few[0]:.2f}", f"{many[0]:.2f}", f"{pages:.2f}x", "1x"),
        ("99th percentile, ms", f"{few[1]:.2f}", f"{many[1]:.2f}", "", "below 10 ms"),
        ("memory of the server, MB", "", f"{memory:.0f}", "", "below 400"),
    ]
    print()
    heads = [f"a page of {PAGE} out of", f"{FEW:,}", f"{MANY:,}", "ratio", "goal"]
    print(table(heads, grown))
    print()
    print(_time_spent(measured, parts))
    draw(
        output / "api.svg",
        [
            Panel(
                "Creates per second: times moto's",
                [
                    Bar("1 client", ratios[1], 3, "x"),
                    Bar("16 clients", ratios[16], 6, "x"),
                    Bar(f"16 clients, beside {MANY:,} endpoints", crowded, None, "x"),
                    Bar("official SDK against boto3", official, None, "x"),
                ],
            ),
            Panel(
                f"A page of {PAGE}, 99th percentile",
                [
                    Bar(f"out of {FEW:,}", few[1], None, " ms"),
                    Bar(f"out of {MANY:,}", many[1], 10, " ms"),
                ],
            ),
        ],
    )
    print(f"\nthe chart: {output / 'api.svg'}")


def _pair(measured: list[Round], clients: int) -> tuple[str, str]:
    ours = statistics.median(each.ours[clients] for each in measured)
    theirs = statistics.median(each.theirs[clients] for each in measured)
    return f"{ours:,.0f}", f"{theirs:,.0f}"


def _percentiles(values: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return statistics.median(values), statistics.quantiles(values, n=100)[98]


def _time_spent(measured: list[Round], parts: dict[str, list[float]]) -> str:
    """Where a create's microseconds go."""
    taken = [1e6 / statistics.median(each.ours[n] for each in measured) for n in (1, 16)]
    rest = [
        max(0.0, total - sum(part[at] for part in parts.values())) for at, total in enumerate(taken)
    ]
    every = {**parts, "the rest: HTTP, event loop, log, waiting": rest, "one create": taken}
    lines = [(name, *(f"{value:,.0f}" for value in values)) for name, values in every.items()]
    return table(["microseconds of a create", "1 client", "16 clients"], lines)
