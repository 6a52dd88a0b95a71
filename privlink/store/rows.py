"""From rows to the model's frozen values and back, and the numbers that are never used twice."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
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
from privlink.store.prepared import Prepared

T = TypeVar("T", bound=msgspec.Struct)
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


def add(tx: Transaction, table: Table, *values: msgspec.Struct) -> None:
    """Insert values, field by column."""
    if values:
        _inserting(table).many(tx, [msgspec.structs.asdict(value) for value in values])


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


def chunks(values: Iterable[str], size: int = 500) -> Iterable[list[str]]:
    """Values in lists of at most `size`, small enough for one statement."""
    chunk: list[str] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@functools.cache
def _inserting(table: Table) -> Prepared:
    return Prepared(insert(table), columns=table.c.keys())


def _value(kind: type[T], row: RowMapping) -> T:
    return msgspec.convert({name: row[name] for name in kind.__struct_fields__}, type=kind)
