"""Which items lead over which: whoever plans a change is given the chains that it lies on.

An item provides names and refers to those of others: a door and a route table to openings, which
come with a forward of their own. Entries of the kernel are not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from privlink.model.items import (
    AnyItem,
    Attachment,
    Balancer,
    Door,
    Filter,
    Forward,
    Members,
    Opening,
    RouteTable,
)

Name = tuple[type, int]


class Chains:
    """Items by key, as far as they lead over others."""

    def __init__(self) -> None:
        self._users: defaultdict[Name, set[str]] = defaultdict(set)
        self._onward: dict[str, Name] = {}  # of users, what those see of them who use them

    def learn(self, key: str, item: AnyItem) -> set[Name]:
        """Take an item in, and say what others know it by."""
        for name in _references(item):
            self._users[name].add(key)
        if isinstance(item, (Filter, RouteTable)):
            self._onward[key] = type(item), item.number
        return set(_names(item))

    def forget(self, key: str, item: AnyItem) -> set[Name]:
        """Take an item out, and say what others know it by."""
        for name in _references(item):
            self._users[name].discard(key)
        self._onward.pop(key, None)
        return set(_names(item))

    def ends(self, touched: Iterable[Name]) -> set[str]:
        """The doors and route tables that lead over one of these openings."""
        return {key for name in touched if name[0] is Opening for key in self._users.get(name, ())}

    def over(self, touched: Iterable[Name]) -> set[str]:
        """The items whose chain leads over one of these."""
        found: set[str] = set()
        names = list(touched)
        while names:
            users = self._users.get(names.pop(), set()) - found
            found |= users
            names.extend(self._onward[key] for key in users if key in self._onward)
        return found


def openings(item: AnyItem | None) -> Iterator[Opening]:
    """The openings that come with an item."""
    if isinstance(item, Forward):
        yield from filter(None, (item.opening, item.replaced))


def _names(item: AnyItem) -> Iterator[Name]:
    if isinstance(item, (Members, Filter, Balancer, RouteTable)):
        yield type(item), item.number
    for opening in openings(item):
        yield Opening, opening.number


def _references(item: AnyItem) -> Iterator[Name]:
    match item:
        case Attachment():
            yield RouteTable, item.table
            yield from ((Filter, number) for number in item.filters)
        case Forward():
            yield from ((Filter, number) for number in item.filters)
            if item.opening is not None:
                yield Balancer, item.opening.balancer
        case Door():
            yield Opening, item.opening
        case RouteTable():
            yield from ((Opening, route.opening) for route in item.routes if route.opening)
        case Filter():
            rules = (*item.rules, *item.egress)
            yield from ((Members, number) for number in {rule.members for rule in rules} - {0})
