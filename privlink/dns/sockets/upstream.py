"""Other names: questions from VPCs that are not ours to answer, passed on to other DNS servers.

What is passed on is made anew: the question as it was written, which is compared with that of the
answer, and of the asker's options only those that are meant for whoever answers. A question that
came by TCP is asked by TCP; nothing is kept.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Final

import dns.flags
import dns.rdatatype
from dns.rcode import Rcode

from privlink.dns.answers import query as queries
from privlink.dns.answers.query import HEADER, OWN_PAYLOAD, Query, Unreadable
from privlink.dns.answers.respond import rejected
from privlink.dns.answers.view import Asker
from privlink.dns.sockets.counts import Counts
from privlink.dns.sockets.exchange import Datagram, Exchange, Server, Stream
from privlink.dns.sockets.fair import Shares
from privlink.dns.sockets.loop import Loop
from privlink.dns.sockets.outcome import Reply

MOST_OUTSTANDING: Final = 1024  # questions of all VPCs, and of one vSwitch what is fair
SECONDS: Final = 2.0  # for each server
MOST_SERVERS: Final = 3  # that are asked one after the other, as the host's own resolver does

_PASSED_ON: Final = dns.flags.RD | dns.flags.AD | dns.flags.CD
_OPT: Final = struct.Struct("!BHHIH")  # the root, type, payload, flags, no options; RFC 6891
_TRY_ANOTHER: Final = (Rcode.SERVFAIL, Rcode.REFUSED, Rcode.NOTIMP)


class Upstream:
    """The servers that are asked, and how many questions wait for an answer."""

    def __init__(self, loop: Loop, counts: Counts, seconds: float = SECONDS) -> None:
        self.counts = counts
        self.seconds = seconds
        self.loop = loop
        self._servers: tuple[Server, ...] = ()
        self._shares = Shares(MOST_OUTSTANDING)

    @property
    def outstanding(self) -> int:
        """How many questions wait for an answer."""
        return self._shares.taken

    def use(self, servers: Sequence[Server]) -> None:
        """Ask these from now on, the first first; without any, other names are refused."""
        self._servers = tuple(servers[:MOST_SERVERS])

    def ask(
        self, wire: bytes, asker: Asker, holder: Hashable, limit: int, stream: bool, reply: Reply
    ) -> None:
        """Ask for what the asker asked in `wire`, and reply with at most `limit` bytes.

        `holder` is in whose name a place is taken; it is refused one where others need it.
        """
        try:
            query = queries.read(wire)
        except Unreadable:
            query = None
        if query is None or not self._servers:
            self.reject(wire, asker, Rcode.REFUSED, reply)
        elif not self._shares.take(holder):
            self.counts.upstream_failures += 1
            self.reject(wire, asker, Rcode.SERVFAIL, reply)
        else:
            self.counts.forwarded += 1
            asking = Asking(self, query, wire, asker, limit, stream)
            asking.begin(self._servers, lambda answer: self._end(holder, answer, reply))

    def reject(self, wire: bytes, asker: Asker, code: Rcode, reply: Reply) -> None:
        """Reply with a code alone."""
        answer = rejected(wire, code, asker)
        self.counts.answered(answer)
        reply(answer)

    def prefer(self, server: Server) -> None:
        """Ask this one first from now on: it has answered where another did not."""
        if server in self._servers and server != self._servers[0]:
            others = (each for each in self._servers if each != server)
            self._servers = (server, *others)

    def _end(self, holder: Hashable, answer: bytes, reply: Reply) -> None:
        self._shares.give_back(holder)
        reply(answer)


class Asking:
    """One question, until somebody has answered it or nobody will."""

    def __init__(
        self, upstream: Upstream, query: Query, wire: bytes, asker: Asker, limit: int, stream: bool
    ) -> None:
        self._upstream = upstream
        self._query = query
        self._wire = wire
        self._asker = asker
        self._limit = limit
        self._stream = stream
        self._servers: list[Server] = []
        self._asked: Server = ("", 0)
        self._exchange: Exchange | None = None
        self._id = b""
        self._tries = 0
        self._refusal: bytes | None = None  # of a server, which holds if no other knows better
        self._reply: Reply

    def begin(self, servers: Sequence[Server], reply: Reply) -> None:
        """Ask the first of the servers."""
        self._servers = list(servers)
        self._reply = reply
        self._try_next()

    def _try_next(self) -> None:
        kind = Stream if self._stream else Datagram
        loop, seconds = self._upstream.loop, self._upstream.seconds
        while self._servers:
            self._asked = self._servers.pop(0)
            self._tries += 1
            self._id = secrets.token_bytes(2)
            try:
                self._exchange = kind(loop, self._asked, self._message(), self._came)
            except OSError:
                continue
            loop.at(time.monotonic() + seconds, partial(self._give_up, self._tries))
            return
        self._finish_without()

    def _message(self) -> bytes:
        query = self._query
        (flags,) = struct.unpack_from("!H", self._wire, 2)
        options = query.options
        counts = struct.pack("!HHHHH", flags & _PASSED_ON, 1, 0, 0, options is not None)
        opt = b""
        if options is not None:
            flags = dns.flags.DO if options.dnssec else 0
            opt = _OPT.pack(0, dns.rdatatype.OPT, min(self._limit, OWN_PAYLOAD), flags, 0)
        return self._id + counts + query.question + opt

    def _came(self, wire: bytes | None) -> bool:
        """Whether what came is the answer, or says that there will be none."""
        if wire is None:
            self._exchange = None
            self._try_next()
            return True
        if wire[:2] != self._id or len(wire) < HEADER or not wire[2] & 0x80:
            return False
        question = self._query.question
        end = HEADER + len(question)
        # Some say that they cannot read us without repeating what.
        complete = wire[4:6] == b"\0\1" and wire[HEADER:end] == question
        if not complete and len(wire) > HEADER:
            return False
        answer = self._query.id + wire[2:]
        self._exchange_ended()
        if not complete or wire[3] & 15 in _TRY_ANOTHER:
            self._refusal = answer if complete else self._refusal
            self._try_next()
        else:
            self._upstream.prefer(self._asked)
            self._finish(answer)
        return True

    def _exchange_ended(self) -> None:
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None

    def _give_up(self, this: int) -> None:
        """Its time is over, if it is still the one we wait for."""
        if this == self._tries and self._exchange is not None:
            self._exchange_ended()
            self._try_next()

    def _finish_without(self) -> None:
        if self._refusal is not None:
            self._finish(self._refusal)
            return
        self._upstream.counts.upstream_failures += 1
        self._upstream.reject(self._wire, self._asker, Rcode.SERVFAIL, self._reply)

    def _finish(self, answer: bytes) -> None:
        self._upstream.counts.upstream_answers += 1
        if len(answer) > self._limit:
            answer = rejected(self._wire, Rcode.NOERROR, self._asker, truncated=True)
            self._upstream.counts.truncated += 1
        self._reply(answer)
