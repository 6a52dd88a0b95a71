"""Addresses of a vSwitch: which there are, who gets which, and when one is free again."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, Network, World


def attach(account: Account, vswitch: str, address: str | None = None) -> str:
    """An attachment's address."""
    made = account.own.call("CreateAttachment", VSwitchId=vswitch, PrivateIpAddress=address)
    return str(made["PrivateIpAddress"])


def free(account: Account, vswitch: str) -> int:
    """How many addresses a vSwitch says it has left."""
    shown = account.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch)
    return int(shown["AvailableIpAddressCount"])


@pytest.fixture
def small(world: World) -> Network:
    """A vSwitch of eight addresses, four of them for use: 10.0.0.1 to 10.0.0.4."""
    vpc = world.account.vpc.CreateVpc(CidrBlock="10.0.0.0/16")["VpcId"]
    return Network(vpc, {A: world.vswitch(vpc, "10.0.0.0/29")})


@pytest.mark.parametrize("address", ["10.0.0.0", "10.0.0.253", "10.0.0.254", "10.0.0.255"])
def test_the_first_and_the_last_three_are_reserved(
    operator: Account, world: World, refused: Refused, address: str
) -> None:
    vswitch = world.network().vswitch
    with refused("EniIpUnavailable", 400, address, vswitch, "10.0.0.0/24", "are reserved"):
        attach(operator, vswitch, address)


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.0.252"])
def test_those_next_to_the_reserved_ones_are_not(
    operator: Account, world: World, address: str
) -> None:
    assert attach(operator, world.network().vswitch, address) == address


def test_the_gateway_is_the_third_from_the_end(
    operator: Account, small: Network, node: Node
) -> None:
    made = operator.own.call("CreateAttachment", VSwitchId=small.vswitch)
    assert made["Gateway"] == "10.0.0.5"
    node.pull()
    assert node.held[f"segment/{small.vswitch}"]["gateway"] == "10.0.0.5"


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("10.0.1.5", "outside the vSwitch"),
        ("192.168.0.1", "outside the vSwitch"),
        ("10.0.0", "not an IPv4 address"),
        ("::1", "not an IPv4 address"),
        ("10.0.0.05", "not an IPv4 address"),
    ],
)
def test_an_address_must_lie_in_the_vswitch(
    operator: Account, world: World, refused: Refused, address: str, word: str
) -> None:
    vswitch = world.network().vswitch
    with refused("EniIpUnavailable", 400, address, word):
        attach(operator, vswitch, address)


def test_an_address_is_taken_whoever_has_it(
    operator: Account, world: World, refused: Refused
) -> None:
    network, service = world.network(), world.published()
    attach(operator, network.vswitch, "10.0.0.5")
    group = world.group(network)
    place = {"ZoneId": A, "VSwitchId": network.vswitch, "ip": "10.0.0.5"}
    with refused("EniIpUnavailable", 400, "'10.0.0.5'", "taken already", "Leave it out"):
        operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, ServiceId=service, SecurityGroupId=[group], Zone=[place]
        )
    with refused("EniIpUnavailable", 400, "'10.0.0.5'", "taken already"):
        operator.nlb.CreateLoadBalancer(
            VpcId=network.vpc,
            AddressType="Intranet",
            ZoneMappings=[
                {"ZoneId": A, "VSwitchId": network.vswitch, "PrivateIPv4Address": "10.0.0.5"}
            ],
        )


def test_the_same_address_is_free_in_another_vpc(operator: Account, world: World) -> None:
    for _ in range(2):
        assert attach(operator, world.network().vswitch, "10.0.0.5") == "10.0.0.5"


def test_addresses_are_given_in_turn_and_counted_until_none_is_left(
    operator: Account, world: World, small: Network, refused: Refused
) -> None:
    assert free(operator, small.vswitch) == 4
    given = []
    for left in (3, 2, 1, 0):
        given.append(attach(operator, small.vswitch))
        assert free(operator, small.vswitch) == left
    assert given == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    with refused("ResourceNotEnough.VSwitchIp", 400, small.vswitch, "10.0.0.0/29", "larger"):
        attach(operator, small.vswitch)


def test_every_kind_of_resource_takes_an_address(
    operator: Account, world: World, small: Network
) -> None:
    service = world.published()
    world.endpoint(service, small, A)
    world.balancer(small)
    attach(operator, small.vswitch)
    assert free(operator, small.vswitch) == 1


def test_a_freed_address_rests_until_the_others_have_had_their_turn(
    operator: Account, small: Network, node: Node
) -> None:
    first = operator.own.call("CreateAttachment", VSwitchId=small.vswitch)
    assert first["PrivateIpAddress"] == "10.0.0.1"
    operator.own.call("DeleteAttachment", AttachmentId=first["AttachmentId"])
    node.catch_up()
    assert free(operator, small.vswitch) == 4
    turn = [attach(operator, small.vswitch) for _ in range(4)]
    assert turn == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.1"]


def test_an_address_is_free_again_only_when_the_node_says_so(
    operator: Account, small: Network, node: Node, refused: Refused
) -> None:
    made = operator.own.call("CreateAttachment", VSwitchId=small.vswitch)
    node.catch_up()
    operator.own.call("DeleteAttachment", AttachmentId=made["AttachmentId"])
    with refused("EniIpUnavailable", 400, "taken already"):
        attach(operator, small.vswitch, "10.0.0.1")
    assert free(operator, small.vswitch) == 3
    node.catch_up()
    assert attach(operator, small.vswitch, "10.0.0.1") == "10.0.0.1"


def test_an_address_that_was_asked_for_is_left_out_of_the_turn(
    operator: Account, small: Network
) -> None:
    attach(operator, small.vswitch, "10.0.0.2")
    assert [attach(operator, small.vswitch) for _ in range(2)] == ["10.0.0.1", "10.0.0.3"]
