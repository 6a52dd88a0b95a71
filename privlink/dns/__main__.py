"""`python -m privlink.dns`: answers names, configured by a JSON document on standard input.

Started by `privlink up` as root, which it needs for two sockets at most and has given up before the
first packet. When its namespace has become another one it ends, to be started again.
"""

from __future__ import annotations

import encodings.idna
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Final

import dns.rdata
import msgspec

from privlink import process
from privlink.client import Client
from privlink.dns.answers.view import View
from privlink.dns.feed import Feed
from privlink.dns.orders import Orders
from privlink.dns.peers.following import Peers
from privlink.dns.sockets import inside
from privlink.dns.sockets.counts import Counts
from privlink.dns.sockets.datagrams import open_datagrams
from privlink.dns.sockets.exchange import Server
from privlink.dns.sockets.listen import Listener
from privlink.dns.sockets.loop import READ, Loop
from privlink.dns.sockets.nameservers import HostServers, is_ours
from privlink.dns.sockets.streams import open_streams
from privlink.dns.sockets.upstream import Upstream

_FIRST_VIEW_SECONDS: Final = 2.0  # for which those who ask are kept waiting for it
_LOOK_SECONDS: Final = 0.5  # between two looks whether the namespace is still the same
_AGAIN_SECONDS: Final = 1.0  # until an address that was taken is tried again
_RESOLV_CONF_SECONDS: Final = 2.0
_DESCRIPTORS: Final = 4096  # more than connections and questions to others can be
_SWITCH_SECONDS: Final = 0.0005  # for which taking news may keep those who ask waiting

_PRELOADED: Final = (encodings.idna,)  # imported by name at run time, when it may be out of reach

log = logging.getLogger("privlink.dns")


class Service:
    """The process, but for its rights."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.loop = Loop()
        self._upstream = Upstream(self.loop, Counts())
        self._listener = Listener(self.loop, self._upstream, self._upstream.counts)
        self._waiting: socket.socket | None = None
        self._host: tuple[socket.socket, socket.socket] | None = None
        self._inode: int | None = None
        self._code = 0

    def open_privileged(self) -> None:
        """Begin what takes rights."""
        self._waiting = inside.send_sockets(inside.namespace_of(self._orders.instance))
        if self._orders.listen is not None:
            self._host = self._open_host()

    def run(self) -> int:
        """Answer until stopped; the code to exit with."""
        orders = self._orders
        self._use_upstreams()
        client = Client(orders.server, orders.access_key_id, orders.access_key_secret)
        address = orders.listen[0] if orders.listen is not None else ""
        empty = View.empty(orders.domain, address)
        begun = threading.Event()

        # Of its own, as two threads may not share one.
        telling = Client(orders.server, orders.access_key_id, orders.access_key_secret)

        def tell(states: list[dict[str, Any]]) -> None:
            telling.call("PushNameServerStates", NodeId=orders.node_id, States=states)

        peers = Peers(lambda: self._listener.view or empty, tell)
        peers.start()

        def use(view: View) -> None:
            self._listener.view = view
            peers.look()
            begun.set()

        Feed(client, orders.node_id, empty, use).start()
        # Questions wait in the sockets meanwhile: better late than that there is no such name.
        begun.wait(_FIRST_VIEW_SECONDS)
        if self._waiting is not None:
            self.loop.watch(self._waiting.fileno(), READ, self._receive)
        self._serve_host()
        self.loop.run()
        peers.stop()
        return self._code

    def _use_upstreams(self) -> None:
        listen = self._orders.listen
        if self._orders.upstreams is None:
            servers = HostServers(listen)

            def look() -> None:
                changed = servers.changed()
                if changed is not None:
                    self._upstream.use(changed)

            look()
            self.loop.every(_RESOLV_CONF_SECONDS, look)
            return
        others = [each for each in self._orders.upstreams if not is_ours(each, listen)]
        if len(others) < len(self._orders.upstreams):
            log.error("--dns-upstream names an address where we answer: we do not ask ourselves")
        self._upstream.use(others)

    def _open_host(self) -> tuple[socket.socket, socket.socket] | None:
        listen = self._orders.listen
        assert listen is not None
        try:
            datagrams = open_datagrams(*listen)
            try:
                return datagrams, open_streams(*listen)
            except OSError:
                datagrams.close()
                raise
        except OSError as error:
            log.error("names are not answered on %s, trying again: %s", _written(listen), error)
            return None

    def _serve_host(self) -> None:
        """Answer on the host, as soon as nobody else does at that address."""
        if self._orders.listen is None:
            return
        self._host = self._host or self._open_host()
        if self._host is None:
            self.loop.at(time.monotonic() + _AGAIN_SECONDS, self._serve_host)
            return
        self._listener.serve_host(*self._host)
        log.info("answering on %s as user %d", _written(self._orders.listen), os.getuid())

    def _receive(self, _: int) -> None:
        """Take the sockets in the namespace, and answer there."""
        assert self._waiting is not None
        self.loop.forget(self._waiting.fileno())
        try:
            self._inode, datagrams, streams = inside.receive(self._waiting)
        except OSError as error:
            self._end(str(error))
            return
        self._listener.serve_networks(datagrams, streams)
        log.info("answering in the VPCs")
        self.loop.every(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if inside.inode_of(inside.namespace_of(self._orders.instance)) != self._inode:
            self._end("the namespace of names is another one")

    def _end(self, why: str) -> None:
        log.info("ending: %s", why)
        self._code = 1
        self.loop.stop()


def main() -> int:
    """Answer until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    parent = os.getppid()
    try:
        orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    except msgspec.DecodeError as error:
        log.error("the configuration on standard input does not fit: %s", error)
        return 2
    # Not when a stranger has sent one, from files that are out of reach by then.
    dns.rdata.load_all_types()
    service = Service(orders)
    if os.getuid() == 0:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
        service.open_privileged()
        process.give_up_rights(orders.uid)
        process.die_with_parent(parent)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the process that waited may end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.loop.stop())
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    return service.run()


def _written(server: Server) -> str:
    address, port = server
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


if __name__ == "__main__":
    sys.exit(main())
