"""`privlink flows` against a server: once, for programs, and as it happens."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO

import msgspec
from click.testing import CliRunner

from privlink.cli.main import main
from privlink.model.flow_records import Event
from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_flow_records import a_flow, push, refusal


def environment(stage: Stage, account: Account) -> dict[str, str]:
    return {
        "PRIVLINK_SERVER": stage.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": account.key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.secret,
    }


def printed(stage: Stage, account: Account, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["flows", *arguments], env=environment(stage, account))
    assert done.exit_code == code, done.output
    return done.output


def test_a_line_for_each_record_the_newest_last(
    stage: Stage, operator: Account, node: Node
) -> None:
    assert printed(stage, operator) == "no flow records\n"
    push(node, a_flow("", Event.OPENED, "", client="fd00::5"), a_flow(""))
    push(node, refusal("", "security_group", rule="sgr-1"), skipped=3)
    head, *lines = printed(stage, operator).splitlines()
    assert head.split()[:4] == ["Time", "Event", "Cause", "Proto"]
    opened, closed, skipped, refused = (line.split() for line in lines)
    assert opened[1:4] == ["opened", "TCP", "[fd00::5]:40000"]
    assert closed[1:7] == [
        *("closed", "finished", "TCP", "10.0.0.5:40000", "10.0.0.9:80"),
        "100.64.0.1:1025>10.9.9.7:8080",
    ]
    assert closed[7:] == ["480/1720", "2.000"]
    assert skipped[1:] == ["skipped", "3"]
    assert refused[1:] == [
        *("refused", "security_group", "TCP", "10.0.0.5:40000", "10.0.0.9:80", "sgr-1"),
    ]
    assert len(printed(stage, operator, "--limit", "2").splitlines()) == 3
    assert len(printed(stage, operator, "--event", "refused", "--since", "1h").splitlines()) == 2
    assert printed(stage, operator, "ep-none") == "no flow records\n"


def test_programs_get_every_field(stage: Stage, operator: Account, node: Node) -> None:
    push(node, *(a_flow("", client_port=port) for port in range(1, 6)))
    found = msgspec.json.decode(printed(stage, operator, "-o", "json", "--protocol", "tcp"))
    assert [record["ClientPort"] for record in found] == [1, 2, 3, 4, 5]
    assert found[0]["ServerBytes"] == 1720
    assert msgspec.json.decode(printed(stage, operator, "-o", "json", "ep-none")) == []


def test_what_cannot_be_asked_is_one_line(stage: Stage, operator: Account) -> None:
    assert "10m" in printed(stage, operator, "--since", "yesterday", code=1)
    assert "it is one of" in printed(stage, operator, "--cause", "luck", code=1)


def test_it_follows_what_happens_and_tells_it_once(
    stage: Stage, operator: Account, node: Node
) -> None:
    push(node, a_flow("", client_port=1))
    command = [sys.executable, "-m", "privlink", "flows", "-f", "-o", "json"]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        env=os.environ | environment(stage, operator) | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert child.stdout is not None
        assert ports(child.stdout, 1) == [1]
        push(node, a_flow("", client_port=2), a_flow("", client_port=2), a_flow("", client_port=3))
        assert ports(child.stdout, 3) == [2, 2, 3]
        push(node, a_flow("", client_port=4))
        assert ports(child.stdout, 1) == [4]
    finally:
        child.kill()
        child.communicate()


def ports(lines: IO[bytes], number: int) -> list[int]:
    """The clients' ports of the next records."""
    return [msgspec.json.decode(lines.readline())["ClientPort"] for _ in range(number)]
