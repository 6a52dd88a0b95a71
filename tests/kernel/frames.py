"""The world that packets through the program live in, and the packets.

    client 10.0.0.5 ── VPC 1, 10.0.0.0/24 ── endpoint 10.0.0.100
                                                 │  forward 7, seen as 100.64.0.1
    server 10.0.0.5 ── VPC 2, 10.0.0.0/24 ── balancer 3, port 80 -> 8080

Both networks have the same addresses; that is the point of it.
"""

from __future__ import annotations

import logging
from typing import Any

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it misses libpcap, which is not used

from scapy.layers.inet import ICMP, IP, TCP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402

from privlink.model.items import (  # noqa: E402
    Attachment,
    Balancer,
    Filter,
    Forward,
    Item,
    Listener,
    Opening,
    Protocol,
    Rule,
    Segment,
    Server,
)
from privlink.node.maps import GATEWAY_MAC  # noqa: E402

CIDR = "10.0.0.0/24"
CLIENT = Attachment(1, 1, 1, CIDR, "10.0.0.5", "02:00:00:00:01:05")
SERVER = Attachment(2, 2, 2, CIDR, "10.0.0.5", "02:00:00:00:02:05")
CLIENT_LINK, SERVER_LINK = 1, 22  # the client's is the link every packet comes in by
ENDPOINT, ENDPOINT_MAC = "10.0.0.100", "02:00:00:00:01:64"
GATEWAY, SOURCE = "10.0.0.253", "100.64.0.1"
NEIGHBOUR, NEIGHBOUR_MAC = "10.0.0.6", "02:00:00:00:01:06"

ANY_TCP = Rule(1, True, "TCP", "0.0.0.0/0", 0, 65535)
ANY_ICMP = Rule(1, True, "ICMP", "0.0.0.0/0", 0, 65535)
SEGMENTS = Segment(1, 1, CIDR, GATEWAY), Segment(2, 2, CIDR, GATEWAY)
BALANCER = Balancer(3, (Listener(Protocol.TCP, 80, 80, (Server("10.0.0.5", 8080, 100),)),))
GROUP = Filter(11, (ANY_TCP, ANY_ICMP))
FORWARD = Forward(1, ENDPOINT, ENDPOINT_MAC, (11,), Opening(7, 2, SOURCE, 3))
WORLD: tuple[Item, ...] = (*SEGMENTS, BALANCER, GROUP, FORWARD)


def world(**changes: Item) -> tuple[Item, ...]:
    """The world with one of its items replaced, by the name of its kind."""
    return tuple(changes.get(type(item).__name__.lower(), item) for item in WORLD)


def client(layer: Packet, dst: str = ENDPOINT, src: str = "10.0.0.5", **ip: Any) -> Packet:
    """A frame as the client sends it to an address, by default the endpoint's."""
    mac = {ENDPOINT: ENDPOINT_MAC, NEIGHBOUR: NEIGHBOUR_MAC}.get(dst, GATEWAY_MAC)
    return Ether(src=CLIENT.mac, dst=mac) / IP(src=src, dst=dst, **ip) / layer


def server(layer: Packet) -> Packet:
    """A frame as the server sends it back to its client, by way of its gateway."""
    return Ether(src=SERVER.mac, dst=GATEWAY_MAC) / IP(src="10.0.0.5", dst=SOURCE) / layer


def ask(flags: str = "S", sport: int = 40000, dport: int = 80, **tcp: Any) -> TCP:
    """A segment from client to endpoint."""
    return TCP(sport=sport, dport=dport, flags=flags, **tcp)


def answer(flags: str = "SA", dport: int = 40000, **tcp: Any) -> TCP:
    """A segment from server to client."""
    return TCP(sport=8080, dport=dport, flags=flags, **tcp)


def to_server(layer: Packet) -> Packet:
    """The frame the server gets."""
    macs = Ether(src=GATEWAY_MAC, dst=SERVER.mac)
    return macs / IP(src=SOURCE, dst="10.0.0.5") / layer


def to_client(layer: Packet) -> Packet:
    """The frame the client gets from the endpoint."""
    macs = Ether(src=ENDPOINT_MAC, dst=CLIENT.mac)
    return macs / IP(src=ENDPOINT, dst="10.0.0.5") / layer


def reset(flags: str = "RA", sport: int = 80, seq: int = 0, ack: int = 0) -> Packet:
    """The frame that tells the client no."""
    macs = Ether(src=ENDPOINT_MAC, dst=CLIENT.mac)
    ip = IP(src=ENDPOINT, dst="10.0.0.5", id=0, flags="DF", ttl=64)
    return macs / ip / TCP(sport=sport, dport=40000, flags=flags, seq=seq, ack=ack, window=0)


def arp(**fields: Any) -> Packet:
    """An ARP request as the client sends it."""
    asked = {"hwsrc": CLIENT.mac, "psrc": "10.0.0.5", "pdst": ENDPOINT} | fields
    return Ether(src=CLIENT.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(**asked)


def arp_reply(address: str, mac: str) -> Packet:
    """The answer the client gets."""
    reply = ARP(op=2, hwsrc=mac, psrc=address, hwdst=CLIENT.mac, pdst="10.0.0.5")
    return Ether(src=mac, dst=CLIENT.mac) / reply


def ping(**fields: Any) -> Packet:
    """An echo request."""
    return ICMP(type=8, id=1, seq=2, **fields) / Raw(b"privlink" * 7)


def shown(packet: bytes) -> str:
    """A frame in words, its checksums verified, so that a failure can be read."""
    parsed = Ether(packet)
    again = parsed.copy()
    for layer in (IP, TCP, ICMP):
        if layer in again:
            del again[layer].chksum
    assert bytes(again) == packet, "a checksum is wrong"
    return str(parsed.show(dump=True))
