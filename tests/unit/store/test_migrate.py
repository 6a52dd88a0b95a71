"""The steps to the present tables."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

from privlink.model.ids import AccountId, VpcId, VSwitchId
from privlink.model.network import IpVersion
from privlink.model.privatelink import ResourceType
from privlink.model.security import PrefixListUse
from privlink.model.traffic import Amount, Counters
from privlink.plane import compiler
from privlink.rules import service_traffic
from privlink.store import (
    accounts,
    balancers,
    changes,
    endpoints,
    lives,
    migrate,
    naming,
    networks,
    parts,
    prefix_lists,
    rows,
    schema,
    services,
    traffic,
)
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


def take_steps(database: Database, last: str) -> None:
    """Bring a database to an earlier step than the present one."""
    script = migrate.load()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs(last, revision)

    with database.write() as tx:
        context = MigrationContext.configure(tx, opts={"fn": steps, "script": script})
        with Operations.context(context):
            context.run_migrations()


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


def test_networks_of_before_get_what_networks_have_now(database: Database, file: Path) -> None:
    take_steps(database, "0007")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO account (id, name, operator, created_at) VALUES ('1', 'a', 1, 'then');
            INSERT INTO vpc (id, number, account_id, cidr, name, description, created_at) VALUES
                ('vpc-2', 9, '1', '10.0.0.0/16', '', '', 'later'),
                ('vpc-1', 4, '1', '10.0.0.0/16', '', '', 'early');
            INSERT INTO vswitch (id, number, vpc_id, account_id, zone_id, cidr, name, description,
                created_at, next_address)
                VALUES ('vsw-1', 1, 'vpc-1', '1', 'a', '10.0.0.0/24', '', '', 'early', 1);
            INSERT INTO load_balancer (id, number, account_id, vpc_id, address_type, name,
                created_at) VALUES ('nlb-1', 1, '1', 'vpc-1', 'Intranet', '', 'noon');
            INSERT INTO eni (id, vpc_id, vswitch_id, address, mac, owner_kind, owner_id) VALUES
                ('eni-1', 'vpc-1', 'vsw-1', 1, '', 'load balancer', 'nlb-1'),
                ('eni-2', 'vpc-1', 'vsw-1', 2, '', 'endpoint', 'ep-gone');
            INSERT INTO security_group (id, number, account_id, vpc_id, type, name, description,
                created_at) VALUES ('sg-1', 1, '1', 'vpc-1', 'normal', '', '', 'early'),
                ('sg-2', 2, '1', 'vpc-1', 'enterprise', '', '', 'early');
            INSERT INTO security_group_rule (id, group_id, policy, priority, protocol, low, high,
                cidr, description, created_at)
                VALUES ('sgr-1', 'sg-1', 'Accept', 1, 'TCP', 80, 80, '10.0.0.0/8', '', 'early');
            """
        )
    migrate.upgrade(database, migrate.load())
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute(
            "SELECT number, vpc_id, account_id, type, created_at FROM route_table ORDER BY number"
        ).fetchall()
        ids = [row[0] for row in connection.execute("SELECT id FROM route_table")]
        ages = dict(connection.execute("SELECT id, created_at FROM eni").fetchall())
        inner = dict(connection.execute("SELECT id, inner_access_policy FROM security_group"))
        rules = connection.execute("SELECT direction, peer_id FROM security_group_rule").fetchall()
    assert tables == [
        (1, "vpc-1", "1", "System", "early"),
        (2, "vpc-2", "1", "System", "later"),
    ]
    assert all(len(each) == 24 and each.startswith("vtb-") for each in ids)
    assert ages == {"eni-1": "noon", "eni-2": ""}
    assert inner == {"sg-1": "Accept", "sg-2": "Drop"}
    assert rules == [("ingress", "")]
    with database.write() as tx:
        assert rows.next_number(tx, "route table") == 3


def test_a_load_balancer_of_an_older_privlink_is_an_active_nlb(
    database: Database, file: Path
) -> None:
    take_steps(database, "0007")
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


def test_servers_and_listeners_of_before_are_what_they_were(database: Database, file: Path) -> None:
    take_steps(database, "0012")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO account (id, name, operator, created_at) VALUES ('1', 'a', 1, '');
            INSERT INTO vpc (id, number, account_id, cidr, name, description, created_at)
                VALUES ('vpc-1', 1, '1', '10.0.0.0/16', '', '', '');
            INSERT INTO load_balancer (id, number, account_id, vpc_id, kind, address_type, name,
                created_at) VALUES ('nlb-1', 1, '1', 'vpc-1', 'nlb', 'Intranet', '', ''),
                                   ('lb-1', 2, '1', 'vpc-1', 'slb', 'intranet', '', '');
            INSERT INTO server_group (id, account_id, vpc_id, protocol, type, name, created_at,
                balancer_id) VALUES ('sgp-1', '1', 'vpc-1', 'TCP', 'Ip', 'web', '', NULL),
                                    ('lb-1', '1', 'vpc-1', 'TCP', 'Default', '', '', 'lb-1');
            INSERT INTO group_server VALUES
                ('sgp-1', 'Ip', '10.0.0.9', 167772169, 80, 100, ''),
                ('sgp-1', 'Ip', '10.0.0.10', 167772170, 80, 9, 'b'),
                ('lb-1', 'eniip', '223.255.255.1', 3758096129, 0, 1, '');
            INSERT INTO listener (id, account_id, balancer_id, protocol, port, group_id, created_at,
                server_port) VALUES ('lsn-1', '1', 'nlb-1', 'TCP', 443, 'sgp-1', '', NULL),
                                    ('lsn-2', '1', 'lb-1', 'TCP', 80, 'lb-1', '', 8080);
            """
        )
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        servers = balancers.servers(tx, ["sgp-1", "lb-1"])
        listeners = balancers.listeners(tx, ["nlb-1", "lb-1"])
        group = balancers.get_group(tx, AccountId("1"), "sgp-1")
        default = balancers.get_group(tx, AccountId("1"), "lb-1")
    assert [(each.server_id, each.address, each.port, each.weight) for each in servers] == [
        ("223.255.255.1", "223.255.255.1", 0, 1),
        ("10.0.0.9", "10.0.0.9", 80, 100),
        ("10.0.0.10", "10.0.0.10", 80, 9),
    ]
    assert [(each.id, each.first, each.last, each.server_port) for each in listeners] == [
        ("lsn-2", 80, 80, 8080),
        ("lsn-1", 443, 443, None),
    ]
    assert group is not None and (group.protocol, group.any_port) == ("TCP", False)
    assert group.ip_version is IpVersion.IPV4
    assert default is not None and default.protocol == "TCP_UDP"
    again = """
        INSERT INTO listener (id, account_id, balancer_id, protocol, first, last, group_id,
            created_at, started, description)
        SELECT 'lsn-3', account_id, balancer_id, protocol, first, last, group_id, '', 1, ''
            FROM listener WHERE id = 'lsn-1'
        """
    with (
        closing(sqlite3.connect(file)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE.*listener\.first"),
    ):
        connection.execute(again)


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


def test_what_is_there_is_counted_and_kept(database: Database, file: Path) -> None:
    """A database from before counts were kept: two endpoints of one account, to one service."""
    take_steps(database, "0010")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TWO_ENDPOINTS)
        before = {table: held(connection, table) for table in KEPT}
    take_steps(database, "0012")
    with closing(sqlite3.connect(file)) as connection:
        counts = dict(connection.execute("SELECT name, count FROM tally"))
        assert {table: held(connection, table) for table in KEPT} == before
    assert counts == {"account/1": 2, "vpc/vpc-1": 2, "service/epsrv-1": 2, "bond/1/epsrv-1": 2}


def test_what_is_there_has_ipv4_alone(database: Database, file: Path) -> None:
    take_steps(database, "0012")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TWO_ENDPOINTS)
        connection.executescript(
            """
            INSERT INTO endpoint_service (id, account_id, resource_type, auto_accept, payer,
                description, zone_affinity, created_at)
                VALUES ('epsrv-1', '1', 'nlb', 0, '', '', 0, '');
            UPDATE eni SET owner_kind = 'endpoint';
            INSERT INTO eni (id, vpc_id, vswitch_id, address, mac, owner_kind, owner_id, created_at)
                VALUES ('eni-2', 'vpc-1', 'vsw-1', 8, '', 'endpoint', 'ep-1', '');
            """
        )
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        endpoint, service = endpoints.get(tx, "ep-1"), services.get(tx, "epsrv-1")
        network = networks.vpc_by_id(tx, VpcId("vpc-1"))
        (vswitch,) = networks.vswitches_of(tx, ["vpc-1"])
        enis = networks.enis_in(tx, VSwitchId("vsw-1"))
    assert endpoint is not None and endpoint.ip_version is IpVersion.IPV4
    assert service is not None and service.ip_version is IpVersion.IPV4
    assert (network.cidr6, vswitch.cidr6) == ("", "")
    assert [eni.address6 for eni in enis] == [None, None]
    with (
        database.write() as tx,
        pytest.raises(sqlite3.IntegrityError, match=r"eni\.vpc_id, eni\.address6"),
    ):
        for eni in enis:
            networks.set_address6(tx, eni.id, "fd00::5")


def test_a_load_balancer_is_told_in_each_of_its_zones_from_now_on(
    database: Database, file: Path
) -> None:
    take_steps(database, "0015")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TWO_BALANCERS)
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        zones = balancers.zones_of(tx, ["nlb-1", "lb-1"])
        told = {each.key: (each.revision, each.gone) for each in changes.since(tx, 0)}
        whose = changes.Audience.RESOLVERS
        names = {each.key: each.revision for each in changes.living(tx, whose)}
        numbers = {each: rows.number(tx, each) for each in ("place", "opening", "revision")}
        parts_found = parts.of_balancers(tx, ["nlb-1/a", "nlb-1/b", "lb-1/a"])
        (forward,) = parts.of_forwards(tx, ["ep-1/a"]).values()
        assert [*naming.of_names(tx, ["ep-1", "ep-2"])] == ["names/ep-1"]
        assert {*naming.of_fronts(tx, ["nlb-1/a", "lb-1/a"])} < {*names}
    assert {(each.balancer_id, each.zone_id): (each.number, each.opening) for each in zones} == {
        ("lb-1", "a"): (1, 10),
        ("nlb-1", "a"): (2, 11),
        ("nlb-1", "b"): (3, 12),
    }
    assert told == {
        "segment/vsw-1": (1, False),
        "balancer/nlb-1": (6, True),
        "balancer/lb-1": (7, True),
        "balancer/lb-1/a": (8, False),
        "balancer/nlb-1/a": (9, False),
        "balancer/nlb-1/b": (10, False),
        "forward/ep-1/a": (11, False),
        "forward/ep-2/a": (5, True),
        "resolver/vpc-1": (12, False),
    }
    assert names == {
        "place/vsw-1": 13,
        "front/lb-1/a": 14,
        "front/nlb-1/a": 15,
        "front/nlb-1/b": 16,
        "names/ep-1": 17,
    }
    assert numbers == {"place": 4, "opening": 12, "revision": 17}
    compiled = {key: compiler.balancer(each) for key, each in parts_found.items()}
    assert {key: each.number for key, each in compiled.items()} == {
        "balancer/nlb-1/a": 2,
        "balancer/nlb-1/b": 3,
        "balancer/lb-1/a": 1,
    }
    (listener,) = compiled["balancer/nlb-1/b"].listeners
    assert (listener.scheduler, listener.idle, listener.check) == ("wrr", 0, None)
    (server,) = listener.servers
    assert (server.address, server.weight, server.zone) == ("10.0.0.9", 100, "a")
    assert compiled["balancer/nlb-1/b"].cross_zone
    opening = compiler.forward(forward).opening
    assert opening is not None and opening.balancer == 2
    with database.write() as tx:
        (clb,) = balancers.listeners(tx, ["lb-1"])
        assert (clb.scheduler, clb.health, clb.draining, clb.idle) == ("wrr", "", False, 0)
        assert rows.next_number(tx, "place") == 5


def test_the_first_load_balancer_of_an_empty_database_is_number_1(database: Database) -> None:
    migrate.upgrade(database, migrate.load())
    with database.write() as tx:
        assert rows.next_number(tx, "place") == 1
        assert rows.next_number(tx, "opening") == 1


@pytest.mark.parametrize("used", [0, 7])
def test_every_zone_and_connection_of_before_has_a_number_of_its_own(
    database: Database, file: Path, used: int
) -> None:
    take_steps(database, "0015")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TWO_ENDPOINTS)
        connection.executescript(
            """
            INSERT INTO eni (id, vpc_id, vswitch_id, address, mac, owner_kind, owner_id, created_at)
                VALUES ('eni-2', 'vpc-1', 'vsw-1', 8, '', 'endpoint', 'ep-1', '');
            INSERT INTO endpoint_zone (endpoint_id, zone_id, vswitch_id, eni_id, initial, placed,
                deleting, cut) VALUES ('ep-1', 'b', 'vsw-1', 'eni-2', 1, 0, 0, 0);
            INSERT INTO connection (endpoint_id, service_id, decision, bandwidth, traffic_control,
                modified_at) VALUES ('ep-2', 'epsrv-1', 'none', 100, 'Scalability', 'today');
            INSERT INTO endpoint_service (id, account_id, resource_type, auto_accept, payer,
                description, zone_affinity, created_at, ip_version)
                VALUES ('epsrv-1', '1', 'nlb', 0, '', '', 0, '', 'IPv4');
            """
        )
        if used:
            counted = "INSERT INTO sequence (name, value) VALUES (?, ?)"
            connection.executemany(counted, [("place", used), ("connection", used)])
    migrate.upgrade(database, migrate.load())
    with database.write() as tx:
        zones = endpoints.zones_of(tx, ["ep-1"])
        bonds = endpoints.connections(tx, ["ep-1", "ep-2"])
        service = services.get(tx, "epsrv-1")
        following = [rows.next_number(tx, name) for name in ("place", "connection")]
    assert [zone.number for zone in zones] == [used + 1, used + 2]
    assert sorted(bond.number for bond in bonds.values()) == [used + 1, used + 2]
    assert following == [used + 3, used + 3]
    assert service is not None and service_traffic.own(service) == {}


def test_no_two_zones_or_connections_have_one_number(database: Database, file: Path) -> None:
    migrate.upgrade(database, migrate.load())
    with closing(sqlite3.connect(file)) as connection, connection:
        for table in ("endpoint_zone", "connection"):
            unique = connection.execute(f"PRAGMA index_list({table})").fetchall()
            assert (f"ix_{table}_number", 1) in {(name, once) for _, name, once, *_ in unique}


def held(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"SELECT * FROM {table}").fetchall()


KEPT = (
    *("nonce", "endpoint_security_group", "endpoint", "connection", "endpoint_zone", "change"),
    "sequence",
)
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
TWO_BALANCERS = """
INSERT INTO account (id, name, operator, created_at) VALUES ('1', 'a', 1, '');
INSERT INTO vpc (id, number, account_id, cidr, name, description, created_at)
    VALUES ('vpc-1', 1, '1', '10.0.0.0/16', '', '', '');
INSERT INTO vswitch (id, number, vpc_id, account_id, zone_id, cidr, name, description, created_at,
    next_address) VALUES ('vsw-1', 1, 'vpc-1', '1', 'a', '10.0.0.0/24', '', '', '', 0);
INSERT INTO eni (id, vpc_id, vswitch_id, address, mac, owner_kind, owner_id, created_at) VALUES
    ('eni-1', 'vpc-1', 'vsw-1', 1, '', 'load balancer', 'nlb-1', ''),
    ('eni-2', 'vpc-1', 'vsw-1', 2, '', 'load balancer', 'nlb-1', ''),
    ('eni-3', 'vpc-1', 'vsw-1', 3, '', 'load balancer', 'lb-1', ''),
    ('eni-4', 'vpc-1', 'vsw-1', 4, '', 'endpoint', 'ep-1', '');
INSERT INTO load_balancer (id, number, account_id, vpc_id, address_type, name, created_at, kind)
    VALUES ('nlb-1', 1, '1', 'vpc-1', 'Intranet', '', '', 'nlb'),
           ('lb-1', 2, '1', 'vpc-1', 'intranet', '', '', 'slb');
INSERT INTO load_balancer_zone (balancer_id, zone_id, vswitch_id, eni_id) VALUES
    ('nlb-1', 'b', 'vsw-1', 'eni-2'), ('nlb-1', 'a', 'vsw-1', 'eni-1'),
    ('lb-1', 'a', 'vsw-1', 'eni-3');
INSERT INTO server_group (id, account_id, vpc_id, protocol, type, name, created_at, balancer_id)
    VALUES ('sgp-1', '1', 'vpc-1', 'TCP', 'Ip', '', '', NULL),
           ('lb-1', '1', 'vpc-1', 'TCP_UDP', 'Default', '', '', 'lb-1');
INSERT INTO group_server (group_id, server_type, server_id, address, port, weight, description)
    VALUES ('sgp-1', 'Ip', '10.0.0.9', '10.0.0.9', 80, 100, '');
INSERT INTO listener (id, account_id, balancer_id, protocol, first, last, group_id, created_at)
    VALUES ('lsn-1', '1', 'nlb-1', 'TCP', 80, 80, 'sgp-1', ''),
           ('lsn-2', '1', 'lb-1', 'TCP', 80, 80, 'lb-1', '');
INSERT INTO endpoint (id, account_id, vpc_id, service_id, service_name, type, name, description,
    policy, protected, protected_by, zone_affinity, deleting, created_at)
    VALUES ('ep-1', '1', 'vpc-1', 'epsrv-1', '', 'Interface', '', '', '', 0, '', 0, 0, '');
INSERT INTO endpoint_zone (endpoint_id, zone_id, vswitch_id, eni_id, resource_id, source, opening,
    provider_vpc_id, initial, placed, deleting, cut)
    VALUES ('ep-1', 'a', 'vsw-1', 'eni-4', 'nlb-1', 5, 9, 'vpc-1', 1, 1, 0, 0);
INSERT INTO change (key, revision, gone) VALUES ('segment/vsw-1', 1, 0), ('balancer/nlb-1', 2, 0),
    ('balancer/lb-1', 3, 0), ('forward/ep-1/a', 4, 0), ('forward/ep-2/a', 5, 1);
INSERT INTO sequence (name, value) VALUES ('revision', 5), ('opening', 9);
INSERT INTO connection (endpoint_id, service_id, decision, bandwidth, traffic_control,
        modified_at) VALUES ('ep-1', 'epsrv-1', 'accepted', 100, 'Scalability', 'today');
"""


def test_zones_that_are_there_are_metered_from_now_on(database: Database, file: Path) -> None:
    take_steps(database, "0018")
    with closing(sqlite3.connect(file)) as connection:
        for table, given in (
            ("endpoint_service", {"id": "epsrv-1", "account_id": "1", "payer": "EndpointService"}),
            ("endpoint_service", {"id": "epsrv-2", "account_id": "1", "payer": "Endpoint"}),
            ("endpoint", {"id": "ep-1", "account_id": "2", "service_id": "epsrv-1"}),
            ("endpoint", {"id": "ep-2", "account_id": "2", "service_id": "epsrv-2"}),
            ("endpoint_zone", {"endpoint_id": "ep-1", "zone_id": "a", "number": 1}),
            ("endpoint_zone", {"endpoint_id": "ep-2", "zone_id": "a", "number": 2}),
            ("endpoint_zone", {"endpoint_id": "ep-2", "zone_id": "b", "number": 3, "deleting": 1}),
        ):
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            row = {name: given.get(name, 0) for _, name, _, needed, *_ in columns if needed} | given
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
            connection.execute(statement, list(row.values()))
        connection.commit()
    before = int(time.time())
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        first, second = lives.living(tx)
    assert (first.place, first.payer_id, first.account_id) == (1, "1", "2")
    assert (second.place, second.payer_id, second.provider_id) == (2, "2", "1")
    assert before <= first.begun <= time.time()


def test_nodes_are_told_of_the_route_tables_of_before(database: Database, file: Path) -> None:
    take_steps(database, "0019")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO account (id, name, operator, created_at) VALUES ('1', 'a', 1, '');
            INSERT INTO vpc (id, number, account_id, cidr, name, description, created_at) VALUES
                ('vpc-1', 1, '1', '10.0.0.0/16', '', '', ''),
                ('vpc-2', 2, '1', '10.0.0.0/16', '', '', '');
            INSERT INTO vswitch (id, number, vpc_id, account_id, zone_id, cidr, name, description,
                created_at, next_address)
                VALUES ('vsw-1', 1, 'vpc-1', '1', 'a', '10.0.0.0/24', '', '', '', 1);
            INSERT INTO route_table (id, number, vpc_id, account_id, type, name, description,
                created_at) VALUES ('vtb-2', 2, 'vpc-1', '1', 'Custom', '', '', ''),
                                   ('vtb-1', 1, 'vpc-1', '1', 'System', '', '', ''),
                                   ('vtb-3', 3, 'vpc-2', '1', 'System', '', '', '');
            INSERT INTO prefix_list (id, number, account_id, family, name, description,
                max_entries, created_at) VALUES ('pl-1', 1, '1', 'IPv4', 'a', '', 1, '');
            INSERT OR REPLACE INTO sequence VALUES ('revision', 7);
            """
        )
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        told = {each.key: each.revision for each in changes.living(tx)}
        assert told == {
            "table/vtb-1": 8,
            "table/vtb-2": 9,
            "resolver/vpc-1": 10,
            "resolver/vpc-2": 11,
        }
        (item,) = (compiler.route_table(each) for each in parts.of_tables(tx, ["vtb-2"]).values())
        assert [each.cidr for each in item.routes] == ["10.0.0.0/24"]
        assert prefix_lists.get(tx, AccountId("1"), "pl-1", PrefixListUse.RULES) is not None


def test_what_was_counted_before_there_were_births_stays(database: Database, file: Path) -> None:
    take_steps(database, "0019")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO traffic_last (node_id, life, place, flows, counters) VALUES (?,?,?,?,?)",
            ("node-1", 1, 7, 2, "[[[1,60],[0,0]],[[0,0],[0,0]],3,0,{},{}]"),
        )
        connection.execute(
            "INSERT INTO traffic_life (node_id, life, newest, over, seen) VALUES (?,?,?,?,?)",
            ("node-1", 1, 1, 0, 0),
        )
        columns = [row[1] for row in connection.execute("PRAGMA table_info(zone_life)")]
        lives_on = dict.fromkeys(columns, "") | {"place": 7, "begun": 0, "ended": None}
        marks = ", ".join("?" * len(columns))
        connection.execute(
            f"INSERT INTO zone_life ({', '.join(lives_on)}) VALUES ({marks})",
            list(lives_on.values()),
        )
    migrate.upgrade(database, migrate.load())
    with database.read() as tx:
        assert traffic.totals(tx)[7].counters == Counters((Amount(1, 60), Amount()), opened=3)
