"""The product's own server process, as `privlink up` starts it, over a state folder of its own."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

import msgspec

from bench import population
from privlink import process, signature
from privlink.api.action import Call, Caller
from privlink.client import flatten
from privlink.config import Config
from privlink.server import first_start
from privlink.server.orders import Credentials, NodeCredentials, Orders
from privlink.server.wiring import make_flow_log
from privlink.store import accounts, migrate
from privlink.store.database import Database

_ACCOUNT = Credentials("1000000000000001", "LTAI5tBench", "bench-secret")
_NODE = NodeCredentials("node-1", "LTAI5tNode", "node-secret")
PRIVATELINK = "2020-04-15"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def memory(process_id: int) -> float:
    """What a process holds in memory, in MB."""
    status = Path(f"/proc/{process_id}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


class Privlink:
    """A server's process. Its database, on disk, is filled before it starts."""

    def __init__(self, folder: Path, log: IO[bytes], fill: Callable[[Call], Any]) -> None:
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.key_id, self.secret = _ACCOUNT.access_key_id, _ACCOUNT.access_key_secret
        self.config = Config(state=str(folder), listen=self.host)
        uid = process.uid_of(self.config.instance)
        self._orders = Orders(self.config, uid, _ACCOUNT, _NODE)
        self.config.server_folder.mkdir(parents=True, mode=0o700)
        self.file = self.config.server_folder / "privlink.db"
        self.filled = self._fill(fill)
        for path in (self.config.server_folder, *self.config.server_folder.iterdir()):
            os.chown(path, uid, uid)
        self._start(log)

    def _fill(self, fill: Callable[[Call], Any]) -> Any:
        database = Database(f"sqlite:///{self.file}")
        migrate.upgrade(database, migrate.load())
        try:
            with database.write() as tx:
                first_start.ensure(tx, self._orders)
                ours = accounts.operator(tx)
                caller = Caller(self.key_id, ours, None, limits=population.NO_LIMITS)
                flow_log = make_flow_log(self.config.server_folder, self.config)
                call = Call(tx, caller, self.config, datetime.now(UTC), flow_log)
                population.no_limits(call)
                return fill(call)
        finally:
            database.close()

    def _start(self, log: IO[bytes]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "privlink.server"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            pipe.write(msgspec.json.encode(self._orders))
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.05)
        raise TimeoutError("the server does not listen; see its log")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def memory(self) -> float:
        """What the process holds in memory, in MB."""
        return memory(self._process.pid)

    def request(self, action: str, version: str = PRIVATELINK, **parameters: Any) -> bytes:
        """A signed request."""
        target, headers = self._signed(action, version, parameters)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode()

    def call(self, action: str, version: str = PRIVATELINK, **parameters: Any) -> Any:
        """What a call is answered."""
        target, headers = self._signed(action, version, parameters)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", target, headers=headers)
            response = connection.getresponse()
            answer = msgspec.json.decode(response.read())
            assert response.status == 200, answer
            return answer
        finally:
            connection.close()

    def _signed(
        self, action: str, version: str, parameters: dict[str, Any]
    ) -> tuple[str, dict[str, str]]:
        """The target and the headers of a request, as the official SDKs send them."""
        query = sorted((name, str(value)) for name, value in dict(flatten(parameters)).items())
        headers = {
            "host": self.host,
            "x-acs-action": action,
            "x-acs-version": version,
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        }
        names = tuple(sorted(headers))
        digest = headers["x-acs-content-sha256"]
        signed = signature.sign_acs3("POST", query, headers, names, digest, self.secret)
        credential = signature.Credential(self.key_id, names, signed.signature)
        headers["authorization"] = signature.format_authorization(credential)
        headers |= {
            "accept": "application/json",
            "user-agent": "AlibabaCloud (linux; x86_64) Python/3.11 TeaDSL/1",
            "content-length": "0",
        }
        return f"/?{urlencode(query, quote_via=quote)}", headers
