"""Who is in a security group: workloads and endpoints, and what nodes hear of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.cost import counted
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_rule_peers import PORT, allow
from tests.api.world import A, B, Network, World


@pytest.fixture
def network(world: World) -> Network:
    """A consumer's VPC with two zones."""
    return world.network(A, B)


@pytest.fixture
def service(world: World) -> str:
    """An endpoint service in both zones."""
    return world.published(A, B)


def attach(account: Account, network: Network, *groups: str, **more: Any) -> dict[str, Any]:
    """A workload's place in the first vSwitch, in security groups."""
    return account.own.call(
        "CreateAttachment", VSwitchId=network.vswitch, SecurityGroupId=groups, **more
    )


def blocks(node: Node, group: str) -> list[str] | None:
    """Who is in a group as the nodes know it; None where they do not care."""
    node.pull()
    item = node.held.get(f"members/{group}")
    return None if item is None else item["blocks"]


def numbers(node: Node, *groups: str) -> list[int]:
    """The numbers of groups, ascending."""
    node.pull()
    return sorted(node.held[f"filter/{group}"]["number"] for group in groups)


def inner(node: Node, group: str) -> list[dict[str, Any]]:
    """The ingress rules of a group that come of its inner policy."""
    node.pull()
    return [rule for rule in node.held[f"filter/{group}"]["rules"] if rule["priority"] == 101]


def shown(account: Account, eni: str) -> list[str]:
    """The groups of an interface."""
    found = account.ecs.DescribeNetworkInterfaceAttribute(NetworkInterfaceId=eni)
    return list(found["SecurityGroupIds"]["SecurityGroupId"])


def test_a_workload_is_attached_in_groups(
    operator: Account, world: World, network: Network, node: Node
) -> None:
    groups = sorted(world.group(network) for _ in range(2))
    place = attach(operator, network, *groups, groups[0])
    assert place["SecurityGroupIds"] == groups
    eni = place["NetworkInterfaceId"]
    assert shown(operator, eni) == groups
    for group in groups:
        found = operator.ecs.DescribeNetworkInterfaces(SecurityGroupId=group)
        listed = found["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        assert [each["NetworkInterfaceId"] for each in listed] == [eni]
    expected = numbers(node, *groups)
    assert node.held[f"attachment/{place['AttachmentId']}"]["filters"] == expected
    alone = attach(operator, network)
    assert alone["SecurityGroupIds"] == []
    node.pull()
    assert node.held[f"attachment/{alone['AttachmentId']}"]["filters"] == []


def test_a_workload_joins_and_leaves(
    operator: Account, world: World, network: Network, node: Node
) -> None:
    group = world.group(network)
    place = attach(operator, network)
    both = {"SecurityGroupId": group, "NetworkInterfaceId": place["NetworkInterfaceId"]}
    node.catch_up()
    operator.ecs.JoinSecurityGroup(**both)
    operator.ecs.JoinSecurityGroup(**both)  # it is in it already
    key = f"attachment/{place['AttachmentId']}"
    found = operator.own.call("GetAttachment", AttachmentId=place["AttachmentId"])
    assert (found["Status"], found["SecurityGroupIds"]) == ("Attaching", [group])
    node.plug(place["AttachmentId"])
    node.catch_up()
    assert node.held[key]["filters"] == numbers(node, group)
    assert shown(operator, place["NetworkInterfaceId"]) == [group]
    found = operator.own.call("GetAttachment", AttachmentId=place["AttachmentId"])
    assert found["Status"] == "Attached"
    operator.ecs.LeaveSecurityGroup(**both)
    node.pull()
    assert node.held[key]["filters"] == []
    assert shown(operator, place["NetworkInterfaceId"]) == []


def test_the_inner_policy_matters_once_a_workload_is_there(
    operator: Account, world: World, network: Network, service: str, node: Node
) -> None:
    group = world.group(network)
    world.endpoint(service, network, A, group=group)
    assert (inner(node, group), blocks(node, group)) == ([], None)
    place = attach(operator, network, group, PrivateIpAddress="10.0.0.7")
    (number,) = numbers(node, group)
    (rule,) = inner(node, group)
    assert rule == {
        "priority": 101,
        "accept": True,
        "protocol": "ALL",
        "cidr": "",
        "low": 0,
        "high": 65535,
        "members": number,
        "id": "",
    }
    # Endpoints open no flows, so only the workload is who could be let in.
    assert blocks(node, group) == ["10.0.0.7/32"]
    operator.ecs.ModifySecurityGroupPolicy(SecurityGroupId=group, InnerAccessPolicy="Drop")
    assert (inner(node, group), blocks(node, group)) == ([], None)
    operator.ecs.ModifySecurityGroupPolicy(SecurityGroupId=group, InnerAccessPolicy="Accept")
    assert (len(inner(node, group)), blocks(node, group)) == (1, ["10.0.0.7/32"])
    second = attach(operator, network, group, PrivateIpAddress="10.0.0.6")
    node.pull()
    assert f"filter/{group}" not in node.seen
    assert blocks(node, group) == ["10.0.0.6/32", "10.0.0.7/32"]
    operator.own.call("DeleteAttachment", AttachmentId=place["AttachmentId"])
    assert blocks(node, group) == ["10.0.0.6/32"]
    operator.own.call("DeleteAttachment", AttachmentId=second["AttachmentId"])
    assert (inner(node, group), blocks(node, group)) == ([], None)


def test_an_enterprise_group_has_no_inner_policy(
    operator: Account, world: World, network: Network, node: Node
) -> None:
    group = world.group(network, "enterprise")
    attach(operator, network, group)
    assert (inner(node, group), blocks(node, group)) == ([], None)


def test_a_set_that_a_rule_names_follows_every_change(
    operator: Account, world: World, network: Network, service: str, node: Node
) -> None:
    peer, other, naming = (world.group(network) for _ in range(3))
    for group in (peer, other):
        operator.ecs.ModifySecurityGroupPolicy(SecurityGroupId=group, InnerAccessPolicy="Drop")
    allow(operator, "Egress", naming, **PORT, DestGroupId=peer)
    assert blocks(node, peer) == []
    endpoint = world.endpoint(service, network, A, group=peer)
    first = f"{world.zones(endpoint)[A]['EniIp']}/32"
    assert blocks(node, peer) == [first]
    place = attach(operator, network, peer, PrivateIpAddress="10.0.0.200")
    both = {"SecurityGroupId": peer, "NetworkInterfaceId": place["NetworkInterfaceId"]}
    assert blocks(node, peer) == [first, "10.0.0.200/32"]
    link = operator.privatelink
    link.AddZoneToVpcEndpoint(EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B])
    second = f"{world.zones(endpoint)[B]['EniIp']}/32"
    assert blocks(node, peer) == [first, "10.0.0.200/32", second]
    link.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    assert blocks(node, peer) == ["10.0.0.200/32", second]
    operator.ecs.LeaveSecurityGroup(**both)
    assert blocks(node, peer) == [second]
    operator.ecs.JoinSecurityGroup(**both)
    link.AttachSecurityGroupToVpcEndpoint(EndpointId=endpoint, SecurityGroupId=other)
    node.pull()
    assert f"members/{other}" not in node.seen
    link.DetachSecurityGroupFromVpcEndpoint(EndpointId=endpoint, SecurityGroupId=peer)
    assert blocks(node, peer) == ["10.0.0.200/32"]
    link.AttachSecurityGroupToVpcEndpoint(EndpointId=endpoint, SecurityGroupId=peer)
    assert blocks(node, peer) == ["10.0.0.200/32", second]
    operator.own.call("DeleteAttachment", AttachmentId=place["AttachmentId"])
    assert blocks(node, peer) == [second]
    link.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    assert blocks(node, peer) == []
    operator.ecs.RevokeSecurityGroupEgress(
        SecurityGroupId=naming, Permissions=[{**PORT, "DestGroupId": peer}]
    )
    assert blocks(node, peer) is None


def test_a_rule_makes_a_set_of_whoever_is_there_already(
    operator: Account, world: World, network: Network, service: str, node: Node
) -> None:
    peer, naming = world.group(network), world.group(network)
    endpoint = world.endpoint(service, network, A, group=peer)
    attach(operator, network, peer, PrivateIpAddress="10.0.0.200")
    assert blocks(node, peer) == ["10.0.0.200/32"]  # for its inner policy
    allow(operator, "", naming, **PORT, SourceGroupId=peer)
    assert blocks(node, peer) == [f"{world.zones(endpoint)[A]['EniIp']}/32", "10.0.0.200/32"]
    node.pull()
    allow(operator, "", naming, **PORT, SourceGroupId=peer, Priority="2")
    node.pull()
    assert node.seen == [f"filter/{naming}"]  # the set is what it was
    for priority in "12":
        rule = {**PORT, "SourceGroupId": peer, "Priority": priority}
        operator.ecs.RevokeSecurityGroup(SecurityGroupId=naming, Permissions=[rule])
    assert blocks(node, peer) == ["10.0.0.200/32"]


def test_a_group_that_a_workload_is_in_stays(
    operator: Account, world: World, network: Network, refused: Refused
) -> None:
    group = world.group(network)
    place = attach(operator, network, group)
    with refused("DependencyViolation", 403, group, place["AttachmentId"], "LeaveSecurityGroup"):
        operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)
    operator.own.call("DeleteAttachment", AttachmentId=place["AttachmentId"])
    operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)


def test_a_workload_joins_no_group_it_cannot_be_in(
    operator: Account,
    world: World,
    other: Account,
    network: Network,
    service: str,
    node: Node,
    refused: Refused,
) -> None:
    group, big = world.group(network), world.group(network, "enterprise")
    elsewhere, stranger = world.group(world.network()), World(other).group(World(other).network())
    place = attach(operator, network, group)
    eni = place["NetworkInterfaceId"]
    join, leave = operator.ecs.JoinSecurityGroup, operator.ecs.LeaveSecurityGroup
    with refused("InvalidOperation.VpcMismatch", 403, eni, elsewhere, network.vpc):
        join(SecurityGroupId=elsewhere, NetworkInterfaceId=eni)
    with refused("InvalidOperation.MultiGroupType", 400, f"{big} (enterprise)", group):
        join(SecurityGroupId=big, NetworkInterfaceId=eni)
    for call in (join, leave):
        for unknown in (stranger, "sg-none"):
            with refused("InvalidSecurityGroupId.NotFound", 404, unknown):
                call(SecurityGroupId=unknown, NetworkInterfaceId=eni)
        with refused("InvalidEniId.NotFound", 404, "'eni-none'"):
            call(SecurityGroupId=group, NetworkInterfaceId="eni-none")
        with refused("UnsupportedParameter.InstanceId", 400, "InstanceId"):
            call(SecurityGroupId=group, NetworkInterfaceId=eni, InstanceId="i-1")
    with refused("InvalidSecurityGroupAssociation.NotFound", 400, eni, elsewhere, group):
        leave(SecurityGroupId=elsewhere, NetworkInterfaceId=eni)
    found = operator.ecs.DescribeNetworkInterfaces(ServiceManaged=True)
    assert found["TotalCount"] == 2  # the load balancer's
    endpoint = world.endpoint(service, network, A, group=group)
    managed = world.zones(endpoint)[A]["EniId"]
    for call in (join, leave):
        with refused("InvalidOperation.EniServiceManaged", 403, endpoint, "AttachSecurityGroup"):
            call(SecurityGroupId=group, NetworkInterfaceId=managed)
    operator.own.call("DeleteAttachment", AttachmentId=place["AttachmentId"])
    with refused("InvalidOperation.InvalidEniState", 400, place["AttachmentId"], "detached"):
        join(SecurityGroupId=group, NetworkInterfaceId=eni)
    node.catch_up()
    with refused("InvalidEniId.NotFound", 404, eni):
        join(SecurityGroupId=group, NetworkInterfaceId=eni)


def test_a_workload_is_attached_in_no_group_it_cannot_be_in(
    operator: Account, world: World, network: Network, refused: Refused
) -> None:
    groups = [world.group(network) for _ in range(6)]
    big, elsewhere = world.group(network, "enterprise"), world.group(world.network())
    for unknown in (elsewhere, "sg-none"):
        with refused("SecurityGroupNotFound", 400, unknown, network.vpc):
            attach(operator, network, unknown)
    with refused("InvalidOperation.MultiGroupType", 400, big):
        attach(operator, network, groups[0], big)
    with refused("InstanceSecurityGroupLimitExceeded", 400, "limit of 5", "LeaveSecurityGroup"):
        attach(operator, network, *groups)
    with refused("InvalidSecurityGroupId", 400, "at most 10"):
        attach(operator, network, *[f"sg-{number}" for number in range(11)])
    place = attach(operator, network, *groups[:5])
    with refused("InstanceSecurityGroupLimitExceeded", 400, place["NetworkInterfaceId"]):
        operator.ecs.JoinSecurityGroup(
            SecurityGroupId=groups[5], NetworkInterfaceId=place["NetworkInterfaceId"]
        )


class Spent(msgspec.Struct, frozen=True):
    """What another endpoint in a group costs: its call, and its node's next look."""

    call: int
    look: int
    told: int  # bytes of the answer


def spent(stage: Stage, node: Node, world: World, network: Network, group: str) -> Spent:
    """Make one more endpoint and count."""
    service = world.published(A)
    node.catch_up()
    with counted() as call:
        world.endpoint(service, network, A, group=group)
    with counted() as look:
        answer = node.pull()
    return Spent(call.steps, look.steps, len(msgspec.json.encode(answer)))


def test_a_group_that_nothing_names_costs_nothing_however_large(
    stage: Stage, operator: Account, world: World, network: Network, service: str, node: Node
) -> None:
    """A set is one item, so a change costs its size: 40 more members, 40 more blocks.

    That is paid only where a rule names the group, not for its inner policy.
    """
    group, naming = world.group(network), world.group(network)
    world.endpoint(service, network, A, group=group)
    attach(operator, network, group)
    few = spent(stage, node, world, network, group)
    for _ in range(40):
        world.endpoint(service, network, A, group=group)
    many = spent(stage, node, world, network, group)
    assert many.call < few.call * 1.1
    assert many.look < few.look * 1.1
    assert many.told < few.told * 1.1
    allow(operator, "Egress", naming, **PORT, DestGroupId=group)
    named = spent(stage, node, world, network, group)
    assert named.call < many.call * 1.2  # to say that there is news, not which
    assert named.look > many.look
    assert 40 * len('"10.0.0.1/32",') < named.told - many.told < 50 * len('"10.0.0.100/32",')
