"""A stand-in for the server as the agent sees it: answers PullFeed, remembers PushReport.

The API itself is tested elsewhere; signatures are not checked here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from privlink.model.items import Item

PATIENCE = 10.0  # seconds


class Report(msgspec.Struct):
    """One PushReport as it came in."""

    revision: int
    fabric: str
    faults: dict[str, tuple[str, str]]  # key -> code, message
    drops: dict[str, int]


class _Http(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Agents die in the middle of a call here; that is no news."""


class Feedbox:
    """Holds desired items; a change is a new revision. Close it, and open it again on its port."""

    def __init__(self) -> None:
        self.revision = 1
        self.reports: list[Report] = []
        self.pulls: list[int] = []  # the revision asked from
        self._items: dict[str, tuple[int, dict[str, Any] | None]] = {}
        self._changed = threading.Condition()
        self._http: ThreadingHTTPServer | None = None
        self.port = 0

    def open(self) -> None:
        """Listen, on the same port as before."""
        self._http = _Http(("127.0.0.1", self.port), self._handler())
        self._http.daemon_threads = True
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.01,), name="feedbox").start()

    def close(self) -> None:
        """Stop listening and break every connection."""
        if self._http is not None:
            http, self._http = self._http, None
            http.shutdown()
            http.server_close()
            with self._changed:
                self._changed.notify_all()

    def put(self, items: dict[str, Item | None]) -> int:
        """Change items (None: remove) and return the revision that says so."""
        with self._changed:
            self.revision += 1
            for key, item in items.items():
                plain = None if item is None else msgspec.to_builtins(item)
                self._items[key] = (self.revision, plain)
            self._changed.notify_all()
            return self.revision

    def forget(self, key: str) -> None:
        """Lose an item without a word, as an older agent's kernel may hold one."""
        del self._items[key]

    def await_report(
        self, revision: int, condition: Callable[[Report], bool] = lambda _: True
    ) -> Report:
        """The first report from now on, or the last so far, that has come this far and fits."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: next(
                    (r for r in self.reports[-1:] if r.revision >= revision and condition(r)), None
                ),
                PATIENCE,
            )
        assert found, f"no such report of revision {revision}; the last: {self.reports[-1:]}"
        return found

    def await_pull(self, after: int) -> None:
        """Wait until there were more than `after` pulls."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.pulls) > after, PATIENCE)

    def await_first_report(self, after: int) -> Report:
        """The report that follows the first `after` ones."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.reports) > after, PATIENCE)
            return self.reports[after]

    def answer(self, action: str, parameters: dict[str, str]) -> dict[str, Any]:
        if action == "PullFeed":
            return self._pull(int(parameters["Revision"]), float(parameters["WaitSeconds"]))
        assert action == "PushReport"
        with self._changed:
            self.reports.append(_report(parameters))
            self._changed.notify_all()
        return {}

    def _pull(self, revision: int, wait: float) -> dict[str, Any]:
        http = self._http
        with self._changed:
            self.pulls.append(revision)
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self.revision > revision or self._http is not http, wait or None
            )
            full = revision == 0
            return {
                "Life": 1,
                "Revision": self.revision,
                "Full": full,
                "Items": [
                    {"Key": key, "Item": item}
                    for key, (at, item) in self._items.items()
                    if at > revision and not (full and item is None)
                ],
            }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        box, http = self, lambda: self._http

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                answer = box.answer(self.headers["x-acs-action"], dict(parse_qsl(body)))
                if http() is not self.server:
                    self.close_connection = True  # closed meanwhile: no answer
                    return
                payload = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _report(parameters: dict[str, str]) -> Report:
    def rows(name: str, *fields: str) -> Iterable[tuple[str, ...]]:
        number = 1
        while f"{name}.{number}.{fields[0]}" in parameters:
            yield tuple(parameters[f"{name}.{number}.{field}"] for field in fields)
            number += 1

    return Report(
        revision=int(parameters["Revision"]),
        fabric=parameters["Fabric"],
        faults={key: (code, text) for key, code, text in rows("Faults", "Key", "Code", "Message")},
        drops={reason: int(number) for reason, number in rows("Drops", "Reason", "Count")},
    )
