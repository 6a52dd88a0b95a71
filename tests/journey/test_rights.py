"""Least rights: what the server process may do, and who can read which secret."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from urllib.request import urlopen

from tests.journey.installation import Installation


def test_the_server_has_no_rights_at_all(installation: Installation) -> None:
    status = fields(Path(f"/proc/{installation.process('privlink.server')}/status"))
    real, effective, saved, filesystem = map(int, status["Uid"].split())
    assert 61184 <= real == effective == saved == filesystem <= 65519
    assert status["Groups"] == ""
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[capabilities], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_only_root_reads_keys_and_only_the_server_its_database(
    installation: Installation,
) -> None:
    server = installation.process("privlink.server")
    uid = int(fields(Path(f"/proc/{server}/status"))["Uid"].split()[0])
    for name in ("credentials.json", "node.json", "dns.json", "privlink.log"):
        found = (installation.state / name).stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o600)
    folder = (installation.state / "server").stat()
    assert (folder.st_uid, stat.S_IMODE(folder.st_mode)) == (uid, 0o700)
    for file in (installation.state / "server").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0


def test_no_secret_is_in_a_log_an_argument_or_an_environment(
    installation: Installation,
) -> None:
    keys = [
        json.loads((installation.state / name).read_text())["access_key_secret"].encode()
        for name in ("credentials.json", "node.json", "dns.json")
    ]
    places = [installation.state / "privlink.log", installation.state / "config.json"]
    for module in ("privlink.server", "privlink.node", "privlink.dns"):
        process = Path(f"/proc/{installation.process(module)}")
        places += [process / "cmdline", process / "environ"]
    for place in places:
        content = place.read_bytes()
        assert not any(key in content for key in keys), place


def test_nothing_went_wrong_inside(installation: Installation) -> None:
    log = (installation.state / "privlink.log").read_text()
    assert "Traceback" not in log
    assert "InternalError" not in log


def fields(path: Path) -> dict[str, str]:
    """The `Name: value` lines of a file in /proc."""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return {name: value.strip() for name, _, value in lines}


def test_the_reference_is_shown_by_a_server_without_rights(installation: Installation) -> None:
    for path, kind in (("/openapi.json", "application/json"), ("/reference/", "text/html")):
        with urlopen(f"http://{installation.listen}{path}", timeout=20) as answer:
            assert answer.headers["content-type"].partition(";")[0] == kind
            assert b"CreateVpcEndpoint" in answer.read()
