"""The reference model of ARP and neighbour discovery: who has this address?"""

from __future__ import annotations

from collections.abc import Mapping

from privlink.node.program.maps import Reason
from tests.kernel.desired import Address
from tests.kernel.headers import ICMPV6, Outcome, Packet, Port, Refused, is_mapped, made_ip

Addresses = Mapping[tuple[int, bytes], Address]


def handle_arp(port: Port, frame: bytes, addresses: Addresses) -> Outcome:
    """RFC 826."""
    if len(frame) < 42:
        raise Refused(Reason.TRUNCATED)
    if frame[14:21] != b"\0\1\x08\0\6\4\0" or frame[21] not in (1, 2):
        raise Refused(Reason.MALFORMED)
    if frame[22:32] != port.mac + port.addresses[4]:
        raise Refused(Reason.SPOOFED_SOURCE)
    target = frame[38:42]
    address = addresses.get((port.network, target))
    if frame[21] == 1 and address:
        answer = port.mac + address.mac + frame[12:20] + b"\0\2" + address.mac + target
        answer += port.mac + port.addresses[4] + frame[42:]
        return Outcome("redirect", None, answer, port.ifindex)
    if not port.near(target):
        raise Refused(Reason.NEIGHBOUR_OUTSIDE)
    return Outcome("pass", None, frame)


def handle_discovery(packet: Packet, addresses: Addresses) -> Outcome:
    """RFC 4861."""
    port, body, frame = packet.port, packet.body, packet.frame
    own = port.addresses[6], port.local
    if body[0] not in (135, 136):
        raise Refused(Reason.ADVERTISEMENT)
    asks, target, option = body[0] == 135, body[8:24], body[24:]
    if frame[21] != 255 or len(body) < 24 or body[1] or target[0] == 0xFF or is_mapped(target):
        raise Refused(Reason.MALFORMED)
    if option and (len(option) != 8 or option[:2] != (b"\1\1" if asks else b"\2\1")):
        raise Refused(Reason.MALFORMED)
    if option and option[2:] != port.mac:
        raise Refused(Reason.SPOOFED_SOURCE)
    if not asks and body[4] & 0x80:
        raise Refused(Reason.ADVERTISEMENT)
    if not asks and target not in own:
        raise Refused(Reason.SPOOFED_SOURCE)
    if asks and packet.key.source == bytes(16) and target in own:
        raise Refused(Reason.MULTICAST)
    if packet.key.source not in own:
        raise Refused(Reason.SPOOFED_SOURCE)
    address = addresses.get((port.network, target))
    if asks and address:
        flags = b"\xe0\0\0\0" if address.router else b"\x60\0\0\0"
        said = b"\x88\0\0\0" + flags + target + b"\2\1" + address.mac
        answer = made_ip(target, packet.key.source, ICMPV6, said)
        macs = port.mac + address.mac
        return Outcome("redirect", None, macs + b"\x86\xdd" + answer, port.ifindex)
    to = packet.key.destination
    if not (port.near(target) if asks else to[0] in (0xFE, 0xFF) or port.near(to)):
        raise Refused(Reason.NEIGHBOUR_OUTSIDE)
    return Outcome("pass", None, frame)
