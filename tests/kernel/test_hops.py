"""The program and routes: who is next on the way, a hop older, and who may pass on what.

client 10.0.0.5 ── VPC 1 ── router 10.0.0.7 ── 192.0.2.0/24
fd00:10::5                  fd00:10::7         2001:db8::/32
                    └────── workload 10.0.1.5, fd00:11::5, of another vSwitch
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec
import pytest
from scapy.layers.inet import ICMP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.model.items import Attachment, Opening, Route, RouteKind, RouteTable
from privlink.node.entries import port_entries
from privlink.node.program.maps import GATEWAY_MAC, FlowKey, Reason
from tests.kernel.cases import Case, go, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    OTHER,
    REFUSAL,
    SERVER,
    SERVER_LINK,
    SOURCE,
    SOURCE6,
    V4,
    V6,
    WORLD,
    Net,
    ask,
    client,
    datagram,
    ip,
    ping,
    quote,
    to_server,
)
from tests.kernel.frames import FORWARD as ENDPOINT

ROUTER_LINK, FAR_LINK, TABLE = 33, 34, 5
SENDER = msgspec.structs.replace(CLIENT, table=TABLE)
ROUTER = msgspec.structs.replace(OTHER, table=TABLE)
FAR = Attachment(4, 3, 1, "10.0.1.0/24", "10.0.1.5", "02:00:00:00:01:15", "fd00:11::/64",
                 "fd00:11::5")  # fmt: skip
BEHIND = {4: "192.0.2.1", 6: "2001:db8::1"}
FAR_FROM = {4: "10.0.1.5", 6: "fd00:11::5"}
BLOCK = {4: "198.51.100.1", 6: "2001:db8:1::1"}
NOBODY = {4: "10.0.1.9", 6: "fd00:11::9"}
NO_HOP = {4: "203.0.113.1", 6: "2001:db8:2::1"}
ROUTES = RouteTable(
    TABLE,
    1,
    (
        Route("0.0.0.0/0", RouteKind.ATTACHMENT, "10.0.0.7"),
        Route("10.0.0.0/16", RouteKind.LOCAL),
        Route("198.51.100.0/24", RouteKind.ENDPOINT, opening=9, place=19),
        Route("203.0.113.0/24", RouteKind.ATTACHMENT, "10.0.0.9"),
        Route("::/0", RouteKind.ATTACHMENT, "fd00:10::7"),
        Route("fd00:10::/31", RouteKind.LOCAL),
        Route("2001:db8:1::/48", RouteKind.ENDPOINT, opening=9, place=19),
        Route("2001:db8:2::/48", RouteKind.ATTACHMENT, "fd00:10::9"),
    ),
)
GATEWAY_ENDPOINT = msgspec.structs.replace(
    ENDPOINT, address="", address6="", opening=Opening(9, 2, SOURCE, 0, SOURCE6), number=19
)
ITEMS = (*WORLD, ROUTES, GATEWAY_ENDPOINT)


def hops(net: Net, left: int) -> dict[str, int]:
    """The header's field."""
    return {"ttl" if net is V4 else "hlim": left}


def passed(layer: Packet, dst: str, to: Attachment, net: Net, left: int, src: str = "") -> Packet:
    """The frame that who is next gets."""
    macs = Ether(src=GATEWAY_MAC, dst=to.mac)
    return macs / ip(src or net.workload, dst, **hops(net, left)) / layer


def cases(net: Net) -> Iterator[Case]:
    """What holds in both families."""
    behind, far = BEHIND[net.version], FAR_FROM[net.version]
    layers = {"a segment": ask(), "a datagram": datagram(), "a ping": ping(net)}

    def case(description: str, *rest: object, **more: object) -> Case:
        at = {"items": ITEMS, "sender": SENDER} | more
        return Case(f"IPv{net.version}: {description}", *rest, **at)  # type: ignore[arg-type]

    for name, layer in layers.items():
        yield case(f"{name} to who is next", client(layer, behind, **hops(net, 64)), "redirect",
                   out=passed(layer, behind, ROUTER, net, 63), egress=ROUTER_LINK)  # fmt: skip
        yield case(f"{name} to another vSwitch", client(layer, far, **hops(net, 2)), "redirect",
                   out=passed(layer, far, FAR, net, 1), egress=FAR_LINK)  # fmt: skip
        for left in (1, 0):
            yield case(f"{name} with {left} hops left", client(layer, behind, **hops(net, left)),
                       "drop", Reason.HOP_LIMIT)  # fmt: skip
        yield case(f"{name} with its last hop, to another vSwitch",
                   client(layer, far, **hops(net, 1)), "drop", Reason.HOP_LIMIT)  # fmt: skip
        yield case(f"{name} without a table", client(layer, behind), "drop", Reason.NO_ROUTE,
                   sender=CLIENT)  # fmt: skip
        yield case(f"{name} to where nobody is", client(layer, NOBODY[net.version]), "drop",
                   Reason.NO_ROUTE)  # fmt: skip
        yield case(f"{name} to where who is next is not there",
                   client(layer, NO_HOP[net.version]), "drop", Reason.NO_ROUTE)  # fmt: skip
        yield case(f"{name} from behind, by who passes it on",
                   client(layer, far, behind, ROUTER, **hops(net, 9)), "redirect",
                   out=passed(layer, far, FAR, net, 8, behind), egress=FAR_LINK,
                   sender=ROUTER)  # fmt: skip
        yield case(f"{name} from behind, by another", client(layer, far, behind), "drop",
                   Reason.SPOOFED_SOURCE)  # fmt: skip
        yield case(f"{name} in the name of another workload, by who passes on",
                   client(layer, far, net.workload, ROUTER), "drop", Reason.SPOOFED_SOURCE,
                   sender=ROUTER)  # fmt: skip
        yield case(f"{name} in the name of a block, by who passes on",
                   client(layer, far, BLOCK[net.version], ROUTER), "drop", Reason.SPOOFED_SOURCE,
                   sender=ROUTER)  # fmt: skip
    yield case("with its last hop, to a neighbour", client(ask(), net.neighbour, **hops(net, 1)),
               "pass")  # fmt: skip
    yield case("a ping through a gateway endpoint", client(ping(net), BLOCK[net.version]), "drop",
               Reason.PROTOCOL)  # fmt: skip
    number = {"proto" if net is V4 else "nh": 47}
    yield case("another protocol through a gateway endpoint",
               client(Raw(b"x" * 40), BLOCK[net.version], **number), "drop",
               Reason.PROTOCOL)  # fmt: skip
    yield case("another protocol to who is next",
               client(Raw(b"x" * 40), behind, **number, **hops(net, 7)), "redirect",
               out=Ether(src=GATEWAY_MAC, dst=ROUTER.mac)
               / ip(net.workload, behind, **number, **hops(net, 6)) / Raw(b"x" * 40),
               egress=ROUTER_LINK)  # fmt: skip


def complaints(net: Net) -> Iterator[tuple[Case, Attachment]]:
    """Errors of who passes on, each with whom it is for. That one's routes count: the router's own
    know no gateway endpoint."""
    behind, far, own = BEHIND[net.version], FAR_FROM[net.version], net.other
    items = (*ITEMS, RouteTable(TABLE + 1, 1, (ROUTES.routes[0], ROUTES.routes[1],
                                               *ROUTES.routes[4:6])))  # fmt: skip
    router = msgspec.structs.replace(ROUTER, table=TABLE + 1)
    seeing = msgspec.structs.replace(FAR, table=TABLE)

    def about(src: str, dst: str) -> Packet:
        return REFUSAL[net.version] / quote(src, dst, UDP(sport=40000, dport=80))

    for what, source in (("who passes on", own), ("a router behind", NO_HOP[net.version])):
        yield Case(f"IPv{net.version}: an error of {what}",
                   client(about(far, behind), far, source, router, **hops(net, 9)), "redirect",
                   out=passed(about(far, behind), far, FAR, net, 8, source), items=items,
                   sender=router, egress=FAR_LINK), seeing  # fmt: skip
    foreign = (
        ("to who has no routes", about(far, behind), FAR),
        ("about what goes to a gateway endpoint", about(far, BLOCK[net.version]), seeing),
        ("about what goes to a workload", about(far, net.workload), seeing),
        ("about what goes to an endpoint", about(far, net.endpoint), seeing),
        ("about what another passes on", about(far, NO_HOP[net.version]), seeing),
        ("about what another sent", about(net.workload, behind), seeing),
    )
    for what, layer, receiver in foreign:
        yield Case(f"IPv{net.version}: an error {what}", client(layer, far, own, router), "drop",
                   Reason.FOREIGN_ERROR, items=items, sender=router), receiver  # fmt: skip
    yield Case(f"IPv{net.version}: an error of who passes nothing on",
               client(about(far, behind), far), "drop", Reason.FOREIGN_ERROR, items=items,
               sender=SENDER), seeing  # fmt: skip
    yield Case(f"IPv{net.version}: an error to who is behind",
               client(about(behind, behind), behind, own, router), "drop", Reason.FOREIGN_ERROR,
               items=items, sender=router), seeing  # fmt: skip


COMPLAINTS = (*complaints(V4), *complaints(V6))


GROUPS = (
    "255.255.255.255", "224.0.0.1", "239.255.255.250", "127.0.0.1", "0.0.0.0", "0.0.0.1",
    "169.254.169.254", "240.0.0.1", "ff02::1", "ff0e::1", "fe80::1", "febf::1", "::", "::1",
)  # fmt: skip


def nowhere(address: str) -> Iterator[Case]:
    """What no router passes on, whatever the routes say, neither from there nor to there."""
    yield Case(f"to {address}", client(datagram(), address), "drop", Reason.NO_ROUTE,
               items=ITEMS, sender=SENDER)  # fmt: skip
    far = FAR_FROM[6 if ":" in address else 4]
    yield Case(f"from {address}", client(datagram(), far, address, ROUTER), "drop",
               Reason.SPOOFED_SOURCE, items=ITEMS, sender=ROUTER)  # fmt: skip


PIECES = (
    Case("a first piece to who is next",
         client(datagram(b"x" * 16), BEHIND[4], flags="MF", ttl=4), "redirect",
         out=Ether(src=GATEWAY_MAC, dst=ROUTER.mac)
         / ip(V4.workload, BEHIND[4], flags="MF", ttl=3) / datagram(b"x" * 16),
         items=ITEMS, sender=SENDER, egress=ROUTER_LINK),
    Case("a later piece to who is next",
         client(Raw(b"x" * 16), BEHIND[4], frag=3, proto=17, ttl=4), "redirect",
         out=Ether(src=GATEWAY_MAC, dst=ROUTER.mac)
         / ip(V4.workload, BEHIND[4], frag=3, proto=17, ttl=3) / Raw(b"x" * 16),
         items=ITEMS, sender=SENDER, egress=ROUTER_LINK),
    Case("a later piece with its last hop",
         client(Raw(b"x" * 16), BEHIND[4], frag=3, proto=17, ttl=1), "drop", Reason.HOP_LIMIT,
         items=ITEMS, sender=SENDER),
    Case("a later piece to a block", client(Raw(b"x" * 16), BLOCK[4], frag=3, proto=17), "drop",
         Reason.FRAGMENT, items=ITEMS, sender=SENDER),
    Case("IPv6: a later piece with its last hop",
         client(IPv6ExtHdrFragment(nh=17, offset=3) / Raw(b"x" * 16), BEHIND[6], hlim=1), "drop",
         Reason.HOP_LIMIT, items=ITEMS, sender=SENDER),
    Case("back to who sent it", client(ask(), BEHIND[4], sender=ROUTER), "drop", Reason.NO_ROUTE,
         items=ITEMS, sender=ROUTER, egress=ROUTER_LINK),
    Case("a redirect to who is next", client(ICMP(type=5), BEHIND[4]), "drop",
         Reason.ADVERTISEMENT, items=ITEMS, sender=SENDER),
)  # fmt: skip

CASES = (
    *cases(V4), *cases(V6), *(case for group in GROUPS for case in nowhere(group)), *PIECES,
)  # fmt: skip


@pytest.fixture
def routed(desk: Desk) -> Desk:
    """With who is next, and a workload in another vSwitch."""
    desk.plug(ROUTER, ROUTER_LINK)
    desk.plug(FAR, FAR_LINK)
    return desk


@pytest.mark.parametrize("case", **named(CASES))
def test_a_packet(routed: Desk, case: Case) -> None:
    if case.egress == ROUTER_LINK and case.verdict == "drop":
        routed.plug(ROUTER, 1)  # it comes in by the link it would leave by
    run_case(routed, case)


@pytest.mark.parametrize(
    ("case", "receiver"), COMPLAINTS, ids=[case.description for case, _ in COMPLAINTS]
)
def test_an_error_of_who_passes_on(routed: Desk, case: Case, receiver: Attachment) -> None:
    routed.put(port_entries(receiver, FAR_LINK))
    run_case(routed, case)


TOO_BIG = {4: ICMP(type=3, code=4, nexthopmtu=1300), 6: ICMPv6PacketTooBig(mtu=1300)}


def call_from_behind(desk: Desk, net: Net) -> None:
    """A client behind the router calls the endpoint."""
    desk.lay_out(ITEMS)
    desk.plug(SERVER, SERVER_LINK)
    called = client(ask(), net.endpoint, BEHIND[net.version], ROUTER)
    assert desk.send(ROUTER, bytes(called)).verdict == "redirect"


def too_big(net: Net, sender: Attachment, src: str, sport: int = 80) -> Packet:
    """A complaint of an answer to who is behind, to the endpoint."""
    answered = quote(net.endpoint, BEHIND[net.version], TCP(sport=sport, dport=40000))
    return client(TOO_BIG[net.version] / answered, net.endpoint, src, sender)


@pytest.mark.parametrize("net", [V4, V6])
def test_who_passes_on_complains_of_answers_in_the_name_of_who_is_behind(
    routed: Desk, net: Net
) -> None:
    """So does a router further on: what is behind is all of one place to the server."""
    call_from_behind(routed, net)
    said = quote(net.workload, net.source, TCP(sport=8080, dport=40000))
    for src in (net.other, "2001:db8::fe" if net is V6 else "192.0.2.254"):
        out = to_server(TOO_BIG[net.version] / said, net.source)
        go(routed, ROUTER, too_big(net, ROUTER, src), out)


@pytest.mark.parametrize("net", [V4, V6])
def test_nobody_else_complains_of_answers_to_who_is_behind(routed: Desk, net: Net) -> None:
    call_from_behind(routed, net)
    stranger = msgspec.structs.replace(ROUTER, table=0)
    attempts = (
        (SENDER, too_big(net, SENDER, net.workload)),  # another workload
        (ROUTER, too_big(net, ROUTER, net.other, sport=81)),  # of another conversation
        (stranger, too_big(net, ROUTER, net.other)),  # who does not pass on any more
    )
    for sender, packet in attempts:
        assert routed.send(sender, bytes(packet)).reason == Reason.FOREIGN_ERROR
    # Its own link is another's by now.
    key = FlowKey(2, net.workload, 8080, net.source, 40000, socket.IPPROTO_TCP)
    routed.put_flow(key, routed.flows()[key]._replace(ifindex=99))
    packet = bytes(too_big(net, ROUTER, net.other))
    assert routed.send(ROUTER, packet).reason == Reason.FOREIGN_ERROR


def test_who_has_no_ipv6_passes_none_on(routed: Desk) -> None:
    """Its address of that family counts as ::, which must not be taken for a hop."""
    bare = msgspec.structs.replace(ROUTER, cidr6="", address6="")
    routed.lay_out(ITEMS)
    assert routed.send(bare, bytes(client(ask(), FAR_FROM[4], BEHIND[4], bare))).reason is None
    six = client(ask(), FAR_FROM[6], BEHIND[6], ROUTER)
    assert routed.send(bare, bytes(six)).reason == Reason.NOT_IP
    unknown = client(ask(), FAR_FROM[4], NO_HOP[4], bare)
    assert routed.send(bare, bytes(unknown)).reason == Reason.SPOOFED_SOURCE
