"""`privlink gateway-service`: what every account may reach by routes, for the operator."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from privlink.cli.session import (
    client,
    output_option,
    print_fields,
    print_json,
    print_table,
    state_option,
)


@click.group(name="gateway-service")
def gateway_service() -> None:
    """Blocks of addresses that gateway endpoints lead to."""


@gateway_service.command()
@click.option("--name", required=True, help="Such as com.privlink.local.objects.")
@click.option("--vswitch", required=True, help="Id of a vSwitch of the VPC they are in.")
@click.option(
    "--cidr", "blocks", required=True, multiple=True, help="A block; may be given several times."
)
@click.option("--policy-support", is_flag=True, help="Endpoints have a policy.")
@click.option(
    "--default-policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the policy that is shown as the default; else one that allows everything.",
)
@state_option
@output_option
def create(
    name: str,
    vswitch: str,
    blocks: tuple[str, ...],
    policy_support: bool,
    default_policy: Path | None,
    state: Path,
    output: str,
) -> None:
    """Publish blocks of a VPC to the gateway endpoints of every account."""
    with closing(client(state)) as calls:
        answer = calls.call(
            "CreateGatewayService",
            Name=name,
            VSwitchId=vswitch,
            CidrBlock=list(blocks),
            PolicySupported=policy_support or None,
            DefaultPolicyDocument=default_policy and default_policy.read_text(encoding="utf-8"),
        )
    fields = {
        "service_id": answer["ServiceId"],
        "name": answer["ServiceName"],
        "prefix_list_id": answer["PrefixListId"],
    }
    if output == "json":
        print_json(fields)
    else:
        print_fields(fields)


@gateway_service.command(name="list")
@state_option
@output_option
def list_services(state: Path, output: str) -> None:
    """List the gateway services."""
    found, token = [], None
    with closing(client(state)) as calls:
        while token != "":
            answer = calls.call("ListGatewayServices", NextToken=token)
            found += answer["GatewayServices"]
            token = answer.get("NextToken", "")
    if output == "json":
        print_json(found)
        return
    shown = [each | {"CidrBlock": " ".join(each["CidrBlock"])} for each in found]
    columns = ("ServiceId", "ServiceName", "VSwitchId", "PrefixListId", "CidrBlock")
    print_table("gateway services", (*columns, "EndpointCount"), shown)


@gateway_service.command()
@click.argument("service", metavar="SERVICE")
@state_option
def delete(service: str, state: Path) -> None:
    """Delete a gateway service, named by its id or its name, that no endpoint leads to."""
    with closing(client(state)) as calls:
        if service.startswith("com."):
            named = calls.call("ListGatewayServices", ServiceName=service)["GatewayServices"]
            if not named:
                raise ValueError(f"there is no gateway service {service}")
            service = named[0]["ServiceId"]
        calls.call("DeleteGatewayService", ServiceId=service)
