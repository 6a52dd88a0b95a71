"""From what the maps hold to what they should hold: which entries to drop and put, in which order.

A packet passes along a chain of entries: its port, the address it calls, that address's filters
and forward, the forward's balancer with its listeners and servers. Each entry changes atomically;
a plan of several does not. So its order keeps these promises, wherever it is interrupted:

  1. Nothing passes that neither the old nor the new state lets pass.
  2. What both states let pass along a chain that does not change keeps passing.
  3. A forward that stays is never absent, not for a moment: live flows hang on it.

Four phases. Shut what goes away, from the head of the chain down: that only narrows. Put what is
new or changed, from the tail up, so that an entry finds what it refers to. Clear what nothing
refers to any more. Open what was not there, heads last. One hole is left: two changes in place on
one chain could let old and new mix. Such a chain is shut at its head, the address, and opened at
the end. So is a port that changes: it is who a workload claims to be.

Pure: entries in, plan out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import groupby
from typing import Final

import msgspec

from privlink.node.maps import ADDRESS, FORWARD, LISTENER_KEY, NUMBER, Entry

# From the tail of the chain to its head.
MAPS: Final = (
    "servers", "neighbours", "listeners", "filters", "forwards", "addresses", "ports",
)  # fmt: skip

_SHUT: Final = ("ports", "addresses", "forwards", "listeners")  # absent means nothing passes
_OPEN: Final = ("ports", "addresses", "listeners")  # a new one is what lets pass

_Key = tuple[str, bytes]
_Held = Mapping[_Key, Entry]


class Count(msgspec.Struct, frozen=True):
    """How many entries a plan adds, changes in place and drops, when it is done."""

    added: int = 0
    changed: int = 0
    dropped: int = 0


class Plan(msgspec.Struct, frozen=True):
    """Delete `shut`, put `put` (new or changed), delete `clear`, put `open`, each in its order."""

    shut: tuple[Entry, ...] = ()
    put: tuple[Entry, ...] = ()
    clear: tuple[Entry, ...] = ()
    open: tuple[Entry, ...] = ()
    count: Count = Count()

    def steps(self) -> Iterator[tuple[bool, str, list[Entry]]]:
        """Runs of entries of one map, each for one system call: (put or delete, map, entries)."""
        phases = (False, self.shut), (True, self.put), (False, self.clear), (True, self.open)
        for put, entries in phases:
            for name, run in groupby(entries, key=lambda entry: entry.map):
                yield put, name, list(run)


def plan(desired: Iterable[Entry], observed: Iterable[Entry]) -> Plan:
    """The way from `observed` to `desired`.

    Both may be excerpts, as long as they hold whole chains: with a filter, forward or balancer that
    changes come the addresses that refer to it, or the two are the only change.
    """
    new, old = _by_key(desired), _by_key(observed)
    gone = {key: entry for key, entry in old.items() if key not in new}
    coming = {key: entry for key, entry in new.items() if old.get(key) != entry}
    changed = coming.keys() & old.keys()
    cleared = {key for key in gone if key[0] not in _SHUT}
    reopened = {key for key in changed if key[0] == "ports"}
    if len(coming) + len(cleared) > 1:
        reopened |= _mixing(new, old, coming.keys(), changed | cleared)
    opened = {key for key in coming.keys() - changed if key[0] in _OPEN} | reopened
    return Plan(
        shut=_ordered((old[key] for key in gone.keys() - cleared | reopened), backwards=True),
        put=_ordered(entry for key, entry in coming.items() if key not in opened),
        clear=_ordered((old[key] for key in cleared), backwards=True),
        open=_ordered(new[key] for key in opened),
        count=Count(len(coming) - len(changed), len(changed), len(gone)),
    )


def _mixing(new: _Held, old: _Held, coming: Set[_Key], leaving: Set[_Key]) -> set[_Key]:
    """Addresses of both states on whose chain two changes would meet.

    On the old chain meet entries that come, on the new one those whose old value has to leave: what
    is added is complete before an address refers to it, what is cleared goes after none does.
    """
    balancers = _balancers(coming, old, new)
    mixing = set()
    for key in old.keys() & new.keys():
        if key[0] == "addresses":
            changes = {
                *_changes(key, old, coming, balancers),
                *_changes(key, new, leaving, frozenset()),
            }
            if len(changes) > 1:
                mixing.add(key)
    return mixing


def _changes(key: _Key, held: _Held, touched: Set[_Key], balancers: Set[int]) -> Iterator[object]:
    """What on the chain of an address changes; a balancer counts as one, with all its servers."""
    *filters, way = _referred(held[key].value)
    yield from (part for part in (key, *filters, way) if part in touched)
    forward = held.get(way)
    if forward is not None and (balancer := FORWARD.unpack(forward.value)[2]) in balancers:
        yield balancer


def _referred(address: bytes) -> Iterator[_Key]:
    """What a value of `addresses` refers to: its filters, then its forward."""
    _, _, count, forward, *filters = ADDRESS.unpack(address)
    for number in filters[:count]:
        yield "filters", NUMBER.pack(number)
    yield "forwards", NUMBER.pack(forward)


def _balancers(touched: Set[_Key], old: _Held, new: _Held) -> set[int]:
    """Balancers whose servers change behind a listener that stays. Others just open or shut."""
    found = set()
    for name, key in touched:
        if name in ("listeners", "servers"):
            listener = "listeners", key[: LISTENER_KEY.size]
            if listener in old and listener in new:
                found.add(LISTENER_KEY.unpack(listener[1])[0])
    return found


def _ordered(entries: Iterable[Entry], *, backwards: bool = False) -> tuple[Entry, ...]:
    """Entries from the tail of the chain to its head, or backwards."""
    return tuple(sorted(entries, key=lambda e: (MAPS.index(e.map), e.key), reverse=backwards))


def _by_key(entries: Iterable[Entry]) -> dict[_Key, Entry]:
    return {(entry.map, entry.key): entry for entry in entries}
