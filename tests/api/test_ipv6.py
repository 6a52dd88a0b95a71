"""IPv6 beside IPv4 in networks: the blocks of VPCs and vSwitches, and addresses in them."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, Network, World

BLOCK, OTHER = "fd00:0:0:100::/56", "2001:db8:1:200::/56"


@pytest.fixture
def dual(world: World) -> Network:
    """A VPC with IPv6: fd00:0:0:100::/64 in zone A."""
    return world.dual_network()


def vpc(account: Account, vpc_id: str) -> Answer:
    """What DescribeVpcAttribute says of IPv6."""
    shown = account.vpc.DescribeVpcAttribute(VpcId=vpc_id)
    return {name: shown[name] for name in ("EnabledIpv6", "Ipv6CidrBlock", "Ipv6CidrBlocks")}


def block(account: Account, vswitch_id: str) -> str:
    """A vSwitch's IPv6 block."""
    shown = account.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch_id)
    assert shown["EnabledIpv6"] is bool(shown["Ipv6CidrBlock"])
    return str(shown["Ipv6CidrBlock"])


def attach(account: Account, vswitch: str, address: str | None = None) -> Answer:
    """An attachment."""
    return account.own.call("CreateAttachment", VSwitchId=vswitch, Ipv6Address=address)


def test_a_vpc_has_the_block_it_asks_for(operator: Account) -> None:
    asked = {"EnableIpv6": True, "Ipv6CidrBlock": "FD00:0:0:0100::/56", "Ipv6Isp": "BGP"}
    vpc_id = operator.vpc.CreateVpc(**asked)["VpcId"]
    assert vpc(operator, vpc_id) == {
        "EnabledIpv6": True,
        "Ipv6CidrBlock": BLOCK,
        "Ipv6CidrBlocks": {"Ipv6CidrBlock": [{"Ipv6CidrBlock": BLOCK, "Ipv6Isp": "BGP"}]},
    }


def test_a_vpc_without_a_block_gets_a_unique_local_one(operator: Account) -> None:
    blocks = set()
    for _ in range(8):
        made = operator.vpc.CreateVpc(EnableIpv6=True)
        found = IPv6Network(vpc(operator, made["VpcId"])["Ipv6CidrBlock"])
        assert found.prefixlen == 56
        assert found.subnet_of(IPv6Network("fd00::/8"))
        blocks.add(found)
    assert len(blocks) == 8


def test_a_vpc_is_ipv4_unless_it_asks(operator: Account) -> None:
    for asked in ({}, {"EnableIpv6": False}, {"Ipv6Isp": "BGP"}):
        vpc_id = operator.vpc.CreateVpc(**asked)["VpcId"]
        none: Answer = {"Ipv6CidrBlock": []}
        assert vpc(operator, vpc_id) == {
            "EnabledIpv6": False,
            "Ipv6CidrBlock": "",
            "Ipv6CidrBlocks": none,
        }


def test_vpcs_may_have_one_block(operator: Account, world: World) -> None:
    assert world.dual_network().vpc != world.dual_network().vpc


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ("fe80::/56", "neither unique-local (fd00::/8) nor global unicast (2000::/3)"),
        ("ff02::/56", "neither unique-local"),
        ("::ffff:10.0.0.0/56", "after its mask"),
        ("::ffff:10.0.0.0/104", "must be /56"),
        ("::/56", "neither unique-local"),
        ("64:ff9b::/56", "neither unique-local"),
        ("fd70:7269:766c::/56", "fd70:7269:766c::/96 is reserved"),
        ("fd00:0:0:100::/48", "after its mask"),
        ("fd00::/48", "must be /56"),
        ("fd00::/64", "must be /56"),
        ("fd00::", "must be /56"),
        ("fd00::1/56", "did you mean the network address"),
        ("fd00::/129", "not an IPv6 block"),
        ("fd00::%eth0/56", "not an IPv6 block"),
        ("10.0.0.0/16", "not an IPv6 block"),
        ("fd00:::/56", "not an IPv6 block"),
    ],
)
def test_a_block_that_cannot_be_is_refused(
    operator: Account, refused: Refused, asked: str, word: str
) -> None:
    with refused("InvalidIpv6CidrBlock.Malformed", 400, "Ipv6CidrBlock", repr(asked), word):
        operator.vpc.CreateVpc(EnableIpv6=True, Ipv6CidrBlock=asked)
    vpc_id = operator.vpc.CreateVpc()["VpcId"]
    with refused("InvalidIpv6CidrBlock.Malformed", 400, repr(asked), word):
        operator.vpc.ModifyVpcAttribute(VpcId=vpc_id, EnableIPv6=True, Ipv6CidrBlock=asked)


def test_what_the_cloud_gets_elsewhere_is_refused_by_name(
    operator: Account, refused: Refused
) -> None:
    with refused("InvalidIpv6Isp", 400, "'ChinaMobile'", "only BGP"):
        operator.vpc.CreateVpc(EnableIpv6=True, Ipv6Isp="ChinaMobile")
    for name, value in (("Ipv6IpamPoolId", "ipam-pool-1"), ("Ipv6CidrMask", 56)):
        with refused(f"UnsupportedParameter.{name}", 400, name):
            operator.vpc.CreateVpc(EnableIpv6=True, **{name: value})
    for enable in ({}, {"EnableIpv6": False}):
        with refused("MissingParam.EnableIpv6", 400, "EnableIpv6", repr(BLOCK)):
            operator.vpc.CreateVpc(**enable, Ipv6CidrBlock=BLOCK)


def test_ipv6_of_a_vpc_is_switched_on_and_off(operator: Account, refused: Refused) -> None:
    vpc_id = operator.vpc.CreateVpc()["VpcId"]

    def modify(**change: Any) -> str:
        operator.vpc.ModifyVpcAttribute(VpcId=vpc_id, **change)
        return str(vpc(operator, vpc_id)["Ipv6CidrBlock"])

    assert modify(EnableIPv6=False) == ""
    with refused("MissingParam.EnableIPv6", 400, repr(BLOCK)):
        modify(Ipv6CidrBlock=BLOCK)
    with refused("InvalidIpv6CidrBlock", 400, repr(BLOCK), "EnableIPv6=false"):
        modify(EnableIPv6=False, Ipv6CidrBlock=BLOCK)
    assert modify(EnableIPv6=True, Ipv6CidrBlock=BLOCK, Ipv6Isp="BGP") == BLOCK
    assert modify(EnableIPv6=True) == BLOCK
    assert modify(Ipv6CidrBlock="fd00:0:0:0100::/56", VpcName="dual") == BLOCK
    with refused("OperationFailed.Ipv6CidrBlockExisted", 400, vpc_id, BLOCK, "stays as it is"):
        modify(EnableIPv6=True, Ipv6CidrBlock=OTHER)
    assert modify(EnableIPv6=False) == ""
    assert modify(EnableIPv6=True, Ipv6CidrBlock=OTHER) == OTHER


def test_ipv6_of_a_vpc_stays_while_something_uses_it(
    operator: Account, world: World, dual: Network, refused: Refused
) -> None:
    def switch_off() -> None:
        operator.vpc.ModifyVpcAttribute(VpcId=dual.vpc, EnableIPv6=False)

    with refused("DependencyViolation.Ipv6", 400, dual.vpc, dual.vswitch, "EnableIPv6=false"):
        switch_off()
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=dual.vswitch, EnableIPv6=False)
    endpoint = world.endpoint(world.dual_published(), dual, AddressIpVersion="DualStack")
    with refused("DependencyViolation.Ipv6", 400, dual.vpc, endpoint, "make them IPv4"):
        switch_off()
    operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, AddressIpVersion="IPv4")
    group = operator.nlb.CreateServerGroup(
        ServerGroupName="six", VpcId=dual.vpc, ServerGroupType="Ip", AddressIPVersion="DualStack"
    )["ServerGroupId"]
    six = vpc(operator, dual.vpc)["Ipv6CidrBlock"].replace("::/56", "::9")
    server = {"ServerType": "Ip", "ServerId": six, "ServerIp": six, "Port": 80}
    operator.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[server])
    with refused("DependencyViolation.Ipv6", 400, dual.vpc, group, "Remove the servers"):
        switch_off()
    operator.nlb.RemoveServersFromServerGroup(ServerGroupId=group, Servers=[server])
    switch_off()
    assert vpc(operator, dual.vpc)["EnabledIpv6"] is False


def test_a_vswitch_has_one_of_256_blocks_of_its_vpc(operator: Account, dual: Network) -> None:
    for number, wanted in ((1, "fd00:0:0:101::/64"), (255, "fd00:0:0:1ff::/64")):
        made = operator.vpc.CreateVSwitch(
            VpcId=dual.vpc,
            ZoneId=B,
            CidrBlock=f"10.0.{number}.0/24",
            Ipv6CidrBlock=number,
            Ipv6CidrMask=64,
            VpcIpv6CidrBlock=BLOCK,
        )
        assert block(operator, made["VSwitchId"]) == wanted
    assert block(operator, dual.vswitch) == "fd00:0:0:100::/64"


def test_a_vswitch_is_ipv4_unless_it_asks(operator: Account, world: World, dual: Network) -> None:
    assert block(operator, world.vswitch(dual.vpc, "10.0.1.0/24")) == ""
    assert block(operator, world.vswitch(dual.vpc, "10.0.2.0/24", VpcIpv6CidrBlock=BLOCK)) == ""


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"Ipv6CidrBlock": 256}, "InvalidIpv6CidrBlock", ("256", "0 to 255")),
        ({"Ipv6CidrBlock": -1}, "InvalidIpv6CidrBlock", ("-1", "0 to 255")),
        ({"Ipv6CidrBlock": 1, "Ipv6CidrMask": 80}, "InvalidIpv6CidrMask", ("80", "only 64")),
        ({"Ipv6CidrMask": 64}, "MissingParam.Ipv6CidrBlock", ("goes with it alone",)),
        (
            {"Ipv6CidrBlock": 1, "VpcIpv6CidrBlock": OTHER},
            "InvalidVpcIpv6CidrBlock",
            (OTHER, BLOCK),
        ),
        ({"VpcIpv6CidrBlock": "block"}, "InvalidVpcIpv6CidrBlock", ("'block'", BLOCK)),
        (
            {"Ipv6CidrBlock": 0},
            "InvalidIpv6CidrBlock.Overlapped",
            ("fd00:0:0:100::/64", "Choose another"),
        ),
    ],
)
def test_a_block_of_a_vswitch_that_cannot_be_is_refused(
    operator: Account,
    world: World,
    dual: Network,
    refused: Refused,
    more: dict[str, Any],
    code: str,
    words: tuple[str, ...],
) -> None:
    with refused(code, 400, *words):
        world.vswitch(dual.vpc, "10.0.9.0/24", **more)
    plain = world.vswitch(dual.vpc, "10.0.9.0/24")
    with refused(code, 400, *words):
        operator.vpc.ModifyVSwitchAttribute(VSwitchId=plain, EnableIPv6=True, **more)


def test_a_vswitch_needs_a_vpc_with_ipv6(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    with refused("OperationUnsupported.Ipv6Feature", 400, network.vpc, "ModifyVpcAttribute"):
        world.vswitch(network.vpc, "10.0.9.0/24", Ipv6CidrBlock=1)
    with refused("OperationUnsupported.Ipv6Feature", 400, network.vpc, "ModifyVpcAttribute"):
        operator.vpc.ModifyVSwitchAttribute(VSwitchId=network.vswitch, Ipv6CidrBlock=1)
    with refused("InvalidVpcIpv6CidrBlock", 400, network.vpc, "no IPv6 block"):
        world.vswitch(network.vpc, "10.0.9.0/24", VpcIpv6CidrBlock=BLOCK)


def test_ipv6_of_a_vswitch_is_switched_on_and_off(
    operator: Account, world: World, dual: Network, node: Node, refused: Refused
) -> None:
    vswitch = world.vswitch(dual.vpc, "10.0.1.0/24")
    node.catch_up()

    def modify(**change: Any) -> str:
        operator.vpc.ModifyVSwitchAttribute(VSwitchId=vswitch, **change)
        return block(operator, vswitch)

    assert modify(EnableIPv6=False) == ""
    with refused("MissingParam.Ipv6CidrBlock", 400, "Ipv6CidrBlock", "which of the 256"):
        modify(EnableIPv6=True)
    with refused("InvalidIpv6CidrBlock", 400, "3 was given", "EnableIPv6=false"):
        modify(EnableIPv6=False, Ipv6CidrBlock=3)
    assert modify(EnableIPv6=True, Ipv6CidrBlock=3) == "fd00:0:0:103::/64"
    shown = operator.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch)
    assert shown["Status"] == "Pending"
    node.catch_up()
    assert node.seen == [f"segment/{vswitch}", world.table(dual)]
    held = node.held[f"segment/{vswitch}"]
    assert (held["cidr6"], held["gateway6"]) == (
        "fd00:0:0:103::/64",
        "fd00::103:ffff:ffff:ffff:fffd",
    )
    assert modify(EnableIPv6=True, VSwitchName="dual") == "fd00:0:0:103::/64"  # as Terraform does
    node.pull()
    assert node.seen == []
    with refused("OperationFailed.Ipv6CidrBlockExisted", 400, vswitch, "fd00:0:0:103::/64"):
        modify(Ipv6CidrBlock=4)
    assert modify(EnableIPv6=False) == ""
    assert modify(Ipv6CidrBlock=4) == "fd00:0:0:104::/64"


def test_ipv6_of_a_vswitch_stays_while_somebody_has_an_address_of_it(
    operator: Account, dual: Network, node: Node, refused: Refused
) -> None:
    made = attach(operator, dual.vswitch, "fd00:0:0:100::5")
    attachment = made["AttachmentId"]

    def switch_off() -> None:
        operator.vpc.ModifyVSwitchAttribute(VSwitchId=dual.vswitch, EnableIPv6=False)

    with refused("DependencyViolation.Ipv6", 400, dual.vswitch, attachment, "fd00:0:0:100::5"):
        switch_off()
    operator.own.call("DeleteAttachment", AttachmentId=attachment)
    node.catch_up()
    switch_off()
    assert block(operator, dual.vswitch) == ""


def test_networks_are_found_by_whether_they_have_ipv6(
    operator: Account, world: World, dual: Network
) -> None:
    plain = world.network()

    def vpcs(**asked: Any) -> list[str]:
        return [each["VpcId"] for each in operator.vpc.DescribeVpcs(**asked)["Vpcs"]["Vpc"]]

    def vswitches(**asked: Any) -> list[str]:
        listed = operator.vpc.DescribeVSwitches(**asked)["VSwitches"]["VSwitch"]
        return [each["VSwitchId"] for each in listed]

    assert (vpcs(EnableIpv6=True), vpcs(EnableIpv6=False)) == ([dual.vpc], [plain.vpc])
    assert len(vpcs()) == 2
    assert vswitches(EnableIpv6=True) == [dual.vswitch]
    assert vswitches(EnableIpv6=False) == [plain.vswitch]


def test_a_workload_has_an_address_of_each_family(
    operator: Account, dual: Network, node: Node
) -> None:
    made = attach(operator, dual.vswitch)
    address = made["Ipv6Address"]
    assert IPv6Address(address) in IPv6Network("fd00:0:0:100::/64")
    assert str(IPv6Address(address)) == address
    assert made["PrivateIpAddress"] == "10.0.0.1"
    assert (made["Ipv6CidrBlock"], made["VpcIpv6CidrBlock"]) == ("fd00:0:0:100::/64", BLOCK)
    assert made["Ipv6Gateway"] == "fd00::100:ffff:ffff:ffff:fffd"
    node.pull()
    held = node.held[f"attachment/{made['AttachmentId']}"]
    assert (held["cidr6"], held["address6"]) == ("fd00:0:0:100::/64", address)
    assert attach(operator, dual.vswitch)["Ipv6Address"] != address


def test_a_workload_from_before_stays_ipv4_until_it_is_attached_anew(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    before = attach(operator, network.vswitch)
    operator.vpc.ModifyVpcAttribute(VpcId=network.vpc, EnableIPv6=True, Ipv6CidrBlock=BLOCK)
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=network.vswitch, Ipv6CidrBlock=7)
    node.pull()
    key = f"attachment/{before['AttachmentId']}"
    assert (node.held[key]["cidr6"], node.held[key]["address6"]) == ("", "")
    shown = operator.own.call("GetAttachment", AttachmentId=before["AttachmentId"])
    six = ("Ipv6Address", "Ipv6CidrBlock", "VpcIpv6CidrBlock", "Ipv6Gateway")
    assert not any(name in shown for name in six)
    after = attach(operator, network.vswitch)
    assert IPv6Address(after["Ipv6Address"]) in IPv6Network("fd00:0:0:107::/64")
    assert all(name in after for name in six)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("fd00:0:0:100::", "are reserved"),
        ("fd00::100:ffff:ffff:ffff:fffd", "are reserved"),
        ("fd00::100:ffff:ffff:ffff:fffe", "are reserved"),
        ("fd00::100:ffff:ffff:ffff:ffff", "are reserved"),
        ("fd00:0:0:101::5", "outside the vSwitch"),
        ("fe80::1", "outside the vSwitch"),
        ("fd00:0:0:100::5%eth0", "not an IPv6 address, such as fd00::5"),
        ("10.0.0.5", "not an IPv6 address"),
        ("fd00", "not an IPv6 address"),
        ("fd00:0:0:100::9", "taken already"),
        ("FD00:0:0:100:0::0009", "taken already"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused(
    operator: Account, dual: Network, refused: Refused, address: str, word: str
) -> None:
    attach(operator, dual.vswitch, "fd00:0:0:100::9")
    with refused("EniIpUnavailable", 400, repr(address), dual.vswitch, "/64", word):
        attach(operator, dual.vswitch, address)


@pytest.mark.parametrize("address", ["fd00:0:0:100::1", "fd00::100:ffff:ffff:ffff:fffc"])
def test_those_next_to_the_reserved_ones_are_not(
    operator: Account, dual: Network, address: str
) -> None:
    assert attach(operator, dual.vswitch, address)["Ipv6Address"] == address


def test_an_address_is_kept_as_rfc_5952_spells_it(operator: Account, dual: Network) -> None:
    made = attach(operator, dual.vswitch, "FD00:0:0:0100:0:0:0:00AB")
    assert made["Ipv6Address"] == "fd00:0:0:100::ab"


def test_without_a_block_there_is_no_address(
    operator: Account, world: World, refused: Refused
) -> None:
    vswitch = world.network().vswitch
    with refused("OperationFailed.vSwitchNotSupportIpv6", 400, vswitch, "ModifyVSwitchAttribute"):
        attach(operator, vswitch, "fd00::5")


def test_an_address_is_free_again_when_its_owner_is_gone(
    operator: Account, dual: Network, node: Node, refused: Refused
) -> None:
    made = attach(operator, dual.vswitch, "fd00:0:0:100::5")
    operator.own.call("DeleteAttachment", AttachmentId=made["AttachmentId"])
    with refused("EniIpUnavailable", 400, "taken already"):
        attach(operator, dual.vswitch, "fd00:0:0:100::5")
    node.catch_up()
    attach(operator, dual.vswitch, "fd00:0:0:100::5")


def test_two_vpcs_may_have_the_same_address(operator: Account, world: World) -> None:
    for network in (world.dual_network(), world.dual_network()):
        made = attach(operator, network.vswitch, "fd00:0:0:100::5")
        assert made["Ipv6Address"] == "fd00:0:0:100::5"


def test_an_interface_shows_both_addresses(
    operator: Account, world: World, dual: Network, refused: Refused
) -> None:
    made = attach(operator, dual.vswitch, "fd00:0:0:100::5")
    plain = attach(operator, world.network().vswitch)
    one = operator.ecs.DescribeNetworkInterfaceAttribute(
        NetworkInterfaceId=made["NetworkInterfaceId"]
    )
    assert one["PrivateIpAddress"] == made["PrivateIpAddress"]
    assert one["Ipv6Sets"] == {"Ipv6Set": [{"Ipv6Address": "fd00:0:0:100::5", "Primary": True}]}
    other = operator.ecs.DescribeNetworkInterfaceAttribute(
        NetworkInterfaceId=plain["NetworkInterfaceId"]
    )
    assert other["Ipv6Sets"] == {"Ipv6Set": []}

    def found(*addresses: str) -> list[str]:
        shown = operator.ecs.DescribeNetworkInterfaces(Ipv6Address=list(addresses))
        listed = shown["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        assert shown["TotalCount"] == len(listed)
        return [each["NetworkInterfaceId"] for each in listed]

    assert found("fd00:0:0:0100::5", "fd00::1") == [made["NetworkInterfaceId"]]
    assert found("fd00::1") == []
    with refused("InvalidIpv6Address", 400, "Ipv6Address.2", "'10.0.0.5'"):
        found("fd00::1", "10.0.0.5")


def test_a_load_balancer_has_an_address_of_each_family(
    operator: Account, world: World, dual: Network
) -> None:
    created = operator.nlb.CreateLoadBalancer(
        VpcId=dual.vpc,
        AddressType="Intranet",
        AddressIpVersion="dualstack",
        ZoneMappings=[{"ZoneId": A, "VSwitchId": dual.vswitch, "Ipv6Address": "fd00:0:0:100::80"}],
    )["LoadbalancerId"]
    chosen, plain = world.balancer(dual, version="DualStack"), world.balancer(dual)

    def shown(balancer: str) -> Answer:
        return operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)

    def addresses(balancer: str) -> Answer:
        (mapping,) = shown(balancer)["ZoneMappings"]
        (found,) = mapping["LoadBalancerAddresses"]
        return dict(found)

    assert (shown(created)["AddressIpVersion"], shown(created)["Ipv6AddressType"]) == (
        "DualStack",
        "Intranet",
    )
    assert addresses(created)["Ipv6Address"] == "fd00:0:0:100::80"
    assert IPv6Address(addresses(chosen)["Ipv6Address"]) in IPv6Network("fd00:0:0:100::/64")
    assert shown(plain)["AddressIpVersion"] == "ipv4"
    assert "Ipv6AddressType" not in shown(plain)
    assert "Ipv6Address" not in addresses(plain)

    def found(version: str) -> set[str]:
        listed = operator.nlb.ListLoadBalancers(AddressIpVersion=version)["LoadBalancers"]
        return {each["LoadBalancerId"] for each in listed}

    assert (found("DualStack"), found("Ipv4")) == ({created, chosen}, {plain})


def test_a_load_balancer_needs_vswitches_with_ipv6(
    operator: Account, world: World, dual: Network, refused: Refused
) -> None:
    plain = world.vswitch(dual.vpc, "10.0.1.0/24", B)

    def create(version: str, **more: Any) -> None:
        operator.nlb.CreateLoadBalancer(
            VpcId=dual.vpc,
            AddressType="Intranet",
            AddressIpVersion=version,
            ZoneMappings=[
                {"ZoneId": A, "VSwitchId": dual.vswitch},
                {"ZoneId": B, "VSwitchId": plain, **more},
            ],
        )

    with refused("OperationFailed.vSwitchNotSupportIpv6", 400, plain):
        create("DualStack")
    with refused("InvalidIpv6Address", 400, "'fd00:0:0:100::80'", "AddressIpVersion=DualStack"):
        create("ipv4", Ipv6Address="fd00:0:0:100::80")
    operator.vpc.ModifyVSwitchAttribute(VSwitchId=plain, EnableIPv6=True, Ipv6CidrBlock=1)
    with refused("EniIpUnavailable", 400, "outside the vSwitch"):
        create("DualStack", Ipv6Address="fd00:0:0:100::80")
    create("DualStack", Ipv6Address="fd00:0:0:101::80")


def test_a_clb_is_ipv4_also_where_there_is_ipv6(
    operator: Account, world: World, dual: Network, refused: Refused
) -> None:
    with refused("InvalidAddressIPVersion", 400, "'ipv6'"):
        world.clb(dual, AddressIPVersion="ipv6")
    world.clb(dual)
    (eni,) = operator.ecs.DescribeNetworkInterfaces()["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    assert eni["Ipv6Sets"] == {"Ipv6Set": []}
