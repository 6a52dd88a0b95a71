"""ECS: rules that come and go, in both directions, and what a node hears of them.

Rules about security groups and prefix lists, and about IPv6: test_rule_peers.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.test_ecs import WEB, rules
from tests.api.world import World

ECS = "2014-05-26"
OUT = {"IpProtocol": "all", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0"}


@pytest.fixture
def group(world: World) -> str:
    """A security group without rules."""
    return world.group(world.network())


def test_a_rule_is_revoked_by_what_it_says(operator: Account, group: str, node: Node) -> None:
    others = [{**WEB, "Priority": "2"}, {**WEB, "Policy": "drop"}, {**WEB, "PortRange": "81/81"}]
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB, *others])
    node.catch_up()
    assert len(node.held[f"filter/{group}"]["rules"]) == 4
    same = {**WEB, "IpProtocol": "TCP", "Policy": "Accept", "Description": "whatever"}
    operator.ecs.RevokeSecurityGroup(SecurityGroupId=group, Permissions=[same])
    node.pull()
    assert node.seen == [f"filter/{group}"]
    assert len(node.held[f"filter/{group}"]["rules"]) == 3
    assert ("Accept", "1", "80/80") not in [
        (rule["Policy"], rule["Priority"], rule["PortRange"]) for rule in rules(operator, group)
    ]
    operator.ecs.RevokeSecurityGroup(SecurityGroupId=group, **WEB)  # it is off already
    assert len(rules(operator, group)) == 3


def test_a_rule_is_revoked_by_its_id(
    operator: Account, group: str, node: Node, refused: Refused
) -> None:
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group, Permissions=[WEB, {**WEB, "Priority": "2"}]
    )
    operator.ecs.AuthorizeSecurityGroupEgress(SecurityGroupId=group, Permissions=[OUT])
    by_priority = {
        rule["Priority"]: rule["SecurityGroupRuleId"]
        for rule in rules(operator, group, Direction="ingress")
    }
    operator.ecs.RevokeSecurityGroup(SecurityGroupId=group, SecurityGroupRuleId=[by_priority["1"]])
    (left,) = rules(operator, group, Direction="ingress")
    assert left["SecurityGroupRuleId"] == by_priority["2"]
    node.pull()
    assert [rule["priority"] for rule in node.held[f"filter/{group}"]["rules"]] == [2]
    (out,) = rules(operator, group, Direction="egress")
    for unknown in (by_priority["1"], out["SecurityGroupRuleId"]):
        with refused("InvalidSecurityGroupRuleId.NotFound", 404, unknown, group, "ingress"):
            operator.ecs.RevokeSecurityGroup(
                SecurityGroupId=group, SecurityGroupRuleId=[by_priority["2"], unknown]
            )
    operator.ecs.RevokeSecurityGroupEgress(
        SecurityGroupId=group, SecurityGroupRuleId=[out["SecurityGroupRuleId"]]
    )
    assert rules(operator, group) == [left]


def test_nothing_said_is_nothing_revoked(operator: Account, group: str, refused: Refused) -> None:
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB])
    with refused("InvalidPermission.Malformed", 400, "IpProtocol and PortRange are mandatory"):
        operator.ecs.RevokeSecurityGroup(SecurityGroupId=group)


def test_egress_rules_are_shown_and_nodes_hear_of_them(
    operator: Account, group: str, node: Node
) -> None:
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB])
    node.catch_up()
    before = node.held[f"filter/{group}"]
    operator.ecs.AuthorizeSecurityGroupEgress(
        SecurityGroupId=group,
        Permissions=[OUT, {**OUT, "Policy": "drop", "Priority": "100", "Description": "no"}],
    )
    operator.ecs.AuthorizeSecurityGroupEgress(SecurityGroupId=group, **OUT)  # there already
    shown = rules(operator, group, Direction="egress")
    assert sorted((rule["Policy"], rule["Priority"], rule["Description"]) for rule in shown) == [
        ("Accept", "1", ""),
        ("Drop", "100", "no"),
    ]
    for rule in shown:
        assert (rule["Direction"], rule["IpProtocol"]) == ("egress", "ALL")
        assert (rule["DestCidrIp"], rule["SourceCidrIp"]) == ("0.0.0.0/0", "")
    assert len(rules(operator, group)) == 3
    (listed,) = operator.ecs.DescribeSecurityGroups()["SecurityGroups"]["SecurityGroup"]
    assert listed["RuleCount"] == 3
    node.pull()
    assert node.seen == [f"filter/{group}"]
    told = node.held[f"filter/{group}"]
    assert told["rules"] == before["rules"]
    assert [(each["priority"], each["accept"], each["cidr"]) for each in told["egress"]] == [
        (1, True, "0.0.0.0/0"),
        (100, False, "0.0.0.0/0"),
        (101, True, "0.0.0.0/0"),
        (101, True, "::/0"),
    ]
    operator.ecs.RevokeSecurityGroupEgress(
        SecurityGroupId=group, Permissions=[OUT, {**OUT, "Policy": "drop", "Priority": "100"}]
    )
    node.pull()
    assert (node.seen, node.held[f"filter/{group}"]) == ([f"filter/{group}"], before)
    assert rules(operator, group, Direction="egress") == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("SourceGroupOwnerAccount", "somebody", "another account"),
        ("SourceGroupOwnerId", 42, "another account"),
        ("Ipv6DestCidrIp", "fd00::/8", "every address its group is on"),
        ("PortRangeListId", "prl-1", "no port lists"),
        ("SourcePortRange", "1/1024", "the port that a flow goes to"),
        ("DestCidrIp", "10.0.0.1", "every address its group is on"),
    ],
)
def test_what_no_node_would_enforce_is_refused(
    operator: Account, group: str, refused: Refused, field: str, value: Any, words: str
) -> None:
    bad = {**WEB, field: value}
    with refused(
        "UnsupportedParameter.Permissions", 400, f"Permissions.2.{field} cannot", words, "Nothing"
    ):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB, bad])
    if field == "PortRangeListId":
        return  # younger than the flat form
    for call in (operator.ecs.AuthorizeSecurityGroup, operator.ecs.RevokeSecurityGroup):
        with refused(f"UnsupportedParameter.{field}", 400, words):
            call(SecurityGroupId=group, **bad)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("DestGroupOwnerAccount", "somebody", "another account"),
        ("DestGroupOwnerId", 42, "another account"),
        ("Ipv6SourceCidrIp", "fd00::/8", "every address its group is on"),
        ("SourceCidrIp", "10.0.0.1", "every address its group is on"),
    ],
)
def test_an_egress_rule_says_as_little(
    operator: Account, group: str, refused: Refused, field: str, value: Any, words: str
) -> None:
    with refused("UnsupportedParameter.Permissions", 400, f"Permissions.1.{field}", words):
        operator.ecs.AuthorizeSecurityGroupEgress(
            SecurityGroupId=group, Permissions=[{**OUT, field: value}]
        )
    with refused("InvalidPermission.Malformed", 400, "DestPrefixListId is mandatory"):
        operator.ecs.AuthorizeSecurityGroupEgress(
            SecurityGroupId=group, IpProtocol="all", PortRange="-1/-1"
        )
    with refused("InvalidPermission.Malformed", 400, "DestCidrIp 'ten'"):
        operator.ecs.AuthorizeSecurityGroupEgress(
            SecurityGroupId=group, **(OUT | {"DestCidrIp": "ten"})
        )


def test_any_source_port_is_as_good_as_none(operator: Account, group: str) -> None:
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group, Permissions=[{**WEB, "SourcePortRange": "-1/-1"}]
    )
    assert len(rules(operator, group)) == 1


@pytest.mark.parametrize(
    ("written", "told"), [("10.0.0.5", "10.0.0.5/32"), ("10.1.2.3/8", "10.0.0.0/8")]
)
def test_a_block_is_shown_as_it_was_written(
    operator: Account, group: str, node: Node, written: str, told: str
) -> None:
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, **(WEB | {"SourceCidrIp": written}))
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, **(WEB | {"SourceCidrIp": told}))
    (shown,) = rules(operator, group)
    assert shown["SourceCidrIp"] == written
    node.pull()
    assert [rule["cidr"] for rule in node.held[f"filter/{group}"]["rules"]] == [told]
    operator.ecs.RevokeSecurityGroup(SecurityGroupId=group, **(WEB | {"SourceCidrIp": told}))
    assert rules(operator, group) == []


def test_rules_come_in_pages(operator: Account, group: str) -> None:
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group,
        Permissions=[{**WEB, "Priority": str(number)} for number in range(1, 6)],
    )
    show = operator.ecs.DescribeSecurityGroupAttribute
    first = show(SecurityGroupId=group, MaxResults=3)
    second = show(SecurityGroupId=group, MaxResults=3, NextToken=first["NextToken"])
    shown = [page["Permissions"]["Permission"] for page in (first, second)]
    assert [len(page) for page in shown] == [3, 2]
    assert [*shown[0], *shown[1]] == rules(operator, group)
    assert "NextToken" not in second


def test_both_directions_count_together(operator: Account, group: str, refused: Refused) -> None:
    for network in (0, 1):
        operator.ecs.AuthorizeSecurityGroupEgress(
            SecurityGroupId=group,
            Permissions=[{**OUT, "DestCidrIp": f"10.{network}.{n}.0/24"} for n in range(100)],
        )
    with refused("AuthorizationLimitExceed", 403, group, "limit of 200"):
        operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB])


def test_a_rule_is_changed_by_its_id(
    operator: Account, group: str, node: Node, refused: Refused
) -> None:
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group, Permissions=[{**WEB, "Description": "web"}]
    )
    (before,) = rules(operator, group)
    rule = before["SecurityGroupRuleId"]
    modify = operator.ecs.ModifySecurityGroupRule
    modify(
        SecurityGroupId=group,
        SecurityGroupRuleId=rule,
        PortRange="81/82",
        Policy="drop",
        Priority="9",
    )
    (after,) = rules(operator, group)
    changed = {"PortRange": "81/82", "Policy": "Drop", "Priority": "9"}
    assert after == before | changed
    node.pull()
    (told,) = node.held[f"filter/{group}"]["rules"]
    assert (told["low"], told["high"], told["accept"], told["priority"]) == (81, 82, False, 9)
    modify(SecurityGroupId=group, SecurityGroupRuleId=rule, Description="x" * 512)
    node.pull()
    assert node.seen == []
    assert rules(operator, group) == [after | {"Description": "x" * 512}]
    operator.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[WEB])
    with refused("InvalidSecurityGroupRule.RuleAlreadyExist", 400, group, "Revoke one"):
        modify(
            SecurityGroupId=group,
            SecurityGroupRuleId=rule,
            PortRange="80/80",
            Policy="accept",
            Priority="1",
        )
    with refused("InvalidSecurityGroupRuleId.NotFound", 404, "'sgr-none'", "ingress"):
        modify(SecurityGroupId=group, SecurityGroupRuleId="sgr-none")
    with refused("UnsupportedParameter.DestCidrIp", 400, "every address its group is on"):
        modify(SecurityGroupId=group, SecurityGroupRuleId=rule, DestCidrIp="10.0.0.1")


def test_a_rule_is_described_anew_by_what_it_says(
    operator: Account, group: str, refused: Refused
) -> None:
    operator.ecs.AuthorizeSecurityGroupEgress(SecurityGroupId=group, Permissions=[OUT])
    modify = operator.ecs.ModifySecurityGroupEgressRule
    modify(SecurityGroupId=group, **OUT, Policy="accept", Priority="1", Description="all")
    (shown,) = rules(operator, group)
    assert (shown["Description"], shown["Direction"]) == ("all", "egress")
    with refused("InvalidSecurityGroupRule.RuleNotExist", 404, group, "NotFound", "egress"):
        modify(SecurityGroupId=group, **OUT, Priority="2", Description="all")


def test_a_group_that_is_gone(operator: Account, refused: Refused) -> None:
    with refused("InvalidSecurityGroupId.NotFound", 404, "'sg-x'", "NotFound"):
        operator.ecs.DescribeSecurityGroupAttribute(SecurityGroupId="sg-x", Direction="ingress")
