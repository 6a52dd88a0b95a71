"""From what the maps hold to what they should hold: which entries to drop and put, in which order.

A packet passes along a chain of entries: its port with the filters of that, the address it calls
with the filters of that, their rules and the sets these name, the address's forward, its balancer
with listeners and servers, and the server's neighbour entry. Each entry changes atomically; a plan
of several does not. So its order keeps these promises, wherever it is interrupted:

  1. Nothing passes that neither the old nor the new state lets pass.
  2. What both states let pass along a chain that does not change keeps passing.
  3. A forward that stays is never absent, not for a moment: live flows hang on it. And where both
     states permit a flow, no moment forbids it: it may be held against the rules at any.

Four phases. Shut what goes away, from the head of the chain down: that only narrows. Put what is
new or changed, from the tail up, so that an entry finds what it refers to. Clear what nothing
refers to any more. Open what was not there, heads last. One hole is left: two changes in place on
one chain could let old and new mix. Such a chain is shut at the address, or at the port if both are
on that side, and opened at the end. So is an entry that is about another thing than before: a port
with another workload, a neighbour elsewhere, a prefix of another listener.

Pure: entries in, plan out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import groupby
from typing import Final

import msgspec

from privlink.node.maps import (
    ADDRESS,
    ADDRESS_KEY,
    FILTER,
    FILTER_KEY,
    FORWARD,
    LISTENER,
    LISTENER_KEY,
    MAX_FILTERS,
    NUMBER,
    PAGE_KEY,
    PAGE_RULES,
    PORT,
    RULE,
    SERVER_KEY,
    SET_KEY,
    Direction,
    Entry,
)

# From the tail of the chain to its head.
MAPS: Final = (
    "servers", "neighbours", "listeners", "sets", "rules", "filters", "forwards", "addresses",
    "ports",
)  # fmt: skip

_OPEN: Final = ("ports", "addresses", "listeners", "neighbours")  # a new one is what lets pass
_SHUT: Final = (*_OPEN, "forwards")  # absent means nothing passes
_HEADS: Final = ("ports", "addresses")

_FILTER_FIELDS: Final = 1 + MAX_FILTERS  # of a port, at its end: how many, and which

_Key = tuple[str, bytes]
_Held = Mapping[_Key, Entry]
_Listener = tuple[int, int, int, int]  # balancer, family, protocol, first port as it is in the key

_BALANCING: Final = ("listeners", "servers")


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
    rejudges: bool = False  # flows that run have to be held against the rules anew

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
    reopened = {key for key in changed if _another_thing(old[key], new[key])}
    if len(coming) + len(cleared) > 1:
        reopened |= _mixing(new, old, coming.keys(), changed | cleared)
    opened = {key for key in coming.keys() - changed if key[0] in _OPEN} | reopened
    return Plan(
        shut=_ordered((old[key] for key in gone.keys() - cleared | reopened), backwards=True),
        put=_ordered(entry for key, entry in coming.items() if key not in opened),
        clear=_ordered((old[key] for key in cleared), backwards=True),
        open=_ordered(new[key] for key in opened),
        count=Count(len(coming) - len(changed), len(changed), len(gone)),
        rejudges=any(_may_forbid(key, old, new) for key in coming.keys() | gone.keys()),
    )


def _may_forbid(key: _Key, old: _Held, new: _Held) -> bool:
    """Whether a flow that runs may be one that this change forbids.

    It may have been silent for long: what goes counts too, as it may come back with other rules.
    """
    was, now = old.get(key), new.get(key)
    match key[0]:
        case "sets":
            return True  # who is in it or out of it may meet an accepting or a dropping rule
        case "filters":
            return was is not None  # till it is there, it permits nothing
        case "neighbours":
            return was is not None  # its flows lead to where it was
        case "ports":  # its address may have flows, of whoever had it before
            return now is not None and any(_port_filters(now))
        case "addresses" if was is not None:
            return _address_filters(was) != (_address_filters(now) if now else ())
        case "addresses" if now is not None:  # away, but its forward and so its flows were not
            return ("forwards", NUMBER.pack(ADDRESS.unpack(now.value)[3])) in old
    return False


def _another_thing(old: Entry, new: Entry) -> bool:
    """Whether an entry that changes is about another thing than before."""
    match old.map:
        case "ports":
            workload = slice(-_FILTER_FIELDS)
            return PORT.unpack(old.value)[workload] != PORT.unpack(new.value)[workload]
        case "listeners":
            return _listener(old) != _listener(new)
    return old.map == "neighbours"


def _mixing(new: _Held, old: _Held, coming: Set[_Key], leaving: Set[_Key]) -> set[_Key]:
    """Addresses and ports of both states on whose chain two changes would meet.

    On the old chain meet entries that come, on the new one those whose old value has to leave: what
    is added is complete before an address refers to it, what is cleared goes after none does.
    """
    come, left = _Touched(coming, _balancers(coming, old, new)), _Touched(leaving)
    changes = {
        key: {*_changes(key, old, come), *_changes(key, new, left)}
        for key in old.keys() & new.keys()
        if key[0] in _HEADS
    }
    # A packet passes one of the ports and one of the addresses of a network: one change at each
    # makes two, even if both are of the same set, which is asked for another end of the flow.
    networks = {
        _network(key, old)
        for key, made in changes.items()
        if key[0] == "ports" and len(made) == 1 and not _another_thing(old[key], new[key])
    }
    return {
        key
        for key, made in changes.items()
        if len(made) > 1 or (made and key[0] == "addresses" and _network(key, old) in networks)
    }


def _network(key: _Key, held: _Held) -> int:
    """The network an address or a port is in."""
    if key[0] == "ports":
        return int(PORT.unpack(held[key].value)[0])
    return int(ADDRESS_KEY.unpack(key[1])[0])


class _Touched:
    """Keys that change, with what of them counts as one change: all of a balancer, all of a set."""

    def __init__(self, keys: Set[_Key], balancers: Set[int] = frozenset()) -> None:
        self.keys = keys
        self.balancers = balancers
        self.sets = {SET_KEY.unpack(key)[1] for name, key in keys if name == "sets"}


def _changes(key: _Key, held: _Held, touched: _Touched) -> Iterator[object]:
    """What on the chain of an address or a port changes."""
    if key in touched.keys:
        yield key
    if key[0] == "ports":
        filters, direction = _port_filters(held[key]), Direction.EGRESS
    else:
        filters, direction = _address_filters(held[key]), Direction.INGRESS
        forward = ADDRESS.unpack(held[key].value)[3]
        yield from _way_changes(("forwards", NUMBER.pack(forward)), held, touched)
    for number in filters:
        yield from _filter_changes(("filters", FILTER_KEY.pack(number, direction)), held, touched)


def _port_filters(port: Entry) -> tuple[int, ...]:
    count, *filters = PORT.unpack(port.value)[-_FILTER_FIELDS:]
    return tuple(filters[:count])


def _address_filters(address: Entry) -> tuple[int, ...]:
    _, _, count, _, *filters = ADDRESS.unpack(address.value)
    return tuple(filters[:count])


def _way_changes(way: _Key, held: _Held, touched: _Touched) -> Iterator[object]:
    if way in touched.keys:
        yield way
    forward = held.get(way)
    if forward is not None and (balancer := FORWARD.unpack(forward.value)[1]) in touched.balancers:
        yield "balancer", balancer


def _filter_changes(key: _Key, held: _Held, touched: _Touched) -> Iterator[object]:
    if key in touched.keys:
        yield key
    if touched.sets and (found := held.get(key)) is not None:
        yield from (("set", number) for number in _sets_of(found, held) & touched.sets)


def _sets_of(entry: Entry, held: _Held) -> set[int]:
    """The sets that a filter's rules name; 0 where one names none."""
    count, version = FILTER.unpack(entry.value)
    pages = range((count + PAGE_RULES - 1) // PAGE_RULES)
    keys = (("rules", PAGE_KEY.pack(*FILTER_KEY.unpack(entry.key), version, at)) for at in pages)
    found = filter(None, map(held.get, keys))
    return {rule[2] for page in found for rule in RULE.iter_unpack(page.value)}


def _balancers(touched: Set[_Key], old: _Held, new: _Held) -> set[int]:
    """Balancers whose servers change behind a listener that stays. Others just open or shut."""
    names = {name for name, _ in touched}
    if names.isdisjoint(_BALANCING):
        return set()
    staying = _listeners(old) & _listeners(new)
    changing = {_listener(old.get(key) or new[key]) for key in touched if key[0] in _BALANCING}
    return {listener[0] for listener in changing & staying}


def _listeners(held: _Held) -> set[_Listener]:
    return {_listener(entry) for (name, _), entry in held.items() if name == "listeners"}


def _listener(entry: Entry) -> _Listener:
    """The listener that an entry of `listeners` or `servers` is part of."""
    if entry.map == "servers":
        return SERVER_KEY.unpack(entry.key)[:4]
    _, balancer, family, protocol, _ = LISTENER_KEY.unpack(entry.key)
    return balancer, family, protocol, LISTENER.unpack(entry.value)[1]


def _ordered(entries: Iterable[Entry], *, backwards: bool = False) -> tuple[Entry, ...]:
    """Entries from the tail of the chain to its head, or backwards."""
    return tuple(sorted(entries, key=lambda e: (MAPS.index(e.map), e.key), reverse=backwards))


def _by_key(entries: Iterable[Entry]) -> dict[_Key, Entry]:
    return {(entry.map, entry.key): entry for entry in entries}
