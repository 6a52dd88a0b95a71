"""A load generator, in a process of its own: prepared requests over keep-alive connections.

    python -m bench.load < JOB

JOB is JSON: host, port, clients, requests (each the bytes of a request, as Latin-1 text). Every
client sends the next request when its last answer is there. On standard output come, as JSON, the
seconds it all took, the milliseconds of each request, and the first answer that was no success.
It needs the standard library alone, so that it is the same for every server.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

_LENGTH = re.compile(rb"content-length: *([0-9]+)")


class Client:
    """One connection, opened again when the server closes it."""

    def __init__(self, address: tuple[str, int], ready: selectors.BaseSelector) -> None:
        self._address, self._ready = address, ready
        self._connect()
        self.began = 0.0
        self.answer = b""

    def _connect(self) -> None:
        self._stream = socket.create_connection(self._address)
        self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ready.register(self._stream, selectors.EVENT_READ, self)

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.answer = b""
        self.began = time.perf_counter()
        self._stream.sendall(request)

    def receive(self) -> bool:
        """Take in what came; whether the answer is complete."""
        self.answer += self._stream.recv(1 << 20)
        head, blank, body = self.answer.partition(b"\r\n\r\n")
        head = head.lower()
        length = _LENGTH.search(head)
        if not blank or length is None or len(body) < int(length[1]):
            return False
        if head.startswith(b"http/1.0") or b"connection: close" in head:
            self.close()
            self._connect()
        return True

    def close(self) -> None:
        """Close the connection."""
        self._ready.unregister(self._stream)
        self._stream.close()


def run(address: tuple[str, int], clients: int, requests: list[bytes]) -> dict[str, Any]:
    """Send every request, and say how long it took."""
    ready = selectors.DefaultSelector()
    every = [Client(address, ready) for _ in range(min(clients, len(requests)))]
    left: Iterator[bytes] = iter(requests)
    milliseconds: list[float] = []
    refusal = None
    began = time.perf_counter()
    for client in every:
        client.send(next(left))
    while len(milliseconds) < len(requests):
        for key, _ in ready.select():
            client = key.data
            if not client.receive():
                continue
            milliseconds.append(1000 * (time.perf_counter() - client.began))
            if not client.answer[8:].startswith(b" 200 "):
                refusal = refusal or client.answer.decode("latin-1")
            following = next(left, None)
            if following is not None:
                client.send(following)
    seconds = time.perf_counter() - began
    for client in every:
        client.close()
    return {"seconds": seconds, "milliseconds": milliseconds, "refusal": refusal}


if __name__ == "__main__":
    job = json.load(sys.stdin)
    sent = [request.encode("latin-1") for request in job["requests"]]
    json.dump(run((job["host"], job["port"]), job["clients"], sent), sys.stdout)
