"""A million flows, opened through the program one by one, and what it takes to let go of them."""

from __future__ import annotations

import msgspec

from privlink.model.items import Attachment, Balancer, Listener, Protocol, Server
from privlink.node.entries import port_entries
from privlink.node.flows import HALF_OPEN
from privlink.node.program.maps import FLOW_GLANCE, Reason
from tests.kernel import program_test
from tests.kernel.desk import LOOPBACK, Desk
from tests.kernel.frames import CLIENT, FORWARD, OPENING, V4, ask, client

CLIENTS, EACH = 16, 62_500
MILLION = CLIENTS * EACH
# So many that nobody has to look for a source port long: each has 64,512 of them.
SERVERS = tuple(Server(V4.workload, port, 1) for port in range(9000, 9040))


def caller(host: int) -> Attachment:
    """One client of many in the same network."""
    return msgspec.structs.replace(
        CLIENT, address=f"10.0.0.{host}", mac=f"02:00:00:00:03:{host:02x}"
    )


def test_a_million_flows_are_held_and_let_go(lab: Desk) -> None:
    opening = msgspec.structs.replace(OPENING, flows=MILLION)
    lab.lay_out([msgspec.structs.replace(FORWARD, opening=opening)])
    lab.lay_out([Balancer(3, (Listener(Protocol.TCP, 80, 80, SERVERS),))])
    bench = program_test.Bench(lab.program)
    for host in range(10, 10 + CLIENTS):
        sender = caller(host)
        made = port_entries(sender, LOOPBACK)
        lab.put(entry for entry in made if entry.map == "ports")
        frame = bytearray(bytes(client(ask(), sender=sender)))
        for sport in range(2000, 2000 + EACH):
            frame[34:36] = sport.to_bytes(2)  # what the checksum says is nobody's business here
            assert bench.run(bytes(frame), LOOPBACK).reason == 0, (host, sport)
    assert lab.flow_count(7) == MILLION
    # Who comes now is told, and nobody who is in is put out.
    late = client(ask(sport=1999), sender=caller(10))
    assert lab.send(caller(10), bytes(late)).reason == Reason.FLOW_LIMIT
    assert lab.sweep(last_seen(lab) + HALF_OPEN) == MILLION
    assert lab.flow_count(7) == 0


def last_seen(desk: Desk) -> int:
    """When the last packet of any flow was."""
    pages = desk.program.maps["flows"].pages()
    return max(glance[0] for _, values in pages for glance in FLOW_GLANCE.iter_unpack(values))
