"""Keeping server and node running: each alone, each started again when it ends.

Traffic needs neither, so there is no hurry that could hurt it: a process that keeps ending is
started after growing pauses. Nothing here touches the network or the database.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

import privlink
from privlink import process
from privlink.config import Config
from privlink.server.orders import Credentials, NodeCredentials, Orders

OBJECT = Path(privlink.__file__).parent / "bpf" / "privlink.bpf.o"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds
_STABLE = 10.0  # seconds after which an end counts as the first again
_PATIENCE = 10.0  # seconds for a child to end
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})


class Child:
    """A process to keep running, with a document for its standard input."""

    def __init__(self, module: str, document: bytes) -> None:
        self.module = module
        self.due = 0.0
        self._document = document
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE
        self._started = 0.0

    def look(self, now: float) -> None:
        """Notice an end; start, if it is time."""
        if self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            self._process = None
            self._pause = (
                _FIRST_PAUSE
                if now - self._started > _STABLE
                else min(self._pause * 2, _LONGEST_PAUSE)
            )
            self.due = now + self._pause
            click.echo(f"{self.module} ended ({code}); starting it again", err=True)
        if self._process is None and now >= self.due:
            self._start(now)

    def stop(self) -> None:
        """End the process and wait until it has."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self, now: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self.module],
            stdin=subprocess.PIPE,
            cwd="/",
            preexec_fn=_as_a_child,
        )
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                pipe.write(self._document)
        except BrokenPipeError:
            pass  # it ended at once, as will be seen
        self._started = now


class Supervisor:
    """An installation's processes, from `run` until SIGTERM or SIGINT."""

    def __init__(self, settings: Config, account: Credentials, node: NodeCredentials) -> None:
        self._settings = settings
        uid = process.uid_of(settings.instance)
        orders = Orders(config=settings, uid=uid, account=account, node=node)
        configuration = {
            "server": settings.url,
            "node_id": node.node_id,
            "access_key_id": node.access_key_id,
            "access_key_secret": node.access_key_secret,
            "instance": settings.instance,
            "object_path": str(OBJECT),
            "zones": settings.zones,
        }
        self._children = (
            Child("privlink.server", msgspec.json.encode(orders)),
            Child("privlink.node", msgspec.json.encode(configuration)),
        )

    def run(self, on_ready: Callable[[], None]) -> None:
        """Keep everything running until told to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        ready = False
        try:
            while True:
                now = time.monotonic()
                for child in self._children:
                    child.look(now)
                if not ready and is_ready(self._settings):
                    ready = True
                    on_ready()
                told = signal.sigtimedwait(_SIGNALS, self._until_next(now, ready))
                if told is not None and told.si_signo != signal.SIGCHLD:
                    return
        finally:
            for child in reversed(self._children):
                child.stop()

    def _until_next(self, now: float, ready: bool) -> float:
        due = [child.due - now for child in self._children if child.due > now]
        return min([5.0 if ready else 0.02, *due])


def is_ready(settings: Config) -> bool:
    """Whether API, feed and node are in step."""
    try:
        with urllib.request.urlopen(f"{settings.url}/readyz", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _as_a_child() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    process.die_with_parent()
