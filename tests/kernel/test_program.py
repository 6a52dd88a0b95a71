"""The eBPF program, one packet at a time: packet in, verdict, reason and packet out."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet, Raw

from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Item,
    Listener,
    Protocol,
    Rule,
    Server,
)
from privlink.node.maps import GATEWAY_MAC, NUMBER, Reason
from tests.kernel import program_test
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CIDR,
    CLIENT,
    CLIENT_LINK,
    ENDPOINT,
    ENDPOINT_MAC,
    FORWARD,
    GATEWAY,
    NEIGHBOUR,
    NEIGHBOUR_MAC,
    SERVER,
    SERVER_LINK,
    SOURCE,
    WORLD,
    arp,
    arp_reply,
    ask,
    client,
    ping,
    reset,
    shown,
    to_client,
    to_server,
    world,
)


class Case(NamedTuple):
    """One packet, from the client, in a world without flows."""

    description: str
    packet: Packet | bytes
    verdict: str
    reason: Reason | None = None
    out: Packet | None = None
    items: tuple[Item, ...] = WORLD
    sender: Attachment | None = CLIENT
    egress: int = CLIENT_LINK  # of a redirect


def refused(
    description: str, packet: Packet, reason: Reason, items: tuple[Item, ...] = WORLD, **out: Any
) -> Case:
    """A case whose packet is counted as dropped and answered with a reset."""
    answered = reset(**({"ack": 1} | out))
    return Case(description, packet, "redirect", reason, answered, items)


UNACCEPTED = world(forward=msgspec.structs.replace(FORWARD, opening=None))
NO_SERVERS = world(balancer=Balancer(3, (Listener(Protocol.TCP, 80, 80, ()),)))
ELSEWHERE = world(
    balancer=Balancer(3, (Listener(Protocol.TCP, 80, 80, (Server("10.0.0.9", 1, 1),)),))
)
CLOSED_GROUP = world(filter=Filter(11, ()))

LINK_CASES = (
    Case("a link nobody is plugged into", client(ask()), "drop", Reason.UNKNOWN_PORT, sender=None),
    Case(
        "a foreign source MAC",
        Ether(src=NEIGHBOUR_MAC, dst=ENDPOINT_MAC) / IP(src="10.0.0.5", dst=ENDPOINT) / ask(),
        "drop",
        Reason.SPOOFED_SOURCE,
    ),
    Case(
        "a foreign source address",
        client(ask(), src=NEIGHBOUR),
        "drop",
        Reason.SPOOFED_SOURCE,
    ),
    Case(
        "IPv6",
        Ether(src=CLIENT.mac, dst=NEIGHBOUR_MAC) / IPv6(dst="fe80::1") / UDP(),
        "drop",
        Reason.NOT_IP,
    ),
    Case(
        "a VLAN tag",
        Ether(src=CLIENT.mac, dst=ENDPOINT_MAC) / Dot1Q(vlan=2) / IP(dst=ENDPOINT) / ask(),
        "drop",
        Reason.NOT_IP,
    ),
)

ARP_CASES = (
    Case("ARP for the endpoint", arp(), "redirect", out=arp_reply(ENDPOINT, ENDPOINT_MAC)),
    Case(
        "ARP for the gateway",
        arp(pdst=GATEWAY),
        "redirect",
        out=arp_reply(GATEWAY, GATEWAY_MAC),
    ),
    Case("ARP for a neighbour", arp(pdst=NEIGHBOUR), "pass"),
    Case(
        "an ARP answer to a neighbour",
        arp(op=2, pdst=NEIGHBOUR, hwdst=NEIGHBOUR_MAC),
        "pass",
    ),
    Case("ARP for the world outside", arp(pdst="10.0.1.1"), "drop", Reason.NEIGHBOUR_OUTSIDE),
    Case(
        "an ARP answer in a neighbour's name",
        arp(op=2, psrc=NEIGHBOUR, pdst=NEIGHBOUR),
        "drop",
        Reason.SPOOFED_SOURCE,
    ),
    Case(
        "an ARP answer with a neighbour's MAC",
        arp(op=2, hwsrc=NEIGHBOUR_MAC),
        "drop",
        Reason.SPOOFED_SOURCE,
    ),
    Case("reverse ARP", arp(op=3), "drop", Reason.MALFORMED),
    Case("ARP for another hardware", arp(hwtype=6), "drop", Reason.MALFORMED),
    Case("ARP with long addresses", arp(plen=16, hwlen=8), "drop", Reason.MALFORMED),
    Case("ARP for another protocol", arp(ptype=0x86DD), "drop", Reason.MALFORMED),
)

IP_CASES = (
    Case("IP version 6 in an IPv4 frame", client(ask(), version=6), "drop", Reason.MALFORMED),
    Case("a header of 16 bytes", client(ask(), ihl=4), "drop", Reason.MALFORMED),
    Case("a total length below the header's", client(ask(), len=19), "drop", Reason.MALFORMED),
    Case("a total length beyond the frame's", client(ask(), len=41), "drop", Reason.TRUNCATED),
    Case(
        "IP options",
        client(ask(), ihl=6),
        "drop",
        Reason.IP_OPTIONS,
    ),
    Case("another subnet", client(ask(), dst="10.0.1.5"), "drop", Reason.NO_ROUTE),
    Case("another subnet, by UDP", client(UDP(), dst="192.0.2.1"), "drop", Reason.NO_ROUTE),
    Case("the endpoint's source address", client(ask(), dst=SOURCE), "drop", Reason.NO_ROUTE),
    Case("TCP to a neighbour", client(ask(), dst=NEIGHBOUR), "pass"),
    Case("UDP to a neighbour", client(UDP() / b"hello", dst=NEIGHBOUR), "pass"),
    Case("a fragment to a neighbour", client(UDP(), dst=NEIGHBOUR, flags="MF"), "pass"),
    Case("a fragment to the endpoint", client(ask(), flags="MF"), "drop", Reason.FRAGMENT),
    Case("a later fragment to the endpoint", client(ask(), frag=9), "drop", Reason.FRAGMENT),
    Case(
        "a fragment to the world outside",
        client(ask(), dst=SOURCE, flags="MF"),
        "drop",
        Reason.FRAGMENT,
    ),
    Case("the subnet's broadcast address", client(UDP(), "10.0.0.255"), "drop", Reason.MULTICAST),
    Case(
        "a broadcast frame",
        Ether(src=CLIENT.mac, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="10.0.0.5", dst="255.255.255.255")
        / UDP(),
        "drop",
        Reason.MULTICAST,
    ),
    Case(
        "a multicast frame to the endpoint",
        Ether(src=CLIENT.mac, dst="01:00:5e:00:00:64") / IP(src="10.0.0.5", dst=ENDPOINT) / ask(),
        "drop",
        Reason.MULTICAST,
    ),
    Case(
        "a neighbour by way of the gateway",
        Ether(src=CLIENT.mac, dst=GATEWAY_MAC) / IP(src="10.0.0.5", dst=NEIGHBOUR) / ask(),
        "drop",
        Reason.VIA_GATEWAY,
    ),
    Case("UDP to the endpoint", client(UDP(dport=80)), "drop", Reason.PROTOCOL),
    Case("UDP to the gateway", client(UDP(dport=53), dst=GATEWAY), "drop", Reason.PROTOCOL),
)

PONG = ICMP(type=0, id=1, seq=2) / Raw(b"privlink" * 7)

ICMP_CASES = (
    Case("ping to the endpoint", client(ping()), "redirect", out=to_client(PONG)),
    Case(
        "ping to the gateway, whatever the groups say",
        client(ping(), dst=GATEWAY),
        "redirect",
        out=Ether(src=GATEWAY_MAC, dst=CLIENT.mac) / IP(src=GATEWAY, dst="10.0.0.5") / PONG,
        items=CLOSED_GROUP,
    ),
    Case("ping a group forbids", client(ping()), "drop", Reason.SECURITY_GROUP, items=CLOSED_GROUP),
    Case("ping to a neighbour", client(ping(), dst=NEIGHBOUR), "pass"),
    Case("an echo reply", client(ICMP(type=0)), "drop", Reason.ICMP_TYPE),
    Case("an echo request with a code", client(ping(code=1)), "drop", Reason.ICMP_TYPE),
    Case("port unreachable", client(ICMP(type=3, code=3)), "drop", Reason.ICMP_TYPE),
    Case("a redirect to the gateway", client(ICMP(type=5), GATEWAY), "drop", Reason.ICMP_TYPE),
    Case(
        "an ICMP header cut off by the total length",
        bytes(client(ping(), len=27)),
        "drop",
        Reason.MALFORMED,
    ),
)

TCP_CASES = (
    Case(
        "a SYN to the listener",
        client(ask()),
        "redirect",
        out=to_server(TCP(sport=40000, dport=8080, flags="S")),
        egress=SERVER_LINK,
    ),
    Case(
        "a SYN with options and data",
        client(ask(options=[("MSS", 1460), ("WScale", 7)]) / b"fast open"),
        "redirect",
        out=to_server(
            TCP(sport=40000, dport=8080, flags="S", options=[("MSS", 1460), ("WScale", 7)])
            / b"fast open"
        ),
        egress=SERVER_LINK,
    ),
    Case("a data offset of 16 bytes", client(ask(dataofs=4)), "drop", Reason.MALFORMED),
    Case("a data offset beyond the packet", client(ask(dataofs=6)), "drop", Reason.MALFORMED),
    Case("SYN and FIN", client(ask("SF")), "drop", Reason.MALFORMED),
    Case("SYN and RST", client(ask("SR")), "drop", Reason.MALFORMED),
    refused("an endpoint not accepted", client(ask()), Reason.NOT_ACCEPTED, UNACCEPTED),
    refused(
        "no listener on that port", client(ask(dport=81)), Reason.NO_LISTENER, sport=81
    ),
    refused("a listener without servers", client(ask()), Reason.NO_SERVER, NO_SERVERS),
    refused("a server that is not here", client(ask()), Reason.NO_SERVER, ELSEWHERE),
    Case("a port the group forbids", client(ask()), "drop", Reason.SECURITY_GROUP,
         items=CLOSED_GROUP),
    Case(
        "TCP to the gateway",
        client(ask(), dst=GATEWAY),
        "redirect",
        Reason.NO_LISTENER,
        Ether(src=GATEWAY_MAC, dst=CLIENT.mac)
        / IP(src=GATEWAY, dst="10.0.0.5", id=0, flags="DF", ttl=64)
        / TCP(sport=80, dport=40000, flags="RA", seq=0, ack=1, window=0),
    ),
    # RFC 9293 section 3.10.7.1: with ACK, its number becomes the sequence number; ...
    refused(
        "an ACK out of the blue", client(ask("A", ack=77)), Reason.NO_FLOW,
        flags="R", seq=77, ack=0,
    ),
    refused(
        "a SYN-ACK out of the blue", client(ask("SA", seq=4, ack=78)), Reason.NO_FLOW,
        flags="R", seq=78, ack=0,
    ),
    # ... without, everything the segment took up is acknowledged.
    refused(
        "data out of the blue, without ACK",
        client(ask("P", seq=2**32 - 3) / (b"x" * 1000)),
        Reason.NO_FLOW,
        ack=997,
    ),
    refused(
        "a FIN out of the blue, with options",
        client(ask("F", seq=10, options=[("Timestamp", (1, 2))]) / b"bye"),
        Reason.NO_FLOW,
        ack=14,
    ),
    refused(
        "a SYN with data to a closed port",
        client(ask(dport=81, seq=9) / b"data"),
        Reason.NO_LISTENER,
        sport=81,
        ack=14,
    ),
    Case("a reset is not answered", client(ask("R")), "drop", Reason.NO_FLOW),
    Case("nor one that acknowledges", client(ask("RA")), "drop", Reason.NO_FLOW),
)  # fmt: skip

CASES = LINK_CASES + ARP_CASES + IP_CASES + ICMP_CASES + TCP_CASES


@pytest.mark.parametrize("case", CASES, ids=[case.description for case in CASES])
def test_one_packet(desk: Desk, case: Case) -> None:
    desk.lay_out(case.items)
    desk.plug(SERVER, SERVER_LINK)
    packet = bytes(case.packet)
    outcome = desk.send(case.sender, packet)
    assert (outcome.verdict, outcome.reason) == (case.verdict, case.reason)
    if case.out is None:
        assert outcome.packet == packet
    else:
        assert shown(outcome.packet) == shown(bytes(case.out))
        assert outcome.egress == case.egress


def test_every_reason_has_its_packet() -> None:
    elsewhere = {
        Reason.VLAN_TAGGED,  # the tag is metadata, which the program-test call cannot set
        Reason.CLOSED,
        Reason.UNSOLICITED_SYN,
        Reason.NO_SOURCE_PORT,
        Reason.FLOW_TABLE_FULL,
        Reason.FLOW_LIMIT,
    }
    assert {case.reason for case in CASES} - {None} == set(Reason) - elsewhere


def allow(priority: int, protocol: str, cidr: str, low: int = 0, high: int = 65535) -> Rule:
    """A rule that accepts."""
    return Rule(priority, True, protocol, cidr, low, high)


def deny(priority: int, protocol: str, cidr: str, low: int = 0, high: int = 65535) -> Rule:
    """A rule that drops."""
    return Rule(priority, False, protocol, cidr, low, high)


ALL = "0.0.0.0/0"
NONE_OF_250 = [deny(50, "TCP", ALL, 1, 79)] * 249


@pytest.mark.parametrize(
    ("groups", "permitted"),
    [
        ([], False),
        ([[]], False),
        ([[allow(1, "TCP", CIDR, 80, 80)]], True),
        ([[allow(1, "ALL", "10.0.0.5/32")]], True),
        ([[allow(1, "UDP", ALL)]], False),
        ([[allow(1, "TCP", "10.0.0.6/32")]], False),
        ([[allow(1, "TCP", ALL, 81, 90)]], False),
        ([[allow(1, "TCP", ALL, 70, 79)]], False),
        # Within a group the order decides.
        ([[deny(1, "TCP", ALL, 80, 80), allow(2, "ALL", ALL)]], False),
        ([[allow(1, "TCP", ALL, 80, 80), deny(2, "ALL", ALL)]], True),
        ([[*NONE_OF_250, allow(50, "TCP", CIDR, 80, 80)]], True),
        # Across groups the lowest priority wins, and of equals the one that drops.
        ([[deny(2, "TCP", ALL)], [allow(1, "TCP", ALL)]], True),
        ([[deny(1, "TCP", ALL)], [allow(2, "TCP", ALL)]], False),
        ([[allow(1, "TCP", ALL)], [deny(1, "TCP", ALL)]], False),
        ([[deny(1, "TCP", ALL)], [allow(1, "TCP", ALL)]], False),
        ([[], [allow(100, "TCP", ALL)]], True),
        ([*[[]] * 9, [allow(100, "TCP", ALL)]], True),
    ],
)
def test_security_groups(lab: Desk, groups: list[list[Rule]], permitted: bool) -> None:
    numbers = tuple(range(20, 20 + len(groups)))
    lab.lay_out(Filter(number, tuple(rules)) for number, rules in zip(numbers, groups, strict=True))
    lab.lay_out([msgspec.structs.replace(FORWARD, filters=numbers)])
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert outcome.reason == (None if permitted else Reason.SECURITY_GROUP)


def test_a_group_that_is_not_there_permits_nothing(lab: Desk) -> None:
    lab.program.maps["filters"].delete(NUMBER.pack(11))
    assert lab.send(CLIENT, bytes(client(ask()))).reason == Reason.SECURITY_GROUP


def test_the_verifier_has_room_left(desk: Desk) -> None:
    walked = program_test.verified_instructions(desk.program)
    print(f"\nverified instructions: {walked} of 1000000")
    assert 0 < walked < 100_000
