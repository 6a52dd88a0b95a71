"""`privlink status` and `privlink env`: how the installation is, and how clients reach it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from privlink.cli.session import client, keys, output_option, print_json, state_option
from privlink.client import Client
from privlink.config import load

PRIVATELINK = "2020-04-15"
_PRODUCTS = ("PRIVATELINK", "VPC", "ECS", "NLB")


@click.command()
@state_option
@output_option
def status(state: Path, output: str) -> None:
    """Show nodes, what they dropped and why, and your endpoints. Exits 1 if not in step."""
    calls = client(state)
    found = calls.call("DescribeStatus")
    region = load(state).region
    found["Endpoints"] = list(_endpoints(calls, region))
    found["Attachments"] = calls.call("ListAttachments")["Attachments"]
    found.pop("RequestId")
    if output == "json":
        print_json(found)
    else:
        _print(found, keys(state).server)
    if not found["InStep"]:
        raise SystemExit(1)


@click.command()
@state_option
@output_option
def env(state: Path, output: str) -> None:
    """Print shell exports for SDKs, Terraform and this command: eval "$(privlink env)"."""
    ours = keys(state)
    endpoint = ours.server.removeprefix("http://")
    variables = {
        "PRIVLINK_SERVER": ours.server,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": ours.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ours.access_key_secret,
        "ALIBABA_CLOUD_REGION_ID": load(state).region,
    }
    variables |= {f"{product}_ENDPOINT": endpoint for product in _PRODUCTS}
    if output == "json":
        print_json(variables)
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _endpoints(calls: Client, region: str) -> Any:
    token = None
    while True:
        page = calls.call(
            "ListVpcEndpoints",
            version=PRIVATELINK,
            RegionId=region,
            MaxResults=1000,
            NextToken=token,
        )
        yield from page["Endpoints"]
        token = page.get("NextToken")
        if not token:
            return


def _print(found: dict[str, Any], server: str) -> None:
    console = Console()
    in_step = "in step" if found["InStep"] else "[red]not in step[/red]"
    console.print(f"{server}, revision {found['Revision']}, {in_step}")
    for node in found["Nodes"]:
        console.print(
            f"node {node['NodeId']}: revision {node['Revision']}, fabric {node['Fabric']}, "
            f"zones {', '.join(node['Zones'])}, seen {node['LastSeenTime']}"
        )
        for reason, count in sorted(node["Drops"].items()):
            console.print(f"  dropped {count:>10}  {reason}")
    for fault in found["Faults"]:
        console.print(f"[red]{fault['Key']}[/red]: {fault['Message']} ({fault['Code']})")
    _print_table(
        console,
        "endpoints",
        ("EndpointId", "EndpointName", "ServiceId", "EndpointStatus", "ConnectionStatus"),
        found["Endpoints"],
    )
    _print_table(
        console,
        "attachments",
        ("AttachmentId", "VSwitchId", "PrivateIpAddress", "MacAddress", "Status"),
        found["Attachments"],
    )


def _print_table(
    console: Console, title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    if not rows:
        console.print(f"no {title}")
        return
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    console.print(table)
