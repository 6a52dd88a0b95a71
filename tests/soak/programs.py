"""The load: programs in workloads that count what they send and receive, and judge how flows end.

A hazard is what the script does to some flows, from before it begins until it has worked out: a
flow that ends while no hazard is upon it is a failure, and so is one that ends but by a reset.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from privlink.node import system
from tests.kernel import lab

TALK, RULED, DATAGRAMS = 7000, 7001, 7002  # ports; what the rules forbid for a while is the second
NAME = 4  # bytes of a server's greeting: its address
MOST = 4096  # bytes of one message
PAUSE = 0.1  # seconds between two messages
DIAL = 10.0  # seconds for a connection
FIRST_PORT, PORTS = 10_000, 8_000  # of UDP sockets, so many for each zone
TOTAL_RETRANS = 100  # where it stands in struct tcp_info, linux/tcp.h
LOST = 30.0  # seconds after which what has not come is lost


@dataclass(frozen=True)
class Place:
    """An endpoint's address in a zone, and the namespace it is called from."""

    endpoint: str
    zone: str
    address: str
    client: str


@dataclass
class Books:
    """What the programs counted at one place; bytes are payload."""

    attempted: int = 0  # connections, and UDP sockets
    insisted: int = 0  # SYNs sent again: each may open a flow, where its server died of the first
    opened: int = 0
    refused: int = 0  # that a hazard explains
    resets: int = 0  # that a hazard explains
    exchanges: int = 0
    sent: int = 0
    received: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **numbers: int) -> None:
        with self.lock:
            for name, number in numbers.items():
                setattr(self, name, getattr(self, name) + number)


@dataclass
class Hazard:
    """Whom the script may hurt, and when; `server` is known of no connection before it is made."""

    why: str
    endpoint: str | None = None
    zone: str | None = None
    port: int | None = None
    server: str | None = None
    begun: float = field(default_factory=time.monotonic)
    over: float | None = None

    def covers(self, place: Place, port: int, server: str | None) -> bool:
        """Whether a flow is among those it may hurt."""
        pairs = (
            (self.endpoint, place.endpoint),
            (self.zone, place.zone),
            (self.port, port),
            (self.server, server or self.server),
        )
        return all(asked in (None, found) for asked, found in pairs)


class Watch:
    """What all programs share: when to stop, the hazards, the books, and the failures."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.stopping = threading.Event()
        self.failures: list[str] = []
        self.books: dict[tuple[str, str], Books] = {}
        self._hazards: list[Hazard] = []

    def book(self, place: Place) -> Books:
        return self.books.setdefault((place.endpoint, place.zone), Books())

    @contextmanager
    def hazard(self, hazard: Hazard) -> Iterator[Hazard]:
        """Let some flows end as long as this lasts."""
        self._hazards.append(hazard)
        try:
            yield hazard
        finally:
            hazard.over = time.monotonic()

    def explains(self, place: Place, port: int, server: str | None, since: float) -> bool:
        """Whether a hazard was upon a flow at any time since it was last seen alive."""
        return any(
            each.covers(place, port, server) and (each.over is None or each.over >= since)
            for each in list(self._hazards)
        )

    def fail(self, what: str) -> None:
        self.failures.append(what)
        print(f"FAILED, seed {self.seed}: {what}", flush=True)


class Echo:
    """A server's program on one port: greets with its address, sends back what it gets."""

    def __init__(self, netns: str, address: str, port: int) -> None:
        self.address, self.port = address, port
        self._netns = netns
        self._name = socket.inet_aton(address)
        self._running: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.listen()

    def listen(self) -> None:
        """Take connections, till `deafen`."""

        def open_listener() -> socket.socket:
            return socket.create_server(("", self.port), backlog=256)

        self._listener = listener = system.within(lab.path(self._netns), open_listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def deafen(self) -> None:
        """Take no connections any more; those there are go on."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def close(self) -> None:
        self.deafen()
        for connection in list(self._running):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._running.add(connection)
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(self._name)
            while data := connection.recv(65536):
                connection.sendall(data)
        self._running.discard(connection)


class Program:
    """A thread in a client's namespace that works until it is told to stop."""

    def __init__(self, watch: Watch, place: Place, port: int, seed: str) -> None:
        self.watch, self.place, self.port = watch, place, port
        self.books = watch.book(place)
        self.random = random.Random(seed)
        self._thread = threading.Thread(target=self._enter, name=str(self), daemon=True)

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.place.endpoint} {self.place.zone} {self.port}"

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(2 * LOST)
        if self._thread.is_alive():
            self.watch.fail(f"{self} does not end")

    def turn(self) -> None:
        raise NotImplementedError

    def _enter(self) -> None:
        def work() -> None:
            while not self.watch.stopping.is_set():
                self.turn()

        try:
            system.within(lab.path(self.place.client), work)
        except Exception as error:  # a thread's, which would end unseen
            self.watch.fail(f"{self}: {error!r}")


def dial(program: Program) -> tuple[socket.socket, str] | None:
    """A connection and whom it led to; None where a hazard kept it from being made."""
    books, place, began = program.books, program.place, time.monotonic()
    books.add(attempted=1)
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(DIAL)
    try:
        connection.connect((place.address, program.port))
    except OSError as error:
        if not program.watch.explains(place, program.port, None, began):
            program.watch.fail(f"{program}: no connection: {error!r}")
        books.add(refused=1, insisted=sent_again(connection))
        connection.close()
        return None
    books.add(opened=1, insisted=sent_again(connection))
    connection.settimeout(LOST)
    try:
        name = lab.receive(connection, NAME)
        if len(name) != NAME:
            raise EOFError("the end instead of a greeting")
    except (OSError, EOFError) as error:
        judge(program, None, began, error)
        connection.close()
        return None
    books.add(received=NAME)
    return connection, socket.inet_ntoa(name)


def sent_again(connection: socket.socket) -> int:
    """Segments that a TCP connection has sent more than once."""
    known = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS + 4)
    return int.from_bytes(known[TOTAL_RETRANS:], sys.byteorder)


def judge(program: Program, server: str | None, since: float, error: Exception) -> None:
    """Whether a flow was to end, and so."""
    books, watch = program.books, program.watch
    if not watch.explains(program.place, program.port, server, since):
        watch.fail(f"{program} with {server}: ended, though nobody touched it: {error!r}")
    elif not isinstance(error, ConnectionResetError | BrokenPipeError):
        watch.fail(f"{program} with {server}: ended, but by no reset: {error!r}")
    else:
        books.add(resets=1)


class Talk(Program):
    """A long conversation; when it was ended, another."""

    server: str | None = None  # while it lives
    born = alive = 0.0  # when it was made, and last began an exchange that went well
    ended: tuple[str, float] = ("", 0.0)  # the last: with whom, and when

    def turn(self) -> None:
        made = dial(self)
        if made is None:
            self.watch.stopping.wait(PAUSE)
            return
        connection, server = made
        self.born = self.alive = time.monotonic()
        self.server = server
        with connection:
            try:
                while not self.watch.stopping.wait(self.random.uniform(0, 2 * PAUSE)):
                    began = time.monotonic()
                    exchange(self, connection)
                    self.alive = began
            except (OSError, EOFError) as error:
                judge(self, server, self.alive, error)
                self.ended = server, time.monotonic()
        self.server = None


class Visit(Program):
    """Short connections, one after the other."""

    server: str | None = None  # the last that was met

    def turn(self) -> None:
        self.visit()
        self.watch.stopping.wait(self.random.uniform(0, 4 * PAUSE))

    def visit(self) -> None:
        """One connection with one exchange."""
        began = time.monotonic()
        made = dial(self)
        if made is None:
            return
        connection, self.server = made
        with connection:
            try:
                exchange(self, connection)
            except (OSError, EOFError) as error:
                judge(self, self.server, began, error)


class Datagrams(Program):
    """UDP there and back, from another port now and then; all of it has to come."""

    ports = 0  # used so far

    def turn(self) -> None:
        # Never the same port again while the flow from it may still be in the table.
        zone = int(self.place.address.split(".")[2])
        port = FIRST_PORT + zone * PORTS + self.ports % PORTS
        self.ports += 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as calling:
            calling.bind(("", port))
            calling.connect((self.place.address, self.port))
            calling.settimeout(LOST)
            self.books.add(attempted=1, opened=1)
            for _ in range(self.random.randint(1, 60)):
                if not self._ask(calling):
                    return
                if self.watch.stopping.wait(self.random.uniform(0, PAUSE)):
                    return

    def _ask(self, calling: socket.socket) -> bool:
        """One there and back; whether it came."""
        payload = os.urandom(self.random.randint(0, 1400))
        calling.send(payload)
        self.books.add(sent=len(payload), exchanges=1)
        try:
            found = calling.recv(2000)
        except OSError as error:
            self.watch.fail(f"{self}: a datagram was lost: {error!r}")
            return False
        self.books.add(received=len(found))
        if found != payload:
            self.watch.fail(f"{self}: another datagram came back")
        return True


def exchange(program: Program, connection: socket.socket) -> None:
    """A message there and back. Raises OSError and EOFError."""
    message = os.urandom(program.random.randint(1, MOST))
    program.books.add(sent=len(message), exchanges=1)
    connection.sendall(message)
    back = lab.receive(connection, len(message))
    program.books.add(received=len(back))
    if len(back) < len(message):
        raise EOFError("the end instead of an echo")
    if back != message:
        program.watch.fail(f"{program}: other bytes came back")


def live(talks: list[Talk], since: float) -> Callable[[], bool]:
    """Whether all of these conversations were made, or went on, after a moment."""
    return lambda: all(each.server is not None and each.alive >= since for each in talks)
