"""From what the maps hold to what they should hold: which entries to drop and put, in which order.

A packet passes along a chain of entries: its port with the filters of that, the address it calls
(or door, or route) with the filters of that, their rules and the sets these name, the address's
forward, its balancer with listeners and servers, and the server's neighbour entry. Each entry
changes atomically; a plan of several does not. So its order keeps these promises, wherever it is
interrupted:

  1. Nothing passes that neither the old nor the new state lets pass.
  2. What both states let pass along a chain that does not change keeps passing. A ping is answered
     at the address, and the chain behind that is its own too.
  3. A forward that stays is never absent, not for a moment: live flows hang on it. And where both
     states permit a flow, no moment forbids it: it may be held against the rules at any.

Four phases. Shut what goes away, from the head of the chain down: that only narrows. Put what is
new or changed, from the tail up, so that an entry finds what it refers to. Clear what nothing
refers to any more. Open what was not there, heads last. One hole is left: two changes in place on
one chain could let old and new mix. Such a chain is shut at the address, or at the port if both are
on that side, and opened at the end. So is an entry that is about another thing than before: a port
with another workload, a neighbour elsewhere, a prefix of another listener.

A route takes addresses from a wider one, and gives them back: it neither just opens nor just shuts.
So routes come and go between the two, when what goes behind any of them is gone and what comes is
not yet there.

Pure: entries in, plan out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import groupby
from typing import Final

import msgspec

from privlink.node.program.maps import (
    ADDRESS_BITS,
    FILTER_KEY,
    MAPPED,
    ROUTE_KEY,
    ROUTE_PREFIX,
    RULE,
    SET_KEY,
    Direction,
    Entry,
)
from privlink.node.reading import (
    Held,
    Key,
    Listener,
    address_filters,
    called_of,
    listener_of,
    network_of,
    pages_of,
    port_filters,
    table_of,
    way_of,
    workload_of,
)

# From the tail of the chain to its head.
MAPS: Final = (
    "targets", "servers", "neighbours", "listeners", "sets", "rules", "filters", "forwards",
    "addresses", "doors", "routes", "ports",
)  # fmt: skip

CALLED: Final = ("addresses", "doors", "routes")
_OPEN: Final = ("ports", "addresses", "doors", "listeners", "neighbours")  # new ones let pass
_SHUT: Final = (*_OPEN, "forwards", "routes")  # absent means nothing passes, or a wider route
_HEADS: Final = ("ports", *CALLED)
_INNER: Final = ("rules", "sets")  # what a filter stands for

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
    rejudges: bool = False  # flows that run have to be held against all that anew

    def steps(self) -> Iterator[tuple[bool, str, list[Entry]]]:
        """Runs of entries of one map, each for one system call: (put or delete, map, entries)."""
        phases = (False, self.shut), (True, self.put), (False, self.clear), (True, self.open)
        for put, entries in phases:
            for name, run in groupby(entries, key=lambda entry: entry.map):
                yield put, name, list(run)


def plan(desired: Iterable[Entry], observed: Iterable[Entry]) -> Plan:
    """The way from `observed` to `desired`.

    Both may be excerpts, of whole items and, with a forward that changes, of the doors and tables
    that lead over it; of whole chains where `needs_chains`.
    """
    new, old = _by_key(desired), _by_key(observed)
    gone = {key: entry for key, entry in old.items() if key not in new}
    coming = {key: entry for key, entry in new.items() if old.get(key) != entry}
    changed = coming.keys() & old.keys()
    cleared = {key for key in gone if key[0] not in _SHUT}
    reopened = {key for key in changed if _another_thing(old[key], new[key])}
    if len(coming) + len(gone) > 1:
        reopened |= _mixing(new, old, coming.keys(), changed | cleared)
    opened = {key for key in coming.keys() - changed if key[0] in _OPEN} | reopened
    routes = {key for key in coming.keys() | gone.keys() if key[0] == "routes"} - changed
    shut = gone.keys() - cleared | reopened
    return Plan(
        shut=(
            *_ordered((old[key] for key in shut - routes), backwards=True),
            *_ordered((old[key] for key in shut & routes), backwards=True),
        ),
        put=(
            *_ordered(new[key] for key in coming.keys() & routes),
            *_ordered(new[key] for key in coming.keys() - routes - opened),
        ),
        clear=_ordered((old[key] for key in cleared), backwards=True),
        open=_ordered(new[key] for key in opened),
        count=Count(len(coming) - len(changed), len(changed), len(gone)),
        rejudges=any(_may_forbid(key, old, new) for key in coming.keys() | gone.keys()),
    )


def needs_chains(desired: Iterable[Entry], observed: Iterable[Entry]) -> bool:
    """Whether changes may meet on a chain, so that `plan` has to be given the whole of it.

    The two are excerpts as `plan` takes them. What they lack are addresses and ports that stay as
    they are, which share filters, sets, balancers and tables with others: if one of these changes,
    in steps of which a packet sees one at most, and no address or port that stays, nothing can
    meet.
    """
    new, old = _by_key(desired), _by_key(observed)
    coming = {key for key, entry in new.items() if old.get(key) != entry}
    touched = coming | {key for key in old.keys() - new.keys() if key[0] not in _SHUT}
    shared = len(_balancers(coming, old, new)) + sum(_set_changes(touched).values())
    tables = _turning(new, old)
    if any(tables.values()):
        return True
    shared += len(tables) + sum(key[0] == "filters" for key in touched)
    shared += sum(
        (key in old and key in new) or _drifts(key, touched) for key in touched if key[0] == "rules"
    )
    return shared > 1 or (
        shared == 1
        and any(
            not coming.isdisjoint({key, way_of(old[key]), way_of(new[key])})
            if key[0] in CALLED
            else key in coming
            for key in old.keys() & new.keys()
            if key[0] in _HEADS and key[0] != "routes"
        )
    )


def _drifts(key: Key, touched: Set[Key]) -> bool:
    """Whether a page comes or goes under a filter that stays."""
    return ("filters", key[1][: FILTER_KEY.size]) not in touched


def _may_forbid(key: Key, old: Held, new: Held) -> bool:
    """Whether a flow that runs may be one that this change forbids.

    It may have been silent for long: what goes counts too, as it may come back with other rules.
    """
    was, now = old.get(key), new.get(key)
    match key[0]:
        case "sets":
            return True  # who is in it or out of it may meet an accepting or a dropping rule
        case "filters":
            return was is not None  # till it is there, it permits nothing
        case "rules":
            return was is not None and now is not None  # a version that collides
        case "neighbours" | "forwards" | "targets":
            return was is not None  # its flows lead to where it was, or by what it said
        case "ports":  # its address may have flows, of whoever had it before
            return now is not None and (any(port_filters(now)) or _other_table(was, now))
        case "routes":
            return True  # it may be the way of flows, or a longer prefix takes them from theirs
        case "addresses" | "doors" if was is not None:
            return address_filters(was) != (address_filters(now) if now else ())
        case "addresses" | "doors" if (
            now is not None
        ):  # away, but its forward and so its flows were not
            return way_of(now) in old
    return False


def _another_thing(old: Entry, new: Entry) -> bool:
    """Whether an entry that changes is about another thing than before."""
    match old.map:
        case "ports":
            return workload_of(old) != workload_of(new)
        case "listeners":
            return listener_of(old) != listener_of(new)
    return old.map == "neighbours"


def _mixing(new: Held, old: Held, coming: Set[Key], leaving: Set[Key]) -> set[Key]:
    """Addresses and ports of both states on whose chain two changes would meet.

    On the old chain meet entries that come, on the new one those whose old value has to leave: what
    is added is complete before an address refers to it, what is cleared goes after none does.
    """
    come, left = _Touched(coming, old, _balancers(coming, old, new)), _Touched(leaving, new)
    changes = {
        key: {*come.on_chain(key), *left.on_chain(key)}
        for key in old.keys() & new.keys()
        if key[0] in _HEADS
    }
    # A packet passes one of the ports and one of the addresses of a network: one change at each
    # makes two, even if both are of the same set, which is asked for another end of the flow;
    # unless that changes in one step. Then the address is shut, but for routes the port: without
    # its route the next shorter one would hold.
    tables = _turning(new, old)
    networks = defaultdict[int, set[object]](set)
    for key, made in changes.items():
        if key[0] == "ports" and len(made) == 1 and not _another_thing(old[key], new[key]):
            networks[network_of(key, old)] |= made
    atomic = {change for change, times in _set_changes(coming | leaving).items() if times == 1}
    return {
        key
        for key, made in changes.items()
        if key[0] != "routes"
        and (
            len(made) > 1
            or (made and key[0] in CALLED and networks[network_of(key, old)] - (made & atomic))
            or (key[0] == "ports" and _meets(tables, (old[key], new[key]), made))
        )
    }


def _meets(tables: Mapping[int, bool], port: Iterable[Entry], made: Set[object]) -> bool:
    """Whether changes of a port's tables meet each other, or what else is made on its chain."""
    turning = tables.keys() & {table_of(entry) for entry in port}
    return bool(turning and made) or any(tables[table] for table in turning)


def _turning(new: Held, old: Held) -> dict[int, bool]:
    """Tables whose routes or ways change, each with whether changes in it meet.

    They do where a route comes or goes within another that does not do the same: the wider one
    would hold, in a moment, where it holds neither before nor after. Where both do the same, their
    order sees to it.
    """
    tables = defaultdict[int, dict[tuple[int, int], str]](dict)
    for key in {key for key in old.keys() | new.keys() if key[0] == "routes"}:
        was, now = old.get(key), new.get(key)
        deed = "goes" if now is None else "comes" if was is None else "turns"
        ways = {way_of(entry) for entry in (was, now) if entry}
        if was != now or any(old.get(way) != new.get(way) for way in ways):
            prefix, table, address = ROUTE_KEY.unpack(key[1])
            bits = prefix - ROUTE_PREFIX + ADDRESS_BITS
            tables[table][bits, int.from_bytes(address) >> (ADDRESS_BITS - bits)] = deed
    return {table: _nested(routes) for table, routes in tables.items()}


def _nested(routes: Mapping[tuple[int, int], str]) -> bool:
    """Whether one comes or goes within another that does not do the same."""
    lengths = {bits for bits, _ in routes}
    return any(
        deed not in ("turns", routes.get((shorter, block >> (bits - shorter)), deed))
        for (bits, block), deed in routes.items()
        for shorter in lengths
        if shorter < bits
    )


def _set_changes(touched: Set[Key]) -> dict[object, int]:
    """Sets that change, each with how many steps of that one flow could see.

    A flow is of one family, so that one address of each is one step.
    """
    steps = Counter(
        (number, at.startswith(MAPPED))
        for name, key in touched
        if name == "sets"
        for _, number, at in (SET_KEY.unpack(key),)
    )
    changes = dict[object, int]()
    for (number, _), times in steps.items():
        changes["set", number] = max(times, changes.get(("set", number), 0))
    return changes


class _Touched:
    """Keys that change, and the chains of one state that they lie on.

    All that changes of a balancer, and all of a set, counts as one change.
    """

    def __init__(self, keys: Set[Key], held: Held, balancers: Set[int] = frozenset()) -> None:
        self._keys = keys
        self._held = held
        self._balancers = balancers
        self._sets = {SET_KEY.unpack(key)[1] for name, key in keys if name == "sets"}
        self._inner = any(name in _INNER for name, _ in keys)
        self._of_filters: dict[Key, frozenset[object]] = {}  # thousands may share one

    def on_chain(self, key: Key) -> Iterator[object]:
        """What on the chain of an address or a port changes."""
        if key in self._keys:
            yield key
        if key[0] == "ports":
            filters, direction = port_filters(self._held[key]), Direction.EGRESS
        else:
            filters, direction = address_filters(self._held[key]), Direction.INGRESS
            yield from self._on_way(self._held[key])
        for number in filters:
            yield from self._of_filter(("filters", FILTER_KEY.pack(number, direction)))

    def _on_way(self, called: Entry) -> Iterator[object]:
        way, balancer = way_of(called), called_of(called)[5]
        if way in self._keys:
            yield way
        if balancer in self._balancers:
            yield "balancer", balancer

    def _of_filter(self, key: Key) -> frozenset[object]:
        known = self._of_filters.get(key)
        if known is None:
            known = self._of_filters[key] = frozenset(self._on_filter(key))
        return known

    def _on_filter(self, key: Key) -> Iterator[object]:
        if key in self._keys:
            yield key
        found = self._held.get(key)
        if found is None or not self._inner:
            return
        for page in pages_of(found):
            if page in self._keys:
                yield page
            if page in self._held:
                rules = RULE.iter_unpack(self._held[page].value)
                yield from (("set", number) for number in {rule[2] for rule in rules} & self._sets)


def _other_table(was: Entry | None, now: Entry) -> bool:
    """Whether other routes than before may hold for a port: one that comes may have been away."""
    return (table_of(was) if was else 0) != table_of(now)


def _balancers(touched: Set[Key], old: Held, new: Held) -> set[int]:
    """Balancers whose servers change behind a listener that stays. Others just open or shut."""
    names = {name for name, _ in touched}
    if names.isdisjoint(_BALANCING):
        return set()
    staying = _listeners(old) & _listeners(new)
    changing = {listener_of(old.get(key) or new[key]) for key in touched if key[0] in _BALANCING}
    return {listener[0] for listener in changing & staying}


def _listeners(held: Held) -> set[Listener]:
    return {listener_of(entry) for (name, _), entry in held.items() if name == "listeners"}


def _ordered(entries: Iterable[Entry], *, backwards: bool = False) -> tuple[Entry, ...]:
    """Entries from the tail of the chain to its head, or backwards.

    A route that comes does so before a wider one, and goes after it.
    """

    def place(entry: Entry) -> tuple[int, int, bytes]:
        narrow = ROUTE_KEY.unpack(entry.key)[0] if entry.map == "routes" else 0
        return MAPS.index(entry.map), -narrow, entry.key

    return tuple(sorted(entries, key=place, reverse=backwards))


def _by_key(entries: Iterable[Entry]) -> dict[Key, Entry]:
    return {(entry.map, entry.key): entry for entry in entries}
