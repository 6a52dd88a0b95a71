"""Talking to other name servers: to learn what a zone has, to update it, to say that ours changed.

It knows sockets and waits; nothing here may run where questions are answered. What goes wrong is
said in a sentence for whoever set the name server up. No secret is in any of them.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
import dns.xfr

from privlink.dns.answers.answer import TTL, soa
from privlink.dns.answers.view import View
from privlink.dns.peers import signed
from privlink.dns.peers.push import Held, Reading
from privlink.model.naming import NameServer

_WAIT: Final = 10.0  # seconds for one answer by TCP
_WAIT_NOTIFY: Final = 2.0  # ... and by UDP
_LARGEST: Final = 256 * 1024 * 1024  # bytes of a whole transfer

T = TypeVar("T")


class Failed(Exception):
    """It did not work; the sentence says why."""


class Unexpected(Exception):
    """Their zone has something else than we thought: look at it again."""


# What it means if one of the conditions of an update does not hold (RFC 2136 section 3.2).
_CONDITIONS = (
    dns.rcode.YXDOMAIN,
    dns.rcode.YXRRSET,
    dns.rcode.NXDOMAIN,
    dns.rcode.NXRRSET,
)


def learn(server: NameServer, domain: str) -> Held:
    """What their zone has below our domain. Raises Failed."""
    reading = Reading(server, domain)

    def read() -> None:
        for message in _transferred(server):
            reading.take(message)

    _said(server, f"a transfer of zone {server.zone}", read)
    return reading.done()


def _transferred(server: NameServer) -> Iterator[dns.message.Message]:
    """The messages of a whole zone, each verified.

    They are taken by a thread of its own: to make sense of one takes longer than servers wait for
    the next to be taken.
    """
    query = dns.message.make_query(dns.name.from_text(server.zone), dns.rdatatype.AXFR)
    if (key := _key(server)) is not None:
        query.use_tsig(key)
    arrived: queue.Queue[bytes] = queue.Queue()
    with socket.create_connection((server.address, server.port), timeout=_WAIT) as connection:
        wire = query.to_wire()
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
        taking = threading.Thread(target=_take, args=(connection, arrived), daemon=True)
        taking.start()
        try:
            yield from _verified(query, arrived)
        finally:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _verified(
    query: dns.message.Message, arrived: queue.Queue[bytes]
) -> Iterator[dns.message.Message]:
    """The messages that answer a query for a zone, up to its second SOA record."""
    ends, context = 0, None
    while ends < 2:
        try:
            wire = arrived.get(timeout=_WAIT)
        except queue.Empty:
            raise dns.exception.Timeout from None
        if not wire:
            raise EOFError("it ends the connection in the middle of the transfer")
        message = dns.message.from_wire(
            wire,
            keyring=query.keyring,
            request_mac=query.mac,
            xfr=True,
            tsig_ctx=context,
            multi=True,
        )
        if message.rcode() != dns.rcode.NOERROR:
            raise dns.xfr.TransferError(message.rcode())
        if not message.answer or message.id != query.id:
            raise dns.exception.FormError
        context = message.tsig_ctx
        ends += sum(each.rdtype == dns.rdatatype.SOA for each in message.answer)
        yield message
    if query.keyring is not None and not message.had_tsig:
        raise dns.exception.FormError  # RFC 8945 section 5.3.1: the last one is signed


def _take(connection: socket.socket, arrived: queue.Queue[bytes]) -> None:
    """Take messages as they come; an empty one says that there will be no more."""
    size = 0
    with suppress(OSError), connection.makefile("rb") as stream:
        while length := stream.read(2):
            wire = stream.read(int.from_bytes(length, "big"))
            size += len(wire)
            if not wire or size > _LARGEST:
                break
            arrived.put(wire)
    arrived.put(b"")


def send(server: NameServer, message: dns.update.UpdateMessage) -> None:
    """Have an update made. Raises Failed, and Unexpected if what it asks for is not so."""

    def exchange() -> dns.message.Message:
        return dns.query.tcp(message, server.address, timeout=_WAIT, port=server.port)

    doing = f"an update of zone {server.zone}"
    code = _said(server, doing, exchange).rcode()
    if code in _CONDITIONS:
        raise Unexpected
    _check(server, doing, code)


def notify(server: NameServer, view: View) -> None:
    """Say that our domain has changed, and wait until that was heard (RFC 1996). Raises Failed."""
    domain = dns.name.from_text(view.domain)
    message = dns.message.make_query(domain, dns.rdatatype.SOA)
    message.set_opcode(dns.opcode.NOTIFY)
    message.flags = (message.flags | dns.flags.AA) & ~dns.flags.RD
    message.answer.append(dns.rrset.from_rdata(domain, TTL, soa(view)))
    if (key := _key(server)) is not None:
        message.use_tsig(key)

    def exchange() -> dns.message.Message:
        return dns.query.udp(
            message, server.address, timeout=_WAIT_NOTIFY, port=server.port, ignore_unexpected=True
        )

    doing = "a NOTIFY"
    _check(server, doing, _said(server, doing, exchange).rcode())


def _key(server: NameServer) -> dns.tsig.Key | None:
    return None if server.key is None else signed.key_of(server.key)


def _said(server: NameServer, doing: str, exchange: Callable[[], T]) -> T:
    """What comes of an exchange. Raises Failed for all that can go wrong with it."""
    name = server.key.name if server.key is not None else ""
    why = ""
    try:
        return exchange()
    except dns.xfr.TransferError as error:
        why = _refusal(server, doing, error.rcode)
    except dns.tsig.PeerBadKey:
        why = f"it does not know the key {name}, or does not take it for {doing}."
    except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature):
        why = f"the secret of key {name} is not the one it has."
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
        why = "its clock and ours differ by more than 5 minutes."
    except dns.exception.Timeout:
        why = f"it does not answer when asked for {doing}."
    except (OSError, EOFError) as error:
        why = f"it cannot be reached: {error}."
    except (dns.exception.DNSException, ValueError):
        why = "its answer makes no sense, or is not signed."
    raise Failed(why)


def _check(server: NameServer, doing: str, code: int) -> None:
    if code != dns.rcode.NOERROR:
        raise Failed(_refusal(server, doing, code))


def _refusal(server: NameServer, doing: str, code: int) -> str:
    said = dns.rcode.to_text(dns.rcode.Rcode(code))
    name = server.key.name if server.key is not None else ""
    return f"it answers {said} to {doing} with key {name}: see what that key may do there."
