"""`privlink up` and `privlink down`: start and stop an installation on this host."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import msgspec

from privlink import config
from privlink.cli import state as folder
from privlink.cli.session import output_option, print_json, state_option
from privlink.cli.supervisor import Supervisor, readiness
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
@click.option(
    "--dns-listen",
    default=config.DEFAULT_DNS_LISTEN,
    show_default=True,
    metavar="ADDRESS:PORT",
    help="Where names are answered on this host; none: in VPCs alone.",
)
@click.option(
    "--dns-upstream",
    default="",
    metavar="ADDRESS[:PORT],...",
    help="Who is asked in VPCs for other names; none: they are refused.  [default: the host's]",
)
@click.option(
    "--flow-log-size",
    default=config.DEFAULT_FLOW_LOG_SIZE,
    show_default=True,
    metavar="MIB",
    help="What the log of flow records may take, the oldest going first.",
)
@click.option(
    "--flow-log-files",
    default=config.DEFAULT_FLOW_LOG_FILES,
    show_default=True,
    help="In so many files.",
)
@click.option(
    "--flow-records",
    default=config.DEFAULT_FLOW_RECORDS,
    show_default=True,
    help="Flow records per endpoint zone, CPU and second, at most.",
)
@click.option("--database", metavar="URL", hidden=True)  # refused with a reason so far
@click.option("-d", "--detach", is_flag=True, help="Return once it is ready; log to a file.")
@output_option
def up(
    state: Path,
    listen: str,
    region: str,
    zones: str,
    domain: str,
    dns_listen: str,
    dns_upstream: str,
    flow_log_size: int,
    flow_log_files: int,
    flow_records: int,
    database: str | None,
    detach: bool,
    output: str,
) -> None:
    """Run server, node and DNS on this host, until Ctrl-C or `privlink down`; traffic goes on."""
    if database is not None:
        raise ValueError(
            "--database is not served yet: leave it out, and SQLite in the state folder is used"
        )
    for line in (missing := requirements.missing()):
        click.echo(line, err=True)
    if missing:
        raise SystemExit(1)
    for line in requirements.wanting():
        click.echo(line, err=True)
    settings = Config(
        state=str(state.absolute()),
        listen=listen,
        region=region,
        zones=tuple(zone for zone in zones.split(",") if zone),
        domain=domain,
        dns_listen=dns_listen,
        dns_upstream=dns_upstream,
        flow_log_size=flow_log_size,
        flow_log_files=flow_log_files,
        flow_records=flow_records,
    )
    config.check(settings)
    if detach:
        _start_detached(settings)
        _welcome(settings, output)
        return
    with folder.lock(settings) as held:
        _check_is_free(settings)
        settings = _with_free_dns(settings)
        credentials, node, dns = folder.prepare(settings)
        supervisor = Supervisor(settings, credentials, node, dns, held)

        def ready() -> None:
            folder.correct(settings, credentials)
            _welcome(settings, output)

        supervisor.run(on_ready=ready)


@click.command()
@state_option
@click.option("--purge", "remove", is_flag=True, help="Remove all kernel state: traffic ends.")
@click.option("--delete-state", is_flag=True, help="With --purge: delete the state folder too.")
@output_option
def down(state: Path, remove: bool, delete_state: bool, output: str) -> None:
    """Stop server, node and DNS. Traffic goes on, unless --purge."""
    if delete_state and not remove:
        raise click.UsageError("--delete-state would orphan running traffic: add --purge")
    if os.geteuid() != 0:
        raise ValueError("privlink runs as root, so only root can stop it")
    settings = config.load(state)
    stopped = folder.stop(settings)
    if remove:
        purge.purge(settings.instance)
    if delete_state:
        folder.delete(settings)
    if output == "json":
        print_json({"stopped": stopped, "purged": remove, "deleted": delete_state})
        return
    click.echo("stopped" if stopped else "privlink was not running")
    if remove:
        click.echo("no kernel state is left: namespace, links, eBPF maps and programs")
    if delete_state:
        left = "; other files in it stay" if state.exists() else ""
        click.echo(f"deleted what privlink kept in {state}{left}")


def _check_is_free(settings: Config) -> None:
    """Refuse an address that somebody listens on. Raises OSError."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.create_server((settings.host, settings.port), family=family):
            pass
    except OSError as error:
        why = f"cannot listen on {settings.listen}: {os.strerror(error.errno or 0).lower()}"
        raise OSError(f"{why}. Choose another with --listen HOST:PORT") from None


def _with_free_dns(settings: Config) -> Config:
    """The settings, refused where somebody answers names at their address. Raises OSError.

    Only where nobody has chosen that address do we go on without: it is the same for all
    installations of a host.
    """
    found = config.dns_address(settings.dns_listen)
    if found is None:
        return settings
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET6 if ":" in found[0] else socket.AF_INET, kind) as one:
                if kind == socket.SOCK_STREAM:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(found)
                if kind == socket.SOCK_STREAM:
                    one.listen()
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        why = f"cannot answer names on {settings.dns_listen}: {reason}"
        way_out = "Choose another with --dns-listen ADDRESS:PORT"
        source = click.get_current_context().get_parameter_source("dns_listen")
        if source is not click.core.ParameterSource.DEFAULT:
            raise OSError(f"{why}. {way_out}, or none") from None
        click.echo(f"{why}; so they are answered in VPCs alone. {way_out}", err=True)
        return msgspec.structs.replace(settings, dns_listen=config.NONE)
    return settings


def _start_detached(settings: Config) -> None:
    running = folder.owner(settings)
    if running is not None:
        raise ValueError(f"privlink runs already, as process {running}, in {settings.state}")
    settings = _with_free_dns(settings)
    folder.make(settings)
    command = [sys.executable, "-P", "-m", "privlink", "up", "--state", str(settings.state)]
    command += ["--listen", settings.listen, "--region", settings.region]
    command += ["--zones", ",".join(settings.zones), "--domain", settings.domain]
    command += ["--dns-listen", settings.dns_listen, "--dns-upstream", settings.dns_upstream]
    for name in ("flow_log_size", "flow_log_files", "flow_records"):
        command += [f"--{name.replace('_', '-')}", str(getattr(settings, name))]
    with settings.log_file.open("ab") as log:
        began = log.tell()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    until = time.monotonic() + _PATIENCE
    # Another installation may answer at this address: ours is the child that holds our lock.
    while folder.owner(settings) != child.pid or readiness(settings):
        if child.poll() is not None:
            said = settings.log_file.read_bytes()[began:].decode(errors="replace").strip()
            raise OSError(f"privlink did not come up; {settings.log_file} says:\n{said[-2000:]}")
        if time.monotonic() > until:
            raise OSError(
                f"privlink runs, as process {child.pid}, but is not in step after "
                f"{_PATIENCE:.0f} s:\n{readiness(settings)}see also {settings.log_file}"
            )
        time.sleep(0.02)


def _welcome(settings: Config, output: str) -> None:
    if output == "json":
        print_json({"server": settings.url, "state": settings.state, "instance": settings.instance})
        return
    command = shlex.quote(os.path.relpath(sys.argv[0]) if "/" in sys.argv[0] else sys.argv[0])
    is_default = settings.folder == config.DEFAULT_STATE
    place = "" if is_default else f" --state {shlex.quote(settings.state)}"
    click.echo(
        f"privlink is up at {settings.url}, state in {settings.state}\n"
        f'  clients:   eval "$({command} env{place})"\n'
        f"  how it is: {command} status{place}"
    )
