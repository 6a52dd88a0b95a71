"""The real server on a loopback port, over a real database file, for one test at a time.

One listening uvicorn serves the whole run; what answers on it is changed between tests, and by
`restart` within one. Only rights are not given up, as there are none to give up.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import update
from starlette.types import ASGIApp, Receive, Scope, Send

from privlink.config import Config
from privlink.server import first_start
from privlink.server.app import Server
from privlink.server.http import Protocol
from privlink.server.orders import Credentials, NodeCredentials, Orders
from privlink.server.wiring import make_flow_log, make_server
from privlink.store import migrate, schema
from privlink.store.database import Database
from privlink.store.flow_log import FlowLog
from tests.api.name_server import NameServer

OPERATOR = Credentials("1000000000000001", "LTAI5tOperator", "operator-secret")
NODE = NodeCredentials("node-1", "LTAI5tNode", "node-secret")
DNS = NodeCredentials("dns-1", "LTAI5tDns", "dns-secret")
REGION = "local"
ZONES = ("local-a", "local-b", "local-c")

Dump = dict[str, list[tuple[Any, ...]]]


class Port:
    """A listening uvicorn, set up as the product's own; `application` is what answers."""

    def __init__(self) -> None:
        self.application: ASGIApp | None = None
        self.loop: asyncio.AbstractEventLoop
        config = uvicorn.Config(
            self._answer,
            host="127.0.0.1",
            port=0,
            loop="uvloop",
            http=Protocol,
            limit_concurrency=1000,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        self._web = _Web(config)
        self._thread = threading.Thread(target=self._web.run)
        self._thread.start()
        assert self._web.listening.wait(10), "the server does not listen"
        self.loop = self._web.loop
        self.texts: dict[str, list[str]] = {}  # TXT records that its name server knows, by name
        serving = self.loop.create_datagram_endpoint(
            lambda: NameServer(self.texts), local_addr=("127.0.0.1", 0)
        )
        self._names, _ = asyncio.run_coroutine_threadsafe(serving, self.loop).result(10)
        self.upstream = "{}:{}".format(*self._names.get_extra_info("sockname"))
        self.host = f"127.0.0.1:{self._web.servers[0].sockets[0].getsockname()[1]}"

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.application is not None
        await self.application(scope, receive, send)

    def close(self) -> None:
        """Stop listening."""
        self.loop.call_soon_threadsafe(self._names.close)
        self._web.should_exit = True
        self._thread.join()


class _Web(uvicorn.Server):
    """uvicorn, which says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.listening.set()


class Stage:
    """One installation: a server, its database file and its first accounts."""

    def __init__(self, port: Port, file: Path) -> None:
        self._port, self._file = port, file
        self.host, self.url = port.host, f"http://{port.host}"
        self.texts = port.texts
        self.texts.clear()
        self.config = Config(
            state=str(file.parent), region=REGION, zones=ZONES, dns_upstream=port.upstream
        )
        self.database: Database
        self.server: Server
        self.flow_log: FlowLog
        self._open()

    def _open(self) -> None:
        self.database = Database(f"sqlite:///{self._file}")
        migrate.upgrade(self.database, migrate.load())
        with self.database.write() as tx:
            first_start.ensure(tx, Orders(self.config, 0, OPERATOR, NODE, DNS))
        self.flow_log = make_flow_log(self._file.parent, self.config)
        self.server = make_server(self.database, self.config, self.flow_log)
        self._port.application = self.server

    def release(self) -> None:
        """Tell the server that it is about to end."""
        self._port.loop.call_soon_threadsafe(self.server.release)

    def close(self) -> None:
        """End the server."""
        self.release()
        self._port.application = None
        self.server.close()
        self.flow_log.close()
        self.database.close()

    def restart(self) -> None:
        """End the server and start another one over the same database."""
        self.close()
        self._open()

    def end_draining(self) -> None:
        """Have the time of every server that drains be over."""
        drains = schema.group_server.c.leaving_until.is_not(None)
        with self.database.write() as tx:
            tx.execute(update(schema.group_server).where(drains).values(leaving_until=1))

    def dump(self) -> Dump:
        """Everything the database holds, but for the nonces that every call leaves behind."""
        with closing(sqlite3.connect(self._file)) as file:
            names = file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return {
                name: sorted(file.execute(f'SELECT * FROM "{name}"'), key=repr)
                for (name,) in sorted(names)
                if name != "nonce"
            }
