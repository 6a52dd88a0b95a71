"""The steps to the present tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from privlink.store import migrate, schema
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


def test_what_is_there_is_counted_and_kept(database: Database, file: Path) -> None:
    """A database from before counts were kept: two endpoints of one account, to one service."""
    script = migrate.load()
    step = next(each for each in script.walk_revisions() if each.path.endswith("_lists.py"))
    upgrade_to(database, script, str(step.down_revision))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TWO_ENDPOINTS)
        before = {table: rows(connection, table) for table in KEPT}
    upgrade_to(database, script, step.revision)
    with closing(sqlite3.connect(file)) as connection:
        counts = dict(connection.execute("SELECT name, count FROM tally"))
        assert {table: rows(connection, table) for table in KEPT} == before
    assert counts == {"account/1": 2, "vpc/vpc-1": 2, "service/epsrv-1": 2, "bond/1/epsrv-1": 2}


def rows(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"SELECT * FROM {table}").fetchall()


def upgrade_to(database: Database, script: ScriptDirectory, revision: str) -> None:
    """Take the steps up to one."""
    with database.write() as tx:
        steps = {"fn": lambda now, _: script._upgrade_revs(revision, now), "script": script}
        context = MigrationContext.configure(tx, opts=steps)
        with Operations.context(context):
            context.run_migrations()


KEPT = ("nonce", "endpoint_security_group", "endpoint", "connection", "endpoint_zone", "change")
TWO_ENDPOINTS = """
INSERT INTO account (id, name, operator, created_at) VALUES ('1', 'a', 1, '');
INSERT INTO vpc (id, number, account_id, cidr, name, description, created_at)
    VALUES ('vpc-1', 1, '1', '10.0.0.0/16', '', '', '');
INSERT INTO security_group (id, number, account_id, vpc_id, type, name, description, created_at)
    VALUES ('sg-1', 1, '1', 'vpc-1', 'normal', '', '', '');
INSERT INTO endpoint (id, account_id, vpc_id, service_id, service_name, type, name, description,
    policy, protected, protected_by, zone_affinity, deleting, created_at)
    VALUES ('ep-1', '1', 'vpc-1', 'epsrv-1', '', 'Interface', '', '', '', 0, '', 0, 0, ''),
           ('ep-2', '1', 'vpc-1', 'epsrv-1', '', 'Interface', '', '', '', 0, '', 0, 0, '');
INSERT INTO endpoint_security_group (endpoint_id, group_id) VALUES ('ep-1', 'sg-1');
INSERT INTO connection (endpoint_id, service_id, decision, bandwidth, traffic_control, modified_at)
    VALUES ('ep-1', 'epsrv-1', 'accepted', 100, 'BandwidthLimit', 'today');
INSERT INTO vswitch (id, number, vpc_id, account_id, zone_id, cidr, name, description, created_at,
    next_address) VALUES ('vsw-1', 1, 'vpc-1', '1', 'a', '10.0.0.0/24', '', '', '', 0);
INSERT INTO eni (id, vpc_id, vswitch_id, address, mac, owner_kind, owner_id)
    VALUES ('eni-1', 'vpc-1', 'vsw-1', 7, '', '', '');
INSERT INTO endpoint_zone (endpoint_id, zone_id, vswitch_id, eni_id, source, opening,
    provider_vpc_id, initial, placed, deleting, cut)
    VALUES ('ep-1', 'a', 'vsw-1', 'eni-1', 5, 9, 'vpc-1', 1, 0, 0, 1);
INSERT INTO change (key, revision, gone) VALUES ('forward/ep-1/a', 3, 1);
INSERT INTO nonce (access_key_id, value, expires) VALUES ('key', 'once', 7);
"""
