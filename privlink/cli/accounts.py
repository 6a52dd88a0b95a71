"""`privlink account`: the operator makes accounts for those who share the installation."""

from __future__ import annotations

from pathlib import Path

import click

from privlink.cli.session import client, output_option, print_fields, print_json, state_option


@click.group()
def account() -> None:
    """Accounts of this installation."""


@account.command()
@click.argument("name")
@state_option
@output_option
def create(name: str, state: Path, output: str) -> None:
    """Create an account and print its access key. The secret is shown this once."""
    answer = client(state).call("CreateAccount", Name=name)
    fields = {
        "account_id": answer["AccountId"],
        "access_key_id": answer["AccessKeyId"],
        "access_key_secret": answer["AccessKeySecret"],
    }
    if output == "json":
        print_json(fields)
    else:
        print_fields(fields)
