"""What the program says of flows, read as the agent reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import pytest
from scapy.layers.inet import TCP, UDP

from privlink.model.flow_records import Said
from privlink.model.items import Filter, Rule
from privlink.node.program.maps import NUMBER, Number
from privlink.node.telling.names import Names
from privlink.node.telling.records import joined, said, unpacked
from privlink.node.telling.ring import Ring
from tests.kernel.desk import Desk
from tests.kernel.frames import CLIENT, FORWARD, GROUP, SERVER, SERVER_LINK, client, server, world

PLACE = "forward/ep-1/local-a"
COUNTED = msgspec.structs.replace(FORWARD, number=7)
RULES = Filter(
    11,
    (
        Rule(1, False, "TCP", "10.0.0.0/8", 81, 81, id="sgr-81"),
        *(msgspec.structs.replace(rule, id="sgr-any") for rule in GROUP.rules),
    ),
)


class Ear:
    """Hears what the program says from now on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.names = Names()
        self.names.learn(PLACE, COUNTED)
        self.names.learn("filter/sg-1", RULES)
        self._ring = Ring(desk.program.maps["records"].fd)
        self.limit(100)
        self.samples()

    def limit(self, most: int) -> None:
        number = NUMBER.pack(Number.RECORDS), NUMBER.pack(most)
        self.desk.program.maps["numbers"].update_many([number])

    def samples(self) -> list[bytes]:
        return self._ring.read(100_000)

    def heard(self) -> list[Said]:
        ahead = time.time_ns() - time.monotonic_ns()
        return [said(each, self.names, ahead) for each in joined(unpacked(self.samples()))]

    def close(self) -> None:
        self._ring.close()


@pytest.fixture
def ear(desk: Desk) -> Iterator[Ear]:
    desk.lay_out(world(forward=COUNTED, filter=RULES))
    desk.plug(SERVER, SERVER_LINK)
    ear = Ear(desk)
    yield ear
    ear.close()


def syn(port: int, sport: int = 40000) -> bytes:
    return bytes(client(TCP(sport=sport, dport=port, flags="S")))


def test_a_flow_is_told_when_it_opens(ear: Ear) -> None:
    before = time.time() * 1000
    assert ear.desk.send(CLIENT, syn(80)).verdict == "redirect"
    (told,) = ear.heard()
    assert (told.event, told.cause, told.place, told.protocol) == ("opened", "", PLACE, "TCP")
    assert (told.client, told.client_port) == ("10.0.0.5", 40000)
    assert (told.called, told.called_port) == (COUNTED.address, 80)
    assert (told.source, told.server, told.server_port) == ("100.64.0.1", "10.0.0.5", 8080)
    assert told.source_port > 0
    assert abs(told.time - before) < 60_000


def test_a_refusal_names_the_group_and_the_rule(ear: Ear) -> None:
    assert ear.desk.send(CLIENT, syn(81)).verdict == "drop"
    (told,) = ear.heard()
    assert (told.event, told.cause, told.place) == ("refused", "security_group", PLACE)
    assert (told.group, told.rule, told.direction) == ("sg-1", "sgr-81", "ingress")
    assert (told.client, told.called_port, told.source, told.server) == ("10.0.0.5", 81, "", "")
    assert told.way == "client"


def test_where_nobody_listens(ear: Ear) -> None:
    ear.desk.send(CLIENT, syn(82))
    ear.desk.send(CLIENT, bytes(client(UDP(sport=40000, dport=82))))
    assert [(told.cause, told.protocol, told.group, told.rule) for told in ear.heard()] == [
        ("no_listener", "TCP", "", ""),
        ("no_listener", "UDP", "", ""),
    ]


def test_a_flow_that_ends_is_told_with_its_cause(ear: Ear) -> None:
    ear.desk.send(CLIENT, syn(80))
    (opened,) = ear.heard()
    ports = {"sport": 8080, "dport": opened.source_port}
    ear.desk.send(SERVER, bytes(server(TCP(flags="RA", **ports))))
    ear.desk.sweep(time.monotonic_ns() + 3600 * 10**9)
    closed = [told for told in ear.heard() if told.event == "closed"]
    assert [(told.cause, told.client_port) for told in closed] == [("server_reset", 40000)]
    assert closed[0].client_packets >= 1


def test_a_flood_is_said_so_much_of_and_the_rest_counted(ear: Ear) -> None:
    ear.limit(3)
    ear.desk.send(CLIENT, syn(82))
    for port in range(1, 200):
        ear.desk.send_again(syn(82, port))
    told = ear.heard()
    # A second may end while it is poured.
    assert 3 <= len(told) < 150
    ear.limit(0)
    ear.desk.send_again(syn(82))
    assert ear.heard() == []
