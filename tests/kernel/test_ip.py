"""The program and IP: headers, sources, neighbours, and where nothing leads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel.cases import CLOSED_GROUP, Case, connect, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT6,
    ENDPOINT_MAC,
    GATEWAY,
    LINK_LOCAL,
    NEIGHBOUR6,
    NEIGHBOUR_MAC,
    NETS,
    V4,
    V6,
    Net,
    ask,
    client,
    datagram,
    ip,
    ping,
    solicitation,
)


def cases(net: Net) -> Iterator[Case]:
    """What holds in both families."""

    def case(description: str, *rest: object, **more: object) -> Case:
        return Case(f"IPv{net.version}: {description}", *rest, **more)  # type: ignore[arg-type]

    macs = {"src": CLIENT.mac, "dst": ENDPOINT_MAC}
    yield case("a foreign source", client(ask(), net.endpoint, net.neighbour), "drop",
               Reason.SPOOFED_SOURCE)  # fmt: skip
    yield case("the endpoint for a source", client(ask(), net.endpoint, net.endpoint), "drop",
               Reason.SPOOFED_SOURCE)  # fmt: skip
    yield case("a foreign source, to a neighbour", client(ask(), net.neighbour, net.other), "drop",
               Reason.SPOOFED_SOURCE)  # fmt: skip
    yield case("an address away", client(ask(), net.outside), "drop", Reason.NO_ROUTE)
    yield case("a datagram away", client(datagram(), net.outside), "drop", Reason.NO_ROUTE)
    yield case("a ping away", client(ping(net), net.outside), "drop", Reason.NO_ROUTE)
    yield case("another protocol away", client(Raw(b"x" * 40), net.outside, proto=47)
               if net is V4 else client(Raw(b"x" * 40), net.outside, nh=47), "drop",
               Reason.NO_ROUTE)  # fmt: skip
    yield case("the endpoint's source", client(ask(), net.source), "drop", Reason.NO_ROUTE)
    yield case("a segment to a neighbour", client(ask(), net.neighbour), "pass")
    yield case("a datagram to a neighbour", client(datagram(), net.neighbour), "pass")
    yield case("a ping to a neighbour", client(ping(net), net.neighbour), "pass")
    yield case("a neighbour, whatever the endpoint's group says", client(ask(), net.neighbour),
               "pass", items=CLOSED_GROUP)  # fmt: skip
    yield case("a neighbour by way of the gateway",
               Ether(src=CLIENT.mac, dst=GATEWAY_MAC) / ip(net.workload, net.neighbour) / ask(),
               "drop", Reason.VIA_GATEWAY)  # fmt: skip
    yield case("a frame to a group",
               Ether(src=CLIENT.mac, dst="01:00:5e:00:00:64") / ip(net.workload, net.endpoint)
               / ask(), "drop", Reason.MULTICAST)  # fmt: skip
    yield case("a frame to everybody",
               Ether(src=CLIENT.mac, dst="ff:ff:ff:ff:ff:ff") / ip(net.workload, net.neighbour)
               / ask(), "drop", Reason.MULTICAST)  # fmt: skip
    for protocol in (4, 41, 47, 50, 59, 132, 253, 255, 58 if net is V4 else 1):
        number = {"proto" if net is V4 else "nh": protocol}
        packet = Ether(**macs) / ip(net.workload, net.endpoint, **number) / Raw(b"x" * 40)
        yield case(f"protocol {protocol} to the endpoint", packet, "drop", Reason.PROTOCOL)
        packet = client(Raw(b"x" * 40), net.gateway, **number)
        yield case(f"protocol {protocol} to the gateway", packet, "drop", Reason.PROTOCOL)
        packet = client(Raw(b"x" * 40), net.neighbour, **number)
        yield case(f"protocol {protocol} to a neighbour", packet, "pass")


IPV4_CASES = (
    Case("version 6 in an IPv4 frame", client(ask(), version=6), "drop", Reason.MALFORMED),
    Case("a header of 16 bytes", client(ask(), ihl=4), "drop", Reason.MALFORMED),
    Case("a header of none", client(ask(), ihl=0), "drop", Reason.MALFORMED),
    Case("a total length below the header's", client(ask(), len=19), "drop", Reason.MALFORMED),
    Case("a total length of the header's", client(ask(), len=20), "drop", Reason.MALFORMED),
    Case("a total length beyond the frame's", client(ask(), len=41), "drop", Reason.TRUNCATED),
    Case("options, said", client(ask(), ihl=6), "drop", Reason.IP_OPTIONS),
    Case("options to a neighbour", client(ask(), V4.neighbour, options=b"\x94\4\0\0"), "drop",
         Reason.IP_OPTIONS),
    Case("another subnet", client(ask(), "10.0.1.5"), "drop", Reason.NO_ROUTE),
    Case("the subnet's broadcast address", client(UDP(), "10.0.0.255"), "drop", Reason.MULTICAST),
    Case("a frame and a packet to everybody",
         Ether(src=CLIENT.mac, dst="ff:ff:ff:ff:ff:ff")
         / IP(src=V4.workload, dst="255.255.255.255") / UDP(), "drop", Reason.MULTICAST),
    Case("everybody, by a neighbour's MAC",
         Ether(src=CLIENT.mac, dst=NEIGHBOUR_MAC) / IP(src=V4.workload, dst="255.255.255.255")
         / UDP(), "drop", Reason.NO_ROUTE),
    Case("a group, by a neighbour's MAC",
         Ether(src=CLIENT.mac, dst=NEIGHBOUR_MAC) / IP(src=V4.workload, dst="224.0.0.1") / UDP(),
         "drop", Reason.NO_ROUTE),
    Case("no source", client(ask(), src="0.0.0.0"), "drop", Reason.SPOOFED_SOURCE),
    Case("an IPv6 frame's type on an IPv4 packet",
         Ether(src=CLIENT.mac, dst=ENDPOINT_MAC, type=0x86DD) / IP(src=V4.workload) / TCP()
         / Raw(bytes(20)), "drop", Reason.MALFORMED),
)  # fmt: skip


def extended(layer: Packet, *headers: Packet, dst: str = ENDPOINT6) -> Packet:
    """A packet with extension headers."""
    for header in reversed(headers):
        layer = header / layer
    return client(layer, dst)


IPV6_CASES = (
    Case("IPv6: version 4", client(ask(), ENDPOINT6, version=4), "drop", Reason.MALFORMED),
    Case("IPv6: a length beyond the frame's", client(ask(), ENDPOINT6, plen=21), "drop",
         Reason.TRUNCATED),
    Case("IPv6: a length of none", client(ask(), ENDPOINT6, plen=0), "drop", Reason.MALFORMED),
    Case("IPv6: its link-local address for a source", client(ask(), ENDPOINT6, LINK_LOCAL), "drop",
         Reason.SPOOFED_SOURCE),
    Case("IPv6: no source", client(ask(), ENDPOINT6, "::"), "drop", Reason.SPOOFED_SOURCE),
    Case("IPv6: the endpoint's IPv4 address", client(ask(), f"::ffff:{V4.endpoint}"), "drop",
         Reason.MALFORMED),
    Case("IPv6: the gateway's IPv4 address", client(ping(V6), f"::ffff:{GATEWAY}"), "drop",
         Reason.MALFORMED),
    Case("IPv6: a neighbour's IPv4 address", client(ask(), "::ffff:10.0.0.6"), "drop",
         Reason.MALFORMED),
    Case("IPv6: its own IPv4 address for a source", client(ask(), ENDPOINT6, "::ffff:10.0.0.5"),
         "drop", Reason.SPOOFED_SOURCE),
    Case("IPv6: a neighbour's link-local address", client(ask(), "fe80::ff:fe00:106"), "drop",
         Reason.NO_ROUTE),
    Case("IPv6: a group, by a neighbour's MAC",
         Ether(src=CLIENT.mac, dst=NEIGHBOUR_MAC) / IPv6(src=V6.workload, dst="ff02::1") / ask(),
         "drop", Reason.NO_ROUTE),
    Case("IPv6: the next /64", client(ask(), "fd00:10:0:1::6"), "drop", Reason.NO_ROUTE),
    Case("IPv6: another /32", client(ask(), "fd00:11::6"), "drop", Reason.NO_ROUTE),
    Case("hop-by-hop options", extended(ask(), IPv6ExtHdrHopByHop()), "drop", Reason.IP_OPTIONS),
    Case("a routing header", extended(ask(), IPv6ExtHdrRouting(addresses=[ENDPOINT6])), "drop",
         Reason.IP_OPTIONS),
    Case("destination options", extended(ask(), IPv6ExtHdrDestOpt()), "drop", Reason.IP_OPTIONS),
    Case("destination options, to a neighbour",
         extended(ask(), IPv6ExtHdrDestOpt(), dst=NEIGHBOUR6), "drop", Reason.IP_OPTIONS),
    Case("options behind a fragment header",
         extended(ask(), IPv6ExtHdrFragment(), IPv6ExtHdrDestOpt()), "drop", Reason.IP_OPTIONS),
    Case("two fragment headers",
         extended(ask(), IPv6ExtHdrFragment(), IPv6ExtHdrFragment()), "drop", Reason.IP_OPTIONS),
    *(
        Case(f"extension header {number}, to a neighbour",
             client(Raw(b"\x06\0" + bytes(30)), NEIGHBOUR6, nh=number), "drop", Reason.IP_OPTIONS)
        for number in (0, 43, 51, 60, 135, 139, 140)
    ),
    Case("a fragment header cut off by the length",
         client(Raw(b"\x11\0\0\0\0\0\0\0"), ENDPOINT6, nh=44, plen=7), "drop", Reason.MALFORMED),
    Case("a fragment header cut off by the frame",
         client(Raw(b"\x11\0\0\0\0\0\0"), ENDPOINT6, nh=44, plen=7), "drop", Reason.TRUNCATED),
)  # fmt: skip

CASES = (*cases(V4), *cases(V6), *IPV4_CASES, *IPV6_CASES)


@pytest.mark.parametrize("case", **named(CASES))
def test_a_packet(desk: Desk, case: Case) -> None:
    run_case(desk, case)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("what", ["ping", "syn", "data", "datagram"])
def test_no_truncation_passes(lab: Desk, net: Net, what: str) -> None:
    connect(lab, net=net)
    packet = {
        "ping": client(ping(net), net.endpoint),
        "syn": client(ask(options=[("MSS", 1460)]), net.endpoint),
        "data": client(ask("PA") / b"hello", net.endpoint),
        "datagram": client(datagram(), net.endpoint),
    }[what]
    whole = bytes(packet)
    # The program-test call itself insists on a whole IP header behind its type.
    for length in range(54 if IPv6 in packet else 34, len(whole)):
        outcome = lab.send(CLIENT, whole[:length])
        assert (outcome.verdict, outcome.reason) == ("drop", Reason.TRUNCATED), length


def test_no_truncation_of_discovery_passes(lab: Desk) -> None:
    whole = bytes(solicitation())
    for length in range(54, len(whole)):
        assert lab.send(CLIENT, whole[:length]).reason == Reason.TRUNCATED, length


@pytest.mark.parametrize("net", NETS)
def test_padding_behind_the_packet_is_carried_along(lab: Desk, net: Net) -> None:
    connect(lab, net=net)
    padded = bytes(client(ask("A"), net.endpoint)) + bytes(6)
    outcome = lab.send(CLIENT, padded)
    assert (outcome.verdict, len(outcome.packet)) == ("redirect", len(padded))
