"""Routes in tables: what is written, and what the feed says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from privlink.model.account import Account
from privlink.model.ids import AccountId, RouteEntryId, RouteTableId, VpcId, VSwitchId, ZoneId
from privlink.model.network import (
    HopKind,
    RouteEntry,
    RouteTable,
    RouteTableType,
    Vpc,
    VSwitch,
)
from privlink.store import (
    changes,
    migrate,
    networks,
    parts,
    route_tables,
    routes,
    rows,
    schema,
)
from privlink.store.database import Database, Transaction

US, VPC = AccountId("1"), VpcId("vpc-1")
SYSTEM, CUSTOM = RouteTableId("vtb-1"), RouteTableId("vtb-2")
VSWITCH = VSwitch(VSwitchId("vsw-1"), 1, VPC, US, ZoneId("local-a"), "10.0.0.0/24", "", "", "", 0)


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Transaction]:
    """A VPC with two route tables and no vSwitch."""
    database = Database(f"sqlite:///{tmp_path / 'privlink.db'}")
    migrate.upgrade(database, migrate.load())
    with database.write() as tx:
        rows.add(tx, schema.account, Account(US, "a", True, "then", True, True))
        networks.add_vpc(tx, Vpc(VPC, 1, US, "10.0.0.0/16", "", "", ""))
        for number, table_id in enumerate((SYSTEM, CUSTOM), start=1):
            kind = RouteTableType.SYSTEM if number == 1 else RouteTableType.CUSTOM
            route_tables.add(tx, RouteTable(table_id, number, VPC, US, kind, "", "", ""))
        yield tx
    database.close()


def told(tx: Transaction, since: int) -> dict[str, bool]:
    """What changed since a revision, and whether it is gone."""
    return {each.key: each.gone for each in changes.since(tx, since)}


def entry(name: str, destination: str, table: RouteTableId = SYSTEM) -> RouteEntry:
    """A route that an account wrote."""
    hop = HopKind.INSTANCE
    return RouteEntry(RouteEntryId(name), table, destination, "", hop, "att-1", "", "", False, "")


def test_nodes_hear_of_tables_while_their_vpc_has_a_vswitch(tx: Transaction) -> None:
    before = changes.newest(tx)
    networks.add_vswitch(tx, VSWITCH)
    assert told(tx, before) == {
        "segment/vsw-1": False,
        "table/vtb-1": False,
        "table/vtb-2": False,
    }
    networks.delete_vswitch(tx, VSWITCH)
    assert all(told(tx, before).values())
    assert parts.of_tables(tx, [SYSTEM, CUSTOM]) == {}


def test_the_route_of_a_gateway_endpoint_comes_and_goes(tx: Transaction) -> None:
    networks.add_vswitch(tx, VSWITCH)
    before = changes.newest(tx)
    made = routes.add_system(tx, CUSTOM, "pl-of-a-service", "vpce-1", "now")
    assert (made.system, made.hop_kind) == (True, HopKind.GATEWAY_ENDPOINT)
    assert told(tx, before) == {"table/vtb-2": False}
    assert routes.of_tables(tx, [SYSTEM, CUSTOM]) == {CUSTOM: [made]}
    found = parts.of_tables(tx, [CUSTOM])["table/vtb-2"]
    assert (found.entries, found.endpoints) == ((made,), {})
    before = changes.newest(tx)
    routes.touch_leading(tx, ["vpce-1"])
    assert told(tx, before) == {"table/vtb-2": False}
    routes.remove_system(tx, SYSTEM, "vpce-1")
    assert routes.to_hops(tx, ["vpce-1"]) == [made]
    before = changes.newest(tx)
    routes.remove_system(tx, CUSTOM, "vpce-1")
    assert told(tx, before) == {"table/vtb-2": False}
    assert routes.to_hops(tx, ["vpce-1"]) == []
    routes.remove_system(tx, CUSTOM, "vpce-1")


def test_who_names_a_list_is_told_of_it(tx: Transaction) -> None:
    networks.add_vswitch(tx, VSWITCH)
    for table in (SYSTEM, CUSTOM):
        routes.add_system(tx, table, "pl-1", "vpce-1", "now")
    routes.add_system(tx, SYSTEM, "pl-2", "vpce-2", "now")
    before = changes.newest(tx)
    routes.touch_naming(tx, ["pl-1"])
    assert told(tx, before) == {"table/vtb-1": False, "table/vtb-2": False}
    assert [each.hop_id for each in routes.naming(tx, ["pl-2"])["pl-2"]] == ["vpce-2"]


def test_a_table_takes_its_routes_with_it(tx: Transaction) -> None:
    networks.add_vswitch(tx, VSWITCH)
    routes.add(tx, entry("rte-1", "192.168.0.0/16"))
    routes.add(tx, entry("rte-2", "192.168.0.0/16", CUSTOM))
    before = changes.newest(tx)
    route_tables.delete_table(tx, CUSTOM)
    assert told(tx, before) == {"table/vtb-2": True}
    assert routes.by_id(tx, "rte-2") is None
    assert routes.by_id(tx, "rte-1") is not None
