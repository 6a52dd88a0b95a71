"""`privlink flows`: what became of flows, the newest last, once or as it happens."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from privlink.cli.session import client, output_option, print_json, state_option
from privlink.client import Client

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LATE = 30.0  # seconds that a record may take until it is in the log, and still be followed
_PAUSE = 1.0  # nodes say what happened once a second
# Least widths, so that lines which come one by one stand under each other.
_WIDTHS = (24, 7, 14, 6, 21, 21, 21, 24, 17, 8, 0)
_COLUMNS = (
    *("Time", "Event", "Cause", "Proto", "Client", "Called", "Source", "Endpoint"),
    *("Bytes", "Seconds", "Rule"),
)

Record = dict[str, Any]
Asked = dict[str, Any]


@click.command()
@click.argument("endpoint", required=False)
@click.option("--service", help="Endpoint service, such as epsrv-...")
@click.option("--since", metavar="AGE", help="Not before: an age such as 10m, or a time in UTC.")
@click.option("--event", help="opened, closed, refused or skipped.")
@click.option("--cause", help="Such as security_group or idle; docs/flow-records.md has all.")
@click.option("--client", "caller", help="Address or block of the client, or of the source.")
@click.option("--protocol", help="TCP, UDP, ICMP or ICMPV6.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@state_option
@output_option
def flows(
    endpoint: str | None,
    service: str | None,
    since: str | None,
    event: str | None,
    cause: str | None,
    caller: str | None,
    protocol: str | None,
    limit: int,
    follow: bool,
    state: Path,
    output: str,
) -> None:
    """Show flows that were opened, closed or refused, and why; of one endpoint, or of all."""
    start = moment(since, datetime.now(UTC)) if since else None
    asked: Asked = {
        "EndpointId": endpoint,
        "ServiceId": service,
        "Event": event,
        "Cause": cause,
        "Client": caller,
        "Protocol": protocol.upper() if protocol else None,
    }
    with closing(client(state)) as calls:
        if follow:
            _follow(calls, asked, start, limit, output)
        found = list(_pages(calls, asked, start, limit))[::-1]
        if output == "json":
            print_json(found)
        elif found:
            _print_all(found)
        else:
            click.echo("no flow records")


def moment(text: str, now: datetime) -> str:
    """An age before `now`, or a time, as the API spells times. Raises ValueError."""
    try:
        if found := re.fullmatch(r"([0-9]{1,6})([smhd])", text):
            return _spelt(now - timedelta(**{_UNITS[found[2]]: int(found[1])}))
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        why = "is neither an age, such as 90s, 10m, 2h or 1d, nor a time, such as 2026-12-01T12:00Z"
        raise ValueError(f"--since {text!r} {why}") from None
    return _spelt(given if given.tzinfo else given.replace(tzinfo=UTC))


def cells(record: Record) -> tuple[str, ...]:
    """A record in the columns of the table."""
    packets = f"{record['ClientBytes']}/{record['ServerBytes']}"
    closed = record["Event"] == "closed"
    rule = record["SecurityGroupRuleId"] or record["SecurityGroupId"]
    source = _both(record["SourceAddress"], record["SourcePort"])
    if server := _both(record["ServerAddress"], record["ServerPort"]):
        source = f"{source}>{server}"
    return (
        record["Time"],
        record["Event"],
        record["Cause"] or (str(record["Count"]) if record["Count"] else ""),
        record["Protocol"],
        _both(record["ClientAddress"], record["ClientPort"]),
        _both(record["CalledAddress"], record["CalledPort"]),
        source,
        record["EndpointId"] or record["LoadBalancerId"],
        packets if closed else "",
        f"{record['Duration'] / 1000:.3f}" if closed else "",
        rule,
    )


def _pages(calls: Client, asked: Asked, start: str | None, limit: int | None) -> Iterator[Record]:
    """Records, the newest first."""
    token = None
    while limit is None or limit > 0:
        page = calls.call(
            "DescribeFlowRecords",
            **asked,
            StartTime=start,
            MaxResults=min(limit or 1000, 1000),
            NextToken=token,
        )
        yield from page["FlowRecords"]
        limit = limit and limit - len(page["FlowRecords"])
        token = page.get("NextToken")
        if not token:
            return


def _follow(calls: Client, asked: Asked, start: str | None, limit: int, output: str) -> NoReturn:
    """Print what is new, each second; records have no names, so it is what is there once more."""
    found = list(_pages(calls, asked, min(start or _window(), _window()), None))
    for record in reversed(found[:limit]):
        _print_line(record, output)
    shown = Counter(map(msgspec.json.encode, found))
    while True:
        time.sleep(_PAUSE)
        found = list(_pages(calls, asked, _window(), None))
        there = Counter(map(msgspec.json.encode, found))
        fresh = there - shown
        for record in reversed(found):
            key = msgspec.json.encode(record)
            if fresh[key]:
                fresh[key] -= 1
                _print_line(record, output)
        shown = there


def _window() -> str:
    return _spelt(datetime.now(UTC) - timedelta(seconds=_LATE))


def _print_all(found: list[Record]) -> None:
    lines = [_COLUMNS, *map(cells, found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo(_aligned(line, widths))


def _print_line(record: Record, output: str) -> None:
    if output == "json":
        click.echo(msgspec.json.encode(record).decode())
    else:
        click.echo(_aligned(cells(record), _WIDTHS))


def _aligned(line: tuple[str, ...], widths: list[int] | tuple[int, ...]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _both(address: str, port: int) -> str:
    if not address:
        return f":{port}" if port else ""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _spelt(when: datetime) -> str:
    text = when.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
