"""Whoever traces a path sees the gateways on it: packets that got too old, made and real ones.

distant 10.0.1.5 ── 10.0.1.253 ── client 10.0.0.5 ── 192.168.9.1 behind it
fd00:10:0:1::5      …:1::fd       fd00:10::5         fd00:99::1
"""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from scapy.layers.inet import ICMP, UDP
from scapy.layers.inet6 import ICMPv6TimeExceeded, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from privlink.model.items import Attachment, Item, Route, RouteKind, RouteTable
from privlink.node.program.maps import GATEWAY_MAC, NUMBER, Number, Reason
from tests.kernel import lab, talk, tenants
from tests.kernel.cases import Case, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    CLIENT_LINK,
    GATEWAY,
    GATEWAY6,
    NETS,
    REFUSAL,
    Net,
    ask,
    client,
    datagram,
    ping,
    quote,
    told,
)
from tests.kernel.tenants import ENDPOINT, ENDPOINT6, ENDPOINT_MAC, WEB, WEB_SERVER
from tests.kernel.test_hops import BEHIND, ITEMS, ROUTER, ROUTER_LINK, TABLE, hops

SENDER = msgspec.structs.replace(CLIENT, table=TABLE, gateway=GATEWAY, gateway6=GATEWAY6)
ALONE = msgspec.structs.replace(CLIENT, table=TABLE)
MOST = 100


def exceeded(packet: Packet, net: Net, size: int) -> Packet:
    """What the gateway says: of the packet its header, and so much of what is behind."""
    said = ICMP(type=11, code=0) if net.version == 4 else ICMPv6TimeExceeded(code=0)
    quoted = bytes(packet)[14:][: (20 if net.version == 4 else 40) + size]
    return told(said / Raw(quoted), net.gateway)


def cases(net: Net) -> Iterator[Case]:
    """What holds in both families."""
    behind = BEHIND[net.version]

    def case(description: str, packet: Packet, size: int = 0, sender: Attachment = SENDER) -> Case:
        out = exceeded(packet, net, size) if size else None
        return Case(
            f"IPv{net.version}: {description}", packet, "redirect" if out else "drop",
            Reason.HOP_LIMIT, out, ITEMS, sender, CLIENT_LINK,
        )  # fmt: skip

    for left in (1, 0):
        old = hops(net, left)
        yield case(f"a segment with {left} left", client(ask(), behind, **old), 20)
        yield case(f"a datagram with {left} left", client(datagram(), behind, **old), 8)
        yield case(f"a ping with {left} left", client(ping(net), behind, **old), 8)
    old = hops(net, 1)
    yield case("a long segment", client(ask("A") / Raw(b"x" * 1400), behind, **old), 20)
    yield case("an empty datagram", client(datagram(b""), behind, **old), 8)
    yield case("where no gateway is known", client(ask(), behind, **old), sender=ALONE)
    protocol = {"proto" if net.version == 4 else "nh": 47}
    yield case("another protocol", client(Raw(b"x" * 40), behind, **protocol, **old))


def errors(net: Net) -> Iterator[Case]:
    """No error about an error."""
    quoted = quote(BEHIND[net.version], net.workload, UDP(sport=40000, dport=80))
    packet = client(REFUSAL[net.version] / quoted, BEHIND[net.version], **hops(net, 1))
    yield Case(
        f"IPv{net.version}: an error", packet, "drop", Reason.HOP_LIMIT, items=ITEMS, sender=SENDER
    )


def piece(net: Net, *, first: bool) -> Packet:
    behind = BEHIND[net.version]
    body = datagram(b"x" * 16) if first else Raw(b"x" * 16)
    if net.version == 4:
        where = {"flags": "MF"} if first else {"frag": 3, "proto": 17}
        return client(body, behind, ttl=1, **where)
    head = IPv6ExtHdrFragment(nh=17, m=first, offset=0 if first else 3)
    return client(head / body, behind, hlim=1)


PIECES = (
    *(Case(f"IPv{net.version}: a first piece", piece(net, first=True), "redirect", Reason.HOP_LIMIT,
           exceeded(piece(net, first=True), net, 8 if net.version == 4 else 16), ITEMS, SENDER)
      for net in NETS),
    *(Case(f"IPv{net.version}: a later piece", piece(net, first=False), "drop", Reason.HOP_LIMIT,
           items=ITEMS, sender=SENDER) for net in NETS),
)  # fmt: skip
CASES = (*(case for net in NETS for case in (*cases(net), *errors(net))), *PIECES)


@pytest.fixture
def routed(desk: Desk) -> Iterator[Desk]:
    desk.plug(ROUTER, ROUTER_LINK)
    allow(desk, MOST)
    yield desk
    allow(desk, 0)


def allow(desk: Desk, most: int) -> None:
    """So many errors for one workload in a second."""
    numbers = desk.program.maps["numbers"]
    numbers.update_many([(NUMBER.pack(Number.COMPLAINTS), NUMBER.pack(most))])


@pytest.mark.parametrize("case", **named(CASES))
def test_a_packet_that_got_too_old(routed: Desk, case: Case) -> None:
    run_case(routed, case)


def test_no_more_is_said_in_a_second_than_is_allowed(routed: Desk) -> None:
    routed.lay_out(ITEMS)
    packet = bytes(client(ask(), BEHIND[4], ttl=1))
    allow(routed, 3)
    said = [routed.send(SENDER, packet).verdict for _ in range(20)]
    assert said[:2] == ["redirect", "redirect"]
    assert said.count("redirect") <= 6  # a second may begin meanwhile
    allow(routed, 0)
    assert routed.send(SENDER, packet).verdict == "drop"


# Over real packets


class Family(NamedTuple):
    """What traces of one IP version need."""

    number: socket.AddressFamily
    level: int
    hops: int  # options of sockets (linux/in.h, linux/in6.h)
    errors: int
    gateway: str  # of the distant one's vSwitch
    hop: str  # the client
    behind: str
    block: str


IPV4 = Family(
    socket.AF_INET, socket.IPPROTO_IP, socket.IP_TTL, 11, "10.0.1.253", "10.0.0.5", "192.168.9.1",
    "192.168.9.0/24",
)  # fmt: skip
IPV6 = Family(
    socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 25, "fd00:10:0:1::fd",
    "fd00:10::5", "fd00:99::1", "fd00:99::/64",
)  # fmt: skip
both = pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])
_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err (linux/errqueue.h)
_ERRQUEUE = 0x2000


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as made:
        numbers = made.program.maps["numbers"]
        numbers.update_many([(NUMBER.pack(Number.COMPLAINTS), NUMBER.pack(MOST))])
        routes = [Route("10.0.0.0/23", RouteKind.LOCAL), Route("fd00:10::/63", RouteKind.LOCAL)]
        routes += [Route(each.block, RouteKind.ATTACHMENT, each.hop) for each in (IPV4, IPV6)]
        made.put(
            table_one=RouteTable(TABLE, 1, tuple(routes)),
            attachment_client=traced("client", "10.0.0.253", "fd00:10::fd"),
            attachment_distant=traced("distant", IPV4.gateway, IPV6.gateway),
        )
        with behind(made.names["client"]) as made.names["behind"]:
            yield made


def traced(word: str, gateway: str, gateway6: str) -> Item:
    return msgspec.structs.replace(
        tenants.WORKLOADS[word], table=TABLE, gateway=gateway, gateway6=gateway6
    )


@contextmanager
def behind(client: str) -> Iterator[str]:
    """Somebody in a network behind the client, which forwards for it."""
    with lab.namespace("behind") as name:
        tenants.prepare_ipv6(name)
        pair = ["ip", "link", "add", "back", "type", "veth", "peer", "name", "eth0", "netns", name]
        lab.run(client, *pair)
        for where, link, host in ((client, "back", "254"), (name, "eth0", "1")):
            for address in (f"192.168.9.{host}/24", f"fd00:99::{host}/64"):
                nodad = ("nodad",) * (":" in address)
                lab.run(where, "ip", "addr", "add", address, "dev", link, *nodad)
            lab.run(where, "ip", "link", "set", link, "up")
        # Who forwards asks for its neighbours from such an address alone.
        lab.run(client, "ip", "addr", "add", "fe80::254/64", "dev", "back", "nodad")
        for near, mac in (("fd00:10::fd", GATEWAY_MAC), (ENDPOINT6, ENDPOINT_MAC)):
            lab.run(client, *f"ip neigh replace {near} lladdr {mac} dev eth0".split())
        for gateway, default in (("192.168.9.254", "0.0.0.0/0"), ("fd00:99::254", "::/0")):
            lab.run(name, "ip", "route", "add", default, "via", gateway)
        for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            lab.run(client, "sysctl", "-qw", f"{setting}=1")
        yield name


def told_by(probe: socket.socket, family: Family) -> str:
    """Who said that a packet of this socket went no further."""
    poll = select.poll()
    poll.register(probe, select.POLLERR)
    assert poll.poll(1000 * lab.PATIENCE)
    _, told, _, _ = probe.recvmsg(512, 512, _ERRQUEUE)
    ((_, _, data),) = [each for each in told if each[:2] == (family.level, family.errors)]
    address = data[_ERROR.size :]
    return socket.inet_ntop(family.number, address[4:8] if family is IPV4 else address[8:24])


def probing(name: str, kind: socket.SocketKind, family: Family, left: int) -> socket.socket:
    def opened() -> socket.socket:
        probe = socket.socket(family.number, kind)
        probe.setsockopt(family.level, family.hops, left)
        probe.setsockopt(family.level, family.errors, 1)
        probe.setblocking(False)
        return probe

    return lab.system.within(lab.path(name), opened)


@both
def test_a_trace_shows_the_gateway_who_passes_on_and_who_is_reached(
    cloud: tenants.Cloud, family: Family
) -> None:
    path = []
    for left in (1, 2, 3):
        with probing(cloud.names["distant"], socket.SOCK_DGRAM, family, left) as probe:
            probe.sendto(b"how far?", (family.behind, 33434 + left))
            path.append(told_by(probe, family))
    assert path == [family.gateway, family.hop, family.behind]


@both
def test_a_connection_hears_of_it_too(cloud: tenants.Cloud, family: Family) -> None:
    """Its checksum is left to the hardware, of which there is none on the way."""
    with probing(cloud.names["distant"], socket.SOCK_STREAM, family, 1) as probe:
        with pytest.raises(BlockingIOError):
            probe.connect((family.behind, 80))
        assert told_by(probe, family) == family.gateway
        failed = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        assert failed in (0, errno.EHOSTUNREACH)  # it may try again


@both
def test_a_server_hears_that_the_way_behind_a_hop_is_narrow(
    cloud: tenants.Cloud, family: Family
) -> None:
    """The hop says so in the client's name; else answers of full size would get nowhere."""
    lab.run(cloud.names["client"], "ip", "link", "set", "back", "mtu", "1300")
    called = ENDPOINT if family is IPV4 else ENDPOINT6
    with (
        lab.echo_server(cloud.names["server"], WEB_SERVER, family.number),
        lab.connect(cloud.names["behind"], called, WEB) as asking,
    ):
        for _ in range(10):
            asking.sendall(b"x" * 10_000)
            assert len(lab.receive(asking, 10_000)) == 10_000


@both
def test_a_ping_hears_of_it_too(cloud: tenants.Cloud, family: Family) -> None:
    kind, exceeded_type = (8, 11) if family is IPV4 else (128, 3)
    with talk.raw(cloud.names["distant"], family.number) as probe:
        probe.setsockopt(family.level, family.hops, 1)
        probe.sendto(talk.icmp(kind, 0, b"\0\1\0\1how far?"), (family.behind, 0))
        while True:
            message, (sender, *_) = probe.recvfrom(2000)
            message = message[20:] if family is IPV4 else message
            if message[0] == exceeded_type:
                break
    assert sender == family.gateway
