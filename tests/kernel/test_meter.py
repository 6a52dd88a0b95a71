"""What the meter tells the server is what the program counted, to the byte."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from privlink.client import RemoteError
from privlink.model.items import Forward, Item
from privlink.model.traffic import NOTHING, Amount, Counters
from privlink.node.program.maps import NUMBER, Number
from privlink.node.telling.meter import Meter, openings
from tests.kernel import talk, tenants
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    FORWARD,
    SERVER,
    SERVER_LINK,
    ask,
    client,
    datagram,
    server,
    world,
)
from tests.kernel.taker import Taker

PLACE, OTHER_PLACE = 91, 92
UDP_HEADERS = 28  # RFC 791, RFC 768: what an IPv4 datagram has before its data
DNS = 53


@pytest.fixture
def items() -> list[Item]:
    """The world of `frames`, whose endpoint is counted under a place of its own."""
    return list(world(forward=msgspec.structs.replace(FORWARD, number=PLACE)))


@pytest.fixture
def metered(desk: Desk, items: list[Item]) -> Desk:
    """The same in the program's maps."""
    desk.lay_out(items)
    desk.plug(SERVER, SERVER_LINK)
    return desk


@pytest.fixture
def told() -> Taker:
    return Taker()


@pytest.fixture
def meter(desk: Desk, items: list[Item], told: Taker) -> Meter:
    return Meter(desk.program, told, "node-1", lambda: openings(items))


def sizes(*frames: Any) -> Amount:
    """What frames count as: packets and bytes with their IP headers."""
    return Amount(len(frames), sum(len(bytes(each)) - 14 for each in frames))


def test_a_conversation_is_counted_both_ways(metered: Desk, meter: Meter, told: Taker) -> None:
    there = [client(datagram(b"x" * size)) for size in (0, 1, 1400)]
    for frame in there:
        assert metered.send(CLIENT, bytes(frame)).verdict == "redirect"
    (source_port,) = {key.destination_port for key, flow in metered.flows().items() if flow.reverse}
    back = server(datagram(b"answer", sport=8080, dport=source_port))
    assert metered.send(SERVER, bytes(back)).verdict == "redirect"
    assert meter.turn() == 1
    said = told.told[PLACE]
    assert (said.flows, said.counters.opened, said.counters.ended) == (1, 1, {})
    assert said.counters.carried == (sizes(*there), sizes(back))
    assert said.counters.dropped == NOTHING


def test_what_is_refused_is_counted_by_reason(metered: Desk, meter: Meter, told: Taker) -> None:
    frames = [client(ask(dport=81)), client(ask(dport=81, sport=40001))]
    for frame in frames:
        metered.send(CLIENT, bytes(frame))
    meter.turn()
    said = told.told[PLACE].counters
    assert said.dropped == (sizes(*frames), Amount())
    assert list(said.refused.values()) == [(sizes(*frames), Amount())]
    assert said.opened == 0


def test_it_tells_only_what_changed(metered: Desk, meter: Meter, told: Taker) -> None:
    metered.send(CLIENT, bytes(client(datagram())))
    assert [meter.turn(), meter.turn()] == [1, 0]
    metered.send(CLIENT, bytes(client(datagram())))
    assert meter.turn() == 1
    assert told.told[PLACE].counters.carried[0].packets == 2
    assert told.calls == [[PLACE], [PLACE]]


@pytest.mark.parametrize(
    "failure", [OSError("nobody there"), RemoteError(500, "InternalError", "no", "id")]
)
def test_what_was_not_taken_is_told_again(
    metered: Desk, meter: Meter, told: Taker, failure: Exception
) -> None:
    metered.send(CLIENT, bytes(client(datagram())))
    told.failure = failure
    with pytest.raises(type(failure)):
        meter.turn()
    told.failure = None
    assert meter.turn() == 1
    assert told.told[PLACE].counters.carried[0].packets == 1


def test_another_server_is_told_everything(metered: Desk, meter: Meter, told: Taker) -> None:
    traffic = metered.program.maps["traffic"]
    traffic.update_many([(NUMBER.pack(OTHER_PLACE), bytes(traffic.width))])
    metered.send(CLIENT, bytes(client(datagram())))
    assert meter.turn() == 2
    told.life, told.told = 2, {}
    metered.send(CLIENT, bytes(client(datagram())))
    assert [meter.turn(), meter.turn(), meter.turn()] == [1, 1, 0]
    assert told.told.keys() == {PLACE, OTHER_PLACE}


def test_another_life_is_told_everything(metered: Desk, meter: Meter, told: Taker) -> None:
    metered.send(CLIENT, bytes(client(datagram())))
    meter.turn()
    numbers = metered.program.maps["numbers"]
    before = numbers.lookup(NUMBER.pack(Number.LIFE)) or bytes(4)
    numbers.update_many([(NUMBER.pack(Number.LIFE), NUMBER.pack(77))])
    try:
        assert meter.turn() == 1
    finally:
        numbers.update_many([(NUMBER.pack(Number.LIFE), before)])


def counted(desk: Desk) -> set[int]:
    """The places the kernel has counters of."""
    keys = [key for key, _ in desk.program.maps["traffic"].dump()]
    keys += [key[:4] for key, _ in desk.program.maps["refusals"].dump()]
    return {NUMBER.unpack(key)[0] for key in keys}


def test_counters_of_what_is_gone_stay_till_they_are_taken_and_no_flow_is_left(
    metered: Desk, meter: Meter, told: Taker, items: list[Item]
) -> None:
    metered.send(CLIENT, bytes(client(datagram())))
    metered.send(CLIENT, bytes(client(ask(dport=81))))
    items[:] = [item for item in items if not isinstance(item, Forward)]
    told.failure = OSError("nobody there")
    for _ in range(3):
        with pytest.raises(OSError, match="nobody there"):
            meter.turn()
    told.failure = None
    for _ in range(3):
        meter.turn()
    assert counted(metered) == {PLACE}, "a flow is left that may add to it"
    metered.sweep(2**62)
    assert metered.flows() == {}
    meter.turn()
    assert counted(metered) == {PLACE}, "the end of the flow has only just been told"
    meter.turn()
    assert counted(metered) == set()
    assert told.told[PLACE].counters.opened == sum(told.told[PLACE].counters.ended.values()) == 1


def test_flows_that_came_with_an_upgrade_do_not_keep_counters_for_ever(
    metered: Desk, meter: Meter, told: Taker, items: list[Item]
) -> None:
    """They end here, but were never opened here."""
    metered.send(CLIENT, bytes(client(datagram())))
    moved = metered.flows()
    traffic = metered.program.maps["traffic"]
    traffic.delete(NUMBER.pack(PLACE))
    metered.send(CLIENT, bytes(client(datagram())))
    assert metered.flows().keys() == moved.keys()
    items[:] = [item for item in items if not isinstance(item, Forward)]
    metered.sweep(2**62)
    for _ in range(2):
        meter.turn()
    counters = told.told[PLACE].counters
    assert (counters.opened, sum(counters.ended.values()), told.told[PLACE].flows) == (0, 1, 0)
    assert counted(metered) == set()


def test_a_zone_that_comes_back_counts_from_zero_and_says_so(
    metered: Desk, meter: Meter, told: Taker, items: list[Item]
) -> None:
    here = list(items)
    before = time.monotonic_ns() // 1000
    for frame in (ask(dport=81), ask(dport=81, sport=40001)):
        metered.send(CLIENT, bytes(client(frame)))
    meter.turn()
    first = told.told[PLACE]
    items[:] = [item for item in items if not isinstance(item, Forward)]
    for _ in range(2):
        meter.turn()
    assert counted(metered) == set()
    items[:] = here
    frame = client(ask(dport=81))
    metered.send(CLIENT, bytes(frame))
    assert meter.turn() == 1
    second = told.told[PLACE]
    assert first.counters.dropped[0].packets == 2
    assert second.counters.dropped == (sizes(frame), Amount())
    assert list(second.counters.refused.values()) == [(sizes(frame), Amount())]
    assert before <= first.born < second.born <= time.monotonic_ns() // 1000
    metered.send(CLIENT, bytes(client(datagram())))
    meter.turn()
    assert told.told[PLACE].born == second.born, "as long as it is there, its birth stays"


def test_nothing_is_deleted_while_nobody_knows_what_there_is(metered: Desk, told: Taker) -> None:
    meter = Meter(metered.program, told, "node-1", lambda: None)
    metered.send(CLIENT, bytes(client(ask(dport=81))))
    for _ in range(3):
        meter.turn()
    assert counted(metered) == {PLACE}


def test_a_message_is_never_too_long(metered: Desk, meter: Meter, told: Taker) -> None:
    traffic = metered.program.maps["traffic"]
    number = 2500
    value = b"\xff\xff\xff\xff\x00\x00\x00\x00" * (traffic.width // 8)
    traffic.update_many((NUMBER.pack(1000 + each), value) for each in range(number))
    assert meter.turn() == number
    assert sorted(place for each in told.calls for place in each) == list(
        range(1000, 1000 + number)
    )
    assert len(told.calls) > 2


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as opened:
        yield opened


def test_bytes_of_real_programs(cloud: tenants.Cloud, told: Taker) -> None:
    forwards = {
        "forward_one": msgspec.structs.replace(tenants.FORWARD, number=PLACE),
        "forward_two": msgspec.structs.replace(tenants.FORWARD_TWO, number=OTHER_PLACE),
    }
    meter = Meter(cloud.program, told, "node-1", lambda: openings(forwards.values()))
    payloads = [bytes([each]) * size for each, size in enumerate((0, 1, 7, 512, 1400))]
    with (
        cloud.with_items(**forwards),
        talk.echoing_datagrams(cloud.names["server"], tenants.DNS_SERVER, socket.AF_INET),
    ):
        for word, repeat in (("client", 3), ("twin", 1)):
            with talk.datagrams(cloud.names[word], tenants.ENDPOINT, DNS) as calling:
                for payload in payloads * repeat:
                    calling.send(payload)
                    assert calling.recv(2000) == payload
    meter.turn()
    size = sum(len(payload) + UDP_HEADERS for payload in payloads)
    for place, repeat in ((PLACE, 3), (OTHER_PLACE, 1)):
        amount = Amount(len(payloads) * repeat, size * repeat)
        counters = told.told[place].counters
        assert counters == Counters((amount, amount), opened=1, unsaid=counters.unsaid)
        assert told.told[place].flows == 1
