"""The world that packets through the program live in, and the packets.

    client 10.0.0.5 ── VPC 1, 10.0.0.0/24 ── endpoint 10.0.0.100
    fd00:10::5           fd00:10::/64        fd00:10::64
                                                 │  forward 7, seen as 100.64.0.1,
                                                 │  and fd70:7269:766c::6440:1
    server 10.0.0.5 ── VPC 2, 10.0.0.0/24 ── balancer 3, TCP and UDP port 80 -> 8080,
    fd00:10::5           fd00:10::/64                    TCP ports 8000 to 8999 as they are

Both networks have the same addresses; that is the point of it. What a frame is made of is told by
its addresses: given an IPv6 address, it is an IPv6 frame.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it misses libpcap, which is not used

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
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
from privlink.node.program.maps import GATEWAY_MAC  # noqa: E402
from tests.kernel import checksums  # noqa: E402

CIDR, CIDR6 = "10.0.0.0/24", "fd00:10::/64"
CLIENT = Attachment(1, 1, 1, CIDR, "10.0.0.5", "02:00:00:00:01:05", CIDR6, "fd00:10::5")
SERVER = Attachment(2, 2, 2, CIDR, "10.0.0.5", "02:00:00:00:02:05", CIDR6, "fd00:10::5")
OTHER = Attachment(3, 1, 1, CIDR, "10.0.0.7", "02:00:00:00:01:07", CIDR6, "fd00:10::7")
CLIENT_LINK, SERVER_LINK = 1, 22  # the client's is the link every packet comes in by
ENDPOINT, ENDPOINT6, ENDPOINT_MAC = "10.0.0.100", "fd00:10::64", "02:00:00:00:01:64"
GATEWAY, GATEWAY6 = "10.0.0.253", "fd00:10::fffd"
SOURCE, SOURCE6 = "100.64.0.1", "fd70:7269:766c::6440:1"
NEIGHBOUR, NEIGHBOUR6, NEIGHBOUR_MAC = "10.0.0.6", "fd00:10::6", "02:00:00:00:01:06"
LINK_LOCAL = "fe80::ff:fe00:105"  # the client's, of its MAC


class Net(NamedTuple):
    """One family's addresses, for what holds in both."""

    version: int
    workload: str  # client and server have the same
    other: str
    endpoint: str
    gateway: str
    source: str
    neighbour: str
    outside: str
    cidr: str
    any: str
    icmp: str


V4 = Net(4, "10.0.0.5", "10.0.0.7", ENDPOINT, GATEWAY, SOURCE, NEIGHBOUR, "192.0.2.1", CIDR,
         "0.0.0.0/0", "ICMP")  # fmt: skip
V6 = Net(6, "fd00:10::5", "fd00:10::7", ENDPOINT6, GATEWAY6, SOURCE6, NEIGHBOUR6, "2001:db8::1",
         CIDR6, "::/0", "ICMPV6")  # fmt: skip
NETS = (V4, V6)

ANY_IPV4 = Rule(1, True, "ALL", "0.0.0.0/0", 0, 65535)
ANY_IPV6 = Rule(1, True, "ALL", "::/0", 0, 65535)
SEGMENTS = (
    Segment(1, 1, CIDR, GATEWAY, CIDR6, GATEWAY6),
    Segment(2, 2, CIDR, GATEWAY, CIDR6, GATEWAY6),
)
SERVERS = Server(V4.workload, 8080, 100), Server(V6.workload, 8080, 100)
SAME_PORT = Server(V4.workload, 0, 100), Server(V6.workload, 0, 100)
LISTENERS = (
    Listener(Protocol.TCP, 80, 80, SERVERS),
    Listener(Protocol.UDP, 80, 80, SERVERS),
    Listener(Protocol.TCP, 8000, 8999, SAME_PORT),
)
BALANCER = Balancer(3, LISTENERS)
GROUP = Filter(11, (ANY_IPV4, ANY_IPV6))
OPENING = Opening(7, 2, SOURCE, 3, SOURCE6)
FORWARD = Forward(1, ENDPOINT, ENDPOINT_MAC, (11,), OPENING, address6=ENDPOINT6)
WORLD: tuple[Item, ...] = (*SEGMENTS, BALANCER, GROUP, FORWARD)

REFUSAL = {4: ICMP(type=3, code=3), 6: ICMPv6DestUnreach(code=4)}

_MACS = {
    ENDPOINT: ENDPOINT_MAC,
    ENDPOINT6: ENDPOINT_MAC,
    NEIGHBOUR: NEIGHBOUR_MAC,
    NEIGHBOUR6: NEIGHBOUR_MAC,
}


def world(**changes: Item) -> tuple[Item, ...]:
    """The world with one of its items replaced, by the name of its kind."""
    return tuple(changes.get(type(item).__name__.lower(), item) for item in WORLD)


def net_of(address: str) -> Net:
    """The family of an address."""
    return V6 if ":" in address else V4


def ip(src: str, dst: str, **fields: Any) -> Packet:
    """An IP header of the addresses' family."""
    return IPv6(src=src, dst=dst, **fields) if ":" in dst else IP(src=src, dst=dst, **fields)


def client(
    layer: Packet, dst: str = ENDPOINT, src: str = "", sender: Attachment = CLIENT, **fields: Any
) -> Packet:
    """A frame as a client sends it to an address, by default the endpoint's."""
    src = src or (sender.address6 if ":" in dst else sender.address)
    macs = Ether(src=sender.mac, dst=_MACS.get(dst, GATEWAY_MAC))
    return macs / ip(src, dst, **fields) / layer


def server(layer: Packet, dst: str = SOURCE, **fields: Any) -> Packet:
    """A frame as the server sends it back to its client, by way of its gateway."""
    macs = Ether(src=SERVER.mac, dst=GATEWAY_MAC)
    return macs / ip(net_of(dst).workload, dst, **fields) / layer


def ask(flags: str = "S", sport: int = 40000, dport: int = 80, **tcp: Any) -> TCP:
    """A segment from client to endpoint."""
    return TCP(sport=sport, dport=dport, flags=flags, **tcp)


def answer(flags: str = "SA", dport: int = 40000, **tcp: Any) -> TCP:
    """A segment from server to client."""
    return TCP(sport=8080, dport=dport, flags=flags, **tcp)


def datagram(data: bytes = b"hello", sport: int = 40000, dport: int = 80, **udp: Any) -> Packet:
    """A datagram from client to endpoint."""
    return UDP(sport=sport, dport=dport, **udp) / Raw(data)


def to_server(layer: Packet, src: str = SOURCE, **fields: Any) -> Packet:
    """The frame the server gets."""
    macs = Ether(src=GATEWAY_MAC, dst=SERVER.mac)
    return macs / ip(src, net_of(src).workload, **fields) / layer


def to_client(layer: Packet, src: str = ENDPOINT, **fields: Any) -> Packet:
    """The frame the client gets from the endpoint."""
    macs = Ether(src=_MACS.get(src, GATEWAY_MAC), dst=CLIENT.mac)
    return macs / ip(src, net_of(src).workload, **fields) / layer


def told(layer: Packet, src: str = ENDPOINT) -> Packet:
    """What the fabric itself tells the client, in an address's name."""
    made = {"hlim": 255} if ":" in src else {"id": 0, "flags": "DF", "ttl": 64}
    return to_client(layer, src, **made)


def reset(
    flags: str = "RA", sport: int = 80, seq: int = 0, ack: int = 0, src: str = ENDPOINT
) -> Packet:
    """The frame that tells the client no."""
    return told(TCP(sport=sport, dport=40000, flags=flags, seq=seq, ack=ack, window=0), src)


def unreachable(refused: Packet, src: str = ENDPOINT) -> Packet:
    """The frame that tells the client that nobody is behind the port its datagram went to."""
    whole = bytes(refused)
    if ":" in src:
        return told(ICMPv6DestUnreach(code=4) / Raw(whole[14 : 14 + 48]), src)
    return told(ICMP(type=3, code=3) / Raw(whole[14 : 14 + 28]), src)


def quote(src: str, dst: str, layer: Packet, size: int = 8, **fields: Any) -> Raw:
    """What an error quotes of a packet: its header, and so much of what is behind."""
    whole = bytes(ip(src, dst, **fields) / layer / Raw(b"data" * 20))
    return Raw(whole[: (40 if ":" in dst else 20) + size])


def received(net: Net, **fields: Any) -> Raw:
    """The quote of what the server got."""
    layer = fields.pop("layer", UDP(sport=40000, dport=8080))
    return quote(fields.pop("src", net.source), fields.pop("dst", net.workload), layer, **fields)


def arp(**fields: Any) -> Packet:
    """An ARP request as the client sends it."""
    asked = {"hwsrc": CLIENT.mac, "psrc": "10.0.0.5", "pdst": ENDPOINT} | fields
    return Ether(src=CLIENT.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(**asked)


def arp_reply(address: str, mac: str) -> Packet:
    """The answer the client gets."""
    reply = ARP(op=2, hwsrc=mac, psrc=address, hwdst=CLIENT.mac, pdst="10.0.0.5")
    return Ether(src=mac, dst=CLIENT.mac) / reply


def discovery(layer: Packet, src: str = V6.workload, dst: str = "", hlim: int = 255) -> Packet:
    """A message of neighbour discovery as the client sends it, by default to a group."""
    macs = Ether(src=CLIENT.mac, dst="33:33:ff:00:00:64")
    return macs / IPv6(src=src, dst=dst or "ff02::1:ff00:64", hlim=hlim) / layer


def solicitation(
    target: str = ENDPOINT6, mac: str | None = CLIENT.mac, src: str = V6.workload, **how: Any
) -> Packet:
    """Who has this address?"""
    asked = ICMPv6ND_NS(tgt=target)
    return discovery(asked / ICMPv6NDOptSrcLLAddr(lladdr=mac) if mac else asked, src, **how)


def advertisement(
    target: str = V6.workload, mac: str | None = CLIENT.mac, dst: str = NEIGHBOUR6, **how: Any
) -> Packet:
    """I have this address."""
    said = ICMPv6ND_NA(tgt=target, **({"R": 0, "S": 1, "O": 1} | how))
    return discovery(said / ICMPv6NDOptDstLLAddr(lladdr=mac) if mac else said, dst=dst)


def solicited(target: str, mac: str, dst: str = V6.workload, router: int = 0) -> Packet:
    """The answer the client gets."""
    said = ICMPv6ND_NA(tgt=target, R=router, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac)
    return Ether(src=mac, dst=CLIENT.mac) / IPv6(src=target, dst=dst, hlim=255) / said


def ping(net: Net = V4, data: bytes = b"privlink" * 7, **fields: Any) -> Packet:
    """An echo request."""
    kind = ICMPv6EchoRequest(id=1, seq=2, **fields) if net is V6 else None
    return (kind or ICMP(type=8, id=1, seq=2, **fields)) / Raw(data)


def pong(net: Net = V4, data: bytes = b"privlink" * 7) -> Packet:
    """The answer to it."""
    kind = ICMPv6EchoReply(id=1, seq=2) if net is V6 else ICMP(type=0, id=1, seq=2)
    return kind / Raw(data)


def shown(packet: bytes) -> str:
    """A frame in words, its checksums verified, so that a failure can be read."""
    wrong = checksums.wrong(packet)
    assert not wrong, f"wrong checksums: {wrong}"
    return str(Ether(packet).show(dump=True))
