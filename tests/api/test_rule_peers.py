"""ECS: the other ends of rules: security groups, prefix lists, IPv6, and what none may be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.test_ecs import WEB, rules
from tests.api.world import World

PORT = {"IpProtocol": "tcp", "PortRange": "80/80"}
ICMP = {"IpProtocol": "icmp", "PortRange": "-1/-1"}
ICMP6 = {"IpProtocol": "icmpv6", "PortRange": "-1/-1"}
DIRECTIONS = pytest.mark.parametrize(("suffix", "side"), [("", "Source"), ("Egress", "Dest")])


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    """Two security groups of one VPC, the second with a name."""
    network = world.network()
    made = world.account.ecs.CreateSecurityGroup(VpcId=network.vpc, SecurityGroupName="callers")
    return world.group(network), made["SecurityGroupId"]


def prefix_list(account: Account, *cidrs: str, family: str = "IPv4", room: int = 10) -> str:
    """A prefix list called offices."""
    made = account.ecs.CreatePrefixList(
        AddressFamily=family,
        MaxEntries=room,
        PrefixListName="offices",
        Entry=[{"Cidr": each} for each in cidrs],
    )
    return str(made["PrefixListId"])


def allow(account: Account, suffix: str, group: str, **rule: Any) -> None:
    """Add a rule of one direction."""
    getattr(account.ecs, f"AuthorizeSecurityGroup{suffix}")(
        SecurityGroupId=group, Permissions=[rule]
    )


def told(node: Node, group: str, suffix: str) -> list[dict[str, Any]]:
    """A group's rules of one direction, but for those it has by itself."""
    node.pull()
    item = node.held[f"filter/{group}"]
    found = item["egress" if suffix else "rules"]
    return [rule for rule in found if rule["priority"] <= 100]


@DIRECTIONS
def test_a_rule_about_a_group(
    operator: Account, pair: tuple[str, str], node: Node, suffix: str, side: str
) -> None:
    group, peer = pair
    allow(operator, suffix, group, **PORT, **{f"{side}GroupId": peer, "Priority": "5"})
    (shown,) = rules(operator, group)
    assert (shown[f"{side}GroupId"], shown[f"{side}GroupName"]) == (peer, "callers")
    assert shown[f"{side}GroupOwnerAccount"] == ""  # its own; Terraform compares it
    assert (shown[f"{side}CidrIp"], shown[f"{side}PrefixListId"]) == ("", "")
    (rule,) = told(node, group, suffix)
    assert (rule["cidr"], rule["low"], rule["priority"]) == ("", 80, 5)
    assert rule["members"] == node.held[f"members/{peer}"]["number"]
    assert rule["members"] == node.held[f"filter/{peer}"]["number"]
    assert node.held[f"members/{peer}"]["blocks"] == []
    listed = operator.ecs.DescribeSecurityGroups()["SecurityGroups"]["SecurityGroup"]
    counts = {each["SecurityGroupId"]: each["GroupToGroupRuleCount"] for each in listed}
    assert counts == {group: 1, peer: 0}


@DIRECTIONS
def test_a_rule_about_a_prefix_list(
    operator: Account, pair: tuple[str, str], node: Node, suffix: str, side: str
) -> None:
    group, _ = pair
    offices = prefix_list(operator, "198.51.100.0/24", "192.0.2.7")
    node.catch_up()
    assert f"members/{offices}" not in node.held  # nothing names it yet
    allow(operator, suffix, group, **PORT, **{f"{side}PrefixListId": offices})
    (shown,) = rules(operator, group)
    assert (shown[f"{side}PrefixListId"], shown[f"{side}PrefixListName"]) == (offices, "offices")
    (rule,) = told(node, group, suffix)
    assert set(node.seen) == {f"filter/{group}", f"members/{offices}"}
    held = node.held[f"members/{offices}"]
    assert held["blocks"] == ["192.0.2.7/32", "198.51.100.0/24"]
    assert (rule["cidr"], rule["members"]) == ("", held["number"])
    numbers = [node.held[f"filter/{each}"]["number"] for each in pair]
    assert held["number"] not in numbers


@DIRECTIONS
def test_a_rule_about_ipv6(
    operator: Account, pair: tuple[str, str], node: Node, suffix: str, side: str
) -> None:
    group, _ = pair
    name = f"Ipv6{side}CidrIp"
    allow(operator, suffix, group, **PORT, **{name: "FD00:0::1/16"})
    allow(operator, suffix, group, **PORT, **{name: "fd00::/16"})  # the same, there already
    allow(operator, suffix, group, **ICMP6, **{name: "::/0", "Priority": "2"})
    first, second = sorted(rules(operator, group), key=lambda rule: str(rule["Priority"]))
    assert (first[name], first[f"{side}CidrIp"]) == ("FD00:0::1/16", "")
    assert (second[name], second["IpProtocol"]) == ("::/0", "ICMPv6")
    assert [(rule["protocol"], rule["cidr"]) for rule in told(node, group, suffix)] == [
        ("TCP", "fd00::/16"),
        ("ICMPV6", "::/0"),
    ]


@DIRECTIONS
def test_every_kind_of_rule_is_revoked_by_what_it_says_and_by_its_id(
    operator: Account, pair: tuple[str, str], node: Node, suffix: str, side: str
) -> None:
    group, peer = pair
    offices = prefix_list(operator, "198.51.100.0/24")
    ends = (
        {f"{side}CidrIp": "10.0.0.0/8"},
        {f"Ipv6{side}CidrIp": "fd00::/8"},
        {f"{side}GroupId": peer},
        {f"{side}PrefixListId": offices},
    )
    revoke = getattr(operator.ecs, f"RevokeSecurityGroup{suffix}")
    for by_id in (False, True):
        for end in ends:
            allow(operator, suffix, group, **PORT, **end)
        assert len(rules(operator, group)) == 4
        for left, end in zip((3, 2, 1, 0), ends, strict=True):
            ids = {each["SecurityGroupRuleId"]: each for each in rules(operator, group)}
            if by_id:
                (name,) = end
                chosen = [each for each, rule in ids.items() if rule[name]]
                revoke(SecurityGroupId=group, SecurityGroupRuleId=chosen)
            else:
                revoke(SecurityGroupId=group, Permissions=[{**PORT, **end}])
            assert len(rules(operator, group)) == left
        assert told(node, group, suffix) == []
        assert not {f"members/{peer}", f"members/{offices}"} & set(node.held)


@DIRECTIONS
def test_a_rule_is_given_another_end(
    operator: Account, pair: tuple[str, str], node: Node, suffix: str, side: str
) -> None:
    group, peer = pair
    allow(operator, suffix, group, **PORT, **{f"{side}GroupId": peer}, Description="callers")
    (before,) = rules(operator, group)
    action = "ModifySecurityGroupEgressRule" if suffix else "ModifySecurityGroupRule"
    modify, rule = getattr(operator.ecs, action), before["SecurityGroupRuleId"]
    modify(SecurityGroupId=group, SecurityGroupRuleId=rule, Priority="3")
    assert rules(operator, group) == [before | {"Priority": "3"}]
    modify(SecurityGroupId=group, SecurityGroupRuleId=rule, **{f"Ipv6{side}CidrIp": "fd00::/8"})
    (after,) = rules(operator, group)
    assert (after[f"{side}GroupId"], after[f"{side}GroupName"]) == ("", "")
    assert after[f"Ipv6{side}CidrIp"] == "fd00::/8"
    assert [each["cidr"] for each in told(node, group, suffix)] == ["fd00::/8"]
    assert f"members/{peer}" not in node.held
    modify(SecurityGroupId=group, SecurityGroupRuleId=rule, **{f"{side}GroupId": peer})
    assert [each["members"] > 0 for each in told(node, group, suffix)] == [True]
    assert f"members/{peer}" in node.held


@DIRECTIONS
def test_a_rule_has_one_other_end(
    operator: Account, pair: tuple[str, str], refused: Refused, suffix: str, side: str
) -> None:
    group, peer = pair
    both = {f"{side}CidrIp": "10.0.0.0/8", f"{side}GroupId": peer}
    with refused("InvalidPermission.Malformed", 400, f"{side}CidrIp and {side}GroupId"):
        allow(operator, suffix, group, **PORT, **both)
    with refused("InvalidPermission.Malformed", 400, "exactly one of", "given: none"):
        allow(operator, suffix, group, **PORT)
    with refused("InvalidPermission.Malformed", 400, f"Ipv6{side}CidrIp '10.0.0.0/8'", "fd00::/8"):
        allow(operator, suffix, group, **PORT, **{f"Ipv6{side}CidrIp": "10.0.0.0/8"})
    with refused("InvalidPermission.Malformed", 400, f"{side}CidrIp 'fd00::/8'", "10.0.0.0/8"):
        allow(operator, suffix, group, **PORT, **{f"{side}CidrIp": "fd00::/8"})


@DIRECTIONS
def test_what_is_not_there_or_elsewhere_is_named_in_no_rule(
    operator: Account,
    world: World,
    other: Account,
    pair: tuple[str, str],
    refused: Refused,
    suffix: str,
    side: str,
) -> None:
    group, _ = pair
    elsewhere = world.group(world.network())
    stranger, strange_list = World(other).group(World(other).network()), prefix_list(other)
    for unknown in ("sg-none", stranger):
        with refused(f"Invalid{side}GroupId.NotFound", 404, f"Permissions.1.{side}GroupId"):
            allow(operator, suffix, group, **PORT, **{f"{side}GroupId": unknown})
    with refused(f"Invalid{side}GroupId.Mismatch", 400, elsewhere, group, "Name a group of"):
        allow(operator, suffix, group, **PORT, **{f"{side}GroupId": elsewhere})
    for unknown in ("pl-none", strange_list):
        with refused("InvalidPrefixListId.NotFound", 404, unknown, "DescribePrefixLists"):
            allow(operator, suffix, group, **PORT, **{f"{side}PrefixListId": unknown})
    itself = ("InvalidParamter.Conflict", "InvalidSecurityGroup.IsSame")[bool(suffix)]
    with refused(itself, 403, f"{side}GroupId", "ModifySecurityGroupPolicy"):
        allow(operator, suffix, group, **PORT, **{f"{side}GroupId": group})


@DIRECTIONS
def test_groups_of_other_accounts_are_refused_by_name(
    operator: Account, other: Account, pair: tuple[str, str], refused: Refused, suffix: str,
    side: str,
) -> None:  # fmt: skip
    group, peer = pair
    stranger = World(other).group(World(other).network())
    for field, value in (("Id", other.id), ("Account", "other")):
        owner = {f"{side}GroupOwner{field}": int(value) if value.isdigit() else value}
        with refused("UnsupportedParameter.Permissions", 400, f"{side}GroupOwner{field}", "block"):
            allow(operator, suffix, group, **PORT, **owner, **{f"{side}GroupId": stranger})
    mine = {f"{side}GroupOwnerId": int(operator.id)}
    with refused("InvalidPermission.Malformed", 400, f"{side}GroupOwnerId", f"{side}GroupId"):
        allow(operator, suffix, group, **PORT, **mine, **{f"{side}CidrIp": "10.0.0.0/8"})
    allow(operator, suffix, group, **PORT, **mine, **{f"{side}GroupId": peer})
    assert len(rules(operator, group)) == 1


@DIRECTIONS
def test_enterprise_groups_name_no_groups_and_are_named_by_none(
    operator: Account, world: World, refused: Refused, node: Node, suffix: str, side: str
) -> None:
    network = world.network()
    normal, big = world.group(network), world.group(network, "enterprise")
    with refused("InvalidGroupParameter.OperationDenied", 400, f"{side}GroupId", big):
        allow(operator, suffix, big, **PORT, **{f"{side}GroupId": normal})
    with refused("InvalidGroupAuthParameter.OperationDenied", 400, f"{side}GroupId", big):
        allow(operator, suffix, normal, **PORT, **{f"{side}GroupId": big})
    offices = prefix_list(operator, "198.51.100.0/24")
    allow(operator, suffix, big, **PORT, **{f"{side}PrefixListId": offices})
    allow(operator, suffix, big, **PORT, **{f"{side}CidrIp": "10.0.0.0/8", "Policy": "drop"})
    assert len(told(node, big, suffix)) == 2


def test_what_groups_do_where_no_rule_decides(world: World, node: Node) -> None:
    network = world.network()
    normal, big = world.group(network), world.group(network, "enterprise")
    node.pull()
    assert node.held[f"filter/{normal}"]["rules"] == []  # nobody is in it
    assert [
        (rule["priority"], rule["accept"], rule["protocol"], rule["cidr"])
        for rule in node.held[f"filter/{normal}"]["egress"]
    ] == [(101, True, "ALL", "0.0.0.0/0"), (101, True, "ALL", "::/0")]
    assert node.held[f"filter/{big}"]["rules"] == []
    assert node.held[f"filter/{big}"]["egress"] == []


@DIRECTIONS
def test_icmp_is_of_one_family(
    operator: Account, pair: tuple[str, str], refused: Refused, suffix: str, side: str
) -> None:
    group, peer = pair
    four, six = prefix_list(operator), prefix_list(operator, family="IPv6")
    for end in ({f"Ipv6{side}CidrIp": "fd00::/8"}, {f"{side}PrefixListId": six}):
        code = "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"
        with refused(code, 400, "Permission 1", *end.values(), "Use ICMPv6"):
            allow(operator, suffix, group, **ICMP, **end)
    for end in ({f"{side}CidrIp": "10.0.0.0/8"}, {f"{side}PrefixListId": four}):
        code = "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"
        with refused(code, 400, "Permission 1", *end.values(), "Use ICMP."):
            allow(operator, suffix, group, **ICMP6, **end)
    with refused("InvalidPermission.Malformed", 400, "PortRange of ICMPV6"):
        allow(
            operator, suffix, group, **{**ICMP6, "PortRange": "80/80"}, **{f"{side}GroupId": peer}
        )
    for protocol in (ICMP, ICMP6):
        allow(operator, suffix, group, **protocol, **{f"{side}GroupId": peer})
    allow(operator, suffix, group, **ICMP, **{f"{side}PrefixListId": four})
    allow(operator, suffix, group, **ICMP6, **{f"{side}PrefixListId": six})
    assert len(rules(operator, group)) == 4


def test_a_group_that_a_rule_names_stays(
    operator: Account, pair: tuple[str, str], refused: Refused, node: Node
) -> None:
    group, peer = pair
    allow(operator, "", group, **PORT, SourceGroupId=peer)
    with refused("DependencyViolation", 403, peer, group, "Revoke"):
        operator.ecs.DeleteSecurityGroup(SecurityGroupId=peer)
    node.catch_up()
    operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)  # and its rules with it
    node.catch_up()
    assert not {f"filter/{group}", f"members/{peer}"} & set(node.held)
    operator.ecs.DeleteSecurityGroup(SecurityGroupId=peer)
    node.catch_up()
    assert f"filter/{peer}" not in node.held


def test_a_group_names_few_groups(
    operator: Account, world: World, pair: tuple[str, str], refused: Refused
) -> None:
    group, peer = pair
    rule = {**PORT, "SourceGroupId": peer}
    many = [{**rule, "Priority": str(number)} for number in range(1, 21)]
    with refused("AuthorizedGroupRule.LimitExceed", 400, group, "limit of 20", "prefix list"):
        operator.ecs.AuthorizeSecurityGroup(
            SecurityGroupId=group, Permissions=[*many, {**rule, "Priority": "99"}]
        )
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=many)
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB])
    web = next(each for each in rules(operator, group) if each["SourceCidrIp"])
    with refused("AuthorizedGroupRule.LimitExceed", 400, group):
        operator.ecs.ModifySecurityGroupRule(
            SecurityGroupId=group,
            SecurityGroupRuleId=web["SecurityGroupRuleId"],
            SourceGroupId=peer,
            Priority="30",
        )
    first = rules(operator, group)[0]["SecurityGroupRuleId"]
    operator.ecs.ModifySecurityGroupRule(  # it counts already
        SecurityGroupId=group, SecurityGroupRuleId=first, Policy="drop"
    )


@DIRECTIONS
def test_no_quota_makes_more_rules_than_a_node_has_room_for(
    operator: Account, pair: tuple[str, str], refused: Refused, suffix: str, side: str
) -> None:
    group, _ = pair
    operator.own.call("SetQuota", QuotaName="ecs_quota_rules_per_security_group", Limit=1000)
    blocks = [f"10.{number // 200}.{number % 200}.0/24" for number in range(248)]
    for start in range(0, 248, 100):
        getattr(operator.ecs, f"AuthorizeSecurityGroup{suffix}")(
            SecurityGroupId=group,
            Permissions=[{**PORT, f"{side}CidrIp": each} for each in blocks[start : start + 100]],
        )
    with refused("AuthorizationLimitExceed", 403, group, "limit of 248"):
        allow(operator, suffix, group, **PORT, **{f"{side}CidrIp": "10.9.0.0/24"})
