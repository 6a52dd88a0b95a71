"""Names of endpoints, asked for on the host and inside of a VPC, while processes come and go."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
from alibabacloud_privatelink20200415 import models

from demo.cloud import REGION
from privlink.config import DEFAULT_DNS_LISTEN
from privlink.node import system
from tests.journey.installation import Installation, Stage
from tests.journey.installation import stage as built
from tests.journey.test_rights import fields
from tests.kernel import lab

ENDPOINT = "10.0.0.80"
RESOLVER = "100.100.2.136"


def on_host(installation: Installation, name: str) -> Any:
    """The answer at --dns-listen; None where there is none."""
    host, _, port = installation.dns.partition(":")
    return ask(name, host, int(port))


def in_vpc(stage: Stage, name: str, *, stream: bool = False) -> Any:
    """The answer inside of the consumer's VPC."""
    inside = lab.path(stage.client.netns)
    return system.within(inside, lambda: ask(name, RESOLVER, 53, stream=stream))


def ask(name: str, address: str, port: int, *, stream: bool = False) -> Any:
    query = dns.message.make_query(name, "A")
    call = dns.query.tcp if stream else dns.query.udp
    try:
        return call(query, address, port=port, timeout=1)
    except (OSError, dns.exception.Timeout):
        return None


def addresses(answer: Any) -> list[str]:
    return [] if answer is None else [each.to_text() for rrset in answer.answer for each in rrset]


def domain_of(stage: Stage, endpoint: str) -> str:
    """The name that the API says an endpoint has."""
    request = models.GetVpcEndpointAttributeRequest(region_id=REGION, endpoint_id=endpoint)
    name: str = stage.cloud.privatelink.get_vpc_endpoint_attribute(request).body.endpoint_domain
    return name


def test_a_name_is_there_when_its_connection_is_and_goes_with_it(
    installation: Installation, stage: Stage
) -> None:
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    name = domain_of(stage, endpoint)
    assert addresses(on_host(installation, name)) == [ENDPOINT]
    assert addresses(in_vpc(stage, name)) == [ENDPOINT]
    assert addresses(in_vpc(stage, name, stream=True)) == [ENDPOINT]
    stage.cloud.refuse(service, endpoint)
    stage.cloud.await_connection(endpoint, "Disconnected")
    lab.eventually(lambda: in_vpc(stage, name).rcode() == dns.rcode.NXDOMAIN)


def test_names_are_answered_whoever_is_killed(installation: Installation, stage: Stage) -> None:
    _, endpoint = stage.connected_endpoint(ENDPOINT)
    name = domain_of(stage, endpoint)
    for module in ("privlink.server", "privlink.node"):
        os.kill(installation.process(module), signal.SIGKILL)
        for _ in range(20):  # while it is dead or coming back
            assert addresses(on_host(installation, name)) == [ENDPOINT]
            assert addresses(in_vpc(stage, name)) == [ENDPOINT]
    lab.eventually(installation.is_ready)
    os.kill(installation.process("privlink.dns"), signal.SIGKILL)
    lab.eventually(lambda: addresses(on_host(installation, name)) == [ENDPOINT])
    lab.eventually(lambda: addresses(in_vpc(stage, name)) == [ENDPOINT])


def test_whoever_answers_has_no_rights_and_a_user_of_its_own(installation: Installation) -> None:
    status, servers = (
        fields(Path(f"/proc/{installation.process(module)}/status"))
        for module in ("privlink.dns", "privlink.server")
    )
    uids = set(map(int, status["Uid"].split()))
    assert len(uids) == 1
    assert 61184 <= min(uids) <= 65519
    assert uids.isdisjoint(map(int, servers["Uid"].split()))
    assert status["Groups"] == ""
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[capabilities], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_an_address_that_is_taken_is_refused_with_the_way_out(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                taken.listen()
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            refused = own.attempt("up", "--listen", own.listen, "--dns-listen", where)
            assert refused.returncode == 1
            assert f"cannot answer names on {where}" in refused.stderr
            assert "--dns-listen" in refused.stderr


def test_where_nobody_chose_the_address_it_is_gone_without(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    host, _, port = DEFAULT_DNS_LISTEN.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        with suppress(OSError):  # somebody has it already
            taken.bind((host, int(port)))
        begun = own.attempt("up", "--detach", "--listen", own.listen, check=True)
        try:
            assert f"cannot answer names on {DEFAULT_DNS_LISTEN}" in begun.stderr
            assert "--dns-listen" in begun.stderr
            assert own.is_ready()
        finally:
            own.tear_down()


def test_settings_that_cannot_be_are_refused_before_anything_starts(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    for option, value in (("--dns-listen", "localhost:53"), ("--dns-upstream", own.dns)):
        refused = own.attempt("up", "--dns-listen", own.dns, option, value)
        assert refused.returncode == 1
        assert option in refused.stderr
    assert not own.state.exists() or not any(own.state.iterdir())


def test_other_names_are_asked_of_whom_the_operator_names(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
        upstream.bind(("127.0.0.1", 0))
        upstream.settimeout(lab.PATIENCE)
        own.up("--dns-upstream", f"127.0.0.1:{upstream.getsockname()[1]}")
        try:
            with built(own) as ready, ThreadPoolExecutor() as pool:
                asking = pool.submit(in_vpc, ready, "www.example.com")
                wire, where = upstream.recvfrom(4096)
                question = dns.message.from_wire(wire)
                answer = dns.message.make_response(question)
                answer.set_rcode(dns.rcode.NXDOMAIN)
                upstream.sendto(answer.to_wire(), where)
                assert asking.result().rcode() == dns.rcode.NXDOMAIN
            assert question.question[0].name.to_text() == "www.example.com."
        finally:
            own.tear_down()
