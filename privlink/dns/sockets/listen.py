"""Whoever answers: what comes in by the sockets goes to `respond`, and what others must be asked to
them. One thread; the view is swapped under it by another one, whole.

Questions come on the host, for names that are everybody's, and inside of the VPCs, where the
address they come from tells the vSwitch. There all other names are asked upstream.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Hashable, Iterator
from functools import partial
from typing import Final

from dns.rcode import Rcode

from privlink.dns.answers import query as queries
from privlink.dns.answers.query import Unreadable
from privlink.dns.answers.respond import Elsewhere, Response, Signed, Transfer, rejected
from privlink.dns.answers.shelf import Shelf
from privlink.dns.answers.view import ON_HOST, Asker, View
from privlink.dns.peers.signed import respond_signed
from privlink.dns.peers.transfer import transfer
from privlink.dns.sockets.counts import Counts
from privlink.dns.sockets.datagrams import Datagrams
from privlink.dns.sockets.fair import Shares
from privlink.dns.sockets.limiter import Limiter, Verdict, is_loopback
from privlink.dns.sockets.loop import Loop
from privlink.dns.sockets.outcome import Outcome
from privlink.dns.sockets.streams import IDLE_SECONDS, MOST_CONNECTIONS, Streams
from privlink.dns.sockets.upstream import Upstream

_TELL_SECONDS: Final = 60.0  # between two lines of what was counted

log = logging.getLogger(__name__)


class Listener:
    """Answers, as long as its loop runs."""

    def __init__(
        self, loop: Loop, upstream: Upstream, counts: Counts, idle: float = IDLE_SECONDS
    ) -> None:
        self.counts = counts
        self.view: View | None = None  # as long as there is none we know nothing, and say so
        self._loop = loop
        self._upstream = upstream
        self._idle = idle
        self._shelf = Shelf()
        self._limiter = Limiter()
        self._connections = Shares(MOST_CONNECTIONS)
        self._questions = 0
        self._told = ""
        loop.every(_TELL_SECONDS, self._tell)

    def serve_host(self, datagrams: socket.socket, streams: socket.socket) -> None:
        """Answer what is asked on the host, by these sockets."""
        Datagrams(self._loop, datagrams, self._datagram_on_host, self._unsent)
        self._serve_streams(streams, inside=False)

    def serve_networks(self, datagrams: socket.socket, streams: socket.socket) -> None:
        """Answer what is asked in the VPCs, by these sockets."""
        answering = partial(self._in_network, stream=False)
        Datagrams(self._loop, datagrams, answering, self._unsent)
        self._serve_streams(streams, inside=True)

    def _serve_streams(self, sock: socket.socket, *, inside: bool) -> None:
        answering = self._in_network if inside else self._on_host
        Streams(
            self._loop,
            sock,
            partial(answering, stream=True),
            self._connections,
            self._refuse_connection,
            self._idle,
        )

    def _on_host(self, wire: bytes, _: str, *, stream: bool) -> Outcome:
        view = self.view
        response = self._respond(wire, view, ON_HOST, stream=stream)
        if isinstance(response, Transfer) and view is not None:
            return self._transferred(wire, view)
        return response if isinstance(response, bytes) else None

    def _transferred(self, wire: bytes, view: View) -> Iterator[bytes]:
        """The messages of a transfer, as far as they can be made."""
        try:
            yield from transfer(wire, view, time.time)
        except Exception:
            self.counts.defects += 1
            if self.counts.defects == 1:
                log.exception("the domain could not be transferred")

    def _datagram_on_host(self, wire: bytes, address: str) -> bytes | None:
        answer = self._on_host(wire, address, stream=False)
        if not isinstance(answer, bytes) or is_loopback(address):
            return answer if isinstance(answer, bytes) else None
        verdict = self._limiter.judge(address, _likeness(wire, answer), time.monotonic())
        if verdict is Verdict.SEND:
            return answer
        self.counts.limited += 1
        if verdict is Verdict.DROP:
            return None
        return rejected(wire, Rcode.NOERROR, ON_HOST, truncated=True)

    def _in_network(self, wire: bytes, address: str, *, stream: bool) -> Outcome:
        view = self.view
        asker = ON_HOST if view is None else view.asker(address)
        if asker is None:
            self.counts.queries += 1
            self.counts.strangers += 1
            return None
        response = self._respond(wire, view, asker, stream=stream)
        if not isinstance(response, Elsewhere):
            return response if isinstance(response, bytes) else None
        limit = response.limit
        return partial(self._upstream.ask, wire, asker, address, limit, stream)

    def _respond(
        self, wire: bytes, view: View | None, asker: Asker, *, stream: bool
    ) -> bytes | Elsewhere | Transfer | None:
        counts = self.counts
        counts.queries += 1
        self._questions += 1
        # Who asks in pairs, for A and AAAA, is to have his turns too: so they are not counted up.
        turn = self._questions * 0x9E3779B1 >> 15
        try:
            if view is None:
                response = _unable(wire)
            else:
                response = self._shelf.respond(wire, view, asker, turn, stream=stream)
                if isinstance(response, Signed):
                    limit, now = response.limit, time.time()
                    response = respond_signed(wire, view, turn, now, limit=limit, stream=stream)
        except Exception:
            counts.defects += 1
            if counts.defects == 1:  # whoever found it can send it as often as he likes
                log.exception("a question could not be answered: %s", wire.hex())
            response = _unable(wire)
        if isinstance(response, bytes):
            counts.answered(response)
            return response
        if isinstance(response, Elsewhere | Transfer):
            return response
        counts.unanswered += 1
        return None

    def _unsent(self) -> None:
        self.counts.unsent += 1

    def _refuse_connection(self) -> None:
        self.counts.refused_connections += 1

    def _tell(self) -> None:
        sentence = self.counts.sentence()
        if sentence != self._told:
            self._told = sentence
            log.info("so far: %s", sentence)


def _unable(wire: bytes) -> Response:
    """The answer to a question whose answer we do not know."""
    try:
        if queries.read(wire) is None:
            return None
    except Unreadable as error:
        return rejected(wire, error.code, ON_HOST)
    return rejected(wire, Rcode.SERVFAIL, ON_HOST)


def _likeness(wire: bytes, answer: bytes) -> Hashable:
    """What answers have in common that are alike: a question, or that there is nothing to it.

    Names that do not exist are more than can be counted apart.
    """
    code = answer[3] & 15
    if code != Rcode.NOERROR:
        return code
    try:
        query = queries.read(wire)
    except Unreadable:
        return code
    return code if query is None else query.question.lower()
