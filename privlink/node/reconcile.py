"""From what the maps hold to what they should hold: which entries to drop and put, in which order.

A packet passes along a chain of entries: its port, the address it calls, that address's filters
and forward, the forward's balancer with its listeners and servers. Each entry changes atomically;
a plan of several does not. So its order keeps these promises, wherever it is interrupted:

  1. Nothing passes that neither the old nor the new state lets pass.
  2. What both states let pass along a chain that does not change keeps passing.
  3. A forward that stays is never absent, not for a moment: live flows hang on it.

Three phases. First shut what goes away, from the head of the chain down: that only narrows. Then
put what is new or changed, from the tail up, so that an entry finds what it refers to; listeners
that were not there come after every narrowing change, heads come last. Last, clear what nothing
refers to any more. One hole is left: two changes in place on one chain could let old and new mix.
Such a chain is shut at its head, the address, for as long as the plan runs. Likewise a port that
changes is shut first: it is who a workload claims to be.

Pure: entries in, plan out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

import msgspec

from privlink.node.maps import ADDRESS, FORWARD, NUMBER, Entry

# From the tail of the chain to its head.
MAPS: Final = (
    "servers", "neighbours", "listeners", "filters", "forwards", "addresses", "ports",
)  # fmt: skip

_SHUT: Final = ("ports", "addresses", "forwards", "listeners")  # absent means nothing passes
_CLEAR: Final = ("neighbours", "filters", "servers")  # unreferenced once the rest is done

_Key = tuple[str, bytes]


class Count(msgspec.Struct, frozen=True):
    """How many entries a plan adds, changes in place and drops, when it is done."""

    added: int = 0
    changed: int = 0
    dropped: int = 0


class Plan(msgspec.Struct, frozen=True):
    """What to do, in this order: delete `shut`, put `put` (new or changed), delete `clear`."""

    shut: tuple[Entry, ...] = ()
    put: tuple[Entry, ...] = ()
    clear: tuple[Entry, ...] = ()
    count: Count = Count()

    def steps(self) -> Iterator[tuple[bool, str, list[Entry]]]:
        """Runs of entries of one map, each for one system call: (put or delete, map, entries)."""
        for put, entries in ((False, self.shut), (True, self.put), (False, self.clear)):
            for name, run in groupby(entries, key=lambda entry: entry.map):
                yield put, name, list(run)


def plan(desired: Iterable[Entry], observed: Iterable[Entry]) -> Plan:
    """The way from `observed` to `desired`.

    Both may be excerpts, as long as they hold whole chains: with a filter, forward or balancer that
    changes come the addresses that refer to it, or the two are the only change.
    """
    new, old = _by_key(desired), _by_key(observed)
    gone = [entry for key, entry in old.items() if key not in new]
    put = [entry for key, entry in new.items() if old.get(key) != entry]
    changed = [old[key] for key in map(_key, put) if key in old]
    size = Count(len(put) - len(changed), len(changed), len(gone))
    heads = _mixing(new, old) if len(put) + len(gone) > 1 else set()
    shut = [entry for entry in gone if entry.map in _SHUT]
    shut += [entry for entry in changed if entry.map == "ports"]
    shut += [old[key] for key in heads]
    put += [new[key] for key in heads if old[key] == new[key]]
    return Plan(
        shut=tuple(sorted(shut, key=lambda entry: (-MAPS.index(entry.map), entry.key))),
        put=tuple(sorted(put, key=lambda entry: (*_rank(entry, old), entry.key))),
        clear=tuple(entry for name in _CLEAR for entry in gone if entry.map == name),
        count=size,
    )


def _mixing(new: Mapping[_Key, Entry], old: Mapping[_Key, Entry]) -> set[_Key]:
    """Addresses of both states on whose old chain two changes would meet."""
    touched = {key for key in new.keys() | old.keys() if new.get(key) != old.get(key)}
    balancers = {
        _balancer_of(key[1])
        for key in touched
        if key[0] == "servers" or (key[0] == "listeners" and key in old and key in new)
    }
    mixing = set()
    for key, entry in old.items():
        if entry.map != "addresses" or key not in new:
            continue
        *filters, way = _referred(entry.value)
        changes = sum(part in touched for part in (key, way, *filters))
        forward = old.get(way)
        if forward is not None and FORWARD.unpack(forward.value)[2] in balancers:
            changes += 1
        if changes > 1:
            mixing.add(key)
    return mixing


def _referred(address: bytes) -> Iterator[_Key]:
    """What a value of `addresses` refers to: its filters, then its forward."""
    _, _, count, forward, *filters = ADDRESS.unpack(address)
    for number in filters[:count]:
        yield "filters", NUMBER.pack(number)
    yield "forwards", NUMBER.pack(forward)


def _balancer_of(key: bytes) -> int:
    """The balancer to which a key of `listeners` or `servers` belongs."""
    number: int = NUMBER.unpack_from(key)[0]
    return number


def _rank(entry: Entry, old: Mapping[_Key, Entry]) -> tuple[int, int]:
    """Where an entry stands among those to put: tail first, but what opens a chain last."""
    opens = entry.map in ("listeners", "addresses") and _key(entry) not in old
    return (1 if opens or entry.map == "ports" else 0), MAPS.index(entry.map)


def _by_key(entries: Iterable[Entry]) -> dict[_Key, Entry]:
    return {_key(entry): entry for entry in entries}


def _key(entry: Entry) -> _Key:
    return entry.map, entry.key
