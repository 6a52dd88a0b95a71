"""Questions for names, from workloads to whoever answers them, over real packets.

The picture is in `tenants`. Names are answered in the VPCs of tenant one and of tenant two, and not
in the provider's; who answers is a DNS server of this test's, in the namespace that is for it.

    client, neighbour  as 10.0.0.1  ─┐
    distant            as 10.0.0.2  ─┤
                                     ├─  100.100.2.136
    twin               as 10.0.0.4  ─┤
    outsider           as 10.0.0.5  ─┘
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dns.message
import dns.query
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.model.items import Resolver
from privlink.model.naming import RESOLVER_ADDRESS, RESOLVER_PORT, asker_address
from privlink.node import resolv_conf, system
from privlink.node.holding import Holding
from privlink.node.names_namespace import MAC, NamesNamespace, names_namespace_name
from privlink.node.own_namespace import INSIDE
from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel import lab, talk, tenants
from tests.kernel.dns_server import Zone, serving
from tests.kernel.tenants import CLIENT, ENDPOINT, OUTSIDER, SOURCE, WORKLOADS

NAME = "db.vendor.example"
ANSWER = "10.0.0.9"
ASKING = ("client", "neighbour", "distant", "twin", "outsider")


class Cloud(tenants.Cloud):
    """With the namespace that names are answered in."""

    def _hold(self) -> Holding:
        self.answering = NamesNamespace(self.kernel)
        return Holding(self.kernel, names=self.answering)

    def sweep(self) -> None:
        self._holding.sweep()


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[Cloud]:
    with tenants.cloud(bpf_object, kind=Cloud) as made:
        made.put(**{"resolver_vpc-one": Resolver(1), "resolver_vpc-two": Resolver(3)})
        yield made


def question(name: str, *, tcp: bool = False, source_port: int = 0) -> list[str]:
    """What a workload's namespace hears about the name."""
    send = dns.query.tcp if tcp else dns.query.udp

    def ask() -> dns.message.Message:
        query = dns.message.make_query(NAME, "A")
        return send(
            query, RESOLVER_ADDRESS, timeout=lab.PATIENCE, source="0.0.0.0", source_port=source_port
        )  # fmt: skip

    response = system.within(lab.path(name), ask)
    return [str(record) for rrset in response.answer for record in rrset]


@contextmanager
def ears(cloud: Cloud) -> Iterator[dict[str, socket.socket]]:
    """Packet sockets on every workload's link."""
    with ExitStack() as stack:
        yield {word: stack.enter_context(talk.frames(name)) for word, name in cloud.names.items()}


# Who asks


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("word", ASKING)
def test_who_answers_sees_the_vswitch_that_a_question_comes_from(
    cloud: Cloud, word: str, tcp: bool
) -> None:
    with serving(cloud.answering.name, Zone(ANSWER)) as zone:
        assert question(cloud.names[word], tcp=tcp) == [ANSWER]
    assert zone.asked == [(asker_address(WORKLOADS[word].segment), NAME)]


def test_equal_addresses_and_ports_in_two_vpcs_are_two_conversations(cloud: Cloud) -> None:
    """The client and its twin have one address, and each asks from the same port."""
    with (
        talk.echoing_datagrams(cloud.answering.name, RESOLVER_PORT) as callers,
        talk.datagrams(cloud.names["client"], RESOLVER_ADDRESS, RESOLVER_PORT, 5000) as one,
        talk.datagrams(cloud.names["neighbour"], RESOLVER_ADDRESS, RESOLVER_PORT, 5000) as near,
        talk.datagrams(cloud.names["twin"], RESOLVER_ADDRESS, RESOLVER_PORT, 5000) as two,
    ):
        for turn in range(3):
            for asking in (one, near, two):
                asking.send(b"%d of %d" % (turn, asking.fileno()))
            for asking in (two, near, one):
                assert asking.recv(100) == b"%d of %d" % (turn, asking.fileno())
    assert set(callers) == {asker_address(1), asker_address(4)}


@pytest.mark.parametrize("size", [1, 1472, 1473, 9000, 60_000])
def test_questions_and_answers_in_pieces(cloud: Cloud, size: int) -> None:
    with (
        talk.echoing_datagrams(cloud.answering.name, RESOLVER_PORT),
        talk.datagrams(cloud.names["client"], RESOLVER_ADDRESS, RESOLVER_PORT) as asking,
        talk.datagrams(cloud.names["twin"], RESOLVER_ADDRESS, RESOLVER_PORT) as too,
    ):
        said = {each: os.urandom(size) for each in (asking, too)}
        for each, data in said.items():
            each.send(data)
        for each, data in said.items():
            assert each.recv(65536) == data


def test_a_long_answer_by_tcp(cloud: Cloud) -> None:
    with (
        lab.echo_server(cloud.answering.name, RESOLVER_PORT) as callers,
        lab.connect(cloud.names["distant"], RESOLVER_ADDRESS, RESOLVER_PORT) as asking,
    ):
        data = os.urandom(1 << 20)
        for start in range(0, len(data), 1 << 14):
            asking.sendall(data[start : start + (1 << 14)])
            assert lab.receive(asking, 1 << 14) == data[start : start + (1 << 14)]
    assert callers == [asker_address(2)]


def test_who_runs_in_a_namespace_that_was_attached_resolves_names_as_ever(cloud: Cloud) -> None:
    """By the C library, with the file that `privlink attach` makes."""
    name = cloud.names["client"]
    file = resolv_conf.resolv_conf(name)
    assert file is not None
    assert resolv_conf.offer(file, cloud.instance, "att-client")
    try:
        with serving(cloud.answering.name, Zone(ANSWER)) as zone:
            found = lab.run(name, "getent", "ahostsv4", NAME)
    finally:
        resolv_conf.withdraw(cloud.instance, "att-client")
    assert found.splitlines()[0].split() == [ANSWER, "STREAM", NAME]
    assert zone.asked == [(asker_address(CLIENT.segment), NAME)]


# Where nobody is to be reached


def test_there_is_nothing_else_at_its_address(cloud: Cloud) -> None:
    """Whatever listens where names are answered, only port 53 leads there."""
    name, client = cloud.answering.name, cloud.names["client"]
    with lab.echo_server(name, 80) as web, talk.echoing_datagrams(name, 5353) as others:
        with pytest.raises(ConnectionRefusedError):
            lab.connect(client, RESOLVER_ADDRESS, 80)
        with talk.datagrams(client, RESOLVER_ADDRESS, 5353) as asking:
            asking.send(b"anybody?")
            with pytest.raises(ConnectionRefusedError):
                asking.recv(100)
        heard = talk.frames(name, INSIDE)
        with heard:
            talk.ping(client, RESOLVER_ADDRESS)  # the fabric answers
            assert list(talk.drain(heard)) == []
    assert (web, others) == ([], [])


def test_who_is_not_there_is_refused_at_once(cloud: Cloud) -> None:
    """As while whoever answers is started anew."""
    with pytest.raises(ConnectionRefusedError):
        lab.connect(cloud.names["client"], RESOLVER_ADDRESS, RESOLVER_PORT)
    with talk.datagrams(cloud.names["client"], RESOLVER_ADDRESS, RESOLVER_PORT) as asking:
        asking.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            asking.recv(100)


def test_where_no_names_are_answered_it_is_no_address(cloud: Cloud) -> None:
    before = cloud.drops(Reason.NO_ROUTE)
    with (
        serving(cloud.answering.name, Zone(ANSWER)) as zone,
        talk.datagrams(cloud.names["server"], RESOLVER_ADDRESS, RESOLVER_PORT) as asking,
    ):
        asking.send(b"anybody?")
        lab.eventually(lambda: cloud.drops(Reason.NO_ROUTE) > before)
    assert zone.asked == []


def test_a_vpc_that_is_answered_no_more_is_told(cloud: Cloud) -> None:
    with (
        lab.echo_server(cloud.answering.name, RESOLVER_PORT),
        lab.connect(cloud.names["twin"], RESOLVER_ADDRESS, RESOLVER_PORT) as two,
        lab.connect(cloud.names["client"], RESOLVER_ADDRESS, RESOLVER_PORT) as one,
    ):
        for each in (one, two):
            each.sendall(b"x")
            assert each.recv(1) == b"x"
        cloud.put(**{"resolver_vpc-two": None})
        try:
            cloud.cut()
            with pytest.raises(ConnectionResetError):
                two.recv(1)
            one.sendall(b"y")
            assert one.recv(1) == b"y"
        finally:
            cloud.put(**{"resolver_vpc-two": Resolver(3)})


def test_the_namespace_has_one_address_and_one_way(cloud: Cloud) -> None:
    shown = lab.run(cloud.answering.name, "ip", "-o", "addr", "show", "up")
    assert [line.split()[1:4] for line in shown.splitlines()] == [
        [INSIDE, "inet", f"{RESOLVER_ADDRESS}/32"]
    ]
    (route,) = lab.run(cloud.answering.name, "ip", "route").splitlines()
    assert route.startswith("10.0.0.0/8 via ")
    assert lab.run(cloud.answering.name, "ip", "-6", "route") == ""


# Attacks from where names are answered


def forged(destination: str, layer: Packet, source: str = RESOLVER_ADDRESS) -> Packet:
    return Ether(src=MAC, dst=GATEWAY_MAC) / IP(src=source, dst=destination) / layer


MARK = b"from where names are answered"
ASKER = asker_address(CLIENT.segment)
BEYOND = {
    "an asker that has not asked": forged(ASKER, UDP(sport=53, dport=4999) / Raw(MARK)),
    "a workload's own address": forged(CLIENT.address, UDP(sport=53, dport=5000) / Raw(MARK)),
    "a connection to a workload": forged(OUTSIDER.address, TCP(sport=53, dport=80) / Raw(MARK)),
    "an endpoint": forged(ENDPOINT, TCP(dport=80) / Raw(MARK)),
    "a source address": forged(SOURCE, TCP(dport=80) / Raw(MARK)),
    "the resolver of a VPC": forged(RESOLVER_ADDRESS, UDP(dport=53) / Raw(MARK)),
    "from another port than was asked": forged(ASKER, UDP(sport=54, dport=5000) / Raw(MARK)),
}


@pytest.mark.parametrize("what", BEYOND)
def test_from_where_names_are_answered_nobody_is_reached(cloud: Cloud, what: str) -> None:
    """While the client has a question under way from port 5000."""
    before = sum(cloud.program.drops().values())
    with (
        talk.echoing_datagrams(cloud.answering.name, RESOLVER_PORT),
        talk.datagrams(cloud.names["client"], RESOLVER_ADDRESS, RESOLVER_PORT, 5000) as asking,
        talk.frames(cloud.answering.name, INSIDE) as attacker,
        ears(cloud) as listening,
    ):
        asking.send(b"first")
        assert asking.recv(100) == b"first"
        attacker.send(bytes(BEYOND[what]))
        lab.eventually(lambda: sum(cloud.program.drops().values()) > before)
        asking.send(b"last")
        assert asking.recv(100) == b"last"
        heard = [frame for each in listening.values() for frame in talk.drain(each)]
    assert not [frame for frame in heard if MARK in frame]


def test_no_connection_begins_where_names_are_answered(cloud: Cloud) -> None:
    with (
        lab.echo_server(cloud.names["client"], 80) as callers,
        talk.datagrams(cloud.answering.name, CLIENT.address, 80) as datagrams,
    ):
        with pytest.raises(TimeoutError):
            lab.connect(cloud.answering.name, CLIENT.address, 80, timeout=0.2)
        datagrams.send(MARK)
        with pytest.raises(OSError, match="unreachable"):
            lab.connect(cloud.answering.name, "192.0.2.1", 80, timeout=0.2)
    assert callers == []


def test_a_flood_of_one_vpc_is_no_other_ones(cloud: Cloud) -> None:
    """Of as many ports as there are some are too many, and who is elsewhere is still answered."""
    mac, gateway = (bytes.fromhex(each.replace(":", "")) for each in (CLIENT.mac, GATEWAY_MAC))
    ip = bytes(IP(src=CLIENT.address, dst=RESOLVER_ADDRESS, proto=17, len=28))
    head = gateway + mac + b"\x08\x00" + ip
    limits = (Reason.FLOW_LIMIT, Reason.FLOW_RATE)
    before = sum(map(cloud.drops, limits))
    with (
        talk.echoing_datagrams(cloud.answering.name, RESOLVER_PORT),
        talk.datagrams(cloud.names["twin"], RESOLVER_ADDRESS, RESOLVER_PORT) as asking,
        talk.frames(cloud.names["client"]) as flooding,
    ):
        flooding.setblocking(True)
        asking.settimeout(0.05)

        def answered() -> bool:
            """The one socket of whoever answers has no room for all; so one asks again."""
            asking.send(b"still there?")
            with suppress(TimeoutError):
                return asking.recv(100) == b"still there?"
            return False

        for port in range(1024, 65536):
            flooding.send(head + port.to_bytes(2) + b"\x00\x35\x00\x08\x00\x00")
            if port % 8192 == 0:
                lab.eventually(answered)
        flows = sum(1 for _ in cloud.program.maps["flows"].dump())
    assert sum(map(cloud.drops, limits)) > before
    assert flows < 2 * (16384 + 100)


# What goes missing


def test_a_namespace_of_which_only_the_name_went_is_made_anew(cloud: Cloud) -> None:
    """Whoever answers still has its sockets in the old one; the link there is taken away."""
    name = cloud.answering.name
    before = cloud.answering.path.stat().st_ino
    with talk.listener(name, RESOLVER_PORT, socket.AF_INET):
        system.remove_namespace(name)
        cloud.sweep()
        assert cloud.answering.path.stat().st_ino != before
        with serving(name, Zone(ANSWER)):
            assert question(cloud.names["client"]) == [ANSWER]


def test_a_link_that_went_is_made_anew(cloud: Cloud) -> None:
    lab.run(cloud.fabric.name, "ip", "link", "del", "names")
    cloud.sweep()
    with serving(cloud.answering.name, Zone(ANSWER)):
        assert question(cloud.names["client"]) == [ANSWER]


def test_its_name_carries_the_instance(cloud: Cloud) -> None:
    assert cloud.answering.name == names_namespace_name(cloud.instance)
    assert cloud.answering.name == f"privlink-{cloud.instance}-names"
