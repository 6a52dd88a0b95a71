"""A stand-in for the server as it is seen by who answers names, and the process that does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from privlink import process
from privlink.model.naming import Document
from tests.kernel.feedbox import PATIENCE, Feedbox

DOMAIN = "privatelink.internal"


class Namebox(Feedbox):
    """Holds documents, and remembers what was confirmed."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: list[tuple[int, int]] = []  # life and revision

    def put_documents(self, documents: dict[str, Document | None]) -> int:
        """Change documents (None: remove) and return the revision that says so."""
        with self._changed:
            self.revision += 1
            for key, document in documents.items():
                plain = None if document is None else msgspec.to_builtins(document)
                self._items[key] = (self.revision, plain)
            self._changed.notify_all()
            return self.revision

    def answer(self, action: str, parameters: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """HTTP status and body."""
        if action == "ConfirmNames":
            with self._changed:
                self.confirmed.append((int(parameters["Life"]), int(parameters["Revision"])))
                self._changed.notify_all()
            return 200, {}
        return super().answer("PullFeed" if action == "PullNames" else action, parameters)

    def await_confirmed(self, revision: int, *, within: float = PATIENCE) -> None:
        """Wait until so much is answered from."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: self.confirmed[-1:] >= [(self.life, revision)], within
            ), f"confirmed so far: {self.confirmed[-3:]}"


@contextmanager
def namebox() -> Iterator[Namebox]:
    """One that listens."""
    box = Namebox()
    box.open()
    try:
        yield box
    finally:
        box.close()


class Resolving:
    """A process that answers names, started as `privlink up` does."""

    def __init__(
        self,
        box: Namebox,
        instance: str,
        port: int,
        *,
        address: str = "127.0.0.1",
        quiet: bool = False,
        **orders: Any,
    ) -> None:
        self._said = subprocess.DEVNULL if quiet else subprocess.PIPE
        self.orders = {
            "server": f"http://127.0.0.1:{box.port}",
            "node_id": "names-1",
            "access_key_id": "key",
            "access_key_secret": "secret",
            "instance": instance,
            "uid": process.names_uid_of("0badcafe"),
            "domain": DOMAIN,
            "listen": (address, port),
            "upstreams": (),
        } | orders
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "privlink.dns"],
            stdin=subprocess.PIPE,
            stderr=self._said,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdin is not None
        with self.process.stdin as pipe:
            pipe.write(msgspec.json.encode(self.orders))

    def await_line(self, words: str) -> str:
        """The next line it says that has these words in it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if words in line.decode():
                return line.decode()
        raise AssertionError(f"it has ended without: {words}")

    def wait(self) -> int:
        """The code it has ended with by itself."""
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        if self.process.stderr is not None:
            self.process.stderr.close()


@contextmanager
def resolving(box: Namebox, instance: str, port: int, **orders: Any) -> Iterator[Resolving]:
    """A process that answers names on a port of the host, and in the namespace of an instance."""
    running = Resolving(box, instance, port, **orders)
    try:
        yield running
    finally:
        running.stop()
