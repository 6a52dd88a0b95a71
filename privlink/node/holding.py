"""What this node should hold, what it holds, and the one verb between the two: settle.

Level, not edge: a settling takes keys, looks at their present items and links, and changes what
differs. With `whole` it compares with the kernel itself, else with what it remembers to have put
there, so that its cost follows the keys. An item the kernel refuses, or that cannot be made true
for whatever reason, is noted as a fault and tried again by the next whole settling; till then it is
closed, or as it was, but for a filter, which may not stay wider than it should be.
An attachment whose link is not there yet is no fault.
What a balancer comes to also depends on its servers' health, which the monitor knows: it says which
items to look at again, and is told what to watch and when there is a way to it. So does who
resolves the names of doors.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

import msgspec

from privlink.model.items import (
    AnyItem,
    Attachment,
    Balancer,
    Door,
    Filter,
    Segment,
)
from privlink.node import chains
from privlink.node.chains import Chains, Name
from privlink.node.entries import Circumstances, entries, port_entries
from privlink.node.errors import KernelError
from privlink.node.feed import Delivery
from privlink.node.health.monitor import Monitor
from privlink.node.kernel import Kernel
from privlink.node.links import Link, bridge_name, workload_name
from privlink.node.names_namespace import NamesNamespace
from privlink.node.program.maps import Entry
from privlink.node.reconcile import Count, needs_chains, plan
from privlink.node.resolving.resolver import Resolver
from privlink.node.telling.meter import openings
from privlink.node.telling.names import Names

log = logging.getLogger(__name__)

_STRAY: Final = ""  # the key of entries that follow from no item
_OWN: Final = "node"  # of those that the node needs itself
_Entries = frozenset[Entry]
_NONE: Final[_Entries] = frozenset()


class Outcome(msgspec.Struct, frozen=True):
    """What a settling came to; as text, the sentence for the log."""

    count: Count
    refused: int
    news: bool  # faults or links came or went

    @property
    def changed(self) -> bool:
        """Whether the server should hear of it."""
        return self.news or self.count != Count()

    def __str__(self) -> str:
        return (
            f"{self.count.added} added, {self.count.changed} changed, "
            f"{self.count.dropped} dropped, {self.refused} refused"
        )


class Holding:
    """Items by key, with the map entries and faults that came of them."""

    def __init__(
        self,
        kernel: Kernel,
        monitor: Monitor | None = None,
        resolver: Resolver | None = None,
        names: NamesNamespace | None = None,
    ) -> None:
        """`names` is where questions for names arrive; None: they are answered nowhere."""
        self.faults: dict[str, str] = {}  # refused items by key, with the reason
        self.plugged: dict[str, bool] = {}  # attachments by key: whether their link is there
        self.names = Names()
        self.complete = False  # a full answer was taken; before that, to compare is to destroy
        self._kernel = kernel
        self._monitor = monitor or Monitor()
        self._resolver = resolver or Resolver()
        self._answering = names
        self._items: dict[str, AnyItem] = {}
        self._unreadable: dict[str, str] = {}
        self._applied: dict[str, _Entries] = {}
        self._chains = Chains()
        self._by_link: dict[str, str] = {}
        self._leftovers: set[str] = set()
        self._taking = False  # what is left out meanwhile may not be gone
        self._placed: tuple[tuple[AnyItem, ...], dict[int, list[int]]] = ((), {})
        self._doubted = False  # a settling broke off: what is remembered may not be what is there

    def take(self, *deliveries: Delivery) -> Outcome:
        """Make answers of the feed true, in one settling. Taking one again does no harm."""
        keys: set[str] = set()
        touched: set[Name] = set()
        self._taking = True
        for delivery in deliveries:
            answer = delivery.answer
            named = {change.key for change in answer.items}
            if answer.full:
                named |= self._items.keys() | self._unreadable.keys()
            touched |= self._forget(named)
            for change in answer.items:
                try:
                    item = change.desired()
                except ValueError as error:
                    self._unreadable[change.key] = f"no item of this node: {error}"
                else:
                    touched |= self._learn(change.key, item)
            self.complete |= answer.full
            self._leftovers |= delivery.present
            keys |= named
        self._taking = False
        whole = any(delivery.answer.full for delivery in deliveries)
        return self._settle(keys, touched, whole=whole)

    def look(self, names: Iterable[str]) -> Outcome:
        """Look again at some links."""
        return self._settle({self._by_link[name] for name in names if name in self._by_link})

    def look_at_servers(self) -> Outcome:
        """Look again at items whose servers went down or came back, or are elsewhere."""
        keys, named = self._monitor.changed(), self._resolver.changed()
        try:
            return self._settle((keys | named) & self._items.keys())
        except BaseException:
            self._monitor.look_again(keys)
            self._resolver.look_again(named)
            raise

    def sweep(self) -> Outcome:
        """Compare everything with the kernel and repair what drifted. Only when `complete`."""
        assert self.complete
        return self._settle({*self._by_link.values(), *self.faults}, whole=True)

    def openings(self) -> dict[int, list[int]] | None:
        """The places there are, with their openings; None until all are known. For any thread."""
        if not self.complete or self._taking:
            return None
        items = tuple(self._items.values())
        before, placed = self._placed
        if items != before:
            placed = openings(items)
            self._placed = items, placed
        return placed

    def _forget(self, keys: Iterable[str]) -> set[Name]:
        touched = set[Name]()
        for key in keys:
            self._unreadable.pop(key, None)
            item = self._items.pop(key, None)
            if item is None:
                continue
            self.names.forget(item)
            touched |= self._chains.forget(key, item)
            link = _link_name(item)
            if link is not None and self._by_link.get(link) == key:
                del self._by_link[link]
                self._leftovers.add(link)
        return touched

    def _learn(self, key: str, item: AnyItem | None) -> set[Name]:
        if item is None:
            return set()
        self._items[key] = item
        self.names.learn(key, item)
        link = _link_name(item)
        if link is not None:
            self._by_link[link] = key
        return self._chains.learn(key, item)

    def _settle(
        self, keys: Iterable[str], touched: Iterable[Name] = (), *, whole: bool = False
    ) -> Outcome:
        whole = whole or (self._doubted and self.complete)
        self._doubted = True
        faults: dict[str, str] = {}
        plugged = dict(self.plugged)
        keys = set(keys)
        # A class is there before a forward bears its number.
        asked = {key: tuple(chains.openings(self._items.get(key))) for key in keys}
        self._kernel.shaper.settle(asked, verify=whole)
        wanted = self._wanted(keys, faults, whole=whole)
        if whole:
            wanted = {**self._applied, _OWN: self._own_entries(), **wanted}
            held = self._observed(wanted)
        else:
            held = {key: self._applied.get(key, _NONE) for key in wanted}
        same = dict[str, _Entries]()
        if not whole:
            same = self._same(self._chains.ends(touched) - wanted.keys())
            if needs_chains(_all({**same, **wanted}), _all({**same, **held})):
                same = self._same(self._chains.over(touched) - wanted.keys())
        work = plan(_all({**same, **wanted}), _all({**same, **held}))
        try:
            self._kernel.carry_out(work)
            self._remember(wanted)
        except KernelError:
            self._settle_each(wanted, faults)
        self._ask_servers(wanted, held)
        self._remove_leftovers()
        told = {key: self.faults[key] for key in wanted if key in self.faults}
        for key in wanted:
            self.faults.pop(key, None)
        self.faults.update(faults)
        self._doubted = False
        return Outcome(work.count, len(faults), faults != told or plugged != self.plugged)

    def _own_entries(self) -> _Entries:
        """What the node itself needs, as soon as there is anything."""
        answering = self._answering.own_entries() if self._answering else []
        return frozenset(chain(self._monitor.own_entries(), answering))

    def _same(self, keys: Iterable[str]) -> dict[str, _Entries]:
        """What stays as it is of some items."""
        return {key: self._applied[key] for key in keys if key in self._applied}

    def _ask_servers(self, wanted: Mapping[str, _Entries], held: Mapping[str, _Entries]) -> None:
        """Ask servers that are new, or whose links are, now that there is a way to them."""
        for key, there in wanted.items():
            item = self._items.get(key)
            if isinstance(item, Attachment) and there != held.get(key, _NONE):
                self._monitor.moved(item.network, (item.address, item.address6))
        self._monitor.begin()
        self._resolver.begin()

    def _settle_each(self, wanted: Mapping[str, _Entries], faults: dict[str, str]) -> None:
        """One item after the other, to find the one the kernel refuses; a slow path.

        What `plan` promises holds for each of them, not for two that change together.
        """
        every = {**self._applied, **wanted}
        held = self._observed(every)
        for key in (_STRAY, *every):
            try:
                self._kernel.carry_out(plan(every.get(key, _NONE), held.get(key, _NONE)))
            except KernelError as error:
                log.warning("%s: %s", key or "leftover entries", error)
                if key:
                    faults[key] = str(error)
                if isinstance(self._items.get(key), Filter):
                    self._close(held.get(key, _NONE))
        held = self._observed(every)
        self._remember({key: held.get(key, _NONE) for key in every})

    def _close(self, held: _Entries) -> None:
        try:
            self._kernel.carry_out(plan(_NONE, held))
        except KernelError as error:
            log.warning("what is left of it stays for now: %s", error)

    def _remember(self, held: Mapping[str, _Entries]) -> None:
        for key, what in held.items():
            if what:
                self._applied[key] = what
            else:
                self._applied.pop(key, None)

    def _observed(self, wanted: Mapping[str, _Entries]) -> dict[str, _Entries]:
        """What the maps hold, under the keys of the items that want it so or otherwise."""
        owners = {(e.map, e.key): key for key, some in wanted.items() for e in some}
        held: defaultdict[str, set[Entry]] = defaultdict(set)
        for entry in self._kernel.observed():
            held[owners.get((entry.map, entry.key), _STRAY)].add(entry)
        return {key: frozenset(some) for key, some in held.items()}

    def _wanted(
        self, keys: Iterable[str], faults: dict[str, str], *, whole: bool
    ) -> dict[str, _Entries]:
        """The entries that follow from each item's present state; links are settled on the way."""
        known = self._kernel.fabric.links() if whole else {}

        def find(name: str) -> Link | None:
            return known.get(name) or self._kernel.fabric.link(name)

        def bridges_first(key: str) -> bool:
            return not isinstance(self._items.get(key), Segment)

        wanted = {}
        for key in sorted(keys, key=bridges_first):
            wanted[key] = _NONE
            self.plugged.pop(key, None)
            try:
                wanted[key] = self._compile(key, find, whole=whole)
            except (KernelError, ValueError) as error:
                faults[key] = str(error)
            except Exception as error:  # one item must not stand in the way of all others
                faults[key] = f"{type(error).__name__}: {error}"
                if self.faults.get(key) != faults[key]:
                    log.exception("%s cannot be made true", key)
        return wanted

    def _compile(self, key: str, find: Callable[[str], Link | None], *, whole: bool) -> _Entries:
        """The entries of one item. Raises ValueError or KernelError where there can be none."""
        if key in self._unreadable:
            raise ValueError(self._unreadable[key])
        item = self._items.get(key)
        if not isinstance(item, Balancer):
            self._monitor.forget(key)
        if not isinstance(item, Door):
            self._resolver.forget(key)
        if item is None:
            return _NONE
        if isinstance(item, Balancer):
            return self._compile_balancer(key, item)
        if isinstance(item, Door):
            return self._compile_door(key, item)
        if isinstance(item, Segment):
            bridge = find(bridge_name(item.number))
            if bridge is None or not bridge.up:
                self._kernel.fabric.make_bridge(bridge_name(item.number))
        if not isinstance(item, Attachment):
            return frozenset(self._entries(item))
        name, bridge_port = workload_name(item.number), bridge_name(item.segment)
        link, bridge = find(name), find(bridge_port)
        self.plugged[key] = link is not None
        if link is None:
            return _NONE
        if bridge is None:
            raise ValueError(f"bridge {bridge_port}, which {name} belongs to, is not there")
        self._kernel.connect(link, bridge, item.mac, verify=whole)
        return frozenset(port_entries(item, link.index, peer=link.peered))

    def _entries(self, item: AnyItem) -> Iterable[Entry]:
        shaper = self._kernel.shaper
        for opening in chains.openings(item):
            if opening.connection in shaper.refused and opening.bandwidth:
                raise ValueError(shaper.refused[opening.connection])
        return entries(item, Circumstances(paces=shaper.paces))

    def _compile_balancer(self, key: str, item: Balancer) -> _Entries:
        """Where it leads while some of its servers are down, and how these are asked."""
        self._monitor.watch(key, item)
        circumstances = Circumstances(down=self._monitor.down(key))
        return frozenset(chain(entries(item, circumstances), self._monitor.entries(key)))

    def _compile_door(self, key: str, item: Door) -> _Entries:
        """Where it leads by what its name leads to, and how that is asked for."""
        self._resolver.watch(key, item)
        circumstances = Circumstances(targets=self._resolver.targets(key))
        return frozenset(chain(entries(item, circumstances), self._resolver.entries(key)))

    def _remove_leftovers(self) -> None:
        """Remove links whose item went; workloads' links before the bridges they are ports of."""
        for name in sorted(self._leftovers - self._by_link.keys()):
            try:
                self._kernel.fabric.remove(name)
            except KernelError as error:
                log.warning("leftover link %s stays for now: %s", name, error)
            else:
                self._leftovers.discard(name)
        self._leftovers -= self._by_link.keys()


def _link_name(item: AnyItem) -> str | None:
    if isinstance(item, Segment):
        return bridge_name(item.number)
    if isinstance(item, Attachment):
        return workload_name(item.number)
    return None


def _all(parts: Mapping[str, _Entries]) -> Iterator[Entry]:
    return chain.from_iterable(parts.values())
