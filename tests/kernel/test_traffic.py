"""Conversations through an endpoint: real sockets, real stacks, both families.

The picture is in `tenants`. Callers are a neighbour of the endpoint and a workload of another
vswitch, which reaches it by way of the VPC's router.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from privlink.model.items import Filter, Rule
from privlink.node import system
from privlink.node.program.maps import Reason
from tests.kernel import lab, talk, tenants
from tests.kernel.tenants import DNS, DNS_SERVER, RANGE, SILENT_DNS, SILENT_WEB, WEB, WEB_SERVER

MTU, JUMBO = 1500, 9000
TCP_INFO, SND_MSS = 11, 4 * 4  # linux/tcp.h: eight bytes, rto, ato, and the sending MSS


class Family(NamedTuple):
    """What the tests need to know of an IP version."""

    number: socket.AddressFamily
    endpoint: str
    source: str  # what the server sees
    anywhere: str
    header: int  # bytes of an IP header


IPV4 = Family(socket.AF_INET, tenants.ENDPOINT, tenants.SOURCE, "0.0.0.0/0", 20)
IPV6 = Family(socket.AF_INET6, tenants.ENDPOINT6, tenants.SOURCE6, "::/0", 40)

both = pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])
callers = pytest.mark.parametrize("caller", ["neighbour", "distant"])


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as opened:
        yield opened


@pytest.fixture(scope="module")
def jumbo(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object, mtu=JUMBO) as opened:
        yield opened


@both
@callers
def test_tcp(cloud: tenants.Cloud, family: Family, caller: str) -> None:
    data = os.urandom(300_000)
    with lab.echo_server(cloud.names["server"], WEB_SERVER, family.number) as seen:
        assert lab.ask(cloud.names[caller], family.endpoint, WEB, data) == data
    assert seen == [family.source]


@both
@callers
def test_udp(cloud: tenants.Cloud, family: Family, caller: str) -> None:
    with (
        talk.echoing_datagrams(cloud.names["server"], DNS_SERVER, family.number) as seen,
        talk.datagrams(cloud.names[caller], family.endpoint, DNS) as asking,
    ):
        for size in (1, 2, 511, MTU - family.header - 8):
            data = os.urandom(size)
            asking.send(data)
            assert asking.recv(65536) == data
    assert {*seen} == {family.source}


@both
@callers
def test_a_flow_crosses_no_bridge(cloud: tenants.Cloud, family: Family, caller: str) -> None:
    """A bridge sends by its ports' links; what is redirected goes past their queues."""
    server = cloud.names["server"]
    with (
        lab.echo_server(server, WEB_SERVER, family.number),
        lab.connect(cloud.names[caller], family.endpoint, WEB) as asking,
    ):
        before = sent_by_links(cloud)
        for _ in range(20):
            asking.sendall(b"there and back")
            assert lab.receive(asking, 14) == b"there and back"
        assert sum(sent_by_links(cloud)) - sum(before) < 20  # some ARP at the most


def test_what_a_neighbour_gets_crosses_the_bridge(cloud: tenants.Cloud) -> None:
    """So that the counters of the test above are known to count."""
    before = sent_by_links(cloud)
    with talk.datagrams(cloud.names["client"], tenants.NEIGHBOUR.address, 9) as asking:

        def more() -> bool:
            with suppress(ConnectionRefusedError):  # nobody listens there, which it says
                asking.send(b"hello")
            return sum(sent_by_links(cloud)) - sum(before) >= 20

        lab.eventually(more)


def sent_by_links(cloud: tenants.Cloud) -> list[int]:
    """How many frames each workload's link has sent from the fabric, past its queue left out."""

    def read() -> list[int]:
        links = [name for _, name in socket.if_nameindex() if name.startswith("at")]
        lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
        counts = {line.split(":")[0].strip(): line.split(":")[1].split() for line in lines[2:]}
        return [int(counts[link][9]) for link in links]

    return system.within(cloud.fabric.path, read)


@both
def test_tenants_with_the_same_addresses_are_told_apart(
    cloud: tenants.Cloud, family: Family
) -> None:
    with lab.echo_server(cloud.names["server"], WEB_SERVER, family.number) as seen:
        for caller in ("client", "twin"):
            with talk.stream(cloud.names[caller], family.endpoint, WEB, 40000) as asking:
                asking.sendall(caller.encode())
                assert lab.receive(asking, len(caller)) == caller.encode()
    two = tenants.SOURCE_TWO if family is IPV4 else tenants.SOURCE6_TWO
    assert seen == [family.source, two]


@both
@callers
@pytest.mark.parametrize("size", [56, 4000, 60000])
def test_ping(cloud: tenants.Cloud, family: Family, caller: str, size: int) -> None:
    talk.ping(cloud.names[caller], family.endpoint, size)


@both
@callers
def test_datagrams_in_pieces_both_ways(cloud: tenants.Cloud, family: Family, caller: str) -> None:
    server = cloud.names["server"]
    with (
        talk.echoing_datagrams(server, DNS_SERVER, family.number),
        talk.frames(server) as heard,
        talk.datagrams(cloud.names[caller], family.endpoint, DNS) as asking,
    ):
        for size in (8000, 8000, 65507 - family.header):
            data = os.urandom(size)
            asking.send(data)
            assert asking.recv(65536) == data
            sizes = [len(frame) for frame in talk.drain(heard)]
            assert len(sizes) > size // MTU
            assert max(sizes) <= MTU + 14


@both
def test_many_callers_in_pieces_at_once(cloud: tenants.Cloud, family: Family) -> None:
    """Behind one source address, each with identifications of its own: none gets another's."""
    words = ["client", "neighbour", "distant"]
    with talk.echoing_datagrams(cloud.names["server"], DNS_SERVER, family.number):
        asking = [talk.datagrams(cloud.names[word], family.endpoint, DNS) for word in words]
        try:
            for _ in range(20):
                sent = [os.urandom(5000) for _ in asking]
                for each, data in zip(asking, sent, strict=True):
                    each.send(data)
                assert [each.recv(65536) for each in asking] == sent
        finally:
            for each in asking:
                each.close()


@both
def test_jumbo_frames(jumbo: tenants.Cloud, family: Family) -> None:
    server = jumbo.names["server"]
    with (
        lab.echo_server(server, WEB_SERVER, family.number),
        lab.connect(jumbo.names["client"], family.endpoint, WEB) as asking,
    ):
        data = os.urandom(40_000)
        asking.sendall(data)
        assert lab.receive(asking, len(data)) == data
        assert sending_mss(asking) > JUMBO - 100
    with (
        talk.echoing_datagrams(server, DNS_SERVER, family.number),
        talk.frames(server) as heard,
        talk.datagrams(jumbo.names["client"], family.endpoint, DNS) as datagrams,
    ):
        data = os.urandom(8000)
        datagrams.send(data)
        assert datagrams.recv(65536) == data
        assert 8000 + 8 + family.header + 14 in [len(frame) for frame in talk.drain(heard)]


def sending_mss(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, SND_MSS + 4)
    (mss,) = struct.unpack_from("=I", info, SND_MSS)
    return int(mss)


@both
def test_a_large_send_arrives_unsegmented(cloud: tenants.Cloud, family: Family) -> None:
    """As one packet to both ends, which the stacks would otherwise cut and glue for nothing."""
    server = cloud.names["server"]
    with (
        lab.echo_server(server, WEB_SERVER, family.number),
        talk.frames(server) as heard,
        lab.connect(cloud.names["client"], family.endpoint, WEB) as asking,
    ):
        data = os.urandom(200_000)
        echoed = threading.Thread(target=asking.sendall, args=(data,))
        echoed.start()
        assert lab.receive(asking, len(data)) == data
        echoed.join()
        assert max(len(frame) for frame in talk.drain(heard)) > 2 * MTU


@both
@callers
def test_nobody_listens(cloud: tenants.Cloud, family: Family, caller: str) -> None:
    """Neither at the server, whose refusal finds its way back, nor at the endpoint."""
    for port in (SILENT_WEB, 9999):
        with pytest.raises(ConnectionRefusedError):
            lab.connect(cloud.names[caller], family.endpoint, port)
    for port in (SILENT_DNS, 9999):
        with talk.datagrams(cloud.names[caller], family.endpoint, port) as asking:
            asking.send(b"anybody?")
            with pytest.raises(ConnectionRefusedError):
                asking.recv(100)


@both
@callers
@pytest.mark.parametrize("narrow", ["server", "client"])
def test_a_narrower_path_is_heard_of(
    cloud: tenants.Cloud, family: Family, caller: str, narrow: str
) -> None:
    """Somebody on one side takes 1300 bytes at most, and says so (RFC 1191, RFC 8201)."""
    server = cloud.names["server"]
    for version in ("-4", "-6"):  # what a stack has heard it keeps, for all behind one address
        lab.run(server, "ip", version, "route", "flush", "cache")
        lab.run(cloud.names[caller], "ip", version, "route", "flush", "cache")
    with (
        talk.listener(server, WEB_SERVER, family.number) as accepting,
        lab.connect(cloud.names[caller], family.endpoint, WEB) as connected,
        accepting.accept()[0] as accepted,
    ):
        if narrow == "server":
            complainer, speaker, listener, way_back = server, connected, accepted, family.source
        else:
            complainer, speaker, listener, way_back = (
                cloud.names[caller], accepted, connected, family.endpoint,
            )  # fmt: skip
        assert sending_mss(speaker) > 1400
        with talk.frames(complainer) as heard, talk.raw(complainer, family.number) as complaining:
            speaker.sendall(b"hello")
            assert lab.receive(listener, 5) == b"hello"
            segment = next(frame[14:] for frame in talk.drain(heard) if frame.endswith(b"hello"))
            # A stack believes it only of what is not acknowledged yet: of the segment after that.
            quoted = advance(segment, family, 5)
            complaining.sendto(too_big(family, 1300, quoted), (way_back, 0))
        lab.eventually(lambda: path_mtu(speaker, family) == 1300)
        assert sending_mss(speaker) < 1300
        data = os.urandom(20_000)
        speaker.sendall(data)
        assert lab.receive(listener, len(data)) == data


def too_big(family: Family, mtu: int, quoted: bytes) -> bytes:
    """Fragmentation needed (RFC 1191), or packet too big (RFC 4443)."""
    if family is IPV4:
        return talk.icmp(3, 4, struct.pack("!HH", 0, mtu) + quoted[:28])
    return talk.icmp(2, 0, struct.pack("!I", mtu) + quoted)


def advance(segment: bytes, family: Family, size: int) -> bytes:
    """The segment that comes after so many bytes."""
    at = family.header + 4
    (number,) = struct.unpack_from("!I", segment, at)
    following = struct.pack("!I", (number + size) & 0xFFFFFFFF)
    return segment[:at] + following + segment[at + 4 :]


def path_mtu(connection: socket.socket, family: Family) -> int:
    if family is IPV4:
        return connection.getsockopt(socket.IPPROTO_IP, talk.IP_MTU)
    return connection.getsockopt(socket.IPPROTO_IPV6, talk.IPV6_MTU)


@both
def test_a_range_of_ports(cloud: tenants.Cloud, family: Family) -> None:
    client, server = cloud.names["client"], cloud.names["server"]
    for port in (RANGE[0], RANGE[4], RANGE[-1]):
        with (
            lab.echo_server(server, port, family.number),
            talk.echoing_datagrams(server, port, family.number),
        ):
            assert lab.ask(client, family.endpoint, port) == b"hello"
            with talk.datagrams(client, family.endpoint, port) as asking:
                asking.send(b"hello")
                assert asking.recv(100) == b"hello"
    for port in (RANGE[0] - 1, RANGE[-1] + 1):
        with pytest.raises(ConnectionRefusedError):
            lab.connect(client, family.endpoint, port)


@both
def test_a_rule_that_changes_cuts_what_it_forbids(cloud: tenants.Cloud, family: Family) -> None:
    """Both sides hear of it when they next speak; what stays allowed lives on."""
    client, server, port = cloud.names["client"], cloud.names["server"], RANGE[0]
    with (
        lab.echo_server(server, port, family.number),
        lab.connect(client, family.endpoint, port) as staying,
        talk.listener(server, WEB_SERVER, family.number) as accepting,
        lab.connect(client, family.endpoint, WEB) as leaving,
        accepting.accept()[0] as accepted,
    ):
        staying.sendall(b"before")
        assert lab.receive(staying, 6) == b"before"
        leaving.sendall(b"before")
        assert lab.receive(accepted, 6) == b"before"
        only = Rule(1, True, "TCP", family.anywhere, RANGE[0], RANGE[-1])
        with cloud.with_items(filter_open=Filter(4, (only,))):
            for side in (leaving, accepted):
                with pytest.raises(ConnectionResetError):
                    side.sendall(os.urandom(100_000))
                    lab.receive(side, 1)
            staying.sendall(b"after")
            assert lab.receive(staying, 5) == b"after"
            assert cloud.drops(Reason.NO_LONGER_PERMITTED) >= 2
        staying.sendall(b"again")
        assert lab.receive(staying, 5) == b"again"


@both
def test_a_server_is_told_that_datagrams_are_forbidden_now(
    cloud: tenants.Cloud, family: Family
) -> None:
    server = cloud.names["server"]
    with (
        talk.datagrams(cloud.names["client"], family.endpoint, DNS, 40053) as asking,
        # A server that is connected to its client: only such a socket hears of a refusal.
        talk.datagrams(server, family.source, 40053, DNS_SERVER) as answering,
    ):
        asking.send(b"before")
        assert answering.recv(100) == b"before"
        with cloud.with_items(filter_open=Filter(4, ())):
            answering.send(b"after")
            with pytest.raises(ConnectionRefusedError):
                answering.recv(100)


@both
def test_an_egress_rule_of_the_client(cloud: tenants.Cloud, family: Family) -> None:
    """It lets the client out to one port, and cuts what runs to another."""
    client, server = cloud.names["client"], cloud.names["server"]
    only_web = Filter(5, (), (Rule(1, True, "TCP", f"{family.endpoint}", WEB, WEB),))
    fenced = msgspec.structs.replace(tenants.CLIENT, filters=(5,))
    with (
        lab.echo_server(server, WEB_SERVER, family.number),
        lab.echo_server(server, RANGE[0], family.number),
        lab.connect(client, family.endpoint, RANGE[0]) as running,
    ):
        running.sendall(b"before")
        assert lab.receive(running, 6) == b"before"
        cloud.put(filter_egress=only_web)
        before = cloud.drops(Reason.EGRESS_RULE)
        with cloud.with_items(attachment_client=fenced):
            assert lab.ask(client, family.endpoint, WEB) == b"hello"
            with pytest.raises(TimeoutError):
                lab.connect(client, family.endpoint, RANGE[1], timeout=0.2)
            assert cloud.drops(Reason.EGRESS_RULE) > before
            running.sendall(b"after")
            with pytest.raises(ConnectionResetError):
                lab.receive(running, 5)
            # Its neighbour has no such group.
            assert lab.ask(cloud.names["neighbour"], family.endpoint, RANGE[0]) == b"hello"


@both
def test_callers_from_the_same_port(cloud: tenants.Cloud, family: Family) -> None:
    """To the server they are one address, so all but one get another port there."""
    server, words = cloud.names["server"], ("client", "neighbour", "distant")
    with ExitStack() as stack:
        stack.enter_context(lab.echo_server(server, WEB_SERVER, family.number))
        stack.enter_context(talk.echoing_datagrams(server, DNS_SERVER, family.number))
        for kind, port in ((talk.stream, WEB), (talk.datagrams, DNS)):
            asking = [
                stack.enter_context(kind(cloud.names[word], family.endpoint, port, 40001))
                for word in words
            ]
            data = [os.urandom(1200) for _ in words]
            for each, part in zip(asking, data, strict=True):
                each.sendall(part)
            assert [lab.receive(each, 1200) for each in asking] == data
        for word in words:
            refused = talk.datagrams(cloud.names[word], family.endpoint, SILENT_DNS, 40002)
            stack.enter_context(refused).send(b"anybody?")
            with pytest.raises(ConnectionRefusedError):
                refused.recv(100)


@both
@pytest.mark.parametrize("word", ["client", "server"])
def test_a_workload_that_comes_back(cloud: tenants.Cloud, family: Family, word: str) -> None:
    """With its address, on a new link: conversations by the old one are not in its way."""
    for turn in range(2):
        with (
            talk.echoing_datagrams(cloud.names["server"], DNS_SERVER, family.number),
            talk.datagrams(cloud.names["client"], family.endpoint, DNS, 40003) as asking,
        ):
            asking.send(b"hello")
            assert asking.recv(100) == b"hello"
        if not turn:
            cloud.replug(word)
