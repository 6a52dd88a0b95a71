"""`privlink endpoint-targets`: what may be called through a Reverse endpoint."""

from __future__ import annotations

from pathlib import Path

import click

from privlink.cli.session import client, output_option, print_json, print_table, state_option


@click.command(name="endpoint-targets")
@click.argument("endpoint_id", metavar="ENDPOINT")
@click.option(
    "--permit",
    multiple=True,
    metavar="CIDR[,PROTOCOL[,PORTS]]",
    help="What may be called, such as 10.0.1.5/32,tcp,5432/5432; may be given several times.",
)
@click.option("--permit-all", is_flag=True, help="Let everything be called, as in the beginning.")
@click.option(
    "--resolver",
    metavar="ADDRESS",
    help="The DNS server of the VPC that is asked for what entries call by name; '' for none.",
)
@state_option
@output_option
def endpoint_targets(
    endpoint_id: str,
    permit: tuple[str, ...],
    permit_all: bool,
    resolver: str | None,
    state: Path,
    output: str,
) -> None:
    """Show what may be called through a Reverse endpoint, or say it anew."""
    if permit and permit_all:
        raise click.UsageError("give --permit or --permit-all.")
    calls = client(state)
    if permit or permit_all:
        targets = [_target(each) for each in permit]
        answer = calls.call("SetEndpointTargets", EndpointId=endpoint_id, Target=targets)
    if resolver is not None:
        answer = calls.call("SetEndpointTargets", EndpointId=endpoint_id, Resolver=resolver)
    elif not (permit or permit_all):
        answer = calls.call("ListEndpointTargets", EndpointId=endpoint_id)
    answer.pop("RequestId")
    if output == "json":
        print_json(answer)
        return
    if answer["Targets"]:
        permitted = ("CidrBlock", "IpProtocol", "PortRange")
        print_table("targets that may be called", permitted, answer["Targets"])
    else:
        click.echo("everything may be called")
    if "Resolver" in answer:
        click.echo(f"names are asked of {answer['Resolver']}")
    if answer["Called"]:
        called = ("ZoneId", "IpProtocol", "Target", "AccessPort", "Permitted")
        rows = [each | {"Target": _called(each)} for each in answer["Called"]]
        print_table("what the service's entries call", called, rows)


def _called(entry: dict[str, str]) -> str:
    """What an entry calls: an address, or a name with the addresses it has."""
    if "AccessIp" in entry:
        return entry["AccessIp"]
    return f"{entry['AccessDomain']} ({entry['DomainResolve'] or 'not resolved'})"


def _target(text: str) -> dict[str, str]:
    """A target as the action takes it. Raises UsageError."""
    cidr, *more = text.split(",")
    if len(more) > 2:
        raise click.UsageError(f"{text!r} must look like 10.0.1.5/32,tcp,5432/5432.")
    names = ("IpProtocol", "PortRange")
    given = dict(zip(names, (each.upper() for each in more), strict=False))
    return {"CidrBlock": cidr} | given
