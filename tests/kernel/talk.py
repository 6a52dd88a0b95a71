"""Sockets of workloads: what the tests of traffic talk and listen with.

Each is opened inside a namespace; see `lab`.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.kernel import lab

IP_MTU, IPV6_MTU = 14, 24  # linux/in.h, linux/in6.h
ETH_P_ALL = 3
_ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}  # RFC 792, RFC 4443

_pings = itertools.count(1)


def family_of(address: str) -> socket.AddressFamily:
    """The family of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def datagrams(name: str, address: str, port: int, source_port: int = 0) -> socket.socket:
    """A UDP socket that is connected to an address."""
    return _dial(name, socket.SOCK_DGRAM, address, port, source_port)


def stream(name: str, address: str, port: int, source_port: int = 0) -> socket.socket:
    """A TCP connection; from a port that is known, if given."""
    return _dial(name, socket.SOCK_STREAM, address, port, source_port)


def _dial(
    name: str, kind: socket.SocketKind, address: str, port: int, source_port: int
) -> socket.socket:
    def dial() -> socket.socket:
        dialled = _open(family_of(address), kind)
        try:
            dialled.bind(("", source_port))
            dialled.connect((address, port))
        except OSError:
            dialled.close()
            raise
        return dialled

    return lab.system.within(lab.path(name), dial)


def _open(family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    """A socket of one family alone, whose port another test may have left a moment ago."""
    opened = socket.socket(family, kind)
    opened.settimeout(lab.PATIENCE)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return opened


def listener(name: str, port: int, family: socket.AddressFamily) -> socket.socket:
    """A TCP listener that accepts when the test says so."""

    def listen() -> socket.socket:
        opened = socket.create_server(("", port), family=family)
        opened.settimeout(lab.PATIENCE)
        return opened

    return lab.system.within(lab.path(name), listen)


@contextmanager
def idle(
    caller: str, address: str, port: int, server: str, listens: int
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection over which each has said something, and neither says more."""
    with (
        listener(server, listens, family_of(address)) as accepting,
        lab.connect(caller, address, port) as near,
        accepting.accept()[0] as far,
    ):
        far.settimeout(lab.PATIENCE)
        for one, other in ((near, far), (far, near)):
            one.sendall(b"x")
            assert other.recv(1) == b"x"
        yield near, far


def still(near: socket.socket, far: socket.socket) -> bool:
    """Whether a connection goes on."""
    near.sendall(b"y")
    return far.recv(1) == b"y"


def raw(name: str, family: socket.AddressFamily) -> socket.socket:
    """A socket that sends ICMP messages of one's own making; in IPv6 the kernel adds checksums."""
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6

    def open_raw() -> socket.socket:
        opened = socket.socket(family, socket.SOCK_RAW, protocol)
        opened.settimeout(lab.PATIENCE)
        return opened

    return lab.system.within(lab.path(name), open_raw)


def frames(name: str, link: str = "eth0") -> socket.socket:
    """A socket for whole frames on a link, which does not wait."""

    def listen() -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        opened.bind((link, ETH_P_ALL))
        opened.setblocking(False)
        return opened

    return lab.system.within(lab.path(name), listen)


def drain(heard: socket.socket) -> Iterator[bytes]:
    """The frames that came in since the last call; not those sent from here."""
    with suppress(BlockingIOError):
        while True:
            frame, place = heard.recvfrom(1 << 17)
            if place[2] != socket.PACKET_OUTGOING:  # type: ignore[attr-defined]
                yield frame


def ping(name: str, address: str, size: int = 56) -> None:
    """An echo of so many bytes; fails if the same do not come back."""
    family, number = family_of(address), next(_pings)
    request, reply = _ECHO[family]
    rest = struct.pack("!HH", os.getpid() & 0xFFFF, number) + os.urandom(size)
    with raw(name, family) as pinger:
        pinger.sendto(icmp(request, 0, rest), (address, 0))
        while True:
            answer = pinger.recv(65536)
            message = answer[20:] if family == socket.AF_INET else answer
            if message[0] == reply:
                assert message[4:] == rest
                return


def icmp(kind: int, code: int, rest: bytes) -> bytes:
    """An ICMP message with its checksum, `rest` being what follows that."""
    head = struct.pack("!BBH", kind, code, 0)
    padded = head + rest + bytes(len(rest) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBH", kind, code, ~total & 0xFFFF) + rest


@contextmanager
def echoing_datagrams(
    name: str, port: int, family: socket.AddressFamily = socket.AF_INET
) -> Iterator[list[str]]:
    """A UDP server that sends back what it gets; yields the callers' addresses."""

    def open_bound() -> socket.socket:
        bound = _open(family, socket.SOCK_DGRAM)
        bound.settimeout(None)
        bound.bind(("", port))
        return bound

    callers: list[str] = []

    def answer() -> None:
        with suppress(OSError):  # shut down
            while True:
                data, caller = bound.recvfrom(65536)
                if not caller:
                    return
                callers.append(caller[0])
                bound.sendto(data, caller)

    with lab.system.within(lab.path(name), open_bound) as bound:
        answerer = threading.Thread(target=answer, name="datagrams")
        answerer.start()
        try:
            yield callers
        finally:
            with suppress(OSError):  # not connected, it says, but wakes up all the same
                bound.shutdown(socket.SHUT_RDWR)
            answerer.join()
