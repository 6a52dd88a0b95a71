"""Cases of the program: packet in, state, verdict, packet out, state. And conversations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
from scapy.layers.inet import TCP
from scapy.packet import Packet

from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Item,
    Listener,
    Opening,
    Protocol,
    Server,
)
from privlink.node.program.maps import Flow, FlowKey, Reason
from tests.kernel.desk import Desk, Outcome
from tests.kernel.frames import (
    CLIENT,
    CLIENT_LINK,
    FORWARD,
    OTHER,
    SERVER,
    SERVER_LINK,
    SOURCE,
    V4,
    WORLD,
    Net,
    answer,
    ask,
    client,
    datagram,
    reset,
    server,
    shown,
    to_client,
    to_server,
    unreachable,
    world,
)

UNACCEPTED = world(forward=msgspec.structs.replace(FORWARD, opening=None))
CLOSED_GROUP = world(filter=Filter(11, ()))


def _behind(*servers: Server) -> tuple[Item, ...]:
    both = tuple(Listener(protocol, 80, 80, servers) for protocol in Protocol)
    return world(balancer=Balancer(3, both))


NO_SERVERS = _behind(Server("10.0.0.5", 1, 0), Server("fd00:10::5", 1, 0))
ELSEWHERE = _behind(Server("10.0.0.9", 1, 1), Server("fd00:10::9", 1, 1))
ONLY_IPV4 = _behind(Server("10.0.0.5", 8080, 1))


class Case(NamedTuple):
    """One packet: what there was before, what becomes of it, what there is after."""

    description: str
    packet: Packet | bytes
    verdict: str
    reason: Reason | None = None
    out: Packet | None = None  # None: as it came in
    items: tuple[Item, ...] = WORLD
    sender: Attachment | None = CLIENT
    egress: int = CLIENT_LINK  # of a redirect
    before: tuple[tuple[Attachment, Packet], ...] = ()  # what went through first
    state: Collection[FlowKey] | None = None  # the flow table after; None: as before


def run_case(desk: Desk, case: Case) -> None:
    """Everything a case says, and that it leaves nothing else."""
    desk.lay_out(case.items)
    desk.plug(SERVER, SERVER_LINK)
    for sender, packet in case.before:
        assert desk.send(sender, bytes(packet)).verdict == "redirect"
    before = desk.flows()
    packet = bytes(case.packet)
    outcome = desk.send(case.sender, packet)
    assert (outcome.verdict, outcome.reason) == (case.verdict, case.reason)
    if case.out is None:
        assert outcome.packet == packet
    else:
        assert shown(outcome.packet) == shown(bytes(case.out))
        assert outcome.egress == case.egress
    if case.state is not None:
        assert set(desk.flows()) == set(case.state)
    elif case.verdict == "redirect" and case.reason is None:
        assert set(desk.flows()) == set(before)
    else:
        assert desk.flows() == before


def refused(
    description: str,
    packet: Packet,
    reason: Reason,
    items: tuple[Item, ...] = WORLD,
    net: Net = V4,
    **out: Any,
) -> Case:
    """A case whose segment is counted as dropped and answered with a reset."""
    answered = reset(src=net.endpoint, **({"ack": 1} | out))
    return Case(description, packet, "redirect", reason, answered, items)


def unreached(
    description: str,
    packet: Packet,
    reason: Reason,
    items: tuple[Item, ...] = WORLD,
    src: str = V4.endpoint,
) -> Case:
    """A case whose datagram is counted as dropped and answered with an ICMP error."""
    return Case(description, packet, "redirect", reason, unreachable(packet, src), items)


def named(cases: Collection[Case]) -> dict[str, Any]:
    """How pytest is to call a table's cases."""
    return {"argvalues": cases, "ids": [case.description for case in cases]}


def pair(
    net: Net = V4, protocol: int = 6, sport: int = 40000, dport: int = 80, to: int = 8080
) -> tuple[FlowKey, FlowKey]:
    """The keys of one flow's two entries."""
    return (
        FlowKey(1, net.workload, sport, net.endpoint, dport, protocol),
        FlowKey(2, net.workload, to, net.source, sport, protocol),
    )


def go(desk: Desk, sender: Attachment, packet: Packet, out: Packet, **how: Any) -> Outcome:
    """Send a packet that must come out as another."""
    outcome = desk.send(sender, bytes(packet), **how)
    assert (outcome.verdict, outcome.reason) == ("redirect", None)
    assert shown(outcome.packet) == shown(bytes(out))
    return outcome


def connect(desk: Desk, sport: int = 40000, net: Net = V4, **how: Any) -> None:
    """The three-way handshake of the client's port."""
    syn, ack = (TCP(sport=sport, dport=8080, flags=flags) for flags in ("S", "A"))
    for out in (syn, ack):
        if out is ack:
            back = TCP(sport=80, dport=sport, flags="SA")
            answered = server(answer("SA", sport), net.source)
            said = go(desk, SERVER, answered, to_client(back, net.endpoint))
            assert said.egress == CLIENT_LINK
        asked = client(ask(str(out.flags), sport), net.endpoint)
        go(desk, CLIENT, asked, to_server(out, net.source), **how)


def exchange(desk: Desk, net: Net = V4, sport: int = 40000) -> None:
    """A datagram of the client's port, and its answer."""
    asked = client(datagram(b"ask", sport), net.endpoint)
    go(desk, CLIENT, asked, to_server(datagram(b"ask", sport, 8080), net.source))
    back = server(datagram(b"answer", 8080, sport), net.source)
    go(desk, SERVER, back, to_client(datagram(b"answer", 80, sport), net.endpoint))


def there(desk: Desk) -> Flow:
    """The one flow's entry for what the client sends."""
    (flow,) = (flow for flow in desk.flows().values() if not flow.reverse)
    return flow


def back(desk: Desk) -> Flow:
    """The one flow's entry for what the server answers."""
    (flow,) = (flow for flow in desk.flows().values() if flow.reverse)
    return flow


def uncounted(flows: dict[FlowKey, Flow]) -> dict[FlowKey, Flow]:
    """Flows without what they have carried."""
    return {key: flow._replace(packets=0, octets=0) for key, flow in flows.items()}


def finish(desk: Desk) -> None:
    """Both sides of the one TCP conversation say FIN."""
    desk.send(CLIENT, bytes(client(ask("FA"))))
    desk.send(SERVER, bytes(server(answer("FA"))))


def other(layer: Packet) -> Packet:
    """A frame as another client in the same network sends it to the endpoint."""
    return client(layer, sender=OTHER)


def reopen(desk: Desk, number: int = 8) -> None:
    """Close the forward; the server speaks and is told; open it again under a new number."""
    desk.close(7)
    assert desk.send(SERVER, bytes(server(answer("A")))).reason == Reason.CLOSED
    desk.lay_out([msgspec.structs.replace(FORWARD, opening=Opening(number, 2, SOURCE, 3))])
