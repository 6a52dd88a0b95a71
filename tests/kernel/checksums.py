"""Internet checksums (RFC 1071) of whole frames, without the code they are to judge."""

from __future__ import annotations

from typing import NamedTuple

_CHECK_AT = {6: 16, 17: 6, 1: 2, 58: 2}  # by protocol: TCP, UDP, ICMP, ICMPv6
_ERRORS = {1: (3, 11, 12), 58: tuple(range(1, 128))}


class Transport(NamedTuple):
    """What stands behind the IP header, and behind that of a fragment."""

    protocol: int
    pseudo: bytes
    start: int  # in the frame
    body: bytes
    whole: bool


def total(data: bytes) -> int:
    """The ones' complement sum of big-endian words: 0 only of zeros, else 1 to 0xffff."""
    number = int.from_bytes(data + b"\0" * (len(data) % 2))
    return number and (number % 0xFFFF or 0xFFFF)


def checksum(data: bytes) -> int:
    """The checksum that belongs into data that has zeros in its place."""
    return 0xFFFF - total(data)


def adjusted(check: int, before: bytes, after: bytes) -> int:
    """A checksum once some of what it is of was replaced (RFC 1624), right or wrong as it was."""
    total_after = (0xFFFF - check + int.from_bytes(after) - int.from_bytes(before)) % 0xFFFF
    return 0xFFFF - (total_after or 0xFFFF)


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """What a transport's checksum is of beside itself: RFC 9293 section 3.1, RFC 8200, 8.1."""
    return source + destination + length.to_bytes(4) + protocol.to_bytes(4)


def transport(frame: bytes) -> Transport | None:
    """The transport of an IP frame; None where there is no IP."""
    kind = int.from_bytes(frame[12:14])
    if kind == 0x0800:
        protocol, start, end = frame[23], 34, 14 + int.from_bytes(frame[16:18])
        addresses, whole = (frame[26:30], frame[30:34]), not int.from_bytes(frame[20:22]) & 0x3FFF
    elif kind == 0x86DD:
        protocol, start, end = frame[20], 54, 54 + int.from_bytes(frame[18:20])
        addresses, whole = (frame[22:38], frame[38:54]), True
        if protocol == 44:
            protocol, start, whole = frame[54], 62, not int.from_bytes(frame[56:58]) & 0xFFF9
    else:
        return None
    body = frame[start:end]
    pseudo = b"" if protocol == 1 else pseudo_header(*addresses, protocol, len(body))
    return Transport(protocol, pseudo, start, body, whole)


def wrong(frame: bytes) -> list[str]:
    """Which of a frame's checksums are wrong; a piece shows too little to know its transport's."""
    found = []
    part = transport(frame)
    if part is None:
        return found
    if frame[14] >> 4 == 4 and total(frame[14:34]) != 0xFFFF:
        found.append("IPv4")
    at = _CHECK_AT.get(part.protocol)
    if part.whole and at is not None:
        none = part.protocol == 17 and frame[14] >> 4 == 4 and part.body[6:8] == b"\0\0"
        if not none and total(part.pseudo + part.body) != 0xFFFF:
            found.append(f"protocol {part.protocol}")
        if part.protocol == 17 and frame[14] >> 4 == 6 and part.body[6:8] == b"\0\0":
            found.append("UDP without one in IPv6")  # RFC 8200 section 8.1
    if part.protocol == 1 and part.body[:1] and part.body[0] in _ERRORS[1] and part.whole:
        quote = part.body[8:28]
        if len(quote) == 20 and quote[0] == 0x45 and total(quote) != 0xFFFF:
            found.append("quoted IPv4")
    return found
