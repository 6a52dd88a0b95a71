"""What a provider changes of a service: its settings, its regions, which resource is picked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.world import A, B, World

REGION = {
    "SupportedRegionId": "local",
    "ServiceRegionId": "local",
    "RegionServiceStatus": "Available",
    "RegionBusinessStatus": "Normal",
}


def shown(account: Account, service: str) -> Answer:
    return account.privatelink.GetVpcEndpointServiceAttribute(ServiceId=service)


def test_what_is_changed_is_shown_and_the_rest_stays(operator: Account, world: World) -> None:
    service = world.service(auto=False)
    before = shown(operator, service)
    assert (before["ServiceDescription"], before["SupportedRegionSet"]) == ("", [])
    assert (before["MinBandwidth"], before["MaxBandwidth"]) == (100, 50000)
    assert "ConnectBandwidth" not in before
    for change, seen in (
        ({"ServiceDescription": "the shop"}, {"ServiceDescription": "the shop"}),
        ({"AutoAcceptEnabled": True}, {"AutoAcceptEnabled": True}),
        ({"ZoneAffinityEnabled": True}, {"ZoneAffinityEnabled": True}),
        ({"ConnectBandwidth": 200}, {}),  # of an nlb it is taken, and shown on its connections
        ({"AddSupportedRegionSet": ["local"]}, {"SupportedRegionSet": [REGION]}),
        ({"AddSupportedRegionSet": ["local"]}, {}),
        ({"DeleteSupportedRegionSet": ["local"]}, {"SupportedRegionSet": []}),
        ({"DeleteSupportedRegionSet": ["local"]}, {}),
        ({"AddressIpVersion": "IPv4", "AutoAcceptEnabled": False}, {"AutoAcceptEnabled": False}),
    ):
        operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, **change)
        before |= seen
        assert shown(operator, service) | {"RequestId": ""} == before | {"RequestId": ""}


def test_settings_out_of_range_change_nothing(
    operator: Account, world: World, refused: Refused
) -> None:
    service = world.published()
    for code, change in (
        ("IllegalParamFormat.ConnectBandwidth", {"ConnectBandwidth": 99}),
        ("IllegalParamFormat.ConnectBandwidth", {"ConnectBandwidth": 10241}),
        ("IllegalParamFormat.ServiceDescription", {"ServiceDescription": "http://shop"}),
        ("IllegalParamFormat.AddressIpVersion", {"AddressIpVersion": "IPv5"}),
        ("ServiceResourceNotSupportIpv6", {"AddressIpVersion": "DualStack"}),
        ("ServiceResourceNotSupportIpv6", {"ServiceSupportIPv6": True}),
        ("RegionNotFound", {"AddSupportedRegionSet": ["elsewhere"]}),
    ):
        with refused(code, 400):
            given: dict[str, Any] = {"AutoAcceptEnabled": False} | change
            operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, **given)


def test_auto_accept_holds_for_the_connections_to_come(operator: Account, world: World) -> None:
    service, consumer = world.service(auto=False), world.network()
    first = world.endpoint(service, consumer)
    operator.privatelink.UpdateVpcEndpointServiceAttribute(
        ServiceId=service, AutoAcceptEnabled=True
    )
    second = world.endpoint(service, consumer)
    assert world.shown(first)["ConnectionStatus"] == "Disconnected"
    assert world.shown(second)["ConnectionStatus"] == "Connected"


def test_services_are_listed_by_what_is_asked_of_them(operator: Account, world: World) -> None:
    balancer = world.balancer(world.network())
    carried, bare = world.service(balancer), world.service(auto=False)
    listed = operator.privatelink.ListVpcEndpointServices
    name = f"com.aliyuncs.privatelink.local.{bare}"
    for filters, found in (
        ({}, {carried, bare}),
        ({"ServiceId": bare}, {bare}),
        ({"ServiceName": name}, {bare}),
        ({"ResourceId": balancer}, {carried}),
        ({"AutoAcceptEnabled": True}, {carried}),
        ({"AutoAcceptEnabled": True, "ServiceId": bare}, set()),
        ({"ZoneAffinityEnabled": True}, set()),
        ({"ServiceStatus": "Active", "ServiceBusinessStatus": "Normal"}, {carried, bare}),
        ({"ServiceStatus": "Deleting"}, set()),
        ({"ServiceResourceType": "slb"}, set()),
        ({"AddressIpVersion": "IPv4"}, {carried, bare}),
    ):
        answer = listed(**filters)
        assert {each["ServiceId"] for each in answer["Services"]} == found, filters
        assert answer["TotalCount"] == len(found)
    one = listed(ServiceId=carried)["Services"][0]
    whole = shown(operator, carried)
    assert one.pop("Tags") == []
    assert one == {name: whole[name] for name in one}


def test_a_service_is_created_with_tags_and_in_a_group(
    operator: Account, world: World, refused: Refused
) -> None:
    group, tag = world.resource_group(), [{"Key": "team", "Value": "red"}]
    made = operator.privatelink.CreateVpcEndpointService(ResourceGroupId=group, Tag=tag)
    assert made["ResourceGroupId"] == group
    assert shown(operator, made["ServiceId"])["ResourceGroupId"] == group
    world.service()
    for filters in ({"Tag": tag}, {"ResourceGroupId": group}, {"Tag": [{"Key": "team"}]}):
        (one,) = operator.privatelink.ListVpcEndpointServices(**filters)["Services"]
        assert (one["ServiceId"], one["Tags"]) == (made["ServiceId"], tag)
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        operator.privatelink.CreateVpcEndpointService(ResourceGroupId="rg-none")
    with refused("DuplicatedTagKey", 400, "'team'"):
        operator.privatelink.CreateVpcEndpointService(Tag=tag * 2)


def test_connections_are_found_by_the_group_of_their_service(
    operator: Account, world: World
) -> None:
    group, network = world.resource_group(), world.network()
    first, second = world.published(), world.published()
    operator.privatelink.ChangeResourceGroup(
        ResourceId=first, ResourceGroupId=group, ResourceType="VpcEndpointService"
    )
    endpoint = world.endpoint(first, network)
    world.endpoint(second, network)
    listed = operator.privatelink.ListVpcEndpointConnections(ResourceGroupId=group)
    (only,) = listed["Connections"]
    assert (only["EndpointId"], only["ResourceGroupId"]) == (endpoint, group)


def test_services_come_in_pages_and_only_to_their_owner(
    operator: Account, other: Account, world: World
) -> None:
    made = {world.service() for _ in range(3)}
    listed = operator.privatelink.ListVpcEndpointServices
    first = listed(MaxResults=2)
    second = listed(MaxResults=2, NextToken=first["NextToken"])
    assert (len(first["Services"]), len(second["Services"]), "NextToken" in second) == (2, 1, False)
    assert {each["ServiceId"] for page in (first, second) for each in page["Services"]} == made
    assert other.privatelink.ListVpcEndpointServices()["Services"] == []


@pytest.mark.parametrize("user", [{"UserId": 42}, {"UserARN": "acs:ram:*:42:*"}])
def test_a_user_taken_off_the_list_makes_no_new_endpoints(
    operator: Account, world: World, refused: Refused, user: dict[str, Any]
) -> None:
    service = world.service()
    ours = operator.privatelink
    ours.AddUserToVpcEndpointService(ServiceId=service, UserId=43)
    ours.AddUserToVpcEndpointService(ServiceId=service, **user)
    kind = "Users" if "UserId" in user else "UserARNs"
    for _ in range(2):  # one that is not on the list stays off it
        ours.RemoveUserFromVpcEndpointService(ServiceId=service, **user)
        listed = ours.ListVpcEndpointServiceUsers(ServiceId=service, UserListType=kind)
        assert user not in listed[kind]
    assert {"UserId": 43} in ours.ListVpcEndpointServiceUsers(ServiceId=service)["Users"]
    with refused("MissingParam.UserArn", 400, "UserId or UserARN"):
        ours.RemoveUserFromVpcEndpointService(ServiceId=service)


def test_an_account_loses_access_with_its_entry_but_keeps_its_endpoints(
    operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, abroad = world.service(), World(other)
    network = abroad.network()
    group = abroad.group(network)
    ours = operator.privatelink
    ours.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    kept = abroad.endpoint(service, network, group=group)
    ours.RemoveUserFromVpcEndpointService(ServiceId=service, UserId=int(other.id))
    assert abroad.shown(kept)["ConnectionStatus"] == "Connected"
    with refused("EndpointServiceNotAuthorized", 400, service):
        abroad.endpoint(service, network, group=group)


def test_a_zone_is_led_to_a_resource_that_may_be_allocated(operator: Account, world: World) -> None:
    network = world.network()
    first, second = sorted(world.balancer(network) for _ in range(2))
    service = world.service(first)
    ours = operator.privatelink
    ours.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=second, ResourceType="nlb", ZoneId=A
    )
    consumer = world.network()
    early = world.endpoint(service, consumer, A)
    ours.UpdateVpcEndpointServiceResourceAttribute(
        ServiceId=service, ResourceId=first, ZoneId=A, AutoAllocatedEnabled=False
    )
    late = world.endpoint(service, consumer, A)
    resources = {
        each["EndpointId"]: each["Zones"][0]["ResourceId"]
        for each in ours.ListVpcEndpointConnections(ServiceId=service)["Connections"]
    }
    assert resources == {early: first, late: second}
    listed = ours.ListVpcEndpointServiceResources(ServiceId=service)["Resources"]
    assert [each["AutoAllocatedEnabled"] for each in listed] == [False, True]
    assert [each["ResourceSupportIPv6"] for each in listed] == [False, False]


def test_each_zone_keeps_a_resource_that_may_be_allocated(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network(A, B)
    first, second = world.balancer(network), world.balancer(network)
    service = world.service(first, (A, B))
    ours = operator.privatelink
    change = ours.UpdateVpcEndpointServiceResourceAttribute
    wanted = {"ServiceId": service, "ResourceId": first, "ZoneId": A}
    with refused("ResourceAutoAllocateViolation", 400, first, "each zone must keep one"):
        change(**wanted, AutoAllocatedEnabled=False)
    ours.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=second, ResourceType="nlb", ZoneId=A
    )
    change(**wanted, AutoAllocatedEnabled=False)
    with refused("EndpointServiceResourceCannotRemove", 400, second, "others stay there"):
        ours.DetachResourceFromVpcEndpointService(ServiceId=service, ResourceId=second, ZoneId=A)
    change(**wanted, AutoAllocatedEnabled=True)
    ours.DetachResourceFromVpcEndpointService(ServiceId=service, ResourceId=second, ZoneId=A)
    with refused("EndpointServiceResourceNotFound", 400, second):
        change(ServiceId=service, ResourceId=second, ZoneId=A, AutoAllocatedEnabled=True)
