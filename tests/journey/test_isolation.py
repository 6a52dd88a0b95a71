"""What must not pass, attacked from both sides with real packets.

client 10.0.0.5 ──▶ endpoint 10.0.0.80:7000 ──▶ server 10.0.0.5:7000     and nothing else
"""

from __future__ import annotations

import json
import socket

import pytest

from privlink.node import system
from tests.journey.installation import PORT, Installation, Stage, workload
from tests.kernel import lab

ENDPOINT = "10.0.0.80"
MOMENT = 0.3  # seconds in which a packet that passes would have passed


def test_the_server_cannot_open_a_connection_to_the_client(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    with lab.echo_server(stage.client.netns, PORT) as reached:
        # Over the very address and port that a running flow comes from, too.
        with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
            running.sendall(b"x")
            assert running.recv(1) == b"x"
            source = stage.callers[-1]
            for port in (PORT, running.getsockname()[1]):
                with pytest.raises(OSError):
                    lab.connect(stage.server.netns, source, port, timeout=MOMENT)
            running.sendall(b"y")
            assert running.recv(1) == b"y"
        assert reached == []
    lab.eventually(lambda: drops(installation).get("no_route", 0) > 0)


def test_the_server_cannot_answer_a_flow_from_another_port(stage: Stage) -> None:
    stage.connected_endpoint(ENDPOINT)
    with (
        lab.echo_server(stage.server.netns, PORT + 1) as unasked,
        lab.connect(stage.client.netns, ENDPOINT, PORT) as running,
    ):
        running.sendall(b"x")
        assert running.recv(1) == b"x"
        port = running.getsockname()[1]

        def from_other_port() -> None:
            with socket.socket() as stray:
                stray.settimeout(MOMENT)
                stray.bind(("", PORT + 2))
                stray.connect((stage.callers[-1], port))

        with pytest.raises(OSError):
            system.within(lab.path(stage.server.netns), from_other_port)
        assert unasked == []


@pytest.mark.parametrize("port", [PORT - 1, PORT + 1, 1, 65535])
def test_a_port_without_listener_is_refused_at_once(stage: Stage, port: int) -> None:
    stage.connected_endpoint(ENDPOINT)
    stage.cloud.allow(stage.group, "tcp", "1/65535")
    with lab.echo_server(stage.server.netns, port) as reached:
        # Once the listener's port opens, the new rule holds for the others as well.
        assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"x") == b"x"
        with pytest.raises((ConnectionRefusedError, TimeoutError)):
            lab.connect(stage.client.netns, ENDPOINT, port, timeout=MOMENT)
        assert reached == []


def test_no_other_address_of_the_provider_is_reached(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    with (
        workload(installation, stage.provider, "bystander", "10.0.0.6") as bystander,
        lab.echo_server(bystander.netns, PORT) as reached,
    ):
        for address in ("10.0.0.6", "10.0.0.253", "100.64.0.1"):
            with pytest.raises(OSError):
                lab.connect(stage.client.netns, address, PORT, timeout=MOMENT)
        assert reached == []


def test_another_consumer_cannot_use_an_endpoint_that_is_not_in_its_vpc(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    stranger = stage.cloud.network("stranger")
    with workload(installation, stranger, "stranger", "10.0.0.5") as other:
        before = len(stage.callers)
        with pytest.raises(OSError):
            lab.connect(other.netns, ENDPOINT, PORT, timeout=MOMENT)
        assert len(stage.callers) == before
        assert other.address not in stage.everybody


def test_a_neighbour_is_reached_over_the_switch_as_ever(
    installation: Installation, stage: Stage
) -> None:
    with workload(installation, stage.provider, "neighbour", "10.0.0.6") as neighbour:
        assert lab.ask(neighbour.netns, stage.server.address, PORT, b"hi") == b"hi"
        assert "10.0.0.6" in stage.everybody


def test_a_workload_cannot_pretend_to_be_another(installation: Installation, stage: Stage) -> None:
    stage.connected_endpoint(ENDPOINT)
    netns = stage.client.netns
    lab.run(netns, "ip", "addr", "add", "10.0.0.9/24", "dev", "eth0")
    before = drops(installation).get("spoofed_source", 0)

    def dial() -> socket.socket:
        return socket.create_connection((ENDPOINT, PORT), MOMENT, ("10.0.0.9", 0))

    with pytest.raises(OSError):
        system.within(lab.path(netns), dial)
    lab.eventually(lambda: drops(installation).get("spoofed_source", 0) > before)


def drops(installation: Installation) -> dict[str, int]:
    """Dropped packets by reason, as `privlink status` shows them."""
    status = json.loads(installation.run("status", "-o", "json"))
    found: dict[str, int] = status["Nodes"][0]["Drops"]
    return found
