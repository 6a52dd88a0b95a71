"""The commands that README and docs/names.md show for names, run one after another."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.journey.installation import Installation, Stage
from tests.journey.test_names_answered import ENDPOINT, addresses, in_vpc
from tests.kernel import lab

ROOT = Path(__file__).parents[2]
NOUNS = "service-name|endpoint-name|alias|explain|name-server"
COMMAND = re.compile(rf"^privlink ((?:{NOUNS}) .*?)(?: +#.*)?$", re.MULTILINE)
CHOSEN = ("db.shop.internal", "db.vendor.example")
SECRET = "bWFkZSB1cCBmb3IgYW4gZXhhbXBsZQ=="


@pytest.mark.parametrize("page", ["README.md", "docs/names.md", "docs/name-servers.md"])
def test_the_commands_do_what_the_page_says(
    installation: Installation, stage: Stage, tmp_path: Path, page: str
) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    key = tmp_path / "secret"
    key.write_text(SECRET)
    meant = {
        r"epsrv-(0mx1|\.\.\.)": service,
        r"\bep-(0mx0|\.\.\.)": endpoint,
        r"vsw-(\u2026|\.\.\.)": stage.consumer.vswitch,
        r"--key-file secret": f"--key-file {key}",
    }
    commands = COMMAND.findall(text(page))
    assert len(commands) >= 4
    try:
        for command in commands:
            for pattern, value in meant.items():
                command = re.sub(pattern, value, command)
            if "nsrv-..." in command:
                command = command.replace("nsrv-...", name_servers(installation)[0])
            done = installation.attempt(*shlex.split(command))
            # Nobody has published the record for a name that the page made up.
            assert (done.returncode == 0) is ("verify" not in command.split()), done.stderr
        chosen = {name for name in CHOSEN if any(name in command for command in commands)}
        for name in chosen:
            lab.eventually(lambda name=name: addresses(in_vpc(stage, name)) == [ENDPOINT])
    finally:
        for server in name_servers(installation):
            installation.run("name-server", "remove", server)


def name_servers(installation: Installation) -> list[str]:
    listed = json.loads(installation.run("name-server", "list", "-o", "json"))
    return [each["NameServerId"] for each in listed]


def text(page: str) -> str:
    return (ROOT / page).read_text()
