"""Answers that were made once, to be given again for as long as all they came from is the same.

Pure but for what it keeps. It is bounded in entries and bytes, and whoever was not asked for
longest goes first. What the asker writes in a way of its own is not part of what is kept: the id,
the case of letters, whether recursion is desired, and all of EDNS are put in anew. So none of them,
at random, makes it grow; nor do names that do not exist, or that only a wildcard has.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Final, NamedTuple

import dns.flags
import dns.rdataclass
import dns.rdatatype
import msgspec

from privlink.dns.answers import query as queries
from privlink.dns.answers.answer import Finding, Reading
from privlink.dns.answers.message import OPT_BYTES, SOA_NUMBERS_BYTES, opt, written
from privlink.dns.answers.query import HEADER, Query, Unreadable
from privlink.dns.answers.respond import Response, reply, respond
from privlink.dns.answers.view import Asker, View

MOST_ENTRIES: Final = 131_072
MOST_BYTES: Final = 128 * 1024 * 1024  # as estimated: of answers, and of what holds them

_ENTRY_BYTES: Final = 420
_FACT_BYTES: Final = 100
_WHOLE: Final = 65535
_TRUNCATED: Final = dns.flags.TC >> 8
_RECURSION: Final = dns.flags.RD >> 8

# What clients ask for. Of other types a name has nothing, and there are 65,000 to ask for.
_KEPT: Final = frozenset(
    int(rdtype)
    for rdtype in (
        dns.rdatatype.A,
        dns.rdatatype.AAAA,
        dns.rdatatype.HTTPS,
        dns.rdatatype.NS,
        dns.rdatatype.PTR,
        dns.rdatatype.SOA,
    )
)


_Key = tuple[int, str, bytes, int]  # who asks, the name in lower case, and the type


class _Heads(NamedTuple):
    """The bytes between id and question, by whether recursion is desired and OPT follows."""

    plain: bytes
    recursive: bytes
    with_opt: bytes
    recursive_with_opt: bytes


class _Entry(msgspec.Struct, gc=False):
    """An answer without what is the asker's own."""

    token: object  # of the last view in which it was right
    facts: tuple[tuple[str, object, object], ...]  # all that was read to find it
    heads: _Heads
    tail: bytes  # the records
    turns: int  # so many records of one size take turns
    has_serial: bool

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        return _ENTRY_BYTES + len(self.facts) * _FACT_BYTES + len(self.tail)


class Shelf:
    """The answers of a view, and of those that come of it."""

    def __init__(self, entries: int = MOST_ENTRIES, size: int = MOST_BYTES) -> None:
        self._most_entries, self._most_bytes = entries, size
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._size = 0
        self._origin: object = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """How many bytes all takes, about."""
        return self._size

    def respond(
        self, wire: bytes, view: View, asker: Asker, turn: int, *, stream: bool
    ) -> Response:
        """What `respond` does about a message, with an answer that was made before if it can."""
        try:
            query = queries.read(wire)
        except Unreadable:
            return respond(wire, view, asker, turn, stream=stream)
        if query is None:
            return None
        if view.origin is not self._origin:
            self._begin_anew(view)
        key = (asker.network, asker.zone, query.name, query.rdtype)
        entry = self._entries.get(key)
        if entry is None or not _is_ordinary(query):
            return self._found(query, key, view, asker, turn, stream)
        if entry.token is not view.token and not _holds(entry, view):
            self._drop(key)
            return self._found(query, key, view, asker, turn, stream)
        self._entries.move_to_end(key)
        wire = _assembled(query, entry, view, turn)
        if len(wire) > query.limit(stream=stream):
            return reply(query, Reading(view), asker, turn, stream=stream)[0]
        return wire

    def _found(
        self, query: Query, key: _Key, view: View, asker: Asker, turn: int, stream: bool
    ) -> Response:
        """An answer that is made now, and kept if it lasts."""
        reading = Reading(view)
        response, finding = reply(query, reading, asker, turn, stream=stream)
        if finding is None or not finding.lasts or query.rdtype not in _KEPT:
            return response
        wire = response
        if not isinstance(wire, bytes) or wire[2] & _TRUNCATED:
            wire = written(query, finding, view, asker, turn, _WHOLE)
        self._keep(key, _entry(query, wire, finding, reading, turn))
        return response

    def _keep(self, key: _Key, entry: _Entry) -> None:
        self._drop(key)
        self._entries[key] = entry
        self._size += entry.size + len(key[2])
        while self._size > self._most_bytes or len(self._entries) > self._most_entries:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: _Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size + len(key[2])

    def _begin_anew(self, view: View) -> None:
        """Forget all: what comes of another empty view may have another domain."""
        self._entries.clear()
        self._size = 0
        self._origin = view.origin


def _is_ordinary(query: Query) -> bool:
    """Whether only the question decides what is answered."""
    of_class = query.rdclass == dns.rdataclass.IN
    return of_class and not query.signed and (query.options is None or not query.options.version)


def _holds(entry: _Entry, view: View) -> bool:
    """Whether all that an answer came from is the same in a view."""
    for table, key, value in entry.facts:
        if getattr(view, table).get(key) is not value:
            return False
    entry.token = view.token
    return True


def _entry(query: Query, wire: bytes, finding: Finding, reading: Reading, turn: int) -> _Entry:
    """The pieces of an answer that somebody was given, as they are on the first turn."""
    end = len(wire) - (OPT_BYTES if query.options else 0)
    tail = wire[HEADER + len(query.question) : end]
    turned = (finding.turns - turn % finding.turns) * (len(tail) // finding.turns)
    has_serial = finding.authority is not None or query.rdtype == dns.rdatatype.SOA
    return _Entry(
        token=reading.view.token,
        facts=tuple(reading.facts),
        heads=_heads(bytes((wire[2] & ~_RECURSION, wire[3])), wire[4:10]),
        tail=tail[turned:] + tail[:turned],
        turns=finding.turns,
        has_serial=has_serial,
    )


def _assembled(query: Query, entry: _Entry, view: View, turn: int) -> bytes:
    """An answer with what is the asker's own."""
    tail = entry.tail
    if entry.turns > 1:
        at = turn % entry.turns * (len(tail) // entry.turns)
        tail = tail[at:] + tail[:at]
    elif entry.has_serial:
        serial = (view.revision & 0xFFFFFFFF).to_bytes(4, "big")
        at = len(tail) - SOA_NUMBERS_BYTES
        tail = tail[:at] + serial + tail[at + len(serial) :]
    options = query.options
    head = entry.heads[query.recursion + (2 if options else 0)]
    if options is None:
        return b"".join((query.id, head, query.question, tail))
    end = opt(0, dnssec=options.dnssec)
    return b"".join((query.id, head, query.question, tail, end))


@functools.lru_cache(maxsize=1024)
def _heads(flags: bytes, counts: bytes) -> _Heads:
    """The heads of all answers with these flags and numbers of records."""
    recursive = bytes((flags[0] | _RECURSION, flags[1]))
    without, with_opt = counts + bytes(2), counts + b"\0\1"
    return _Heads(flags + without, recursive + without, flags + with_opt, recursive + with_opt)
