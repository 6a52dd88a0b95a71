"""The program and a forward with a pace: what it tells the shaper of a packet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.packet import Packet

from privlink.node.classes import ROOT
from privlink.node.program.maps import FORWARD, NUMBER, Number, Reason
from tests.kernel import program_test
from tests.kernel.desk import LOOPBACK, VERDICTS, Desk
from tests.kernel.frames import CLIENT, SERVER, SERVER_LINK, V4, Net, client, datagram, server

NET: Net = V4
FIRST = 1 << 24  # of the shaper's links
PEER = 1 << 31
PACE = 1022  # its class and the next are the last of the second link


@pytest.fixture
def paced(lab: Desk) -> Iterator[Desk]:
    """The world of `frames`, with a pace for every forward."""
    forwards = lab.program.maps["forwards"]
    held = [(key, FORWARD.unpack(value)) for key, value in forwards.dump()]
    forwards.update_many((key, FORWARD.pack(*value[:-2], PACE, value[-1])) for key, value in held)
    set_shaper(lab, FIRST)
    yield lab
    set_shaper(lab, 0)


def set_shaper(desk: Desk, ifindex: int) -> None:
    number = NUMBER.pack(Number.SHAPER), NUMBER.pack(ifindex)
    desk.program.maps["numbers"].update_many([number])


def request() -> Packet:
    return client(datagram(b"hello", 40000), NET.endpoint)


def answer() -> Packet:
    return server(datagram(b"hello", 8080, 40000), NET.source)


def test_each_direction_has_its_class_and_its_way(paced: Desk) -> None:
    paced.send(CLIENT, bytes(request()))
    there = program_test.run(paced.program, bytes(request()), LOOPBACK)
    assert (VERDICTS[there.verdict], there.egress) == ("redirect", FIRST + 1)
    assert (there.priority, there.mark) == (ROOT | PACE, PEER | SERVER_LINK)
    paced.send(SERVER, bytes(answer()))
    back = program_test.run(paced.program, bytes(answer()), LOOPBACK)
    assert (VERDICTS[back.verdict], back.egress) == ("redirect", FIRST + 1)
    assert (back.priority, back.mark) == (ROOT | PACE + 1, PEER | LOOPBACK)


def test_what_is_no_veth_is_marked_so(paced: Desk) -> None:
    paced.send(CLIENT, bytes(request()), peer=False)
    paced.send(SERVER, bytes(answer()))
    assert program_test.run(paced.program, bytes(answer()), LOOPBACK).mark == LOOPBACK


def test_without_a_shaper_nothing_passes(paced: Desk) -> None:
    set_shaper(paced, 0)
    outcome = paced.send(CLIENT, bytes(request()))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.BANDWIDTH)


def test_without_a_pace_nothing_is_said(lab: Desk) -> None:
    set_shaper(lab, FIRST)
    lab.send(CLIENT, bytes(request()))
    direct = program_test.run(lab.program, bytes(request()), LOOPBACK)
    set_shaper(lab, 0)
    assert (direct.egress, direct.priority, direct.mark) == (SERVER_LINK, 0, 0)
