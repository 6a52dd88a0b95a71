"""`privlink account` and `privlink quota`: who shares the installation, and how much of it."""

from __future__ import annotations

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


@account.command(name="list")
@state_option
@output_option
def list_accounts(state: Path, output: str) -> None:
    """List the accounts."""
    found = client(state).call("ListAccounts")["Accounts"]
    if output == "json":
        print_json(found)
    else:
        print_table("accounts", ("AccountId", "Name", "CreateTime", "ReverseServices"), found)


@account.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.option(
    "--reverse-services/--no-reverse-services",
    required=True,
    help="Whether it may offer services that call into consumers' networks.",
)
@state_option
@output_option
def option(account_id: str, reverse_services: bool, state: Path, output: str) -> None:
    """Say what an account may."""
    answer = client(state).call(
        "SetAccountOptions", AccountId=account_id, ReverseServices=reverse_services
    )
    answer.pop("RequestId")
    if output == "json":
        print_json(answer)
    else:
        may = "may" if answer["ReverseServices"] else "may not"
        click.echo(f"account {answer['Name']} {may} offer services for Reverse endpoints")


account_option = click.option("--account", "account_id", help="An account's id; else every one.")


@click.group()
def quota() -> None:
    """How much each account may have."""


@quota.command(name="list")
@click.option("--account", "account_id", help="An account's id; else your own.")
@state_option
@output_option
def list_quotas(account_id: str | None, state: Path, output: str) -> None:
    """List the limits that hold for an account."""
    found = client(state).call("ListQuotas", AccountId=account_id)["Quotas"]
    if output == "json":
        print_json(found)
    else:
        print_table("quotas", ("QuotaName", "Limit", "DefaultLimit", "Description"), found)


@quota.command(name="set")
@click.argument("name")
@click.argument("limit", type=int)
@account_option
@state_option
@output_option
def set_quota(name: str, limit: int, account_id: str | None, state: Path, output: str) -> None:
    """Set a limit, for one account or for every one. What is there already stays."""
    answer = client(state).call("SetQuota", QuotaName=name, Limit=limit, AccountId=account_id)
    answer.pop("RequestId")
    if output == "json":
        print_json(answer)
    else:
        click.echo(f"{name} is {answer['Limit']} for account {answer['AccountId']}")


@quota.command(name="reset")
@click.argument("name")
@account_option
@state_option
def reset_quota(name: str, account_id: str | None, state: Path) -> None:
    """Undo `privlink quota set`."""
    client(state).call("ResetQuota", QuotaName=name, AccountId=account_id)
