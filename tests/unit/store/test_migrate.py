"""The steps to the present tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from privlink.model.ids import AccountId
from privlink.store import accounts, migrate, schema
from privlink.store.database import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database will be."""
    return tmp_path / "privlink.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    """A database that no step has been taken in."""
    database = Database(f"sqlite:///{file}")
    yield database
    database.close()


def contents(file: Path) -> list[str]:
    """Everything in a database, as SQL."""
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_every_step_together_makes_the_tables_of_the_schema(database: Database) -> None:
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), schema.metadata) == []


def test_a_step_is_taken_once(database: Database, file: Path) -> None:
    migrate.upgrade(database, migrate.load())
    before = contents(file)
    migrate.upgrade(database, migrate.load())
    assert contents(file) == before


def test_a_database_from_the_future_is_refused_and_left_alone(
    database: Database, file: Path
) -> None:
    migrate.upgrade(database, migrate.load())
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = contents(file)
    with pytest.raises(ValueError, match="at step 9999, which this privlink does not know") as no:
        migrate.upgrade(database, migrate.load())
    assert "Use the version of privlink that made it, or a newer one." in str(no.value)
    assert contents(file) == before


def test_no_step_leaves_half_of_itself_behind(database: Database, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE vpc (id TEXT)")  # in the way of a step
    with pytest.raises(Exception, match="table vpc already exists"):
        migrate.upgrade(database, migrate.load())
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
    assert tables == [("vpc",)]


def test_an_account_from_before_goes_on_with_privatelink_on(database: Database, file: Path) -> None:
    script = migrate.load()
    migrate.upgrade(database, script)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO account (id, name, operator, created_at) VALUES ('1', 'old', 0, '')"
        )
        connection.execute("INSERT INTO access_key (id, secret, account_id) VALUES ('k', 's', '1')")
    with database.read() as tx:
        account, key = accounts.get(tx, AccountId("1")), accounts.access_key(tx, "k")
    assert account is not None
    assert key is not None
    assert (account.opened, account.linked) == (True, False)
    assert (key.user_id, key.active, key.created_at) == (None, True, "")
