"""The command: one explicit list of what it can do, and how it says that something went wrong."""

from __future__ import annotations

import click

import privlink
from privlink.cli import (
    accounts,
    endpoint_targets,
    flows,
    gateway_services,
    health,
    name_servers,
    names,
    routes,
    service_traffic,
    show,
    up,
    usage,
    workloads,
)
from privlink.client import RemoteError


class _Group(click.Group):
    """Turns what commands expect to go wrong into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except RemoteError as error:
            raise click.ClickException(f"{error.message} [{error.code}]") from None
        except BrokenPipeError:
            raise  # click ends quietly: whoever read has read enough
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(privlink.__version__, prog_name="privlink")
def main() -> None:
    """A self-hosted PrivateLink for Linux."""


for command in (
    up.up,
    up.down,
    workloads.attach,
    workloads.detach,
    show.status,
    health.health,
    show.env,
    flows.flows,
    accounts.account,
    accounts.quota,
    routes.route,
    service_traffic.service_traffic,
    gateway_services.gateway_service,
    endpoint_targets.endpoint_targets,
    names.service_name,
    names.endpoint_name,
    names.alias,
    names.explain,
    name_servers.name_server,
    usage.usage,
    usage.price,
):
    main.add_command(command)
