"""A name server that knows the TXT records a test publishes, and of no other name."""

from __future__ import annotations

import asyncio
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENT = "silent"  # a record that says so is not answered at all


class NameServer(asyncio.DatagramProtocol):
    """Answers from records by name, which may change at any time."""

    def __init__(self, texts: dict[str, list[str]]) -> None:
        self._texts = texts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name
        found = self._texts.get(name.to_text(omit_final_dot=True))
        if found == [SILENT]:
            return
        response = dns.message.make_response(query, recursion_available=True)
        if found is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif found:
            quoted = ('"{}"'.format(each.replace('"', r"\"")) for each in found)
            response.answer.append(dns.rrset.from_text(name, 1, "IN", "TXT", *quoted))
        self._transport.sendto(response.to_wire(), addr)
