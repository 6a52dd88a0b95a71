"""`make demo` and the README's own examples, run as a newcomer would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from privlink.config import instance_of
from privlink.node import purge
from tests.journey.installation import PRIVLINK, Installation, free_port
from tests.kernel import lab

ROOT = Path(__file__).parents[2]


def test_the_demo_moves_bytes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    settings = {"PRIVLINK_STATE": str(state), "PRIVLINK_LISTEN": f"127.0.0.1:{free_port()}"}
    done = subprocess.run(
        ["make", "demo", "ONCE=1"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello from the provider. You reached me as 100.64.0.1" in done.stdout
    assert (
        "Hello from 198.51.100.5, which has no other name. You reached me as 100.64." in done.stdout
    )
    assert "Hello from the consumer. You reached me as 10.0.0." in done.stdout
    assert re.search(r"to the first byte: \d+\.\d ms", done.stdout)
    assert purge.traces(instance_of(state)) == []
    assert not state.exists()
    assert not any(Path("/run/netns").glob("privlink-demo-*"))
    assert processes_with(str(state)) == []


def test_the_demo_does_not_touch_somebodys_installation(installation: Installation) -> None:
    settings = {"PRIVLINK_STATE": str(installation.state), "PRIVLINK_LISTEN": installation.listen}
    refused = subprocess.run(
        [sys.executable, "-m", "demo.first_light", "--once"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "PRIVLINK_STATE=" in refused.stderr
    assert installation.is_ready()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """A demo that stays up; yields its state folder."""
    state = tmp_path / "demo"
    settings = {"PRIVLINK_STATE": str(state), "PRIVLINK_LISTEN": f"127.0.0.1:{free_port()}"}
    command, environment = [sys.executable, "-m", "demo.first_light"], os.environ | settings
    try:
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        yield state
    finally:
        subprocess.run([*command, "--down"], cwd=ROOT, env=environment, check=True)
        assert purge.traces(instance_of(state)) == []


def test_the_readmes_examples_make_endpoints_of_all_kinds(demo: Path) -> None:
    examples = re.findall(r"```python\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert [len(example.splitlines()) <= 43 for example in examples] == [True] * 3
    exports = subprocess.run(
        [PRIVLINK, "env", "--state", str(demo), "-o", "json"], check=True, capture_output=True
    ).stdout
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(examples)],
        env=os.environ | json.loads(exports),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    interface, block, door = (line.split()[-1] for line in done.stdout.splitlines())
    client, server = (
        f"privlink-demo-{word}-{instance_of(demo)[:4]}" for word in ("client", "server")
    )
    for netns, called, answers in (
        (client, interface, "from the provider"),
        (server, block, "from 198.51.100.5"),
        (server, door, "from the consumer"),
    ):
        assert f"Hello {answers}" in lab.run(netns, "curl", "-sS", "-m", "5", f"http://{called}/")


def processes_with(text: str) -> list[str]:
    """The ids of processes on this host whose environment holds a text."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if text.encode() in (process / "environ").read_bytes():
                found.append(process.name)
    return found
