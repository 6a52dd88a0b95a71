"""From rows to the model's frozen values and back, and the numbers that are never used twice."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    Select,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.store import schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn, Query, structs

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")
_numbers = schema.sequence

_NUMBER = Prepared(select(_numbers.c.value).where(_numbers.c.name == bindparam("wanted")))
_BUMP = Prepared(
    upsert(_numbers)
    .values(name=bindparam("name"), value=1)
    .on_conflict_do_update(index_elements=["name"], set_={"value": _numbers.c.value + 1})
    .returning(_numbers.c.value)
)


def all_of(tx: Transaction, kind: type[T], statement: Select[Any]) -> list[T]:
    """Every row of a statement as a value of `kind`."""
    return [_value(kind, row) for row in tx.execute(statement).mappings()]


def one_of(tx: Transaction, kind: type[T], statement: Select[Any]) -> T | None:
    """The first row of a statement as a value of `kind`, or None."""
    row = tx.execute(statement).mappings().first()
    return None if row is None else _value(kind, row)


def find(
    tx: Transaction, kind: type[T], table: Table, /, *, order: str | None = None, **equal: Any
) -> list[T]:
    """The rows of a table whose columns have these values, as values of `kind`, in order."""
    return _finding(kind, table, tuple(equal), order).all(tx, **equal)


def find_one(tx: Transaction, kind: type[T], table: Table, **equal: Any) -> T | None:
    """The row of a table whose columns have these values, or None."""
    return _finding(kind, table, tuple(equal), None).one(tx, **equal)


def find_among(
    tx: Transaction,
    kind: type[T],
    table: Table,
    column: str,
    values: Iterable[str],
    *,
    order: str | None = None,
) -> list[T]:
    """The rows whose column has any of these values, as values of `kind`.

    The order holds within every few hundred values.
    """
    found = _finding_among(table, column, order).rows(tx, values)
    return structs(kind, [str(each.name) for each in table.columns], found)


def change(tx: Transaction, table: Table, where: dict[str, Any], **values: Any) -> int:
    """Put values in the rows whose columns have those of `where`; returns how many there were."""
    given = {f"where_{name}": value for name, value in where.items()}
    return _changing(table, tuple(where), tuple(values)).run(tx, **given, **values)


def add(tx: Transaction, table: Table, *values: msgspec.Struct) -> None:
    """Insert values, field by column."""
    if values:
        _inserting(table).insert(tx, values)


def count(tx: Transaction, table: Table, condition: ColumnElement[bool]) -> int:
    """How many rows of a table meet a condition."""
    return int(tx.execute(select(func.count()).select_from(table).where(condition)).scalar_one())


def next_number(tx: Transaction, name: str) -> int:
    """The next value of a counter; the first is 1. Counters never go back."""
    return int(_BUMP.scalar(tx, name=name))


def number(tx: Transaction, name: str) -> int:
    """The present value of a counter, 0 before its first."""
    return int(_NUMBER.scalar(tx, wanted=name) or 0)


def set_number(tx: Transaction, name: str, value: int) -> None:
    """Put down a number that is no counter."""
    changed = update(_numbers).where(_numbers.c.name == name).values(value=value)
    if tx.execute(changed).rowcount == 0:
        tx.execute(insert(_numbers).values(name=name, value=value))


def chunks(values: Iterable[V], size: int = 500) -> Iterable[list[V]]:
    """Values in lists of at most `size`, small enough for one statement."""
    chunk: list[V] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@functools.cache
def _finding(kind: type[T], table: Table, names: tuple[str, ...], order: str | None) -> Query[T]:
    statement = select(table).where(*(table.c[name] == bindparam(name) for name in names))
    return Query(kind, statement if order is None else statement.order_by(table.c[order]))


@functools.cache
def _finding_among(table: Table, column: str, order: str | None) -> PreparedIn:
    def build(values: list[BindParameter[str]]) -> Select[Any]:
        statement = select(table).where(table.c[column].in_(values))
        return statement if order is None else statement.order_by(table.c[order])

    return PreparedIn(build)


@functools.cache
def _changing(table: Table, where: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    ours = (table.c[name] == bindparam(f"where_{name}") for name in where)
    return Prepared(update(table).where(*ours).values({name: bindparam(name) for name in names}))


@functools.cache
def _inserting(table: Table) -> Prepared:
    return Prepared(insert(table), columns=table.c.keys())


def _value(kind: type[T], row: RowMapping) -> T:
    return msgspec.convert({name: row[name] for name in kind.__struct_fields__}, type=kind)
