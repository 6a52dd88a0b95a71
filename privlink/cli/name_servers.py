"""`privlink name-server`: other people's name servers that shall have our names, for the operator.

A secret is read from a file or from standard input: whoever is on the host can read command lines.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TextIO

import click

from privlink.cli.session import (
    client,
    output_option,
    print_fields,
    print_json,
    print_table,
    state_option,
)

_LONGEST_FILE = 4096  # characters


@click.group(name="name-server")
def name_server() -> None:
    """The DNS that people already run, and how far it has our names."""


@name_server.command()
@click.argument("address", metavar="ADDRESS")
@click.option("--port", type=int, default=53, show_default=True)
@click.option("--zone", help="Of theirs; else this installation's domain.")
@click.option(
    "--push/--transfer",
    "pushes",
    default=False,
    help="Tell it of every change by dynamic update, or let it transfer the domain (the default).",
)
@click.option("--key-name", required=True, help="Of the TSIG key that it and we share.")
@click.option("--key-algorithm", help="hmac-sha224, -sha256 (if none is given), -sha384, -sha512.")
@click.option(
    "--key-file",
    required=True,
    type=click.File(encoding="ascii"),
    help="File with the key's secret in base64; - is standard input.",
)
@state_option
@output_option
def add(
    address: str,
    port: int,
    zone: str | None,
    pushes: bool,
    key_name: str,
    key_algorithm: str | None,
    key_file: TextIO,
    state: Path,
    output: str,
) -> None:
    """Have a name server hold the names of all endpoints.

    With --push it must let the key transfer and update the zone. With --transfer it is a secondary
    of what answers on this host, with the same key.
    """
    secret = key_file.read(_LONGEST_FILE).strip()
    with closing(client(state)) as calls:
        answer = calls.call(
            "CreateNameServer",
            Address=address,
            Port=port,
            Zone=zone,
            Pushes=pushes,
            KeyName=key_name,
            KeyAlgorithm=key_algorithm,
            KeySecret=secret,
        )
    fields = {"name_server_id": answer["NameServerId"]}
    if output == "json":
        print_json(fields)
    else:
        print_fields(fields)


@name_server.command(name="list")
@state_option
@output_option
def list_servers(state: Path, output: str) -> None:
    """List the name servers, and how far they are."""
    with closing(client(state)) as calls:
        found = calls.call("ListNameServers")["NameServers"]
    if output == "json":
        print_json(found)
        return
    columns = ("NameServerId", "Address", "Port", "Zone", "Kind", "KeyName", "State", "Since")
    kinds = {True: "push", False: "transfer"}
    print_table("name servers", columns, [each | {"Kind": kinds[each["Pushes"]]} for each in found])
    for each in found:
        if each["Why"]:
            click.echo(f"\n{each['NameServerId']}: {each['Why']}")


@name_server.command()
@click.argument("server", metavar="NAME_SERVER")
@state_option
def remove(server: str, state: Path) -> None:
    """Tell a name server nothing more.

    What was pushed to it is taken out of it, if that can be done within a minute.
    """
    with closing(client(state)) as calls:
        calls.call("DeleteNameServer", NameServerId=server)
