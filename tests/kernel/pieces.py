"""Datagrams in pieces: cut, and put together again as a reader would."""

from __future__ import annotations

from random import Random

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from tests.kernel import checksums
from tests.kernel.frames import V4, V6

DATA = Random(3).randbytes(3000)
ID = 0x00051234


def piece(whole: Packet, start: int, size: int, *, more: bool, number: int = ID) -> Packet:
    """A part of a packet's transport, from `start` on, as a fragment."""
    net = V6 if IPv6 in whole else V4
    header = whole[IPv6 if net is V6 else IP]
    body = Raw(bytes(header.payload)[start : start + size])
    macs = Ether(src=whole.src, dst=whole.dst)
    if net is V4:
        fields = {"src": header.src, "dst": header.dst, "proto": header.proto}
        return macs / IP(**fields, id=number & 0xFFFF, frag=start // 8, flags=more) / body
    fragment = IPv6ExtHdrFragment(nh=header.nh, id=number, offset=start // 8, m=more)
    return macs / IPv6(src=header.src, dst=header.dst) / fragment / body


def cut(whole: Packet, *sizes: int, number: int = ID) -> list[Packet]:
    """A packet in pieces of those sizes, and one more for the rest."""
    length = len(whole[IPv6 if IPv6 in whole else IP].payload)
    starts = [sum(sizes[:at]) for at in range(len(sizes) + 1)]
    ends = [*starts[1:], length]
    return [
        piece(whole, start, end - start, more=end < length, number=number)
        for start, end in zip(starts, ends, strict=True)
    ]


def identification(frame: bytes) -> int:
    """What a piece says it belongs to."""
    four = frame[12:14] == b"\x08\0"
    return int.from_bytes(frame[18:20] if four else frame[58:62])


def joined(frames: list[bytes]) -> bytes:
    """The whole that pieces make, put together as a reader would; its checksums are right."""
    assert len({identification(frame) for frame in frames}) == 1
    bodies, at = b"", 0
    for frame in frames:
        part = checksums.transport(frame)
        assert part
        four = part.start == 34
        offset = int.from_bytes(frame[20:22]) % 0x2000 * 8 if four else (
            int.from_bytes(frame[56:58]) & 0xFFF8)  # fmt: skip
        assert offset == at
        if four:
            assert checksums.total(frame[14:34]) == 0xFFFF
        bodies += part.body
        at += len(part.body)
    first = frames[0]
    if first[12:14] == b"\x08\0":
        head = first[14:16] + (20 + len(bodies)).to_bytes(2) + bytes(4) + first[22:24]
        check = checksums.checksum(head + bytes(2) + first[26:34]).to_bytes(2)
        whole = first[:14] + head + check + first[26:34] + bodies
    else:
        head = first[14:18] + len(bodies).to_bytes(2) + first[54:55] + first[21:54]
        whole = first[:14] + head + bodies
    assert not checksums.wrong(whole)
    return whole


def payload(frame: bytes | Packet) -> bytes:
    """MACs, addresses and everything behind the IP header."""
    frame = bytes(frame)
    part = checksums.transport(frame)
    assert part
    addresses = frame[26:34] if frame[12:14] == b"\x08\0" else frame[22:54]
    return frame[:12] + addresses + part.body
