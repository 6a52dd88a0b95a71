"""What answers on the host, as far as another name server asks it: by UDP and TCP, on loopback."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from privlink.dns.answers.respond import Signed, Transfer, respond
from privlink.dns.answers.view import ON_HOST, View
from privlink.dns.peers.signed import respond_signed
from privlink.dns.peers.transfer import transfer
from tests.peers.knot import free_port


class Primary:
    """Answers from whatever is the view at the moment; `asked` are the transfers so far."""

    def __init__(self, view: Callable[[], View]) -> None:
        self.view, self.port, self.transfers = view, free_port(), 0
        self._stack = ExitStack()
        for kind, handler in (
            (socketserver.ThreadingUDPServer, _Datagram),
            (socketserver.ThreadingTCPServer, _Stream),
        ):
            server = kind(("127.0.0.1", self.port), handler)
            server.daemon_threads = True
            server.primary = self  # type: ignore[attr-defined]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            self._stack.callback(server.server_close)
            self._stack.callback(thread.join)
            self._stack.callback(server.shutdown)

    def close(self) -> None:
        """Answer no more."""
        self._stack.close()

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """The messages that answer one."""
        view = self.view()
        found = respond(wire, view, ON_HOST, 0, stream=stream)
        if isinstance(found, bytes):
            yield found
        elif isinstance(found, Transfer):
            self.transfers += 1
            yield from transfer(wire, view, time.time)
        elif isinstance(found, Signed):
            answer = respond_signed(wire, view, 0, time.time(), limit=found.limit, stream=stream)
            if answer is not None:
                yield answer


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sender = self.request
        for answer in self.server.primary.answers(wire, stream=False):  # type: ignore[attr-defined]
            sender.sendto(answer, self.client_address)


class _Stream(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        connection: socket.socket = self.request
        incoming = connection.makefile("rb")
        while length := incoming.read(2):
            wire = incoming.read(int.from_bytes(length, "big"))
            for answer in self.server.primary.answers(wire, stream=True):  # type: ignore[attr-defined]
                connection.sendall(len(answer).to_bytes(2, "big") + answer)
