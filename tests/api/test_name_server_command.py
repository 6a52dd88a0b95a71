"""`privlink name-server` against a server: add, list, remove, and secrets that no list has."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from privlink.cli.main import main
from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_flows_command import environment
from tests.api.test_name_servers import SECRET, say

KEY = ("--key-name", "shop", "--key-file", "-")


def printed(stage: Stage, account: Account, *arguments: str, code: int = 0) -> str:
    """What the command prints, with the secret on its standard input."""
    done = CliRunner().invoke(
        main,
        ["name-server", *arguments],
        env=environment(stage, account),
        input=f"{SECRET}\n",
    )
    assert done.exit_code == code, done.output
    return done.output


def test_one_is_added_listed_and_removed(
    stage: Stage, operator: Account, node: Node, tmp_path: Path
) -> None:
    assert printed(stage, operator, "list") == "\nno name servers\n"
    told = printed(stage, operator, "add", "192.0.2.53", "--push", *KEY, "-o", "json")
    first = json.loads(told)["name_server_id"]
    file = tmp_path / "secret"
    file.write_text(SECRET)
    more = ("--port", "5353", "--key-name", "shop", "--key-file", str(file))
    second = printed(stage, operator, "add", "192.0.2.53", *more).split()[1]
    node.catch_up()
    say(node, first, "Failing", "it cannot be reached.", "2026-12-01T09:00:00Z")
    table = printed(stage, operator, "list")
    for word in (first, second, "192.0.2.53", "5353", "push", "transfer", "Pending", "Failing"):
        assert word in table
    assert f"{first}: it cannot be reached." in table
    listed = json.loads(printed(stage, operator, "list", "-o", "json"))
    assert [each["Pushes"] for each in listed] == [True, False]
    assert SECRET not in table + str(listed)
    printed(stage, operator, "remove", first)
    assert first not in printed(stage, operator, "list")
    assert "[NameServerNotFound]" in printed(stage, operator, "remove", first, code=1)


def test_what_is_wrong_is_said_without_the_secret(stage: Stage, operator: Account) -> None:
    for arguments in (
        ("add", "ns.example", *KEY),
        ("add", "192.0.2.53", "--zone", "vendor.example", *KEY),
        ("add", "192.0.2.53", "--key-algorithm", "hmac-md5", *KEY),
    ):
        told = printed(stage, operator, *arguments, code=1)
        assert "Invalid" in told
        assert SECRET not in told
