"""The program at the door: whose link, whose frame, and who has this IPv4 address."""

from __future__ import annotations

import msgspec
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel.cases import UNACCEPTED, Case, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT,
    ENDPOINT6,
    ENDPOINT_MAC,
    GATEWAY,
    NEIGHBOUR,
    NEIGHBOUR_MAC,
    V4,
    arp,
    arp_reply,
    ask,
    client,
)

WITHOUT_IPV6 = msgspec.structs.replace(CLIENT, cidr6="", address6="")
OURS = {"src": CLIENT.mac, "dst": ENDPOINT_MAC}

LINK_CASES = (
    Case("a link nobody is plugged into", client(ask()), "drop", Reason.UNKNOWN_PORT, sender=None),
    Case(
        "a foreign source MAC",
        Ether(src=NEIGHBOUR_MAC, dst=ENDPOINT_MAC) / IP(src=V4.workload, dst=ENDPOINT) / ask(),
        "drop",
        Reason.SPOOFED_SOURCE,
    ),
    Case(
        "a foreign source MAC, by ARP",
        Ether(src=NEIGHBOUR_MAC, dst="ff:ff:ff:ff:ff:ff") / arp().payload,
        "drop",
        Reason.SPOOFED_SOURCE,
    ),
    *(
        Case(f"a source MAC with another byte {at}", bytes(changed), "drop", Reason.SPOOFED_SOURCE)
        for at in range(6, 12)
        for changed in [bytearray(bytes(client(ask())))]
        if not changed.__setitem__(at, changed[at] ^ 1)
    ),
    Case(
        "IPv6 of a workload that has none",
        client(ask(), ENDPOINT6),
        "drop",
        Reason.NOT_IP,
        sender=WITHOUT_IPV6,
    ),
    Case("a VLAN tag", Ether(**OURS) / Dot1Q(vlan=2) / IP(dst=ENDPOINT) / ask(), "drop",
         Reason.NOT_IP),
    Case("another protocol", Ether(**OURS, type=0x88CC) / (b"x" * 50), "drop", Reason.NOT_IP),
    Case("a length for a type", Ether(**OURS, type=46) / (b"x" * 46), "drop", Reason.NOT_IP),
    Case("nothing behind the type", bytes(Ether(**OURS, type=0x88CC)) + b"x", "drop",
         Reason.NOT_IP),
    Case("IPv6 in an IPv4 frame", Ether(**OURS, type=0x0800) / IPv6() / UDP(), "drop",
         Reason.MALFORMED),
)  # fmt: skip

BROADCAST = "ff:ff:ff:ff:ff:ff"

ARP_CASES = (
    Case("ARP for the endpoint", arp(), "redirect", out=arp_reply(ENDPOINT, ENDPOINT_MAC)),
    Case("ARP for the endpoint, not accepted", arp(), "redirect",
         out=arp_reply(ENDPOINT, ENDPOINT_MAC), items=UNACCEPTED),
    Case("ARP for the gateway", arp(pdst=GATEWAY), "redirect",
         out=arp_reply(GATEWAY, GATEWAY_MAC)),
    Case("ARP for the endpoint, to its MAC", Ether(**OURS) / arp().payload, "redirect",
         out=arp_reply(ENDPOINT, ENDPOINT_MAC)),
    Case("ARP of a workload without IPv6", arp(), "redirect",
         out=arp_reply(ENDPOINT, ENDPOINT_MAC), sender=WITHOUT_IPV6),
    Case("ARP for a neighbour", arp(pdst=NEIGHBOUR), "pass"),
    Case("ARP for oneself, to say where one is", arp(pdst=V4.workload), "pass"),
    Case("an ARP answer to a neighbour", arp(op=2, pdst=NEIGHBOUR, hwdst=NEIGHBOUR_MAC), "pass"),
    Case("an ARP answer that nobody answers", arp(op=2, pdst=ENDPOINT), "pass"),
    Case("ARP for the world outside", arp(pdst="10.0.1.1"), "drop", Reason.NEIGHBOUR_OUTSIDE),
    Case("an ARP answer to the world outside", arp(op=2, pdst="10.0.1.1"), "drop",
         Reason.NEIGHBOUR_OUTSIDE),
    Case("an ARP answer in a neighbour's name", arp(op=2, psrc=NEIGHBOUR, pdst=NEIGHBOUR), "drop",
         Reason.SPOOFED_SOURCE),
    Case("ARP in the endpoint's name", arp(op=2, psrc=ENDPOINT, pdst=NEIGHBOUR), "drop",
         Reason.SPOOFED_SOURCE),
    Case("ARP without a name", arp(psrc="0.0.0.0"), "drop", Reason.SPOOFED_SOURCE),
    Case("an ARP answer with a neighbour's MAC", arp(op=2, hwsrc=NEIGHBOUR_MAC), "drop",
         Reason.SPOOFED_SOURCE),
    Case("no ARP operation", arp(op=0), "drop", Reason.MALFORMED),
    Case("reverse ARP", arp(op=3), "drop", Reason.MALFORMED),
    Case("ARP for another hardware", arp(hwtype=6), "drop", Reason.MALFORMED),
    Case("ARP with long MACs", arp(hwlen=8), "drop", Reason.MALFORMED),
    Case("ARP with long addresses", arp(plen=16), "drop", Reason.MALFORMED),
    Case("ARP for another protocol", arp(ptype=0x86DD), "drop", Reason.MALFORMED),
    Case("ARP cut off", bytes(arp())[:41], "drop", Reason.TRUNCATED),
)  # fmt: skip

CASES = LINK_CASES + ARP_CASES


@pytest.mark.parametrize("case", **named(CASES))
def test_a_frame(desk: Desk, case: Case) -> None:
    run_case(desk, case)


def test_padding_behind_arp_goes_back_with_it(lab: Desk) -> None:
    outcome = lab.send(CLIENT, bytes(arp()) + bytes(18))
    assert outcome.packet == bytes(arp_reply(ENDPOINT, ENDPOINT_MAC)) + bytes(18)
