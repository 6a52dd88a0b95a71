"""What a bandwidth costs: counted where packets go into the shaper, and where they come out of it.

    client ─▶ shaped ─▶ HTB ─▶ released, carried ─▶ server, and the same back

The sender knows what it sent and the receiver what it got; the counters are to say the same, to the
byte, whatever the queue has dropped between the two.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from privlink.model.traffic import Amount
from privlink.node.links import FAR, NEAR, workload_name
from privlink.node.program.maps import NUMBER, TRAFFIC, Reason, Way
from tests.kernel import lab, talk, tenants
from tests.kernel.tenants import DNS, DNS_SERVER, ENDPOINT, ENDPOINT6

PLACE = 91
BANDWIDTH = 10  # Mbit/s
BURST, BURSTS = 300, 4  # datagrams; the kernel lets a thousand packets wait for a processor
SIZE = 1000  # bytes of a datagram's data
SEGMENTS = 8  # datagrams that are sent as one
ROOM = 1 << 26  # bytes of a socket's buffers
SNDBUFFORCE, RCVBUFFORCE = 32, 33  # asm-generic/socket.h
UDP_SEGMENT = 103  # linux/udp.h
HEADERS = {ENDPOINT: 28, ENDPOINT6: 48}  # RFC 791, RFC 8200, RFC 768


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as opened:
        yield opened


@contextmanager
def limited(cloud: tenants.Cloud) -> Iterator[None]:
    """Hold tenant one's endpoint, which is counted under a place, to a bandwidth."""
    assert tenants.FORWARD.opening is not None
    opening = msgspec.structs.replace(
        tenants.FORWARD.opening, connection=PLACE, bandwidth=BANDWIDTH
    )
    with cloud.with_items(
        forward_one=msgspec.structs.replace(tenants.FORWARD, number=PLACE, opening=opening)
    ):
        yield


class Counted(msgspec.Struct, frozen=True):
    """The counters of the place, of one direction."""

    carried: Amount
    dropped: Amount
    shaped: Amount
    released: Amount


def counted(cloud: tenants.Cloud, way: Way) -> Counted:
    value = cloud.program.maps["traffic"].lookup(NUMBER.pack(PLACE))
    assert value is not None
    sums = tuple(map(sum, zip(*TRAFFIC.iter_unpack(value), strict=True)))
    return Counted(*(Amount(*sums[at : at + 2]) for at in range(2 * way, 16, 4)))


def more(now: Amount, before: Amount) -> Amount:
    return Amount(now.packets - before.packets, now.bytes - before.bytes)


def dropped_by_the_queue(cloud: tenants.Cloud) -> int:
    """Packets that all classes have dropped, as the kernel says; -1 while any is waiting."""
    told = "".join(
        lab.run(cloud.fabric.name, "tc", "-s", "class", "show", "dev", near)
        for near in cloud.fabric.shapers()
    )
    if any(int(waiting) for waiting in re.findall(r" backlog \S+ (\d+)p", told)):
        return -1
    return sum(map(int, re.findall(r"\(dropped (\d+),", told)))


class Pair:
    """A sender and a receiver of datagrams through the endpoint."""

    def __init__(self, sender: socket.socket, receiver: socket.socket, headers: int) -> None:
        sender.setsockopt(socket.SOL_SOCKET, SNDBUFFORCE, ROOM)
        receiver.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, ROOM)
        receiver.setblocking(False)
        self._sender, self._receiver, self._headers = sender, receiver, headers
        self.sent = self.received = Amount()

    def send(self, datagrams: int) -> None:
        """Send data for so many datagrams at once."""
        size = datagrams * SIZE
        self._sender.send(bytes(size))
        self.sent = _plus(self.sent, Amount(datagrams, size + datagrams * self._headers))

    def receive(self) -> Amount:
        """All that has come so far, with headers."""
        with suppress(BlockingIOError):
            while data := self._receiver.recv(1 << 16):
                self.received = _plus(self.received, Amount(1, len(data) + self._headers))
        return self.received


def _plus(one: Amount, other: Amount) -> Amount:
    return Amount(one.packets + other.packets, one.bytes + other.bytes)


@contextmanager
def pair(cloud: tenants.Cloud, address: str, way: Way) -> Iterator[Pair]:
    """One of each; a datagram has opened their flow, and the answer to it has come."""
    with ExitStack() as stack:
        family = talk.family_of(address)

        def serve() -> socket.socket:
            bound = socket.socket(family, socket.SOCK_DGRAM)
            bound.settimeout(lab.PATIENCE)
            bound.bind(("", DNS_SERVER))
            return bound

        server = stack.enter_context(lab.system.within(lab.path(cloud.names["server"]), serve))
        client = stack.enter_context(talk.datagrams(cloud.names["client"], address, DNS))
        client.send(b"hello")
        _, caller = server.recvfrom(100)
        server.connect(caller)
        server.send(b"hello")
        assert client.recv(100) == b"hello"
        ends = (client, server) if way == Way.FROM_CLIENT else (server, client)
        yield Pair(*ends, HEADERS[address])


@pytest.mark.parametrize("at_once", [1, SEGMENTS], ids=["one by one", "segments"])
@pytest.mark.parametrize("address", [ENDPOINT, ENDPOINT6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("way", Way)
def test_both_ends_of_the_shaper_count_what_the_programs_do(
    cloud: tenants.Cloud, way: Way, address: str, at_once: int
) -> None:
    with limited(cloud), pair(cloud, address, way) as ends:
        flood(cloud, ends, way, at_once)


@pytest.mark.parametrize("way", Way)
def test_so_they_do_where_the_kernel_cuts_packets_into_segments_between_them(
    cloud: tenants.Cloud, way: Way
) -> None:
    with limited(cloud), pair(cloud, ENDPOINT, way) as ends:
        cut = ("ip", "link", "set", f"{NEAR}0", "gso_max_segs")
        lab.run(cloud.fabric.name, *cut, "2")
        try:
            with talk.frames(cloud.fabric.name, f"{FAR}0") as heard:
                flood(cloud, ends, way, SEGMENTS)
                assert {len(frame) for frame in talk.drain(heard)} == {14 + 28 + SIZE}
        finally:
            lab.run(cloud.fabric.name, *cut, "65535")


def flood(cloud: tenants.Cloud, ends: Pair, way: Way, at_once: int) -> None:
    """Send more than the bandwidth, and compare what everybody says of it when all have it."""
    if at_once > 1:
        ends._sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
    before, by_queue = counted(cloud, way), dropped_by_the_queue(cloud)

    def given() -> Amount:
        return more(counted(cloud, way).shaped, before.shaped)

    for _ in range(BURSTS):
        for _ in range(BURST // at_once):
            ends.send(at_once)
        lab.eventually(lambda: given().packets >= ends.sent.packets)
    assert given() == ends.sent
    lab.eventually(
        lambda: (
            dropped_by_the_queue(cloud) > by_queue
            and ends.receive() == more(counted(cloud, way).carried, before.carried)
        )
    )
    after = counted(cloud, way)
    assert more(after.released, before.released) == ends.received
    assert after.dropped == before.dropped
    lost = more(ends.sent, ends.received)
    assert lost.packets == at_once * (dropped_by_the_queue(cloud) - by_queue) > 0


def test_what_comes_out_for_a_link_that_is_gone_is_dropped(cloud: tenants.Cloud) -> None:
    with limited(cloud), pair(cloud, ENDPOINT, Way.FROM_CLIENT) as ends:
        index = cloud.fabric.link(workload_name(tenants.SERVER.number))
        assert index is not None
        ports, key = cloud.program.maps["ports"], NUMBER.pack(index.index)
        port = ports.lookup(key)
        assert port is not None
        before, drops = counted(cloud, Way.FROM_CLIENT), cloud.drops(Reason.CHANGING)
        ports.delete(key)
        try:
            ends.send(1)
            lab.eventually(lambda: cloud.drops(Reason.CHANGING) == drops + 1)
        finally:
            ports.update_many([(key, port)])
        after = counted(cloud, Way.FROM_CLIENT)
    assert more(after.shaped, before.shaped) == ends.sent
    assert more(after.released, before.released) == ends.sent
    assert more(after.dropped, before.dropped) == ends.sent
    assert after.carried == before.carried


def test_what_is_none_of_ours_is_counted_nowhere(cloud: tenants.Cloud) -> None:
    """A frame sent into the shaper by hand: it bears no place, or one that there is not."""
    with limited(cloud), pair(cloud, ENDPOINT, Way.FROM_CLIENT):
        places = {key for key, _ in cloud.program.maps["traffic"].dump()}
        before, drops = counted(cloud, Way.FROM_CLIENT), cloud.drops(Reason.CHANGING)
        pace = min(cloud.kernel.shaper.paces.values())
        with talk.frames(cloud.fabric.name, f"{NEAR}0") as frames:
            frames.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 9999)
            frames.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 1 << 16 | pace)
            frames.send(bytes(12) + b"\x08\x00\x45\x00\x00\x1c" + bytes(64))
        lab.eventually(lambda: cloud.drops(Reason.CHANGING) == drops + 1)
        assert counted(cloud, Way.FROM_CLIENT) == before
        assert {key for key, _ in cloud.program.maps["traffic"].dump()} == places
