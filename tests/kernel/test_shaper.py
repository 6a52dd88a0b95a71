"""A connection's bandwidth, in the kernel that holds it: how much comes through, and who is spared.

Both tenants' endpoints lead to the same server. The upper bound holds always. That so much comes
through as well is only asked where this machine, busy as it may be, brings a third more without a
limit.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from privlink.model.items import Forward, NatAddress
from privlink.node.classes import ROOT
from privlink.node.links import workload_name
from privlink.node.program.maps import FORWARD, NUMBER, Reason
from tests.kernel import lab, streams, talk, tenants, test_doors
from tests.kernel.tenants import ENDPOINT, ENDPOINT6, FORWARD_TWO, WEB, WEB_SERVER

PORT = tenants.RANGE[0]
PEER = 1 << 31  # MARK_PEER of bpf/pace.h
SPEEDS = (5000, 2500, 1000, 500, 200, 100)  # Mbit/s
MOMENT = 0.3  # seconds of the speed asked for
MOST_MOMENTS = 20
TOLERANCE = 0.05
CONNECTION, CONNECTION_TWO = 11, 12


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as opened:
        yield opened


def limited(bandwidth: int, forward: Forward = tenants.FORWARD) -> Forward:
    """A tenant's endpoint with a bandwidth; 0: none."""
    assert forward.opening is not None
    connection = CONNECTION_TWO if forward == FORWARD_TWO else CONNECTION
    opening = msgspec.structs.replace(forward.opening, connection=connection, bandwidth=bandwidth)
    return msgspec.structs.replace(forward, opening=opening)


def assert_held(flowing: streams.Streams, asked: int) -> None:
    """That streams had never more than so many Mbit/s, and have so much now."""
    assert_reached(flowing, asked)
    assert flowing.average() <= high(asked)


def assert_reached(flowing: streams.Streams, asked: int) -> None:
    """That they come to have it; what others use of this machine delays it, and then it is more."""
    found: list[float] = []
    while not found or not low(asked) <= found[-1] <= high(asked):
        assert len(found) < MOST_MOMENTS, f"{asked} Mbit/s asked for, found {found}"
        found.append(flowing.goodput(MOMENT, asked))


def low(asked: int) -> float:
    return (1 - TOLERANCE) * asked


def high(asked: int) -> float:
    return (1 + TOLERANCE) * asked


@pytest.fixture(scope="module")
def ends(cloud: tenants.Cloud) -> tuple[str, str]:
    return cloud.names["client"], cloud.names["server"]


@pytest.fixture(scope="module")
def speed(ends: tuple[str, str]) -> int:
    """The highest speed that this machine reaches without effort, of both kinds of streams."""
    found = []
    for count in (1, 100):
        with streams.streaming(*ends, ENDPOINT, WEB, count, listen=WEB_SERVER) as flowing:
            found.append(flowing.goodput(MOMENT, 2 * SPEEDS[0]))
    return next((each for each in SPEEDS if min(found) > 1.3 * each), SPEEDS[-1])


@pytest.mark.parametrize("back", [False, True], ids=["to the server", "to the client"])
@pytest.mark.parametrize("count", [1, 100], ids=["1 flow", "100 flows"])
@pytest.mark.parametrize("asked", [100, 500, 1000, 5000])
def test_a_connection_gets_its_bandwidth(
    cloud: tenants.Cloud, ends: tuple[str, str], speed: int, asked: int, count: int, back: bool
) -> None:
    asked = min(asked, speed)
    with (
        cloud.with_items(forward_one=limited(asked)),
        streams.streaming(*ends, ENDPOINT, WEB, count, listen=WEB_SERVER, back=back) as flowing,
    ):
        assert_held(flowing, asked)


def test_so_it_is_with_ipv6(cloud: tenants.Cloud, ends: tuple[str, str]) -> None:
    with (
        cloud.with_items(forward_one=limited(200)),
        streams.streaming(*ends, ENDPOINT6, WEB, 1, listen=WEB_SERVER) as flowing,
    ):
        assert_held(flowing, 200)


@pytest.mark.parametrize("back", [False, True], ids=["inward", "outward"])
def test_so_it_is_through_a_door(cloud: tenants.Cloud, back: bool) -> None:
    """A provider's connection into the network of a reverse endpoint, though by the API no such
    connection has a limit.
    """
    ends = cloud.names["server"], cloud.names["neighbour"]
    with (
        cloud.with_items(
            nat_shaped=NatAddress(2, test_doors.IPV4.nat, test_doors.NAT_MAC),
            forward_reverse=limited(200, test_doors.ONE),
            door_shaped=test_doors.DOORS[f"door_database{socket.AF_INET.value}"],
        ),
        streams.streaming(
            *(*ends, test_doors.IPV4.nat, test_doors.PORT, 4),
            listen=test_doors.TARGET_PORT,
            back=back,
        ) as flowing,
    ):
        assert_held(flowing, 200)


def test_each_direction_has_its_own(cloud: tenants.Cloud, ends: tuple[str, str]) -> None:
    with (
        cloud.with_items(forward_one=limited(200)),
        streams.streaming(*ends, ENDPOINT, WEB, 4, listen=WEB_SERVER) as there,
        streams.streaming(*ends, ENDPOINT, PORT, 4, listen=PORT, back=True) as back,
    ):
        assert_held(there, 200)
        assert_held(back, 200)


def test_connections_do_not_feel_each_other(cloud: tenants.Cloud, ends: tuple[str, str]) -> None:
    others = cloud.names["twin"], cloud.names["server"]
    with (
        cloud.with_items(forward_one=limited(100), forward_two=limited(200, FORWARD_TWO)),
        streams.streaming(*ends, ENDPOINT, WEB, 20, listen=WEB_SERVER) as crowded,
        streams.streaming(*others, ENDPOINT, PORT, 1, listen=PORT) as alone,
    ):
        assert_held(crowded, 100)
        assert_held(alone, 200)
        assert_held(crowded, 100)


def test_flows_that_run_feel_a_change(
    cloud: tenants.Cloud, ends: tuple[str, str], speed: int
) -> None:
    with (
        streams.streaming(*ends, ENDPOINT, WEB, 2, listen=WEB_SERVER) as flowing,
        cloud.with_items(forward_one=limited(100)),
    ):
        assert_reached(flowing, 100)
        before = dict(cloud.program.maps["forwards"].dump())
        cloud.put(forward_one=limited(speed // 2))
        assert dict(cloud.program.maps["forwards"].dump()) == before  # a change of two classes
        assert_reached(flowing, speed // 2)
        cloud.put(forward_one=limited(0))
        lab.eventually(lambda: flowing.goodput(MOMENT, speed) > high(speed // 2))
        cloud.put(forward_one=limited(100))
        assert_reached(flowing, 100)


def test_a_workload_s_mark_and_priority_lead_nowhere(cloud: tenants.Cloud) -> None:
    """SO_MARK names the outsider's link, SO_PRIORITY another connection's class."""
    listening = talk.frames(cloud.names["outsider"])
    index = cloud.fabric.link(workload_name(tenants.OUTSIDER.number))
    assert index is not None
    with (
        closing(listening),
        cloud.with_items(forward_one=limited(100), forward_two=limited(100, FORWARD_TWO)),
        lab.echo_server(cloud.names["server"], WEB_SERVER),
    ):
        other = pace_of(cloud, FORWARD_TWO)
        counts = sent(cloud)
        with talk.stream(cloud.names["client"], ENDPOINT, WEB) as stream:
            take_along(stream, PEER | index.index, ROOT | other)
            stream.sendall(b"hello")
            assert lab.receive(stream, 5) == b"hello"
        assert list(talk.drain(listening)) == []
        assert sent(cloud)[other] == counts[other]
        assert sent(cloud)[pace_of(cloud)] > counts[pace_of(cloud)]


def test_what_leads_to_a_port_that_is_gone_is_dropped_and_counted(cloud: tenants.Cloud) -> None:
    drops = cloud.drops(Reason.CHANGING)
    with cloud.with_items(forward_one=limited(100)):
        (near,) = cloud.fabric.shapers()
        forge(cloud, near, mark=PEER | 9999, priority=ROOT | pace_of(cloud))
        lab.eventually(lambda: cloud.drops(Reason.CHANGING) == drops + 1)


def test_what_has_no_class_does_not_pass(cloud: tenants.Cloud) -> None:
    drops = cloud.drops(Reason.CHANGING)
    with cloud.with_items(forward_one=limited(100)):
        (near,) = cloud.fabric.shapers()
        for priority in (0, ROOT, ROOT | 500):
            with pytest.raises(OSError, match=r"No buffer space available"):
                forge(cloud, near, mark=PEER | 9999, priority=priority)
        assert cloud.drops(Reason.CHANGING) == drops


def forge(cloud: tenants.Cloud, link: str, *, mark: int, priority: int) -> None:
    """Send a frame out of a link of the fabric, as only the program may."""
    with talk.frames(cloud.fabric.name, link) as frames:
        take_along(frames, mark, priority)
        frames.send(bytes(64))


def take_along(sender: socket.socket, mark: int, priority: int) -> None:
    """Have a socket's packets bear a mark and a priority."""
    for option, value in ((socket.SO_MARK, mark), (socket.SO_PRIORITY, priority)):
        sender.setsockopt(socket.SOL_SOCKET, option, struct.pack("=I", value))


def pace_of(cloud: tenants.Cloud, forward: Forward = tenants.FORWARD) -> int:
    """The pace that a forward bears in the kernel."""
    assert forward.opening is not None
    value = cloud.program.maps["forwards"].lookup(NUMBER.pack(forward.opening.number))
    assert value is not None
    return int(FORWARD.unpack(value)[-2])


def sent(cloud: tenants.Cloud) -> dict[int, int]:
    """Packets that have passed each class, to the server and back."""
    (near,) = cloud.fabric.shapers()
    told = lab.run(cloud.fabric.name, "tc", "-s", "class", "show", "dev", near)
    found = re.findall(r"^class htb 1:(\w+) .*\n Sent \d+ bytes (\d+) pkt", told, re.MULTILINE)
    return {int(number, 16): int(packets) for number, packets in found}
