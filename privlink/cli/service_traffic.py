"""`privlink service-traffic`: how long flows of a service may be silent, and how many there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from privlink.cli.session import client, output_option, print_fields, print_json, state_option

# By the name of the option that sets it.
_SETTINGS = {
    "tcp-idle": "TcpIdleTimeout",
    "udp-idle": "UdpIdleTimeout",
    "max-flows": "MaxFlows",
    "max-new-flows": "MaxNewFlowsPerSecond",
}


@click.command(name="service-traffic")
@click.argument("service_id", metavar="SERVICE")
@click.option("--tcp-idle", type=int, help="Seconds of silence after which a TCP flow ends.")
@click.option("--udp-idle", type=int, help="The same for UDP.")
@click.option("--max-flows", type=int, help="Flows at a time through each zone of an endpoint.")
@click.option(
    "--max-new-flows",
    type=int,
    help="New flows per second through each zone of an endpoint; 0 for as many as come.",
)
@click.option(
    "--reset",
    type=click.Choice(list(_SETTINGS)),
    multiple=True,
    help="Take the default again; may be given several times.",
)
@state_option
@output_option
def service_traffic(
    service_id: str,
    tcp_idle: int | None,
    udp_idle: int | None,
    max_flows: int | None,
    max_new_flows: int | None,
    reset: tuple[str, ...],
    state: Path,
    output: str,
) -> None:
    """Show how a service's flows are kept, or change what is given of it."""
    given: dict[str, Any] = {
        "TcpIdleTimeout": tcp_idle,
        "UdpIdleTimeout": udp_idle,
        "MaxFlows": max_flows,
        "MaxNewFlowsPerSecond": max_new_flows,
        "Reset": [_SETTINGS[name] for name in reset],
    }
    changes = any(value not in (None, []) for value in given.values())
    calls = client(state)
    if changes:
        answer = calls.call("ModifyServiceTraffic", ServiceId=service_id, **given)
    else:
        answer = calls.call("GetServiceTraffic", ServiceId=service_id)
    answer.pop("RequestId")
    if output == "json":
        print_json(answer)
    else:
        print_fields({name: _told(answer, field) for name, field in _SETTINGS.items()})


def _told(answer: dict[str, Any], field: str) -> str:
    """A setting's value, and how it differs from the default or that it is it."""
    if field in answer["OwnSettings"]:
        return f"{answer[field]} (default {answer['Defaults'][field]})"
    if field.endswith("IdleTimeout"):
        return f"{answer[field]} (default; a listener's own, where it has one)"
    return f"{answer[field]} (default)"
