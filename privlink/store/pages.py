"""Lists in pages: what belongs to somebody, oldest first, narrowed in SQL.

A page costs what is on it, as long as one owner's index leads to it and few rows are passed over.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    Table,
    bindparam,
    exists,
    func,
    select,
    tuple_,
)

from privlink.model.ids import AccountId, ResourceGroupId
from privlink.store import schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, Query

T = TypeVar("T", bound=msgspec.Struct)
Place = tuple[str, str]  # creation time and id: after which a page begins
START: Place = ("", "")
_FEW = 500

_tag, _member = schema.resource_tag, schema.group_member
# Values that stand for rows of other tables -> the table, the column that leads there, the value's.
_THROUGH = {
    "carried_by": (schema.service_resource, "service_id", "resource_id"),
    "leads_to": (schema.endpoint_zone, "endpoint_id", "resource_id"),
    "led_to": (schema.endpoint_zone, "endpoint_id", "replaced_resource_id"),
    "has_eni": (schema.endpoint_zone, "endpoint_id", "eni_id"),
    "has_placed": (schema.endpoint_zone, "endpoint_id", "placed"),
    "decision": (schema.connection, "endpoint_id", "decision"),
    "not_decision": (schema.connection, "endpoint_id", "decision"),
}


class Tagged(msgspec.Struct, frozen=True):
    """The tags that everything on a list has."""

    account_id: AccountId
    kind: str
    tags: tuple[tuple[str, str | None], ...]  # key and value, None for whatever it is

    def covered_by(self, present: Mapping[str, str]) -> bool:
        """Whether all of them are among those present."""
        return all(key in present and value in (None, present[key]) for key, value in self.tags)


class Wanted(msgspec.Struct, frozen=True):
    """What must hold for everything on a list."""

    equal: dict[str, Any]  # by column, or by a name in _THROUGH
    tagged: Tagged | None = None
    group: ResourceGroupId | None = None
    in_no_group: bool = False  # in the default one, which has no members

    def is_all_of(self, owner: str) -> bool:
        """Whether it is everything that has one owner, by the owner's column."""
        return (*self.equal,) == (owner,) and self.tagged is None and self.group is None


class _Shape(msgspec.Struct, frozen=True):
    """What the text of a statement depends on."""

    names: tuple[str, ...]
    tags: tuple[bool, ...]  # whether each has a value
    by_tag: bool  # look at what has the first tag, rather than at what the owner has
    inside: bool | None  # a group, none, or no matter


def page(
    tx: Transaction, kind: type[T], table: Table, wanted: Wanted, after: Place, size: int
) -> list[T]:
    """At most `size` of what is wanted, the oldest after a place."""
    shape = _shape(wanted, by_tag=_is_rare(tx, wanted.tagged))
    moment, last = after
    return _page(kind, table, shape).all(
        tx, **_values(wanted), after_moment=moment, after_id=last, size=size
    )


def count(tx: Transaction, table: Table, wanted: Wanted) -> int:
    """How many there are of what is wanted."""
    shape = _shape(wanted, by_tag=wanted.tagged is not None)
    return int(_count(table, shape).scalar(tx, **_values(wanted)))


def _shape(wanted: Wanted, *, by_tag: bool) -> _Shape:
    tags = wanted.tagged.tags if wanted.tagged else ()
    return _Shape(
        tuple(wanted.equal),
        tuple(value is not None for _, value in tags),
        by_tag,
        False if wanted.in_no_group else (True if wanted.group is not None else None),
    )


def _values(wanted: Wanted) -> dict[str, Any]:
    values = dict(wanted.equal)
    if wanted.tagged is not None:
        values |= _tag_values(wanted.tagged)
    if wanted.group is not None and not wanted.in_no_group:
        values["group"] = wanted.group
    return values


def having(tx: Transaction, tagged: Tagged, first: str = "", size: int = -1) -> list[str]:
    """The ids of what has all the tags, ascending from `first` on; at most `size`, -1 for all."""
    shape = tuple(value is not None for _, value in tagged.tags)
    found = _having_all(shape).rows(tx, **_tag_values(tagged), first=first, size=size)
    return [resource_id for (resource_id,) in found]


def _tag_values(tagged: Tagged) -> dict[str, Any]:
    values = {"tags_of": tagged.account_id, "tagged_kind": tagged.kind}
    for number, (key, value) in enumerate(tagged.tags):
        values[f"key{number}"] = key
        if value is not None:
            values[f"value{number}"] = value
    return values


def _is_rare(tx: Transaction, tagged: Tagged | None) -> bool:
    """Whether so few have the tags that it is better to look at them alone."""
    return tagged is not None and len(having(tx, tagged, size=_FEW + 1)) <= _FEW


@functools.cache
def _having_all(tags: tuple[bool, ...]) -> Prepared:
    ours = [*_others(_tag.c.resource_id, tags), _tag.c.resource_id >= bindparam("first")]
    size: BindParameter[int] = bindparam("size")
    return Prepared(_having_first(tags[0]).where(*ours).order_by(_tag.c.resource_id).limit(size))


@functools.cache
def _page(kind: type[T], table: Table, shape: _Shape) -> Query[T]:
    place = tuple_(table.c.created_at, table.c.id)
    after = place > tuple_(bindparam("after_moment"), bindparam("after_id"))
    ordered = select(table).where(*_conditions(table, shape), after)
    size: BindParameter[int] = bindparam("size")
    return Query(kind, ordered.order_by(table.c.created_at, table.c.id).limit(size))


@functools.cache
def _count(table: Table, shape: _Shape) -> Prepared:
    return Prepared(select(func.count()).select_from(table).where(*_conditions(table, shape)))


def _conditions(table: Table, shape: _Shape) -> Iterator[ColumnElement[bool]]:
    for name in shape.names:
        if name in _THROUGH:
            other, leading, value = _THROUGH[name]
            found = _exists(
                table, other.c[leading] == table.c.id, other.c[value] == bindparam(name)
            )
            yield ~found if name.startswith("not_") else found
        elif shape.by_tag and isinstance(table.c[name].type, String):
            # Not a bare column, so that no index of it is taken.
            yield table.c[name].concat("") == bindparam(name)
        else:
            yield table.c[name] == bindparam(name)
    if shape.by_tag:
        yield table.c.id.in_(_having_first(shape.tags[0]))
    yield from _others(table.c.id, shape.tags, first=1 if shape.by_tag else 0)
    if shape.inside is not None:
        member = [_member.c.resource_id == table.c.id]
        if shape.inside:
            member.append(_member.c.group_id == bindparam("group"))
        yield _exists(table, *member) if shape.inside else ~_exists(table, *member)


def _exists(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(*conditions).correlate(table)


def _others(
    resource: ColumnElement[str], tags: tuple[bool, ...], first: int = 1
) -> Iterator[ColumnElement[bool]]:
    """That a resource has the tags from number `first` on."""
    for number, has_value in enumerate(tags[first:], start=first):
        tag = _tag.alias(f"tag{number}")
        ours = [tag.c.resource_id == resource, tag.c.key == bindparam(f"key{number}")]
        if has_value:
            ours.append(tag.c.value == bindparam(f"value{number}"))
        yield exists().where(*ours).correlate_except(tag)


def _having_first(has_value: bool) -> Select[Any]:
    """The ids of what has the first of the tags wanted."""
    ours = [
        _tag.c.account_id == bindparam("tags_of"),
        _tag.c.resource_type == bindparam("tagged_kind"),
        _tag.c.key == bindparam("key0"),
    ]
    if has_value:
        ours.append(_tag.c.value == bindparam("value0"))
    return select(_tag.c.resource_id).where(*ours)
