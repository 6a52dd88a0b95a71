"""An installation whose state folder somebody deletes while it runs."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from privlink.node import purge
from tests.journey.installation import Installation


def runs(process: int) -> bool:
    """Whether a process has not ended, also if nobody asked for its end yet."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


def test_down_finds_an_installation_whose_state_was_deleted(tmp_path: Path) -> None:
    own, other = (Installation(tmp_path / name) for name in ("own", "other"))
    with ExitStack() as made:
        for each in (own, other):
            made.callback(each.tear_down)
            each.up()
        supervisor = int((own.state / "up.lock").read_text())
        processes = [supervisor, own.process("privlink.server"), own.process("privlink.node")]
        # Somebody else who has the same files open, and the right word in the command line.
        names = ("up.lock", "running.lock", "privlink.log")
        opened = [str(own.state / name) for name in names]
        stranger = made.enter_context(
            subprocess.Popen(["tail", "-n", "+1", "-f", *opened], stdout=subprocess.PIPE)
        )
        made.callback(stranger.kill)
        assert stranger.stdout is not None
        while b"privlink.log" not in stranger.stdout.readline():  # the last that it opens
            pass
        shutil.rmtree(own.state)
        assert "stopped" in own.run("down", "--purge")
        assert not any(runs(each) for each in processes)
        assert purge.traces(own.instance) == []
        assert stranger.poll() is None
        assert other.is_ready()
        assert "was not running" in own.run("down")
