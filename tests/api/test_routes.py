"""VPC: routes that an account writes, what they lead to, and what a node is told of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from privlink.model.ids import RouteTableId
from privlink.store import routes as store
from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.identity import allow, deny, user
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.world import A, B, Network, World


class Place(msgspec.Struct, frozen=True):
    """A workload in a network, and the route table of its vSwitch."""

    network: Network
    table: str
    attachment: str
    eni: str
    address: str
    address6: str = ""


@pytest.fixture
def place(operator: Account, world: World) -> Place:
    """A workload in a network of two vSwitches."""
    return placed(operator, world.network(A, B))


@pytest.fixture
def dual(operator: Account, world: World) -> Place:
    """The same with IPv6."""
    return placed(operator, world.dual_network())


def placed(account: Account, network: Network) -> Place:
    """A workload in a network."""
    made = account.own.call("CreateAttachment", VSwitchId=network.vswitch)
    (shown,) = account.vpc.DescribeVpcs(VpcId=network.vpc)["Vpcs"]["Vpc"]
    (table,) = shown["RouterTableIds"]["RouterTableIds"]
    return Place(
        network,
        table,
        made["AttachmentId"],
        made["NetworkInterfaceId"],
        made["PrivateIpAddress"],
        made.get("Ipv6Address", ""),
    )


def add(account: Account, place: Place, block: str, **more: Any) -> str:
    """A route to the workload, by its interface unless told otherwise."""
    wanted = {"NextHopType": "NetworkInterface", "NextHopId": place.eni} | more
    asked = {"RouteTableId": place.table, "DestinationCidrBlock": block} | wanted
    return str(account.vpc.CreateRouteEntry(**asked)["RouteEntryId"])


def entries(account: Account, table: str, **asked: Any) -> list[Answer]:
    """What DescribeRouteEntryList shows."""
    listed = account.vpc.DescribeRouteEntryList(RouteTableId=table, **asked)
    found: list[Answer] = listed["RouteEntrys"]["RouteEntry"]
    return found


def custom(account: Account, table: str) -> list[str]:
    """The destinations of the routes written in a table."""
    found = entries(account, table, RouteEntryType="Custom")
    return [entry["DestinationCidrBlock"] for entry in found]


def routes(node: Node, table: str) -> list[tuple[str, str, str]]:
    """What a node is told of a table: block, kind, hop."""
    node.catch_up()
    told = node.held[f"table/{table}"]["routes"]
    return [(each["cidr"], each["kind"], each.get("hop", "")) for each in told]


def prefix_list(account: Account, *blocks: str, **more: Any) -> str:
    """A prefix list for routes."""
    listed = [{"Cidr": block} for block in blocks]
    made = account.vpc.CreateVpcPrefixList(PrefixListEntries=listed, **more)
    return str(made["PrefixListId"])


def test_a_route_is_shown_and_told_as_it_was_written(
    operator: Account, place: Place, node: Node
) -> None:
    made = add(
        operator, place, "192.168.0.0/16", RouteEntryName="office", Description="by the router"
    )
    (shown,) = entries(operator, place.table, RouteEntryType="Custom")
    assert shown == {
        "RouteEntryId": made,
        "RouteEntryName": "office",
        "RouteTableId": place.table,
        "DestinationCidrBlock": "192.168.0.0/16",
        "Description": "by the router",
        "Type": "Custom",
        "Status": "Pending",
        "IpVersion": "ipv4",
        "NextHops": {
            "NextHop": [
                {
                    "NextHopType": "NetworkInterface",
                    "NextHopId": place.eni,
                    "Enabled": 1,
                    "Weight": 0,
                }
            ]
        },
    }
    assert made.startswith("rte-")
    assert routes(node, place.table) == [
        ("10.0.0.0/24", "local", ""),
        ("10.0.1.0/24", "local", ""),
        ("192.168.0.0/16", "attachment", place.address),
    ]
    (shown,) = entries(operator, place.table, RouteEntryType="Custom")
    assert shown["Status"] == "Available"


def test_a_table_is_what_its_workloads_name(
    operator: Account, world: World, place: Place, node: Node
) -> None:
    node.catch_up()
    key = f"attachment/{place.attachment}"
    assert node.held[key]["table"] == node.held[f"table/{place.table}"]["number"]
    mine = world.route_table(place.network)
    node.catch_up()
    assert node.seen == [f"table/{mine}"]
    operator.vpc.AssociateRouteTable(RouteTableId=mine, VSwitchId=place.network.vswitch)
    node.catch_up()
    assert node.seen == [key]
    assert node.held[key]["table"] == node.held[f"table/{mine}"]["number"]
    operator.vpc.UnassociateRouteTable(RouteTableId=mine, VSwitchId=place.network.vswitch)
    operator.vpc.DeleteRouteTable(RouteTableId=mine)
    node.catch_up()
    assert node.held[key]["table"] == node.held[f"table/{place.table}"]["number"]
    assert f"table/{mine}" not in node.held


def test_a_table_of_a_vpc_without_a_vswitch_is_not_told(
    operator: Account, world: World, node: Node
) -> None:
    vpc = operator.vpc.CreateVpc(CidrBlock="10.0.0.0/16")["VpcId"]
    operator.vpc.CreateRouteTable(VpcId=vpc)
    node.catch_up()
    assert [*node.held] == [f"resolver/{vpc}"]
    vswitch = world.vswitch(vpc, "10.0.0.0/24")
    node.catch_up()
    assert len(node.held) == 4  # and both tables
    operator.vpc.DeleteVSwitch(VSwitchId=vswitch)
    node.catch_up()
    assert [*node.held] == [f"resolver/{vpc}"]


def test_a_table_follows_the_vswitches_of_its_vpc(
    operator: Account, world: World, dual: Place, node: Node
) -> None:
    def local() -> list[str]:
        return [cidr for cidr, _, _ in routes(node, dual.table)]

    assert local() == ["10.0.0.0/24", "fd00:0:0:100::/64"]
    more = world.vswitch(dual.network.vpc, "10.0.1.0/24")
    assert local() == ["10.0.0.0/24", "fd00:0:0:100::/64", "10.0.1.0/24"]
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=more, EnableIPv6=True, Ipv6CidrBlock=1)
    assert local()[-1] == "fd00:0:0:101::/64"
    operator.vpc.DeleteVSwitch(VSwitchId=more)
    assert local() == ["10.0.0.0/24", "fd00:0:0:100::/64"]
    shown = [each["DestinationCidrBlock"] for each in entries(operator, dual.table)]
    assert sorted(shown) == local()
    assert [each["IpVersion"] for each in entries(operator, dual.table, IpVersion="ipv6")] == [
        "ipv6"
    ]


def test_a_route_of_each_family_leads_to_that_address(
    operator: Account, dual: Place, node: Node
) -> None:
    add(operator, dual, "0.0.0.0/0", NextHopType="Instance", NextHopId=dual.attachment)
    add(operator, dual, "::/0", NextHopType="Instance", NextHopId=dual.attachment)
    assert routes(node, dual.table)[2:] == [
        ("0.0.0.0/0", "attachment", dual.address),
        ("::/0", "attachment", dual.address6),
    ]
    (six,) = entries(operator, dual.table, IpVersion="ipv6", RouteEntryType="Custom")
    assert six["NextHops"]["NextHop"][0]["NextHopType"] == "Instance"
    assert six["NextHops"]["NextHop"][0]["NextHopId"] == dual.attachment


def test_one_address_is_a_block(operator: Account, place: Place) -> None:
    add(operator, place, "192.168.0.7")
    assert custom(operator, place.table) == ["192.168.0.7/32"]


def test_entries_are_found_by_what_they_are(operator: Account, place: Place) -> None:
    made = add(operator, place, "192.168.0.0/16", RouteEntryName="office")

    def found(**asked: Any) -> list[str]:
        return [each["RouteEntryId"] for each in entries(operator, place.table, **asked)]

    for asked in (
        {"RouteEntryId": made},
        {"RouteEntryName": "office"},
        {"RouteEntryType": "Custom"},
        {"DestinationCidrBlock": "192.168.0.0/16"},
        {"DestCidrBlockList": ["192.168.0.0/16"]},
        {"NextHopType": "NetworkInterface"},
        {"NextHopId": place.eni},
    ):
        assert found(**asked) == [made], asked
    assert len(found()) == 3
    assert len(found(RouteEntryType="System")) == len(found(NextHopType="local")) == 2
    assert found(NextHopId="eni-none") == []


@pytest.mark.parametrize(
    ("block", "code", "word"),
    [
        ("192.168.0.1/16", "InvalidCidrBlock.Malformed", "block such as"),
        ("anywhere", "InvalidCidrBlock.Malformed", "'anywhere'"),
        ("10.0.0.0/24", "InvalidCidrBlock", "10.0.0.0/24 of vsw-"),
        ("10.0.1.7/32", "InvalidCidrBlock", "10.0.1.0/24 of vsw-"),
        ("100.64.0.0/10", "InvalidCidrBlock", "reserved"),
        ("100.100.2.136", "InvalidCidrBlock", "reserved"),
        ("169.254.0.0/16", "InvalidCidrBlock", "link-local"),
        ("fd00::/8", "OperationDenied.VpcIpv6NotEnabled", "no IPv6 block"),
        ("pl-none", "ResourceNotFound.PrefixList", "ListPrefixLists"),
    ],
)
def test_not_every_block_can_be_routed(
    operator: Account, place: Place, refused: Refused, block: str, code: str, word: str
) -> None:
    with refused(code, 400, word):
        add(operator, place, block)


def test_an_ipv6_block_is_held_to_the_same(
    operator: Account, world: World, dual: Place, refused: Refused
) -> None:
    with refused(
        "OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch", 400, "fd00:0:0:100::/64"
    ):
        add(operator, dual, "fd00:0:0:100::7")
    more = world.vswitch(dual.network.vpc, "10.0.1.0/24")
    without = operator.own.call("CreateAttachment", VSwitchId=more)["NetworkInterfaceId"]
    with refused("OperationFailed.NotSupportIPV6", 400, without, "no IPv6 address"):
        add(operator, dual, "fd00:9::/32", NextHopId=without)


def test_a_block_has_one_route_in_a_table_and_one_in_each(
    operator: Account, world: World, place: Place, refused: Refused
) -> None:
    made = add(operator, place, "192.168.0.0/16")
    for more in ({}, {"NextHopType": "Instance", "NextHopId": place.attachment}):
        with refused("InvalidCIDRBlock.Duplicate", 400, place.table, made):
            add(operator, place, "192.168.0.0/16", **more)
    mine = world.route_table(place.network)
    add(operator, place, "192.168.0.0/16", RouteTableId=mine)
    assert custom(operator, mine) == ["192.168.0.0/16"]
    add(operator, place, "192.168.0.0/17")


def test_what_a_route_leads_to_is_in_its_vpc_and_passes_on(
    operator: Account, world: World, place: Place, refused: Refused
) -> None:
    elsewhere = placed(operator, world.network())
    for kind, hop in (("NetworkInterface", elsewhere.eni), ("Instance", elsewhere.attachment)):
        with refused("INVALID_VPC_ID", 400, elsewhere.network.vpc, place.network.vpc):
            add(operator, place, "192.168.0.0/16", NextHopType=kind, NextHopId=hop)
    for kind, hop, code in (
        ("NetworkInterface", "eni-none", "InvalidNextHop.NotFound"),
        ("Instance", "att-none", "InvalidNextHop.NotFound"),
        ("Instance", place.eni, "InvalidNextHop.NotFound"),
        ("NatGateway", "ngw-none", "InvalidNatGateway.NotFound"),
        ("GatewayEndpoint", "vpce-none", "InvalidNextHopType"),
        ("HaVip", "havip-none", "InvalidNextHopType"),
    ):
        with refused(code, 400, "NextHop"):
            add(operator, place, "192.168.0.0/16", NextHopType=kind, NextHopId=hop)
    balancer = world.balancer(place.network)
    owned = operator.ecs.DescribeNetworkInterfaces(VpcId=place.network.vpc)
    (eni,) = [
        each["NetworkInterfaceId"]
        for each in owned["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        if each["NetworkInterfaceId"] != place.eni
        and each["VSwitchId"] == place.network.vswitches[A]
    ]
    with refused("InvalidNexthop", 400, eni, balancer, "passes nothing on"):
        add(operator, place, "192.168.0.0/16", NextHopId=eni)
    with refused("UnsupportedParameter.NextHopList", 400):
        operator.vpc.CreateRouteEntry(
            RouteTableId=place.table,
            DestinationCidrBlock="192.168.0.0/16",
            NextHopId=place.eni,
            NextHopList=[{"NextHopId": place.eni, "NextHopType": "RouterInterface"}],
        )


def test_a_table_has_room_for_so_many(operator: Account, place: Place, refused: Refused) -> None:
    operator.own.call(
        "SetQuota", AccountId=operator.id, QuotaName="vpc_quota_route_entrys_num", Limit=3
    )
    listed = prefix_list(operator, "192.168.0.0/24", MaxEntries=2)
    add(operator, place, "192.168.1.0/24")
    add(operator, place, listed)
    with refused("QuotaExceeded", 400, place.table, "MaxEntries"):
        add(operator, place, "192.168.2.0/24")
    with refused("QuotaExceeded", 400, place.table):
        operator.vpc.ModifyVpcPrefixList(PrefixListId=listed, MaxEntries=3)
    operator.vpc.ModifyVpcPrefixList(PrefixListId=listed, MaxEntries=1)
    add(operator, place, "192.168.2.0/24")


def test_a_nat_gateway_is_a_hop_that_stays_while_a_route_leads_to_it(
    operator: Account, world: World, place: Place, node: Node, refused: Refused
) -> None:
    """Beyond its doors it leads nowhere, so that a wider route does not take its packets."""
    gateway = world.nat_gateway(place.network)
    route = add(operator, place, "192.168.0.0/16", NextHopType="NatGateway", NextHopId=gateway)
    assert custom(operator, place.table) == ["192.168.0.0/16"]
    assert ("192.168.0.0/16", "endpoint", "") in routes(node, place.table)
    with refused("DependencyViolation.RouteEntry", 400, gateway, route):
        operator.vpc.DeleteNatGateway(NatGatewayId=gateway)
    operator.vpc.DeleteRouteEntry(RouteEntryId=route)
    operator.vpc.DeleteNatGateway(NatGatewayId=gateway)


def test_a_route_is_deleted_by_its_id_or_by_what_it_says(
    operator: Account, place: Place, node: Node, refused: Refused
) -> None:
    delete = operator.vpc.DeleteRouteEntry
    first = add(operator, place, "192.168.0.0/24")
    add(operator, place, "192.168.1.0/24")
    add(operator, place, "192.168.2.0/24")
    block = {"RouteTableId": place.table, "DestinationCidrBlock": "192.168.1.0/24"}
    with refused("InvalidRouteEntry.NotFound", 400, "192.168.1.0/24", "eni-other"):
        delete(**block, NextHopId="eni-other")
    with refused("ParamExclusive.RouteEntryIdAndRouteTableIdOrDestCidrBlock", 400):
        delete(**block, RouteEntryId=first)
    with refused("MissingRouteTableId", 400, "RouteEntryId"):
        delete(DestinationCidrBlock="192.168.1.0/24")
    with refused("MissingDestinationCidrBlock", 400):
        delete(RouteTableId=place.table)
    delete(**block, NextHopId=place.eni)
    delete(RouteEntryId=first)
    delete(RouteTableId=place.table, DestinationCidrBlock="192.168.2.0/24")
    assert custom(operator, place.table) == []
    assert [kind for _, kind, _ in routes(node, place.table)] == ["local", "local"]
    for asked in ({"RouteEntryId": first}, block):
        with refused("InvalidRouteEntry.NotFound", 400, "DescribeRouteEntryList"):
            delete(**asked)


def test_what_is_there_by_itself_is_nobodys_to_delete(
    operator: Account, place: Place, refused: Refused
) -> None:
    system = entries(operator, place.table)[0]
    block = system["DestinationCidrBlock"]
    for asked in (
        {"RouteEntryId": system["RouteEntryId"]},
        {"RouteTableId": place.table, "DestinationCidrBlock": block},
    ):
        for act in (operator.vpc.DeleteRouteEntry, operator.vpc.ModifyRouteEntry):
            with refused("OperationDenied", 400, block, "as long as its vSwitch"):
                act(**asked)


def test_a_route_gets_another_hop_and_name(
    operator: Account, world: World, place: Place, node: Node, refused: Refused
) -> None:
    made = add(operator, place, "192.168.0.0/16", RouteEntryName="old")
    other = placed(operator, place.network)
    modify = operator.vpc.ModifyRouteEntry
    modify(RouteEntryId=made, RouteEntryName="new", Description="spare")
    (shown,) = entries(operator, place.table, RouteEntryId=made)
    assert (shown["RouteEntryName"], shown["Description"]) == ("new", "spare")
    modify(RouteEntryId=made, NewNextHopId=other.eni)
    assert routes(node, place.table)[-1] == ("192.168.0.0/16", "attachment", other.address)
    modify(
        RouteTableId=place.table,
        DestinationCidrBlock="192.168.0.0/16",
        NewNextHopType="Instance",
        NewNextHopId=place.attachment,
    )
    assert routes(node, place.table)[-1] == ("192.168.0.0/16", "attachment", place.address)
    with refused("MissingNewNextHopId", 400, "NewNextHopType"):
        modify(RouteEntryId=made, NewNextHopType="NetworkInterface")
    elsewhere = placed(operator, world.network())
    with refused("INVALID_VPC_ID", 400, "NewNextHopId", elsewhere.attachment):
        modify(RouteEntryId=made, NewNextHopId=elsewhere.attachment)


def test_what_a_route_leads_to_stays(operator: Account, place: Place, refused: Refused) -> None:
    by_eni = add(operator, place, "192.168.0.0/16")
    by_place = add(
        operator, place, "172.16.0.0/12", NextHopType="Instance", NextHopId=place.attachment
    )
    for each in (by_eni, by_place):
        with refused("DependencyViolation.RouteEntry", 400, place.attachment, each, place.table):
            operator.own.call("DeleteAttachment", AttachmentId=place.attachment)
        operator.vpc.DeleteRouteEntry(RouteEntryId=each)
    operator.own.call("DeleteAttachment", AttachmentId=place.attachment)
    with refused("InvalidNextHop.NotFound", 400):
        add(operator, place, "192.168.0.0/16")


def test_no_vswitch_takes_what_a_route_is_for(
    operator: Account, world: World, dual: Place, refused: Refused
) -> None:
    four, six = add(operator, dual, "10.0.9.0/28"), add(operator, dual, "fd00:0:0:109::7")
    with refused("RouterEntryConflict.Duplicated", 400, "10.0.9.0/28", four, "DeleteRouteEntry"):
        world.vswitch(dual.network.vpc, "10.0.9.0/24")
    with refused("RouterEntryConflict.Duplicated", 400, "fd00:0:0:109::7/128", six):
        world.vswitch(dual.network.vpc, "10.0.8.0/24", Ipv6CidrBlock=9)
    more = world.vswitch(dual.network.vpc, "10.0.8.0/24")
    with refused("RouterEntryConflict.Duplicated", 400, "fd00:0:0:109::7/128", six):
        operator.vpc.ModifyVSwitchAttribute(VSwitchId=more, EnableIPv6=True, Ipv6CidrBlock=9)
    operator.vpc.DeleteRouteEntry(RouteEntryId=four)
    world.vswitch(dual.network.vpc, "10.0.9.0/24")


def test_a_route_to_a_prefix_list_is_about_what_is_on_it(
    operator: Account, place: Place, node: Node, refused: Refused
) -> None:
    listed = prefix_list(operator, "192.168.0.0/24", "10.0.0.128/25")
    made = add(operator, place, listed)
    (shown,) = entries(operator, place.table, DestinationCidrBlock=listed)
    assert (shown["RouteEntryId"], shown["IpVersion"], shown["Type"]) == (made, "ipv4", "Custom")

    def led() -> list[str]:
        return [cidr for cidr, kind, _ in routes(node, place.table) if kind == "attachment"]

    assert led() == ["192.168.0.0/24"]
    operator.vpc.ModifyVpcPrefixList(
        PrefixListId=listed,
        AddPrefixListEntry=[{"Cidr": "192.168.1.0/24"}],
        RemovePrefixListEntry=[{"Cidr": "192.168.0.0/24"}],
    )
    assert led() == ["192.168.1.0/24"]
    with refused("ResourceAlreadyAssociated.PrefixList", 400, listed, made):
        add(operator, place, listed)
    with refused("OperationFailed.CidrConflictWithPrefixList", 400, listed, made):
        add(operator, place, "192.168.1.0/24")
    operator.vpc.DeleteRouteEntry(RouteTableId=place.table, DestinationCidrBlock=listed)
    assert led() == []


def test_several_routes_at_once_and_none_hinders_another(
    operator: Account, world: World, place: Place
) -> None:
    mine = world.route_table(place.network)
    hop = {"NextHop": place.eni, "NextHopType": "NetworkInterface"}
    made = operator.vpc.CreateRouteEntries(
        RouteEntries=[
            {"RouteTableId": place.table, "DstCidrBlock": "192.168.0.0/24", "IpVersion": 4, **hop},
            {"RouteTableId": place.table, "DstCidrBlock": "10.0.0.0/24", **hop},
            {"RouteTableId": mine, "DstCidrBlock": "192.168.0.0/24", "Name": "mine", **hop},
            {"RouteTableId": mine, "DstCidrBlock": "192.168.0.0/24", **hop},
            {"RouteTableId": mine, "DstCidrBlock": "192.168.1.0/24", "IpVersion": 6, **hop},
            {"RouteTableId": "vtb-none", "DstCidrBlock": "192.168.0.0/24", **hop},
        ]
    )
    assert (made["SuccessCount"], made["FailedCount"]) == (2, 4)
    assert [each["FailedCode"] for each in made["FailedRouteEntries"]] == [
        "InvalidCidrBlock",
        "InvalidCIDRBlock.Duplicate",
        "InvalidRouteEntries",
        "InvalidRouteTableId.NotFound",
    ]
    shown = [each["RouteEntryId"] for each in entries(operator, place.table)]
    assert made["RouteEntryIds"][0] in shown
    assert custom(operator, place.table) == custom(operator, mine) == ["192.168.0.0/24"]


def test_a_table_goes_with_its_routes(operator: Account, world: World, place: Place) -> None:
    mine = world.route_table(place.network)
    add(operator, place, "192.168.0.0/16", RouteTableId=mine)
    operator.vpc.DeleteRouteTable(RouteTableId=mine)
    operator.own.call("DeleteAttachment", AttachmentId=place.attachment)


def test_tables_are_shown_with_what_is_in_them(
    operator: Account, world: World, place: Place, refused: Refused
) -> None:
    mine = world.route_table(place.network, RouteTableName="mine")
    operator.vpc.AssociateRouteTable(RouteTableId=mine, VSwitchId=place.network.vswitch)
    made = add(operator, place, "192.168.0.0/16", RouteTableId=mine)
    shown = operator.vpc.DescribeRouteTables(RouteTableId=mine)
    assert shown["TotalCount"] == 1
    (table,) = shown["RouteTables"]["RouteTable"]
    assert (table["RouteTableType"], table["Status"]) == ("Custom", "Available")
    assert table["VSwitchIds"] == {"VSwitchId": [place.network.vswitch]}
    listed = table["RouteEntrys"]["RouteEntry"]
    assert [each["DestinationCidrBlock"] for each in listed] == [
        "10.0.0.0/24",
        "10.0.1.0/24",
        "192.168.0.0/16",
    ]
    assert (listed[-1]["NextHopType"], listed[-1]["InstanceId"]) == ("NetworkInterface", place.eni)
    assert (listed[-1]["RouteEntryId"], listed[-1]["Type"]) == (made, "Custom")
    narrowed = operator.vpc.DescribeRouteTables(RouteTableId=mine, Type="Custom")
    (table,) = narrowed["RouteTables"]["RouteTable"]
    assert len(table["RouteEntrys"]["RouteEntry"]) == 1
    router = operator.vpc.DescribeVpcAttribute(VpcId=place.network.vpc)["VRouterId"]
    for asked in ({"VRouterId": router}, {"RouterId": router}):
        assert operator.vpc.DescribeRouteTables(**asked)["TotalCount"] == 2
    assert operator.vpc.DescribeRouteTables(RouteTableName="mine")["TotalCount"] == 1
    with refused("MissingRouteTableId", 400, "VRouterId"):
        operator.vpc.DescribeRouteTables()


def test_what_a_policy_keeps_of_a_table_it_keeps_of_its_routes(
    stage: Stage, operator: Account, world: World, place: Place, refused: Refused
) -> None:
    made = add(operator, place, "192.168.0.0/16")
    guarded = f"acs:vpc:*:{operator.id}:routetable/{place.table}"
    guest = user(stage, operator, "guest", allow("vpc:*"), deny("vpc:*", on=guarded))
    mine = world.route_table(place.network)
    for asked, code, status in (
        ({"RouteEntryId": made, "RouteTableId": place.table}, "Forbidden.RAM", 403),
        ({"RouteEntryId": made}, "MissingRouteTableId", 400),
        ({"RouteEntryId": made, "RouteTableId": mine}, "InvalidRouteEntry.NotFound", 400),
    ):
        for act in (guest.vpc.DeleteRouteEntry, guest.vpc.ModifyRouteEntry):
            with refused(code, status):
                act(**asked)
    guest.own.close()


def test_the_route_of_a_gateway_endpoint_is_shown_and_is_the_systems(
    stage: Stage, operator: Account, world: World, place: Place, node: Node, refused: Refused
) -> None:
    mine = world.route_table(place.network)
    with stage.database.write() as tx:
        made = store.add_system(tx, RouteTableId(mine), "pl-objects", "vpce-1", "then")
    (shown,) = entries(operator, mine, NextHopType="GatewayEndpoint")
    assert (shown["RouteEntryId"], shown["Type"]) == (made.id, "System")
    assert shown["DestinationCidrBlock"] == "pl-objects"
    assert shown["NextHops"]["NextHop"][0]["NextHopId"] == "vpce-1"
    denied = "OperationDenied.DeleteGatewayEndpointRoute"
    for act in (operator.vpc.DeleteRouteEntry, operator.vpc.ModifyRouteEntry):
        with refused(denied, 400, "vpce-1", "DissociateRouteTablesFromVpcGatewayEndpoint"):
            act(RouteEntryId=made.id)
    with refused("DependencyViolation.RouteEntry", 400, "vpce-1"):
        operator.vpc.DeleteRouteTable(RouteTableId=mine)
    with stage.database.write() as tx:
        store.remove_system(tx, RouteTableId(mine), "vpce-1")
    operator.vpc.DeleteRouteTable(RouteTableId=mine)
