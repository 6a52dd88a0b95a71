"""The gateway endpoint: what it asks of its service, its VPC and its route tables."""

from __future__ import annotations

import pytest

from privlink import errors
from privlink.kinds import gateway
from privlink.model.gateway import GatewayService
from privlink.model.ids import (
    AccountId,
    PrefixListId,
    RouteEntryId,
    RouteTableId,
    ServiceId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.network import HopKind, RouteEntry, RouteTable, RouteTableType, Vpc, VSwitch
from privlink.rules import endpoint_policy

US = AccountId("1")
PROVIDER = Vpc(VpcId("vpc-2"), 2, US, "198.51.100.0/24", "", "", "", "fd00:0:0:900::/56")
CONSUMER = Vpc(VpcId("vpc-1"), 1, US, "10.0.0.0/16", "", "", "", "fd00:0:0:100::/56")
VSWITCH = VSwitch(
    VSwitchId("vsw-1"), 1, CONSUMER.id, US, ZoneId("local-a"), "10.0.0.0/24", "", "", "", 0
)
TABLE = RouteTable(RouteTableId("vtb-1"), 1, CONSUMER.id, US, RouteTableType.SYSTEM, "", "", "")


def service(*, policies: bool) -> GatewayService:
    """A service that takes policies, or takes none."""
    default = endpoint_policy.DEFAULT if policies else ""
    of_it = PrefixListId("pl-1")
    return GatewayService(
        ServiceId("vpces-1"), "com.x", VSwitchId("vsw-2"), PROVIDER.id, of_it, policies, default, ""
    )


def entry(destination: str = "", named: str = "") -> RouteEntry:
    """A route that is in the table."""
    return RouteEntry(
        RouteEntryId("rte-1"),
        TABLE.id,
        destination,
        named,
        HopKind.INSTANCE,
        "att-1",
        "",
        "",
        False,
        "",
    )


def test_blocks_lie_in_the_vpc_and_apart() -> None:
    given = ["198.51.100.0/25", "198.51.100.200", "fd00:0:0:900::/64", "fd00:0:0:0901::/64"]
    assert gateway.service_blocks(given, PROVIDER) == [
        "198.51.100.0/25",
        "198.51.100.200/32",
        "fd00:0:0:900::/64",
        "fd00:0:0:901::/64",
    ]


@pytest.mark.parametrize(
    ("given", "parameter", "word"),
    [
        (["198.51.100.0/25", "10.0.0.0/16"], "CidrBlock.2", "does not lie in vpc-2"),
        (["198.51.0.0/16"], "CidrBlock.1", "198.51.100.0/24 and fd00:0:0:900::/56"),
        (["fd00:0:0:a00::/64"], "CidrBlock.1", "does not lie in"),
        (["198.51.100.0/24", "198.51.100.7"], "CidrBlock.2", "overlaps 198.51.100.0/24"),
        (["198.51.100.0/24", "198.51.100.0/24"], "CidrBlock.2", "overlaps"),
        (["198.51.100.7/24"], "CidrBlock.1", "198.51.100.7/24"),
        ([""], "CidrBlock.1", "''"),
        (["fe80::1%eth0"], "CidrBlock.1", "fe80::1%eth0"),
    ],
)
def test_other_blocks_are_refused(given: list[str], parameter: str, word: str) -> None:
    with pytest.raises(errors.InvalidParameter, match=parameter) as caught:
        gateway.service_blocks(given, PROVIDER)
    assert word in caught.value.message


def test_a_service_without_ipv6_in_its_vpc_has_no_block_of_it() -> None:
    plain = Vpc(VpcId("vpc-3"), 3, US, "198.51.100.0/24", "", "", "")
    with pytest.raises(errors.InvalidParameter):
        gateway.service_blocks(["fd00:0:0:900::/64"], plain)


def test_names_of_endpoint_services_are_theirs() -> None:
    gateway.check_service_name("com.privlink.local.objects")
    with pytest.raises(errors.InvalidParameter):
        gateway.check_service_name("com.aliyuncs.privatelink.local.epsrv-1")


def test_the_default_policy_allows_everything_unless_it_is_given() -> None:
    assert gateway.service_policy(False, "") == ""
    assert gateway.service_policy(True, "") == endpoint_policy.DEFAULT
    denying = endpoint_policy.DEFAULT.replace("Allow", "Deny")
    assert gateway.service_policy(True, denying) == denying
    for supported, document in ((False, denying), (True, "{")):
        with pytest.raises(errors.InvalidParameter):
            gateway.service_policy(supported, document)


def test_a_policy_is_given_where_the_service_takes_one_and_nowhere_else() -> None:
    with_policy, without = service(policies=True), service(policies=False)
    document = endpoint_policy.DEFAULT
    assert gateway.endpoint_document(with_policy, document) == document
    assert gateway.endpoint_document(without, "") == ""
    with pytest.raises(errors.PolicyDocumentDenied):
        gateway.endpoint_document(without, document)
    with pytest.raises(errors.MissingParam) as caught:
        gateway.endpoint_document(with_policy, "")
    assert document in caught.value.message
    with pytest.raises(errors.PolicyWrongFormat):
        gateway.endpoint_document(with_policy, "{")


def test_names_and_descriptions_have_their_length() -> None:
    gateway.check_name("n" * 128)
    gateway.check_description("d" * 255)
    for name in ("n" * 129, "http://x"):
        with pytest.raises(errors.IllegalGatewayEndpointName):
            gateway.check_name(name)
    for description in ("d" * 256, "https://x"):
        with pytest.raises(errors.IllegalGatewayEndpointDescription):
            gateway.check_description(description)


def test_ipv6_alone_needs_ipv6() -> None:
    plain = Vpc(VpcId("vpc-3"), 3, US, "10.0.0.0/16", "", "", "")
    six, four = "fd00:0:0:900::/64", "198.51.100.0/24"
    gateway.check_families(service(policies=False), [six], CONSUMER)
    gateway.check_families(service(policies=False), [six, four], plain)
    with pytest.raises(errors.GatewayVpcIpv6Disabled):
        gateway.check_families(service(policies=False), [six], plain)


def test_blocks_may_not_be_the_consumers_own() -> None:
    gateway.check_overlap(["198.51.100.0/24", "fd00:0:0:900::/64"], CONSUMER, [VSWITCH])
    for block, whose in (
        ("10.0.0.0/25", VSWITCH.id),
        ("10.0.9.0/24", CONSUMER.id),
        ("10.0.0.0/8", VSWITCH.id),
        ("fd00:0:0:101::/64", CONSUMER.id),
    ):
        with pytest.raises(errors.GatewayBlockOverlap, match=whose):
            gateway.check_overlap([block], CONSUMER, [VSWITCH])


def test_a_route_for_the_same_block_is_in_the_way_and_a_wider_one_is_not() -> None:
    blocks = ["198.51.100.0/24"]
    gateway.check_conflict(TABLE, blocks, [entry("198.51.0.0/16"), entry("198.51.100.0/25")], {})
    gateway.check_conflict(TABLE, blocks, [entry(named="pl-9")], {"pl-9": ["192.168.0.0/16"]})
    with pytest.raises(errors.GatewayRouteConflict, match="rte-1"):
        gateway.check_conflict(TABLE, blocks, [entry("198.51.100.0/24")], {})
    with pytest.raises(errors.GatewayRouteConflict, match="rte-1"):
        gateway.check_conflict(TABLE, blocks, [entry(named="pl-9")], {"pl-9": blocks})
