"""`privlink health`: whether new connections through an endpoint find a server that is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from privlink.cli.session import client, output_option, print_json, print_table, state_option
from privlink.client import Client


@click.command()
@click.argument("endpoint")
@state_option
@output_option
def health(endpoint: str, state: Path, output: str) -> None:
    """Show whether new connections through ENDPOINT find a server, zone by zone and port by port.

    Healthy: every server is well. Degraded: some are down. Unhealthy: none is well, and new
    connections are reset. Unknown: no server has been checked, or the zone leads nowhere.
    """
    found = of_endpoint(client(state), endpoint)
    if output == "json":
        print_json(found)
        return
    click.echo(f"{found['EndpointId']} to {found['ServiceId']}  {found['Health']}")
    columns = ("ZoneId", "Port", "Health", "Well", "Servers", "Since")
    print_table("zones", columns, list(_rows(found)))


def of_endpoint(calls: Client, endpoint_id: str) -> dict[str, Any]:
    """What GetEndpointHealth says."""
    found = calls.call("GetEndpointHealth", EndpointId=endpoint_id)
    found.pop("RequestId")
    return found


def _rows(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for zone in found["Zones"]:
        yield {**zone, "Port": "all"}
        for listener in zone["Listeners"]:
            port = f"{listener['Port']}/{listener['Protocol'].lower()}"
            yield {**listener, "ZoneId": "", "Port": port}
