"""`privlink up` and `privlink down`: start and stop an installation on this host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import click

from privlink import config
from privlink.cli import state as folder
from privlink.cli.session import output_option, print_json, state_option
from privlink.cli.supervisor import Supervisor, is_ready
from privlink.config import Config
from privlink.node import purge, requirements

_PATIENCE = 30.0  # seconds until a fresh start must be ready
_ZONES = ",".join(config.DEFAULT_ZONES)


@click.command()
@state_option
@click.option("--listen", default=config.DEFAULT_LISTEN, show_default=True, help="HOST:PORT.")
@click.option("--region", default=config.DEFAULT_REGION, show_default=True, help="Region id.")
@click.option("--zones", default=_ZONES, show_default=True, help="Zone ids, commas between.")
@click.option("--domain", default=config.DEFAULT_DOMAIN, show_default=True, help="DNS zone.")
@click.option("--database", metavar="URL", help="Not served yet: SQLite in the state folder is.")
@click.option("-d", "--detach", is_flag=True, help="Return once it is ready; log to a file.")
@output_option
def up(
    state: Path,
    listen: str,
    region: str,
    zones: str,
    domain: str,
    database: str | None,
    detach: bool,
    output: str,
) -> None:
    """Run server and node on this host, until Ctrl-C or `privlink down`. Traffic outlives both."""
    if database is not None:
        raise ValueError(
            "--database is not served yet: leave it out, and SQLite in the state folder is used"
        )
    for line in (missing := requirements.missing()):
        click.echo(line, err=True)
    if missing:
        raise SystemExit(1)
    settings = _settings(state, listen, region, zones, domain)
    if detach:
        _start_detached(settings)
        _welcome(settings, output)
        return
    with folder.lock(settings):
        _check_is_free(settings)
        credentials, node = folder.prepare(settings)
        supervisor = Supervisor(settings, credentials, node)
        supervisor.run(on_ready=lambda: _welcome(settings, output))


@click.command()
@state_option
@click.option("--purge", "remove", is_flag=True, help="Remove all kernel state: traffic ends.")
@click.option("--delete-state", is_flag=True, help="With --purge: delete the state folder too.")
@output_option
def down(state: Path, remove: bool, delete_state: bool, output: str) -> None:
    """Stop server and node. Traffic goes on, unless --purge."""
    if delete_state and not remove:
        raise click.UsageError("--delete-state would orphan running traffic: add --purge")
    settings = config.load(state)
    stopped = folder.stop(settings)
    if remove:
        if missing := [line for line in requirements.missing() if line.startswith("root")]:
            raise ValueError(missing[0])
        purge.purge(settings.instance)
    if delete_state:
        folder.delete(settings)
    if output == "json":
        print_json({"stopped": stopped, "purged": remove, "deleted": delete_state})
        return
    click.echo("stopped" if stopped else "privlink was not running")
    if remove:
        click.echo("removed all kernel state: namespace, links, eBPF maps and programs")
    if delete_state:
        click.echo(f"deleted {state}")


def _settings(state: Path, listen: str, region: str, zones: str, domain: str) -> Config:
    """The settings as one checked value. Raises ValueError for what cannot be."""
    settings = Config(
        state=str(state.absolute()),
        listen=listen,
        region=region,
        zones=tuple(zone for zone in zones.split(",") if zone),
        domain=domain,
    )
    config.check(settings)
    return settings


def _check_is_free(settings: Config) -> None:
    """Refuse an address that somebody listens on. Raises OSError."""
    try:
        with socket.create_server((settings.host, settings.port)):
            pass
    except OSError as error:
        why = f"cannot listen on {settings.listen}: {os.strerror(error.errno or 0).lower()}"
        raise OSError(f"{why}. Choose another with --listen HOST:PORT") from None


def _start_detached(settings: Config) -> None:
    running = folder.owner(settings)
    if running is not None:
        raise ValueError(f"privlink runs already, as process {running}, in {settings.state}")
    folder.make(settings)
    command = [sys.executable, "-P", "-m", "privlink", "up", "--state", str(settings.state)]
    command += ["--listen", settings.listen, "--region", settings.region]
    command += ["--zones", ",".join(settings.zones), "--domain", settings.domain]
    with settings.log_file.open("ab") as log:
        began = log.tell()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    until = time.monotonic() + _PATIENCE
    while not is_ready(settings):
        if child.poll() is not None or time.monotonic() > until:
            said = settings.log_file.read_bytes()[began:].decode(errors="replace").strip()
            if child.poll() is None:
                child.terminate()
            raise OSError(f"privlink did not come up; {settings.log_file} says:\n{said[-2000:]}")
        time.sleep(0.02)


def _welcome(settings: Config, output: str) -> None:
    if output == "json":
        print_json({"server": settings.url, "state": settings.state, "instance": settings.instance})
        return
    click.echo(
        f"privlink is up at {settings.url}, state in {settings.state}\n"
        f'  clients:   eval "$(privlink env --state {settings.state})"\n'
        f"  how it is: privlink status --state {settings.state}"
    )
