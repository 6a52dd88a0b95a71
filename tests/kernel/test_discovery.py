"""The program and neighbour discovery: who has this IPv6 address, and who may say so."""

from __future__ import annotations

import pytest
from scapy.layers.inet6 import (
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptMTU,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel.cases import UNACCEPTED, Case, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT6,
    ENDPOINT_MAC,
    GATEWAY6,
    LINK_LOCAL,
    NEIGHBOUR6,
    NEIGHBOUR_MAC,
    SERVER,
    V6,
    advertisement,
    discovery,
    solicitation,
    solicited,
)

ENDPOINT_IS_HERE = solicited(ENDPOINT6, ENDPOINT_MAC)
FOREIGN_LOCAL = "fe80::ff:fe00:106"  # the neighbour's
OWN_OPTION = ICMPv6NDOptSrcLLAddr(lladdr=CLIENT.mac)
DOUBLE_OPTION = ICMPv6NDOptSrcLLAddr(lladdr=CLIENT.mac) / ICMPv6NDOptSrcLLAddr(lladdr=CLIENT.mac)


def in_pieces(layer: Packet, **fragment: int) -> Packet:
    """A message of discovery with a fragment header."""
    macs = Ether(src=CLIENT.mac, dst=NEIGHBOUR_MAC)
    head = IPv6(src=V6.workload, dst=NEIGHBOUR6, hlim=255)
    return macs / head / IPv6ExtHdrFragment(id=1, **fragment) / layer


def option(kind: int, length: int, mac: str = CLIENT.mac) -> Packet:
    """A solicitation with an option made by hand."""
    told = bytes([kind, length]) + bytes.fromhex(mac.replace(":", ""))
    return discovery(ICMPv6ND_NS(tgt=ENDPOINT6) / Raw(told))


ASKED = (
    Case("the endpoint", solicitation(), "redirect", out=ENDPOINT_IS_HERE),
    Case("the endpoint, not accepted", solicitation(), "redirect", out=ENDPOINT_IS_HERE,
         items=UNACCEPTED),
    Case("the endpoint, without an option", solicitation(mac=None), "redirect",
         out=ENDPOINT_IS_HERE),
    Case("the endpoint, by a link-local address", solicitation(src=LINK_LOCAL), "redirect",
         out=solicited(ENDPOINT6, ENDPOINT_MAC, LINK_LOCAL)),
    Case("the endpoint, to itself", solicitation(dst=ENDPOINT6), "redirect", out=ENDPOINT_IS_HERE),
    Case("the endpoint, with padding", bytes(solicitation()) + bytes(9), "redirect",
         out=ENDPOINT_IS_HERE),
    Case("the gateway, a router", solicitation(GATEWAY6), "redirect",
         out=solicited(GATEWAY6, GATEWAY_MAC, router=1)),
    Case("a neighbour", solicitation(NEIGHBOUR6), "pass"),
    Case("a neighbour, by a link-local address", solicitation(NEIGHBOUR6, src=LINK_LOCAL), "pass"),
    Case("oneself", solicitation(V6.workload), "pass"),
    Case("outside", solicitation("2001:db8::1"), "drop", Reason.NEIGHBOUR_OUTSIDE),
    Case("the next /64", solicitation("fd00:10:0:1::6"), "drop", Reason.NEIGHBOUR_OUTSIDE),
    Case("another /32", solicitation("fd00:11::6"), "drop", Reason.NEIGHBOUR_OUTSIDE),
    Case("a neighbour's link-local address", solicitation(FOREIGN_LOCAL), "drop",
         Reason.NEIGHBOUR_OUTSIDE),
    Case("a group", solicitation("ff02::1"), "drop", Reason.MALFORMED),
    Case("an IPv4 address", solicitation("::ffff:10.0.0.100"), "drop", Reason.MALFORMED),
    Case("a neighbour's IPv4 address", solicitation("::ffff:10.0.0.6"), "drop", Reason.MALFORMED),
    Case("with a code", discovery(ICMPv6ND_NS(tgt=ENDPOINT6, code=1)), "drop", Reason.MALFORMED),
    Case("from a router away", solicitation(hlim=254), "drop", Reason.MALFORMED),
    Case("with a foreign MAC", solicitation(mac=NEIGHBOUR_MAC), "drop", Reason.SPOOFED_SOURCE),
    Case("by a neighbour's address", solicitation(src=NEIGHBOUR6), "drop", Reason.SPOOFED_SOURCE),
    Case("by a neighbour's link-local address", solicitation(src=FOREIGN_LOCAL), "drop",
         Reason.SPOOFED_SOURCE),
    Case("by a group", solicitation(src="ff02::1"), "drop", Reason.SPOOFED_SOURCE),
    Case("is my address anybody's", solicitation(V6.workload, None, "::"), "drop",
         Reason.MULTICAST),
    Case("is my link-local address anybody's", solicitation(LINK_LOCAL, None, "::"), "drop",
         Reason.MULTICAST),
    Case("is a neighbour's address anybody's", solicitation(NEIGHBOUR6, None, "::"), "drop",
         Reason.SPOOFED_SOURCE),
    Case("the endpoint, by nobody", solicitation(ENDPOINT6, None, "::"), "drop",
         Reason.SPOOFED_SOURCE),
    Case("with the answer's option", option(2, 1), "drop", Reason.MALFORMED),
    Case("with an option of no length", option(1, 0), "drop", Reason.MALFORMED),
    Case("with an option too long", option(1, 2), "drop", Reason.MALFORMED),
    Case("with another option", discovery(ICMPv6ND_NS(tgt=ENDPOINT6) / ICMPv6NDOptMTU()), "drop",
         Reason.MALFORMED),
    Case("with two options", discovery(ICMPv6ND_NS(tgt=ENDPOINT6) / DOUBLE_OPTION), "drop",
         Reason.MALFORMED),
    Case("with half an option", discovery(ICMPv6ND_NS(tgt=ENDPOINT6) / Raw(b"\1\1\2\0")), "drop",
         Reason.MALFORMED),
)  # fmt: skip

ANSWERED = (
    Case("to a neighbour", advertisement(), "pass"),
    Case("to a neighbour, without an option", advertisement(mac=None), "pass"),
    Case("to everybody", advertisement(dst="ff02::1", S=0), "pass"),
    Case("to a neighbour's link-local address", advertisement(dst=FOREIGN_LOCAL), "pass"),
    Case("of a link-local address", advertisement(LINK_LOCAL), "pass"),
    Case("to the world outside", advertisement(dst="2001:db8::1"), "drop",
         Reason.NEIGHBOUR_OUTSIDE),
    Case("in a neighbour's name", advertisement(NEIGHBOUR6), "drop", Reason.SPOOFED_SOURCE),
    Case("in the endpoint's name", advertisement(ENDPOINT6), "drop", Reason.SPOOFED_SOURCE),
    Case("in the gateway's name", advertisement(GATEWAY6), "drop", Reason.SPOOFED_SOURCE),
    Case("of a neighbour's link-local address", advertisement(FOREIGN_LOCAL), "drop",
         Reason.SPOOFED_SOURCE),
    Case("with a foreign MAC", advertisement(mac=NEIGHBOUR_MAC), "drop", Reason.SPOOFED_SOURCE),
    Case("as a router", advertisement(R=1), "drop", Reason.ADVERTISEMENT),
    Case("with a code", advertisement(code=1), "drop", Reason.MALFORMED),
    Case("of a group", advertisement("ff02::1"), "drop", Reason.MALFORMED),
    Case("with the question's option",
         discovery(ICMPv6ND_NA(tgt=V6.workload, R=0) / OWN_OPTION, dst=NEIGHBOUR6), "drop",
         Reason.MALFORMED),
    Case("by a neighbour's address",
         discovery(ICMPv6ND_NA(tgt=V6.workload, R=0), NEIGHBOUR6, NEIGHBOUR6), "drop",
         Reason.SPOOFED_SOURCE),
    Case("by nobody", discovery(ICMPv6ND_NA(tgt=V6.workload, R=0), "::", NEIGHBOUR6), "drop",
         Reason.SPOOFED_SOURCE),
    Case("from a router away",
         discovery(ICMPv6ND_NA(tgt=V6.workload, R=0), dst=NEIGHBOUR6, hlim=64), "drop",
         Reason.MALFORMED),
)  # fmt: skip

ROUTERS = (
    Case("a router is looked for", discovery(ICMPv6ND_RS(), LINK_LOCAL, "ff02::2"), "drop",
         Reason.ADVERTISEMENT),
    Case("a router is looked for, with an option",
         discovery(ICMPv6ND_RS() / OWN_OPTION, LINK_LOCAL, "ff02::2"), "drop",
         Reason.ADVERTISEMENT),
    Case("a router is looked for by nobody yet", discovery(ICMPv6ND_RS(), "::", "ff02::2"), "drop",
         Reason.ADVERTISEMENT),
    Case("a router says it is one", discovery(ICMPv6ND_RA(), LINK_LOCAL, "ff02::1"), "drop",
         Reason.ADVERTISEMENT),
    Case("a redirect", discovery(ICMPv6ND_Redirect(tgt=V6.workload, dst=V6.outside)), "drop",
         Reason.ADVERTISEMENT),
    Case("discovery in a piece", in_pieces(ICMPv6ND_NS(tgt=NEIGHBOUR6), m=1), "drop",
         Reason.ADVERTISEMENT),
    Case("discovery behind a fragment header that is none",
         in_pieces(ICMPv6ND_NA(tgt=NEIGHBOUR6, R=0)), "drop", Reason.ADVERTISEMENT),
    Case("discovery behind options",
         discovery(IPv6ExtHdrDestOpt() / ICMPv6ND_NS(tgt=ENDPOINT6), dst=NEIGHBOUR6), "drop",
         Reason.MULTICAST),
    Case("a report of groups",
         discovery(IPv6ExtHdrHopByHop() / ICMPv6MLReport2(), LINK_LOCAL, "ff02::16", 1), "drop",
         Reason.MULTICAST),
    Case("a report of groups by nobody yet",
         discovery(IPv6ExtHdrHopByHop() / ICMPv6MLReport2(), "::", "ff02::16", 1), "drop",
         Reason.MULTICAST),
    Case("a report of groups in a neighbour's name",
         discovery(IPv6ExtHdrHopByHop() / ICMPv6MLReport2(), FOREIGN_LOCAL, "ff02::16", 1), "drop",
         Reason.SPOOFED_SOURCE),
    Case("a type before discovery's", discovery(Raw(b"\x84" + bytes(23))), "drop",
         Reason.MULTICAST),
    Case("a type behind discovery's", discovery(Raw(b"\x8a" + bytes(23))), "drop",
         Reason.MULTICAST),
)  # fmt: skip


def foreign(case: Case, word: str) -> Case:
    return case._replace(description=f"{word}: {case.description}")


CASES = (
    *(foreign(case, "who has") for case in ASKED),
    *(foreign(case, "I have") for case in ANSWERED),
    *ROUTERS,
)


@pytest.mark.parametrize("case", **named(CASES))
def test_discovery(desk: Desk, case: Case) -> None:
    run_case(desk, case)


def test_each_network_has_its_own_endpoints(lab: Desk) -> None:
    """In the server's the client's endpoint is a neighbour like any other."""
    asked = solicitation(mac=SERVER.mac)
    asked.src = SERVER.mac
    assert lab.send(SERVER, bytes(asked)).verdict == "pass"


@pytest.mark.parametrize("length", range(8, 24))
def test_no_part_of_a_message_passes(lab: Desk, length: int) -> None:
    for whole in (solicitation(), advertisement()):
        layer = Raw(bytes(whole[IPv6].payload)[:length])
        packet = discovery(layer, dst=NEIGHBOUR6)
        packet[IPv6].nh = 58
        assert lab.send(CLIENT, bytes(packet)).reason == Reason.MALFORMED
