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
SECRET = "bWFkZSB1cCBmb3IgYW4gZXhhbXBsZQ=="


@pytest.mark.parametrize("page", ["README.md", "docs/names.md"])
def test_the_commands_do_what_the_page_says(
    installation: Installation, stage: Stage, tmp_path: Path, page: str
) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    key = tmp_path / "tsig.key"
    key.write_text(SECRET)
    meant = {
        r"epsrv-(0mx1|\.\.\.)": service,
        r"\bep-(0mx0|\.\.\.)": endpoint,
        r"vsw-(\u2026|\.\.\.)": stage.consumer.vswitch,
        r"tsig\.key": str(key),
    }
    commands = COMMAND.findall(re.sub(r"\A.*?^## Names$", "", text(page), flags=re.S | re.M))
    assert len(commands) >= 5
    try:
        for command in commands:
            for pattern, value in meant.items():
                command = re.sub(pattern, value, command)
            done = installation.attempt(*shlex.split(command))
            # Nobody has published the record for a name that the page made up.
            assert (done.returncode == 0) is ("verify" not in command.split()), done.stderr
        for name in ("db.shop.internal", "db.vendor.example"):
            lab.eventually(lambda name=name: addresses(in_vpc(stage, name)) == [ENDPOINT])
    finally:
        for server in json.loads(installation.run("name-server", "list", "-o", "json")):
            installation.run("name-server", "remove", server["NameServerId"])


def text(page: str) -> str:
    return (ROOT / page).read_text()
