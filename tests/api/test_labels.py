"""Tags and resource groups of endpoints and services."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import World

ENDPOINT, SERVICE = "vpcendpoint", "vpcendpointservice"


def put(account: Account, resource: str, kind: str = SERVICE, **pairs: str) -> None:
    tags = [{"Key": key, "Value": value} for key, value in pairs.items()]
    account.privatelink.TagResources(ResourceType=kind, ResourceId=[resource], Tag=tags)


def tags(account: Account, resource: str, kind: str = SERVICE) -> dict[str, str]:
    listed = account.privatelink.ListTagResources(ResourceType=kind, ResourceId=[resource])
    assert all(each["ResourceId"] == resource for each in listed["TagResources"])
    return {each["TagKey"]: each["TagValue"] for each in listed["TagResources"]}


@pytest.mark.parametrize("kind", ["vpcendpointservice", "VpcEndpointService"])
def test_tags_are_put_replaced_and_taken_off(operator: Account, world: World, kind: str) -> None:
    service = world.service()
    put(operator, service, kind, team="red", tier="1")
    put(operator, service, kind, team="red", tier="2")  # the same again, and another value
    assert tags(operator, service) == {"team": "red", "tier": "2"}
    operator.privatelink.UntagResources(ResourceType=kind, ResourceId=[service], TagKey=["team"])
    assert tags(operator, service) == {"tier": "2"}
    operator.privatelink.UntagResources(
        ResourceType=kind, ResourceId=[service], TagKey=["tier"], All=True
    )
    assert tags(operator, service) == {}


def test_all_takes_every_tag_off_but_only_without_keys(operator: Account, world: World) -> None:
    service = world.service()
    put(operator, service, a="1", b="2", c="3")
    asked = {"ResourceType": SERVICE, "ResourceId": [service], "All": True}
    operator.privatelink.UntagResources(TagKey=["a"], **asked)
    assert tags(operator, service) == {"b": "2", "c": "3"}
    operator.privatelink.UntagResources(**asked)
    assert tags(operator, service) == {}


def test_a_tag_says_whose_it_is_and_by_tag_it_is_found(operator: Account, world: World) -> None:
    one, two, three = (world.service() for _ in range(3))
    put(operator, one, team="red", tier="1")
    put(operator, two, team="red", tier="2")
    put(operator, three, team="blue", tier="2")
    listing = operator.privatelink.ListTagResources

    def found(**asked: Any) -> set[str]:
        return {
            each["ResourceId"] for each in listing(ResourceType=SERVICE, **asked)["TagResources"]
        }

    assert found(Tag=[{"Key": "team"}]) == {one, two, three}
    assert found(Tag=[{"Key": "team", "Value": "red"}]) == {one, two}
    assert found(Tag=[{"Key": "team", "Value": "red"}, {"Key": "tier", "Value": "2"}]) == {two}
    assert found(Tag=[{"Key": "team", "Value": "red"}], ResourceId=[one, three]) == {one}
    assert found(Tag=[{"Key": "none"}]) == set()
    shown = listing(ResourceType=SERVICE, ResourceId=[three])["TagResources"][0]
    assert shown == {
        "ResourceId": three,
        "ResourceType": SERVICE,
        "TagKey": "team",
        "TagValue": "blue",
    }


def test_fifty_tags_are_a_page(operator: Account, world: World) -> None:
    services = [world.service() for _ in range(4)]
    for service in services:
        put(operator, service, **{f"key{number:02}": "x" for number in range(15)})
    listing = operator.privatelink.ListTagResources
    first = listing(ResourceType=SERVICE, ResourceId=services)
    second = listing(ResourceType=SERVICE, ResourceId=services, NextToken=first["NextToken"])
    assert (len(first["TagResources"]), len(second["TagResources"])) == (50, 10)
    assert "NextToken" not in second


def test_a_resource_has_twenty_tags_at_most(
    operator: Account, world: World, refused: Refused
) -> None:
    service = world.service()
    put(operator, service, **{f"key{number:02}": "x" for number in range(20)})
    put(operator, service, key07="another value")
    with refused("QuotaExceed.TagsPerResource", 400, service, "21", "20", "UntagResources"):
        put(operator, service, onemore="x")


@pytest.mark.parametrize(
    ("tag", "code", "words"),
    [
        ([{"Value": "x"}], "MissingTagKeyParam", "Tag.1"),
        ([{"Key": "a"}], "MissingTagValueParam", "'a'"),
        ([{"Key": "acs:team", "Value": "x"}], "IllegalTagKeyParam", "acs:"),
        ([{"Key": "k" * 129, "Value": "x"}], "IllegalTagKeyParam", "129 characters"),
        ([{"Key": "a", "Value": "https://x"}], "IllegalTagValueParam", "https://"),
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "DuplicatedTagKey", "'a'"),
        ([{"Key": str(n), "Value": ""} for n in range(21)], "IllegalParamFormat.Tag", "20 tags"),
    ],
)
def test_what_no_tag_may_be(
    operator: Account,
    world: World,
    refused: Refused,
    tag: list[dict[str, str]],
    code: str,
    words: str,
) -> None:
    service = world.service()
    asked = {"ResourceType": SERVICE, "ResourceId": [service], "Tag": tag}
    with refused(code, 400, words):
        operator.privatelink.TagResources(**asked)


def test_what_is_not_there_is_not_tagged(
    operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, stranger = world.service(), World(other).service()
    put(operator, service, team="red")
    tag = [{"Key": "team", "Value": "blue"}]
    both = [service, stranger]
    with refused("InvalidResourceId.NotFound", 400, stranger):
        operator.privatelink.TagResources(ResourceType=SERVICE, ResourceId=both, Tag=tag)
    with refused("InvalidResourceId.NotFound", 400, service):
        operator.privatelink.TagResources(ResourceType=ENDPOINT, ResourceId=[service], Tag=tag)
    with refused("IllegalParamFormat.ResourceType", 400, "'vpc'", "vpcendpoint"):
        operator.privatelink.TagResources(ResourceType="vpc", ResourceId=[service], Tag=tag)
    with refused("InvalidResourceId.NotFound", 400, stranger):
        operator.privatelink.UntagResources(ResourceType=SERVICE, ResourceId=both, TagKey=["team"])
    with refused("TagInfoNotExist", 400, "'none'", service):
        operator.privatelink.UntagResources(
            ResourceType=SERVICE, ResourceId=[service], TagKey=["none"]
        )
    with refused("DuplicatedTagKey", 400, "'team'"):
        operator.privatelink.UntagResources(
            ResourceType=SERVICE, ResourceId=[service], TagKey=["team", "team"]
        )
    with refused("MissingTagKeyParam", 400, "TagKey.N", "All=true"):
        operator.privatelink.UntagResources(ResourceType=SERVICE, ResourceId=[service])
    with refused("MissingResourceIdOrTagParam", 400, "ResourceId.N, Tag.N or both"):
        operator.privatelink.ListTagResources(ResourceType=SERVICE)
    with refused("MissingTagKeyParam", 400):
        operator.privatelink.ListTagResources(ResourceType=SERVICE, Tag=[{"Value": "red"}])


def test_tags_go_with_their_resource(operator: Account, world: World, node: Node) -> None:
    service, network = world.published(), world.network()
    endpoint = world.endpoint(service, network)
    put(operator, endpoint, ENDPOINT, team="red")
    assert tags(operator, endpoint, ENDPOINT) == {"team": "red"}
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    wanted = [{"Key": "team"}]
    listed = operator.privatelink.ListTagResources(ResourceType=ENDPOINT, Tag=wanted)
    assert listed["TagResources"] == []


def test_an_account_has_a_default_resource_group(
    operator: Account, other: Account, refused: Refused
) -> None:
    (default,) = operator.resourcemanager.ListResourceGroups()["ResourceGroups"]["ResourceGroup"]
    assert default["Id"].startswith("rg-")
    assert (default["Name"], default["Status"]) == ("default", "OK")
    assert default["AccountId"] == operator.id
    (another,) = other.resourcemanager.ListResourceGroups()["ResourceGroups"]["ResourceGroup"]
    assert another["Id"] != default["Id"]
    with refused("NotSupport.DefaultResourceGroup", 400, default["Id"]):
        operator.resourcemanager.DeleteResourceGroup(ResourceGroupId=default["Id"])
    with refused("NotSupport.DefaultResourceGroup", 400, default["Id"]):
        operator.resourcemanager.UpdateResourceGroup(
            ResourceGroupId=default["Id"], NewDisplayName="mine"
        )


def test_the_life_of_a_resource_group(operator: Account, refused: Refused) -> None:
    manager = operator.resourcemanager
    made = manager.CreateResourceGroup(
        Name="blue", DisplayName="Team Blue", Tag=[{"Key": "cost", "Value": "7"}]
    )["ResourceGroup"]
    assert made["RegionStatuses"]["RegionStatus"] == [{"RegionId": "local", "Status": "OK"}]
    shown = manager.GetResourceGroup(ResourceGroupId=made["Id"], IncludeTags=True)["ResourceGroup"]
    assert shown["Tags"]["Tag"] == [{"TagKey": "cost", "TagValue": "7"}]
    assert (shown["Name"], shown["DisplayName"]) == ("blue", "Team Blue")
    manager.UpdateResourceGroup(ResourceGroupId=made["Id"], NewDisplayName="Blue")
    for asked in (
        {"ResourceGroupId": made["Id"]},
        {"ResourceGroupIds": [made["Id"]]},
        {"Name": "blue"},
        {"DisplayName": "Blue"},
        {"Tag": [{"Key": "cost"}], "Status": "OK"},
        {"PageSize": 1, "PageNumber": 2},
    ):
        listed = manager.ListResourceGroups(**asked)
        (found,) = listed["ResourceGroups"]["ResourceGroup"]
        assert found["Id"] == made["Id"], asked
    assert manager.ListResourceGroups(Status="PendingDelete")["TotalCount"] == 0
    with refused("EntityAlreadyExists.ResourceGroup", 409, "'blue'", made["Id"]):
        manager.CreateResourceGroup(Name="blue", DisplayName="again")
    with refused("InvalidName", 400, "a letter first"):
        manager.CreateResourceGroup(Name="7up", DisplayName="seven")
    manager.DeleteResourceGroup(ResourceGroupId=made["Id"])
    with refused("EntityNotExist.ResourceGroup", 404, made["Id"]):
        manager.GetResourceGroup(ResourceGroupId=made["Id"])


def test_a_group_that_holds_something_stays(
    operator: Account, world: World, refused: Refused
) -> None:
    service, group = world.service(), world.resource_group()
    (default,) = operator.resourcemanager.ListResourceGroups(Name="default")["ResourceGroups"][
        "ResourceGroup"
    ]
    change = operator.privatelink.ChangeResourceGroup
    change(ResourceId=service, ResourceGroupId=group, ResourceType="VpcEndpointService")
    with refused("DeleteConflict.ResourceGroup.Resource", 409, group, service):
        operator.resourcemanager.DeleteResourceGroup(ResourceGroupId=group)
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        change(ResourceId=service, ResourceGroupId="rg-none")
    with refused("ResourceNotFound", 400, service):
        change(ResourceId=service, ResourceGroupId=group, ResourceType="VpcEndpoint")
    with refused("IllegalParamFormat.ResourceType", 400, "'Vpc'"):
        change(ResourceId=service, ResourceGroupId=group, ResourceType="Vpc")
    change(ResourceId=service, ResourceGroupId=default["Id"])
    operator.resourcemanager.DeleteResourceGroup(ResourceGroupId=group)


def test_a_deleted_resource_leaves_its_group(operator: Account, world: World) -> None:
    group = world.resource_group()
    endpoint = world.endpoint(world.published(), world.network())
    operator.privatelink.ChangeResourceGroup(ResourceId=endpoint, ResourceGroupId=group)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    operator.resourcemanager.DeleteResourceGroup(ResourceGroupId=group)
