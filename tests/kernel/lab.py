"""Network namespaces with programs in them, for tests that let real packets run.

Everything made here carries the prefix `plt-` and goes with its context manager. Sockets are opened
inside a namespace by a thread that moves there; a socket stays where it was opened.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from privlink.node import system

PATIENCE = 10.0  # seconds until a condition that does not come true is a failure

_numbers = itertools.count(1)
_T = TypeVar("_T")


def unique(word: str) -> str:
    """A name nobody else uses: of a namespace or an instance."""
    return f"plt-{word}-{os.getpid()}-{next(_numbers)}"


@contextmanager
def namespace(word: str) -> Iterator[str]:
    """A network namespace with its loopback up; yields its name."""
    name = unique(word)
    system.make_namespace(name)
    try:
        run(name, "ip", "link", "set", "lo", "up")
        yield name
    finally:
        system.remove_namespace(name)


def path(name: str) -> Path:
    """Where a namespace is."""
    return system.NAMESPACES / name


def run(name: str, *command: str) -> str:
    """Run a command in a namespace and return what it prints."""
    done = subprocess.run(
        ["ip", "netns", "exec", name, *command], check=True, capture_output=True, text=True
    )
    return done.stdout


def connect(name: str, address: str, port: int, *, timeout: float = PATIENCE) -> socket.socket:
    """A TCP connection opened inside a namespace."""

    def dial() -> socket.socket:
        return socket.create_connection((address, port), timeout=timeout)

    return system.within(path(name), dial)


def ask(name: str, address: str, port: int, question: bytes = b"hello") -> bytes:
    """What an echo server answers on a new connection."""
    with connect(name, address, port) as connection:
        connection.sendall(question)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ping(name: str, address: str) -> None:
    """An ICMP echo (RFC 792) from inside a namespace; fails if nothing comes back."""
    words = (0x0800, 0, os.getpid() & 0xFFFF, 1)  # echo request, checksum, identifier, sequence
    total = sum(words)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    request = struct.pack("!HHHH", words[0], checksum, *words[2:])

    def open_raw() -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    with system.within(path(name), open_raw) as raw:
        raw.settimeout(PATIENCE)
        raw.sendto(request, (address, 0))
        reply, (sender, _) = raw.recvfrom(1500)
        assert (sender, reply[20]) == (address, 0)  # echo reply


def receive(connection: socket.socket, size: int) -> bytes:
    """That many bytes, or fewer if the other side ends before."""
    parts = []
    while size and (part := connection.recv(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def eventually(condition: Callable[[], _T], *, within: float = PATIENCE) -> _T:
    """Ask until the answer is true, and return it; a test awaits conditions, not seconds."""
    until = time.monotonic() + within
    while not (answer := condition()):
        assert time.monotonic() < until, f"still not true after {within} s"
        os.sched_yield()
    return answer


@contextmanager
def echo_server(
    name: str, port: int, family: socket.AddressFamily = socket.AF_INET
) -> Iterator[list[str]]:
    """A TCP server in a namespace that sends back what it gets; yields the callers' addresses."""

    def listen() -> socket.socket:
        return socket.create_server(("", port), family=family, backlog=256)

    callers: list[str] = []
    with system.within(path(name), listen) as listener:
        acceptor = threading.Thread(target=_accept, args=(listener, callers), name="echo")
        acceptor.start()
        try:
            yield callers
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()


def _accept(listener: socket.socket, callers: list[str]) -> None:
    echoes: list[tuple[socket.socket, threading.Thread]] = []
    with suppress(OSError):  # accept fails once the listener is shut down
        while True:
            connection, caller = listener.accept()
            callers.append(caller[0])
            echo = threading.Thread(target=_echo, args=(connection,), name="echo")
            echo.start()
            echoes.append((connection, echo))
    for connection, echo in echoes:
        with suppress(OSError):  # the other side, or the echo, closed it before
            connection.shutdown(socket.SHUT_RDWR)
        echo.join()


def _echo(connection: socket.socket) -> None:
    with connection, suppress(OSError):  # the other side is gone, which is its business
        while data := connection.recv(65536):
            connection.sendall(data)
