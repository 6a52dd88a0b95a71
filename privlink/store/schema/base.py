"""What every table is made of."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, ForeignKey, Index, MetaData, String, TextClause, text

metadata = MetaData()


def reference(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    """A column that refers to another table's, with an index."""
    return Column(name, String, ForeignKey(target), nullable=nullable, index=True)


def words(name: str) -> Column[str]:
    """A column of text that is never NULL."""
    return Column(name, String, nullable=False)


def by_age(table: str, *owners: str) -> Iterator[Index]:
    """Indexes in the order lists have: what belongs to one owner, oldest first."""
    for owner in owners:
        yield Index(f"ix_{table}_{owner}_age", owner, "created_at", "id")


def where(condition: str) -> TextClause:
    """The few rows that a report looks for among all. SQLite takes the index for this very text."""
    return text(condition)
