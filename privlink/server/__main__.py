"""The server process. It starts as root only to get out of it: everything is loaded, its one folder
is put within reach, then all rights go, and only then does it open the database and the socket.
"""

from __future__ import annotations

import encodings.idna
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import anyio._backends._asyncio
import msgspec
import uvicorn
import uvicorn.loops.uvloop

from privlink import process
from privlink.api.reference import code
from privlink.server import first_start
from privlink.server.http import Protocol
from privlink.server.lines import Lines
from privlink.server.orders import Orders
from privlink.server.wiring import make_flow_log, make_server
from privlink.store import migrate
from privlink.store.database import Database

# Imported by name at run time, when this package's files may be out of reach.
_PRELOADED = (
    encodings.idna,
    anyio._backends._asyncio,
    uvicorn.loops.uvloop,
)

# Where the server sees the folder that holds its database, in its own mount namespace.
_DATA = Path("/mnt")

log = logging.getLogger("privlink.server")


def main() -> None:
    """Serve until SIGTERM."""
    parent = os.getppid()
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s server %(message)s",
        datefmt="%H:%M:%S",
        handlers=[Lines()],
    )
    # Nothing we log tells the line, the thread or the process it is from; finding them takes time.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for chatty in ("alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    config = orders.config
    database = Database(f"sqlite:///{_DATA}/privlink.db")
    steps = migrate.load()
    code.load()
    flow_log = make_flow_log(_DATA, config)
    application = make_server(database, config, flow_log)
    web = uvicorn.Config(
        application,
        host=config.host,
        port=config.port,
        loop="uvloop",
        http=Protocol,
        limit_concurrency=1000,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # policies ask where a caller is, so no caller may say it
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        backlog=4096,
    )
    web.load()
    if os.getuid() == 0:
        os.umask(0o077)
        process.see_folder_at(config.server_folder, _DATA)
        process.give_up_rights(orders.uid)
        process.die_with_parent(parent)
    migrate.upgrade(database, steps)
    with database.write() as tx:
        first_start.ensure(tx, orders)
    gc.collect()
    gc.set_threshold(20_000)
    gc.freeze()  # what is loaded stays for good; looking for garbage in it took milliseconds
    log.info("listening on %s as user %d", config.listen, os.getuid())
    _Web(web, application.release).run()
    application.close()
    flow_log.close()
    database.close()


class _Web(uvicorn.Server):
    """uvicorn, which on SIGTERM first lets go of requests that wait."""

    def __init__(self, config: uvicorn.Config, release: Callable[[], None]) -> None:
        super().__init__(config)
        self._let_go = release

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._let_go()
        await super().shutdown(sockets)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for `privlink up`
    main()
