"""Random traffic for program and model: conversations as they go, and what bends their rules.

Made by a seed and nothing else. Knows the model only as the list of what is under way, so that most
packets mean something; a part of them is then bent in one place, cut or lengthened.
"""

from __future__ import annotations

import struct
from collections import deque
from random import Random
from typing import NamedTuple

from tests.kernel.checksums import checksum, pseudo_header
from tests.kernel.headers import (
    ACK,
    FIN,
    GATEWAY,
    ICMP,
    ICMPV6,
    RST,
    SYN,
    TCP,
    UDP,
    Key,
    Port,
    packed,
    text,
)
from tests.kernel.model import Model

BOUNDARIES = (0, 1, 2, 4, 5, 6, 7, 8, 0x0F, 0x10, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0xFE, 0xFF)
CHECK_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}
ADDRESSES = (
    "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.9", "10.0.0.100", "10.0.0.101", "10.0.0.253",
    "10.0.0.255", "10.0.1.1", "10.0.1.5", "10.0.0.102", "10.0.0.103", "172.16.0.9", "172.17.0.9",
    "192.0.2.9", "198.51.100.5", "198.51.100.80", "198.51.100.9",
    "100.64.0.1", "100.64.0.2", "255.255.255.255", "224.0.0.1",
    "0.0.0.0", "100.100.2.136", "10.0.0.11", "10.0.0.31",
)  # fmt: skip
ADDRESSES6 = (
    "fd00:10::5", "fd00:10::6", "fd00:10::7", "fd00:10::9", "fd00:10::64", "fd00:10::65",
    "fd00:10::fffd", "fd70:7269:766c::6440:1", "fd70:7269:766c::6440:2", "fe80::ff:fe00:105",
    "fd00:11::5", "fd00:10::66", "fd00:10::67", "fd00:99::9", "fd00:98::9", "2001:db8:5::5",
    "2001:db8:5::50", "2001:db8:5::9", "fe80::1", "ff02::1",
    "ff02::1:ff00:64", "::", "::ffff:10.0.0.100", "2001:db8::1",
)  # fmt: skip
ENDPOINTS = {
    4: ("10.0.0.100", "10.0.0.101", "10.0.0.102", "198.51.100.5", "198.51.100.80", "100.100.2.136"),
    6: ("fd00:10::64", "fd00:10::65", "fd00:10::66", "2001:db8:5::5", "2001:db8:5::50"),
}
BEHIND = {
    4: ("172.16.0.9", "172.17.0.9", "192.0.2.9", "10.0.1.5", "100.100.2.136"),
    6: ("fd00:99::9", "fd00:98::9", "2001:db8::9"),
}  # who passes on what is of these, or would like to
PORTS = (80, 80, 80, 80, 80, 443, 7999, 8000, 8500, 8999, 9000, 53, 53, 0)
SOURCE_PORTS = (*range(40000, 40012), 1, 0, 65535)
FLAGS = (SYN, SYN, ACK, ACK, ACK, ACK, ACK | 8, SYN | ACK, FIN | ACK, FIN | ACK, RST, RST | ACK, 0)
PROTOCOLS = (TCP, UDP, ICMP, ICMPV6, 0, 4, 43, 44, 47, 50, 51, 59, 60, 132, 135, 139, 140, 255)


class Shape(NamedTuple):
    """How a packet is to be put into frames."""

    destination_mac: bytes
    hops: int = 64
    size: int = 0  # of a piece; 0: whole
    atomic: bool = False  # RFC 6946: a fragment header, and no fragment


class Traffic:
    """Frames, each with the link it comes in by."""

    def __init__(self, chance: Random, model: Model) -> None:
        self._chance, self._model = chance, model
        self._ports = list(model.ports.values())
        # Two lines, so that one datagram's pieces come between another's.
        self._lines = deque[tuple[int, bytes]](), deque[tuple[int, bytes]]()
        self._waiting = self._lines[0]
        self._keys: list[Key] = []

    def next(self) -> tuple[int, bytes]:
        """One more frame."""
        chance = self._chance
        self._waiting = chance.choice(self._lines)
        if not self._waiting or chance.random() < 0.3:
            self._make()
        if chance.random() < 0.05:  # out of order
            self._waiting.rotate(chance.randint(-2, 2))
        ifindex, frame = self._waiting.popleft()
        if chance.random() < 0.04:  # once more
            self._waiting.appendleft((ifindex, frame))
        if chance.random() < 0.2:
            frame = self._bent(frame)
        if chance.random() < 0.01:
            ifindex = chance.choice(self._ports).ifindex
        return ifindex, accepted(frame)

    def _make(self) -> None:
        makers = (
            (self._opening, 20), (self._going_on, 45), (self._error, 14), (self._ping, 6),
            (self._arp, 3), (self._discovery, 7), (self._stray, 6), (self._noise, 2),
        )  # fmt: skip
        (maker,) = self._chance.choices(*zip(*makers, strict=True))
        maker()

    # What is said

    def _opening(self) -> None:
        chance = self._chance
        port = chance.choice(self._ports)
        version = chance.choice(list(port.addresses))
        source = port.addresses[version]
        if chance.random() < 0.2:
            others = [packed(address) for address in BEHIND[version]]
            through = [each for each in others if self._model.desired.passes_on(port, each)]
            source = chance.choice(through if through and chance.random() < 0.8 else others)
        key = Key(
            port.network,
            source,
            packed(chance.choice(ENDPOINTS[version])),
            chance.choice(SOURCE_PORTS),
            chance.choice(PORTS),
            chance.choice((TCP, TCP, UDP)),
        )
        self._say(port, key, SYN)

    def _going_on(self) -> None:
        key = self._known()
        port = self._port_of(key) if key else None
        if key is None or port is None:
            self._opening()
            return
        self._say(port, key, self._chance.choice(FLAGS))

    def _port_of(self, key: Key) -> Port | None:
        """Where a flow's packets come in."""
        flow = self._model.flows.get(key)
        partner = self._model.flows.get(flow.partner(key)) if flow else None
        if partner:
            return self._model.ports[partner.ifindex]
        return self._model.where.get((key.network, key.source))

    def _known(self) -> Key | None:
        """The key of a flow that is or was there."""
        if self._chance.random() < 0.1:
            self._keys = list(self._model.flows)
        return self._chance.choice(self._keys) if self._keys else None

    def _say(self, port: Port, key: Key, flags: int) -> None:
        chance = self._chance
        ports = struct.pack("!HH", key.source_port, key.destination_port)
        data = chance.randbytes(chance.choice((0, 0, 1, 2, 5, 60, 200)))
        if key.protocol == UDP:
            body = ports + struct.pack("!HH", 8 + len(data), 0) + data
        else:
            options = chance.choice((b"", b"", b"\2\4\5\xb4", bytes(20)))
            words = (20 + len(options)) // 4 << 12 | flags
            flow = self._model.flows.get(key)
            # Mostly what the other side's FIN waits for, or a conversation never comes to its end.
            last = flow.last if flow else 0
            acknowledged = chance.choice((last, last, last - 1, last + 1)) % 2**32
            sequence = chance.choice((7, 2**32 - 1, chance.getrandbits(32)))
            head = struct.pack("!IIHHHH", sequence, acknowledged, words, 5000, 0, 0)
            body = ports + head + options + data
        self._put(port, key, body)

    def _ping(self) -> None:
        chance = self._chance
        port = chance.choice(self._ports)
        version = chance.choice(list(port.addresses))
        gateways = {4: "10.0.0.253", 6: "fd00:10::fffd"}
        to = chance.choice((*ENDPOINTS[version], *BEHIND[version], gateways[version]))
        kind = chance.choice((8, 8, 8, 0, 13) if version == 4 else (128, 128, 128, 129, 0))
        code = chance.choice((0, 0, 0, 0, 1))
        body = bytes([kind, code, 0, 0, 0, 1, 0, 2]) + chance.randbytes(chance.choice((0, 56, 300)))
        protocol = ICMP if version == 4 else ICMPV6
        self._put(
            port, Key(port.network, port.addresses[version], packed(to), 0, 0, protocol), body
        )

    def _error(self) -> None:
        """About a packet of a flow, as its reader saw it."""
        chance, key = self._chance, self._known()
        behind = [each for each in self._keys if text(each.source) in BEHIND[4] + BEHIND[6]]
        if behind and chance.random() < 0.2:
            key = chance.choice(behind)
        port = self._port_of(key) if key else None
        if key is None or port is None:
            self._opening()
            return
        four = len(key.source) == 4
        if chance.random() < 0.2:
            key = key._replace(
                **chance.choice((
                    {"source": packed(chance.choice(ADDRESSES if four else ADDRESSES6))},
                    {"destination": packed(chance.choice(ADDRESSES if four else ADDRESSES6))},
                    {"source_port": chance.choice(SOURCE_PORTS)},
                    {"destination_port": chance.choice(PORTS)},
                    {"protocol": chance.choice(PROTOCOLS)},
                ))
            )  # fmt: skip
        quoted = struct.pack("!HHI", key.destination_port, key.source_port, 9)
        quoted += chance.randbytes(chance.choice((0, 0, 12, 40)))
        quote = made(
            key.destination, key.source, key.protocol, quoted, chance.choice((0, 0, 0x2000, 9))
        )
        quote = self._flipped(quote) if chance.random() < 0.2 else quote
        kinds = (3, 3, 11, 12, 4, 5) if four else (1, 2, 3, 4, 127, 137)
        head = bytes([chance.choice(kinds), chance.randint(0, 5), 0, 0, 0, 0, 5, 0x78])
        protocol, to = ICMP if four else ICMPV6, key.destination
        if chance.random() < 0.05:
            to = packed(chance.choice(ADDRESSES if four else ADDRESSES6))
        own = port.addresses.get(4 if four else 6, key.source)
        self._put(port, Key(key.network, own, to, 0, 0, protocol), head + quote)

    def _arp(self) -> None:
        chance, port = self._chance, self._chance.choice(self._ports)
        sender, target = port.addresses[4], packed(chance.choice(ADDRESSES))
        asked = b"\0\1\x08\0\6\4\0" + bytes([chance.choice((1, 1, 1, 2, 3))]) + port.mac
        asked += sender + bytes(6) + target + bytes(chance.choice((0, 18)))
        to = chance.choice((b"\xff" * 6, GATEWAY, self._mac()))
        self._waiting.append((port.ifindex, to + port.mac + b"\x08\x06" + asked))

    def _discovery(self) -> None:
        chance, port = self._chance, self._chance.choice(self._ports)
        own = port.addresses.get(6, packed("fd00:10::8"))
        target = packed(chance.choice(ADDRESSES6)) if chance.random() < 0.7 else own
        kind = chance.choice((135, 135, 135, 136, 136, 133, 134, 137))
        flags = bytes([chance.choice((0, 0x60, 0x60, 0xE0)), 0, 0, 0])
        option = bytes([1 if kind == 135 else 2, 1]) + port.mac
        option = chance.choice((option, option, option, b"", option * 2, b"\5\1" + option[2:]))
        source = chance.choice((own, own, port.local, bytes(16)))
        to = packed(chance.choice(ADDRESSES6))
        body = bytes([kind, 0, 0, 0]) + flags + target + option
        macs = chance.choice((b"\x33\x33\xff\0\0\x64", self._mac(), GATEWAY))
        shape = Shape(macs, chance.choice((255, 255, 255, 255, 254)), atomic=chance.random() < 0.05)
        self._put(port, Key(port.network, source, to, 0, 0, ICMPV6), body, shape)

    def _stray(self) -> None:
        """To anywhere, of any protocol."""
        chance, port = self._chance, self._chance.choice(self._ports)
        version = chance.choice(list(port.addresses))
        to = packed(chance.choice(ADDRESSES if version == 4 else ADDRESSES6))
        source = port.addresses[version]
        if chance.random() < 0.2:
            source = packed(chance.choice(BEHIND[version]))
        key = Key(port.network, source, to, 5, 80, chance.choice(PROTOCOLS))
        self._put(port, key, chance.randbytes(chance.choice((0, 7, 8, 19, 20, 24, 64))))

    def _noise(self) -> None:
        chance, port = self._chance, self._chance.choice(self._ports)
        kind = chance.choice((b"\x08\0", b"\x86\xdd", b"\x08\6", chance.randbytes(2)))
        noise = chance.randbytes(chance.randint(0, 100))
        self._waiting.append((port.ifindex, self._mac() + port.mac + kind + noise))

    # How it is put

    def _put(self, port: Port, key: Key, body: bytes, shape: Shape | None = None) -> None:
        chance = self._chance
        if shape is None:
            size = chance.choice((8, 24, 32, 40, 64, 64)) if chance.random() < 0.12 else 0
            shape = Shape(self._mac(), chance.choice((1, 64, 255)), size, chance.random() < 0.03)
        at = CHECK_AT.get(key.protocol)
        none = key.protocol == UDP and chance.random() < 0.1
        if at is not None and len(body) >= at + 2 and not none:
            pseudo = pseudo_header(key.source, key.destination, key.protocol, len(body))
            check = checksum(
                (b"" if key.protocol == ICMP else pseudo) + body[:at] + b"\0\0" + body[at + 2 :]
            )
            check = check or 0xFFFF if key.protocol == UDP else check
            if chance.random() < 0.03:
                check = chance.choice((0, 0xFFFF, chance.getrandbits(16)))
            body = body[:at] + check.to_bytes(2) + body[at + 2 :]
        head = (
            shape.destination_mac + port.mac + (b"\x08\0" if len(key.source) == 4 else b"\x86\xdd")
        )
        for packet in pieces(key, body, shape, self._identification()):
            self._waiting.append((port.ifindex, head + packet))

    def _mac(self) -> bytes:
        chance = self._chance
        others = [port.mac for port in self._ports]
        return chance.choice((GATEWAY, b"\2\0\0\0\1\x64", b"\2\0\0\0\1\x65", *others))

    def _identification(self) -> int:
        chance = self._chance
        # Some meet, some share a place.
        if chance.random() < 0.2:
            return chance.choice((1, 2, 65, 66, 0xFFFF, 0x10001))
        return chance.getrandbits(32)

    def _bent(self, frame: bytes) -> bytes:
        chance = self._chance
        kind = chance.random()
        if kind < 0.15:
            return frame[: chance.randint(14, len(frame))]
        if kind < 0.25:
            return frame + bytes(chance.randint(1, 20))
        return self._flipped(frame)

    def _flipped(self, data: bytes) -> bytes:
        """One byte another, mostly one of the headers."""
        chance = self._chance
        at = chance.randrange(min(len(data), chance.choice((16, 40, 80, 2000))))
        other = chance.choice((*BOUNDARIES, data[at] ^ 1 << chance.randrange(8)))
        return data[:at] + bytes([other]) + data[at + 1 :]


def made(
    source: bytes, destination: bytes, protocol: int, body: bytes, fragment: int = 0,
    identification: int = 1, hops: int = 64,
) -> bytes:  # fmt: skip
    """An IP packet."""
    if len(source) == 16:
        head = struct.pack("!IHBB", 6 << 28, len(body), protocol, hops)
        return head + source + destination + body
    total = 20 + len(body)
    head = struct.pack(
        "!BBHHHBB", 0x45, 0, total, identification & 0xFFFF, fragment, hops, protocol
    )
    check = checksum(head + source + destination).to_bytes(2)
    return head + check + source + destination + body


def pieces(key: Key, body: bytes, shape: Shape, identification: int) -> list[bytes]:
    """The IP packets that a transport's message makes."""
    size = shape.size or len(body) or 1
    packets = []
    for start in range(0, len(body) or 1, size):
        piece, more = body[start : start + size], start + size < len(body)
        if len(key.source) == 4:
            fragment = start // 8 | more << 13
            packet = made(*key[1:3], key.protocol, piece, fragment, identification, shape.hops)
        elif shape.size or shape.atomic:
            head = struct.pack("!BBHI", key.protocol, 0, start | more, identification)
            packet = made(*key[1:3], 44, head + piece, hops=shape.hops)
        else:
            packet = made(*key[1:3], key.protocol, piece, hops=shape.hops)
        packets.append(packet)
    return packets


def accepted(frame: bytes) -> bytes:
    """A frame that the program-test call takes: it wants whole IP headers behind their type."""
    least = {b"\x08\0": 34, b"\x86\xdd": 54}.get(frame[12:14], 15)
    return frame if len(frame) >= least else frame + bytes(least - len(frame))
