"""Keeping server, node and who answers names running: each alone, each started again when it ends.

Traffic needs none of them, so there is no hurry that could hurt it: a process that keeps ending is
started after growing pauses. Children get nothing of root's: no terminal, no environment, no file;
what they say comes by a pipe and is passed on here.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

import click
import msgspec

import privlink
from privlink import config, process
from privlink.config import Config
from privlink.server.orders import Credentials, NodeCredentials, Orders

OBJECT = Path(privlink.__file__).parent / "bpf" / "privlink.bpf.o"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds
_STABLE = 10.0  # seconds after which an end counts as the first again
_PATIENCE = 10.0  # seconds for a child to end
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})


class Child:
    """A process to keep running, with a document for its standard input."""

    def __init__(self, module: str, document: bytes, held: int) -> None:
        self.module = module
        self.due = 0.0
        self._document = document
        self._held = held  # a descriptor that tells whether it still runs
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
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            cwd="/",
            pass_fds=(self._held,),
            start_new_session=True,
            preexec_fn=partial(_as_a_child, os.getpid()),
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        threading.Thread(target=_pass_on, args=(self._process.stdout,), daemon=True).start()
        # It may have ended already, as will be seen.
        with suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(self._document)
        self._started = now


class Supervisor:
    """An installation's processes, from `run` until SIGTERM or SIGINT."""

    def __init__(
        self,
        settings: Config,
        account: Credentials,
        node: NodeCredentials,
        dns: NodeCredentials,
        held: int,
    ) -> None:
        self._settings = settings
        uid = process.uid_of(settings.instance)
        orders = Orders(config=settings, uid=uid, account=account, node=node, dns=dns)
        for_node = {
            "server": settings.url,
            "node_id": node.node_id,
            "access_key_id": node.access_key_id,
            "access_key_secret": node.access_key_secret,
            "instance": settings.instance,
            "object_path": str(OBJECT),
            "flow_records": settings.flow_records,
        }
        for_names = {
            "server": settings.url,
            "node_id": dns.node_id,
            "access_key_id": dns.access_key_id,
            "access_key_secret": dns.access_key_secret,
            "instance": settings.instance,
            "uid": process.names_uid_of(settings.instance),
            "domain": settings.domain,
            "listen": config.dns_address(settings.dns_listen),
            "upstreams": config.upstreams(settings.dns_upstream),
        }
        self._children = (
            Child("privlink.server", msgspec.json.encode(orders), held),
            Child("privlink.node", msgspec.json.encode(for_node), held),
            Child("privlink.dns", msgspec.json.encode(for_names), held),
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
    return readiness(settings) == ""


def readiness(settings: Config) -> str:
    """What is not in step, in lines for a person; empty if all is."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer from {settings.url}: {error}"
    finally:
        connection.close()
    return "" if response.status == 200 else text


def _pass_on(said: IO[bytes]) -> None:
    with said:
        for line in said:
            # Nothing a child says may steer root's terminal.
            text = line.decode(errors="backslashreplace").rstrip("\n")
            shown = (c if c.isprintable() else repr(c)[1:-1] for c in text)
            print("".join(shown), file=sys.stderr, flush=True)


def _as_a_child(parent: int) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    process.die_with_parent(parent)
