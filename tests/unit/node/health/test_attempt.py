"""One check of one server, over real sockets on the loopback. Thousands, and the way to them, are
tried in tests/kernel/test_health.py."""

from __future__ import annotations

import select
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from privlink.model.items import Check, CheckKind
from privlink.node.health.attempt import Attempt
from privlink.node.health.checks import GOOD, Verdict, request
from privlink.node.health.probes import FIRST_NUMBER, Probe

PATIENCE = 10.0  # seconds
LOOPBACK = "127.0.0.1"
RESET = struct.pack("ii", 1, 0)

TCP, HTTP, UDP = Check(CheckKind.TCP), Check(CheckKind.HTTP), Check(CheckKind.UDP)


def outcome(port: int, check: Check, *, expires: bool = False) -> Verdict:
    """What a check of a port of this host comes to; with `expires` nothing may come of it."""
    probe = Probe(FIRST_NUMBER, LOOPBACK, port, check, request(check, LOOPBACK))
    attempt = Attempt(probe)
    with closing(attempt.socket) as asking, selectors.DefaultSelector() as selector:
        while True:
            selector.register(asking, attempt.events)
            ready = selector.select(0.2 if expires else PATIENCE)
            selector.unregister(asking)
            if not ready:
                assert expires, "nothing came of it"
                return attempt.expire()
            if (verdict := attempt.go_on()) is not None:
                assert not expires
                return verdict


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does with a connection as it is told; yields its port."""
    ending = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ending.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                connection.settimeout(PATIENCE)
                with connection, suppress(OSError):  # the asker hangs up as it likes
                    behave(connection)

    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.settimeout(0.02)
        serving = threading.Thread(target=serve, args=(listener,))
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ending.set()
            serving.join()


def asked(connection: socket.socket) -> None:
    """Take the whole question."""
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        said += connection.recv(4096)


def answers(*parts: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        asked(connection)
        for part in parts:
            connection.sendall(part)

    return behave


def hang_up(connection: socket.socket) -> None:
    """The kernel has accepted; nobody talks."""


def reset(connection: socket.socket) -> None:
    asked(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def trickle(connection: socket.socket) -> None:
    asked(connection)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"HTTP/1.1 200 OK":
        connection.sendall(bytes([byte]))


def flood(connection: socket.socket) -> None:
    asked(connection)
    while True:
        connection.sendall(b"A" * 65536)


def hold(connection: socket.socket) -> None:
    """Say nothing until the asker has had enough."""
    asked(connection)
    select.select([connection], [], [], PATIENCE)


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


def test_to_connect_is_enough_for_tcp() -> None:
    with server(hang_up) as port:
        assert outcome(port, TCP) == GOOD


@pytest.mark.parametrize("check", [TCP, HTTP, UDP])
def test_where_nobody_listens_the_host_says_so(check: Check) -> None:
    assert outcome(free_port(), check).why == "CONNECT_FAILED: Connection refused"


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (answers(b"HTTP/1.1 200 OK\r\n\r\n"), ""),
        (trickle, ""),
        (answers(b"HTTP/1.1 500 Oh\r\n\r\n"), "HTTP_CODE_NOT_MATCH: status 500, not http_2xx"),
        (answers(b"\x00" * 100), "HTTP_INVALID_HEADER: "),
        (flood, "HTTP_INVALID_HEADER: "),
        (answers(), "CONNECT_INTERRUPT: "),
        (answers(b"HTTP/1.1"), "CONNECT_INTERRUPT: "),
        (reset, "CONNECT_INTERRUPT: Connection reset by peer"),
    ],
)
def test_what_a_server_of_http_does_and_what_it_means(
    behave: Callable[[socket.socket], None], why: str
) -> None:
    with server(behave) as port:
        verdict = outcome(port, HTTP)
    assert verdict.why.startswith(why)
    assert verdict.good is (why == "")


def test_a_server_that_says_nothing_is_not_waited_for_beyond_the_timeout() -> None:
    with server(hold) as port:
        verdict = outcome(port, HTTP, expires=True)
    assert verdict.why == "RECV_RESPONSE_TIMEOUT: no answer in 5 s"


def test_a_datagram_that_is_not_answered_is_good_unless_an_answer_is_expected() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        port = silent.getsockname()[1]
        assert outcome(port, UDP, expires=True) == GOOD
        expecting = Check(CheckKind.UDP, request="ping", expected="pong")
        verdict = outcome(port, expecting, expires=True)
        assert verdict.why.startswith("RECV_RESPONSE_TIMEOUT: ")
        heard = silent.recv(100), silent.recv(100)
    assert heard == (b"privlink health check", b"ping")


def test_other_datagrams_are_passed_over_until_the_expected_one_comes() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answering:
        answering.bind((LOOPBACK, 0))
        answering.settimeout(PATIENCE)

        def serve() -> None:
            _, caller = answering.recvfrom(100)
            for said in (b"", b"x" * 60000, b"pong"):
                answering.sendto(said, caller)

        serving = threading.Thread(target=serve)
        serving.start()
        expecting = Check(CheckKind.UDP, request="ping", expected="pong")
        assert outcome(answering.getsockname()[1], expecting) == GOOD
        serving.join()


def test_what_this_host_refuses_is_no_verdict() -> None:
    probe = Probe(FIRST_NUMBER, "255.255.255.255", 80, TCP, b"")
    with pytest.raises(OSError, match=r"unreachable|denied"):
        Attempt(probe)
