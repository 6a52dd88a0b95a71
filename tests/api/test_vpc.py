"""VPC: private networks and their subnets."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


def test_a_vpc_is_shown_as_it_was_made(operator: Account) -> None:
    vpc_id = operator.vpc.CreateVpc(CidrBlock="10.0.0.0/16", VpcName="web", Description="first")[
        "VpcId"
    ]
    shown = operator.vpc.DescribeVpcAttribute(VpcId=vpc_id)
    assert vpc_id.startswith("vpc-")
    assert (shown["VpcId"], shown["CidrBlock"], shown["VpcName"]) == (vpc_id, "10.0.0.0/16", "web")
    assert (shown["Description"], shown["Status"], shown["RegionId"]) == (
        "first",
        "Available",
        "local",
    )
    assert shown["OwnerId"] == int(operator.id)
    (listed,) = operator.vpc.DescribeVpcs()["Vpcs"]["Vpc"]
    assert len(listed.pop("RouterTableIds")["RouterTableIds"]) == 1
    assert shown.pop("ClassicLinkEnabled") is False
    assert shown.pop("AssociatedPropagationSources") == {"AssociatedPropagationSources": []}
    assert listed == {name: value for name, value in shown.items() if name != "RequestId"}


def test_a_vpc_without_a_block_gets_the_default_one(operator: Account) -> None:
    vpc_id = operator.vpc.CreateVpc()["VpcId"]
    assert operator.vpc.DescribeVpcAttribute(VpcId=vpc_id)["CidrBlock"] == "172.16.0.0/12"


def test_vpcs_may_overlap(world: World) -> None:
    assert world.network().vpc != world.network().vpc


def test_vpcs_are_found_by_ids_and_by_name(operator: Account) -> None:
    web, data, last = (operator.vpc.CreateVpc(VpcName=n)["VpcId"] for n in ("web", "data", "last"))

    def found(**wanted: str) -> list[str]:
        return [vpc["VpcId"] for vpc in operator.vpc.DescribeVpcs(**wanted)["Vpcs"]["Vpc"]]

    assert found() == [web, data, last]
    assert found(VpcId=data) == [data]
    assert found(VpcId=f"{last},{web}") == [web, last]
    assert found(VpcName="last") == [last]
    assert found(VpcId=web, VpcName="last") == []


@pytest.mark.parametrize(
    ("cidr", "word"),
    [
        ("10.0.0.0", "/8 to /28"),
        ("10.0.0.0/7", "/8 to /28"),
        ("10.0.0.0/29", "/8 to /28"),
        ("10.0.0.1/16", "network address"),
        ("10.0.0.0/255.255.0.0", "not an IPv4 block"),
        ("10.0.0.0/0.0.255.255", "not an IPv4 block"),
        ("10.0.0.0/33", "not an IPv4 block"),
        ("fd00::/64", "not an IPv4 block"),
        ("100.64.0.0/16", "100.64.0.0/10 is reserved"),
        ("127.0.0.0/16", "127.0.0.0/8 is reserved"),
        ("224.0.0.0/16", "224.0.0.0/3 is reserved"),
    ],
)
def test_a_block_that_is_none_is_refused(
    operator: Account, refused: Refused, cidr: str, word: str
) -> None:
    with refused("InvalidCidrBlock.Malformed", 400, "CidrBlock", cidr, word):
        operator.vpc.CreateVpc(CidrBlock=cidr)


def test_a_name_is_no_link(operator: Account, refused: Refused) -> None:
    with refused("InvalidVpcName", 400, "VpcName", "'http://x'", "does not begin with"):
        operator.vpc.CreateVpc(VpcName="http://x")
    with refused("InvalidDescription", 400, "Description", "up to 256"):
        operator.vpc.CreateVpc(Description="x" * 257)


def test_another_region_is_refused(operator: Account, refused: Refused) -> None:
    with refused("RegionNotFound", 400, "'cn-hangzhou'", "Served: local"):
        operator.vpc.CreateVpc(RegionId="cn-hangzhou")


def test_an_unknown_vpc_is_not_found(operator: Account, refused: Refused) -> None:
    with refused("InvalidVpcId.NotFound", 404, "'vpc-none'", "DescribeVpcs"):
        operator.vpc.DescribeVpcAttribute(VpcId="vpc-none")
    with refused("InvalidVpcId.NotFound", 404, "'vpc-none'", "DescribeVpcs"):
        operator.vpc.DeleteVpc(VpcId="vpc-none")
    with refused("InvalidVpcId.NotFound", 404, "'vpc-none'", "DescribeVpcs"):
        operator.vpc.CreateVSwitch(VpcId="vpc-none", ZoneId=A, CidrBlock="10.0.0.0/24")


def test_an_empty_vpc_can_go(operator: Account, refused: Refused) -> None:
    vpc_id = operator.vpc.CreateVpc()["VpcId"]
    operator.vpc.DeleteVpc(VpcId=vpc_id)
    assert operator.vpc.DescribeVpcs()["TotalCount"] == 0
    with refused("InvalidVpcId.NotFound", 404, vpc_id):
        operator.vpc.DescribeVpcAttribute(VpcId=vpc_id)


def test_a_vswitch_is_available_once_its_node_has_made_it(
    operator: Account, world: World, node: Node
) -> None:
    vpc_id = operator.vpc.CreateVpc(CidrBlock="10.0.0.0/16")["VpcId"]
    vswitch_id = operator.vpc.CreateVSwitch(
        VpcId=vpc_id, ZoneId=B, CidrBlock="10.0.3.0/24", VSwitchName="web", Description="first"
    )["VSwitchId"]

    def shown() -> dict[str, object]:
        return operator.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch_id)

    assert shown()["Status"] == "Pending"
    node.catch_up()
    after = shown()
    assert after["Status"] == "Available"
    assert (after["VSwitchId"], after["VpcId"], after["ZoneId"]) == (vswitch_id, vpc_id, B)
    assert (after["CidrBlock"], after["VSwitchName"]) == ("10.0.3.0/24", "web")
    listed = operator.vpc.DescribeVSwitches(VpcId=vpc_id)["VSwitches"]["VSwitch"]
    assert listed == [{name: value for name, value in after.items() if name != "RequestId"}]
    vpc = operator.vpc.DescribeVpcAttribute(VpcId=vpc_id)
    assert vpc["VSwitchIds"] == {"VSwitchId": [vswitch_id]}


def test_a_vswitch_that_its_node_cannot_make_stays_pending(
    operator: Account, world: World, node: Node
) -> None:
    vswitch_id = world.network().vswitch
    node.fail(f"segment/{vswitch_id}")
    node.catch_up()
    shown = operator.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch_id)
    assert shown["Status"] == "Pending"


def test_vswitches_are_found_by_id_name_zone_and_vpc(operator: Account, world: World) -> None:
    first, second = world.network(A, B), world.network(A)
    named = operator.vpc.CreateVSwitch(
        VpcId=second.vpc, ZoneId=B, CidrBlock="10.0.9.0/24", VSwitchName="named"
    )["VSwitchId"]

    def found(**wanted: str) -> list[str]:
        listed = operator.vpc.DescribeVSwitches(**wanted)["VSwitches"]["VSwitch"]
        return [vswitch["VSwitchId"] for vswitch in listed]

    assert found(VpcId=first.vpc) == list(first.vswitches.values())
    assert found(ZoneId=B) == [first.vswitches[B], named]
    assert found(VSwitchName="named") == [named]
    assert found(VSwitchId=f"{named},{first.vswitch}") == [first.vswitch, named]


@pytest.mark.parametrize(
    ("cidr", "word"),
    [
        ("10.1.0.0/24", "within 10.0.0.0/16"),
        ("10.0.0.0/15", "/16 to /29"),
        ("10.0.0.0/30", "/16 to /29"),
        ("10.0.0.5/24", "network address"),
        ("ten", "not an IPv4 block"),
    ],
)
def test_a_vswitch_lies_within_its_vpc(
    operator: Account, refused: Refused, cidr: str, word: str
) -> None:
    vpc_id = operator.vpc.CreateVpc(CidrBlock="10.0.0.0/16")["VpcId"]
    with refused("InvalidCidrBlock.Malformed", 400, "CidrBlock", cidr, word):
        operator.vpc.CreateVSwitch(VpcId=vpc_id, ZoneId=A, CidrBlock=cidr)


@pytest.mark.parametrize("cidr", ["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/20"])
def test_vswitches_of_a_vpc_do_not_overlap(
    operator: Account, world: World, refused: Refused, cidr: str
) -> None:
    network = world.network()
    with refused(
        "InvalidCidrBlock.Overlapped", 400, cidr, "10.0.0.0/24", network.vswitch, "Choose"
    ):
        operator.vpc.CreateVSwitch(VpcId=network.vpc, ZoneId=B, CidrBlock=cidr)


def test_an_unknown_zone_is_refused_and_the_known_ones_named(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    with refused("InvalidZoneId.NotFound", 404, "'moon-a'", "local-a, local-b, local-c"):
        operator.vpc.CreateVSwitch(VpcId=network.vpc, ZoneId="moon-a", CidrBlock="10.0.9.0/24")


def test_an_unknown_vswitch_is_not_found(operator: Account, refused: Refused) -> None:
    with refused("InvalidVSwitchId.NotFound", 404, "'vsw-none'", "DescribeVSwitches"):
        operator.vpc.DescribeVSwitchAttributes(VSwitchId="vsw-none")
    with refused("InvalidVSwitchId.NotFound", 404, "'vsw-none'", "DescribeVSwitches"):
        operator.vpc.DeleteVSwitch(VSwitchId="vsw-none")


def test_an_empty_vswitch_can_go_and_its_block_be_used_again(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    assert operator.vpc.DescribeVSwitches()["TotalCount"] == 0
    world.vswitch(network.vpc, "10.0.0.0/24")
    node.catch_up()
    assert len(node.held) == 3  # with the route table and the resolver


def test_vpcs_and_vswitches_get_other_names(operator: Account, world: World) -> None:
    network = world.network()
    operator.vpc.ModifyVpcAttribute(VpcId=network.vpc, VpcName="new", Description="first")
    operator.vpc.ModifyVpcAttribute(VpcId=network.vpc, Description="")
    vpc = operator.vpc.DescribeVpcAttribute(VpcId=network.vpc)
    assert (vpc["VpcName"], vpc["Description"]) == ("new", "")
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=network.vswitch, Description="first")
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=network.vswitch, VSwitchName="new")
    vswitch = operator.vpc.DescribeVSwitchAttributes(VSwitchId=network.vswitch)
    assert (vswitch["VSwitchName"], vswitch["Description"]) == ("new", "first")


def test_a_block_stays_as_it_is(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    for more in ({"CidrBlock": "10.0.0.0/8"}, {"EnableDnsHostname": True}):
        with refused(f"UnsupportedParameter.{next(iter(more))}", 400, "nothing has been changed"):
            operator.vpc.ModifyVpcAttribute(VpcId=network.vpc, **more)


def test_nothing_goes_with_a_vpc_by_force(operator: Account, refused: Refused) -> None:
    vpc_id = operator.vpc.CreateVpc()["VpcId"]
    with refused("UnsupportedParameter.ForceDelete", 400, "ForceDelete"):
        operator.vpc.DeleteVpc(VpcId=vpc_id, ForceDelete=True)
    operator.vpc.DeleteVpc(VpcId=vpc_id, ForceDelete=False)


def test_filters_for_what_is_not_here_find_nothing(operator: Account, world: World) -> None:
    world.network()
    vpcs, vswitches = operator.vpc.DescribeVpcs, operator.vpc.DescribeVSwitches
    own, strange = int(operator.id), 42
    assert vpcs(IsDefault=False, VpcOwnerId=own)["TotalCount"] == 1
    assert vswitches(IsDefault=False, VSwitchOwnerId=own)["TotalCount"] == 1
    for nothing in (vpcs(IsDefault=True), vpcs(VpcOwnerId=strange)):
        assert nothing["Vpcs"] == {"Vpc": []}
    for nothing in (vswitches(IsDefault=True), vswitches(VSwitchOwnerId=strange)):
        assert nothing["VSwitches"] == {"VSwitch": []}


def test_a_question_can_be_rehearsed(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    with refused("DryRunOperation", 400):
        operator.vpc.DescribeVpcs(DryRun=True)
    with refused("DryRunOperation", 400):
        operator.vpc.DescribeVSwitchAttributes(VSwitchId=network.vswitch, DryRun=True)
    with refused("InvalidVSwitchId.NotFound", 404):
        operator.vpc.DescribeVSwitchAttributes(VSwitchId="vsw-none", DryRun=True)


def test_there_is_one_region_with_zones(operator: Account) -> None:
    for product in (operator.vpc, operator.ecs):
        (region,) = product.DescribeRegions()["Regions"]["Region"]
        assert (region["RegionId"], region["RegionEndpoint"]) == ("local", "127.0.0.1:8680")
        zones = product.DescribeZones()["Zones"]["Zone"]
        assert [zone["ZoneId"] for zone in zones] == ["local-a", "local-b", "local-c"]
    assert operator.vpc.DescribeRegions(ProductType="VPN")["Regions"] == {"Region": []}
    zone = operator.ecs.DescribeZones()["Zones"]["Zone"][0]
    assert zone["AvailableResourceCreation"] == {"ResourceTypes": ["VSwitch"]}
    assert zone["AvailableInstanceTypes"] == {"InstanceTypes": []}
    short = operator.ecs.DescribeZones(Verbose=False)["Zones"]["Zone"][0]
    assert set(short) == {"ZoneId", "LocalName", "ZoneType"}
