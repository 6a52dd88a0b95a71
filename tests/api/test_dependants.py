"""What is in use cannot be deleted, and the refusal names who uses it."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


def test_a_vpc_with_vswitches(operator: Account, world: World, refused: Refused) -> None:
    network = world.network(A, B)
    with refused("DependencyViolation.VSwitch", 400, network.vpc, *network.vswitches.values()):
        operator.vpc.DeleteVpc(VpcId=network.vpc)


def test_a_vpc_with_an_endpoint(operator: Account, world: World, refused: Refused) -> None:
    vpc = operator.vpc.CreateVpc()["VpcId"]
    group = operator.ecs.CreateSecurityGroup(VpcId=vpc)["SecurityGroupId"]
    endpoint = operator.privatelink.CreateVpcEndpoint(
        VpcId=vpc, ServiceId=world.published(), SecurityGroupId=[group]
    )["EndpointId"]
    with refused("DependencyViolation", 400, vpc, endpoint, "Delete those first"):
        operator.vpc.DeleteVpc(VpcId=vpc)


def test_a_vpc_with_a_security_group(operator: Account, refused: Refused) -> None:
    vpc = operator.vpc.CreateVpc()["VpcId"]
    group = operator.ecs.CreateSecurityGroup(VpcId=vpc)["SecurityGroupId"]
    with refused("DependencyViolation.SecurityGroup", 400, vpc, group):
        operator.vpc.DeleteVpc(VpcId=vpc)


def test_a_vpc_with_a_server_group(operator: Account, refused: Refused) -> None:
    vpc = operator.vpc.CreateVpc()["VpcId"]
    group = operator.nlb.CreateServerGroup(VpcId=vpc, ServerGroupName="web")["ServerGroupId"]
    with refused("DependencyViolation.ServerGroup", 400, vpc, group):
        operator.vpc.DeleteVpc(VpcId=vpc)


def test_a_vswitch_with_an_endpoint_and_an_attachment(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    endpoint = world.endpoint(world.published(), network, A)
    attachment = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)["AttachmentId"]
    with refused(
        "DependencyViolation.NetworkInterface",
        400,
        network.vswitch,
        f"endpoint {endpoint} (10.0.0.1)",
        f"attachment {attachment} (10.0.0.2)",
    ):
        operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)


def test_a_vswitch_with_a_balancer(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    balancer = world.balancer(network)
    with refused(
        "DependencyViolation.LoadBalancer", 400, network.vswitch, f"load balancer {balancer}"
    ):
        operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)


def test_a_security_group_of_an_endpoint(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    group = world.group(network)
    endpoint = world.endpoint(world.published(), network, group=group)
    with refused("DependencyViolation", 403, group, endpoint):
        operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    operator.ecs.DeleteSecurityGroup(SecurityGroupId=group)


def test_a_balancer_of_services(operator: Account, world: World, refused: Refused) -> None:
    balancer = world.balancer(world.network())
    services = [world.service(balancer), world.service(balancer)]
    with refused("DependencyViolation", 400, balancer, *services):
        operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_service_and_a_resource_with_connections(
    operator: Account, world: World, node: Node, refused: Refused, confirmed: bool
) -> None:
    balancer = world.balancer(world.network())
    service = world.service(balancer)
    endpoints = [world.endpoint(service, world.network(), A) for _ in range(2)]
    if confirmed:
        node.catch_up()
    way_out = "DisableVpcEndpointConnection"
    with refused("EndpointServiceConnectionDependence", 400, service, *endpoints, way_out):
        operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    with refused(
        "EndpointServiceConnectionDependence", 400, f"{balancer} in {A}", *endpoints, way_out
    ):
        operator.privatelink.DetachResourceFromVpcEndpointService(
            ServiceId=service, ResourceId=balancer, ZoneId=A
        )


def test_the_way_out_of_a_service_with_connections_is_one(
    operator: Account, world: World, node: Node
) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    operator.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    node.catch_up()
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    assert world.shown(endpoint)["ConnectionStatus"] == "ServiceDeleted"


def test_an_endpoint_with_zones(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    endpoint = world.endpoint(world.published(A, B), world.network(A, B), A, B)
    with refused(
        "EndpointDependenceViolation", 400, endpoint, f"{A}, {B}", "RemoveZoneFromVpcEndpoint"
    ):
        operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    with refused("EndpointDependenceViolation", 400, f"zones: {B}."):
        operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)


def test_everything_can_go_in_the_end_even_while_the_node_is_held_back(
    operator: Account, world: World, node: Node
) -> None:
    provider, consumer = world.network(), world.network()
    balancer, group = world.balancer(provider), world.server_group(provider, "10.0.0.5")
    world.listener(balancer, group)
    service = world.service(balancer)
    endpoint = world.endpoint(service, consumer, A)
    node.catch_up()
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    operator.vpc.DeleteVSwitch(VSwitchId=provider.vswitch)
    node.catch_up()
    operator.vpc.DeleteVSwitch(VSwitchId=consumer.vswitch)
    node.catch_up()
    assert {key.partition("/")[0] for key in node.held} == {"resolver", "filter"}
    assert node.resolver.held == {}


def test_the_providers_vpc_waits_for_nobody_elses_node(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    provider, consumer = world.network(), world.network()
    balancer = world.balancer(provider)
    service = world.service(balancer)
    endpoint = world.endpoint(service, consumer, A)
    node.catch_up()
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    operator.privatelink.DetachResourceFromVpcEndpointService(
        ServiceId=service, ResourceId=balancer, ZoneId=A
    )
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    operator.vpc.DeleteVSwitch(VSwitchId=provider.vswitch)
    operator.vpc.DeleteVpc(VpcId=provider.vpc)
    assert world.zones(endpoint)[A]["ZoneStatus"] == "Deleting"
    node.catch_up()
    assert world.zones(endpoint) == {}
