"""A stand-in for the server as the agent sees it: answers PullFeed and remembers reports.

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

from privlink.model.flow_records import Said
from privlink.model.items import Item
from privlink.model.traffic import PlaceTraffic
from privlink.node.health.standing import Place

PATIENCE = 10.0  # seconds


class Report(msgspec.Struct):
    """One PushReport as it came in, and what it adds up to with those before."""

    life: int
    revision: int
    fabric: str
    faults: dict[str, tuple[str, str]]  # key -> code, message
    plugged: list[str]
    unplugged: list[str]
    drops: dict[str, int]
    links: dict[str, bool] = {}  # attachments: whether their link is there, as far as told


class _Http(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Agents die in the middle of a call here; that is no news."""


class Feedbox:
    """Holds desired items; a change is a new revision. Close it, and open it again on its port."""

    def __init__(self) -> None:
        self.revision = 1
        self.reports: list[Report] = []
        self.pulls: list[int] = []  # the revision asked from
        self.records: list[Said] = []
        self.life = 1
        self.objection = ""  # says it to every report, and takes none
        self.refused = 0  # reports
        self.traffic: dict[int, PlaceTraffic] = {}  # as it was last said, by place
        self.health: dict[Place, tuple[str, str]] = {}  # as told: state and reason
        self._links: dict[str, bool] = {}
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

    def begin_life(self, life: int) -> None:
        """Be another server, that knows the same items and nothing of the node."""
        with self._changed:
            self.life = life
            self._changed.notify_all()

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

    def await_refusals(self, number: int) -> None:
        """Wait until so many reports were refused."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.refused >= number, PATIENCE)

    def await_pull(self, after: int) -> None:
        """Wait until there were more than `after` pulls."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.pulls) > after, PATIENCE)

    def await_first_report(self, after: int) -> Report:
        """The report that follows the first `after` ones."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.reports) > after, PATIENCE)
            return self.reports[after]

    def await_record(self, condition: Callable[[Said], bool]) -> Said:
        """The first flow record that fits."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: next((each for each in self.records if condition(each)), None), PATIENCE
            )
        assert found, f"no such record; there are {self.records}"
        return found

    def answer(self, action: str, parameters: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """HTTP status and body."""
        if action == "PullFeed":
            return 200, self._pull(
                int(parameters["Revision"]),
                int(parameters["Life"]),
                float(parameters["WaitSeconds"]),
            )
        if action == "PushFlowRecords":
            with self._changed:
                self.records += msgspec.json.decode(parameters["Records"], type=list[Said])
                self._changed.notify_all()
            return 200, {}
        if action == "PushTraffic":
            return 200, self._take_traffic(parameters["Traffic"])
        if action == "PushHealth":
            return 200, self._hear_health(parameters)
        assert action == "PushReport"
        with self._changed:
            self._changed.notify_all()
            if self.objection:
                self.refused += 1
                return 400, {"Code": "Objection", "Message": self.objection}
            report = _report(parameters)
            self._links |= dict.fromkeys(report.plugged, True)
            self._links |= dict.fromkeys(report.unplugged, False)
            report.links = dict(self._links)
            self.reports.append(report)
        return 200, {}

    def _take_traffic(self, text: str) -> dict[str, Any]:
        with self._changed:
            for each in msgspec.json.decode(text, type=list[PlaceTraffic]):
                self.traffic[each.place] = each
            self._changed.notify_all()
            return {"Life": self.life}

    def await_traffic(self, place: int, condition: Callable[[PlaceTraffic], bool]) -> PlaceTraffic:
        """What was last said of a place, once it fits."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: place in self.traffic and condition(self.traffic[place]), PATIENCE
            ), f"the last that was said: {self.traffic.get(place)}"
            return self.traffic[place]

    def await_health(
        self, condition: Callable[[dict[Place, tuple[str, str]]], bool]
    ) -> dict[Place, tuple[str, str]]:
        """State and reason of each server, once what was told of them fits."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.health), PATIENCE), self.health
            return dict(self.health)

    def _hear_health(self, parameters: dict[str, str]) -> dict[str, Any]:
        names = ("Key", "Group", "Address", "Port", "State", "Why", "Since")
        with self._changed:
            if parameters["Life"] == "0":
                self.health.clear()
            for key, group, address, port, state, why, _ in rows(parameters, "States", *names):
                self.health[key, (group, address, int(port))] = state, why
            self._changed.notify_all()
        return {}

    def _pull(self, revision: int, life: int, wait: float) -> dict[str, Any]:
        http = self._http
        with self._changed:
            self.pulls.append(revision)
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self.revision > revision or self.life != life or self._http is not http,
                wait or None,
            )
            full = revision == 0 or life != self.life
            return {
                "Life": self.life,
                "Revision": self.revision,
                "Full": full,
                "Items": [
                    {"Key": key, "Item": item}
                    for key, (at, item) in self._items.items()
                    if (full and item is not None) or (not full and at > revision)
                ],
            }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        box, http = self, lambda: self._http

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                status, answer = box.answer(self.headers["x-acs-action"], dict(parse_qsl(body)))
                if http() is not self.server:
                    self.close_connection = True  # closed meanwhile: no answer
                    return
                payload = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def rows(parameters: dict[str, str], name: str, *fields: str) -> Iterable[tuple[str, ...]]:
    """The values of a list of objects, in wire form."""
    number = 1
    while f"{name}.{number}.{fields[0]}" in parameters:
        yield tuple(parameters.get(f"{name}.{number}.{field}", "") for field in fields)
        number += 1


def _report(parameters: dict[str, str]) -> Report:
    def rows_of(name: str, *fields: str) -> Iterable[tuple[str, ...]]:
        return rows(parameters, name, *fields)

    def keys(name: str) -> list[str]:
        return [value for field, value in parameters.items() if field.startswith(f"{name}.")]

    return Report(
        life=int(parameters["Life"]),
        revision=int(parameters["Revision"]),
        fabric=parameters["Fabric"],
        faults={
            key: (code, text) for key, code, text in rows_of("Faults", "Key", "Code", "Message")
        },
        plugged=keys("Plugged"),
        unplugged=keys("Unplugged"),
        drops={reason: int(number) for reason, number in rows_of("Drops", "Reason", "Count")},
    )
