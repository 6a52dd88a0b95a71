"""What the connections are made with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from privlink.store.database import Database

NORMAL, FULL = 1, 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    database = Database(f"sqlite:///{tmp_path}/privlink.db")
    yield database
    database.close()


def test_every_connection_flushes_around_checkpoints(database: Database) -> None:
    with database.read() as tx:
        assert tx.execute(text("PRAGMA synchronous")).scalar() == FULL
    with database.write() as tx:
        assert tx.execute(text("PRAGMA synchronous")).scalar() == FULL
    with database.write_carelessly() as tx:
        assert tx.execute(text("PRAGMA synchronous")).scalar() == NORMAL


def test_an_error_does_not_tell_the_values(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("CREATE TABLE key (secret TEXT UNIQUE)"))
    for transaction in (database.write, database.write_carelessly):
        with pytest.raises(IntegrityError) as failed, transaction() as tx:
            for _ in range(2):
                tx.execute(text("INSERT INTO key VALUES (:secret)"), {"secret": "hunter2"})
        assert "hunter2" not in str(failed.value)
