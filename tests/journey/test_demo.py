"""`make demo` and the README's own example, run as a newcomer would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from privlink.config import instance_of
from privlink.node import purge
from tests.journey.installation import Installation, free_port, stage
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


def test_the_readmes_example_makes_an_endpoint_that_carries_bytes(
    installation: Installation,
) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(example.splitlines()) <= 42
    with stage(installation) as ready:
        service = ready.cloud.service(ready.balancer, auto_accept=True)
        demos = ready.cloud.endpoint(ready.consumer, service, ready.group, "10.0.0.80")
        ready.cloud.await_connection(demos, "Connected")
        done = subprocess.run(
            [sys.executable, "-c", example],
            env=os.environ | json.loads(installation.run("env", "-o", "json")),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        address = done.stdout.split()[-1]
        assert lab.ask(ready.client.netns, address, 7000, b"from the README") == b"from the README"


def processes_with(text: str) -> list[str]:
    """The ids of processes on this host whose environment holds a text."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if text.encode() in (process / "environ").read_bytes():
                found.append(process.name)
    return found
