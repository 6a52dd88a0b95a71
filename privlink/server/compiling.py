"""The present items and documents behind keys of the change feed: fetched, then compiled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from privlink.store.database import Transaction

P = TypeVar("P")
T = TypeVar("T")
# From the names in keys of one kind to what there is of them, by key.
Compiler = Callable[[Transaction, Iterable[str]], dict[str, T]]


def of_parts(
    fetch: Callable[[Transaction, Iterable[str]], Mapping[str, P]],
    compile_one: Callable[[P], T | None],
) -> Compiler[T]:
    """A compiler: how its parts are fetched, and what is made of them, which may be nothing."""

    def compiled(tx: Transaction, names: Iterable[str]) -> dict[str, T]:
        made = {key: compile_one(found) for key, found in fetch(tx, names).items()}
        return {key: each for key, each in made.items() if each is not None}

    return compiled


def present(
    tx: Transaction, keys: Iterable[str], compilers: Mapping[str, Iterable[Compiler[T]]]
) -> dict[str, T]:
    """What there is of some keys, by compilers of each kind; a key that is missing is gone."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        kind, _, name = key.partition("/")
        by_kind[kind].append(name)
    return {
        key: compiled
        for kind, names in by_kind.items()
        for compiled_of in compilers[kind]
        for key, compiled in compiled_of(tx, names).items()
    }
