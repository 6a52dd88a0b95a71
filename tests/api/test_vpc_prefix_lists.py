"""VPC: prefix lists for routes, which are not those that ECS has for rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.test_routes import add, placed, prefix_list, routes
from tests.api.test_rule_peers import prefix_list as rule_list
from tests.api.world import World


def lists(account: Account, **asked: Any) -> list[Answer]:
    """What ListPrefixLists shows."""
    found: list[Answer] = account.vpc.ListPrefixLists(**asked)["PrefixLists"]
    return found


def blocks(account: Account, list_id: str) -> dict[str, str]:
    """What is on a list, with what is said of it."""
    shown = account.vpc.GetVpcPrefixListEntries(PrefixListId=list_id)
    assert shown["Count"] == shown["TotalCount"] == len(shown["PrefixListEntry"])
    return {each["Cidr"]: each["Description"] for each in shown["PrefixListEntry"]}


def test_a_list_is_shown_as_it_was_made(operator: Account) -> None:
    made = operator.vpc.CreateVpcPrefixList(
        PrefixListName="offices",
        PrefixListDescription="where we sit",
        IpVersion="IPv4",
        MaxEntries=10,
        PrefixListEntries=[
            {"Cidr": "192.168.1.0/24", "Description": "second"},
            {"Cidr": "192.168.0.0/24", "Description": "first"},
        ],
        Tag=[{"Key": "team", "Value": "red"}],
    )
    assert made["PrefixListId"].startswith("pl-")
    (shown,) = lists(operator)
    created = shown.pop("CreationTime")
    assert created.endswith("Z")
    assert shown == {
        "PrefixListId": made["PrefixListId"],
        "PrefixListName": "offices",
        "PrefixListDescription": "where we sit",
        "IpVersion": "IPV4",
        "MaxEntries": 10,
        "CidrBlocks": ["192.168.0.0/24", "192.168.1.0/24"],
        "OwnerId": operator.id,
        "RegionId": "local",
        "ResourceGroupId": made["ResourceGroupId"],
        "Tags": [{"Key": "team", "Value": "red"}],
        "PrefixListType": "Custom",
        "ShareType": "",
        "PrefixListStatus": "Created",
        "Status": "Created",
    }
    assert blocks(operator, made["PrefixListId"]) == {
        "192.168.0.0/24": "first",
        "192.168.1.0/24": "second",
    }


def test_lists_for_routes_and_for_rules_are_kept_apart(
    operator: Account, world: World, refused: Refused
) -> None:
    place = placed(operator, world.network())
    ours, theirs = prefix_list(operator), rule_list(operator)
    assert [each["PrefixListId"] for each in lists(operator)] == [ours]
    shown = operator.ecs.DescribePrefixLists()["PrefixLists"]["PrefixList"]
    assert [each["PrefixListId"] for each in shown] == [theirs]
    with refused("InvalidPrefixListId.NotFound", 404):
        operator.ecs.DeletePrefixList(PrefixListId=ours)
    with refused("ResourceNotFound.PrefixList", 400, theirs):
        operator.vpc.DeleteVpcPrefixList(PrefixListId=theirs)
    with refused("ResourceNotFound.PrefixList", 400, theirs):
        add(operator, place, theirs)
    group = world.group(place.network)
    with refused("InvalidPrefixListId.NotFound", 404, ours):
        operator.ecs.AuthorizeSecurityGroup(
            SecurityGroupId=group,
            Permissions=[{"IpProtocol": "all", "PortRange": "-1/-1", "SourcePrefixListId": ours}],
        )


def test_lists_are_found_by_what_they_are(operator: Account, world: World) -> None:
    group = world.resource_group()
    tag = [{"Key": "team", "Value": "red"}]
    first = prefix_list(operator, PrefixListName="first", Tag=tag, ResourceGroupId=group)
    second = prefix_list(operator, PrefixListName="second")

    def found(**asked: Any) -> list[str]:
        return [each["PrefixListId"] for each in lists(operator, **asked)]

    assert found() == [first, second]
    assert found(PrefixListName="second") == found(PrefixListIds=[second]) == [second]
    assert found(Tags=tag) == found(ResourceGroupId=group) == [first]
    page = operator.vpc.ListPrefixLists(MaxResults=1)
    assert (page["TotalCount"], page["MaxResults"]) == (2, 1)
    after = operator.vpc.ListPrefixLists(MaxResults=1, NextToken=page["NextToken"])
    assert [each["PrefixListId"] for each in after["PrefixLists"]] == [second]
    assert "NextToken" not in after
    operator.vpc.MoveResourceGroup(
        ResourceType="PrefixList", ResourceId=second, NewResourceGroupId=group
    )
    assert found(ResourceGroupId=group) == [first, second]
    operator.vpc.TagResources(ResourceType="PrefixList", ResourceId=[second], Tag=tag)
    assert found(Tags=tag) == [first, second]


def test_a_list_changes(operator: Account, refused: Refused) -> None:
    made = prefix_list(operator, "192.168.0.0/24", MaxEntries=2)
    modify = operator.vpc.ModifyVpcPrefixList
    answered = modify(
        PrefixListId=made,
        PrefixListName="new",
        PrefixListDescription="moved",
        AddPrefixListEntry=[
            {"Cidr": "192.168.0.0/24", "Description": "still"},
            {"Cidr": "192.168.1.0/24"},
        ],
    )
    assert answered["PrefixListId"] == made
    (shown,) = lists(operator)
    assert (shown["PrefixListName"], shown["PrefixListDescription"]) == ("new", "moved")
    assert blocks(operator, made) == {"192.168.0.0/24": "still", "192.168.1.0/24": ""}
    with refused("OperationFailed.CidrCountExceedMaxCount", 400, "3 entries", "MaxEntries"):
        modify(PrefixListId=made, AddPrefixListEntry=[{"Cidr": "192.168.2.0/24"}])
    with refused("OperationFailed.CidrCountExceedMaxCount", 400, "2 entries"):
        modify(PrefixListId=made, MaxEntries=1)
    modify(PrefixListId=made, MaxEntries=3, AddPrefixListEntry=[{"Cidr": "192.168.2.0/24"}])
    modify(
        PrefixListId=made,
        MaxEntries=1,
        RemovePrefixListEntry=[{"Cidr": "192.168.0.0/24"}, {"Cidr": "192.168.1.0/24"}],
    )
    assert list(blocks(operator, made)) == ["192.168.2.0/24"]
    with refused("DuplicatedParam.CidrBlock", 400, "RemovePrefixListEntry", "192.168.2.0/24"):
        block = [{"Cidr": "192.168.2.0/24"}]
        modify(PrefixListId=made, AddPrefixListEntry=block, RemovePrefixListEntry=block)


@pytest.mark.parametrize(
    ("given", "code", "word"),
    [
        ({"IpVersion": "IPv5"}, "InvalidIpVersion", "IPv4 or IPv6"),
        ({"MaxEntries": 0}, "InvalidMaxEntries", "1 to 200"),
        ({"PrefixListName": "http://here"}, "InvalidPrefixListName", "name"),
        ({"PrefixListEntries": [{"Cidr": "here"}]}, "IllegalParam.CidrBlock", "Entries.1.Cidr"),
        ({"PrefixListEntries": [{"Cidr": "fd00::/8"}]}, "IllegalParam.CidrBlock", "IPv4 block"),
        ({"PrefixListEntries": [{"Cidr": "10.0.0.1/8"}]}, "IllegalParam.CidrBlock", "10.0.0.1/8"),
        ({"PrefixListEntries": [{"Cidr": "127.0.0.1"}]}, "IllegalParam.CidrBlock", "loopback"),
        (
            {"PrefixListEntries": [{"Cidr": "10.0.0.7"}, {"Cidr": "10.0.0.7/32"}]},
            "DuplicatedParam.CidrBlock",
            "given twice",
        ),
        (
            {"MaxEntries": 1, "PrefixListEntries": [{"Cidr": "10.0.0.7"}, {"Cidr": "10.0.0.8"}]},
            "OperationFailed.CidrCountExceedMaxCount",
            "2 entries",
        ),
    ],
)
def test_what_no_list_can_be(
    operator: Account, refused: Refused, given: dict[str, Any], code: str, word: str
) -> None:
    with refused(code, 400, word):
        operator.vpc.CreateVpcPrefixList(**given)


def test_an_account_has_so_many_lists(operator: Account, refused: Refused) -> None:
    operator.own.call(
        "SetQuota", AccountId=operator.id, QuotaName="vpc_quota_prefix_lists", Limit=1
    )
    made = prefix_list(operator)
    rule_list(operator)
    with refused("QuotaExceeded.PrefixListCount", 400, "DeleteVpcPrefixList"):
        prefix_list(operator)
    operator.vpc.DeleteVpcPrefixList(PrefixListId=made)
    prefix_list(operator)


def test_a_list_that_a_route_names_stays_and_says_what_is_in_effect(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    place = placed(operator, world.network())
    made = prefix_list(operator, "10.0.0.128/25", "192.168.0.0/24", "192.168.1.0/24")
    associations = operator.vpc.GetVpcPrefixListAssociations
    assert associations(PrefixListId=made)["PrefixListAssociation"] == []
    add(operator, place, "192.168.1.0/24")
    route = add(operator, place, made)
    shown = associations(PrefixListId=made)
    assert (shown["Count"], shown["TotalCount"]) == (1, 1)
    (association,) = shown["PrefixListAssociation"]
    assert association == {
        "PrefixListId": made,
        "ResourceId": place.table,
        "ResourceType": "vpcRouteTable",
        "ResourceUid": operator.id,
        "OwnerId": operator.id,
        "RegionId": "local",
        "Status": "Modifying",
        "Reason": "",
        "CidrList": "192.168.0.0/24",
        "SuppressedList": "10.0.0.128/25,192.168.1.0/24",
    }
    assert len(routes(node, place.table)) == 3
    (association,) = associations(PrefixListId=made)["PrefixListAssociation"]
    assert association["Status"] == "Created"
    with refused("DependencyViolation.PrefixListRelation", 400, made, route, place.table):
        operator.vpc.DeleteVpcPrefixList(PrefixListId=made)
    operator.vpc.DeleteRouteEntry(RouteEntryId=route)
    operator.vpc.DeleteVpcPrefixList(PrefixListId=made)
    assert lists(operator) == []


def test_an_ipv6_list_is_for_networks_with_ipv6(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    six = prefix_list(operator, "FD00:9::/32", IpVersion="IPv6")
    place = placed(operator, world.network())
    with refused("OperationDenied.VpcIpv6NotEnabled", 400, six):
        add(operator, place, six)
    dual = placed(operator, world.dual_network())
    add(operator, dual, six)
    assert routes(node, dual.table)[-1] == ("fd00:9::/32", "attachment", dual.address6)
