"""Frames no honest workload would send, by who sends them; the workloads are those of `tenants`."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, TCPerror, UDPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    IPerror6,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from privlink.model.items import Attachment
from privlink.node.program.maps import GATEWAY_MAC
from tests.kernel import tenants

EVERYBODY = "ff:ff:ff:ff:ff:ff"
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"


def ip(
    sender: Attachment,
    dst: str,
    layer: Packet,
    *,
    mac: str = GATEWAY_MAC,
    hwsrc: str = "",
    src: str = "",
    **fields: Any,
) -> Packet:
    """A frame with an IP packet of either family, honest in all that is not given."""
    frame = Ether(src=hwsrc or sender.mac, dst=mac)
    if ":" in dst:
        return frame / IPv6(src=src or sender.address6, dst=dst, **fields) / layer
    return frame / IP(src=src or sender.address, dst=dst, **fields) / layer


def syn(dport: int = tenants.WEB, sport: int = 40001) -> TCP:
    """A segment that opens a connection."""
    return TCP(sport=sport, dport=dport, flags="S")


def datagram(dport: int = tenants.DNS, sport: int = 40001, size: int = 8) -> Packet:
    """A UDP datagram."""
    return UDP(sport=sport, dport=dport) / Raw(bytes(size))


def pieces(sender: Attachment, dst: str, *spans: tuple[int, int, bool]) -> tuple[Packet, ...]:
    """Pieces of one UDP datagram of 4,000 bytes: where each begins, its length, and "more"."""
    number = next(_identifications)
    whole = bytes(UDP(sport=40001, dport=tenants.DNS, len=4008, chksum=0) / Raw(bytes(4000)))
    return tuple(
        piece(sender, dst, Raw(whole[at : at + size]), at, more, number) for at, size, more in spans
    )


def piece(
    sender: Attachment,
    dst: str,
    layer: Packet,
    at: int,
    more: bool,
    number: int,
    protocol: int = 17,
) -> Packet:
    """A piece of some datagram."""
    if ":" in dst:
        header = IPv6ExtHdrFragment(nh=protocol, offset=at // 8, m=int(more), id=number)
        return ip(sender, dst, header / layer, nh=44)
    return ip(
        sender, dst, layer, proto=protocol, id=number, frag=at // 8, flags="MF" if more else 0
    )


def _numbers() -> Any:
    number = 0
    while True:
        number += 1
        yield number


_identifications = _numbers()


def arp(sender: Attachment, **fields: Any) -> Packet:
    """An ARP packet to everybody, honest in all that is not given: who has the gateway?"""
    said = {"hwsrc": sender.mac, "psrc": sender.address, "pdst": "10.0.0.6"} | fields
    return Ether(src=sender.mac, dst=EVERYBODY) / ARP(**said)


def solicitation(sender: Attachment, target: str, *, src: str = "", mac: str = "") -> Packet:
    """Who has this IPv6 address?"""
    asked = ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac or sender.mac)
    return ip(sender, ALL_NODES, asked, mac=ALL_NODES_MAC, src=src, hlim=255)


def advertisement(
    sender: Attachment, target: str, *, src: str = "", mac: str = "", router: int = 0
) -> Packet:
    """I have this IPv6 address."""
    said = ICMPv6ND_NA(tgt=target, R=router, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac or sender.mac)
    return ip(sender, ALL_NODES, said, mac=ALL_NODES_MAC, src=src, hlim=255)


def unreachable(
    sender: Attachment,
    dst: str,
    quoted: tuple[str, int, str, int],
    *,
    protocol: int = 6,
    too_big: bool = False,
    **fields: Any,
) -> Packet:
    """An ICMP error about a packet: its source and destination, each with a port."""
    source, source_port, destination, destination_port = quoted
    if protocol == 6:
        transport = TCPerror(sport=source_port, dport=destination_port, seq=1)
    else:
        transport = UDPerror(sport=source_port, dport=destination_port, len=16)
    if ":" in dst:
        about = IPerror6(src=source, dst=destination, nh=protocol, plen=20) / transport
        error = ICMPv6PacketTooBig(mtu=1280) if too_big else ICMPv6DestUnreach(code=4)
    else:
        about = IPerror(src=source, dst=destination, proto=protocol, len=40) / transport
        error = ICMP(type=3, code=4, nexthopmtu=600) if too_big else ICMP(type=3, code=3)
    return ip(sender, dst, error / about, **fields)
