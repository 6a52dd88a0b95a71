"""The eBPF program over whole conversations: the flows they leave, and how they end."""

from __future__ import annotations

import errno
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from privlink.model.items import (
    Balancer,
    Forward,
    Listener,
    Opening,
    Protocol,
    Server,
)
from privlink.node.errors import KernelError
from privlink.node.flows import ENDED, SECOND
from privlink.node.program.maps import (
    COUNT,
    FLOW,
    GATEWAY_MAC,
    NUMBER,
    Cause,
    FlowKey,
    Reason,
    address_key,
)
from tests.kernel import lab as labs
from tests.kernel.cases import back, connect, finish, go, other, pair, reopen, there, uncounted
from tests.kernel.desk import Desk, Outcome
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT,
    ENDPOINT_MAC,
    FORWARD,
    NEIGHBOUR,
    NETS,
    OPENING,
    OTHER,
    SERVER,
    SOURCE,
    Net,
    answer,
    ask,
    client,
    reset,
    server,
    shown,
    to_client,
    to_server,
)


def test_a_conversation_goes_both_ways(lab: Desk) -> None:
    connect(lab)
    for size in (1, 2, 3, 536, 1460):
        data = random.Random(size).randbytes(size)
        go(
            lab, CLIENT, client(ask("PA", seq=1, ack=2) / data),
            to_server(TCP(sport=40000, dport=8080, flags="PA", seq=1, ack=2) / data),
        )  # fmt: skip
        go(
            lab, SERVER, server(answer("PA", seq=2, ack=9) / data),
            to_client(TCP(sport=80, dport=40000, flags="PA", seq=2, ack=9) / data),
        )  # fmt: skip
    assert len(lab.flows()) == 2
    assert there(lab).established
    assert back(lab).established
    assert not there(lab).ended


def test_a_flow_is_two_entries_that_know_each_other(lab: Desk) -> None:
    lab.send(CLIENT, bytes(client(ask())))
    flows = lab.flows()
    assert set(flows) == {
        FlowKey(1, "10.0.0.5", 40000, ENDPOINT, 80, 6),
        FlowKey(2, "10.0.0.5", 8080, SOURCE, 40000, 6),
    }
    for key, flow in flows.items():
        partner = flow.partner(key)
        assert flows[partner].partner(partner) == key
        assert flow.forward == 7
        assert not flow.established


def test_replies_go_to_the_mac_the_request_came_to_and_from(lab: Desk) -> None:
    by_gateway = Ether(src=CLIENT.mac, dst=GATEWAY_MAC) / client(ask())[IP]
    lab.send(CLIENT, bytes(by_gateway))
    out = Ether(lab.send(SERVER, bytes(server(answer()))).packet)
    assert (out.src, out.dst) == (GATEWAY_MAC, CLIENT.mac)


def test_a_workload_that_is_no_veth_gets_its_packets_by_its_queue(lab: Desk) -> None:
    connect(lab, peer=False)
    assert there(lab).peer
    assert not back(lab).peer


def test_the_server_never_opens_a_connection(lab: Desk) -> None:
    connect(lab)
    outcome = lab.send(SERVER, bytes(server(answer("S"))))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.UNSOLICITED_SYN)
    finish(lab)
    outcome = lab.send(SERVER, bytes(server(answer("S"))))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.UNSOLICITED_SYN)
    outcome = lab.send(SERVER, bytes(server(answer("S", dport=40001))))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.NO_ROUTE)


def test_a_retransmitted_syn_stays_with_its_server(lab: Desk) -> None:
    lab.send(CLIENT, bytes(client(ask(seq=5))))
    before = lab.flows()
    again = TCP(sport=40000, dport=8080, flags="S", seq=5)
    go(lab, CLIENT, client(ask(seq=5)), to_server(again))
    assert uncounted(lab.flows()) == uncounted(before)


@pytest.mark.parametrize("end", ["fin", "reset by client", "reset by server"])
def test_the_end_is_seen_by_both_entries_and_a_syn_begins_afresh(lab: Desk, end: str) -> None:
    connect(lab)
    if end == "fin":
        lab.send(CLIENT, bytes(client(ask("FA"))))
        assert [flow.client_finished for flow in lab.flows().values()] == [True, True]
        assert not there(lab).ended
        lab.send(SERVER, bytes(server(answer("FA"))))
    elif end == "reset by client":
        lab.send(CLIENT, bytes(client(ask("R"))))
    else:
        lab.send(SERVER, bytes(server(answer("RA"))))
    assert there(lab).ended
    assert back(lab).ended
    # The last acknowledgement still finds its way.
    go(lab, CLIENT, client(ask("A")), to_server(TCP(sport=40000, dport=8080, flags="A")))
    lab.lay_out([Balancer(3, (Listener(Protocol.TCP, 80, 80, (Server("10.0.0.5", 9090, 1),)),))])
    go(lab, CLIENT, client(ask()), to_server(TCP(sport=40000, dport=9090)))
    assert len(lab.flows()) == 2
    assert not there(lab).ended


@pytest.mark.parametrize("first", ["client", "server"])
def test_a_flow_is_gone_with_the_last_acknowledgement(lab: Desk, first: str) -> None:
    def says(who: str, flags: str, seq: int, ack: int, data: bytes = b"") -> Outcome:
        if who == "client":
            return lab.send(CLIENT, bytes(client(ask(flags, seq=seq, ack=ack) / data)))
        return lab.send(SERVER, bytes(server(answer(flags, seq=seq, ack=ack) / data)))

    second = "server" if first == "client" else "client"
    connect(lab)
    says(first, "FPA", 100, 200, b"bye")  # its FIN is 103, ...
    says(second, "A", 200, 103)  # ... and this acknowledges the data alone
    says(second, "A", 200, 104)
    says(second, "FA", 200, 104)
    says(second, "A", 201, 104)
    assert len(lab.flows()) == 2
    assert lab.flow_count(7) == 1
    last = says(first, "A", 104, 201)
    assert (last.verdict, last.reason) == ("redirect", None)
    assert lab.flows() == {}
    assert lab.flow_count(7) == 0
    assert says(second, "FA", 200, 104).reason in (Reason.NO_FLOW, Reason.NO_ROUTE)


def test_a_flow_stays_while_a_side_has_data_that_was_not_acknowledged(lab: Desk) -> None:
    """The server reads slowly, so its acknowledgements do not reach the client's FIN."""
    connect(lab)
    lab.send(SERVER, bytes(server(answer("FA", seq=200, ack=100))))
    lab.send(CLIENT, bytes(client(ask("FPA", seq=100, ack=201) / (b"x" * 1000))))
    for ack in (100, 500, 1100):
        lab.send(SERVER, bytes(server(answer("A", seq=201, ack=ack))))
        assert len(lab.flows()) == 2
    lab.send(SERVER, bytes(server(answer("A", seq=201, ack=1101))))
    assert lab.flows() == {}


def test_a_closed_connection_tells_both_sides_with_a_reset(lab: Desk) -> None:
    connect(lab)
    lab.close(7)
    outcome = lab.send(CLIENT, bytes(client(ask("PA", ack=5) / b"more")))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.CLOSED)
    assert shown(outcome.packet) == shown(bytes(reset("R", seq=5)))
    outcome = lab.send(SERVER, bytes(server(answer("PA", ack=6) / b"more")))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.CLOSED)
    assert Ether(outcome.packet)[TCP].flags == "R"
    assert Ether(outcome.packet)[TCP].seq == 6
    assert {flow.revoked for flow in lab.flows().values()} == {Cause.CLOSED}
    outcome = lab.send(CLIENT, bytes(client(ask("PA", ack=5) / b"more")))
    assert outcome.reason == Reason.CLOSED  # as often as it asks, till the flow is collected
    assert lab.sweep_out(time.monotonic_ns() + ENDED) == 1
    assert lab.flows() == {}


def test_a_reopened_connection_does_not_revive_old_flows(lab: Desk) -> None:
    connect(lab)
    lab.close(7)
    lab.lay_out([msgspec.structs.replace(FORWARD, opening=Opening(8, 2, SOURCE, 3))])
    # The same ports again, by chance: a new connection, not the old one.
    lab.send(CLIENT, bytes(client(ask())))
    assert {flow.forward for flow in lab.flows().values()} == {8}
    connect(lab, 40001)
    lab.close(8)
    assert lab.send(CLIENT, bytes(client(ask("A")))).reason == Reason.CLOSED


def test_flows_of_a_replaced_opening_go_on_while_new_ones_take_the_new_way(lab: Desk) -> None:
    connect(lab)
    new, old = Opening(8, 2, SOURCE, 3), Opening(7, 2, SOURCE, 3)
    lab.lay_out([msgspec.structs.replace(FORWARD, opening=new, replaced=old)])
    assert lab.send(CLIENT, bytes(client(ask("A")))).verdict == "redirect"
    connect(lab, 40001)
    assert {flow.forward for flow in lab.flows().values()} == {7, 8}
    lab.close(7)
    assert lab.send(CLIENT, bytes(client(ask("A")))).reason == Reason.CLOSED
    assert {f.forward for f in lab.flows().values() if not f.reverse and not f.revoked} == {8}


def test_a_client_that_returns_gets_the_place_it_had(lab: Desk) -> None:
    """Till what was closed under it is collected, nobody else gets its source port."""
    connect(lab)
    reopen(lab)
    theirs = Ether(lab.send(OTHER, bytes(other(ask()))).packet)
    assert theirs[TCP].sport != 40000
    assert lab.send(SERVER, bytes(server(answer("A")))).reason == Reason.CLOSED
    returned = Ether(lab.send(CLIENT, bytes(client(ask()))).packet)
    assert returned[TCP].sport == 40000
    assert Ether(lab.send(SERVER, bytes(server(answer()))).packet)[IP].dst == CLIENT.address
    back = server(answer(dport=theirs[TCP].sport))
    assert Ether(lab.send(SERVER, bytes(back)).packet)[IP].dst == OTHER.address
    assert len(lab.flows()) == 4


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"forward": 8}, False),
        ({"destination": "10.0.0.7"}, False),
        ({"destination_port": 40001}, False),
        ({"source": "10.0.0.101"}, False),
        ({"source_port": 81}, False),
        ({"partner_network": 3}, False),
    ],
)
def test_a_flow_takes_only_its_own_partner_with_it(
    lab: Desk, changes: dict[str, Any], goes: bool
) -> None:
    connect(lab)
    finish(lab)
    kept = back(lab)._replace(**changes)
    lab.put_flow(pair()[1], kept)
    lab.program.maps["addresses"].delete(address_key(1, ENDPOINT))  # nothing new is made
    lab.send(CLIENT, bytes(client(ask())))
    assert lab.flows() == ({} if goes else {pair()[1]: kept})


@pytest.mark.parametrize("flags", ["R", "FA"])
def test_an_end_is_not_noted_on_anothers_flow(lab: Desk, flags: str) -> None:
    connect(lab)
    lab.put_flow(pair()[1], back(lab)._replace(forward=8))
    lab.send(CLIENT, bytes(client(ask(flags))))
    assert not (back(lab).reset or back(lab).client_finished)


def test_flows_are_counted_by_their_forward(lab: Desk) -> None:
    for sport in (40000, 40001, 40001):
        lab.send(CLIENT, bytes(client(ask(sport=sport))))
    assert lab.flow_count(7) == 2
    lab.send(CLIENT, bytes(client(ask("R"))))
    assert lab.flow_count(7) == 2
    lab.send(CLIENT, bytes(client(ask())))  # anew, in the place of the one that ended
    assert lab.flow_count(7) == 2
    lab.close(7)
    for sport in (40000, 40001):
        lab.send(CLIENT, bytes(client(ask("A", sport))))
    assert lab.flow_count(7) == 2
    assert lab.sweep_out(time.monotonic_ns() + ENDED) == 2
    assert lab.flow_count(7) is None


def test_a_forward_has_no_more_flows_than_its_share(lab: Desk) -> None:
    connect(lab)
    neighbour = Forward(1, NEIGHBOUR, ENDPOINT_MAC, (11,), Opening(8, 2, "100.64.0.2", 3))
    lab.lay_out([neighbour])
    lab.set_flow_count(7, OPENING.flows)
    outcome = lab.send(CLIENT, bytes(client(ask(sport=40001))))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.FLOW_LIMIT)
    assert Ether(outcome.packet)[TCP].flags == "RA"
    # Who is in stays in, and other endpoints are not touched.
    go(lab, CLIENT, client(ask("A")), to_server(TCP(sport=40000, dport=8080, flags="A")))
    assert lab.send(CLIENT, bytes(client(ask(), dst=NEIGHBOUR))).reason is None
    assert (lab.flow_count(7), lab.flow_count(8)) == (OPENING.flows, 1)
    lab.set_flow_count(7, OPENING.flows - 1)
    assert lab.send(CLIENT, bytes(client(ask(sport=40001)))).reason is None
    assert lab.send(CLIENT, bytes(client(ask(sport=40002)))).reason == Reason.FLOW_LIMIT


def test_what_cannot_be_made_is_not_counted(lab: Desk) -> None:
    lab.program.maps["flows"].update_many(busy(range(1024, 65536)))
    assert lab.send(CLIENT, bytes(client(ask()))).reason == Reason.NO_SOURCE_PORT
    assert lab.flow_count(7) == 0


def test_a_taken_source_port_is_replaced(lab: Desk) -> None:
    lab.send(CLIENT, bytes(client(ask())))
    sent = Ether(lab.send(OTHER, bytes(other(ask()))).packet)
    shown(bytes(sent))
    assert sent[TCP].sport != 40000
    assert sent[TCP].sport >= 1024
    reply = lab.send(SERVER, bytes(server(answer(dport=sent[TCP].sport))))
    shown(reply.packet)
    assert Ether(reply.packet)[IP].dst == OTHER.address
    assert Ether(reply.packet)[TCP].dport == 40000


def busy(ports: range) -> Iterator[tuple[bytes, bytes]]:
    """Reverse entries that claim source ports towards the server."""
    for port in ports:
        yield FlowKey(2, "10.0.0.5", 8080, SOURCE, port, 6).pack(), bytes(FLOW.size)


def test_no_source_port_left(lab: Desk) -> None:
    lab.program.maps["flows"].update_many(busy(range(1024, 65536)))
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.NO_SOURCE_PORT)
    assert shown(outcome.packet) == shown(bytes(reset(ack=1)))


def test_the_flow_table_is_full(lab: Desk) -> None:
    flows = lab.program.maps["flows"]
    value = bytes(FLOW.size)
    flows.update_many(
        (number.to_bytes(flows.key_size, "little"), value) for number in range(flows.max_entries)
    )
    with pytest.raises(KernelError, match="is full") as refused:
        flows.update_many([(b"\xff" * flows.key_size, value)])
    assert refused.value.errno == errno.E2BIG
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.FLOW_TABLE_FULL)
    # One free place is not enough for a flow, and half a flow must not stay.
    flows.delete((0).to_bytes(flows.key_size, "little"))
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.FLOW_TABLE_FULL)
    flows.delete((1).to_bytes(flows.key_size, "little"))
    assert lab.send(CLIENT, bytes(client(ask()))).reason is None


def test_new_flows_spread_over_the_servers_by_weight(lab: Desk) -> None:
    servers = tuple(Server("10.0.0.5", port, weight) for port, weight in ((1, 60), (2, 20)))
    lab.lay_out([Balancer(3, (Listener(Protocol.TCP, 80, 80, servers),))])
    ports = Counter(
        Ether(lab.send(CLIENT, bytes(client(ask(sport=sport)))).packet)[TCP].dport
        for sport in range(20000, 20400)
    )
    # 300 and 100 are expected; 52 off is six standard deviations.
    assert abs(ports[1] - 300) < 52
    assert ports[1] + ports[2] == 400


def test_the_table_of_counts_is_full(lab: Desk) -> None:
    """Who cannot be counted is not let in."""
    counts = lab.program.maps["counts"]
    counts.update_many(
        (NUMBER.pack(1000 + number), COUNT.pack(0, 0)) for number in range(counts.max_entries)
    )
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.FLOW_TABLE_FULL)
    assert lab.flows() == {}


@pytest.mark.parametrize("net", NETS)
def test_when_it_was_last_seen_is_noted_once_a_second(lab: Desk, net: Net) -> None:
    """For each direction by its own packets; what is less often written is less often fetched."""
    connect(lab, net=net)
    key, partner = pair(net)

    def noted(silence: int) -> bool:
        before = time.monotonic_ns() - silence
        lab.put_flow(key, lab.flows()[key]._replace(last_seen=before))
        assert lab.send_again(packet).reason is None
        return lab.flows()[key].last_seen != before

    packet, other = bytes(client(ask("A"), net.endpoint)), lab.flows()[partner].last_seen
    assert noted(2 * SECOND)
    # A busy machine may take more than the rest of a second between the two.
    labs.eventually(lambda: not noted(SECOND // 10))
    assert lab.flows()[partner].last_seen == other
