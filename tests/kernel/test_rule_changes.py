"""The rules change under a conversation, and reach it at its next packet, in both directions."""

from __future__ import annotations

import time

import msgspec
import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from privlink.model.items import Filter, Opening, Rule
from privlink.node.entries import port_entries
from privlink.node.flows import ENDED
from privlink.node.program.maps import NUMBER, Cause, Number, Reason, address_key
from tests.kernel.cases import connect, exchange, go, pair
from tests.kernel.desk import LOOPBACK, Desk
from tests.kernel.frames import (
    CLIENT,
    FORWARD,
    GROUP,
    NETS,
    OTHER,
    REFUSAL,
    SERVER,
    V4,
    V6,
    Net,
    answer,
    ask,
    client,
    datagram,
    received,
    reset,
    server,
    shown,
    to_client,
    to_server,
)
from tests.kernel.pieces import DATA, cut

OLD = Opening(7, 2, V4.source, 3, V6.source)


def rule(desk: Desk, epoch: int, *rules: Rule) -> None:
    """Make these the endpoint's rules."""
    desk.lay_out([Filter(11, rules)])
    proclaim(desk, epoch)


def proclaim(desk: Desk, epoch: int) -> None:
    """Have every flow be held against the rules."""
    numbers = desk.program.maps["numbers"]
    numbers.update_many([(NUMBER.pack(Number.EPOCH), NUMBER.pack(epoch))])


@pytest.fixture(autouse=True)
def calm(lab: Desk) -> None:
    """The numbers outlive every table. Who is judged again has to be where its flows lead, and on
    the desk all come in by one link."""
    proclaim(lab, 1)
    for attachment in (CLIENT, OTHER, SERVER):
        lab.plug(attachment, LOOPBACK)


def ours(net: Net, flags: str = "A", **tcp: int) -> Packet:
    return client(ask(flags, **tcp), net.endpoint)


def own(net: Net) -> str:
    """The client's address, as a block."""
    return f"{net.workload}/{32 if net is V4 else 128}"


def theirs(net: Net, flags: str = "A", **tcp: int) -> Packet:
    return server(answer(flags, **tcp), net.source)


@pytest.mark.parametrize("net", NETS)
def test_a_change_that_permits_it_is_noted_and_nothing_else(lab: Desk, net: Net) -> None:
    connect(lab, net=net)
    rule(lab, 2, Rule(9, True, "TCP", net.cidr, 80, 80))
    there, back = pair(net)
    go(lab, CLIENT, ours(net), to_server(TCP(sport=40000, dport=8080, flags="A"), net.source))
    assert (lab.flows()[there].epoch, lab.flows()[back].epoch) == (2, 1)
    go(lab, SERVER, theirs(net), to_client(TCP(sport=80, dport=40000, flags="A"), net.endpoint))
    assert (lab.flows()[there].epoch, lab.flows()[back].epoch) == (2, 2)


@pytest.mark.parametrize("net", NETS)
def test_rules_are_looked_at_again_only_when_they_are_said_to_have_changed(
    lab: Desk, net: Net
) -> None:
    connect(lab, net=net)
    lab.lay_out([Filter(11, ())])
    assert lab.send(CLIENT, bytes(ours(net))).reason is None
    proclaim(lab, 2)
    assert lab.send(CLIENT, bytes(ours(net))).reason == Reason.NO_LONGER_PERMITTED


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("first", ["client", "server"])
def test_a_change_that_forbids_it_tells_both_sides(lab: Desk, net: Net, first: str) -> None:
    connect(lab, net=net)
    rule(lab, 2, Rule(1, False, "TCP", net.any, 0, 65535))
    said = [(CLIENT, ours(net, "A", ack=5)), (SERVER, theirs(net, "A", ack=6))]
    for sender, packet in said if first == "client" else reversed(said):
        outcome = lab.send(sender, bytes(packet))
        assert (outcome.verdict, outcome.reason) == ("redirect", Reason.NO_LONGER_PERMITTED)
        if sender is CLIENT:
            assert shown(outcome.packet) == shown(bytes(reset("R", seq=5, src=net.endpoint)))
        else:
            frame = Ether(outcome.packet)
            shown(outcome.packet)
            assert (frame.dst, frame[TCP].flags, frame[TCP].seq) == (SERVER.mac, "R", 6)
    revoked = {flow.revoked for flow in lab.flows().values()}
    assert revoked == {Cause.NO_LONGER_PERMITTED}
    assert lab.sweep_out(time.monotonic_ns() + ENDED) == 1
    assert lab.flows() == {}
    assert lab.flow_count(7) == 0


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("first", ["client", "server"])
def test_what_was_ended_does_not_begin_again(lab: Desk, net: Net, first: str) -> None:
    """One side was told; the rules change back before the other has spoken."""
    connect(lab, net=net)
    rule(lab, 2)
    sender, packet = (CLIENT, ours(net)) if first == "client" else (SERVER, theirs(net))
    assert lab.send(sender, bytes(packet)).reason == Reason.NO_LONGER_PERMITTED
    rule(lab, 3, *GROUP.rules)
    sender, packet = (SERVER, theirs(net)) if first == "client" else (CLIENT, ours(net))
    assert lab.send(sender, bytes(packet)).reason == Reason.NO_LONGER_PERMITTED
    connect(lab, net=net)  # but the client may begin again
    assert {flow.revoked for flow in lab.flows().values()} == {0}


@pytest.mark.parametrize("net", NETS)
def test_nobody_speaks_in_anothers_conversation(lab: Desk, net: Net) -> None:
    """What was ended keeps its place till it is collected; then that is another's."""
    connect(lab, net=net)
    rule(lab, 2, Rule(1, False, "TCP", own(net), 0, 65535), *GROUP.rules)
    assert lab.send(SERVER, bytes(theirs(net))).reason == Reason.NO_LONGER_PERMITTED
    syn = client(ask(), net.endpoint, sender=OTHER)
    assert Ether(lab.send(OTHER, bytes(syn)).packet)[TCP].sport != 40000
    lab.send(OTHER, bytes(client(ask("R"), net.endpoint, sender=OTHER)))
    assert lab.sweep_out(time.monotonic_ns() + ENDED) == 2
    go(lab, OTHER, syn, to_server(TCP(sport=40000, dport=8080), net.source))
    rule(lab, 3, *GROUP.rules)
    outcome = lab.send(CLIENT, bytes(ours(net, "PA")))
    assert outcome.reason == Reason.NO_FLOW
    assert outcome.egress == 1  # to be told, and nowhere else
    assert Ether(lab.send(SERVER, bytes(theirs(net))).packet).dst == OTHER.mac


@pytest.mark.parametrize("net", NETS)
def test_datagrams_begin_anew_once_they_may(lab: Desk, net: Net) -> None:
    """The server was told, its entry is gone; the client's must not stay alone."""
    exchange(lab, net)
    rule(lab, 2)
    said = server(datagram(b"more", 8080, 40000), net.source)
    outcome = lab.send(SERVER, bytes(said))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.NO_LONGER_PERMITTED)
    rule(lab, 3, *GROUP.rules)
    exchange(lab, net)
    assert set(lab.flows()) == {*pair(net, 17)}
    assert lab.flow_count(7) == 1


@pytest.mark.parametrize("net", NETS)
def test_datagrams_that_may_no_longer_go_are_dropped(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    rule(lab, 2)
    packet = client(datagram(), net.endpoint)
    outcome = lab.send(CLIENT, bytes(packet))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.SECURITY_GROUP)
    assert lab.flows() == {}
    assert lab.flow_count(7) == 0


@pytest.mark.parametrize("net", NETS)
def test_a_syn_is_a_new_question(lab: Desk, net: Net) -> None:
    connect(lab, net=net)
    rule(lab, 2)
    outcome = lab.send(CLIENT, bytes(ours(net, "S")))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.SECURITY_GROUP)
    assert lab.flows() == {}


@pytest.mark.parametrize("net", NETS)
def test_egress_rules_reach_both_directions(lab: Desk, net: Net) -> None:
    """What the server sends is held against the rules of the client's port, not its own."""
    strict = msgspec.structs.replace(CLIENT, filters=(12,))
    lab.lay_out([Filter(12, (), GROUP.rules)])
    assert lab.send(strict, bytes(ours(net, "S"))).reason is None
    proclaim(lab, 2)
    there, back = pair(net)
    # The desk's link is whoever sends; the server's own, with its rules, is another.
    lab.put_flow(back, lab.flows()[back]._replace(ifindex=30))
    lab.put(port_entries(strict, 30))
    assert lab.send(SERVER, bytes(theirs(net, "SA"))).reason is None
    assert lab.flows()[back].epoch == 2
    lab.lay_out([Filter(12, (), ())])
    proclaim(lab, 3)
    assert lab.send(SERVER, bytes(theirs(net))).reason == Reason.NO_LONGER_PERMITTED
    assert lab.send(strict, bytes(ours(net))).reason == Reason.NO_LONGER_PERMITTED
    assert lab.flows()[there].revoked == Cause.NO_LONGER_PERMITTED


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("gone", ["address", "port"])
def test_what_is_gone_for_a_moment_ends_nothing(lab: Desk, net: Net, gone: str) -> None:
    """While its chain is changed nobody can say; the flow is asked again once it is there."""
    connect(lab, net=net)
    rule(lab, 2)
    back = pair(net)[1]
    if gone == "address":
        lab.program.maps["addresses"].delete(address_key(1, net.endpoint))
    else:
        lab.put_flow(back, lab.flows()[back]._replace(ifindex=31))
        lab.plug(CLIENT, 31)
    outcome = lab.send(SERVER, bytes(theirs(net)))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.CHANGING)
    assert lab.flows()[back].epoch == 1
    if gone == "address":
        assert lab.send(CLIENT, bytes(ours(net))).reason == Reason.CHANGING
        lab.lay_out([msgspec.structs.replace(FORWARD, replaced=OLD)])
    else:
        lab.put_flow(back, lab.flows()[back]._replace(ifindex=LOOPBACK))
        lab.plug(CLIENT, LOOPBACK)
    assert lab.send(CLIENT, bytes(ours(net))).reason == Reason.NO_LONGER_PERMITTED


def test_an_endpoint_that_gives_up_ipv6_ends_those_flows_and_no_others(lab: Desk) -> None:
    connect(lab, net=V4)
    connect(lab, net=V6)
    lab.lay_out(
        [msgspec.structs.replace(FORWARD, address6="", opening=Opening(7, 2, V4.source, 3))]
    )
    proclaim(lab, 2)
    assert lab.send(CLIENT, bytes(ours(V4))).reason is None
    assert lab.send(SERVER, bytes(theirs(V6))).reason == Reason.CLOSED
    assert lab.send(CLIENT, bytes(ours(V6))).reason == Reason.CLOSED
    assert lab.sweep_out(time.monotonic_ns() + ENDED) == 1
    assert len(lab.flows()) == 2


@pytest.mark.parametrize("net", NETS)
def test_the_rules_reach_pieces_and_errors_too(lab: Desk, net: Net) -> None:
    pieces = cut(client(datagram(DATA), net.endpoint), 1000, 1000)
    assert lab.send(CLIENT, bytes(pieces[0])).reason is None
    assert lab.send(CLIENT, bytes(pieces[1])).reason is None
    rule(lab, 2)
    outcome = lab.send(CLIENT, bytes(pieces[2]))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.NO_LONGER_PERMITTED)
    error = server(REFUSAL[net.version] / received(net, layer=UDP(sport=40000, dport=8080)),
                   net.source)  # fmt: skip
    outcome = lab.send(SERVER, bytes(error))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.NO_LONGER_PERMITTED)
