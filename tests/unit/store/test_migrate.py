"""The steps to the present tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from privlink.model.ids import AccountId
from privlink.model.privatelink import ResourceType
from privlink.store import balancers, migrate, schema
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


class Until(ScriptDirectory):
    """The steps up to one of them, as an older privlink had them."""

    def __init__(self, last: str) -> None:
        script = migrate.load()
        super().__init__(script.dir)
        self._last = last

    def _upgrade_revs(self, destination: str, current_rev: str) -> Any:
        return super()._upgrade_revs(self._last, current_rev)


def test_a_load_balancer_of_an_older_privlink_is_an_active_nlb(
    database: Database, file: Path
) -> None:
    migrate.upgrade(database, Until("0007"))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO account VALUES ('1', 'a', 1, '');
            INSERT INTO vpc (id, number, account_id, cidr, name, description, created_at)
                VALUES ('vpc-1', 1, '1', '10.0.0.0/16', '', '', '');
            INSERT INTO load_balancer VALUES ('nlb-1', 1, '1', 'vpc-1', 'Intranet', 'web', '');
            INSERT INTO server_group VALUES ('sgp-1', '1', 'vpc-1', 'TCP', 'Ip', 'web', '');
            INSERT INTO listener VALUES ('lsn-1', '1', 'nlb-1', 'TCP', 80, 'sgp-1', '');
            """
        )
    migrate.upgrade(database, migrate.load())
    us = AccountId("1")
    with database.read() as tx:
        balancer = balancers.get(tx, us, "nlb-1")
        listener = balancers.get_listener(tx, us, "lsn-1")
        group = balancers.get_group(tx, us, "sgp-1")
    assert balancer is not None and (balancer.kind, balancer.active) == (ResourceType.NLB, True)
    assert (balancer.undeletable_since, balancer.fixed_since) == ("", "")
    assert listener is not None and (listener.started, listener.server_port) == (True, None)
    assert group is not None and group.balancer_id is None
