"""Statements that are built and compiled once, for those that every call runs.

SQLAlchemy builds, keys and wraps a statement each time it is executed, which costs ten times what
SQLite takes to run it. A prepared statement is written in the same language, compiled for the
dialect of the connection when it is first used, and then goes to the driver as text. Values come
back as the driver has them; what becomes a struct is converted where the driver has no such type.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from sqlalchemy import BindParameter, Dialect, Select, bindparam
from sqlalchemy.sql import ClauseElement

from privlink.store.database import Transaction

T = TypeVar("T", bound=msgspec.Struct)
_LARGEST = 512  # values in one IN list


class Prepared:
    """One statement with named parameters."""

    def __init__(self, statement: ClauseElement, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = None if columns is None else list(columns)
        self._texts: dict[str, _Text] = {}

    def run(self, tx: Transaction, **values: Any) -> int:
        """Execute it; returns how many rows it touched."""
        return int(self._execute(tx, values).rowcount)

    def rows(self, tx: Transaction, **values: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        found: list[tuple[Any, ...]] = self._execute(tx, values).fetchall()
        return found

    def scalar(self, tx: Transaction, **values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self._execute(tx, values).fetchone()
        return None if row is None else row[0]

    def many(self, tx: Transaction, several: Sequence[dict[str, Any]]) -> None:
        """Execute it for each set of values."""
        text = self._texts.get(tx.dialect.name) or self._text(tx.dialect)
        if len(several) == 1:
            tx.driver.execute(text.sql, text.arrange(several[0]))
        else:
            tx.driver.executemany(text.sql, [text.arrange(values) for values in several])

    def insert(self, tx: Transaction, several: Sequence[msgspec.Struct]) -> None:
        """Execute it for each of several values of one kind, whose fields are its parameters."""
        text = self._texts.get(tx.dialect.name) or self._text(tx.dialect)
        rows = [text.of_fields(each) for each in several]
        if len(rows) == 1:
            tx.driver.execute(text.sql, rows[0])
        else:
            tx.driver.executemany(text.sql, rows)

    def _execute(self, tx: Transaction, values: dict[str, Any]) -> Any:
        text = self._texts.get(tx.dialect.name) or self._text(tx.dialect)
        return tx.driver.execute(text.sql, text.arrange(values))

    def _text(self, dialect: Dialect) -> _Text:
        text = self._texts[dialect.name] = _Text(self._statement, dialect, self._columns)
        return text


def structs(kind: type[T], names: list[str], found: Iterable[tuple[Any, ...]]) -> list[T]:
    """Rows with these column names as values of a kind."""
    return _maker(kind, tuple(names))(found)


@functools.cache
def _maker(kind: type[T], names: tuple[str, ...]) -> Callable[[Iterable[tuple[Any, ...]]], list[T]]:
    """What makes values of a kind of rows: fields are taken from their columns, and only those
    whose type the driver does not know are converted.
    """
    types = get_type_hints(kind)
    places = [names.index(field) for field in kind.__struct_fields__]
    odd = [
        (place, types[field])
        for place, field in enumerate(kind.__struct_fields__)
        if isinstance(types[field], type) and issubclass(types[field], bool | enum.Enum)
    ]
    in_place = places == list(range(len(names)))

    def make(found: Iterable[tuple[Any, ...]]) -> list[T]:
        made = []
        for row in found:
            values = list(row) if in_place else [row[place] for place in places]
            for place, convert in odd:
                values[place] = convert(values[place])
            made.append(kind(*values))
        return made

    return make


class Query(Generic[T]):
    """A statement whose rows are values of one kind."""

    def __init__(self, kind: type[T], statement: Select[Any]) -> None:
        self._kind, self._prepared = kind, Prepared(statement)
        self._names = [str(name) for name in statement.selected_columns.keys()]  # noqa: SIM118

    def all(self, tx: Transaction, **values: Any) -> list[T]:
        """Every row."""
        return structs(self._kind, self._names, self._prepared.rows(tx, **values))

    def one(self, tx: Transaction, **values: Any) -> T | None:
        """The first row, or None."""
        found = self.all(tx, **values)
        return found[0] if found else None


class PreparedIn:
    """A statement about a list of values; lists of any length share few texts."""

    def __init__(self, build: Callable[[list[BindParameter[str]]], ClauseElement]) -> None:
        self._build = build
        self._of_size: dict[int, Prepared] = {}

    def rows(self, tx: Transaction, values: Iterable[str | int]) -> list[tuple[Any, ...]]:
        """Every row about any of the values."""
        listed = list(values)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(listed), _LARGEST):
            some = listed[start : start + _LARGEST]
            size = 1 << (len(some) - 1).bit_length()
            prepared = self._of_size.get(size)
            if prepared is None:
                parameters: list[BindParameter[str]] = [
                    bindparam(f"v{number}") for number in range(size)
                ]
                prepared = self._of_size[size] = Prepared(self._build(parameters))
            # Naming the last one again changes nothing.
            padded = [*some, *[some[-1]] * (size - len(some))]
            found += prepared.rows(tx, **{f"v{n}": value for n, value in enumerate(padded)})
        return found


class _Text:
    """A statement as one dialect's driver takes it."""

    def __init__(
        self, statement: ClauseElement, dialect: Dialect, columns: list[str] | None
    ) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        self._fixed = {name: each for name, each in compiled.params.items() if each is not None}
        self._order: list[str] | None = compiled.positiontup
        in_order = self._order is not None and len(self._order) > 1 and not self._fixed
        self._fields = attrgetter(*self._order) if in_order and self._order else None

    def of_fields(self, value: msgspec.Struct) -> Any:
        """A value's fields as the driver wants them."""
        if self._fields is None:
            return self.arrange(msgspec.structs.asdict(value))
        return self._fields(value)

    def arrange(self, values: dict[str, Any]) -> Any:
        """The values as the driver wants them: in order, or by name."""
        every = self._fixed | values if self._fixed else values
        return every if self._order is None else [every[name] for name in self._order]
