"""ECS: security groups and their rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import World

WEB = {"IpProtocol": "tcp", "PortRange": "80/80", "SourceCidrIp": "10.0.0.0/8"}


@pytest.fixture
def group(world: World) -> str:
    """A security group without rules."""
    return world.group(world.network())


def rules(account: Account, group: str, **more: str) -> list[dict[str, Any]]:
    """The rules of a group."""
    shown = account.ecs.DescribeSecurityGroupAttribute(SecurityGroupId=group, **more)
    found: list[dict[str, Any]] = shown["Permissions"]["Permission"]
    return found


def test_a_group_is_shown_as_it_was_made(operator: Account, world: World) -> None:
    vpc = world.network().vpc
    group = operator.ecs.CreateSecurityGroup(
        VpcId=vpc, SecurityGroupName="web", Description="first", SecurityGroupType="enterprise"
    )["SecurityGroupId"]
    listed = operator.ecs.DescribeSecurityGroups()
    (shown,) = listed["SecurityGroups"]["SecurityGroup"]
    assert (listed["TotalCount"], listed["RegionId"]) == (1, "local")
    assert (shown["SecurityGroupId"], shown["SecurityGroupName"]) == (group, "web")
    assert (shown["SecurityGroupType"], shown["VpcId"]) == ("enterprise", vpc)
    assert (shown["Description"], shown["RuleCount"]) == ("first", 0)
    attribute = operator.ecs.DescribeSecurityGroupAttribute(SecurityGroupId=group)
    assert (attribute["SecurityGroupName"], attribute["VpcId"]) == ("web", vpc)
    assert attribute["Permissions"] == {"Permission": []}


def test_a_rule_is_shown_as_it_was_added(operator: Account, group: str) -> None:
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group,
        Permissions=[{**WEB, "Policy": "drop", "Priority": "7", "Description": "no"}],
    )
    (rule,) = rules(operator, group)
    assert rule["SecurityGroupRuleId"].startswith("sgr-")
    assert (rule["IpProtocol"], rule["PortRange"], rule["SourceCidrIp"]) == (
        "TCP",
        "80/80",
        "10.0.0.0/8",
    )
    assert (rule["Policy"], rule["Priority"], rule["Description"]) == ("Drop", "7", "no")
    assert (rule["Direction"], rule["NicType"]) == ("ingress", "intranet")
    assert rules(operator, group, Direction="ingress") == [rule]
    assert rules(operator, group, Direction="egress") == []


def test_a_rule_may_be_given_in_the_old_flat_form(operator: Account, group: str) -> None:
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, **WEB)
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group, IpProtocol="ICMP", PortRange="-1/-1", SourceCidrIp="10.0.0.5"
    )
    shown = [(rule["IpProtocol"], rule["SourceCidrIp"]) for rule in rules(operator, group)]
    assert sorted(shown) == [("ICMP", "10.0.0.5"), ("TCP", "10.0.0.0/8")]


def test_a_rule_that_is_there_already_stays_as_it_is(operator: Account, group: str) -> None:
    for _ in range(2):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB, WEB])
    assert len(rules(operator, group)) == 1


def test_the_node_gets_rules_in_the_order_they_decide(
    operator: Account, group: str, node: Node
) -> None:
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group,
        Permissions=[
            {**WEB, "Priority": "2"},
            {**WEB, "Priority": "1"},
            {**WEB, "Priority": "1", "Policy": "drop"},
        ],
    )
    node.pull()
    told = node.held[f"filter/{group}"]["rules"]
    assert [(rule["priority"], rule["accept"]) for rule in told] == [
        (1, False),
        (1, True),
        (2, True),
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"IpProtocol": "gre"}, ("IpProtocol 'gre'", "TCP, UDP, ICMP, ICMPV6, ALL")),
        ({"Policy": "maybe"}, ("Policy 'maybe'", "accept or drop")),
        ({"PortRange": "80"}, ("PortRange '80'", "80/80")),
        ({"PortRange": "90/80"}, ("PortRange '90/80'", "lower end first")),
        ({"PortRange": "0/80"}, ("PortRange '0/80'", "from 1 up to 65535")),
        ({"PortRange": "1/65536"}, ("PortRange '1/65536'", "from 1 up to 65535")),
        ({"PortRange": "-1/-1"}, ("PortRange '-1/-1'", "from 1 up to 65535")),
        ({"IpProtocol": "icmp"}, ("PortRange of ICMP", "-1/-1", "'80/80'")),
        ({"SourceCidrIp": "ten"}, ("SourceCidrIp 'ten'", "10.0.0.0/8")),
        ({"SourceCidrIp": None}, ("one of SourceCidrIp", "is mandatory", "given: none")),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_all_others(
    operator: Account, group: str, refused: Refused, changed: dict[str, str], words: tuple[str]
) -> None:
    bad = {name: value for name, value in (WEB | changed).items() if value is not None}
    with refused("InvalidPermission.Malformed", 400, "Permission 2", *words):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB, bad])


def test_a_priority_is_a_small_number(operator: Account, group: str, refused: Refused) -> None:
    with refused("InvalidPermissions", 400, "Permissions.1.Priority", "'101'", "1 to 100"):
        operator.ecs.AuthorizeSecurityGroup(
            SecurityGroupId=group, Permissions=[{**WEB, "Priority": "101"}]
        )


def test_a_group_holds_so_many_rules_and_no_more(
    operator: Account, group: str, refused: Refused
) -> None:
    def some(count: int, network: int) -> list[dict[str, str]]:
        return [{**WEB, "SourceCidrIp": f"10.{network}.{n}.0/24"} for n in range(count)]

    for network in (0, 1):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=some(100, network))
    with refused("AuthorizationLimitExceed", 403, group, "201 would be more", "limit of 200"):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=some(1, 2))


def test_groups_are_found_by_id_name_and_vpc(operator: Account, world: World) -> None:
    network, elsewhere = world.network(), world.network()
    first, second = world.group(network), world.group(elsewhere)
    named = operator.ecs.CreateSecurityGroup(VpcId=network.vpc, SecurityGroupName="named")[
        "SecurityGroupId"
    ]

    def found(**wanted: str) -> list[str]:
        listed = operator.ecs.DescribeSecurityGroups(**wanted)["SecurityGroups"]["SecurityGroup"]
        return [group["SecurityGroupId"] for group in listed]

    assert found() == [first, second, named]
    assert found(VpcId=network.vpc) == [first, named]
    assert found(SecurityGroupId=second) == [second]
    assert found(SecurityGroupIds=json.dumps([named, first])) == [first, named]
    assert found(SecurityGroupName="named") == [named]


def test_ids_come_as_a_json_array(operator: Account, refused: Refused) -> None:
    with refused("InvalidSecurityGroupIds", 400, "JSON array", '["sg-1"]'):
        operator.ecs.DescribeSecurityGroups(SecurityGroupIds="sg-1,sg-2")


def test_an_unknown_group_or_vpc_is_not_found(operator: Account, refused: Refused) -> None:
    missing = ("InvalidSecurityGroupId.NotFound", 404, "'sg-none'", "DescribeSecurityGroups")
    with refused(*missing):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId="sg-none", Permissions=[WEB])
    with refused(*missing):
        operator.ecs.DescribeSecurityGroupAttribute(SecurityGroupId="sg-none")
    with refused("InvalidSecurityGroup.NotFound", *missing[1:]):
        operator.ecs.DeleteSecurityGroup(SecurityGroupId="sg-none")
    with refused("InvalidVpcId.NotFound", 404, "'vpc-none'", "DescribeVpcs"):
        operator.ecs.CreateSecurityGroup(VpcId="vpc-none")


def test_a_group_nobody_uses_can_go(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    group = world.group(network)
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB])
    node.catch_up()
    operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)
    node.catch_up()
    assert operator.ecs.DescribeSecurityGroups()["TotalCount"] == 0
    assert list(node.held) == world.alone(network)


def test_a_group_gets_another_name(operator: Account, group: str) -> None:
    operator.ecs.ModifySecurityGroupAttribute(SecurityGroupId=group, SecurityGroupName="new")
    operator.ecs.ModifySecurityGroupAttribute(SecurityGroupId=group, Description="first")
    shown = operator.ecs.DescribeSecurityGroupAttribute(SecurityGroupId=group)
    assert (shown["SecurityGroupName"], shown["Description"]) == ("new", "first")
    assert shown["SnapshotPolicyIds"] == {"SnapshotPolicyId": []}


def test_members_of_a_group_and_each_other(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    normal, enterprise = world.group(network), world.group(network, "enterprise")

    def policy(group: str) -> str:
        shown = operator.ecs.DescribeSecurityGroupAttribute(SecurityGroupId=group)
        return str(shown["InnerAccessPolicy"])

    assert (policy(normal), policy(enterprise)) == ("Accept", "Drop")
    node.catch_up()
    modify = operator.ecs.ModifySecurityGroupPolicy
    modify(SecurityGroupId=normal, InnerAccessPolicy="Drop")
    modify(SecurityGroupId=enterprise, InnerAccessPolicy="Drop")
    assert (policy(normal), policy(enterprise)) == ("Drop", "Drop")
    node.pull()
    assert node.seen == []
    with refused("InvalidParameter.InnerAccessPolicy", 404, enterprise, "stays Drop"):
        modify(SecurityGroupId=enterprise, InnerAccessPolicy="Accept")
    with refused("InvalidInnerAccessPolicy", 400, "'Maybe'", "Accept or Drop"):
        modify(SecurityGroupId=normal, InnerAccessPolicy="Maybe")


def test_groups_are_found_by_type_and_shown_in_pages(operator: Account, world: World) -> None:
    network = world.network()
    normal = [world.group(network) for _ in range(3)]
    enterprise = world.group(network, "enterprise")

    def page(**asked: Any) -> tuple[list[str], str | None]:
        answer = operator.ecs.DescribeSecurityGroups(**asked)
        shown = answer["SecurityGroups"]["SecurityGroup"]
        return [group["SecurityGroupId"] for group in shown], answer.get("NextToken")

    assert page(SecurityGroupType="enterprise") == ([enterprise], None)
    assert page(ServiceManaged=True) == page(NetworkType="classic") == ([], None)
    assert page(PageNumber=2, PageSize=3) == ([enterprise], None)
    first, token = page(MaxResults=2)
    second, last = page(MaxResults=2, NextToken=token)
    assert (first + second, last) == ([*normal, enterprise], None)
    (shown,) = operator.ecs.DescribeSecurityGroups(SecurityGroupId=normal[0])["SecurityGroups"][
        "SecurityGroup"
    ]
    assert (shown["EcsCount"], shown["ServiceManaged"]) == (0, False)


def test_a_group_is_nobody_elses_to_manage(
    operator: Account, world: World, refused: Refused
) -> None:
    vpc = world.network().vpc
    with refused("UnsupportedParameter.ServiceManaged", 400, "CreateSecurityGroup"):
        operator.ecs.CreateSecurityGroup(VpcId=vpc, ServiceManaged=True)
