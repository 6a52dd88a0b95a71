"""What every table is made of."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData, String, TextClause, text

metadata = MetaData()


def reference(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    """A column that refers to another table's, with an index."""
    return Column(name, String, ForeignKey(target), nullable=nullable, index=True)


def words(name: str) -> Column[str]:
    """A column of text that is never NULL."""
    return Column(name, String, nullable=False)


def where(condition: str) -> TextClause:
    """The few rows that a report looks for among all. SQLite takes the index for this very text."""
    return text(condition)
