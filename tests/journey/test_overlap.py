"""Twenty consumers, all 10.0.0.0/16, all calling from 10.0.0.5, on one service at once."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.journey.installation import CLIENT, PORT, Installation, Stage, Workload, workload
from tests.kernel import lab

CONSUMERS = 20
ENDPOINT = "10.0.0.80"


def test_the_server_tells_twenty_equal_consumers_apart(
    installation: Installation, stage: Stage
) -> None:
    service = stage.cloud.service(stage.balancer, auto_accept=True)
    with ExitStack() as stack:

        def consumer(number: int) -> Workload:
            network = stage.cloud.network(f"consumer-{number}")
            group = stage.cloud.security_group(network, ("tcp", f"{PORT}/{PORT}"))
            endpoint = stage.cloud.endpoint(network, service, group, ENDPOINT)
            client = stack.enter_context(workload(installation, network, "client", CLIENT))
            stage.cloud.await_connection(endpoint, "Connected")
            return client

        clients = [consumer(number) for number in range(CONSUMERS)]
        everybody = [
            stack.enter_context(lab.connect(client.netns, ENDPOINT, PORT)) for client in clients
        ]
        with ThreadPoolExecutor(CONSUMERS) as pool:
            answers = pool.map(_exchange, everybody, range(CONSUMERS))
        assert list(answers) == [f"I am {number}".encode() for number in range(CONSUMERS)]
        assert len(set(stage.callers)) == CONSUMERS


def _exchange(connection: socket.socket, number: int) -> bytes:
    said = f"I am {number}".encode()
    connection.sendall(said)
    return lab.receive(connection, len(said))
