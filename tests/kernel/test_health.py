"""The node asks servers whether they are well, on the real kernel; only the API is a stand-in.

    client 10.0.0.5 ── sw1, VPC 1 ── endpoint 10.0.0.9 ══ forward 7 ══ VPC 2, sw2 ┬─ server 10.0.0.5
                                                                                  └─ backup 10.0.0.6
                                     probes ══ load balancer 10.0.0.100 ══ VPC 2

Both networks are 10.0.0.0/24. The server's health decides who answers the client.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from privlink.model.items import (
    Attachment,
    Balancer,
    Check,
    CheckKind,
    Filter,
    Forward,
    Item,
    Listener,
    Opening,
    Protocol,
    Rule,
    Segment,
    Server,
)
from privlink.node import system
from privlink.node.health.probe_namespace import PROBES, probe_namespace_name
from privlink.node.health.standing import Place
from privlink.node.links import fabric_name
from privlink.node.plug import Ipv6, Port, plug, unplug
from privlink.node.purge import purge, traces
from tests.kernel import lab
from tests.kernel.feedbox import Feedbox
from tests.kernel.test_agent import Node

CIDR, GATEWAY = "10.0.0.0/24", "10.0.0.253"
CIDR6, GATEWAY6 = "fd00:10::/64", "fd00:10::fd"
ENDPOINT, FRONT, FRONT6 = "10.0.0.9", "10.0.0.100", "fd00:10::100"
SERVER, BACKUP = "10.0.0.5", "10.0.0.6"
SERVER6 = "fd00:10::5"
KEY = "balancer/nlb-1/local-a"

CHECK = Check(CheckKind.TCP, interval=1, timeout=1, rise=2, fall=2)


def attachment(number: int, network: int, host: int) -> Attachment:
    return Attachment(
        number, network, network, CIDR, f"10.0.0.{host}", f"02:00:00:00:{network:02x}:{host:02x}",
        CIDR6, f"fd00:10::{host}",
    )  # fmt: skip


WORKLOADS = {
    "client": attachment(1, 1, 5),
    "server": attachment(2, 2, 5),
    "backup": attachment(3, 2, 6),
}


def balancer(
    *servers: Server, check: Check = CHECK, protocol: Protocol = Protocol.TCP, number: int = 3
) -> Balancer:
    group = Listener(protocol, 80, 80, servers, group="sgp-1", check=check)
    return Balancer(
        number, (group,), 2, "local-a", FRONT, "02:00:00:00:02:64", FRONT6, opening=9
    )  # fmt: skip


TWO = balancer(Server(SERVER, 8080, 100), Server(BACKUP, 8080, 100))
ITEMS: dict[str, Item | None] = {
    "segment/one": Segment(1, 1, CIDR, GATEWAY, CIDR6, GATEWAY6),
    "segment/two": Segment(2, 2, CIDR, GATEWAY, CIDR6, GATEWAY6),
    **{f"attachment/{word}": each for word, each in WORKLOADS.items()},
    "filter/sg": Filter(4, (Rule(1, True, "ALL", "0.0.0.0/0", 0, 65535),)),
    "forward/ep": Forward(
        1, ENDPOINT, "02:00:00:00:01:09", (4,), Opening(7, 2, "100.64.0.1", 3), number=11
    ),
}


class Ward:
    """A node with a client and two servers plugged in, and what it says of these."""

    def __init__(self, node: Node, names: dict[str, str]) -> None:
        self.node = node
        self.names = names

    def plug(self, word: str) -> None:
        each = WORKLOADS[word]
        ipv6 = Ipv6(each.address6, 64, GATEWAY6, CIDR6)
        port = Port("eth0", each.mac, each.address, 24, GATEWAY, "10.0.0.0/16", ipv6=ipv6)
        plug(self.node.instance, each.number, self.names[word], port)

    def unplug(self, word: str) -> None:
        unplug(self.node.instance, WORKLOADS[word].number)

    def balance(self, item: Balancer) -> None:
        self.node.feedbox.put({KEY: item})

    def await_states(self, key: str = KEY, **states: str) -> dict[str, str]:
        """Wait until servers, named by their words, are in these states; reasons by address."""

        def address(word: str) -> str:
            each = WORKLOADS[word.removesuffix("6")]
            return each.address6 if word.endswith("6") else each.address

        def of_item(told: dict[Place, tuple[str, str]]) -> dict[str, tuple[str, str]]:
            return {at: what for (of, (_, at, _)), what in told.items() if of == key}

        wanted = {address(word): state for word, state in states.items()}
        told = self.node.feedbox.await_health(
            lambda told: wanted.items() <= {a: s for a, (s, _) in of_item(told).items()}.items()
        )
        return {at: why for at, (_, why) in of_item(told).items()}

    def answers(self) -> bytes:
        """Who answers the client on a new connection; nobody where it is refused or reset."""
        try:
            with lab.connect(self.names["client"], ENDPOINT, 80) as connection:
                return connection.recv(64)
        except ConnectionError:
            return b""


@pytest.fixture
def ward(bpf_object: Path, tmp_path: Path) -> Iterator[Ward]:
    box = Feedbox()
    box.open()
    node = Node(box, bpf_object, tmp_path / "log")
    with ExitStack() as stack:
        stack.callback(box.close)
        stack.callback(node.close)
        names = {word: stack.enter_context(lab.namespace(word)) for word in WORKLOADS}
        made = Ward(node, names)
        node.start()
        box.await_report(1)
        for word in WORKLOADS:
            made.plug(word)
        box.await_report(box.put(ITEMS), lambda report: not report.faults)
        yield made


@contextmanager
def serving(
    namespace: str,
    word: bytes,
    *,
    port: int = 8080,
    family: socket.AddressFamily = socket.AF_INET,
) -> Iterator[list[str]]:
    """A TCP server that says its name to everybody; yields the callers' addresses."""

    def listen() -> socket.socket:
        return socket.create_server(("", port), family=family, backlog=256)

    callers: list[str] = []

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, caller = listener.accept()
                callers.append(caller[0])
                with connection, suppress(OSError):
                    connection.sendall(word)

    with system.within(lab.path(namespace), listen) as listener:
        acceptor = threading.Thread(target=accept, args=(listener,))
        acceptor.start()
        try:
            yield callers
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()


@contextmanager
def answering(
    namespace: str, answer: Callable[[bytes], bytes], port: int = 8080
) -> Iterator[list[bytes]]:
    """A UDP server; yields what it was sent."""

    def listen() -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("", port))
        listener.settimeout(0.05)
        return listener

    heard: list[bytes] = []
    ending = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ending.is_set():
            with suppress(TimeoutError, OSError):
                question, caller = listener.recvfrom(2048)
                heard.append(question)
                if said := answer(question):
                    listener.sendto(said, caller)

    with system.within(lab.path(namespace), listen) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        try:
            yield heard
        finally:
            ending.set()
            server.join()


@contextmanager
def deaf(namespace: str) -> Iterator[None]:
    """The host has lost its address, and drops what comes for it without a word."""
    lab.run(namespace, "ip", "addr", "del", f"{SERVER}/24", "dev", "eth0")
    try:
        yield
    finally:
        lab.run(namespace, "ip", "addr", "add", f"{SERVER}/24", "dev", "eth0")


def test_a_server_that_stops_listening_takes_no_flows_until_it_is_back(ward: Ward) -> None:
    server, backup = ward.names["server"], ward.names["backup"]
    with serving(backup, b"backup"):
        with serving(server, b"server") as callers:
            ward.balance(TWO)
            ward.await_states(server="Healthy", backup="Healthy")
            lab.eventually(lambda: ward.answers() == b"server")
            lab.eventually(lambda: ward.answers() == b"backup")
        reasons = ward.await_states(server="Unhealthy", backup="Healthy")
        assert reasons[SERVER] == "CONNECT_FAILED: Connection refused"
        lab.eventually(lambda: [ward.answers() for _ in range(8)] == [b"backup"] * 8)
        with serving(server, b"server"):
            ward.await_states(server="Healthy", backup="Healthy")
            lab.eventually(lambda: ward.answers() == b"server")
    assert set(callers) <= {FRONT, "100.64.0.1"}
    assert FRONT in callers


def test_a_link_that_goes_is_noticed_at_once_and_so_is_its_return(ward: Ward) -> None:
    patient = msgspec.structs.replace(CHECK, rise=10, fall=10)
    with serving(ward.names["backup"], b"backup"), serving(ward.names["server"], b"server"):
        ward.balance(balancer(Server(SERVER, 8080, 1), Server(BACKUP, 8080, 1), check=patient))
        ward.await_states(server="Healthy", backup="Healthy")
        ward.unplug("server")
        ward.await_states(server="Unhealthy")
        ward.plug("server")
        ward.await_states(server="Healthy", backup="Healthy")


def test_a_host_that_drops_everything_is_down_after_its_timeouts(ward: Ward) -> None:
    with serving(ward.names["backup"], b"backup"), serving(ward.names["server"], b"server"):
        ward.balance(TWO)
        ward.await_states(server="Healthy", backup="Healthy")
        with deaf(ward.names["server"]):
            reasons = ward.await_states(server="Unhealthy", backup="Healthy")
            assert reasons[SERVER] == "CONNECT_TIMEOUT: no connection in 1 s"
        ward.await_states(server="Healthy")


def test_http_asks_for_the_page_and_looks_at_the_status(ward: Ward) -> None:
    check = msgspec.structs.replace(CHECK, kind=CheckKind.HTTP, path="/alive", port=9000)
    item = balancer(Server(SERVER, 8080, 1), check=check)
    with serving(ward.names["server"], b"HTTP/1.0 503 Busy\r\n\r\n", port=9000):
        ward.balance(item)
        reasons = ward.await_states(server="Unhealthy")
        assert reasons[SERVER] == "HTTP_CODE_NOT_MATCH: status 503, not http_2xx"
    with serving(ward.names["server"], b"HTTP/1.0 204 Fine\r\n\r\n", port=9000):
        ward.await_states(server="Healthy")
    with serving(ward.names["server"], b"SSH-2.0-OpenSSH_9\r\n", port=9000):
        reasons = ward.await_states(server="Unhealthy")
        assert reasons[SERVER].startswith("HTTP_INVALID_HEADER: ")


def test_udp_silence_is_health_unless_an_answer_is_expected(ward: Ward) -> None:
    quiet = msgspec.structs.replace(CHECK, kind=CheckKind.UDP)
    item = balancer(Server(SERVER, 8080, 1), check=quiet, protocol=Protocol.UDP)
    ward.balance(item)
    reasons = ward.await_states(server="Unhealthy")  # nobody listens there, its host says
    assert reasons[SERVER] == "CONNECT_FAILED: Connection refused"
    with answering(ward.names["server"], lambda _: b"") as heard:
        ward.await_states(server="Healthy")
        assert set(heard) == {b"privlink health check"}
        expecting = msgspec.structs.replace(quiet, request="ping", expected="pong")
        ward.balance(balancer(Server(SERVER, 8080, 1), check=expecting, protocol=Protocol.UDP))
        reasons = ward.await_states(server="Unhealthy")
        assert reasons[SERVER] == "RECV_RESPONSE_TIMEOUT: not the expected answer in 1 s"
    with answering(ward.names["server"], lambda said: b"pong" if said == b"ping" else b"what"):
        ward.await_states(server="Healthy")


def test_ipv6_servers_are_asked_from_the_balancers_ipv6_address(ward: Ward) -> None:
    server = ward.names["server"]
    with serving(server, b"server", family=socket.AF_INET6) as callers:
        ward.balance(balancer(Server(SERVER6, 8080, 1)))
        ward.await_states(server6="Healthy")
        lab.eventually(lambda: FRONT6 in callers)
    ward.await_states(server6="Unhealthy")


def test_a_server_of_any_port_without_a_port_to_check_counts_as_well(ward: Ward) -> None:
    ward.balance(balancer(Server(SERVER, 0, 1)))
    reasons = ward.await_states(server="Initial")
    assert reasons[SERVER].startswith("not checked: ")


def test_networks_that_look_the_same_are_asked_apart(ward: Ward) -> None:
    """The client's network has a load balancer and a server of the same addresses."""
    twin = msgspec.structs.replace(TWO, number=5, network=1, opening=10)
    other = "balancer/nlb-2/local-a"
    with serving(ward.names["client"], b"client") as callers:
        ward.balance(TWO)
        ward.node.feedbox.put({other: twin})
        ward.await_states(server="Unhealthy", backup="Unhealthy")
        ward.await_states(other, server="Healthy", backup="Unhealthy")
        assert set(callers) == {FRONT}
        with serving(ward.names["server"], b"server") as others:
            ward.await_states(server="Healthy", backup="Unhealthy")
            assert set(others) == {FRONT}
    ward.await_states(other, server="Unhealthy")


def test_after_kill_and_restart_who_was_down_is_found_down(ward: Ward) -> None:
    with serving(ward.names["backup"], b"backup"):
        ward.balance(TWO)
        ward.await_states(server="Unhealthy", backup="Healthy")
        ward.node.end(signal.SIGKILL)
        assert [ward.answers() for _ in range(4)] == [b"backup"] * 4
        ward.node.feedbox.health.clear()
        ward.node.start()
        ward.await_states(server="Unhealthy", backup="Healthy")
        lab.eventually(lambda: [ward.answers() for _ in range(4)] == [b"backup"] * 4)


def test_without_a_way_for_probes_nobody_goes_down(ward: Ward) -> None:
    fabric = fabric_name(ward.node.instance)

    def probes_sent() -> int:
        return int(lab.run(fabric, "cat", f"/sys/class/net/{PROBES.word}/statistics/rx_packets"))

    with serving(ward.names["backup"], b"backup"), serving(ward.names["server"], b"server"):
        ward.balance(TWO)
        ward.await_states(server="Healthy", backup="Healthy")
        lab.run(fabric, "tc", "qdisc", "del", "dev", PROBES.word, "clsact")
        before = probes_sent()
        lab.eventually(lambda: probes_sent() > before + 30)
        assert "probes do not come through" in ward.node.log()
        ward.await_states(server="Healthy", backup="Healthy")
        ward.node.end(signal.SIGKILL)
        ward.node.feedbox.health.clear()
        ward.node.start()
        ward.await_states(server="Healthy", backup="Healthy")


def test_two_hundred_servers_are_all_found(ward: Ward) -> None:
    ports = range(20000, 20200)
    with ExitStack() as stack:

        def listen() -> None:
            for port in ports:
                if port % 2:
                    stack.enter_context(closing(socket.create_server(("", port))))

        system.within(lab.path(ward.names["server"]), listen)
        ward.balance(balancer(*(Server(SERVER, port, 1) for port in ports)))
        told = ward.node.feedbox.await_health(
            lambda told: (
                [s for s, _ in told.values()].count("Unhealthy") == 100
                and [s for s, _ in told.values()].count("Healthy") == 100
            )
        )
    assert {port for (_, (_, _, port)), (s, _) in told.items() if s == "Healthy"} == {
        port for port in ports if port % 2
    }


def test_nothing_is_left_of_the_probes_after_a_purge(ward: Ward) -> None:
    name = probe_namespace_name(ward.node.instance)
    ward.balance(TWO)
    ward.await_states(server="Unhealthy")
    assert str(system.NAMESPACES / name) in traces(ward.node.instance)
    ward.node.end(signal.SIGTERM)
    assert system.namespace_exists(name)
    purge(ward.node.instance)
    assert not system.namespace_exists(name)
    assert traces(ward.node.instance) == []
