"""A provider's word on how many flows there may be, as a client feels it."""

from __future__ import annotations

import pytest

from tests.journey.installation import PORT, Installation, Stage
from tests.kernel import lab

ENDPOINT = "10.0.0.80"
MOMENT = 0.3  # seconds in which a packet that passes would have passed


def test_no_more_flows_than_the_service_allows(installation: Installation, stage: Stage) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)

    def modify(*options: str) -> None:
        installation.run("service-traffic", service, *options)
        stage.cloud.await_connection(endpoint, "Connected")

    with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
        modify("--max-flows", "1")
        with pytest.raises(OSError):
            lab.connect(stage.client.netns, ENDPOINT, PORT, timeout=MOMENT)
        running.sendall(b"still")
        assert lab.receive(running, 5) == b"still"
        modify("--max-flows", "2")
        assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"room") == b"room"
        modify("--reset", "max-flows")
        running.sendall(b"still")
        assert lab.receive(running, 5) == b"still"


def test_no_more_new_flows_in_a_second_than_the_service_allows(
    installation: Installation, stage: Stage
) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    installation.run("service-traffic", service, "--max-new-flows", "1")
    stage.cloud.await_connection(endpoint, "Connected")

    def dial() -> bool:
        # In time: what was refused is asked for again by the client's kernel after a second.
        try:
            lab.connect(stage.client.netns, ENDPOINT, PORT, timeout=MOMENT).close()
        except OSError:
            return False
        return True

    assert not all(dial() for _ in range(20))
    installation.run("service-traffic", service, "--reset", "max-new-flows")
    stage.cloud.await_connection(endpoint, "Connected")
    assert all(dial() for _ in range(20))


def test_a_flow_is_silent_for_as_long_as_its_service_allows(
    installation: Installation, stage: Stage
) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as before:
        installation.run("service-traffic", service, "--tcp-idle", "10")
        stage.cloud.await_connection(endpoint, "Connected")
        with lab.connect(stage.client.netns, ENDPOINT, PORT) as silent:
            silent.sendall(b"last")
            assert lab.receive(silent, 4) == b"last"
            silent.settimeout(60)
            with pytest.raises(ConnectionResetError):
                silent.recv(1)
        before.sendall(b"still")
        assert lab.receive(before, 5) == b"still"
