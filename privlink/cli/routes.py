"""`privlink route`: where packets of a route table's vSwitches go, beside the VPC itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from privlink.cli.session import client, output_option, print_json, print_table, state_option
from privlink.client import Client
from privlink.config import load

VPC = "2016-04-28"
_KINDS = {"att": "Instance", "eni": "NetworkInterface", "ngw": "NatGateway"}
_COLUMNS = ("RouteEntryId", "To", "Via", "Type", "Status", "RouteEntryName")


@click.group()
def route() -> None:
    """Routes in the route tables of your VPCs."""


@route.command(name="add")
@click.option("--table", required=True, help="The route table: vtb-...")
@click.option("--to", "destination", required=True, help="A block, IPv4 or IPv6, or a prefix list.")
@click.option("--via", "hop", required=True, help="An attachment, its interface, or a NAT gateway.")
@click.option("--name", default="", help="What to call it.")
@click.option("--description", default="", help="What it is for.")
@state_option
@output_option
def add_route(
    table: str, destination: str, hop: str, name: str, description: str, state: Path, output: str
) -> None:
    """Send packets for a block, or for what is on a prefix list, by a workload of the VPC."""
    kind = _KINDS.get(hop.partition("-")[0])
    if kind is None:
        raise ValueError(f"--via {hop!r} begins with none of {', '.join(f'{k}-' for k in _KINDS)}")
    with closing(client(state)) as calls:
        answer = calls.call(
            "CreateRouteEntry",
            version=VPC,
            RouteTableId=table,
            DestinationCidrBlock=destination,
            NextHopType=kind,
            NextHopId=hop,
            RouteEntryName=name,
            Description=description,
        )
    answer.pop("RequestId")
    if output == "json":
        print_json(answer)
    else:
        click.echo(answer["RouteEntryId"])


@route.command(name="list")
@click.option("--table", required=True, help="The route table: vtb-...")
@state_option
@output_option
def list_routes(table: str, state: Path, output: str) -> None:
    """List what is in a route table: its VPC's vSwitches, and the routes written there."""
    with closing(client(state)) as calls:
        found = _entries(calls, load(state).region, table)
    if output == "json":
        print_json(found)
        return
    for each in found:
        (hop,) = each["NextHops"]["NextHop"]
        each |= {"To": each["DestinationCidrBlock"], "Via": hop["NextHopId"] or hop["NextHopType"]}
    print_table("routes", _COLUMNS, sorted(found, key=lambda each: each["Type"] != "System"))


@route.command(name="remove")
@click.argument("entry_id", metavar="ROUTE")
@click.option("--table", help="Its route table, which users of an account have to name.")
@state_option
def remove_route(entry_id: str, table: str | None, state: Path) -> None:
    """Remove a route."""
    with closing(client(state)) as calls:
        calls.call("DeleteRouteEntry", version=VPC, RouteEntryId=entry_id, RouteTableId=table)


def _entries(calls: Client, region: str, table: str) -> list[dict[str, Any]]:
    """Every entry of a route table, page by page."""
    asked: dict[str, Any] = {"RegionId": region, "RouteTableId": table, "MaxResult": 500}
    found: list[dict[str, Any]] = []
    while True:
        answer = calls.call("DescribeRouteEntryList", version=VPC, **asked)
        found += answer["RouteEntrys"]["RouteEntry"]
        if not answer.get("NextToken"):
            return found
        asked["NextToken"] = answer["NextToken"]
