"""A map that is never changed: a change makes another one, which shares all that is the same.

It is split into shards by the hash of the key, and an edit copies those that it touches. What a
change costs follows the change, however much the map holds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

_SHARDS: Final = 1024
_MASK: Final = _SHARDS - 1

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Table(Generic[Key, Value]):
    """An immutable map."""

    __slots__ = ("_shards",)

    def __init__(self, shards: tuple[dict[Key, Value], ...] = ()) -> None:
        nothing: dict[Key, Value] = {}
        self._shards = shards or (nothing,) * _SHARDS

    def get(self, key: Key) -> Value | None:
        """The value of a key."""
        return self._shards[hash(key) & _MASK].get(key)

    def __contains__(self, key: Key) -> bool:
        return key in self._shards[hash(key) & _MASK]

    def __iter__(self) -> Iterator[Key]:
        for shard in self._shards:
            yield from shard

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    def items(self) -> Iterator[tuple[Key, Value]]:
        """All keys and their values."""
        for shard in self._shards:
            yield from shard.items()

    def differing(self, other: Table[Key, Value]) -> Iterator[Key]:
        """The keys whose values are not the same objects in another map, at the cost of these."""
        for here, there in zip(self._shards, other._shards, strict=True):
            if here is not there:
                both = here.keys() | there.keys()
                yield from (key for key in both if here.get(key) is not there.get(key))

    def edited(self) -> Edit[Key, Value]:
        """The beginning of another map that begins as this one."""
        return Edit(self._shards)


class Edit(Generic[Key, Value]):
    """A map in the making."""

    __slots__ = ("_before", "_shards")

    def __init__(self, shards: tuple[dict[Key, Value], ...]) -> None:
        self._before = shards
        self._shards = list(shards)

    def get(self, key: Key) -> Value | None:
        """The value of a key, as it is by now."""
        return self._shards[hash(key) & _MASK].get(key)

    def put(self, key: Key, value: Value | None) -> None:
        """Give a key a value, or with None take it out."""
        number = hash(key) & _MASK
        shard = self._shards[number]
        if shard is self._before[number]:
            shard = self._shards[number] = shard.copy()
        if value is None:
            shard.pop(key, None)
        else:
            shard[key] = value

    def done(self) -> Table[Key, Value]:
        """The map. The edit is over."""
        return Table(tuple(self._shards))
