"""Consent: the provider accepts, refuses and looks at connections."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


def test_a_connection_is_shown_to_the_provider(
    operator: Account, other: Account, world: World, node: Node
) -> None:
    service, consumer = world.published(), World(other)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    network = consumer.network()
    endpoint = consumer.endpoint(service, network, A)
    node.catch_up()
    listed = operator.privatelink.ListVpcEndpointConnections(ServiceId=service)
    assert (listed["TotalCount"], listed["MaxResults"]) == ("1", 50)
    (connection,) = listed["Connections"]
    (zone,) = connection.pop("Zones")
    assert connection.pop("ModifiedTime").endswith("Z")
    assert connection.pop("ResourceGroupId").startswith("rg-")
    assert connection == {
        "EndpointId": endpoint,
        "EndpointOwnerId": int(other.id),
        "EndpointVpcId": network.vpc,
        "EndpointRegionId": "local",
        "ServiceId": service,
        "ServiceRegionId": "local",
        "ConnectionStatus": "Connected",
        "Bandwidth": 3072,
        "TrafficControlMode": "Scalability",
        "ResourceOwner": False,
    }
    assert (zone["ZoneId"], zone["ZoneStatus"]) == (A, "Connected")
    assert zone["EniId"] == consumer.zones(endpoint)[A]["EniId"]
    assert zone["ResourceId"].startswith("nlb-")
    assert consumer.account.privatelink.ListVpcEndpointConnections()["Connections"] == []


def test_connections_are_found_by_every_filter(operator: Account, world: World, node: Node) -> None:
    provider = world.network(A, B)
    left, right = world.balancer(provider, A), world.balancer(provider, B)
    first_service, second_service = world.service(left, (A,)), world.service(right, (B,))
    network = world.network(A, B)
    first = world.endpoint(first_service, network, A)
    second = world.endpoint(second_service, network, B)
    node.catch_up()
    operator.privatelink.DisableVpcEndpointConnection(ServiceId=second_service, EndpointId=second)
    node.catch_up()

    def found(**wanted: object) -> list[str]:
        listed = operator.privatelink.ListVpcEndpointConnections(**wanted)["Connections"]
        return [connection["EndpointId"] for connection in listed]

    assert set(found()) == {first, second}
    assert found(ServiceId=first_service) == [first]
    assert found(EndpointId=second) == [second]
    assert set(found(EndpointOwnerId=int(operator.id))) == {first, second}
    assert found(EndpointOwnerId=1) == []
    assert found(ConnectionStatus="Disconnected") == [second]
    assert found(ResourceId=left) == [first]
    assert found(EniId=world.zones(second)[B]["EniId"]) == [second]


def test_only_a_disconnected_connection_can_be_accepted(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service = world.published(auto=False)
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    operator.privatelink.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    for status in ("Connecting", "Connected"):
        with refused("EndpointConnectionOperationDenied", 400, endpoint, status, "Disconnected"):
            operator.privatelink.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
        node.catch_up()


def test_what_was_refused_cannot_be_refused_again(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service = world.published(auto=False)
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    operator.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    with refused("EndpointConnectionOperationDenied", 400, endpoint, "Disconnected", "nothing"):
        operator.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)


@pytest.mark.parametrize("action", ["EnableVpcEndpointConnection", "DisableVpcEndpointConnection"])
def test_an_endpoint_of_another_service_has_no_connection_to_this_one(
    operator: Account, world: World, refused: Refused, action: str
) -> None:
    service, another = world.published(), world.published()
    endpoint = world.endpoint(another, world.network(), A)
    decide = getattr(operator.privatelink, action)
    with refused("EndpointConnectionNotFound", 400, endpoint, service):
        decide(ServiceId=service, EndpointId=endpoint)
    with refused("EndpointConnectionNotFound", 400, "'ep-none'", service):
        decide(ServiceId=service, EndpointId="ep-none")


def test_a_zone_without_a_resource_cannot_be_accepted(
    operator: Account, world: World, refused: Refused
) -> None:
    service, network = world.published(A, auto=False), world.network(A, B)
    endpoint = world.endpoint(service, network, A)
    operator.privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
    )
    with refused(
        "OperationDenied.NoAvailableServiceResource", 400, service, "local-b", endpoint, "Attach"
    ):
        operator.privatelink.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    # One that is on its way out asks for nothing any more.
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    operator.privatelink.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    assert world.statuses(endpoint)[1:] == ("Connecting", {A: "Connecting", B: "Deleting"})
