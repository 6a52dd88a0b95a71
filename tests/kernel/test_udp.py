"""The program and UDP: datagrams both ways, their checksums, and how they are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from privlink.node.flows import SECOND
from privlink.node.program.maps import FLOW, FlowKey, Reason
from tests.kernel import checksums
from tests.kernel.cases import (
    CLOSED_GROUP,
    ELSEWHERE,
    NO_SERVERS,
    ONLY_IPV4,
    UNACCEPTED,
    Case,
    back,
    exchange,
    go,
    named,
    pair,
    run_case,
    there,
    unreached,
)
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT,
    NETS,
    OTHER,
    SERVER,
    SERVER_LINK,
    V4,
    V6,
    Net,
    client,
    datagram,
    server,
    shown,
    to_client,
    to_server,
    unreachable,
)


def cases(net: Net) -> Iterator[Case]:
    """What holds in both families."""
    to = net.endpoint

    def opened(description: str, data: bytes, sport: int = 40000) -> Case:
        return Case(description, client(datagram(data, sport), to), "redirect",
                    out=to_server(datagram(data, sport, 8080), net.source), egress=SERVER_LINK,
                    state=pair(net, 17, sport))  # fmt: skip

    made = (
        opened("a datagram to the listener", b"hello"),
        opened("an empty datagram", b""),
        opened("an odd datagram", b"x" * 1001),
        opened("a datagram from port 0", b"no answer, please", 0),
        unreached("no listener on that port", client(datagram(dport=81), to), Reason.NO_LISTENER,
                  src=to),
        unreached("a listener for TCP alone", client(datagram(dport=8500), to), Reason.NO_LISTENER,
                  src=to),
        unreached("an empty datagram to nobody", client(datagram(b"", dport=81), to),
                  Reason.NO_LISTENER, src=to),
        unreached("a long datagram to nobody", client(datagram(b"x" * 1300, dport=81), to),
                  Reason.NO_LISTENER, src=to),
        unreached("a datagram without a checksum to nobody",
                  client(datagram(dport=81, chksum=0), to), Reason.NO_LISTENER, src=to),
        unreached("an endpoint not accepted", client(datagram(), to), Reason.NOT_ACCEPTED,
                  UNACCEPTED, to),
        unreached("servers that weigh nothing", client(datagram(), to), Reason.NO_SERVER,
                  NO_SERVERS, to),
        unreached("a server that is not here", client(datagram(), to), Reason.NO_SERVER, ELSEWHERE,
                  to),
        unreached("the gateway", client(datagram(dport=53), net.gateway), Reason.NO_LISTENER,
                  src=net.gateway),
        Case("a port the group forbids", client(datagram(), to), "drop", Reason.SECURITY_GROUP,
             items=CLOSED_GROUP),
        Case("a length below the header's", client(datagram(len=7), to), "drop", Reason.MALFORMED),
        Case("a length of none", client(datagram(len=0), to), "drop", Reason.MALFORMED),
        Case("a length beyond the packet's", client(datagram(len=14), to), "drop",
             Reason.MALFORMED),
        Case("a header of 7 bytes",
             client(Raw(b"1234567"), to, **({"proto": 17} if net is V4 else {"nh": 17})), "drop",
             Reason.MALFORMED),
        Case("malformed, to a neighbour", client(datagram(len=7), net.neighbour), "drop",
             Reason.MALFORMED),
        Case("a server out of the blue", server(datagram(), net.source), "drop", Reason.NO_ROUTE,
             sender=SERVER),
        Case("a server's answer from another port", server(datagram(b"", 8081, 40000), net.source),
             "drop", Reason.NO_ROUTE, sender=SERVER,
             before=((CLIENT, client(datagram(), to)),)),
        Case("a server's answer by TCP",
             server(TCP(sport=8080, dport=40000, flags="A"), net.source), "drop", Reason.NO_ROUTE,
             sender=SERVER, before=((CLIENT, client(datagram(), to)),)),
        Case("a server's answer", server(datagram(b"yes", 8080, 40000), net.source), "redirect",
             out=to_client(datagram(b"yes", 80, 40000), to), sender=SERVER,
             before=((CLIENT, client(datagram(), to)),)),
    )  # fmt: skip
    for case in made:
        yield case._replace(description=f"IPv{net.version}: {case.description}")


DUAL_CASES = (
    unreached("an IPv6 client, IPv4 servers alone", client(datagram(), V6.endpoint),
              Reason.NO_LISTENER, ONLY_IPV4, V6.endpoint),
)  # fmt: skip

CASES = (*cases(V4), *cases(V6), *DUAL_CASES)


@pytest.mark.parametrize("case", **named(CASES))
def test_a_datagram(desk: Desk, case: Case) -> None:
    run_case(desk, case)


@pytest.mark.parametrize("net", NETS)
def test_datagrams_go_both_ways(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    assert set(lab.flows()) == {*pair(net, 17)}
    assert not there(lab).established
    assert back(lab).established
    exchange(lab, net)
    assert there(lab).established
    assert lab.flow_count(7) == 1


@pytest.mark.parametrize("net", NETS)
def test_tcp_and_udp_with_the_same_ports_are_two_conversations(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    go(lab, CLIENT, client(TCP(sport=40000, dport=80), net.endpoint),
       to_server(TCP(sport=40000, dport=8080), net.source))  # fmt: skip
    assert set(lab.flows()) == {*pair(net, 17), *pair(net, 6)}


@pytest.mark.parametrize("net", NETS)
def test_padding_within_the_packet_goes_along(lab: Desk, net: Net) -> None:
    """UDP's own length may be less than IP's."""
    packet = client(datagram(b"hello", len=10, chksum=7), net.endpoint)
    outcome = lab.send(CLIENT, bytes(packet))
    assert outcome.verdict == "redirect"
    assert Ether(outcome.packet)[UDP].len == 10
    assert outcome.packet[-5:] == b"hello"


@pytest.mark.parametrize("net", NETS)
def test_no_checksum_stays_none(lab: Desk, net: Net) -> None:
    outcome = lab.send(CLIENT, bytes(client(datagram(chksum=0), net.endpoint)))
    assert Ether(outcome.packet)[UDP].chksum == 0
    outcome = lab.send(SERVER, bytes(server(datagram(b"a", 8080, 40000, chksum=0), net.source)))
    assert Ether(outcome.packet)[UDP].chksum == 0


def balanced(packet: Packet) -> Packet:
    """The datagram with the two bytes of data that make its checksum come to 0."""
    part = checksums.transport(bytes(packet))
    assert part
    check = int.from_bytes(part.body[6:8])
    assert part.body[8:10] == b"\0\0"
    changed = packet.copy()
    changed[Raw].load = check.to_bytes(2) + changed[Raw].load[2:]
    changed[UDP].chksum = None
    return Ether(bytes(changed))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("server_speaks", [False, True])
def test_a_checksum_that_comes_to_nothing_is_not_none(
    lab: Desk, net: Net, server_speaks: bool
) -> None:
    """RFC 768: a checksum of 0 is sent as 0xffff, whichever step of the rewriting it comes from."""
    exchange(lab, net)
    if server_speaks:
        out = balanced(to_client(datagram(bytes(4), 80, 40000), net.endpoint))
        packet, sender = server(datagram(bytes(out[Raw]), 8080, 40000), net.source), SERVER
    else:
        out = balanced(to_server(datagram(bytes(4), 40000, 8080), net.source))
        packet, sender = client(datagram(bytes(out[Raw])), net.endpoint), CLIENT
    assert out[UDP].chksum == 0xFFFF
    go(lab, sender, packet, out)


@pytest.mark.parametrize("net", NETS)
def test_what_was_closed_is_opened_anew_by_the_next_datagram(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    for key in pair(net, 17):
        lab.put_flow(key, lab.flows()[key]._replace(forward=6))
    lab.begin_epoch()
    asked = client(datagram(b"again"), net.endpoint)
    go(lab, CLIENT, asked, to_server(datagram(b"again", 40000, 8080), net.source))
    assert {flow.forward for flow in lab.flows().values()} == {7}


@pytest.mark.parametrize("net", NETS)
def test_a_closed_service_tells_both_sides(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    lab.close(7)
    said = server(datagram(b"more", 8080, 40000), net.source)
    outcome = lab.send(SERVER, bytes(said))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.CLOSED)
    told = Ether(bytes(unreachable(said, net.source)))
    told.dst = SERVER.mac
    assert shown(outcome.packet) == shown(bytes(told))
    asked = client(datagram(b"more"), net.endpoint)
    outcome = lab.send(CLIENT, bytes(asked))
    # Its flow is forgotten, and a new one is refused.
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.NOT_ACCEPTED)
    assert shown(outcome.packet) == shown(bytes(unreachable(asked, net.endpoint)))
    assert lab.flows() == {}
    assert lab.flow_count(7) == 0


@pytest.mark.parametrize("net", NETS)
def test_a_taken_source_port_is_replaced(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    other = client(datagram(b"me too"), net.endpoint, sender=OTHER)
    sent = Ether(lab.send(OTHER, bytes(other)).packet)
    shown(bytes(sent))
    assert sent[UDP].sport != 40000
    assert sent[UDP].sport >= 1024
    reply = lab.send(SERVER, bytes(server(datagram(b"x", 8080, sent[UDP].sport), net.source)))
    shown(reply.packet)
    assert (Ether(reply.packet).dst, Ether(reply.packet)[UDP].dport) == (OTHER.mac, 40000)


def test_no_source_port_left(lab: Desk) -> None:
    lab.program.maps["flows"].update_many(
        (FlowKey(2, V4.workload, 8080, V4.source, port, 17).pack(), bytes(FLOW.size))
        for port in range(1024, 65536)
    )
    packet = client(datagram())
    outcome = lab.send(CLIENT, bytes(packet))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.NO_SOURCE_PORT)
    assert shown(outcome.packet) == shown(bytes(unreachable(packet, ENDPOINT)))


@pytest.mark.parametrize("net", NETS)
def test_datagrams_are_waited_for_less_than_segments(lab: Desk, net: Net) -> None:
    exchange(lab, net)
    exchange(lab, net)
    seen = max(flow.last_seen for flow in lab.flows().values())
    assert lab.sweep(seen + 59 * SECOND) == 0
    assert lab.sweep(seen + 60 * SECOND) == 1
    assert lab.flows() == {}
