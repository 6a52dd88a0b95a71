"""`privlink service-name`, `endpoint-name`, `alias` and `explain`: names that people choose."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from privlink.cli.session import (
    client,
    output_option,
    print_fields,
    print_json,
    print_table,
    state_option,
)


@click.group(name="service-name")
def service_name() -> None:
    """A service's own name, which consumers may switch on."""


@service_name.command(name="set")
@click.argument("service", metavar="SERVICE")
@click.argument("name")
@state_option
@output_option
def set_name(service: str, name: str, state: Path, output: str) -> None:
    """Give your service a name of yours, such as db.vendor.example or '*.vendor.example'."""
    answer = _call(state, "SetServicePrivateName", ServiceId=service, Name=name)
    _print_service_name(answer, output)


@service_name.command()
@click.argument("service", metavar="SERVICE")
@state_option
@output_option
def verify(service: str, state: Path, output: str) -> None:
    """Have the DNS asked for the TXT record that proves that the name is yours."""
    _print_service_name(_call(state, "VerifyServicePrivateName", ServiceId=service), output)


@service_name.command()
@click.argument("service", metavar="SERVICE")
@click.argument("name")
@state_option
@output_option
def approve(service: str, name: str, state: Path, output: str) -> None:
    """Vouch for the name of a service, as the operator."""
    answer = _call(state, "ApproveServicePrivateName", ServiceId=service, Name=name)
    _print_service_name(answer, output)


@service_name.command()
@click.argument("service", metavar="SERVICE")
@state_option
def remove(service: str, state: Path) -> None:
    """Take the name of your service away; it answers nowhere any more."""
    _call(state, "DeleteServicePrivateName", ServiceId=service)


@service_name.command(name="list")
@state_option
@output_option
def list_names(state: Path, output: str) -> None:
    """List the names of your services; those of every account, for the operator."""
    found = _every(state, "ListServicePrivateNames", "ServicePrivateNames")
    if output == "json":
        print_json(found)
        return
    columns = ("ServiceId", "Name", "State", "VerifiedBy", "OwnerId", "EndpointCount")
    print_table("private names of services", columns, found)


@click.group(name="endpoint-name")
def endpoint_name() -> None:
    """The names that an endpoint goes by in its VPC."""


@endpoint_name.command()
@click.argument("endpoint", metavar="ENDPOINT")
@state_option
@output_option
def on(endpoint: str, state: Path, output: str) -> None:
    """Let the private name of its service lead to an endpoint in its VPC."""
    _switch(endpoint, state, output, enabled=True)


@endpoint_name.command()
@click.argument("endpoint", metavar="ENDPOINT")
@state_option
@output_option
def off(endpoint: str, state: Path, output: str) -> None:
    """Have a VPC see the private name of the service as everybody else does."""
    _switch(endpoint, state, output, enabled=False)


@endpoint_name.command(name="list")
@click.argument("endpoint", metavar="ENDPOINT")
@state_option
@output_option
def list_endpoint_names(endpoint: str, state: Path, output: str) -> None:
    """List every name an endpoint goes by, and why it answers or not. Aliases are among them."""
    found = _every(state, "ListEndpointNames", "Names", EndpointId=endpoint)
    _print_names(f"names of {endpoint}", found, output)


@click.group()
def alias() -> None:
    """Names that you give endpoints in your VPC."""


@alias.command()
@click.argument("endpoint", metavar="ENDPOINT")
@click.argument("name")
@click.option("--zone", help="For the address in this zone alone.")
@state_option
@output_option
def create(endpoint: str, name: str, zone: str | None, state: Path, output: str) -> None:
    """Give an endpoint a name, which answers in its VPC and nowhere else."""
    answer = _call(state, "CreateEndpointAlias", EndpointId=endpoint, Name=name, ZoneId=zone)
    fields = {"endpoint_id": answer["EndpointId"], "name": answer["Name"]}
    if "ZoneId" in answer:
        fields["zone_id"] = answer["ZoneId"]
    _print(fields, output)


@alias.command()
@click.argument("endpoint", metavar="ENDPOINT")
@click.argument("name")
@state_option
def delete(endpoint: str, name: str, state: Path) -> None:
    """Take a name away that an endpoint was given."""
    _call(state, "DeleteEndpointAlias", EndpointId=endpoint, Name=name)


@alias.command(name="list")
@click.argument("endpoint", metavar="ENDPOINT")
@state_option
@output_option
def list_aliases(endpoint: str, state: Path, output: str) -> None:
    """List the names that an endpoint was given, and why each answers or not."""
    found = _every(state, "ListEndpointNames", "Names", EndpointId=endpoint)
    aliases = [each for each in found if each["Kind"] == "Alias"]
    _print_names(f"aliases of {endpoint}", aliases, output)


@click.group()
def explain() -> None:
    """Why something is as it is."""


@explain.command(name="name")
@click.argument("name")
@click.option("--vswitch", help="Id of the vSwitch of who asks.")
@click.option("--vpc", help="Id of the VPC of who asks, if the vSwitch does not matter.")
@state_option
@output_option
def explain_name(name: str, vswitch: str | None, vpc: str | None, state: Path, output: str) -> None:
    """Show who claims a name in a VPC, who has it by which rule, and what is answered."""
    if not vswitch and not vpc:
        raise click.UsageError("give --vswitch or --vpc: a name is answered as its VPC has it.")
    answer = _call(state, "ExplainName", Name=name, VSwitchId=vswitch, VpcId=vpc)
    if output == "json":
        print_json(answer)
        return
    click.echo(f"{answer['Name']} in {answer['VpcId']}: {answer['Outcome']}")
    click.echo(answer["Why"])
    if answer["Addresses"]:
        shown = ("ZoneId", "Address", "Ipv6Address", "Healthy")
        print_table("what is answered", shown, answer["Addresses"])
    if answer["Claims"]:
        columns = ("EndpointId", "Kind", "Name", "ZoneId", "Holds", "Why")
        print_table("claims, in the order in which they are heard", columns, answer["Claims"])


def _call(state: Path, action: str, **parameters: Any) -> dict[str, Any]:
    """An action's answer, without what is the call's own."""
    with closing(client(state)) as calls:
        answer = calls.call(action, **parameters)
    answer.pop("RequestId")
    return answer


def _every(state: Path, action: str, field: str, **parameters: Any) -> list[dict[str, Any]]:
    """The items of every page."""
    found, token = [], None
    with closing(client(state)) as calls:
        while token != "":
            answer = calls.call(action, NextToken=token, MaxResults=1000, **parameters)
            found += answer[field]
            token = answer.get("NextToken", "")
    return found


def _switch(endpoint: str, state: Path, output: str, *, enabled: bool) -> None:
    answer = _call(state, "SetEndpointPrivateName", EndpointId=endpoint, Enabled=enabled)
    fields = {"endpoint_id": answer["EndpointId"], "name": answer.get("Name", "")}
    _print(fields | {"enabled": answer["Enabled"]}, output)


def _print(fields: dict[str, Any], output: str) -> None:
    if output == "json":
        print_json(fields)
    else:
        print_fields(fields)


def _print_service_name(answer: dict[str, Any], output: str) -> None:
    if output == "json":
        print_json(answer)
        return
    print_fields({"name": answer["Name"], "state": answer["State"]})
    if answer["State"] == "Pending":
        click.echo(f"publish in the DNS: {answer['TxtRecordName']} TXT {answer['TxtRecordValue']}")


def _print_names(title: str, found: list[dict[str, Any]], output: str) -> None:
    if output == "json":
        print_json(found)
        return
    print_table(title, ("Name", "Kind", "ZoneId", "Answers", "Why"), found)
