"""How the program chooses servers: in turns, by fewest flows, by hash; and what it does without."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether

from privlink.model.items import Attachment, Balancer, Listener, Protocol, Scheduler, Server
from privlink.node.entries import Circumstances, entries
from privlink.node.program.maps import TARGET_KEY, Cause, Reason
from tests.kernel.cases import connect, go, there
from tests.kernel.desk import LOOPBACK, Desk
from tests.kernel.frames import (
    BALANCER,
    CLIENT,
    NETS,
    OTHER,
    SERVER,
    V4,
    Net,
    answer,
    ask,
    client,
    server,
    to_server,
)
from tests.kernel.model import packed

FOUR = tuple(Server(V4.workload, 9000 + rank, 100) for rank in range(4))


def listen(desk: Desk, scheduler: Scheduler, servers: tuple[Server, ...], **how: Any) -> Balancer:
    """Make port 80 of the balancer a listener with this scheduler and these servers alone."""
    item = Balancer(3, (Listener(Protocol.TCP, 80, 80, servers, scheduler, group="sgp-1"),))
    item = msgspec.structs.replace(item, **how)
    replace(desk, item)
    return item


def replace(desk: Desk, item: Balancer, circumstances: Circumstances | None = None) -> None:
    """Put the balancer's entries in the place of those it had."""
    for name in ("servers", "targets", "listeners"):
        held = desk.program.maps[name]
        held.delete_many([key for key, _ in held.dump()])
    desk.put(entries(item, circumstances or Circumstances()))
    desk.begin_epoch()


def open_one(desk: Desk, sport: int) -> int:
    """Open a flow; the server port it got."""
    return int(Ether(desk.send(CLIENT, bytes(client(ask(sport=sport)))).packet)[TCP].dport)


def close_one(desk: Desk, sport: int) -> None:
    """Reset a flow and have it collected."""
    desk.send(CLIENT, bytes(client(ask("R", sport=sport))))


@pytest.mark.parametrize(
    ("weights", "turns"),
    [((1, 1), [0, 1, 0, 1]), ((3, 1), [0, 0, 1, 0]), ((2, 0, 1), [0, 2, 0])],
)
def test_turns_are_taken_by_weight(lab: Desk, weights: tuple[int, ...], turns: list[int]) -> None:
    servers = tuple(Server(V4.workload, 9000 + n, weight) for n, weight in enumerate(weights))
    listen(lab, Scheduler.ROUND_ROBIN, servers)
    taken = [open_one(lab, sport) - 9000 for sport in range(20000, 20012)]
    assert taken == turns * (12 // len(turns))


def test_the_least_loaded_takes_the_next_flow(lab: Desk) -> None:
    listen(lab, Scheduler.LEAST_CONNECTIONS, FOUR)
    places = {sport: open_one(lab, sport) for sport in range(20000, 20040)}
    assert Counter(places.values()) == {9000: 10, 9001: 10, 9002: 10, 9003: 10}
    leaving = [sport for sport, at in places.items() if at == 9002][:6]
    for sport in leaving:
        close_one(lab, sport)
    assert lab.sweep(max(flow.last_seen for flow in lab.flows().values()) + 10**10) == 6
    assert {open_one(lab, sport) for sport in range(21000, 21006)} == {9002}


def test_by_fewest_flows_weights_count(lab: Desk) -> None:
    servers = Server(V4.workload, 9000, 30), Server(V4.workload, 9001, 10)
    listen(lab, Scheduler.LEAST_CONNECTIONS, servers)
    taken = Counter(open_one(lab, sport) for sport in range(20000, 20040))
    assert taken == {9000: 30, 9001: 10}


def test_what_it_had_before_does_not_count_where_flows_were_not_compared(lab: Desk) -> None:
    """A flow from the time of turns ends in the time of comparing, and takes nothing away."""
    listen(lab, Scheduler.ROUND_ROBIN, FOUR[:1])
    open_one(lab, 20000)
    listen(lab, Scheduler.LEAST_CONNECTIONS, FOUR[:2])
    close_one(lab, 20000)
    lab.sweep(there(lab).last_seen + 10**10)
    taken = Counter(open_one(lab, sport) for sport in range(20001, 20011))
    assert taken == {9000: 5, 9001: 5}


def test_a_hundred_servers_are_compared_by_samples(lab: Desk) -> None:
    """More than are compared at once: no server falls far behind or runs ahead."""
    servers = tuple(Server(V4.workload, 9000 + rank, 100) for rank in range(100))
    listen(lab, Scheduler.LEAST_CONNECTIONS, servers)
    taken = Counter(open_one(lab, sport) for sport in range(20000, 20500))
    assert len(taken) == 100
    assert max(taken.values()) - min(taken.values()) <= 4


@pytest.mark.parametrize("net", NETS)
def test_the_same_client_gets_the_same_server(lab: Desk, net: Net) -> None:
    servers = tuple(Server(net.workload, 9000 + rank, 100) for rank in range(4))
    listen(lab, Scheduler.SOURCE_HASH, servers)

    def server_of(sender: Attachment, sport: int) -> int:
        asked = client(ask(sport=sport), net.endpoint, sender=sender)
        return int(Ether(lab.send(sender, bytes(asked)).packet)[TCP].dport)

    assert len({server_of(CLIENT, sport) for sport in range(20000, 20020)}) == 1
    assert len({server_of(OTHER, sport) for sport in range(20000, 20020)}) == 1


def test_by_tuple_conversations_of_one_client_spread_and_come_back(lab: Desk) -> None:
    listen(lab, Scheduler.TUPLE_HASH, FOUR)
    first = {sport: open_one(lab, sport) for sport in range(20000, 20200)}
    assert set(Counter(first.values())) == {9000, 9001, 9002, 9003}
    assert min(Counter(first.values()).values()) > 20  # of 50; five standard deviations
    lab.program.maps["flows"].delete_many([k for k, _ in lab.program.maps["flows"].dump()])
    assert {sport: open_one(lab, sport) for sport in range(20000, 20200)} == first


def test_a_server_less_moves_only_its_share(lab: Desk) -> None:
    item = listen(lab, Scheduler.TUPLE_HASH, FOUR)
    before = {sport: open_one(lab, sport) for sport in range(20000, 20200)}
    lab.program.maps["flows"].delete_many([k for k, _ in lab.program.maps["flows"].dump()])
    down = Circumstances(down={("sgp-1", V4.workload, 9001)})
    replace(lab, item, down)
    after = {sport: open_one(lab, sport) for sport in range(20000, 20200)}
    moved = {sport for sport in before if before[sport] != after[sport]}
    assert moved == {sport for sport, at in before.items() if at == 9001}


def test_a_server_that_is_down_gets_no_flow_and_loses_those_it_has(lab: Desk) -> None:
    lab.plug(CLIENT, LOOPBACK)
    lab.plug(SERVER, LOOPBACK)
    item = listen(lab, Scheduler.ROUND_ROBIN, (Server(V4.workload, 8080, 100), FOUR[1]))
    connect(lab)
    assert there(lab).destination_port == 8080
    replace(lab, item, Circumstances(down={("sgp-1", V4.workload, 8080)}))
    assert {open_one(lab, sport) for sport in range(20000, 20004)} == {9001}
    outcome = lab.send(CLIENT, bytes(client(ask("A", ack=7))))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.SERVER_GONE)
    assert Ether(outcome.packet)[TCP].flags == "R"
    outcome = lab.send(SERVER, bytes(server(answer("A", ack=8))))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.SERVER_GONE)
    assert {f.revoked for f in lab.flows().values() if f.revoked} == {Cause.SERVER_GONE}


def test_a_server_of_no_weight_keeps_what_it_has(lab: Desk) -> None:
    lab.plug(CLIENT, LOOPBACK)
    lab.plug(SERVER, LOOPBACK)
    listen(lab, Scheduler.ROUND_ROBIN, (Server(V4.workload, 8080, 100),))
    connect(lab)
    listen(lab, Scheduler.ROUND_ROBIN, (Server(V4.workload, 8080, 0), FOUR[1]))
    assert open_one(lab, 20000) == 9001
    go(lab, CLIENT, client(ask("A")), to_server(TCP(sport=40000, dport=8080, flags="A")))


def test_nobody_well_is_said_at_once(lab: Desk) -> None:
    item = listen(lab, Scheduler.ROUND_ROBIN, FOUR[:1])
    replace(lab, item, Circumstances(down={("sgp-1", V4.workload, 9000)}))
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert (outcome.verdict, outcome.reason) == ("redirect", Reason.NO_SERVER)
    assert Ether(outcome.packet)[TCP].flags == "RA"


@pytest.mark.parametrize(
    ("zones", "cross", "takers"),
    [
        (("a", "b"), True, {9000}),
        (("b", "b"), True, {9000, 9001}),
        (("b", "b"), False, set()),
        (("", "b"), True, {9000}),
    ],
)
def test_servers_of_the_zone_go_first(
    lab: Desk, zones: tuple[str, str], cross: bool, takers: set[int]
) -> None:
    servers = tuple(
        msgspec.structs.replace(one, zone=zone) for one, zone in zip(FOUR, zones, strict=False)
    )
    listen(lab, Scheduler.ROUND_ROBIN, servers, zone="a", cross_zone=cross)
    seen = set()
    for sport in range(20000, 20006):
        outcome = lab.send(CLIENT, bytes(client(ask(sport=sport))))
        if outcome.reason is None:
            seen.add(int(Ether(outcome.packet)[TCP].dport))
    assert seen == takers
    targets = [TARGET_KEY.unpack(key)[5] for key, _ in lab.program.maps["targets"].dump()]
    assert len(targets) == 2  # whoever is well keeps what it has, in whatever zone


@pytest.mark.parametrize("net", NETS)
def test_a_load_balancers_own_address_answers_inside_its_network(lab: Desk, net: Net) -> None:
    """The caller is in the server's network, and even the server itself may call."""
    front, front6 = "10.0.0.50", "fd00:10::50"
    own = msgspec.structs.replace(
        BALANCER, network=2, address=front, mac="02:00:00:00:02:50", address6=front6, opening=50
    )
    lab.put(entries(own))
    called = front6 if net.version == 6 else front
    sent = client(ask(), called, sender=SERVER)
    sent[Ether].dst = "02:00:00:00:02:50"
    out = lab.send(SERVER, bytes(sent))
    assert out.reason is None
    frame = Ether(out.packet)
    assert frame.dst == SERVER.mac
    assert packed(called) in bytes(frame)[14:62]  # seen as the load balancer
    back = server(answer(dport=frame[TCP].sport), called)
    assert Ether(lab.send(SERVER, bytes(back)).packet)[TCP].sport == 80
    assert {flow.place for flow in lab.flows().values()} == {3}
    assert len(lab.flows()) == 2
