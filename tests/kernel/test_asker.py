"""The program and questions for names: as whom they arrive, and what else does not.

client 10.0.0.5 ── VPC 1, 100.100.2.136 ── as 10.0.0.1, its vSwitch ── 100.100.2.136, the resolver
"""

from __future__ import annotations

import socket

import msgspec
import pytest
from scapy.layers.inet import ICMP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.model.items import Attachment, Resolver, Route, RouteKind, RouteTable
from privlink.model.naming import RESOLVER_ADDRESS, asker_address
from privlink.node.naming import RESOLVER_NETWORK, resolver_entries
from privlink.node.program.maps import GATEWAY_MAC, FlowKey, Reason
from tests.kernel.cases import Case, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    CLIENT_LINK,
    OTHER,
    WORLD,
    ask,
    client,
    datagram,
    ip,
    quote,
    reset,
    to_client,
    unreachable,
)

LINK, FAR_LINK = 40, 41
ALONE = f"{RESOLVER_ADDRESS}/32"
ANSWERING = Attachment(0, 0, RESOLVER_NETWORK, ALONE, RESOLVER_ADDRESS, "02:6e:61:6d:65:73")
ASKER = asker_address(CLIENT.segment)
NAMES = (*WORLD, Resolver(1))
FAR = Attachment(4, 0x123456, 1, "10.0.1.0/24", "10.0.1.5", "02:00:00:00:01:15")
NOWHERE = msgspec.structs.replace(CLIENT, segment=1 << 24)  # too high a number for an asker
HOP = msgspec.structs.replace(OTHER, table=5)
AWAY = RouteTable(5, 1, (Route("0.0.0.0/0", RouteKind.ATTACHMENT, HOP.address),))


def question(layer: Packet, sender: Attachment = CLIENT, src: str = "") -> Packet:
    return client(layer, RESOLVER_ADDRESS, src, sender)


def arriving(layer: Packet, src: str = ASKER) -> Packet:
    return Ether(src=GATEWAY_MAC, dst=ANSWERING.mac) / ip(src, RESOLVER_ADDRESS) / layer


def from_there(layer: Packet, dst: str = ASKER) -> Packet:
    """A frame that the resolver sends."""
    return Ether(src=ANSWERING.mac, dst=GATEWAY_MAC) / ip(RESOLVER_ADDRESS, dst) / layer


def told_no(packet: Packet, sender: Attachment = CLIENT) -> Packet:
    assert sender.mac == CLIENT.mac
    return unreachable(packet, RESOLVER_ADDRESS)


def case(description: str, *rest: object, **more: object) -> Case:
    return Case(description, *rest, **({"items": NAMES} | more))  # type: ignore[arg-type]


OTHER_PORT, UNKNOWN = question(datagram(dport=54)), question(datagram(dport=53), NOWHERE)


def opened(protocol: int, asker: str = ASKER, sender: Attachment = CLIENT) -> set[FlowKey]:
    """The flow of a question."""
    return {
        FlowKey(1, sender.address, 40000, RESOLVER_ADDRESS, 53, protocol),
        FlowKey(RESOLVER_NETWORK, RESOLVER_ADDRESS, 53, asker, 40000, protocol),
    }


ANSWERED = ((CLIENT, question(datagram(dport=53))),)
CALLED = ((CLIENT, question(ask("S", dport=53))),)

CASES = (
    case("a datagram", question(datagram(dport=53)), "redirect", state=opened(socket.IPPROTO_UDP),
         out=arriving(datagram(dport=53)), egress=LINK),
    case("a segment", question(ask(dport=53)), "redirect", state=opened(socket.IPPROTO_TCP),
         out=arriving(ask(dport=53)), egress=LINK),
    case("of a vSwitch with a high number", question(datagram(dport=53), FAR), "redirect",
         sender=FAR, state=opened(socket.IPPROTO_UDP, "10.18.52.86", FAR),
         out=arriving(datagram(dport=53), "10.18.52.86"), egress=LINK),
    case("of a vSwitch whose number is too high", UNKNOWN, "redirect", Reason.NO_LISTENER,
         out=told_no(UNKNOWN), sender=NOWHERE),
    case("to another port", OTHER_PORT, "redirect", Reason.NO_LISTENER, out=told_no(OTHER_PORT)),
    case("a segment to another port", question(ask(dport=80)), "redirect", Reason.NO_LISTENER,
         out=reset(src=RESOLVER_ADDRESS, sport=80, ack=1)),
    case("of another protocol",
         Ether(src=CLIENT.mac, dst=GATEWAY_MAC)
         / ip(CLIENT.address, RESOLVER_ADDRESS, proto=47) / Raw(b"x" * 40),
         "drop", Reason.PROTOCOL),
    case("a ping is the fabric's to answer", question(ICMP(type=8, id=1, seq=1)), "redirect",
         out=to_client(ICMP(type=0, id=1, seq=1), RESOLVER_ADDRESS), egress=CLIENT_LINK),
    case("where no names are answered", question(datagram(dport=53)), "drop", Reason.NO_ROUTE,
         items=WORLD),
    case("by who passes on, in its name", client(datagram(), CLIENT.address, RESOLVER_ADDRESS, HOP),
         "drop", Reason.SPOOFED_SOURCE, items=(*NAMES, AWAY), sender=HOP),
    case("an answer", from_there(datagram(b"here", 53, 40000)), "redirect", before=ANSWERED,
         sender=ANSWERING, out=Ether(src=GATEWAY_MAC, dst=CLIENT.mac)
         / ip(RESOLVER_ADDRESS, CLIENT.address) / datagram(b"here", 53, 40000), egress=CLIENT_LINK),
    case("an answer that nobody asked for", from_there(datagram(b"here", 53, 40001)), "drop",
         Reason.NO_ROUTE, before=ANSWERED, sender=ANSWERING),
    case("an answer to another vSwitch", from_there(datagram(b"here", 53, 40000), "10.0.0.2"),
         "drop", Reason.NO_ROUTE, before=ANSWERED, sender=ANSWERING),
    case("a connection from there", from_there(TCP(sport=53, dport=40000, flags="S")), "drop",
         Reason.UNSOLICITED_SYN, before=CALLED, sender=ANSWERING),
    case("a connection from there to nobody", from_there(TCP(sport=1, dport=22, flags="S")), "drop",
         Reason.NO_ROUTE, before=CALLED, sender=ANSWERING),
    case("from there to a workload's own address",
         from_there(datagram(b"x", 53, 40000), CLIENT.address), "drop", Reason.NO_ROUTE,
         before=ANSWERED, sender=ANSWERING),
    case("from there in an asker's name",
         Ether(src=ANSWERING.mac, dst=GATEWAY_MAC) / ip(ASKER, RESOLVER_ADDRESS) / datagram(),
         "drop", Reason.SPOOFED_SOURCE, sender=ANSWERING),
    case("an error from there about something else",
         from_there(ICMP(type=3, code=3)
                    / quote(ASKER, RESOLVER_ADDRESS, UDP(sport=40001, dport=53))),
         "drop", Reason.FOREIGN_ERROR, before=ANSWERED, sender=ANSWERING),
)  # fmt: skip


@pytest.fixture
def answered(desk: Desk) -> Desk:
    """With who answers for names, and a workload in another vSwitch."""
    desk.put(resolver_entries())
    desk.plug(ANSWERING, LINK)
    desk.plug(FAR, FAR_LINK)
    desk.plug(CLIENT, CLIENT_LINK)
    return desk


@pytest.mark.parametrize("case", **named(CASES))
def test_a_question(answered: Desk, case: Case) -> None:
    run_case(answered, case)
