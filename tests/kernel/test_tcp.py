"""The program and TCP, one segment at a time; whole conversations are in test_conversations."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from scapy.layers.inet import TCP
from scapy.packet import Raw

from privlink.node.program.maps import Cause, Reason
from tests.kernel.cases import (
    CLOSED_GROUP,
    ELSEWHERE,
    NO_SERVERS,
    ONLY_IPV4,
    UNACCEPTED,
    Case,
    connect,
    go,
    named,
    pair,
    refused,
    run_case,
)
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    CLIENT,
    ENDPOINT6,
    FORWARD,
    NETS,
    OPENING,
    SERVER,
    SERVER_LINK,
    V4,
    V6,
    Net,
    answer,
    ask,
    client,
    reset,
    server,
    shown,
    to_client,
    to_server,
    world,
)

OPTIONS = [("MSS", 1460), ("WScale", 7)]
UNLED = world(
    forward=msgspec.structs.replace(FORWARD, opening=msgspec.structs.replace(OPENING, source6=""))
)


def cases(net: Net) -> Iterator[Case]:
    """What holds in both families."""
    to = net.endpoint

    def out(flags: str = "S", dport: int = 8080, **tcp: object) -> TCP:
        return TCP(sport=40000, dport=dport, flags=flags, **tcp)

    def opened(
        description: str, asked: TCP, goes: TCP, sport: int = 40000, dport: int = 80
    ) -> Case:
        state = pair(net, 6, sport, dport, goes.dport)
        return Case(description, client(asked, to), "redirect", out=to_server(goes, net.source),
                    egress=SERVER_LINK, state=state)  # fmt: skip

    made = (
        opened("a SYN to the listener", ask(), out()),
        opened("a SYN with options and data", ask(options=OPTIONS) / b"fast open",
               out(options=OPTIONS) / b"fast open"),
        opened("a SYN from port 0", ask(sport=0), TCP(sport=0, dport=8080, flags="S"), sport=0),
        opened("a SYN from the last port", ask(sport=65535),
               TCP(sport=65535, dport=8080, flags="S"), sport=65535),
        opened("a SYN with ECN", ask("SEC"), out("SEC")),
        *(
            opened(f"a SYN to port {port} of a range", ask(dport=port), out(dport=port), dport=port)
            for port in (8000, 8001, 8063, 8064, 8500, 8959, 8960, 8991, 8992, 8999)
        ),
        *(
            refused(f"a SYN beside a range, to port {port}", client(ask(dport=port), to),
                    Reason.NO_LISTENER, net=net, sport=port)
            for port in (0, 79, 81, 7999, 9000, 65535)
        ),
        Case("a data offset of 0", client(ask(dataofs=0), to), "drop", Reason.MALFORMED),
        Case("a data offset of 16 bytes", client(ask(dataofs=4), to), "drop", Reason.MALFORMED),
        Case("a data offset beyond the packet", client(ask(dataofs=6), to), "drop",
             Reason.MALFORMED),
        Case("a header of 19 bytes", client(Raw(bytes(ask())[:19]), to, **_number(net)), "drop",
             Reason.MALFORMED),
        *(
            Case(f"flags {flags}", client(ask(flags), to), "drop", Reason.MALFORMED)
            for flags in ("SF", "SR", "SFR", "SFA", "SRA", "SFRPAUEC")
        ),
        Case("flags SF to a neighbour", client(ask("SF"), net.neighbour), "drop",
             Reason.MALFORMED),
        refused("an endpoint not accepted", client(ask(), to), Reason.NOT_ACCEPTED, UNACCEPTED,
                net),
        refused("a segment to an endpoint not accepted", client(ask("A", ack=5), to),
                Reason.NOT_ACCEPTED, UNACCEPTED, net, flags="R", seq=5, ack=0),
        refused("a server that is not here", client(ask(), to), Reason.NO_SERVER, ELSEWHERE, net),
        refused("a listener whose servers weigh nothing", client(ask(), to), Reason.NO_SERVER,
                NO_SERVERS, net),
        Case("a port the group forbids", client(ask(), to), "drop", Reason.SECURITY_GROUP,
             items=CLOSED_GROUP),
        Case("the gateway", client(ask(), net.gateway), "redirect", Reason.NO_LISTENER,
             reset(ack=1, src=net.gateway)),
        Case("the gateway, out of the blue", client(ask("A", ack=9), net.gateway), "redirect",
             Reason.NO_LISTENER, reset("R", seq=9, src=net.gateway)),
        # RFC 9293 section 3.10.7.1: with ACK, its number becomes the sequence number; ...
        refused("an ACK out of the blue", client(ask("A", ack=77), to), Reason.NO_FLOW, net=net,
                flags="R", seq=77, ack=0),
        refused("an ACK out of the blue, whatever the group says", client(ask("A", ack=77), to),
                Reason.NO_FLOW, CLOSED_GROUP, net, flags="R", seq=77, ack=0),
        refused("a SYN-ACK out of the blue", client(ask("SA", seq=4, ack=78), to), Reason.NO_FLOW,
                net=net, flags="R", seq=78, ack=0),
        # ... without, everything the segment took up is acknowledged.
        refused("data out of the blue, without ACK",
                client(ask("P", seq=2**32 - 3) / (b"x" * 1000), to), Reason.NO_FLOW, net=net,
                ack=997),
        refused("a FIN out of the blue, with options",
                client(ask("F", seq=10, options=[("Timestamp", (1, 2))]) / b"bye", to),
                Reason.NO_FLOW, net=net, ack=14),
        refused("no flags out of the blue", client(ask("", seq=3), to), Reason.NO_FLOW, net=net,
                ack=3),
        refused("a SYN with data to a closed port", client(ask(dport=81, seq=9) / b"data", to),
                Reason.NO_LISTENER, net=net, sport=81, ack=14),
        refused("an ACK with padding behind it",
                Raw(bytes(client(ask("A", ack=7), to)) + bytes(9)), Reason.NO_FLOW, net=net,
                flags="R", seq=7, ack=0),
        Case("a reset is not answered", client(ask("R"), to), "drop", Reason.NO_FLOW),
        Case("nor one that acknowledges", client(ask("RA"), to), "drop", Reason.NO_FLOW),
        Case("a server out of the blue", server(answer("A"), net.source), "drop", Reason.NO_ROUTE,
             sender=SERVER),
        Case("a server's SYN out of the blue", server(answer("S"), net.source), "drop",
             Reason.NO_ROUTE, sender=SERVER),
        Case("a server to the endpoint in its own network",
             server(ask(), to), "drop", Reason.VIA_GATEWAY, sender=SERVER),
        Case("a server's SYN in a conversation", server(answer("S"), net.source), "drop",
             Reason.UNSOLICITED_SYN, sender=SERVER, before=((CLIENT, client(ask(), to)),)),
        Case("a server's answer from another port",
             server(TCP(sport=8081, dport=40000, flags="SA"), net.source), "drop", Reason.NO_ROUTE,
             sender=SERVER, before=((CLIENT, client(ask(), to)),)),
        Case("a server's answer to another port", server(answer("SA", 40001), net.source), "drop",
             Reason.NO_ROUTE, sender=SERVER, before=((CLIENT, client(ask(), to)),)),
        Case("a server's answer", server(answer("SA"), net.source), "redirect",
             out=to_client(TCP(sport=80, dport=40000, flags="SA"), to), sender=SERVER,
             before=((CLIENT, client(ask(), to)),)),
        Case("a malformed segment in a conversation", client(ask("SF"), to), "drop",
             Reason.MALFORMED, before=((CLIENT, client(ask(), to)),)),
    )  # fmt: skip
    for case in made:
        yield case._replace(description=f"IPv{net.version}: {case.description}")


def _number(net: Net) -> dict[str, int]:
    return {"proto": 6} if net is V4 else {"nh": 6}


DUAL_CASES = (
    refused("an IPv6 client, IPv4 servers alone", client(ask(), ENDPOINT6), Reason.NO_LISTENER,
            ONLY_IPV4, V6),
    refused("an IPv6 endpoint without a source", client(ask(), ENDPOINT6), Reason.NOT_ACCEPTED,
            UNLED, V6),
    Case("an IPv4 client of the same endpoint", client(ask()), "redirect",
         out=to_server(TCP(sport=40000, dport=8080, flags="S")), items=UNLED, egress=SERVER_LINK,
         state=pair()),
)  # fmt: skip

CASES = (*cases(V4), *cases(V6), *DUAL_CASES)


@pytest.mark.parametrize("case", **named(CASES))
def test_a_segment(desk: Desk, case: Case) -> None:
    run_case(desk, case)


@pytest.mark.parametrize("net", NETS)
def test_every_source_port_leaves_a_right_checksum(lab: Desk, net: Net) -> None:
    for sport in (0, 1, 255, 256, 32767, 32768, 65534, 65535, 8080, 80):
        for data in (b"", b"\0", b"\xff\xff\xff", b"odd", b"even"):
            asked = client(TCP(sport=sport, dport=80) / data, net.endpoint)
            go(lab, CLIENT, asked, to_server(TCP(sport=sport, dport=8080) / data, net.source))


@pytest.mark.parametrize("net", NETS)
def test_both_families_at_once_are_two_conversations(lab: Desk, net: Net) -> None:
    connect(lab, net=V4)
    connect(lab, net=V6)
    assert set(lab.flows()) == {*pair(V4), *pair(V6)}
    assert lab.flow_count(7) == 2
    lab.send(CLIENT, bytes(client(ask("R"), net.endpoint)))
    assert [flow.reset for key, flow in lab.flows().items() if key in pair(net)] == [
        Cause.CLIENT_RESET,
        Cause.CLIENT_RESET,
    ]
    rest = set(lab.flows()) - {*pair(net)}
    assert not any(flow.reset for key, flow in lab.flows().items() if key in rest)


@pytest.mark.parametrize("net", NETS)
def test_a_closed_service_tells_both_sides(lab: Desk, net: Net) -> None:
    connect(lab, net=net)
    lab.close(7)
    outcome = lab.send(CLIENT, bytes(client(ask("PA", ack=5) / b"more", net.endpoint)))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.CLOSED)
    assert shown(outcome.packet) == shown(bytes(reset("R", seq=5, src=net.endpoint)))
    outcome = lab.send(SERVER, bytes(server(answer("PA", ack=6) / b"more", net.source)))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.CLOSED)
    made = {"hlim": 255} if net is V6 else {"id": 0, "flags": "DF", "ttl": 64}
    told = to_server(TCP(sport=40000, dport=8080, flags="R", seq=6, window=0), net.source, **made)
    assert shown(outcome.packet) == shown(bytes(told))
    assert {flow.revoked for flow in lab.flows().values()} == {Cause.CLOSED}
