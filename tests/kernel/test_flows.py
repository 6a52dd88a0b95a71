"""Collecting from the kernel's own tables: datagrams have their patience, their pieces theirs."""

from __future__ import annotations

from socket import IPPROTO_UDP

import pytest

from privlink.node import flows
from privlink.node.flows import HALF_OPEN, PIECES, SECOND
from privlink.node.program.maps import (
    DATAGRAM,
    FLOW,
    FLOW_KEY,
    FRAGMENT_KEY,
    Flow,
    FlowKey,
    address_bytes,
)
from tests.kernel.desk import Desk

SEEN = 1000 * SECOND
PATIENCE = 200 * SECOND  # of the conversations here
BLANK = Flow.unpack(bytes(FLOW.size))
ADDRESSES = {
    "IPv4": ("10.0.0.5", "10.0.0.100", "100.64.0.1", "10.0.0.9"),
    "IPv6": ("fd00::5", "fd00::100", "fd64::1", "fd00::9"),
}


def put_conversation(desk: Desk, family: str, *, answered: bool) -> FlowKey:
    """Both entries of a conversation in datagrams, and its count."""
    client, endpoint, source, server = ADDRESSES[family]
    key = FlowKey(1, client, 40000, endpoint, 53, IPPROTO_UDP)
    there = BLANK._replace(
        last_seen=SEEN, forward=7, idle=200, partner_network=2, established=answered,
        source=source, source_port=40000, destination=server, destination_port=53,
    )  # fmt: skip
    back = there._replace(
        reverse=True, partner_network=1,
        source=endpoint, source_port=53, destination=client, destination_port=40000,
    )  # fmt: skip
    desk.put_flow(key, there)
    desk.put_flow(there.partner(key), back)
    desk.set_flow_count(7, 1)
    return there.partner(key)


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize(("answered", "limit"), [(True, PATIENCE), (False, HALF_OPEN)])
def test_a_conversation_in_datagrams_goes_after_its_silence(
    desk: Desk, family: str, answered: bool, limit: int
) -> None:
    put_conversation(desk, family, answered=answered)
    assert desk.sweep(SEEN + limit - 1) == 0
    assert (len(desk.flows()), desk.flow_count(7)) == (2, 1)
    assert desk.sweep(SEEN + limit) == 1
    assert (desk.flows(), desk.flow_count(7)) == ({}, None)  # nor is its forward there


def test_a_conversation_in_datagrams_stays_while_the_server_speaks(desk: Desk) -> None:
    partner = put_conversation(desk, "IPv6", answered=True)
    spoke = desk.flows()[partner]._replace(last_seen=SEEN + PATIENCE)
    desk.put_flow(partner, spoke)
    assert desk.sweep(SEEN + PATIENCE) == 0
    assert len(desk.flows()) == 2
    assert desk.sweep(SEEN + 2 * PATIENCE) == 1


def test_datagrams_whose_rest_nobody_waits_for_are_swept(desk: Desk) -> None:
    fragments = desk.program.maps["fragments"]
    key = FLOW_KEY.pack(1, address_bytes("10.0.0.5"), address_bytes("10.0.0.100"), 0, 0, 17)
    begun = {FRAGMENT_KEY.pack(12, place): SEEN + place * SECOND for place in range(3)}
    fragments.update_many(
        (place, DATAGRAM.pack(at, key, 1, 2, 1480, 0)) for place, at in begun.items()
    )
    assert flows.sweep_pieces(fragments, SEEN + PIECES - 1) == 0
    assert flows.sweep_pieces(fragments, SEEN + PIECES + SECOND) == 2
    assert [place for place, _ in fragments.dump()] == [FRAGMENT_KEY.pack(12, 2)]
    assert flows.sweep_pieces(fragments, SEEN + PIECES + 2 * SECOND) == 1
    assert flows.sweep_pieces(fragments, SEEN + PIECES + 2 * SECOND) == 0
