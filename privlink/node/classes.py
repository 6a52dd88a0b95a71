"""The classes of an HTB qdisc through rtnetlink, many in one system call. Knows no connections.

A class has a number, its minor under the qdisc 1:, and a leaf of its own that holds what waits:

    request   | nlmsghdr | tcmsg | TCA_KIND | TCA_OPTIONS |     linux/rtnetlink.h, linux/pkt_sched.h

pyroute2 takes a third of a millisecond for each of these; here they are few bytes with three
numbers in them, and there may be 64,000.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Final

import msgspec

from privlink.node import system
from privlink.node.errors import KernelError

ROOT: Final = 1 << 16  # the handle of the qdisc, 1:
WITHOUT_HTB: Final = (
    "this kernel has no HTB (CONFIG_NET_SCH_HTB), which holds connections to their bandwidth: "
    "load or build sch_htb, or give the connection no bandwidth"
)

_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_TC: Final = struct.Struct("=B3xiIII")  # family, ifindex, handle, parent, info
_ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
_RATE: Final = struct.Struct("=BBHhHI")  # cell_log, link layer, overhead, cell_align, mpu, rate
_HTB: Final = struct.Struct("=12s12sIIIII")  # rate, ceil, buffer, cbuffer, quantum, level, prio
_GLOBAL: Final = struct.Struct("=IIIII")  # version, rate2quantum, defcls, debug, direct_pkts

_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_NEWQDISC, _NEWTCLASS, _DELTCLASS, _GETTCLASS = 36, 40, 41, 42
_REQUEST, _ACK, _DUMP, _REPLACE, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x300, 0x100, 0x200, 0x400
_TOP: Final = 0xFFFFFFFF  # TC_H_ROOT
_KIND, _OPTIONS = 1, 2  # TCA_*
_PARMS, _INIT, _DIRECT_QLEN, _RATE64, _CEIL64 = 1, 2, 5, 6, 7  # TCA_HTB_*
_ETHERNET: Final = 1  # TC_LINKLAYER_ETHERNET: no table of rates is wanted
_TICK: Final = 64  # ns (net/pkt_sched.h)
_MOST32: Final = (1 << 32) - 1

_BATCH: Final = 64  # messages; their answers have to fit in a socket's buffer
_PAGE: Final = 1 << 17  # bytes of a dump that are taken at once
_QUANTUM: Final = 1 << 17  # bytes in turn where classes compete, which ours never do


class Class(msgspec.Struct, frozen=True):
    """How fast a class sends: `rate` in bytes per second, `burst` in ns, `limit` in bytes."""

    number: int
    rate: int
    burst: int  # how long it may make up for having been late
    limit: int  # waiting; what comes on top is dropped


class Seen(msgspec.Struct, frozen=True):
    """What the kernel says of a class."""

    number: int
    rate: int  # bytes per second


class Classes:
    """The classes below the qdisc 1: of one link."""

    def __init__(self, namespace: Path) -> None:
        self._socket = system.within(namespace, _open)
        self._sequence = count(1)

    def close(self) -> None:
        """Close the socket; the classes stay."""
        self._socket.close()

    def begin(self, ifindex: int) -> None:
        """Have the qdisc, which drops whatever has no class. Raises KernelError."""
        options = _attribute(_INIT, _GLOBAL.pack(3, 10, 0, 0, 0)) + _attribute(
            _DIRECT_QLEN, bytes(4)
        )
        body = _body(_TC.pack(0, ifindex, ROOT, _TOP, 0), b"htb\0", options)
        try:
            self._ask("make the shaper", [(_NEWQDISC, _CREATE | _EXCLUSIVE, body)], errno.EEXIST)
        except KernelError as error:
            if error.errno == errno.ENOENT:
                raise KernelError(error.operation, error, WITHOUT_HTB) from error
            raise

    def put(self, ifindex: int, classes: Iterable[Class]) -> None:
        """Make classes or change them, which those who use them do not notice.

        Raises KernelError at the first that is refused.
        """
        self._ask(
            "set the bandwidth of a connection",
            (message for each in classes for message in _requests(ifindex, each)),
        )

    def delete(self, ifindex: int, numbers: Iterable[int]) -> None:
        """Delete classes and what waits in them, no matter if they are gone. Raises KernelError."""
        self._ask(
            "delete a class of the shaper",
            ((_DELTCLASS, 0, _TC.pack(0, ifindex, ROOT | each, 0, 0)) for each in numbers),
            errno.ENOENT,
        )

    def seen(self, ifindex: int) -> Iterator[Seen]:
        """Every class; none where there is no such qdisc. Raises KernelError."""
        asked = _TC.pack(0, ifindex, 0, 0, 0)
        self._send([(_GETTCLASS, _DUMP, asked)])
        for kind, body in self._answers():
            if kind == _DONE:
                return
            if kind == _ERROR:
                _check(body, "list the classes of the shaper", errno.ENODEV)
                return
            seen = _read(body)
            if seen is not None:
                yield seen

    def _ask(
        self, operation: str, messages: Iterable[tuple[int, int, bytes]], *expected: int
    ) -> None:
        rest = iter(messages)
        while batch := list(islice(rest, _BATCH)):
            # The kernel answers the last, and before it whichever it refuses.
            kind, flags, body = batch[-1]
            last = self._send([*batch[:-1], (kind, flags | _ACK, body)])
            refused = b""
            for _, answer, sequence in self._numbered():
                if _code(answer) not in (0, *expected):
                    refused = refused or answer
                if sequence == last:
                    break
            if refused:
                _check(refused, operation)

    def _send(self, messages: Iterable[tuple[int, int, bytes]]) -> int:
        """Send requests of a type, flags and a body each; the sequence number of the last."""
        parts, sequence = [], 0
        for kind, flags, body in messages:
            sequence = next(self._sequence) & _MOST32
            length = _HEADER.size + len(body)
            parts.append(_HEADER.pack(length, kind, _REQUEST | flags, sequence, 0) + body)
        self._socket.send(b"".join(parts))
        return sequence

    def _answers(self) -> Iterator[tuple[int, bytes]]:
        return ((kind, body) for kind, body, _ in self._numbered())

    def _numbered(self) -> Iterator[tuple[int, bytes, int]]:
        """Type, body and sequence number of each message that comes."""
        while True:
            data = memoryview(self._socket.recv(_PAGE))
            while data:
                length, kind, _, sequence, _ = _HEADER.unpack_from(data)
                yield kind, bytes(data[_HEADER.size : length]), sequence
                data = data[_aligned(length) :]


def _open() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)


def _requests(ifindex: int, wanted: Class) -> Iterator[tuple[int, int, bytes]]:
    """What makes a class, and what limits its leaf."""
    rate = _RATE.pack(0, _ETHERNET, 0, 0, 0, min(wanted.rate, _MOST32))
    ticks = wanted.burst // _TICK
    parms = _HTB.pack(rate, rate, ticks, ticks, _QUANTUM, 0, 0)
    rate64 = struct.pack("=Q", wanted.rate)
    options = _attribute(_PARMS, parms) + _attribute(_RATE64, rate64) + _attribute(_CEIL64, rate64)
    limit = struct.pack("=I", min(wanted.limit, _MOST32))
    name = ROOT | wanted.number
    yield (
        _NEWTCLASS,
        _CREATE,
        _body(_TC.pack(0, ifindex, name, ROOT, 0), b"htb\0", options),
    )
    yield (
        _NEWQDISC,
        _CREATE | _REPLACE,
        # Of the class's number, and not one the kernel looks for: of those there are 32,768.
        _body(_TC.pack(0, ifindex, wanted.number << 16, name, 0), b"bfifo\0", limit),
    )


def _read(body: bytes) -> Seen | None:
    """A class as the kernel lists it; None for what is no class of ours."""
    _, _, handle, _, _ = _TC.unpack_from(body)
    attributes = dict(_attributes(body[_TC.size :]))
    if attributes.get(_KIND) != b"htb\0" or handle >> 16 != ROOT >> 16:
        return None
    options = dict(_attributes(attributes[_OPTIONS]))
    (*_, rate) = _RATE.unpack_from(options[_PARMS])
    if _RATE64 in options:
        (rate,) = struct.unpack("=Q", options[_RATE64])
    return Seen(handle & 0xFFFF, rate)


def _body(head: bytes, kind: bytes, options: bytes) -> bytes:
    return head + _attribute(_KIND, kind) + _attribute(_OPTIONS, options)


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]  # less NLA_F_*
        at += _aligned(length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _code(answer: bytes) -> int:
    """The errno of an NLMSG_ERROR; 0 where all is well."""
    (number,) = struct.unpack_from("=i", answer)
    return -int(number)


def _check(answer: bytes, operation: str, *expected: int) -> None:
    if (code := _code(answer)) not in (0, *expected):
        raise KernelError(operation, OSError(code, os.strerror(code)))
