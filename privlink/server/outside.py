"""Asks the DNS what actions want to know: which TXT records a name has.

Whoever answers is believed, so what follows is worth as much as the way to the name servers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Final
from weakref import WeakValueDictionary

import dns._asyncio_backend
import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdata
import dns.rdatatype
import dns.resolver

from privlink.api.outside import Found, Question
from privlink.config import upstreams

_RESOLVERS = "/etc/resolv.conf"
_PATIENCE: Final = 5.0  # seconds for all name servers and tries together
_AT_A_TIME: Final = 8  # questions; of one account it is one
_LONGEST_TEXT = 255

# Looked for by name at run time, when these files may be out of reach.
_PRELOADED = (dns._asyncio_backend,)
dns.rdata.load_all_types()

log = logging.getLogger(__name__)


class Outside:
    """Asks the name servers that `--dns-upstream` names."""

    def __init__(self, upstream: str) -> None:
        self._servers = upstreams(upstream)
        self._places = asyncio.Semaphore(_AT_A_TIME)
        # So that an account that asks much keeps nobody waiting but itself.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, question: Question, account_id: str) -> Found:
        """What is answered, within seconds of its turn."""
        turn = self._turns.setdefault(account_id, asyncio.Lock())
        async with turn, self._places:
            found = await self._ask(question)
        told = found.why or f"{len(found.texts)} texts"
        log.info("asked for the TXT records of %s: %s", question.name, told)
        return found

    async def _ask(self, question: Question) -> Found:
        if self._servers == ():
            return Found(question, why="this installation asks no name server (--dns-upstream).")
        try:
            resolver = _resolver(self._servers)
            answer = await resolver.resolve(question.name + ".", "TXT", raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return Found(question)
        except dns.resolver.NoResolverConfiguration:
            return Found(question, why=f"{_RESOLVERS} names no server to ask (--dns-upstream).")
        except dns.exception.Timeout:
            return Found(question, why=f"no name server has answered in {_PATIENCE:.0f} s.")
        except (dns.exception.DNSException, OSError):
            return Found(question, why="no name server could say.")
        return Found(question, texts=tuple(sorted(_texts(answer))))


def _resolver(servers: tuple[tuple[str, int], ...] | None) -> dns.asyncresolver.Resolver:
    """Whom to ask. What the host's file says is read each time: it may have changed."""
    if servers is None:
        resolver = dns.asyncresolver.Resolver(_RESOLVERS)
    else:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*each) for each in servers]
    resolver.lifetime = _PATIENCE
    return resolver


def _texts(answer: dns.resolver.Answer) -> Iterator[str]:
    """The records' texts, as much of each as a person reads."""
    for record in answer.rrset or ():
        if record.rdtype == dns.rdatatype.TXT:
            yield b"".join(record.strings).decode("ascii", "backslashreplace")[:_LONGEST_TEXT]
