"""VPC: route tables, which vSwitches have them, and what is in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.world import A, B, World


def tables(account: Account, **asked: Any) -> list[Answer]:
    """What DescribeRouteTableList shows."""
    listed = account.vpc.DescribeRouteTableList(**asked)
    found: list[Answer] = listed["RouterTableList"]["RouterTableListType"]
    assert listed["TotalCount"] == len(found)
    return found


def ids(found: list[Answer]) -> list[str]:
    return [table["RouteTableId"] for table in found]


def table_of(account: Account, vswitch: str) -> tuple[str, str]:
    """The route table a vSwitch has, and its type."""
    shown = account.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch)["RouteTable"]
    return shown["RouteTableId"], shown["RouteTableType"]


def test_a_vpc_comes_with_a_router_and_a_route_table(operator: Account) -> None:
    made = operator.vpc.CreateVpc(CidrBlock="10.0.0.0/16")
    (table,) = tables(operator)
    assert table["RouteTableId"] == made["RouteTableId"]
    assert table["RouteTableId"].startswith("vtb-")
    assert (table["RouteTableType"], table["Status"]) == ("System", "Available")
    assert (table["VpcId"], table["RouterId"]) == (made["VpcId"], made["VRouterId"])
    assert (table["RouterType"], table["AssociateType"]) == ("VRouter", "VSwitch")
    assert table["VSwitchIds"] == {"VSwitchId": []}
    shown = operator.vpc.DescribeVpcAttribute(VpcId=made["VpcId"])
    assert (shown["VRouterId"][:4], shown["VRouterId"]) == ("vrt-", made["VRouterId"])
    (listed,) = operator.vpc.DescribeVpcs()["Vpcs"]["Vpc"]
    assert listed["RouterTableIds"] == {"RouterTableIds": [made["RouteTableId"]]}


def test_vswitches_have_the_system_table_until_they_get_another(
    operator: Account, world: World
) -> None:
    network = world.network(A, B)
    (system,) = ids(tables(operator, VpcId=network.vpc))
    custom = world.route_table(network, RouteTableName="mine", Description="first")
    first, second = network.vswitches.values()
    assert table_of(operator, first) == (system, "System")
    operator.vpc.AssociateRouteTable(RouteTableId=custom, VSwitchId=first)
    assert table_of(operator, first) == (custom, "Custom")
    assert table_of(operator, second) == (system, "System")
    shown = {each["RouteTableId"]: each for each in tables(operator)}
    assert shown[custom]["VSwitchIds"] == {"VSwitchId": [first]}
    assert shown[system]["VSwitchIds"] == {"VSwitchId": [second]}
    assert (shown[custom]["RouteTableName"], shown[custom]["Description"]) == ("mine", "first")
    listed = operator.vpc.DescribeVSwitches(RouteTableId=custom)["VSwitches"]["VSwitch"]
    assert [vswitch["VSwitchId"] for vswitch in listed] == [first]
    operator.vpc.UnassociateRouteTable(RouteTableId=custom, VSwitchId=first)
    assert table_of(operator, first) == (system, "System")


def test_a_vswitch_has_one_table_at_a_time(operator: Account, world: World) -> None:
    network = world.network()
    one, two = world.route_table(network), world.route_table(network)
    for table in (one, two, two):
        operator.vpc.AssociateRouteTable(RouteTableId=table, VSwitchId=network.vswitch)
    assert table_of(operator, network.vswitch) == (two, "Custom")
    operator.vpc.DeleteRouteTable(RouteTableId=one)


def test_tables_are_found_by_what_they_are(operator: Account, world: World) -> None:
    network, elsewhere = world.network(), world.network()
    custom = world.route_table(network, RouteTableName="mine")
    (system,) = ids(tables(operator, VpcId=network.vpc, RouteTableType="System"))
    assert ids(tables(operator, VpcId=network.vpc)) == [system, custom]
    assert ids(tables(operator, RouteTableType="Custom")) == [custom]
    assert ids(tables(operator, RouteTableName="mine")) == [custom]
    assert ids(tables(operator, RouteTableId=system)) == [system]
    router = operator.vpc.DescribeVpcAttribute(VpcId=elsewhere.vpc)["VRouterId"]
    (other,) = tables(operator, RouterId=router)
    assert other["VpcId"] == elsewhere.vpc
    assert tables(operator, RouterType="VBR") == []


def test_a_table_gets_another_name(operator: Account, world: World) -> None:
    table = world.route_table(world.network(), RouteTableName="old", Description="first")
    operator.vpc.ModifyRouteTableAttributes(RouteTableId=table, RouteTableName="new")
    (shown,) = tables(operator, RouteTableId=table)
    assert (shown["RouteTableName"], shown["Description"]) == ("new", "first")
    operator.vpc.ModifyRouteTableAttributes(RouteTableId=table, Description="second")
    (shown,) = tables(operator, RouteTableId=table)
    assert (shown["RouteTableName"], shown["Description"]) == ("new", "second")


def test_nothing_propagates_routes(operator: Account, world: World, refused: Refused) -> None:
    table = world.route_table(world.network())
    operator.vpc.ModifyRouteTableAttributes(RouteTableId=table, RoutePropagationEnable=False)
    with refused("UnsupportedParameter.RoutePropagationEnable", 400):
        operator.vpc.ModifyRouteTableAttributes(RouteTableId=table, RoutePropagationEnable=True)
    (shown,) = tables(operator, RouteTableId=table)
    assert shown["RoutePropagationEnable"] is False


def test_every_vswitch_is_an_entry_of_every_table(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network(A, B)
    table = world.route_table(network)
    listing = operator.vpc.DescribeRouteEntryList
    found = listing(RouteTableId=table)["RouteEntrys"]["RouteEntry"]
    assert {entry["DestinationCidrBlock"] for entry in found} == {"10.0.0.0/24", "10.0.1.0/24"}
    for entry in found:
        assert (entry["Type"], entry["Status"], entry["IpVersion"]) == (
            "System",
            "Available",
            "ipv4",
        )
        assert entry["RouteTableId"] == table
        assert [hop["NextHopType"] for hop in entry["NextHops"]["NextHop"]] == ["local"]
    first = listing(RouteTableId=table, MaxResult=1)
    second = listing(RouteTableId=table, MaxResult=1, NextToken=first["NextToken"])
    pages = [page["RouteEntrys"]["RouteEntry"] for page in (first, second)]
    assert pages == [[each] for each in found]
    assert "NextToken" not in second

    def blocks(**asked: Any) -> list[str]:
        entries = listing(RouteTableId=table, **asked)["RouteEntrys"]["RouteEntry"]
        return [entry["DestinationCidrBlock"] for entry in entries]

    assert blocks(DestinationCidrBlock="10.0.1.0/24") == ["10.0.1.0/24"]
    assert blocks(DestCidrBlockList=["10.0.0.0/24", "10.9.0.0/24"]) == ["10.0.0.0/24"]
    assert blocks(RouteEntryId=found[0]["RouteEntryId"]) == [found[0]["DestinationCidrBlock"]]
    assert blocks(RouteEntryType="Custom") == blocks(IpVersion="IPv6") == []
    with refused("InvalidRouteTableId.NotFound", 404, "'vtb-none'", "DescribeRouteTableList"):
        listing(RouteTableId="vtb-none")


def test_the_system_table_stays_with_its_vpc(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    (system,) = ids(tables(operator))
    denied = ("OperationDenied.SystemRouteTable", 400, system, network.vpc)
    with refused(*denied, "goes with its VPC"):
        operator.vpc.DeleteRouteTable(RouteTableId=system)
    with refused(*denied, "UnassociateRouteTable"):
        operator.vpc.AssociateRouteTable(RouteTableId=system, VSwitchId=network.vswitch)
    with refused(*denied, "AssociateRouteTable"):
        operator.vpc.UnassociateRouteTable(RouteTableId=system, VSwitchId=network.vswitch)
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    operator.vpc.DeleteVpc(VpcId=network.vpc)
    assert tables(operator) == []


def test_a_table_is_for_the_vswitches_of_its_vpc(
    operator: Account, world: World, refused: Refused
) -> None:
    network, elsewhere = world.network(), world.network()
    table = world.route_table(network)
    with refused("Mismatch.VpcAndRouteTable", 400, table, network.vpc, elsewhere.vswitch):
        operator.vpc.AssociateRouteTable(RouteTableId=table, VSwitchId=elsewhere.vswitch)
    with refused("InvalidParameter.RouteTableId", 400, table, "NotFound", network.vswitch):
        operator.vpc.UnassociateRouteTable(RouteTableId=table, VSwitchId=network.vswitch)


def test_what_is_in_use_stays(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    table = world.route_table(network)
    operator.vpc.AssociateRouteTable(RouteTableId=table, VSwitchId=network.vswitch)
    with refused("DependencyViolation.VSwitch", 400, table, network.vswitch, "Unassociate"):
        operator.vpc.DeleteRouteTable(RouteTableId=table)
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)  # and with it the bond
    with refused("DependencyViolation.RouteTable", 400, network.vpc, table):
        operator.vpc.DeleteVpc(VpcId=network.vpc)
    operator.vpc.DeleteRouteTable(RouteTableId=table)
    operator.vpc.DeleteVpc(VpcId=network.vpc)


def test_a_vpc_has_so_many_custom_tables(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    for _ in range(9):
        world.route_table(network)
    with refused("QuotaExceeded.RouteTable", 400, network.vpc, "limit of 9", "DeleteRouteTable"):
        world.route_table(network)


def test_tables_are_for_vswitches_only(operator: Account, world: World, refused: Refused) -> None:
    vpc = world.network().vpc
    with refused("InvalidAssociateType", 400, "'Gateway'", "VSwitch, the only one"):
        operator.vpc.CreateRouteTable(VpcId=vpc, AssociateType="Gateway")


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("ModifyRouteTableAttributes", {}),
        ("DeleteRouteTable", {}),
        ("AssociateRouteTable", {"VSwitchId": "vsw-none"}),
        ("UnassociateRouteTable", {"VSwitchId": "vsw-none"}),
    ],
)
def test_an_unknown_table_is_not_found(
    operator: Account, refused: Refused, call: str, more: dict[str, str]
) -> None:
    with refused("InvalidRouteTableId.NotFound", 404, "'vtb-none'"):
        getattr(operator.vpc, call)(RouteTableId="vtb-none", **more)
