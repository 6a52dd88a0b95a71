"""Talking to other name servers: to learn what a zone has, to update it, to say that ours changed.

It knows sockets and waits; nothing here may run where questions are answered. What goes wrong is
said in a sentence for whoever set the name server up. No secret is in any of them.
"""

from __future__ import annotations

from collections.abc import Callable
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

from privlink.dns import signed
from privlink.dns.answer import TTL, soa
from privlink.dns.push import Held, Reading
from privlink.dns.view import View
from privlink.model.naming import NameServer

_WAIT: Final = 10.0  # seconds for one answer by TCP
_WAIT_NOTIFY: Final = 2.0  # ... and by UDP
_WHOLE: Final = 120.0  # seconds for a whole transfer

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
    reading, key = Reading(server, domain), _key(server)

    def read() -> None:
        for message in dns.query.xfr(
            server.address,
            dns.name.from_text(server.zone),
            port=server.port,
            keyring=None if key is None else {key.name: key},
            relativize=False,
            timeout=_WAIT,
            lifetime=_WHOLE,
        ):
            reading.take(message)

    _said(server, f"a transfer of zone {server.zone}", read)
    return reading.done()


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
