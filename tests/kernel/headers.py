"""Packets in plain Python: what their headers say, and what becomes of them on the way.

Knows no state: the reference model decides, here is how it looks in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from privlink.model.items import Attachment
from privlink.model.naming import asker_address
from privlink.node.program.maps import GATEWAY_MAC, Reason, mac_bytes
from tests.kernel.checksums import adjusted, checksum, pseudo_header

ICMP, TCP, UDP, FRAGMENT, ICMPV6 = 1, 6, 17, 44, 58
FIN, SYN, RST, ACK = 1, 2, 4, 16
GATEWAY = mac_bytes(GATEWAY_MAC)
_CHECK_AT = {TCP: 16, UDP: 6}


class Refused(Exception):
    """A packet goes no further."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


class Outcome(NamedTuple):
    """What becomes of a packet."""

    verdict: str
    reason: Reason | None
    packet: bytes
    egress: int = 0


class Key(NamedTuple):
    """What the packets of one direction of a conversation look like where they come in."""

    network: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    protocol: int


class Port:
    """A workload at its link."""

    def __init__(self, item: Attachment, ifindex: int) -> None:
        self.ifindex, self.network, self.filters = ifindex, item.network, item.filters
        self.mac = mac = mac_bytes(item.mac)
        self.table = item.table
        self.asker = packed(asker_address(item.segment)) if item.segment else b""
        self.gateways = {4: item.gateway, 6: item.gateway6}
        self.addresses, self.blocks = {4: packed(item.address)}, {4: item.cidr}
        if item.address6:
            self.addresses[6], self.blocks[6] = packed(item.address6), item.cidr6
        middle = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
        self.local = b"\xfe\x80" + bytes(6) + middle  # RFC 4291 appendix A
        self.broadcast = ip_network(item.cidr).broadcast_address.packed

    def near(self, address: bytes) -> bool:
        """Whether a neighbour may have an address."""
        block = self.blocks.get(4 if len(address) == 4 else 6)
        return block is not None and inside(address, block)


@dataclass(slots=True)
class Packet:
    """An IP packet's headers."""

    frame: bytes
    port: Port
    version: int
    start: int  # of the transport
    body: bytes  # from there to the end
    key: Key
    offset: int = 0
    more: bool = False
    identification: int = 0
    flags: int = 0

    @property
    def whole(self) -> bool:
        return not (self.offset or self.more)


class Way(NamedTuple):
    """What a packet's addresses, ports and MACs become, and what its pieces are identified by."""

    macs: bytes
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    identification: bytes = b""


@lru_cache(maxsize=4096)
def packed(address: str) -> bytes:
    """An address as it stands in a packet."""
    return ip_address(address).packed


@lru_cache(maxsize=4096)
def text(address: bytes) -> str:
    """The same in words."""
    return str(ip_address(address))


@lru_cache(maxsize=4096)
def _block(block: str) -> tuple[int, int, int]:
    network = ip_network(block)
    shift = network.max_prefixlen - network.prefixlen
    return len(network.network_address.packed), int(network.network_address) >> shift, shift


def inside(address: bytes, block: str) -> bool:
    """Whether an address is in a block of its family."""
    size, start, shift = _block(block)
    return len(address) == size and int.from_bytes(address) >> shift == start


def is_mapped(address: bytes) -> bool:
    """RFC 4291 section 2.5.5.2."""
    return address[:12] == bytes(10) + b"\xff\xff"


def read_ipv4(port: Port, frame: bytes) -> Packet:
    """RFC 791."""
    if len(frame) < 34:
        raise Refused(Reason.TRUNCATED)
    total = int.from_bytes(frame[16:18])
    version, words = divmod(frame[14], 16)
    if version != 4 or words < 5 or total < 20:
        raise Refused(Reason.MALFORMED)
    if words > 5:
        raise Refused(Reason.IP_OPTIONS)
    if 14 + total > len(frame):
        raise Refused(Reason.TRUNCATED)
    fragment = int.from_bytes(frame[20:22])
    key = Key(port.network, frame[26:30], frame[30:34], 0, 0, frame[23])
    packet = Packet(frame, port, 4, 34, frame[34 : 14 + total], key)
    packet.identification = int.from_bytes(frame[18:20])
    packet.offset, packet.more = fragment % 0x2000 * 8, bool(fragment & 0x2000)
    return _fitting(packet, 65535 - 20)


def read_ipv6(port: Port, frame: bytes) -> Packet:
    """RFC 8200."""
    if len(frame) < 54:
        raise Refused(Reason.TRUNCATED)
    if frame[14] >> 4 != 6 or is_mapped(frame[38:54]):
        raise Refused(Reason.MALFORMED)
    end = 54 + int.from_bytes(frame[18:20])
    if end > len(frame):
        raise Refused(Reason.TRUNCATED)
    key = Key(port.network, frame[22:38], frame[38:54], 0, 0, frame[20])
    if key.protocol != FRAGMENT:
        return Packet(frame, port, 6, 54, frame[54:end], key)
    if len(frame) < 62:
        raise Refused(Reason.TRUNCATED)
    if end < 62:
        raise Refused(Reason.MALFORMED)
    key, offset = key._replace(protocol=frame[54]), int.from_bytes(frame[56:58])
    packet = Packet(frame, port, 6, 62, frame[62:end], key)
    packet.offset, packet.more = offset // 8 * 8, bool(offset & 1)
    packet.identification = int.from_bytes(frame[58:62])
    return _fitting(packet, 65535)


def _fitting(packet: Packet, longest: int) -> Packet:
    size = len(packet.body)
    if not packet.whole and ((packet.more and size % 8) or packet.offset + size > longest):
        raise Refused(Reason.FRAGMENT)
    return packet


def translated(packet: Packet, way: Way) -> bytes:
    """The packet as it goes on."""
    body = packet.body
    if not packet.offset:
        ports = way.source_port.to_bytes(2) + way.destination_port.to_bytes(2)
        before = packet.key.source + packet.key.destination + body[:4]
        at = _CHECK_AT[packet.key.protocol]
        check = int.from_bytes(body[at : at + 2])
        if packet.key.protocol != UDP:
            check = adjusted(check, before, way.source + way.destination + ports)
        elif check:  # RFC 768: 0 is none
            check = adjusted(check, before, way.source + way.destination + ports) or 0xFFFF
        body = ports + body[4:at] + check.to_bytes(2) + body[at + 2 :]
    return _reheaded(packet, way) + body + packet.frame[packet.start + len(body) :]


def translated_error(packet: Packet, way: Way) -> bytes:
    """An ICMP error as it goes on: what it quotes is as its reader sent it."""
    body, four = packet.body, packet.version == 4
    size = 4 if four else 16
    at = 8 + (12 if four else 8)  # where the quoted addresses are
    before = body[at : at + 2 * size + 4]
    ports = way.destination_port.to_bytes(2) + way.source_port.to_bytes(2)
    after = way.destination + way.source + ports
    check = int.from_bytes(body[2:4])
    if four:
        quoted = adjusted(int.from_bytes(body[18:20]), before[:8], after[:8]).to_bytes(2)
        # The quoted header's own checksum takes up what its addresses do.
        check = adjusted(check, before[8:], after[8:]) if before[8:] != ports else check
        body = body[:18] + quoted + after + body[32:]
    else:
        outer = packet.key.source + packet.key.destination, way.source + way.destination
        check = adjusted(check, before + outer[0], after + outer[1])
        body = body[:at] + after + body[at + 36 :]
    body = body[:2] + check.to_bytes(2) + body[4:]
    return _reheaded(packet, way) + body + packet.frame[packet.start + len(body) :]


def spoken_for(packet: Packet, client: bytes) -> Packet:
    """An error of who passes on, in its client's name."""
    frame, before = packet.frame, packet.key.source
    if packet.version == 4:
        check = adjusted(int.from_bytes(frame[24:26]), before, client).to_bytes(2)
        frame = frame[:24] + check + client + frame[30:]
        body = packet.body
    else:
        check = adjusted(int.from_bytes(packet.body[2:4]), before, client).to_bytes(2)
        body = packet.body[:2] + check + packet.body[4:]
        tail = frame[packet.start + len(body) :]
        frame = frame[:22] + client + frame[38 : packet.start] + body + tail
    return replace(packet, frame=frame, body=body, key=packet.key._replace(source=client))


def _reheaded(packet: Packet, way: Way) -> bytes:
    head, identified = packet.frame, way.identification
    if packet.version == 6:
        fragment = head[54 : packet.start]
        fragment = fragment[:4] + identified if identified else fragment
        return way.macs + head[12:22] + way.source + way.destination + fragment
    middle = head[12:18] + (identified or head[18:20]) + head[20:24]
    before = head[26:34] + head[18:20]
    after = way.source + way.destination + middle[6:8]
    check = adjusted(int.from_bytes(head[24:26]), before, after)
    return way.macs + middle + check.to_bytes(2) + way.source + way.destination


def older(packet: Packet, macs: bytes) -> bytes:
    """The packet as a router hands it on; its last hop is not this one."""
    frame, at = packet.frame, 22 if packet.version == 4 else 21
    if frame[at] <= 1:
        raise Refused(Reason.HOP_LIMIT)
    hops = bytes([frame[at] - 1])
    if packet.version == 6:
        return macs + frame[12:at] + hops + frame[at + 1 :]
    check = adjusted(int.from_bytes(frame[24:26]), frame[22:24], hops + frame[23:24])
    return macs + frame[12:22] + hops + frame[23:24] + check.to_bytes(2) + frame[26:]


def exceeded(packet: Packet) -> bytes:
    """What a gateway says of a packet that got too old; nothing where it says nothing."""
    frame, key, four = packet.frame, packet.key, packet.version == 4
    gateway = packet.port.gateways[packet.version]
    icmp = ICMP if four else ICMPV6
    size = {TCP: 20, UDP: 8, icmp: 8}.get(key.protocol, 0)
    is_error = key.protocol == icmp and (
        packet.body[0] in (3, 11, 12) if four else 0 < packet.body[0] < 128
    )
    if packet.offset or is_error or not size or not gateway:
        return b""
    said = (b"\x0b\0" if four else b"\3\0") + bytes(6) + frame[14 : packet.start + size]
    macs = frame[6:12] + frame[:6]
    return macs + frame[12:14] + made_ip(packed(gateway), key.source, icmp, said)


def swapped(packet: Packet, frame: bytes) -> bytes:
    """A frame sent back where it came from."""
    at, size = (26, 4) if packet.version == 4 else (22, 16)
    macs = frame[6:12] + frame[:6]
    addresses = frame[at + size : at + 2 * size] + frame[at : at + size]
    return macs + frame[12:at] + addresses + frame[at + 2 * size :]


def echoed(packet: Packet) -> bytes:
    """The answer to an echo request, or to its first piece."""
    four, at, frame = packet.version == 4, packet.start, packet.frame
    before, after = (b"\x08\0", b"\0\0") if four else (b"\x80\0", b"\x81\0")
    check = adjusted(int.from_bytes(packet.body[2:4]), before, after)
    return swapped(packet, frame[:at] + after + check.to_bytes(2) + frame[at + 4 :])


def made_ip(source: bytes, destination: bytes, protocol: int, body: bytes) -> bytes:
    """An IP packet made here; of ICMPv6 and TCP with the transport's checksum put in."""
    check_at = {ICMP: 2, ICMPV6: 2, TCP: 16}[protocol]
    pseudo = b"" if protocol == ICMP else pseudo_header(source, destination, protocol, len(body))
    check = checksum(pseudo + body).to_bytes(2)
    body = body[:check_at] + check + body[check_at + 2 :]
    if len(source) == 16:
        head = b"\x60\0\0\0" + len(body).to_bytes(2) + bytes([protocol, 255])
        return head + source + destination + body
    head = b"\x45\0" + (20 + len(body)).to_bytes(2) + b"\0\0\x40\0" + bytes([64, protocol])
    check = checksum(head + source + destination).to_bytes(2)
    return head + check + source + destination + body


def refusal(packet: Packet) -> bytes:
    """What tells the sender that its packet goes no further; nothing where nothing does."""
    body, key, frame = packet.body, packet.key, packet.frame
    if not packet.whole or packet.start not in (34, 54) or key.protocol not in (TCP, UDP):
        return b""
    if key.protocol == UDP:
        protocol, said = (ICMP, b"\3\3") if packet.version == 4 else (ICMPV6, b"\1\4")
        said += bytes(6) + frame[14 : packet.start + 8]
    elif packet.flags & RST:
        return b""
    else:  # RFC 9293 section 3.10.7.1
        protocol, said = TCP, body[2:4] + body[:2]
        if packet.flags & ACK:
            said += body[8:12] + bytes(4) + b"\x50\x04"
        else:
            length = len(body) - (body[12] >> 4) * 4
            length += bool(packet.flags & SYN) + bool(packet.flags & FIN)
            taken = (int.from_bytes(body[4:8]) + length) % 2**32
            said += bytes(4) + taken.to_bytes(4) + b"\x50\x14"
        said += bytes(6)
    macs = frame[6:12] + frame[:6]
    return macs + frame[12:14] + made_ip(key.destination, key.source, protocol, said)
