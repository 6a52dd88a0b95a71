"""A flood at one endpoint costs no other endpoint a packet, whatever sources it claims.

Tenant one's client sends SYNs as fast as it can, in its own name and in others'; tenant two, whose
endpoint leads to the same server, asks datagram by datagram and opens connections all the while.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from privlink.model.items import Forward
from privlink.node.program.maps import Reason
from tests.kernel import lab, talk, tenants
from tests.kernel.tenants import CLIENT, DNS, DNS_SERVER, ENDPOINT, ENDPOINT_MAC, WEB

QUESTIONS, CONNECTIONS = 1000, 20
FRAMES = 512  # of the flood, sent over and over


@contextmanager
def flood(name: str, *, spoofed: bool) -> Iterator[threading.Event]:
    """SYNs to the endpoint till the end; yields what is set once some of them are out."""
    frames = [syn(spoofed=spoofed) for _ in range(FRAMES)]
    begun, over = threading.Event(), threading.Event()
    with talk.frames(name) as raw:
        raw.setblocking(True)

        def send() -> None:
            while not over.is_set():
                for frame in frames:
                    raw.send(frame)
                begun.set()

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield begun
        finally:
            over.set()
            sender.join()


def syn(*, spoofed: bool) -> bytes:
    """One of the flood, from a port by chance."""
    source = f"10.{random.randrange(256)}.0.{random.randrange(256)}" if spoofed else CLIENT.address
    asked = TCP(sport=random.randrange(1024, 65536), dport=WEB)
    return bytes(Ether(src=CLIENT.mac, dst=ENDPOINT_MAC) / IP(src=source, dst=ENDPOINT) / asked)


@pytest.mark.parametrize(
    ("spoofed", "limits", "reason"),
    [
        (True, {}, Reason.SPOOFED_SOURCE),
        (False, {"flows": 100}, Reason.FLOW_LIMIT),
        (False, {"rate": 50}, Reason.FLOW_RATE),
    ],
)
def test_a_flood_costs_no_other_endpoint_a_packet(
    bpf_object: Path, spoofed: bool, limits: dict[str, int], reason: Reason
) -> None:
    assert tenants.FORWARD.opening is not None
    opening = msgspec.structs.replace(tenants.FORWARD.opening, **limits)
    limited: Forward = msgspec.structs.replace(tenants.FORWARD, opening=opening)
    with (
        tenants.cloud(bpf_object) as cloud,
        talk.echoing_datagrams(cloud.names["server"], DNS_SERVER),
        lab.echo_server(cloud.names["server"], tenants.WEB_SERVER),
    ):
        cloud.put(forward_one=limited)
        before = cloud.drops(reason)
        with (
            flood(cloud.names["client"], spoofed=spoofed) as begun,
            talk.datagrams(cloud.names["twin"], ENDPOINT, DNS) as asking,
        ):
            assert begun.wait(lab.PATIENCE)
            for number in range(QUESTIONS):
                asking.send(number.to_bytes(4))
                assert asking.recv(100) == number.to_bytes(4)
            for _ in range(CONNECTIONS):
                with lab.connect(cloud.names["twin"], ENDPOINT, WEB) as connection:
                    connection.sendall(b"hello")
                    assert connection.recv(5) == b"hello"
        assert cloud.drops(reason) - before >= FRAMES // 2
