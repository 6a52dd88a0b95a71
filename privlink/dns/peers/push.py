"""What somebody else's zone has to be told so that it has our names: dynamic updates (RFC 2136).

Each name of ours there has a TXT record beside its addresses that says whose it is. A name with no
TXT record but that one is ours: its addresses are what we say. Every other name, also one that we
would like to have, is somebody else's and is not touched. Updates ask for exactly that before they
change anything, so that it holds as well for what somebody else does at the same moment.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.update
import msgspec
from dns.rdtypes.ANY.TXT import TXT

from privlink.dns.answers.answer import TTL
from privlink.dns.answers.table import Table
from privlink.dns.answers.view import is_below
from privlink.dns.peers import records, signed
from privlink.dns.peers.records import Addresses
from privlink.model.naming import NameServer

_CHANGES: Final = 100  # records that one message puts in or takes out, more or less
_ADDRESSES: Final = (dns.rdatatype.A, dns.rdatatype.AAAA)


class Held(msgspec.Struct):
    """What their zone has below our domain."""

    ours: dict[str, Addresses]
    others: set[str]  # names that are somebody else's


class Change(msgspec.Struct, frozen=True):
    """A name that is to have other addresses; None: it is not to be there, or is not."""

    name: str
    before: Addresses | None
    after: Addresses | None

    @property
    def size(self) -> int:
        """How many records it puts in or takes out."""
        return len(self.before or ()) + len(self.after or ()) + 1


class Reading:
    """Reads a transfer of their zone, message by message."""

    def __init__(self, server: NameServer, domain: str) -> None:
        self._domain = domain
        self._mark = mark(server)
        self._addresses: dict[str, list[str]] = {}
        self._texts: dict[str, list[bytes]] = {}
        self._names: set[str] = set()

    def take(self, message: dns.message.Message) -> None:
        """Take in one more message."""
        for rrset in message.answer:
            name = rrset.name.to_text(omit_final_dot=True).lower()
            if not is_below(name, self._domain):
                continue
            self._names.add(name)
            if rrset.rdtype in _ADDRESSES:
                self._addresses.setdefault(name, []).extend(each.address for each in rrset)
            elif rrset.rdtype == dns.rdatatype.TXT:
                self._texts.setdefault(name, []).extend(b"".join(each.strings) for each in rrset)

    def done(self) -> Held:
        """What the zone has."""
        mark = [b"".join(self._mark.strings)]
        ours = {name for name, texts in self._texts.items() if texts == mark}
        return Held(
            {name: _in_order(self._addresses.get(name, ())) for name in ours},
            self._names - ours,
        )


def mark(server: NameServer) -> TXT:
    """The record that says that a name there is ours."""
    text = f"privlink owner={server.owner}".encode()
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, (text,))


def plan(names: Iterable[str], wanted: Table[str, Addresses], held: Held) -> list[Change]:
    """What is to change of some names. What is somebody else's is left as it is."""
    changes = []
    for name in sorted(names):
        found = wanted.get(name)
        after = None if found is None else _in_order(found)
        before = held.ours.get(name)
        if before != after and name not in held.others:
            changes.append(Change(name, before, after))
    return changes


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Changes in lists that are each worth one message, those that take away first."""
    batch: list[Change] = []
    size = 0
    for change in sorted(changes, key=lambda each: each.after is not None):
        batch.append(change)
        size += change.size
        if size >= _CHANGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def update(server: NameServer, changes: Iterable[Change]) -> dns.update.UpdateMessage:
    """The message that makes these changes, all or none of them."""
    message = dns.update.UpdateMessage(dns.name.from_text(server.zone))
    ours = mark(server)
    for change in changes:
        name = dns.name.from_text(change.name)
        if change.before is None:
            message.absent(name)
        else:
            message.present(name, ours)
            for kind in _ADDRESSES:
                message.delete(name, kind)
        if change.after is None:
            message.delete(name, ours)
        for each in records.rdatasets(change.after or ()):
            message.add(name, each)
        if change.before is None:
            message.add(name, TTL, ours)
    if server.key is not None:
        message.use_tsig(signed.key_of(server.key))
    return message


def note(held: Held, changes: Iterable[Change]) -> None:
    """Their zone has made these changes."""
    for change in changes:
        if change.after is None:
            held.ours.pop(change.name, None)
        else:
            held.ours[change.name] = change.after


def _in_order(addresses: Iterable[str]) -> Addresses:
    return tuple(sorted(addresses, key=lambda each: (":" in each, each)))
