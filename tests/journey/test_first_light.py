"""The main job: a private endpoint between two networks with the same addresses, real bytes.

consumer 10.0.0.0/16                              provider 10.0.0.0/16
client 10.0.0.5 ──▶ endpoint 10.0.0.80 ──▶ service on an NLB ──▶ server 10.0.0.5
                                                   sees 100.64.0.0/10
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address, ip_network
from socketserver import ThreadingTCPServer
from threading import Thread

import pytest
from alibabacloud_ecs20140526 import models as ecs

from demo.cloud import REGION, wait_for
from privlink.node import system
from tests.journey.installation import (
    CLIENT,
    PORT,
    SERVER,
    Installation,
    Stage,
    consumers,
    workload,
)
from tests.kernel import lab

ENDPOINT = "10.0.0.80"


def test_a_client_reaches_a_server_of_its_own_address(stage: Stage) -> None:
    assert CLIENT == SERVER
    stage.connected_endpoint(ENDPOINT)
    assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"the first byte") == b"the first byte"


def test_curl_is_answered_by_a_web_server_behind_the_endpoint(stage: Stage) -> None:
    with web_server(stage.server.netns, 80, b"a page\n"):
        balancer = stage.cloud.load_balancer(stage.provider, [SERVER], 80)
        service = stage.cloud.service(balancer, auto_accept=True)
        stage.cloud.allow(stage.group, "tcp", "80/80")
        endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, ENDPOINT)
        stage.cloud.await_connection(endpoint, "Connected")
        page = lab.run(stage.client.netns, "curl", "-sS", "-m", "5", f"http://{ENDPOINT}/")
    assert page == "a page\n"


def test_the_server_sees_an_address_of_the_endpoint_alone(stage: Stage) -> None:
    stage.connected_endpoint(ENDPOINT)
    lab.ask(stage.client.netns, ENDPOINT, PORT)
    assert ip_address(stage.callers[-1]) in ip_network("100.64.0.0/10")


def test_the_endpoint_answers_ping_before_and_after_it_is_accepted(stage: Stage) -> None:
    service = stage.cloud.service(stage.balancer)
    endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, ENDPOINT)
    stage.cloud.await_zone(endpoint, "Wait")
    lab.ping(stage.client.netns, ENDPOINT)
    stage.cloud.accept(service, endpoint)
    stage.cloud.await_connection(endpoint, "Connected")
    lab.ping(stage.client.netns, ENDPOINT)


def test_no_byte_passes_before_the_provider_accepts(stage: Stage) -> None:
    service = stage.cloud.service(stage.balancer)
    endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, ENDPOINT)
    stage.cloud.await_zone(endpoint, "Wait")
    assert stage.cloud.connection_status(endpoint) == "Disconnected"
    with pytest.raises(ConnectionRefusedError):
        lab.connect(stage.client.netns, ENDPOINT, PORT)
    assert stage.callers == []


def test_connected_means_connected_a_hundred_times_out_of_a_hundred(stage: Stage) -> None:
    service = stage.cloud.service(stage.balancer, auto_accept=True)
    for number in range(100):
        address = f"10.0.0.{100 + number}"
        endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, address)
        stage.cloud.await_connection(endpoint, "Connected")
        # One attempt, at once; a lost first packet would cost a second and be seen.
        with lab.connect(stage.client.netns, address, PORT, timeout=0.9) as connection:
            connection.sendall(b"?")
            assert connection.recv(1) == b"?"


def test_disable_stops_running_flows_and_refuses_new_ones(stage: Stage) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
        running.sendall(b"before")
        assert lab.receive(running, 6) == b"before"
        stage.cloud.refuse(service, endpoint)
        stage.cloud.await_connection(endpoint, "Disconnected")
        with pytest.raises(ConnectionResetError):
            running.sendall(b"after")
            running.recv(1)
    with pytest.raises(ConnectionRefusedError):
        lab.connect(stage.client.netns, ENDPOINT, PORT)


def test_an_accepted_connection_opens_again_but_old_flows_stay_dead(stage: Stage) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as old:
        old.sendall(b"before")
        assert lab.receive(old, 6) == b"before"
        stage.cloud.refuse(service, endpoint)
        stage.cloud.await_connection(endpoint, "Disconnected")
        stage.cloud.accept(service, endpoint)
        stage.cloud.await_connection(endpoint, "Connected")
        with pytest.raises(ConnectionResetError):
            old.sendall(b"after")
            old.recv(1)
    assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"again") == b"again"


def test_a_security_group_decides_who_may_use_the_endpoint(stage: Stage) -> None:
    closed = stage.cloud.security_group(stage.consumer, ("tcp", "1/1"))
    service = stage.cloud.service(stage.balancer, auto_accept=True)
    endpoint = stage.cloud.endpoint(stage.consumer, service, closed, ENDPOINT)
    stage.cloud.await_connection(endpoint, "Connected")
    with pytest.raises(TimeoutError):
        lab.connect(stage.client.netns, ENDPOINT, PORT, timeout=0.3)
    stage.cloud.allow(closed, "tcp", f"{PORT}/{PORT}")
    wait_for(lambda: _reaches(stage), "the new rule to hold")


def test_a_revoked_rule_lets_no_new_flow_in_and_ends_those_that_run(stage: Stage) -> None:
    group = stage.cloud.security_group(stage.consumer, ("tcp", f"{PORT}/{PORT}"))
    service = stage.cloud.service(stage.balancer, auto_accept=True)
    endpoint = stage.cloud.endpoint(stage.consumer, service, group, ENDPOINT)
    stage.cloud.await_connection(endpoint, "Connected")
    with lab.connect(stage.client.netns, ENDPOINT, PORT) as running:
        running.sendall(b"before")
        assert lab.receive(running, 6) == b"before"
        stage.cloud.ecs.revoke_security_group(
            ecs.RevokeSecurityGroupRequest(
                region_id=REGION,
                security_group_id=group,
                ip_protocol="tcp",
                port_range=f"{PORT}/{PORT}",
                source_cidr_ip="10.0.0.0/8",
            )
        )
        wait_for(lambda: not _reaches(stage, timeout=0.3), "the rule to be gone")
        with pytest.raises(ConnectionResetError):
            running.sendall(b"after")
            running.recv(1)


def test_new_flows_are_spread_over_all_servers(installation: Installation, stage: Stage) -> None:
    with (
        workload(installation, stage.provider, "second", "10.0.0.6") as second,
        lab.echo_server(second.netns, PORT) as everybody,
    ):
        balancer = stage.cloud.load_balancer(stage.provider, [SERVER, "10.0.0.6"], PORT)
        service = stage.cloud.service(balancer, auto_accept=True)
        endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, ENDPOINT)
        stage.cloud.await_connection(endpoint, "Connected")
        for _ in range(64):
            assert lab.ask(stage.client.netns, ENDPOINT, PORT, b"x") == b"x"
        second_callers = consumers(everybody)
        # 64 fair coins: fewer than 10 of a kind happens once in a thousand million runs.
        assert min(len(stage.callers), len(second_callers)) >= 10
        assert len(stage.callers) + len(second_callers) == 64


def _reaches(stage: Stage, timeout: float = 5) -> bool:
    try:
        with lab.connect(stage.client.netns, ENDPOINT, PORT, timeout=timeout) as connection:
            connection.sendall(b"x")
            return lab.receive(connection, 1) == b"x"
    except OSError:
        return False


@contextmanager
def web_server(netns: str, port: int, page: bytes) -> Iterator[None]:
    """An HTTP server in a namespace with one page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with system.within(lab.path(netns), lambda: ThreadingTCPServer(("", port), Page)) as server:
        serving = Thread(target=server.serve_forever, name="web")
        serving.start()
        try:
            yield
        finally:
            server.shutdown()
            serving.join()
