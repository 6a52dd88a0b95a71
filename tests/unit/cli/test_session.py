"""Whose keys a command speaks with."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from privlink.cli import session

ENVIRONMENT = {
    "PRIVLINK_SERVER": "http://127.0.0.1:1",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.key",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
}


@click.command()
@session.state_option
def show(state: Path) -> None:
    """Print the keys."""
    click.echo(msgspec.json.encode(session.keys(state)))


@pytest.mark.parametrize("token", ["", "CAIS-token"])
def test_temporary_keys_come_with_their_token(token: str) -> None:
    environment = ENVIRONMENT | ({"ALIBABA_CLOUD_SECURITY_TOKEN": token} if token else {})
    printed = CliRunner().invoke(show, env=environment).output
    keys = msgspec.json.decode(printed, type=session.Keys)
    assert keys == session.Keys("http://127.0.0.1:1", "STS.key", "secret", token)
