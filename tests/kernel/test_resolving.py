"""The process that answers names: real sockets on the host, and in a namespace as VPCs reach it.

host                    privlink-<instance>-names            client
127.0.0.1:<port>        100.100.2.136:53    <- veth ->       10.0.0.7, a vSwitch
127.0.0.1:<upstream>                                         10.0.0.8, no vSwitch
"""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

from privlink.dns.sockets.datagrams import open_datagrams
from privlink.dns.sockets.streams import open_streams
from privlink.model.naming import EndpointNames, Front, Place, ZoneNames
from privlink.node import system
from tests.kernel import lab
from tests.kernel.namebox import DOMAIN, Namebox, Resolving, namebox, resolving

HOST = "127.0.0.1"
RESOLVER = "100.100.2.136"
ENDPOINT = f"ep-1.epsrv-1.local.{DOMAIN}"
ADDRESS = "10.1.0.80"
STRANGER = "10.0.0.8"


def documents() -> dict[str, Any]:
    zone = ZoneNames("a", f"ep-1-a.epsrv-1.local.{DOMAIN}", ADDRESS, front="front/1/a")
    names = EndpointNames("ep-1", 3, 1, ENDPOINT, f"epsrv-1.local.{DOMAIN}", (zone,))
    return {"place/1": Place(7, 3, "a"), "names/ep-1": names, "front/1/a": Front(True)}


def free_port() -> int:
    """One that is free for both, datagrams and streams."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((HOST, 0))
            port: int = tcp.getsockname()[1]
            with suppress(OSError):
                udp.bind((HOST, port))
                return port


@contextmanager
def names_namespace(instance: str) -> Iterator[tuple[str, str]]:
    """The namespace that the node makes, and a client before it."""
    names, client = f"privlink-{instance}-names", lab.unique("client")
    system.make_namespace(names)
    system.make_namespace(client)
    try:
        pair = ("eth0", "type", "veth", "peer", "name", "eth0", "netns", client)
        lab.run(names, "ip", "link", "add", *pair)
        lab.run(names, *f"ip addr add {RESOLVER}/32 dev eth0".split())
        for address in ("10.0.0.7", STRANGER):
            lab.run(client, *f"ip addr add {address}/32 dev eth0".split())
        for name, there in ((names, "10.0.0.0/8"), (client, f"{RESOLVER}/32")):
            lab.run(name, "ip", "link", "set", "eth0", "up")
            lab.run(name, *f"ip route add {there} dev eth0".split())
        yield names, client
    finally:
        system.remove_namespace(client)
        system.remove_namespace(names)


class Asked(NamedTuple):
    """Where names are answered."""

    box: Namebox
    process: Resolving
    port: int
    client: str
    names: str

    def on_host(self, name: str, kind: str = "A", *, stream: bool = False) -> Any:
        return ask("127.0.0.1", self.port, name, kind, stream=stream)

    def in_vpc(
        self, name: str, kind: str = "A", *, stream: bool = False, source: str = "10.0.0.7"
    ) -> Any:
        return system.within(
            lab.path(self.client),
            lambda: ask(RESOLVER, 53, name, kind, stream=stream, source=source),
        )


def ask(
    address: str, port: int, name: str, kind: str, *, stream: bool, source: str | None = None
) -> Any:
    """As a stub resolver does: a datagram may be lost, and is sent again."""
    query = dns.message.make_query(name, kind)
    if stream:
        return dns.query.tcp(query, address, port=port, source=source, timeout=lab.PATIENCE)
    for _ in range(int(lab.PATIENCE)):
        with suppress(dns.exception.Timeout):
            return dns.query.udp(query, address, port=port, source=source, timeout=1)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture
def asked() -> Iterator[Asked]:
    with begun() as found:
        yield found


@contextmanager
def begun(**orders: Any) -> Iterator[Asked]:
    instance, port = lab.unique("dns"), free_port()
    with names_namespace(instance) as (names, client), namebox() as box:
        box.put_documents(documents())
        with resolving(box, instance, port, **orders) as process:
            box.await_confirmed(box.revision)
            process.await_line("answering in the VPCs")
            yield Asked(box, process, port, client, names)


def addresses(response: Any) -> list[str]:
    return [record.to_text() for rrset in response.answer for record in rrset]


@pytest.mark.parametrize("stream", [False, True])
def test_names_are_answered_on_the_host_and_in_vpcs(asked: Asked, stream: bool) -> None:
    for where in (asked.on_host, asked.in_vpc):
        answer = where(ENDPOINT, stream=stream)
        assert addresses(answer) == [ADDRESS]
        assert answer.flags & dns.flags.AA


def test_other_names_are_refused_on_the_host_and_nobody_answers_a_stranger(asked: Asked) -> None:
    assert asked.on_host("example.com").rcode() == dns.rcode.REFUSED
    assert asked.in_vpc("example.com").rcode() == dns.rcode.REFUSED  # nobody is upstream here
    with pytest.raises(dns.exception.Timeout):
        system.within(
            lab.path(asked.client),
            lambda: dns.query.udp(
                dns.message.make_query(ENDPOINT, "A"), RESOLVER, source=STRANGER, timeout=0.2
            ),
        )


def test_a_change_is_answered_by_the_time_it_is_confirmed(asked: Asked) -> None:
    for number in range(20):
        other = f"ep-2-{number}.epsrv-1.local.{DOMAIN}"
        zone = ZoneNames("a", f"z-{other}", "10.1.0.81")
        names = EndpointNames("ep-2", 3, 2, other, f"epsrv-1.local.{DOMAIN}", (zone,))
        asked.box.await_confirmed(asked.box.put_documents({"names/ep-2": names}))
        assert addresses(asked.in_vpc(other)) == ["10.1.0.81"]
        asked.box.await_confirmed(asked.box.put_documents({"names/ep-2": None}))
        assert asked.in_vpc(other).rcode() == dns.rcode.NXDOMAIN


def test_it_has_no_rights(asked: Asked) -> None:
    lines = Path(f"/proc/{asked.process.process.pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    uids = {int(each) for each in status["Uid"].split()}
    assert uids == {asked.process.orders["uid"]}
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[capabilities], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Groups"].strip() == ""


def test_names_are_answered_while_the_server_is_away(asked: Asked) -> None:
    asked.box.close()
    assert addresses(asked.on_host(ENDPOINT)) == [ADDRESS]
    assert addresses(asked.in_vpc(ENDPOINT, stream=True)) == [ADDRESS]
    asked.box.open()
    asked.box.await_confirmed(asked.box.put_documents({"names/ep-1": None}))
    assert asked.in_vpc(ENDPOINT).rcode() == dns.rcode.NXDOMAIN


def test_another_life_of_the_server_leaves_nothing_of_the_last(asked: Asked) -> None:
    asked.box.forget("names/ep-1")
    asked.box.begin_life(2)
    asked.box.await_confirmed(asked.box.revision)
    assert asked.on_host(ENDPOINT).rcode() == dns.rcode.NXDOMAIN


def test_another_namespace_ends_it_with_a_word(asked: Asked) -> None:
    system.remove_namespace(asked.names)
    asked.process.await_line("the namespace of names is another one")
    assert asked.process.wait() == 1


def test_a_namespace_that_comes_later_is_served_and_the_host_before() -> None:
    instance, port = lab.unique("dns"), free_port()
    with namebox() as box:
        box.put_documents(documents())
        with resolving(box, instance, port) as process:
            process.await_line("answering on")
            assert addresses(ask("127.0.0.1", port, ENDPOINT, "A", stream=False)) == [ADDRESS]
            with names_namespace(instance) as (names, client):
                process.await_line("answering in the VPCs")
                asked = Asked(box, process, port, client, names)
                assert addresses(asked.in_vpc(ENDPOINT)) == [ADDRESS]


def test_without_news_it_says_that_it_does_not_know() -> None:
    port = free_port()
    with namebox() as box:
        box.close()
        with resolving(box, lab.unique("dns"), port) as process:
            process.await_line("answering on")
            answer = ask("127.0.0.1", port, ENDPOINT, "A", stream=False)
            assert answer.rcode() == dns.rcode.SERVFAIL
            box.put_documents(documents())
            box.open()
            box.await_confirmed(box.revision)
            assert addresses(ask("127.0.0.1", port, ENDPOINT, "A", stream=False)) == [ADDRESS]


def test_an_address_that_is_taken_is_waited_for() -> None:
    with namebox() as box, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with resolving(box, lab.unique("dns"), port) as process:
            process.await_line(f"not answered on 127.0.0.1:{port}")
            taken.close()
            process.await_line(f"answering on 127.0.0.1:{port}")


def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    port = free_port()
    with namebox() as box, resolving(box, lab.unique("dns"), port, address="0.0.0.0"):
        box.await_confirmed(box.put_documents(documents()))
        for address in (HOST, "127.0.0.2", "127.9.9.9"):
            assert addresses(ask(address, port, ENDPOINT, "A", stream=False)) == [ADDRESS]


def test_garbage_leaves_it_alive(asked: Asked) -> None:
    dice = random.Random("names")
    good = dns.message.make_query(ENDPOINT, "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", asked.port))
        sender.setblocking(False)
        for number in range(10_000):
            wire = bytearray(good) if number % 2 else bytearray(dice.randbytes(dice.randrange(600)))
            for _ in range(dice.randrange(4) if wire else 0):
                wire[dice.randrange(len(wire))] = dice.randrange(256)
            with suppress(OSError):
                sender.send(wire)
            with suppress(BlockingIOError):
                sender.recv(65535)
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", asked.port), timeout=5) as stream:
            stream.sendall(dice.randbytes(dice.randrange(600)))
    assert addresses(asked.on_host(ENDPOINT)) == [ADDRESS]
    assert addresses(asked.on_host(ENDPOINT, stream=True)) == [ADDRESS]


def test_slow_clients_do_not_stop_others(asked: Asked) -> None:
    question = dns.message.make_query(ENDPOINT, "A").to_wire()
    framed = struct.pack("!H", len(question)) + question

    def slow() -> list[socket.socket]:
        """Ones that ask half, ones that ask nothing, and one that takes no answers."""
        opened = [socket.create_connection((RESOLVER, 53), timeout=5) for _ in range(100)]
        for each in opened[:50]:
            each.sendall(framed[:-3])
        opened[-1].setblocking(False)
        with suppress(BlockingIOError):
            while True:
                opened[-1].send(framed * 100)
        return opened

    opened = system.within(lab.path(asked.client), slow)
    try:
        for stream in (False, True):
            assert addresses(asked.in_vpc(ENDPOINT, stream=stream)) == [ADDRESS]
            assert addresses(asked.on_host(ENDPOINT, stream=stream)) == [ADDRESS]
    finally:
        for each in opened:
            each.close()


def test_nobody_has_all_connections(asked: Asked) -> None:
    def crowd() -> list[socket.socket]:
        return [
            socket.create_connection((RESOLVER, 53), source_address=(STRANGER, 0))
            for _ in range(600)
        ]

    opened = system.within(lab.path(asked.client), crowd)
    ended = [each for each in opened[512:] if each.recv(1) == b""]
    assert len(ended) == 600 - 512
    assert addresses(asked.in_vpc(ENDPOINT, stream=True)) == [ADDRESS]
    for each in opened:
        each.close()


def test_many_questions_on_one_connection_and_an_end_in_between(asked: Asked) -> None:
    questions = [
        dns.message.make_query(ENDPOINT, kind) for kind in ("A", "AAAA") for _ in range(50)
    ]
    with socket.create_connection(("127.0.0.1", asked.port), timeout=lab.PATIENCE) as stream:
        for question in questions:
            dns.query.send_tcp(stream, question)
        stream.shutdown(socket.SHUT_WR)
        answers = [dns.query.receive_tcp(stream)[0] for _ in questions]
        assert stream.recv(1) == b""
    assert {each.id for each in answers} == {each.id for each in questions}


class Others:
    """A DNS server on the host that says what a test wants, by UDP and TCP."""

    def __init__(self, say: Callable[[bytes, bool], list[bytes]]) -> None:
        self.asked: list[tuple[bytes, bool]] = []
        self._say = say
        self.port = free_port()
        self._udp, self._tcp = open_datagrams(HOST, self.port), open_streams(HOST, self.port)
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _serve_udp(self) -> None:
        with suppress(OSError):
            while True:
                wire, where = self._udp.recvfrom(65535)
                if not wire:  # it was shut down
                    return
                self.asked.append((wire, False))
                for answer in self._say(wire, False):
                    self._udp.sendto(answer, where)

    def _serve_tcp(self) -> None:
        with suppress(OSError):
            while True:
                stream, _ = self._tcp.accept()
                with stream:
                    (length,) = struct.unpack("!H", lab.receive(stream, 2))
                    wire = lab.receive(stream, length)
                    self.asked.append((wire, True))
                    for answer in self._say(wire, True):
                        stream.sendall(struct.pack("!H", len(answer)) + answer)

    def close(self) -> None:
        for each in (self._udp, self._tcp):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def found(wire: bytes, *texts: str) -> bytes:
    query = dns.message.from_wire(wire)
    response = dns.message.make_response(query)
    kind = "TXT" if texts and len(texts[0]) > 50 else "A"
    response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *texts))
    return response.to_wire()


def coded(wire: bytes, code: dns.rcode.Rcode) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.set_rcode(code)
    return response.to_wire()


@contextmanager
def upstream(*says: Callable[[bytes, bool], list[bytes]]) -> Iterator[tuple[Asked, list[Others]]]:
    others = [Others(say) for say in says]
    try:
        with begun(upstreams=[("127.0.0.1", each.port) for each in others]) as asked:
            yield asked, others
    finally:
        for each in others:
            each.close()


@pytest.mark.parametrize("stream", [False, True])
def test_other_names_are_asked_upstream_the_way_they_came(stream: bool) -> None:
    with upstream(lambda wire, _: [found(wire, "192.0.2.7")]) as (asked, (other,)):
        answer = asked.in_vpc("ExamPle.com", stream=stream)
        assert addresses(answer) == ["192.0.2.7"]
        assert answer.question[0].name.to_text() == "ExamPle.com."
        assert [by_tcp for _, by_tcp in other.asked] == [stream]
        assert asked.on_host("example.com").rcode() == dns.rcode.REFUSED
        assert asked.in_vpc(f"nobody.{DOMAIN}").rcode() == dns.rcode.NXDOMAIN
        assert len(other.asked) == 1


def test_what_is_passed_on_has_another_id_and_nothing_of_the_askers_options() -> None:
    with upstream(lambda wire, _: [found(wire, "192.0.2.7")]) as (asked, (other,)):
        query = dns.message.make_query("example.com", "A")
        query.use_edns(0, dns.flags.DO, 4096, options=[dns.edns.GenericOption(65001, b"secret")])
        query.id = 7

        def call() -> Any:
            return dns.query.udp(query, RESOLVER, source="10.0.0.7", timeout=lab.PATIENCE)

        for _ in range(8):
            assert addresses(system.within(lab.path(asked.client), call)) == ["192.0.2.7"]
        passed = [dns.message.from_wire(wire) for wire, _ in other.asked]
        assert len({each.id for each in passed}) > 4
        assert all(not each.options and each.payload == 1232 for each in passed)
        assert all(each.ednsflags & dns.flags.DO for each in passed)


def test_a_forged_answer_is_not_believed() -> None:
    def say(wire: bytes, _: bool) -> list[bytes]:
        true, forged = found(wire, "192.0.2.7"), found(wire, "192.0.2.66")
        other = dns.message.make_query("example.org", "A", id=struct.unpack("!H", wire[:2])[0])
        return [
            bytes([forged[0] ^ 1]) + forged[1:],  # another id
            forged[:2] + bytes([forged[2] & 0x7F]) + forged[3:],  # no answer
            found(other.to_wire(), "192.0.2.66"),  # to another question
            b"",
            true,
        ]

    with upstream(say) as (asked, _):
        assert addresses(asked.in_vpc("example.com")) == ["192.0.2.7"]


def test_a_server_that_fails_or_is_silent_is_followed_by_the_next() -> None:
    def dead(_wire: bytes, _stream: bool) -> list[bytes]:
        return []

    def failing(wire: bytes, _: bool) -> list[bytes]:
        return [coded(wire, dns.rcode.SERVFAIL)]

    def well(wire: bytes, _: bool) -> list[bytes]:
        return [found(wire, "192.0.2.7")]

    with upstream(dead, failing, well) as (asked, (first, _, third)):
        assert addresses(asked.in_vpc("example.com")) == ["192.0.2.7"]
        before = len(first.asked)
        assert addresses(asked.in_vpc("example.com", stream=True)) == ["192.0.2.7"]
        assert len(first.asked) == before  # who answered is asked first
        assert third.asked[-1][1]


def test_nobody_upstream_is_a_failure_and_a_closed_port_at_once() -> None:
    port = free_port()
    with begun(upstreams=[("127.0.0.1", port)]) as asked:
        for stream in (False, True):
            assert asked.in_vpc("example.com", stream=stream).rcode() == dns.rcode.SERVFAIL


def test_no_such_name_is_believed_and_a_refusal_is_handed_on() -> None:
    for code in (dns.rcode.NXDOMAIN, dns.rcode.REFUSED):
        with upstream(lambda wire, _, code=code: [coded(wire, code)]) as (asked, _):
            assert asked.in_vpc("example.com").rcode() == code


def test_an_answer_that_is_too_long_is_cut_and_whole_by_tcp() -> None:
    text = '"' + "x" * 200 + '"'

    def say(wire: bytes, _: bool) -> list[bytes]:
        return [found(wire, *(text.replace("x", letter) for letter in "abcdef"))]

    with upstream(say) as (asked, _):
        short = asked.in_vpc("example.com", "TXT")
        assert short.flags & dns.flags.TC
        assert not short.answer
        assert len(addresses(asked.in_vpc("example.com", "TXT", stream=True))) == 6


def test_a_flood_of_one_vswitch_leaves_room_for_another() -> None:
    def say(wire: bytes, _: bool) -> list[bytes]:
        return [found(wire, "192.0.2.7")] if b"quick" in wire else []

    with upstream(say) as (asked, _):
        asked.box.await_confirmed(asked.box.put_documents({"place/2": Place(8, 4, "a")}))

        def flood() -> socket.socket:
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sender.bind(("10.0.0.7", 0))
            for number in range(2000):
                wire = dns.message.make_query(f"{number}.example.com", "A").to_wire()
                sender.sendto(wire, (RESOLVER, 53))
            return sender

        with system.within(lab.path(asked.client), flood):
            assert addresses(asked.in_vpc("quick.example.com", source=STRANGER)) == ["192.0.2.7"]


def test_killed_it_leaves_nobody_behind() -> None:
    with namebox() as box, resolving(box, lab.unique("dns"), free_port()) as process:
        process.await_line("answering on")
        pid = process.process.pid
        (waiting,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        lab.eventually(lambda: not Path(f"/proc/{waiting}").exists())
