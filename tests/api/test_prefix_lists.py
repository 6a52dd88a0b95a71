"""ECS: prefix lists come, change, are named by rules, and go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.test_rule_peers import PORT, allow, prefix_list
from tests.api.world import World


def entries(account: Account, list_id: str) -> dict[str, str]:
    """The descriptions of a list's entries, by block."""
    shown = account.ecs.DescribePrefixListAttributes(PrefixListId=list_id)
    return {each["Cidr"]: each["Description"] for each in shown["Entries"]["Entry"]}


def listed(account: Account, **wanted: Any) -> list[str]:
    """The ids of prefix lists."""
    found = account.ecs.DescribePrefixLists(**wanted)["PrefixLists"]["PrefixList"]
    return [each["PrefixListId"] for each in found]


def test_a_list_is_shown_as_it_was_made(operator: Account, world: World) -> None:
    blue = world.resource_group()
    made = operator.ecs.CreatePrefixList(
        AddressFamily="IPv6",
        MaxEntries=3,
        PrefixListName="办公室:a.b_c-1",
        Description="ours",
        Entry=[{"Cidr": "2001:0DB8::/32", "Description": "one"}, {"Cidr": "2001:db8:1::1"}],
        ResourceGroupId=blue,
        Tag=[{"Key": "team", "Value": "red"}],
    )["PrefixListId"]
    assert made.startswith("pl-")
    shown = operator.ecs.DescribePrefixListAttributes(PrefixListId=made)
    assert (shown["PrefixListName"], shown["Description"]) == ("办公室:a.b_c-1", "ours")
    assert (shown["AddressFamily"], shown["MaxEntries"]) == ("IPv6", 3)
    assert entries(operator, made) == {"2001:db8::/32": "one", "2001:db8:1::1/128": ""}
    (row,) = operator.ecs.DescribePrefixLists()["PrefixLists"]["PrefixList"]
    assert (row["PrefixListId"], row["AssociationCount"]) == (made, 0)
    assert (row["ResourceGroupId"], row["CreationTime"]) == (blue, shown["CreationTime"])
    assert row["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "red"}]}


def test_lists_are_looked_for(operator: Account, world: World) -> None:
    blue = world.resource_group()
    four, six = prefix_list(operator), prefix_list(operator, family="IPv6")
    operator.ecs.TagResources(
        ResourceType="prefixlist", ResourceId=[four], Tag=[{"Key": "a", "Value": "b"}]
    )
    operator.ecs.JoinResourceGroup(ResourceType="prefixlist", ResourceId=six, ResourceGroupId=blue)
    assert listed(operator) == [four, six]
    for wanted, found in (
        ({"PrefixListId": [six, "pl-none"]}, [six]),
        ({"PrefixListName": "offices"}, [four, six]),
        ({"PrefixListName": "office"}, []),
        ({"AddressFamily": "IPv4"}, [four]),
        ({"Tag": [{"Key": "a"}]}, [four]),
        ({"ResourceGroupId": blue}, [six]),
    ):
        assert listed(operator, **wanted) == found, wanted
    first = operator.ecs.DescribePrefixLists(MaxResults=1)
    assert listed(operator, MaxResults=1, NextToken=first["NextToken"]) == [six]


def test_a_change_reaches_rules_at_once(operator: Account, world: World, node: Node) -> None:
    group = world.group(world.network())
    offices = prefix_list(operator, "198.51.100.0/24", "192.0.2.0/24")
    allow(operator, "", group, **PORT, SourcePrefixListId=offices)
    node.catch_up()
    operator.ecs.ModifyPrefixList(
        PrefixListId=offices,
        AddEntry=[
            {"Cidr": "203.0.113.7", "Description": "new"},
            {"Cidr": "192.0.2.0/24", "Description": "again"},
        ],
        RemoveEntry=[{"Cidr": "198.51.100.0/24"}, {"Cidr": "10.0.0.0/8"}],  # the second is not on
    )
    assert entries(operator, offices) == {"192.0.2.0/24": "again", "203.0.113.7/32": "new"}
    node.pull()
    assert node.seen == [f"members/{offices}"]  # and no filter
    assert node.held[f"members/{offices}"]["blocks"] == ["192.0.2.0/24", "203.0.113.7/32"]
    operator.ecs.ModifyPrefixList(
        PrefixListId=offices, PrefixListName="branches", Description="all"
    )
    operator.ecs.ModifyPrefixList(
        PrefixListId=offices, AddEntry=[{"Cidr": "192.0.2.0/24", "Description": "still"}]
    )
    shown = operator.ecs.DescribePrefixListAttributes(PrefixListId=offices)
    assert (shown["PrefixListName"], shown["Description"]) == ("branches", "all")
    node.pull()
    assert node.seen == []  # names are for people


def test_a_list_that_no_rule_names_is_no_business_of_nodes(operator: Account, node: Node) -> None:
    node.catch_up()
    offices = prefix_list(operator, "192.0.2.0/24")
    operator.ecs.ModifyPrefixList(PrefixListId=offices, AddEntry=[{"Cidr": "10.0.0.0/8"}])
    operator.ecs.DeletePrefixList(PrefixListId=offices)
    node.pull()
    assert node.seen == []


def test_a_list_that_rules_name_stays(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    groups = sorted(world.group(network) for _ in range(2))
    offices = prefix_list(operator, "192.0.2.0/24")
    for group in groups:
        for suffix, side in (("", "Source"), ("Egress", "Dest")):
            allow(operator, suffix, group, **PORT, **{f"{side}PrefixListId": offices})
    (row,) = operator.ecs.DescribePrefixLists()["PrefixLists"]["PrefixList"]
    assert row["AssociationCount"] == 2
    show = operator.ecs.DescribePrefixListAssociations
    first = show(PrefixListId=offices, MaxResults=1)
    second = show(PrefixListId=offices, MaxResults=1, NextToken=first["NextToken"])
    pages = [each["PrefixListAssociations"]["PrefixListAssociation"] for each in (first, second)]
    assert pages == [[{"ResourceId": each, "ResourceType": "securitygroup"}] for each in groups]
    with refused("NotAllowed.AssociationExist", 400, offices, *groups, "Revoke"):
        operator.ecs.DeletePrefixList(PrefixListId=offices)
    node.catch_up()
    for group in groups:
        operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)
    operator.ecs.DeletePrefixList(PrefixListId=offices)
    node.pull()
    assert f"members/{offices}" not in node.held
    with refused("InvalidPrefixListId.NotFound", 404, offices):
        operator.ecs.DescribePrefixListAttributes(PrefixListId=offices)


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"AddressFamily": "ipv4"}, "InvalidAddressFamily", ("'ipv4'", "IPv4 or IPv6")),
        ({"MaxEntries": 0}, "InvalidMaxEntries", ("1 to 200",)),
        ({"MaxEntries": 201}, "InvalidMaxEntries", ("1 to 200",)),
        ({"PrefixListName": "x"}, "InvalidPrefixListName", ("2 to 128",)),
        ({"PrefixListName": "com.aliyun.x"}, "InvalidPrefixListName", ("com.aliyun",)),
        ({"PrefixListName": "1st"}, "InvalidPrefixListName", ("first a letter",)),
        ({"PrefixListName": "a b"}, "InvalidPrefixListName", ("first a letter",)),
        ({"Description": "http://x"}, "InvalidDescription", ("http(s)://",)),
        (
            {"Entry": [{"Cidr": "10.0.0.0/8", "Description": "x" * 33}]},
            "InvalidEntry",
            ("Entry.1.Description", "32"),
        ),
        (
            {"Entry": [{"Cidr": "10.0.0.1/8"}]},
            "InvalidParameter.CidrMalformed",
            ("Entry.1.Cidr '10.0.0.1/8'", "IPv4"),
        ),
        (
            {"Entry": [{"Cidr": "fd00::/8"}]},
            "InvalidParameter.CidrMalformed",
            ("Entry.1.Cidr 'fd00::/8'", "IPv4"),
        ),
        (
            {"AddressFamily": "IPv6", "Entry": [{"Cidr": "10.0.0.0/8"}]},
            "InvalidParameter.CidrMalformed",
            ("Entry.1.Cidr '10.0.0.0/8'", "IPv6"),
        ),
        (
            {"Entry": [{"Cidr": "10.0.0.1/32"}, {"Cidr": "10.0.0.1"}]},
            "InvalidParameter.CidrDuplicated",
            ("Entry.2.Cidr 10.0.0.1", "twice"),
        ),
        (
            {"MaxEntries": 1, "Entry": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "192.0.2.0/24"}]},
            "LimitExceed.MaxEntries",
            ("2 entries", "1"),
        ),
        ({"ResourceGroupId": "rg-none"}, "InvalidResourceGroup", ("rg-none",)),
    ],
)
def test_a_list_that_cannot_be_is_refused(
    operator: Account,
    refused: Refused,
    changed: dict[str, Any],
    code: str,
    words: tuple[str, ...],
) -> None:
    good = {"AddressFamily": "IPv4", "MaxEntries": 5, "PrefixListName": "offices"}
    with refused(code, 400, *words):
        operator.ecs.CreatePrefixList(**(good | changed))


def test_a_change_that_cannot_be_is_refused(operator: Account, refused: Refused) -> None:
    offices = prefix_list(operator, "10.0.0.0/8", "192.0.2.0/24", room=2)
    modify = operator.ecs.ModifyPrefixList
    with refused("LimitExceed.MaxEntries", 400, "3 entries", "larger list"):
        modify(PrefixListId=offices, AddEntry=[{"Cidr": "198.51.100.0/24"}])
    with refused("InvalidParameter.CidrDuplicated", 400, "10.0.0.0/8", "added and removed"):
        modify(
            PrefixListId=offices,
            AddEntry=[{"Cidr": "10.0.0.0/8"}],
            RemoveEntry=[{"Cidr": "10.0.0.0/8"}],
        )
    with refused("InvalidParameter.CidrDuplicated", 400, "RemoveEntry.2.Cidr"):
        modify(PrefixListId=offices, RemoveEntry=[{"Cidr": "10.0.0.0/8"}, {"Cidr": "10.0.0.0/8"}])
    with refused("InvalidParameter.CidrMalformed", 400, "RemoveEntry.1.Cidr 'ten'"):
        modify(PrefixListId=offices, RemoveEntry=[{"Cidr": "ten"}])
    with refused("InvalidPrefixListId.NotFound", 404, "'pl-none'"):
        modify(PrefixListId="pl-none", PrefixListName="branches")
    modify(
        PrefixListId=offices,
        AddEntry=[{"Cidr": "198.51.100.0/24"}],
        RemoveEntry=[{"Cidr": "10.0.0.0/8"}],
    )
    assert set(entries(operator, offices)) == {"192.0.2.0/24", "198.51.100.0/24"}


def test_an_account_has_so_many_lists(operator: Account, refused: Refused) -> None:
    operator.own.call("SetQuota", QuotaName="ecs_quota_prefix_lists", Limit=1)
    prefix_list(operator)
    with refused("LimitExceed.PrefixListPerRegion", 404, "limit of 1", "DeletePrefixList"):
        prefix_list(operator)
