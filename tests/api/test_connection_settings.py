"""What a provider sets on a connection that is there: its bandwidth, and zones closed alone."""

from __future__ import annotations

from typing import Any

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


def connection(account: Account, service: str) -> Answer:
    (only,) = account.privatelink.ListVpcEndpointConnections(ServiceId=service)["Connections"]
    return dict(only)


def limits(account: Account, service: str) -> tuple[int, str]:
    shown = connection(account, service)
    return shown["Bandwidth"], shown["TrafficControlMode"]


def test_a_connection_has_its_services_bandwidth_until_it_is_given_its_own(
    operator: Account, world: World, node: Node
) -> None:
    service, ours = world.published(auto=False), operator.privatelink
    ours.UpdateVpcEndpointServiceAttribute(ServiceId=service, ConnectBandwidth=200)
    endpoint = world.endpoint(service, world.network(), A)
    which = {"ServiceId": service, "EndpointId": endpoint}
    assert limits(operator, service) == (200, "Scalability")
    ours.EnableVpcEndpointConnection(**which, Bandwidth=300, TrafficControlMode="BandwidthLimit")
    node.catch_up()
    assert limits(operator, service) == (300, "BandwidthLimit")
    for change, seen in (
        ({"Bandwidth": 100}, (100, "BandwidthLimit")),
        ({"Bandwidth": 50000}, (50000, "BandwidthLimit")),
        ({"TrafficControlMode": "Scalability"}, (50000, "Scalability")),
        ({}, (50000, "Scalability")),
    ):
        ours.UpdateVpcEndpointConnectionAttribute(**which, **change)
        assert limits(operator, service) == seen
        node.catch_up()
        assert connection(operator, service)["ConnectionStatus"] == "Connected"


def test_a_node_is_told_of_a_limit_that_changes_and_of_nothing_else(
    operator: Account, world: World, node: Node
) -> None:
    service, ours = world.published(A, B, auto=False), operator.privatelink
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    which = {"ServiceId": service, "EndpointId": endpoint}
    keys = {f"forward/{endpoint}/{zone}" for zone in (A, B)}
    node.catch_up()

    def told() -> set[tuple[int, int]]:
        """Connection and bandwidth in the openings of both zones."""
        openings = [node.held[key]["opening"] for key in keys]
        return {(each["connection"], each["bandwidth"]) for each in openings}

    ours.EnableVpcEndpointConnection(**which, Bandwidth=300, TrafficControlMode="BandwidthLimit")
    node.catch_up()
    ((number, limit),) = told()
    assert (number > 0, limit) == (True, 300)
    changes: list[tuple[dict[str, Any], int]] = [
        ({"Bandwidth": 500}, 500),
        ({"TrafficControlMode": "Scalability"}, 0),
        ({"TrafficControlMode": "BandwidthLimit", "Bandwidth": 100}, 100),
    ]
    for change, limit in changes:
        ours.UpdateVpcEndpointConnectionAttribute(**which, **change)
        assert world.statuses(endpoint)[1] == "Connecting"
        node.pull()
        assert set(node.seen) == keys
        assert told() == {(number, limit)}
        node.report()
        assert world.statuses(endpoint)[1] == "Connected"
    ours.UpdateVpcEndpointConnectionAttribute(**which, Bandwidth=100)
    ours.UpdateVpcEndpointServiceAttribute(ServiceId=service, ConnectBandwidth=200)
    assert node.pull()["Items"] == []
    ours.UpdateVpcEndpointConnectionAttribute(**which, TrafficControlMode="Scalability")
    node.catch_up()
    ours.UpdateVpcEndpointConnectionAttribute(**which, Bandwidth=900)
    assert node.pull()["Items"] == []


def test_two_changes_need_no_pause_between_them(
    operator: Account, world: World, node: Node
) -> None:
    service, ours = world.published(A, B), operator.privatelink
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    which = {"ServiceId": service, "EndpointId": endpoint}
    node.catch_up()
    limit = {"TrafficControlMode": "BandwidthLimit"}
    ours.UpdateVpcEndpointConnectionAttribute(**which, **limit, Bandwidth=500)
    ours.UpdateVpcEndpointConnectionAttribute(**which, Bandwidth=600)
    node.catch_up()
    assert node.held[f"forward/{endpoint}/{A}"]["opening"]["bandwidth"] == 600


def test_a_zone_whose_node_does_not_follow_keeps_no_other_from_being_closed(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service, ours = world.published(A, B), operator.privatelink
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    node.fail(f"forward/{endpoint}/{A}")
    node.catch_up()
    assert world.statuses(endpoint)[1:] == ("Connecting", {A: "Connecting", B: "Connected"})
    which = {"ServiceId": service, "EndpointId": endpoint}
    ours.DisableVpcEndpointZoneConnection(**which, ZoneId=B)
    node.catch_up()
    assert world.statuses(endpoint)[2] == {A: "Connecting", B: "Disconnected"}
    ours.EnableVpcEndpointZoneConnection(**which, ZoneId=B)
    node.catch_up()
    assert world.statuses(endpoint)[2] == {A: "Connecting", B: "Connected"}
    ours.DisableVpcEndpointZoneConnection(**which, ZoneId=A)
    node.recover()
    node.report()
    assert world.statuses(endpoint)[2][A] == "Creating"
    node.catch_up()
    assert world.statuses(endpoint)[2][A] == "Disconnected"


def test_a_bandwidth_out_of_range_changes_nothing(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service, ours = world.published(auto=False), operator.privatelink
    which = {"ServiceId": service, "EndpointId": world.endpoint(service, world.network(), A)}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("IllegalParamFormat.Bandwidth", {"Bandwidth": 99}),
        ("IllegalParamFormat.Bandwidth", {"Bandwidth": 50001}),
        ("IllegalParamFormat.TrafficControlMode", {"TrafficControlMode": "None"}),
    ]
    for code, change in wrong:
        with refused(code, 400):
            ours.EnableVpcEndpointConnection(**which, **change)
    with refused("EndpointConnectionOperationDenied", 400, "Disconnected", "only a Connected"):
        ours.UpdateVpcEndpointConnectionAttribute(**which, Bandwidth=200)
    ours.EnableVpcEndpointConnection(**which)
    node.catch_up()
    for code, change in wrong:
        with refused(code, 400):
            ours.UpdateVpcEndpointConnectionAttribute(**which, **change)


def test_one_zone_is_closed_and_opened_while_the_others_go_on(
    operator: Account, world: World, node: Node
) -> None:
    service, ours = world.published(A, B), operator.privatelink
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    which = {"ServiceId": service, "EndpointId": endpoint, "ZoneId": A}
    node.catch_up()
    ours.DisableVpcEndpointZoneConnection(**which)
    assert world.statuses(endpoint)[1:] == ("Connected", {A: "Disconnecting", B: "Connected"})
    node.catch_up()
    assert world.statuses(endpoint)[1:] == ("Connected", {A: "Disconnected", B: "Connected"})
    ours.EnableVpcEndpointZoneConnection(**which)
    assert world.statuses(endpoint)[1:] == ("Connecting", {A: "Connecting", B: "Connected"})
    node.catch_up()
    assert world.statuses(endpoint)[1:] == ("Connected", {A: "Connected", B: "Connected"})


def test_a_zone_stays_closed_whatever_else_changes_until_the_whole_is_accepted_again(
    operator: Account, world: World, node: Node
) -> None:
    provider = world.network()
    first, second = world.balancer(provider), world.balancer(provider)
    service, ours = world.service(first), operator.privatelink
    endpoint = world.endpoint(service, world.network(), A)
    which = {"ServiceId": service, "EndpointId": endpoint}
    node.catch_up()
    ours.DisableVpcEndpointZoneConnection(**which, ZoneId=A)
    node.catch_up()
    ours.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=second, ResourceType="nlb", ZoneId=A
    )
    ours.UpdateVpcEndpointConnectionAttribute(**which, Bandwidth=200)
    node.catch_up()
    assert world.statuses(endpoint)[1:] == ("Connected", {A: "Disconnected"})
    ours.DisableVpcEndpointConnection(**which)
    node.catch_up()
    ours.EnableVpcEndpointConnection(**which)
    node.catch_up()
    assert world.statuses(endpoint)[1:] == ("Connected", {A: "Connected"})


def test_a_zone_is_closed_and_opened_only_where_that_means_something(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service, ours = world.published(auto=False), operator.privatelink
    endpoint = world.endpoint(service, world.network(), A)
    which = {"ServiceId": service, "EndpointId": endpoint, "ZoneId": A}
    close, reopen = ours.DisableVpcEndpointZoneConnection, ours.EnableVpcEndpointZoneConnection
    node.catch_up()
    for call in (close, reopen):
        with refused("IncorrectStatus.VpcEndpointConnection", 400, endpoint, "Disconnected"):
            call(**which)
    ours.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    node.catch_up()
    with refused("IncorrectStatus.VpcEndpointZone", 400, "is Connected", "must be Disconnected"):
        reopen(**which)
    close(**which)
    with refused("IncorrectStatus.VpcEndpointZone", 400, "Disconnecting", "must be Connected"):
        close(**which)
    for call in (close, reopen):
        with refused("ResourceNotFound.VpcEndpointZone", 404, f"Its zones: {A}"):
            call(**which | {"ZoneId": B})
        with refused("EndpointConnectionNotFound", 400, "'ep-none'"):
            call(**which | {"EndpointId": "ep-none"})
        with refused("EndpointServiceNotFound", 400, "'epsrv-none'"):
            call(**which | {"ServiceId": "epsrv-none"})


def test_a_zone_is_not_opened_where_the_service_has_nothing_left(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    provider = world.network(A, B)
    balancer = world.balancer(provider)
    service, ours = world.service(balancer, (A, B)), operator.privatelink
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    which = {"ServiceId": service, "EndpointId": endpoint, "ZoneId": A}
    node.catch_up()
    ours.DisableVpcEndpointZoneConnection(**which)
    ours.DetachResourceFromVpcEndpointService(ServiceId=service, ResourceId=balancer, ZoneId=A)
    with refused("OperationDenied.NoAvailableServiceResource", 400, service, A, endpoint):
        ours.EnableVpcEndpointZoneConnection(**which)
