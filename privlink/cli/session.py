"""What commands share: which installation, whose keys, and how results are printed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from privlink import config
from privlink.client import Client

F = TypeVar("F", bound=Callable[..., Any])


class Keys(msgspec.Struct, frozen=True):
    """Whom a command speaks for, and to which server."""

    server: str
    access_key_id: str
    access_key_secret: str
    security_token: str = ""  # of temporary keys


def state_option(function: F) -> F:
    """`--state DIR`, which stands for an installation."""
    return click.option(
        "--state",
        type=click.Path(path_type=Path),
        envvar="PRIVLINK_STATE",
        default=config.DEFAULT_STATE,
        show_default=True,
        show_envvar=True,
        help="Folder that holds the installation's state.",
    )(function)


def output_option(function: F) -> F:
    """`-o json`, for programs."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Print for people or for programs.",
    )(function)


def keys(state: Path) -> Keys:
    """Server and keys: of a `--state` that was given, else of the environment, else of the default.

    Raises ValueError that says what is missing.
    """
    key_id = os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if key_id and secret and not was_given("state"):
        server = os.environ.get("PRIVLINK_SERVER") or config.load(state).url
        return Keys(server, key_id, secret, os.environ.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""))
    return of_folder(state)


def of_folder(state: Path) -> Keys:
    """The installation's own server and keys. Raises ValueError that says what is missing."""
    settings = config.load(state)
    server = settings.url
    try:
        text = settings.credentials_file.read_bytes()
    except FileNotFoundError:
        raise ValueError(
            f"there is no {settings.credentials_file}: start `privlink up` first, name its folder "
            "with --state, or set PRIVLINK_SERVER and ALIBABA_CLOUD_ACCESS_KEY_ID/_SECRET"
        ) from None
    except PermissionError:
        raise ValueError(
            f"{settings.credentials_file} is readable for root only: run this as root, or set "
            "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
        ) from None
    found = msgspec.json.decode(text, type=dict[str, str])
    return Keys(server, found["access_key_id"], found["access_key_secret"])


def was_given(option: str) -> bool:
    """Whether an option stood on the command line, rather than in the environment or nowhere."""
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.COMMANDLINE


def client(state: Path) -> Client:
    """A client for the installation a command is about."""
    ours = keys(state)
    return Client(ours.server, ours.access_key_id, ours.access_key_secret, ours.security_token)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        click.echo(f"{name:<{width}}  {value}")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under their columns' names; ids are never cut, so they can be copied."""
    if not rows:
        click.echo(f"\nno {title}")
        return
    lines = [tuple(columns), *(tuple(str(row.get(name, "")) for name in columns) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    click.echo(f"\n{title}")
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(("  " + "  ".join(cells)).rstrip())
