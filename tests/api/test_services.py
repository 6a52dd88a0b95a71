"""The provider's side: endpoint services, their resources, who may use them."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


def test_a_service_is_shown_as_it_was_made(operator: Account, world: World) -> None:
    balancer = world.balancer(world.network(A, B))
    made = operator.privatelink.CreateVpcEndpointService(
        ServiceResourceType="nlb",
        AutoAcceptEnabled=True,
        Payer="EndpointService",
        ServiceDescription="the shop",
        Resource=[
            {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone} for zone in (A, B)
        ],
    )
    service = made["ServiceId"]
    assert service.startswith("epsrv-")
    assert made["ServiceName"] == f"com.aliyuncs.privatelink.local.{service}"
    assert made["ServiceDomain"] == f"{service}.local.privatelink.internal"
    shown = operator.privatelink.GetVpcEndpointServiceAttribute(ServiceId=service)
    assert {name: shown[name] for name in made if name != "RequestId"} == {
        name: value for name, value in made.items() if name != "RequestId"
    }
    assert (shown["ServiceStatus"], shown["ServiceBusinessStatus"]) == ("Active", "Normal")
    assert (shown["AutoAcceptEnabled"], shown["Payer"]) == (True, "EndpointService")
    assert (shown["ServiceResourceType"], shown["ServiceType"]) == ("nlb", "Interface")
    assert (shown["ServiceDescription"], shown["Zones"]) == ("the shop", [A, B])


def test_a_service_may_start_without_resources(operator: Account, world: World) -> None:
    service = world.service()
    assert operator.privatelink.GetVpcEndpointServiceAttribute(ServiceId=service)["Zones"] == []


def test_the_owner_is_on_the_allow_list_from_the_start(operator: Account, world: World) -> None:
    listed = operator.privatelink.ListVpcEndpointServiceUsers(ServiceId=world.service())
    assert listed["Users"] == [{"UserId": int(operator.id)}]
    assert listed["TotalCount"] == "1"


def test_an_unknown_service_is_not_found(operator: Account, refused: Refused) -> None:
    ours = operator.privatelink
    for call, more in (
        (ours.GetVpcEndpointServiceAttribute, {}),
        (ours.DeleteVpcEndpointService, {}),
        (ours.AttachResourceToVpcEndpointService, {"ResourceId": "nlb-1", "ResourceType": "nlb"}),
        (ours.DetachResourceFromVpcEndpointService, {"ResourceId": "nlb-1"}),
        (ours.ListVpcEndpointServiceResources, {}),
        (ours.AddUserToVpcEndpointService, {"UserId": 1}),
        (ours.RemoveUserFromVpcEndpointService, {"UserId": 1}),
        (ours.ListVpcEndpointServiceUsers, {}),
        (ours.UpdateVpcEndpointServiceAttribute, {}),
        (
            ours.UpdateVpcEndpointServiceResourceAttribute,
            {"ResourceId": "nlb-1", "ZoneId": A, "AutoAllocatedEnabled": True},
        ),
        (ours.ListVpcEndpointConnections, {}),
        (ours.EnableVpcEndpointConnection, {"EndpointId": "ep-1"}),
        (ours.DisableVpcEndpointConnection, {"EndpointId": "ep-1"}),
    ):
        with refused("EndpointServiceNotFound", 400, "'epsrv-none'", "is NotFound"):
            call(ServiceId="epsrv-none", **more)


def test_what_a_service_cannot_be_is_refused(operator: Account, refused: Refused) -> None:
    ours = operator.privatelink
    for kind, why in (("gwlb", "type GatewayLoadBalancer"), ("alb", "HTTP"), ("elb", "use nlb")):
        with refused("EndpointServiceResourceTypeNotSupport", 400, repr(kind), why):
            ours.CreateVpcEndpointService(ServiceResourceType=kind)
    with refused("IllegalParamFormat.Payer", 400, "Payer", "'Nobody'"):
        ours.CreateVpcEndpointService(Payer="Nobody")
    with refused("IllegalParamFormat.ServiceDescription", 400, "has up to 256 characters"):
        ours.CreateVpcEndpointService(ServiceDescription="https://shop")
    with refused("IllegalParamFormat.Resource", 400, "at most 10"):
        ours.CreateVpcEndpointService(Resource=[{"ResourceId": "nlb-1", "ZoneId": A}] * 11)
    with refused("EndpointServiceNotSupportIpv6", 400, "ServiceResourceType=nlb"):
        ours.CreateVpcEndpointService(AddressIpVersion="DualStack")
    with refused("EndpointServiceNotSupportIpv6", 400, "AddressIpVersion=IPv4"):
        ours.CreateVpcEndpointService(ServiceSupportIPv6=True)
    with refused("RegionNotFound", 400, "'elsewhere'", "Served: local"):
        ours.CreateVpcEndpointService(SupportedRegionList=["elsewhere"])


def test_a_resource_is_a_load_balancer_of_ours_in_a_zone_it_has(
    operator: Account, world: World, refused: Refused
) -> None:
    balancer, service = world.balancer(world.network(A, B), A), world.service()

    def attach(**changed: str | None) -> None:
        asked = {"ResourceId": balancer, "ResourceType": "nlb", "ZoneId": A} | changed
        given = {name: value for name, value in asked.items() if value is not None}
        operator.privatelink.AttachResourceToVpcEndpointService(ServiceId=service, **given)

    with refused("LoadBalancerNotFound", 400, "'nlb-none'"):
        attach(ResourceId="nlb-none")
    with refused("EndpointServiceNotSupportedZone", 400, balancer, "'local-b'", "zones: local-a"):
        attach(ZoneId=B)
    with refused("MissingParam.ZoneId", 400, "ZoneId", "zone by zone"):
        attach(ZoneId=None)
    with refused("EndpointServiceResourceTypeNotEqual", 400, service, "type nlb, not slb"):
        attach(ResourceType="slb")
    with refused("EndpointServiceResourceTypeNotSupport", 400, "'alb'", "HTTP"):
        attach(ResourceType="alb")
    with refused("EndpointServiceNotSupportedZone", 400, balancer, "'local-b'"):
        operator.privatelink.CreateVpcEndpointService(
            ServiceResourceType="nlb",
            Resource=[{"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": B}],
        )
    attach()
    with refused("EndpointServiceResourceExist", 400, balancer, A, service, "already"):
        attach()


def test_resources_are_listed_with_their_place(operator: Account, world: World) -> None:
    network, consumer = world.network(A, B), world.network()
    balancer = world.balancer(network)
    service = world.service(balancer, (A,))
    operator.privatelink.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=balancer, ResourceType="nlb", ZoneId=B
    )
    world.endpoint(service, consumer, A)
    listed = operator.privatelink.ListVpcEndpointServiceResources(ServiceId=service)["Resources"]
    assert listed == [
        {
            "ResourceId": balancer,
            "ResourceType": "nlb",
            "ZoneId": zone,
            "RegionId": "local",
            "VpcId": network.vpc,
            "VSwitchId": network.vswitches[zone],
            "Ip": address,
            "AutoAllocatedEnabled": True,
            "ResourceSupportIPv6": False,
            "RelatedEndpointCount": related,
            "RelatedDeprecatedEndpointCount": 0,
        }
        for zone, address, related in ((A, "10.0.0.1", 1), (B, "10.0.1.1", 0))
    ]


def test_a_resource_that_carries_nothing_can_be_detached(
    operator: Account, world: World, refused: Refused
) -> None:
    balancer = world.balancer(world.network())
    service = world.service(balancer)
    detach = operator.privatelink.DetachResourceFromVpcEndpointService
    with refused("EndpointServiceResourceNotFound", 400, balancer, "no ZoneId given", service):
        detach(ServiceId=service, ResourceId=balancer)
    with refused("EndpointServiceResourceNotFound", 400, balancer, "local-b", service):
        detach(ServiceId=service, ResourceId=balancer, ZoneId=B)
    detach(ServiceId=service, ResourceId=balancer, ZoneId=A, ResourceType="nlb")
    assert (
        operator.privatelink.ListVpcEndpointServiceResources(ServiceId=service)["Resources"] == []
    )


def test_a_service_goes_with_its_resources_and_allow_list(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    balancer = world.balancer(world.network())
    service = world.service(balancer)
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    with refused("EndpointServiceNotFound", 400, service):
        operator.privatelink.GetVpcEndpointServiceAttribute(ServiceId=service)
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)


def test_users_are_listed_by_number_or_by_arn(operator: Account, world: World) -> None:
    service, ours = world.service(), operator.privatelink
    ours.AddUserToVpcEndpointService(ServiceId=service, UserId=1234567890123456)
    ours.AddUserToVpcEndpointService(ServiceId=service, UserARN="acs:ram:*:42:*")
    ours.AddUserToVpcEndpointService(ServiceId=service, UserARN="*")
    ours.AddUserToVpcEndpointService(ServiceId=service, UserId=42, UserARN="acs:ram:*:42:*")
    users = ours.ListVpcEndpointServiceUsers(ServiceId=service)
    assert users["Users"] == [{"UserId": user} for user in (int(operator.id), 1234567890123456, 42)]
    assert (users["TotalCount"], users["MaxResults"]) == ("3", 50)
    arns = ours.ListVpcEndpointServiceUsers(ServiceId=service, UserListType="UserARNs")
    assert arns["UserARNs"] == [{"UserARN": "*"}, {"UserARN": "acs:ram:*:42:*"}]
    one = ours.ListVpcEndpointServiceUsers(ServiceId=service, UserId=42)
    assert one["Users"] == [{"UserId": 42}]
    asked = {"ServiceId": service, "UserId": 42, "UserListType": "UserARNs"}
    assert ours.ListVpcEndpointServiceUsers(**asked)["UserARNs"] == [{"UserARN": "acs:ram:*:42:*"}]


@pytest.mark.parametrize("arn", ["somebody", "acs:ram:*:42", "acs:ram:*:x:*", "12345", ""])
def test_a_user_is_a_number_or_an_arn(
    operator: Account, world: World, refused: Refused, arn: str
) -> None:
    service = world.service()
    with refused("IllegalParamFormat.UserARN", 400, repr(arn), "acs:ram:*:123456:*"):
        operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserARN=arn)


@pytest.mark.parametrize("number", [0, -1, 10**19])
def test_an_account_number_has_a_size(
    operator: Account, world: World, refused: Refused, number: int
) -> None:
    service = world.service()
    with refused("IllegalParamFormat.UserId", 400, repr(str(number)), "number of an account"):
        operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=number)


def test_number_and_arn_agree_and_one_is_there(
    operator: Account, world: World, refused: Refused
) -> None:
    service, ours = world.service(), operator.privatelink
    with refused("Mismatch.UserIdAndUserArn", 400, "42", "acs:ram:*:43:*"):
        ours.AddUserToVpcEndpointService(ServiceId=service, UserId=42, UserARN="acs:ram:*:43:*")
    with refused("MissingParam.UserArn", 400, "UserId or UserARN"):
        ours.AddUserToVpcEndpointService(ServiceId=service)
    with refused("IllegalParamFormat.UserListType", 400, "'Everybody'"):
        ours.ListVpcEndpointServiceUsers(ServiceId=service, UserListType="Everybody")


@pytest.mark.parametrize(
    "arn", ["acs:ram:*:{}:*", "acs:ram:*:{}:user/ann", "acs:ram:*:*:*", "acs:ram:*::*", "*"]
)
def test_an_arn_lets_its_account_in(
    operator: Account, other: Account, world: World, refused: Refused, arn: str
) -> None:
    service, consumer = world.published(), World(other)
    network = consumer.network()
    group = consumer.group(network)
    with refused("EndpointServiceNotAuthorized", 400, other.id, service, "AddUser"):
        consumer.endpoint(service, network, A, group=group)
    operator.privatelink.AddUserToVpcEndpointService(
        ServiceId=service, UserARN=arn.format(other.id)
    )
    assert consumer.endpoint(service, network, A, group=group).startswith("ep-")


def test_a_number_lets_its_account_in_and_nobody_else(
    operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, consumer = world.published(), World(other)
    network = consumer.network()
    group = consumer.group(network)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id) + 1)
    with refused("EndpointServiceNotAuthorized", 400, other.id):
        consumer.endpoint(service, network, A, group=group)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    assert consumer.endpoint(service, network, A, group=group).startswith("ep-")


def test_a_service_does_not_carry_another_services_endpoints(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    balancer = world.balancer(world.network())
    idle, busy = world.service(balancer), world.service(balancer)
    endpoint = world.endpoint(busy, world.network(), A)
    node.catch_up()

    def related(service: str) -> list[int]:
        listed = operator.privatelink.ListVpcEndpointServiceResources(ServiceId=service)
        return [each["RelatedEndpointCount"] for each in listed["Resources"]]

    assert (related(idle), related(busy)) == ([0], [1])
    detach = operator.privatelink.DetachResourceFromVpcEndpointService
    with refused("EndpointServiceConnectionDependence", 400, balancer, endpoint):
        detach(ServiceId=busy, ResourceId=balancer, ZoneId=A)
    detach(ServiceId=idle, ResourceId=balancer, ZoneId=A)
    assert world.statuses(endpoint)[1] == "Connected"


def test_a_resource_changes_the_zone_it_is_in_and_no_other(
    operator: Account, world: World, node: Node
) -> None:
    provider = world.network(A, B)
    balancer = world.balancer(provider)
    service = world.service()
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    node.catch_up()
    for zone in (A, B):
        operator.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=service, ResourceId=balancer, ResourceType="nlb", ZoneId=zone
        )
        node.catch_up()
        assert node.seen == [f"forward/{endpoint}/{zone}"]
