"""What a consumer sets on an endpoint: texts, policy, zone affinity, security groups."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, Network, World

POLICY = json.dumps(
    {
        "Version": "1",
        "Statement": [{"Effect": "Deny", "Action": "*", "Principal": "*", "Resource": "*"}],
    }
)


@pytest.fixture
def network(world: World) -> Network:
    return world.network(A, B)


def groups(account: Account, endpoint: str) -> set[str]:
    listed = account.privatelink.ListVpcEndpointSecurityGroups(EndpointId=endpoint)
    assert listed["TotalCount"] == len(listed["SecurityGroups"])
    assert {each["SecurityGroupStatus"] for each in listed["SecurityGroups"]} <= {"Attached"}
    return {each["SecurityGroupId"] for each in listed["SecurityGroups"]}


def test_an_endpoint_is_created_with_all_it_can_have(
    operator: Account, world: World, network: Network
) -> None:
    service, group = world.published(), world.resource_group()
    operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, ConnectBandwidth=500)
    made = operator.privatelink.CreateVpcEndpoint(
        VpcId=network.vpc,
        ServiceId=service,
        SecurityGroupId=[world.group(network)],
        AddressIpVersion="IPv4",
        ZoneAffinityEnabled=True,
        PolicyDocument=POLICY,
        ProtectedEnabled=True,
        ServiceRegionId="local",
        ResourceGroupId=group,
        Tag=[{"Key": "team", "Value": "red"}, {"Key": "empty", "Value": ""}],
    )
    expected = {
        "Bandwidth": 500,
        "ServiceRegionId": "local",
        "ZoneAffinityEnabled": True,
        "AddressIpVersion": "IPv4",
    }
    assert {name: made[name] for name in expected} == expected
    expected |= {
        "PolicyDocument": POLICY,
        "ProtectedEnabled": False,  # an account's own key protects nothing
        "ResourceGroupId": group,
    }
    shown = world.shown(made["EndpointId"])
    assert {name: shown[name] for name in expected} == expected
    (listed,) = operator.privatelink.ListVpcEndpoints()["Endpoints"]
    tags = [{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "red"}]
    assert {name: listed[name] for name in expected} == expected
    assert listed["Tags"] == tags


def test_an_endpoint_without_wishes_has_the_defaults(
    operator: Account, world: World, network: Network
) -> None:
    shown = world.shown(world.endpoint(world.published(), network))
    (default,) = operator.resourcemanager.ListResourceGroups(Name="default")["ResourceGroups"][
        "ResourceGroup"
    ]
    assert shown["ResourceGroupId"] == default["Id"]
    assert (shown["Bandwidth"], shown["ProtectedEnabled"]) == (3072, False)
    (statement,) = json.loads(shown["PolicyDocument"])["Statement"]
    assert statement == {"Effect": "Allow", "Action": "*", "Principal": "*", "Resource": "*"}
    assert operator.privatelink.ListVpcEndpoints()["Endpoints"][0]["Tags"] == []


def test_every_setting_can_be_changed_and_the_others_stay(
    operator: Account, world: World, node: Node, network: Network
) -> None:
    endpoint = world.endpoint(world.published(), network, A, EndpointName="first")
    node.catch_up()
    before = world.shown(endpoint)
    changes: list[Answer] = [
        {"EndpointName": "second"},
        {"EndpointDescription": "to the shop"},
        {"ZoneAffinityEnabled": True},
        {"PolicyDocument": POLICY},
        {},
    ]
    for change in changes:
        operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, **change)
        before |= change
        assert world.shown(endpoint) | {"RequestId": ""} == before | {"RequestId": ""}
    operator.privatelink.UpdateVpcEndpointAttribute(
        EndpointId=endpoint, AddressIpVersion="IPv4", ZoneAffinityEnabled=False, ResetPolicy=True
    )
    shown = world.shown(endpoint)
    assert shown["ZoneAffinityEnabled"] is False
    assert json.loads(shown["PolicyDocument"])["Statement"][0]["Effect"] == "Allow"
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"PolicyDocument": "allow"}, "IllegalParamFormat.PolicyDocument", "no JSON"),
        ({"PolicyDocument": "{}"}, "IllegalParamFormat.PolicyDocument", "Version"),
        ({"AddressIpVersion": "DualStack"}, "EndpointServiceNotSupportIpv6", "the service is IPv4"),
        ({"AddressIpVersion": "IPv6"}, "IllegalParamFormat.AddressIpVersion", "'IPv6'"),
        ({"CrossRegionBandwidth": 100}, "IllegalParamFormat.CrossRegionBandwidth", "same region"),
        ({"EndpointName": "7up"}, "IllegalParamFormat.EndpointName", "2 to 128"),
        ({"EndpointDescription": "http://x"}, "IllegalParamFormat.EndpointDescription", "http"),
    ],
)
def test_what_cannot_be_set_is_refused_at_creation_and_later(
    operator: Account,
    world: World,
    network: Network,
    refused: Refused,
    change: dict[str, Any],
    code: str,
    words: str,
) -> None:
    service, group = world.published(), world.group(network)
    endpoint = world.endpoint(service, network)
    with refused(code, 400, words):
        operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, **change)
    with refused(code, 400, words):
        world.endpoint(service, network, group=group, **change)


def test_what_only_one_of_the_two_can_get_wrong(
    operator: Account, world: World, network: Network, refused: Refused
) -> None:
    service, group = world.published(), world.group(network)
    endpoint = world.endpoint(service, network)
    with refused("IllegalParamFormat.ResetPolicy", 400, "one of the two"):
        operator.privatelink.UpdateVpcEndpointAttribute(
            EndpointId=endpoint, PolicyDocument=POLICY, ResetPolicy=True
        )
    with refused("RegionNotFound", 400, "'moon'"):
        world.endpoint(service, network, group=group, ServiceRegionId="moon")
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        world.endpoint(service, network, group=group, ResourceGroupId="rg-none")
    with refused("IllegalTagKeyParam", 400, "'acs:x'"):
        world.endpoint(service, network, group=group, Tag=[{"Key": "acs:x", "Value": ""}])
    v6 = {"ZoneId": A, "VSwitchId": network.vswitches[A], "Ipv6Address": "fd00::1"}
    with refused("IllegalParamFormat.Ipv6Address", 400, "'fd00::1'", "goes with"):
        operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, ServiceId=service, SecurityGroupId=[group], Zone=[v6]
        )
    with refused("IllegalParamFormat.Ipv6Address", 400, "'fd00::1'", "goes with"):
        operator.privatelink.AddZoneToVpcEndpoint(EndpointId=endpoint, **v6)


def test_endpoints_are_found_by_tag_group_and_region(
    operator: Account, world: World, network: Network
) -> None:
    service, group = world.published(), world.resource_group()
    red = [{"Key": "team", "Value": "red"}, {"Key": "tier", "Value": "1"}]
    first = world.endpoint(service, network, Tag=red, ResourceGroupId=group)
    second = world.endpoint(service, network, Tag=red[:1])

    def found(**wanted: Any) -> set[str]:
        listed = operator.privatelink.ListVpcEndpoints(**wanted)
        assert listed["TotalCount"] == len(listed["Endpoints"])
        return {endpoint["EndpointId"] for endpoint in listed["Endpoints"]}

    assert found(Tag=[{"Key": "team"}]) == {first, second}
    assert found(Tag=red) == {first}
    assert found(Tag=[{"Key": "team", "Value": "blue"}]) == set()
    assert found(ResourceGroupId=group) == {first}
    assert found(ResourceGroupId=group, Tag=[{"Key": "tier", "Value": "2"}]) == set()
    assert found(ServiceRegionId="local", AddressIpVersion="IPv4") == {first, second}
    assert found(ServiceRegionId="moon") == set()
    assert found(AddressIpVersion="DualStack") == set()


def test_security_groups_are_put_on_and_taken_off(
    operator: Account, world: World, node: Node, network: Network
) -> None:
    first, second = world.group(network), world.group(network)
    endpoint = world.endpoint(world.published(), network, A, group=first)
    node.catch_up()
    change = {"EndpointId": endpoint, "SecurityGroupId": second}
    operator.privatelink.AttachSecurityGroupToVpcEndpoint(**change)
    assert groups(operator, endpoint) == {first, second}
    assert world.statuses(endpoint)[1] == "Connecting"  # the node has not confirmed it yet
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
    operator.privatelink.DetachSecurityGroupFromVpcEndpoint(
        EndpointId=endpoint, SecurityGroupId=first
    )
    assert groups(operator, endpoint) == {second}
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
    operator.ecs.DeleteSecurityGroup(SecurityGroupId=first)


def test_security_groups_have_pages(operator: Account, world: World, network: Network) -> None:
    given = sorted(world.group(network) for _ in range(5))
    endpoint = world.endpoint(world.published(), network, group=given[0])
    for each in given[1:]:
        operator.privatelink.AttachSecurityGroupToVpcEndpoint(
            EndpointId=endpoint, SecurityGroupId=each
        )
    listing = operator.privatelink.ListVpcEndpointSecurityGroups
    first = listing(EndpointId=endpoint, MaxResults=3)
    second = listing(EndpointId=endpoint, MaxResults=3, NextToken=first["NextToken"])
    seen = [*first["SecurityGroups"], *second["SecurityGroups"]]
    assert [each["SecurityGroupId"] for each in seen] == given
    assert "NextToken" not in second
    assert (first["TotalCount"], first["MaxResults"]) == (5, 3)


def test_security_groups_that_do_not_fit(
    operator: Account, world: World, network: Network, refused: Refused
) -> None:
    first = world.group(network)
    endpoint = world.endpoint(world.published(), network, group=first)
    attach = operator.privatelink.AttachSecurityGroupToVpcEndpoint
    detach = operator.privatelink.DetachSecurityGroupFromVpcEndpoint
    with refused("SecurityGroupExist", 400, first, endpoint):
        attach(EndpointId=endpoint, SecurityGroupId=first)
    elsewhere = world.group(world.network())
    with refused("SecurityGroupNotFound", 400, elsewhere):
        attach(EndpointId=endpoint, SecurityGroupId=elsewhere)
    with refused("SecurityGroupNotFound", 400, elsewhere):
        detach(EndpointId=endpoint, SecurityGroupId=elsewhere)
    enterprise = world.group(network, "enterprise")
    with refused("SecurityGroupTypeOnlySingleTypeSupporteded", 400):
        attach(EndpointId=endpoint, SecurityGroupId=enterprise)
    with refused("EndpointMustContainSecurityGroup", 400):
        detach(EndpointId=endpoint, SecurityGroupId=first)
    for _ in range(4):
        attach(EndpointId=endpoint, SecurityGroupId=world.group(network))
    sixth = world.group(network)
    with refused("QuotaMisMatched", 400, endpoint, "6", "5"):
        attach(EndpointId=endpoint, SecurityGroupId=sixth)
    many = [world.group(network) for _ in range(6)]
    service = world.published()
    with refused("QuotaMisMatched", 400, "6", "5"):
        operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, ServiceId=service, SecurityGroupId=many
        )
