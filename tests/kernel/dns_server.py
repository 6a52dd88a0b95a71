"""A DNS server in a namespace, by UDP and TCP, whose answers a test changes."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.kernel import lab

_TCP_LENGTH = struct.Struct("!H")  # RFC 1035 section 4.2.2


class Zone:
    """What the server says of every name."""

    def __init__(self, *addresses: str, ttl: int = 1) -> None:
        self.addresses = addresses  # none: it knows no such name
        self.ttl = ttl
        self.silent = False
        self.truncates = False  # by UDP
        self.asked: list[tuple[str, str]] = []  # who, and for what

    def answer(self, asked: bytes, caller: str, *, truncates: bool) -> bytes | None:
        query = dns.message.from_wire(asked)
        name = query.question[0].name
        self.asked.append((caller, name.to_text(omit_final_dot=True)))
        if self.silent:
            return None
        response = dns.message.make_response(query)
        if not self.addresses:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif truncates:
            response.flags |= dns.flags.TC
        else:
            found = dns.rrset.from_text(name, self.ttl, "IN", "A", *self.addresses)
            response.answer.append(found)
        return response.to_wire()


@contextmanager
def serving(name: str, zone: Zone) -> Iterator[Zone]:
    """Answer in a namespace, on port 53."""

    def opened() -> tuple[socket.socket, socket.socket]:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(("", 53))
        return bound, socket.create_server(("", 53))

    datagrams, listener = lab.system.within(lab.path(name), opened)

    def answer_datagrams() -> None:
        with suppress(OSError):  # shut down
            while True:
                asked, caller = datagrams.recvfrom(4096)
                if not caller:
                    return
                said = zone.answer(asked, caller[0], truncates=zone.truncates)
                if said is not None:
                    datagrams.sendto(said, caller)

    def answer_connections() -> None:
        with suppress(OSError):  # shut down
            while True:
                connection, caller = listener.accept()
                with connection:
                    connection.settimeout(lab.PATIENCE)
                    (size,) = _TCP_LENGTH.unpack(lab.receive(connection, _TCP_LENGTH.size))
                    said = zone.answer(lab.receive(connection, size), caller[0], truncates=False)
                    if said is not None:
                        connection.sendall(_TCP_LENGTH.pack(len(said)) + said)

    threads = [threading.Thread(target=each) for each in (answer_datagrams, answer_connections)]
    with datagrams, listener:
        for thread in threads:
            thread.start()
        try:
            yield zone
        finally:
            for each in (datagrams, listener):
                with suppress(OSError):  # not connected, it says, but wakes up all the same
                    each.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
