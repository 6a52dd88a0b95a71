"""The client beside connections that end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from privlink.client import Client

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REFUSAL = b'{"Code":"SignatureNonceUsed"}'
USED = b"HTTP/1.1 400 Bad Request\r\ncontent-length: %d\r\n\r\n%b" % (len(REFUSAL), REFUSAL)


@contextmanager
def server(*connections: str) -> Iterator[tuple[str, list[bytes]]]:
    """A server by its URL, and the requests that it heard.

    For each connection, what becomes of each of its requests: it is answered (a), refused as one
    that was heard before (u), or ends the connection instead (-).
    """
    heard: list[bytes] = []

    def serve() -> None:
        for deeds in connections:
            connection, _ = listening.accept()
            with closing(connection):
                for deed in deeds:
                    heard.append(read(connection))
                    if deed != "-":
                        connection.sendall(ANSWER if deed == "a" else USED)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heard
        thread.join()


def read(connection: socket.socket) -> bytes:
    """One request."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0].partition(b":")[2]):
        body += connection.recv(65536)
    return head + body


def test_what_meets_the_end_of_a_kept_connection_is_sent_once_more_as_it_is() -> None:
    with server("a-", "a") as (url, heard), closing(Client(url, "key", "secret")) as client:
        assert client.call("One") == {}
        assert client.call("Two", Name="x") == {}
    assert len(heard) == 3
    assert heard[1] == heard[2]  # nonce and signature too


def test_what_a_new_connection_does_not_answer_is_told() -> None:
    with (
        server("-") as (url, heard),
        closing(Client(url, "key", "secret")) as client,
        pytest.raises(OSError, match="no answer"),
    ):
        client.call("One")
    assert len(heard) == 1


def test_what_was_heard_the_first_time_is_not_answered_any_more() -> None:
    with (
        server("a-", "u") as (url, heard),
        closing(Client(url, "key", "secret")) as client,
    ):
        client.call("One")
        with pytest.raises(OSError, match="no answer"):
            client.call("Two")
    assert heard[1] == heard[2]
