"""The program and ping: what the fabric answers itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6Unknown
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from privlink.model.items import Filter, Rule
from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel.cases import CLOSED_GROUP, UNACCEPTED, Case, named, run_case
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    NETS,
    V4,
    V6,
    Net,
    client,
    ip,
    ping,
    pong,
    shown,
    to_client,
    world,
)


def kind(net: Net, number: int, code: int = 0, data: bytes = bytes(20)) -> Raw:
    """A message of any type."""
    if net is V6:
        return ICMPv6Unknown(type=number, code=code, msgbody=bytes(4) + data)
    return ICMP(type=number, code=code) / Raw(data)


def cases(net: Net) -> Iterator[Case]:
    """What holds in both families."""
    reply, to = 0 if net is V4 else 129, net.endpoint
    answered = {"verdict": "redirect", "out": to_client(pong(net), to)}
    only_tcp = Rule(1, True, "TCP", net.any, 0, 65535)
    only_ping = Rule(1, True, net.icmp, net.any, 0, 65535)
    other_family = Rule(1, True, "ALL", V6.any if net is V4 else V4.any, 0, 65535)
    silent = {"verdict": "drop", "reason": Reason.ICMP_TYPE}
    made = (
        Case("the endpoint", client(ping(net), to), **answered),
        Case("the endpoint, not accepted", client(ping(net), to), **answered, items=UNACCEPTED),
        Case("the endpoint, a rule for ping", client(ping(net), to), **answered,
             items=world(filter=Filter(11, (only_ping,)))),
        Case("the endpoint, by the gateway",
             Ether(src=CLIENT.mac, dst=GATEWAY_MAC) / ip(net.workload, to) / ping(net), "redirect",
             out=Ether(src=GATEWAY_MAC, dst=CLIENT.mac) / ip(to, net.workload) / pong(net)),
        Case("the gateway, whatever the groups say", client(ping(net), net.gateway), "redirect",
             out=to_client(pong(net), net.gateway), items=CLOSED_GROUP),
        Case("without data", client(ping(net, b""), to), "redirect",
             out=to_client(pong(net, b""), to)),
        Case("an odd number of bytes", client(ping(net, b"xyz"), to), "redirect",
             out=to_client(pong(net, b"xyz"), to)),
        Case("forbidden", client(ping(net), to), "drop", Reason.SECURITY_GROUP,
             items=CLOSED_GROUP),
        Case("a rule for TCP alone", client(ping(net), to), "drop", Reason.SECURITY_GROUP,
             items=world(filter=Filter(11, (only_tcp,)))),
        Case("a rule for the other family", client(ping(net), to), "drop", Reason.SECURITY_GROUP,
             items=world(filter=Filter(11, (other_family,)))),
        Case("a reply", client(kind(net, reply), to), **silent),
        Case("a reply to a neighbour", client(kind(net, reply), net.neighbour), "pass"),
        Case("a code", client(ping(net, code=1), to), **silent),
        Case("a code, to the gateway", client(ping(net, code=255), net.gateway), **silent),
        Case("cut off by the length",
             client(ping(net), to, **({"len": 27} if net is V4 else {"plen": 7})), "drop",
             Reason.MALFORMED),
        *(
            Case(f"type {number}", client(kind(net, number), to), **silent)
            for number in ((4, 5, 9, 13, 17, 255) if net is V4 else (0, 130, 131, 132, 138, 255))
        ),
        *(
            Case(f"type {number} to a neighbour", client(kind(net, number), net.neighbour), "pass")
            for number in ((4, 13) if net is V4 else (0, 130, 138))
        ),
        *(
            Case(f"type {number}, of routers, {what}", client(kind(net, number), address), "drop",
                 Reason.ADVERTISEMENT)
            for number in ((5, 9, 10) if net is V4 else ())
            for what, address in (("to a neighbour", net.neighbour), ("away", net.outside))
        ),
        Case("the request's number in the other family",
             client(kind(net, 128 if net is V4 else 8), to), "drop",
             Reason.ICMP_TYPE if net is V4 else Reason.FOREIGN_ERROR),
    )  # fmt: skip
    for case in made:
        yield case._replace(description=f"IPv{net.version}: {case.description}")


CASES = (*cases(V4), *cases(V6))


@pytest.mark.parametrize("case", **named(CASES))
def test_ping(desk: Desk, case: Case) -> None:
    run_case(desk, case)


@pytest.mark.parametrize("net", NETS)
def test_every_checksum_is_answered_by_a_right_one(lab: Desk, net: Net) -> None:
    """Over every carry that the sum can have."""
    for number in (0, 1, 0x07FF, 0x0800, 0x0801, 0xF7FE, 0xF7FF, 0xF800, 0xFFFE, 0xFFFF):
        asked = ping(net, number.to_bytes(2) + b"\xff\xf9" * 4)
        answered = pong(net, number.to_bytes(2) + b"\xff\xf9" * 4)
        out = lab.send(CLIENT, bytes(client(asked, net.endpoint))).packet
        assert shown(out) == shown(bytes(to_client(answered, net.endpoint)))


def test_an_answer_nobody_asked_for_goes_nowhere(lab: Desk) -> None:
    assert lab.send(CLIENT, bytes(client(ICMPv6EchoReply(), V6.source))).reason == Reason.NO_ROUTE
