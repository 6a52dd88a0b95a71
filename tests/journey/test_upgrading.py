"""docs/upgrading.md, run as its reader would, with a connection open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from privlink.node.kernel import pin_directory
from privlink.node.program.maps import LAYOUT
from privlink.node.program.upgrade import layout_directory
from tests.journey.installation import PORT, Installation, Stage
from tests.kernel import former, lab

ENDPOINT = "10.0.0.80"
PAGE = Path(__file__).parents[2] / "docs/upgrading.md"
RESTART, START_ANEW = re.findall(r"```sh\n(.+?)```", PAGE.read_text(), re.DOTALL)


def run(installation: Installation, block: str) -> None:
    """The commands of the page, on this installation."""
    for line in block.splitlines():
        privlink, *arguments = line.split()
        assert privlink == "privlink"
        if "up" in arguments:
            arguments += ["--listen", installation.listen]
        installation.run(*arguments)


def test_a_restart_keeps_connections(installation: Installation, stage: Stage) -> None:
    stage.connected_endpoint(ENDPOINT)
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
        run(installation, RESTART)
        running.sendall(b"still here")
        assert lab.receive(running, 10) == b"still here"


def test_an_upgrade_over_layouts_keeps_connections(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    down, up = RESTART.splitlines(keepends=True)
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
        run(installation, down)
        with former.former(installation.instance):
            run(installation, up)
        running.sendall(b"still here")
        assert lab.receive(running, 10) == b"still here"
    log = (installation.state / "privlink.log").read_text()
    assert re.search(rf"\d+ flows? moved from layout 1 to {LAYOUT} in [\d.]+ ms", log)


def test_what_a_newer_version_left_is_left_alone_till_it_is_purged(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    down = RESTART.splitlines()[0]
    run(installation, down)
    pins = pin_directory(installation.instance)
    former.pin(layout_directory(pins, LAYOUT + 1) / "flows", former.HASH, 4, 4, 1)
    try:
        refused = installation.attempt("up", "--detach", "--listen", installation.listen)
        assert refused.returncode != 0
        log = (installation.state / "privlink.log").read_text()
        assert f"are of layout {LAYOUT + 1}, and this version knows none later" in log
    finally:
        run(installation, START_ANEW)
    lab.eventually(installation.is_ready)
    with pytest.raises(OSError):  # its link went with the rest
        lab.connect(stage.client.netns, ENDPOINT, PORT, timeout=0.3)
