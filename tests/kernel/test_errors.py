"""The program and ICMP errors about packets of a flow: translated for whom they are meant, and
nobody else's business."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.model.items import Attachment
from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel.cases import (
    Case,
    connect,
    exchange,
    go,
    named,
    pair,
    run_case,
    uncounted,
)
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT6,
    NETS,
    OTHER,
    REFUSAL,
    SERVER,
    SERVER_LINK,
    V4,
    V6,
    Net,
    ask,
    client,
    datagram,
    ip,
    quote,
    received,
    server,
    to_client,
    to_server,
)

KINDS = {
    4: (
        ICMP(type=3, code=0), ICMP(type=3, code=1), ICMP(type=3, code=3),
        ICMP(type=3, code=4, nexthopmtu=1280), ICMP(type=3, code=4, nexthopmtu=68),
        ICMP(type=3, code=13), ICMP(type=11, code=0), ICMP(type=11, code=1),
        ICMP(type=12, code=0, ptr=20),
    ),
    6: (
        ICMPv6DestUnreach(code=0), ICMPv6DestUnreach(code=1), ICMPv6DestUnreach(code=4),
        ICMPv6PacketTooBig(mtu=1280), ICMPv6PacketTooBig(mtu=2**32 - 1),
        ICMPv6TimeExceeded(code=0), ICMPv6TimeExceeded(code=1), ICMPv6ParamProblem(code=1, ptr=6),
    ),
}  # fmt: skip
ALL_KINDS = [(net, kind) for net in NETS for kind in KINDS[net.version]]
TRANSPORTS = {"tcp": TCP, "udp": UDP}


def sent(net: Net, layer: Packet | None = None, size: int = 8) -> Raw:
    """The quote of what the client had sent for it."""
    return quote(net.workload, net.endpoint, layer or UDP(sport=40000, dport=80), size)


def begin(desk: Desk, net: Net, transport: str) -> None:
    (connect if transport == "tcp" else exchange)(desk, net=net)


def same_checksum(net: Net, original: Packet, transport: str, goes: Packet) -> Raw:
    """A quote whose transport checksum is that of another packet: it is left as it is."""
    at = {"tcp": 16, "udp": 6}[transport] + (20 if net is V4 else 40)
    before, after = bytes(original), bytes(goes)
    return Raw(after[:at] + before[at : at + 2] + after[at + 2 :])


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("size", [8, 12, 28])
@pytest.mark.parametrize(
    ("net", "kind"), ALL_KINDS, ids=[f"{k.name} {k.type} {k.code}" for _, k in ALL_KINDS]
)
def test_an_error_of_the_server_reaches_the_client(
    lab: Desk, net: Net, kind: Packet, transport: str, size: int
) -> None:
    begin(lab, net, transport)
    before, layer = lab.flows(), TRANSPORTS[transport]
    got = received(net, layer=layer(sport=40000, dport=8080), size=size)
    said = sent(net, layer(sport=40000, dport=80), size)
    said = same_checksum(net, got, transport, said) if size > 16 or transport == "udp" else said
    out = go(lab, SERVER, server(kind / got, net.source), to_client(kind / said, net.endpoint))
    assert out.egress == 1
    assert uncounted(lab.flows()) == uncounted(before)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("net", "kind"), ALL_KINDS, ids=[f"{k.name} {k.type} {k.code}" for _, k in ALL_KINDS]
)
def test_an_error_of_the_client_reaches_the_server(
    lab: Desk, net: Net, kind: Packet, transport: str
) -> None:
    begin(lab, net, transport)
    layer = TRANSPORTS[transport]
    got = quote(net.endpoint, net.workload, layer(sport=80, dport=40000))
    said = quote(net.workload, net.source, layer(sport=8080, dport=40000))
    said = same_checksum(net, got, transport, said) if transport == "udp" else said
    asked = client(kind / got, net.endpoint)
    out = go(lab, CLIENT, asked, to_server(kind / said, net.source))
    assert out.egress == SERVER_LINK


@pytest.mark.parametrize("net", NETS)
def test_with_ports_that_stay_the_same(lab: Desk, net: Net) -> None:
    """In a range whose servers take the port that was asked for, only addresses change."""
    syn = client(ask(dport=8100), net.endpoint)
    go(lab, CLIENT, syn, to_server(TCP(sport=40000, dport=8100), net.source))
    got = received(net, layer=TCP(sport=40000, dport=8100))
    said = sent(net, TCP(sport=40000, dport=8100))
    kind = REFUSAL[net.version]
    go(lab, SERVER, server(kind / got, net.source), to_client(kind / said, net.endpoint))


@pytest.mark.parametrize("net", NETS)
def test_of_the_first_piece_of_a_datagram(lab: Desk, net: Net) -> None:
    """IPv4's shows the ports where they always are; IPv6's has a header before them."""
    exchange(lab, net)
    kind = REFUSAL[net.version]
    if net is V4:
        got, said = received(net, flags="MF"), Raw(bytes(sent(net)))
        outcome = lab.send(SERVER, bytes(server(kind / got, net.source)))
        assert (outcome.verdict, outcome.reason) == ("redirect", None)
        assert Ether(outcome.packet)[IP].dst == net.workload
        assert bytes(Ether(outcome.packet)[ICMP].payload)[-8:-2] == bytes(said)[-8:-2]
    else:
        layer = IPv6ExtHdrFragment(m=1) / UDP(sport=40000, dport=8080)
        got = received(net, layer=layer, size=16)
        outcome = lab.send(SERVER, bytes(server(kind / got, net.source)))
        assert (outcome.verdict, outcome.reason) == ("drop", Reason.FOREIGN_ERROR)


def test_behind_a_fragment_header_that_is_none(lab: Desk) -> None:
    """RFC 6946: where there is nothing more, there is no fragment."""
    exchange(lab, V6)
    kind, atomic = ICMPv6DestUnreach(code=4), IPv6ExtHdrFragment(id=7)
    said = same_checksum(V6, received(V6), "udp", sent(V6))
    got = server(atomic / kind / received(V6), V6.source)
    go(lab, SERVER, got, to_client(IPv6ExtHdrFragment(id=7) / kind / said, ENDPOINT6))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("sender", [SERVER, CLIENT], ids=["server", "client"])
def test_about_a_flow_that_is_closed(lab: Desk, net: Net, sender: Attachment) -> None:
    exchange(lab, net)
    lab.close(7)
    before, kind = lab.flows(), REFUSAL[net.version]
    if sender is SERVER:
        packet = server(kind / received(net), net.source)
    else:
        got = quote(net.endpoint, net.workload, UDP(sport=80, dport=40000))
        packet = client(kind / got, net.endpoint)
    outcome = lab.send(sender, bytes(packet))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.CLOSED)
    assert lab.flows() == before


def foreign(net: Net) -> Iterator[Case]:
    """What is no error about a flow of the sender's. There is one, of UDP."""
    kind, far = REFUSAL[net.version], net.source
    open_flow = ((CLIENT, client(datagram(), net.endpoint)),)

    def crafted(description: str, quoted: Packet, **more: Any) -> Case:
        return Case(description, server(kind / quoted, far), "drop", Reason.FOREIGN_ERROR,
                    sender=SERVER, before=open_flow, **more)  # fmt: skip

    whole = bytes(received(net))
    first = 20 if net is V4 else 40
    made = (
        crafted("about another's source", received(net, src=net.outside)),
        crafted("about another's destination", received(net, dst=net.other)),
        crafted("about the client's own addresses", sent(net)),
        crafted("about what was sent, not received",
                quote(net.workload, far, UDP(sport=8080, dport=40000))),
        crafted("about another source port", received(net, layer=UDP(sport=40001, dport=8080))),
        crafted("about another destination port",
                received(net, layer=UDP(sport=40000, dport=8081))),
        crafted("about the ports turned around",
                received(net, layer=UDP(sport=8080, dport=40000))),
        crafted("about TCP with the same ports",
                received(net, layer=TCP(sport=40000, dport=8080))),
        crafted("about a protocol without ports", quote(far, net.workload, Raw(whole[-8:]),
                **({"proto": 132} if net is V4 else {"nh": 132}))),
        crafted("about a ping", quote(far, net.workload, Raw(whole[-8:]),
                **({"proto": 1} if net is V4 else {"nh": 58}))),
        crafted("with a quote of the other version", Raw(bytes([whole[0] ^ 0x20]) + whole[1:])),
        crafted("without a quote", Raw(b"")),
        *(
            crafted(f"with a quote of {size} bytes", Raw(whole[:size]))
            for size in (1, first - 1, first, first + 4, first + 7)
        ),
        Case("with a quote cut off by the length",
             server(kind / Raw(whole), far,
                    **({"len": 20 + 8 + 27} if net is V4 else {"plen": 8 + 47})),
             "drop", Reason.FOREIGN_ERROR, sender=SERVER, before=open_flow),
        Case("about no flow", server(kind / received(net), far), "drop", Reason.FOREIGN_ERROR,
             sender=SERVER),
        Case("to the endpoint about no flow", client(kind / received(net), net.endpoint), "drop",
             Reason.FOREIGN_ERROR),
        Case("to the gateway", client(kind / received(net), net.gateway), "drop",
             Reason.FOREIGN_ERROR),
        Case("to nowhere", client(kind / received(net), net.outside), "drop",
             Reason.FOREIGN_ERROR),
        Case("to a neighbour, about what another sent", client(kind / received(net), net.neighbour),
             "drop", Reason.FOREIGN_ERROR),
        Case("to a neighbour, about nothing", client(kind, net.neighbour), "drop",
             Reason.FOREIGN_ERROR),
        *(
            Case(f"to a neighbour, about its own {what}",
                 client(kind / quote(net.neighbour, net.workload, layer, size), net.neighbour),
                 "pass")
            for what, layer, size in (
                ("datagram", UDP(), 8), ("segment", TCP(), 20), ("ping", Raw(b"x" * 8), 8),
                ("header", UDP(), 0), ("bit of a header", UDP(), 7),
            )
        ),
        Case("to a neighbour, by the gateway",
             Ether(src=CLIENT.mac, dst=GATEWAY_MAC) / ip(net.workload, net.neighbour) / kind
             / quote(net.neighbour, net.workload, UDP()), "drop", Reason.VIA_GATEWAY),
        Case("a neighbour's flow", client(kind / quote(net.endpoint, net.workload,
             UDP(sport=80, dport=40000)), net.endpoint, sender=OTHER), "drop",
             Reason.FOREIGN_ERROR, sender=OTHER, before=open_flow),
        Case("a neighbour's flow, quoted as one's own",
             client(kind / quote(net.endpoint, net.other, UDP(sport=80, dport=40000)),
                    net.endpoint, sender=OTHER), "drop", Reason.FOREIGN_ERROR, sender=OTHER,
             before=open_flow),
        Case("in pieces",
             _piece(net, kind / received(net)), "drop",
             Reason.FRAGMENT, sender=SERVER, before=open_flow),
        Case("in pieces, to the endpoint",
             _piece(net, kind / received(net), to_endpoint=True), "drop", Reason.FRAGMENT),
    )  # fmt: skip
    for case in made:
        yield case._replace(description=f"IPv{net.version}: {case.description}")


def _piece(net: Net, layer: Packet, *, to_endpoint: bool = False) -> Packet:
    """An error of which more is said to follow."""
    body = bytes(layer / Raw(bytes(-len(layer) % 8)))
    if net is V4:
        number: dict[str, Any] = {"flags": "MF", "proto": 1}
        piece: Packet = Raw(body)
    else:
        number, piece = {}, IPv6ExtHdrFragment(nh=58, m=1, id=3) / Raw(body)
    if to_endpoint:
        return client(piece, net.endpoint, **number)
    return server(piece, net.source, **number)


FOREIGN = (
    *foreign(V4),
    *foreign(V6),
    *(
        Case(f"IPv4: {what}", server(REFUSAL[4] / received(V4, **fields), V4.source), "drop",
             Reason.FOREIGN_ERROR, sender=SERVER, before=((CLIENT, client(datagram())),))
        for what, fields in (
            ("with options in the quote", {"ihl": 6}),
            ("with a header too short in the quote", {"ihl": 4}),
            ("about a later piece", {"frag": 1}),
            ("about the last piece", {"frag": 0x1FFF}),
        )
    ),
    *(
        Case(f"IPv6: type {number} is no error", server(Raw(bytes([number, 0, 0, 0, 0, 0, 0, 0])
             + bytes(received(V6))), V6.source, nh=58), "drop", Reason.NO_ROUTE, sender=SERVER,
             before=((CLIENT, client(datagram(), ENDPOINT6)),))
        for number in (0, 130, 200)
    ),
    *(
        Case(f"IPv4: type {number} is no error", server(ICMP(type=number) / received(V4)), "drop",
             Reason.NO_ROUTE, sender=SERVER, before=((CLIENT, client(datagram())),))
        for number in (0, 4, 13, 30, 255)
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", **named(FOREIGN))
def test_an_error_that_is_nobodys(desk: Desk, case: Case) -> None:
    run_case(desk, case)


@pytest.mark.parametrize("net", NETS)
def test_a_neighbour_learns_nothing_of_another_tenants_flow(lab: Desk, net: Net) -> None:
    """The server's network has the same addresses: the same words from there are about nothing."""
    exchange(lab, net)
    got = quote(net.endpoint, net.workload, UDP(sport=80, dport=40000))
    packet = client(REFUSAL[net.version] / got, net.endpoint)
    packet.src = SERVER.mac
    outcome = lab.send(SERVER, bytes(packet))
    assert (outcome.verdict, outcome.egress) == ("pass", 0)  # a neighbour there
    assert set(lab.flows()) == {*pair(net, 17)}


def test_any_type_of_error_that_is_yet_to_be_invented(lab: Desk) -> None:
    """RFC 4443 section 2.1: an unknown error is passed on."""
    exchange(lab, V6)
    for number in (5, 100, 127):
        head = Raw(bytes([number, 0, 0, 0, 0, 0, 0, 0]))
        packet = server(head / received(V6), V6.source, nh=58)
        outcome = lab.send(SERVER, bytes(packet))
        assert (outcome.verdict, outcome.reason) == ("redirect", None)
        assert Ether(outcome.packet)[IPv6].dst == CLIENT.address6
