"""`privlink usage` and `privlink price`: what was used, by whom, and what it costs."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from privlink.cli.session import client, output_option, print_json, print_table, state_option
from privlink.client import Client

_COLUMNS = (
    "StartTime",
    "EndTime",
    "PayerAccountId",
    "EndpointId",
    "ZoneId",
    "ServiceId",
    "ZoneHours",
    "BytesIn",
    "BytesOut",
    "Price",
    "Currency",
)


@click.command()
@click.option("--from", "start", help="A day or a full hour, UTC; else the first of the month.")
@click.option("--to", "end", help="A day or a full hour, UTC, that is not in it; else now.")
@click.option("--endpoint", "endpoint_id", help="One endpoint's id; else all of them.")
@click.option("--service", "service_id", help="One endpoint service's id; else all of them.")
@click.option("--account", "account_id", help="Who pays, for the operator; else everyone.")
@click.option(
    "--by",
    type=click.Choice(["hour", "day", "total"]),
    default="total",
    show_default=True,
    help="What is summed up in one row.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="Print for people or for programs.",
)
@state_option
def usage(
    state: Path,
    start: str | None,
    end: str | None,
    endpoint_id: str | None,
    service_id: str | None,
    account_id: str | None,
    by: str,
    output: str,
) -> None:
    """Show the hours, bytes and price of endpoint zones that your account pays for."""
    asked = {
        "StartTime": _moment(start),
        "EndTime": _moment(end),
        "EndpointId": endpoint_id,
        "ServiceId": service_id,
        "AccountId": account_id,
        "Granularity": by.capitalize(),
    }
    rows = list(_rows(client(state), asked))
    if output == "json":
        print_json(rows)
    elif output == "csv":
        _print_csv(rows)
    else:
        print_table("usage", _COLUMNS, rows)
        for currency, price in sorted(_bill(rows).items()):
            click.echo(f"\n  {price} {currency} in all")


@click.group()
def price() -> None:
    """What use costs in this installation."""


@price.command(name="set")
@click.argument("currency")
@click.argument("zone_hour")
@click.argument("gigabyte")
@state_option
@output_option
def set_price(currency: str, zone_hour: str, gigabyte: str, state: Path, output: str) -> None:
    """Set what an hour of an endpoint zone costs and 10^9 bytes through it, from this hour on."""
    answer = client(state).call(
        "SetPrices", Currency=currency, ZoneHour=zone_hour, Gigabyte=gigabyte
    )
    answer.pop("RequestId")
    if output == "json":
        print_json(answer)
    else:
        each = f"{zone_hour} {currency} an hour and zone, {gigabyte} {currency} a gigabyte"
        click.echo(f"{each}, since {answer['SinceTime']}")


@price.command(name="list")
@state_option
@output_option
def list_prices(state: Path, output: str) -> None:
    """List what use has cost, the newest first."""
    found = client(state).call("DescribePrices")["Prices"]
    if output == "json":
        print_json(found)
    else:
        print_table("prices", ("SinceTime", "Currency", "ZoneHour", "Gigabyte"), found)


def _rows(calls: Client, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    token = None
    while True:
        page = calls.call("DescribeUsage", MaxResults=1000, NextToken=token, **asked)
        yield from page["Usage"]
        token = page.get("NextToken")
        if not token:
            return


def _moment(text: str | None) -> str | None:
    """A day as its first moment; whatever else it is, the server judges."""
    day = text is not None and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
    return f"{text}T00:00:00Z" if day else text


def _print_csv(rows: list[dict[str, Any]]) -> None:
    written = csv.DictWriter(sys.stdout, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    written.writeheader()
    written.writerows(rows)


def _bill(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    """The sum of the rows' prices, by currency."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row["Currency"]] = sums.get(row["Currency"], Decimal()) + Decimal(row["Price"])
    return sums
