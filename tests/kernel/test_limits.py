"""How many flows an endpoint zone may have, and how fast they may come: its own affair."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from privlink.model.items import Forward, Item, Opening
from privlink.node.flows import SECOND
from privlink.node.program.maps import COUNT, NUMBER, Reason
from tests.kernel.cases import connect, go
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT_MAC,
    FORWARD,
    NEIGHBOUR,
    OPENING,
    ask,
    client,
    datagram,
    to_server,
)

# Another endpoint in the same network, which leads to the same servers.
ANOTHER = Forward(1, NEIGHBOUR, ENDPOINT_MAC, (11,), Opening(8, 2, "100.64.0.2", 3), number=2)


def limited(**limits: int) -> Item:
    opening = msgspec.structs.replace(OPENING, **limits)
    return msgspec.structs.replace(FORWARD, opening=opening, number=1)


def is_due_in(desk: Desk, forward: int, seconds: float) -> None:
    """Turn the clock of a forward's new flows, by so much before or behind the present."""
    counts = desk.program.maps["counts"]
    value = counts.lookup(NUMBER.pack(forward))
    assert value is not None
    next_, flows = COUNT.unpack(value)
    moved = COUNT.pack(next_ + round(seconds * SECOND), flows)
    counts.update_many([(NUMBER.pack(forward), moved)])


def test_a_forward_has_its_own_number_of_flows(lab: Desk) -> None:
    lab.lay_out([limited(flows=2), ANOTHER])
    for sport in (40000, 40001):
        assert lab.send(CLIENT, bytes(client(ask(sport=sport)))).reason is None
    outcome = lab.send(CLIENT, bytes(client(ask(sport=40002))))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.FLOW_LIMIT)
    assert Ether(outcome.packet)[TCP].flags == "RA"
    assert lab.send(CLIENT, bytes(client(ask(sport=40002), dst=NEIGHBOUR))).reason is None


@pytest.mark.parametrize("layer", [ask, datagram])
def test_a_flood_at_one_endpoint_is_no_affair_of_another(
    lab: Desk, layer: Callable[..., Packet]
) -> None:
    lab.lay_out([limited(rate=1), ANOTHER])
    refused = 0
    for sport in range(20000, 20050):
        outcome = lab.send(CLIENT, bytes(client(layer(sport=sport))))
        if outcome.reason is not None:
            # Silence: a SYN that comes again in a second may be in time.
            assert (outcome.verdict, outcome.reason) == ("drop", Reason.FLOW_RATE)
            refused += 1
        other = lab.send(CLIENT, bytes(client(layer(sport=sport), dst=NEIGHBOUR)))
        assert other.reason is None
    assert refused >= 40
    assert lab.flow_count(8) == 50


def test_who_is_refused_for_its_rate_is_let_in_when_it_is_due(lab: Desk) -> None:
    lab.lay_out([limited(rate=1)])
    assert lab.send(CLIENT, bytes(client(ask(sport=1)))).reason is None
    assert lab.send(CLIENT, bytes(client(ask(sport=2)))).reason == Reason.FLOW_RATE
    is_due_in(lab, 7, -1)
    assert lab.send(CLIENT, bytes(client(ask(sport=2)))).reason is None
    assert lab.flow_count(7) == 2


def test_a_few_may_come_before_they_are_due(lab: Desk) -> None:
    """A tenth of a second's worth: browsers open six at once."""
    lab.lay_out([limited(rate=100)])
    let_in = [
        lab.send(CLIENT, bytes(client(ask(sport=sport)))).reason is None
        for sport in range(20000, 20010)
    ]
    assert all(let_in)


def test_a_rate_says_nothing_of_flows_that_are_under_way(lab: Desk) -> None:
    lab.lay_out([limited(rate=1)])
    connect(lab)
    for _ in range(5):
        go(lab, CLIENT, client(ask("A")), to_server(TCP(sport=40000, dport=8080, flags="A")))
