"""`privlink status` and `privlink env`: how the installation is, and how clients reach it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from privlink.cli import health
from privlink.cli.session import (
    client,
    keys,
    of_folder,
    output_option,
    print_json,
    print_table,
    state_option,
)
from privlink.client import Client
from privlink.config import load

PRIVATELINK = "2020-04-15"
# Every product of the cloud that is served here, as clients spell it in their variables.
PRODUCTS = (
    "PRIVATELINK",
    "VPC",
    "ECS",
    "NLB",
    "SLB",
    "RAM",
    "STS",
    "RESOURCEMANAGER",
    "LOCATION",
    "BSSOPENAPI",
    "CMS",
)


@click.command()
@state_option
@output_option
def status(state: Path, output: str) -> None:
    """Show nodes, what they dropped and why, and your endpoints. Exits 1 if not in step."""
    calls = client(state)
    found = calls.call("DescribeStatus")
    region = load(state).region
    found["Endpoints"] = list(_endpoints(calls, region))
    for endpoint in found["Endpoints"]:
        endpoint["Addresses"] = _addresses(calls, region, endpoint["EndpointId"])
        endpoint["Health"] = health.of_endpoint(calls, endpoint["EndpointId"])["Health"]
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
    """Print exports for SDKs and this command: eval "$(privlink env)"."""
    ours = of_folder(state)
    endpoint = ours.server.removeprefix("http://")
    variables = {
        "PRIVLINK_STATE": str(state.absolute()),
        "PRIVLINK_SERVER": ours.server,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": ours.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ours.access_key_secret,
        "ALIBABA_CLOUD_REGION_ID": load(state).region,
    }
    for product in PRODUCTS:  # SDKs and Terraform read the one or the other
        variables[f"{product}_ENDPOINT"] = endpoint
        variables[f"ALIBABA_CLOUD_ENDPOINT_{product}"] = endpoint
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


def _addresses(calls: Client, region: str, endpoint_id: str) -> list[str]:
    zones = calls.call(
        "ListVpcEndpointZones", version=PRIVATELINK, RegionId=region, EndpointId=endpoint_id
    )
    found = (zone.get(family) for zone in zones["Zones"] for family in ("EniIp", "ZoneIpv6Address"))
    return [address for address in found if address]


def _print(found: dict[str, Any], server: str) -> None:
    in_step = "in step" if found["InStep"] else "NOT in step"
    click.echo(f"{server}  revision {found['Revision']}, {in_step}")
    for node in found["Nodes"]:
        click.echo(
            f"{node['NodeId']}  revision {node['Revision']}, fabric {node['Fabric']}, "
            f"zones {', '.join(node['Zones'])}, last seen {node['LastSeenTime']}"
        )
        for reason, count in sorted(node["Drops"].items()):
            click.echo(f"  dropped {count:>10}  {reason}")
    for fault in found["Faults"]:
        click.echo(f"  {fault['Code'].lower()}  {fault['Key']}: {fault['Message']}")
    for endpoint in found["Endpoints"]:
        endpoint["Addresses"] = " ".join(endpoint["Addresses"])
    statuses = ("EndpointStatus", "ConnectionStatus", "Health")
    print_table(
        "endpoints", ("EndpointId", "Addresses", "ServiceId", *statuses), found["Endpoints"]
    )
    for place in found["Attachments"]:
        both = place["PrivateIpAddress"], place.get("Ipv6Address", "")
        place["Addresses"] = " ".join(both).strip()
    places = ("AttachmentId", "VSwitchId", "Addresses", "MacAddress", "Status")
    print_table("attachments", places, found["Attachments"])
