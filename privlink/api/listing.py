"""Lists that may be long: a page of one is fetched, not the list. The oldest comes first.

The database sifts by columns, tags and groups. A status is derived from facts, so for a list by
status everything is looked at, a few hundred at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from privlink.api import grouping
from privlink.api.action import Call
from privlink.api.paging import place_of, token_after
from privlink.model.ids import ResourceGroupId
from privlink.model.privatelink import Endpoint, EndpointService
from privlink.store import endpoints
from privlink.store.database import Transaction
from privlink.store.endpoints import Facts
from privlink.store.pages import START, Place, Tagged, Wanted

_AT_ONCE = 500
T = TypeVar("T", Endpoint, EndpointService)
Fetch = Callable[[Place, int], list[T]]


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """A page, how much there is on all pages together, and the token of the next one."""

    page: Sequence[T]
    total: int
    following: str | msgspec.UnsetType


def wanted(
    call: Call, equal: dict[str, Any], tagged: Tagged | None = None, group_id: str | None = None
) -> Wanted:
    """What is asked of a list; columns that are None do not matter."""
    return Wanted(
        {name: value for name, value in equal.items() if value is not None},
        tagged,
        None if group_id is None else ResourceGroupId(group_id),
        group_id == grouping.default_id(call.account_id),
    )


def page(fetch: Fetch[T], total: Callable[[], int], size: int, token: str) -> Listed[T]:
    """One page of what `fetch` finds. Raises UnknownToken."""
    return _listed(fetch(_begin(token), size + 1), total(), size)


def page_of_kept(
    tx: Transaction, fetch: Fetch[Endpoint], keep: Callable[[Facts], bool], size: int, token: str
) -> Listed[Endpoint]:
    """One page of those endpoints that are to be kept for their statuses."""
    begin, after, total = _begin(token), START, 0
    found: list[Endpoint] = []
    while some := fetch(after, _AT_ONCE):
        after = _place(some[-1])
        kept = [facts.endpoint for facts in endpoints.facts(tx, some) if keep(facts)]
        total += len(kept)
        found += [each for each in kept if _place(each) > begin][: size + 1 - len(found)]
    return _listed(found, total, size)


def merged(fetches: Iterable[Fetch[T]]) -> Fetch[T]:
    """Several lists as one."""
    every = list(fetches)

    def fetch(after: Place, size: int) -> list[T]:
        return list(heapq.merge(*(each(after, size) for each in every), key=_place))[:size]

    return fetch


def _listed(found: list[T], total: int, size: int) -> Listed[T]:
    page = found[:size]
    following = token_after(" ".join(_place(page[-1]))) if len(found) > size else msgspec.UNSET
    return Listed(page, total, following)


def _begin(token: str) -> Place:
    moment, _, last = place_of(token).partition(" ")
    return moment, last


def _place(found: Endpoint | EndpointService) -> Place:
    return found.created_at, found.id
