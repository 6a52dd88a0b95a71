"""Traffic needs neither server nor node: killed under a running transfer, they come back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.journey.installation import PORT, Installation, Stage
from tests.kernel import lab

ENDPOINT = "10.0.0.80"
MODULES = ("privlink.server", "privlink.node")


def test_kill_9_breaks_no_connection_and_changes_no_state(
    installation: Installation, stage: Stage
) -> None:
    _, endpoint = stage.connected_endpoint(ENDPOINT)
    before = picture(installation)
    enough = Event()
    with (
        lab.connect(stage.client.netns, ENDPOINT, PORT, timeout=20) as running,
        ThreadPoolExecutor() as pool,
    ):
        transfer = pool.submit(_transfer, running, enough)
        for module in MODULES:
            os.kill(installation.process(module), signal.SIGKILL)
        for number in range(20):  # while both are dead or coming back
            assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"%d" % number) == b"%d" % number
        lab.eventually(installation.is_ready)
        enough.set()
        sent, received = transfer.result()
    assert sent == received
    assert picture(installation) == before
    assert stage.cloud.connection_status(endpoint) == "Connected"


def test_after_a_stop_traffic_goes_on_and_a_start_finds_it(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    before = picture(installation)
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
        installation.run("down")
        running.sendall(b"still")
        assert lab.receive(running, 5) == b"still"
        assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"new") == b"new"
        installation.up()
        running.sendall(b"here")
        assert lab.receive(running, 4) == b"here"
    assert picture(installation) == before


def test_what_was_refused_while_the_node_was_dead_is_refused_when_it_is_back(
    installation: Installation, stage: Stage
) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    os.kill(installation.process("privlink.node"), signal.SIGKILL)
    stage.cloud.refuse(service, endpoint)
    stage.cloud.await_connection(endpoint, "Disconnected")
    with pytest.raises(ConnectionRefusedError):
        lab.connect(stage.client.netns, ENDPOINT, PORT)


def picture(installation: Installation) -> object:
    """What a user sees of everything there is, but for times and counters.

    Revisions go on: servers of other stages, which are gone, leave answers to names.
    """
    status = json.loads(installation.run("status", "-o", "json"))
    return status["Endpoints"], status["Attachments"], status["Faults"]


def _transfer(connection: socket.socket, enough: Event) -> tuple[str, str]:
    """Send through the echo until it is enough; the digests of what went and what came."""
    sent, received = hashlib.sha256(), hashlib.sha256()
    while not enough.is_set():
        block = os.urandom(65536)
        connection.sendall(block)
        sent.update(block)
        received.update(lab.receive(connection, len(block)))
    return sent.hexdigest(), received.hexdigest()
