"""What serves a zone of a connection: chosen before it is open, migrated while it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World


class Moving:
    """A service on two load balancers in one zone, and an endpoint of it."""

    def __init__(self, account: Account, world: World, *, auto: bool = True) -> None:
        self.account, self.world = account, world
        self.network = world.network(A, B)
        self.old, self.new = (world.balancer(self.network, A) for _ in range(2))
        self.service = world.service(self.old, auto=auto)
        account.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=self.service, ResourceId=self.new, ResourceType="nlb", ZoneId=A
        )
        self.allocated(self.new, wanted=False)
        self.consumer = world.network(A, B)
        self.endpoint = world.endpoint(self.service, self.consumer, A)
        self.where = {"ServiceId": self.service, "EndpointId": self.endpoint, "ZoneId": A}

    def allocated(self, resource: str, *, wanted: bool) -> None:
        self.account.privatelink.UpdateVpcEndpointServiceResourceAttribute(
            ServiceId=self.service, ResourceId=resource, ZoneId=A, AutoAllocatedEnabled=wanted
        )

    def make_way(self) -> None:
        """New connections go to the new one, so that those on the old may be moved."""
        self.allocated(self.new, wanted=True)
        self.allocated(self.old, wanted=False)

    def update(self, **more: Any) -> None:
        self.account.privatelink.UpdateVpcEndpointZoneConnectionResourceAttribute(
            **self.where | more
        )

    def zone(self) -> Answer:
        """The zone as its provider sees it."""
        (connection,) = self.account.privatelink.ListVpcEndpointConnections(ServiceId=self.service)[
            "Connections"
        ]
        (zone,) = connection["Zones"]
        return dict(zone)

    def counts(self) -> dict[str, tuple[int, int]]:
        """Endpoints on each resource, and those with flows left there, by resource."""
        listed = self.account.privatelink.ListVpcEndpointServiceResources(ServiceId=self.service)
        return {
            each["ResourceId"]: (
                each["RelatedEndpointCount"],
                each["RelatedDeprecatedEndpointCount"],
            )
            for each in listed["Resources"]
        }


@pytest.fixture
def moving(operator: Account, world: World, node: Node) -> Moving:
    """An open connection on the old load balancer."""
    moving = Moving(operator, world)
    node.catch_up()
    assert moving.zone()["ResourceId"] == moving.old
    return moving


def test_a_graceful_migration_holds_both_until_the_old_is_closed(
    operator: Account, node: Node, moving: Moving, refused: Refused
) -> None:
    moving.make_way()
    moving.update(ResourceReplaceMode="Graceful", ResourceId=moving.new, ResourceType="nlb")
    zone = moving.zone()
    assert zone["ZoneStatus"] == "Migrating"
    node.catch_up()
    zone = moving.zone()
    assert zone["ZoneStatus"] == "Migrated"
    assert (zone["ResourceId"], zone["ReplacedResourceId"]) == (moving.new, moving.old)
    assert zone["ReplacedEniId"] == zone["EniId"]
    assert moving.world.statuses(moving.endpoint) == ("Active", "Connected", {A: "Connected"})
    assert moving.counts() == {moving.new: (1, 0), moving.old: (0, 1)}
    listed = operator.privatelink.ListVpcEndpointConnections
    assert len(listed(ReplacedResourceId=moving.old)["Connections"]) == 1
    assert listed(ReplacedResourceId=moving.new)["Connections"] == []
    with refused("EndpointServiceConnectionDependence", 400, moving.endpoint):
        operator.privatelink.DetachResourceFromVpcEndpointService(
            ServiceId=moving.service, ResourceId=moving.old, ZoneId=A
        )
    with refused("ZoneOperationDenied", 400, moving.old, "ReplacedResource=true"):
        moving.update(ResourceReplaceMode="Force", ResourceId=moving.old)
    operator.privatelink.DisableVpcEndpointZoneConnection(**moving.where, ReplacedResource=True)
    node.catch_up()
    zone = moving.zone()
    assert zone["ZoneStatus"] == "Connected"
    assert "ReplacedResourceId" not in zone
    assert moving.counts() == {moving.new: (1, 0), moving.old: (0, 0)}
    operator.privatelink.DetachResourceFromVpcEndpointService(
        ServiceId=moving.service, ResourceId=moving.old, ZoneId=A
    )


def test_a_migration_by_force_leaves_nothing_behind(node: Node, moving: Moving) -> None:
    moving.make_way()
    moving.update(ResourceReplaceMode="Force", ResourceId=moving.new)
    assert moving.zone()["ZoneStatus"] == "Connecting"
    node.catch_up()
    zone = moving.zone()
    assert (zone["ZoneStatus"], zone["ResourceId"]) == ("Connected", moving.new)
    assert "ReplacedResourceId" not in zone
    assert moving.counts() == {moving.new: (1, 0), moving.old: (0, 0)}


@pytest.mark.parametrize("how", ["zone", "connection", "removed"])
def test_a_migrated_zone_that_is_closed_forgets_where_it_was(
    operator: Account, node: Node, moving: Moving, how: str
) -> None:
    moving.make_way()
    moving.update(ResourceReplaceMode="Graceful", ResourceId=moving.new)
    node.catch_up()
    ids = {"ServiceId": moving.service, "EndpointId": moving.endpoint}
    if how == "zone":
        operator.privatelink.DisableVpcEndpointZoneConnection(**moving.where)
    elif how == "connection":
        operator.privatelink.DisableVpcEndpointConnection(**ids)
    else:
        operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=moving.endpoint, ZoneId=A)
    node.catch_up()
    assert moving.counts()[moving.old] == (0, 0)
    if how != "removed":
        assert "ReplacedResourceId" not in moving.zone()


def test_a_migration_to_another_network_keeps_the_old_source_taken(
    operator: Account, world: World, node: Node, moving: Moving
) -> None:
    elsewhere = world.balancer(world.network())
    operator.privatelink.AttachResourceToVpcEndpointService(
        ServiceId=moving.service, ResourceId=elsewhere, ResourceType="nlb", ZoneId=A
    )
    moving.allocated(moving.old, wanted=False)
    before = sources(node)
    moving.update(ResourceReplaceMode="Graceful", ResourceId=elsewhere)
    another = world.service(moving.old)
    world.endpoint(another, moving.consumer, A)
    node.catch_up()
    after = sources(node)
    assert before <= after
    assert len(after) == len(before) + 2
    assert moving.zone()["ZoneStatus"] == "Migrated"


def sources(node: Node) -> set[tuple[int, str]]:
    """The provider's networks and the source addresses in use there, of old ways too."""
    node.catch_up()
    return {
        (opening["network"], opening["source"])
        for key, item in node.held.items()
        if key.startswith("forward/")
        for opening in (item["opening"], item.get("replaced"))
        if opening
    }


def test_what_serves_a_zone_is_chosen_by_hand_while_it_is_closed(
    operator: Account, world: World, node: Node
) -> None:
    moving = Moving(operator, world, auto=False)
    node.catch_up()
    which = {"ServiceId": moving.service, "EndpointId": moving.endpoint}
    moving.update(ResourceAllocateMode="Manual", ResourceId=moving.new, ResourceType="nlb")
    assert moving.zone()["ResourceId"] == moving.new
    operator.privatelink.EnableVpcEndpointConnection(**which)
    node.catch_up()
    zone = moving.zone()
    assert (zone["ZoneStatus"], zone["ResourceId"]) == ("Connected", moving.new)
    operator.privatelink.DisableVpcEndpointConnection(**which)
    node.catch_up()
    moving.update(ResourceAllocateMode="Auto")
    assert "ResourceId" not in moving.zone()
    operator.privatelink.EnableVpcEndpointConnection(**which)
    node.catch_up()
    assert moving.zone()["ResourceId"] == moving.old


def test_what_cannot_be_moved(
    operator: Account, world: World, node: Node, moving: Moving, refused: Refused
) -> None:
    force = {"ResourceReplaceMode": "Force", "ResourceId": moving.new}
    with refused("OperationDenied.CurrentResourceAutoAllocated", 400, moving.old):
        moving.update(**force)
    moving.make_way()
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("IllegalParam.ResourceAllocateMode", {}, "Connected"),
        ("IllegalParam.ResourceAllocateMode", {"ResourceAllocateMode": "Auto"}, "Connected"),
        ("MissingParam.ResourceId", {"ResourceReplaceMode": "Force"}, "ResourceId"),
        ("IllegalParamFormat.ResourceReplaceMode", {"ResourceReplaceMode": "Now"}, "'Now'"),
        ("ZoneOperationDenied", force | {"ResourceId": moving.old}, "already"),
        ("EndpointServiceResourceNotFound", force | {"ResourceId": "nlb-none"}, "nlb-none"),
        ("EndpointServiceResourceTypeNotSupport", force | {"ResourceType": "alb"}, "'alb'"),
        ("EndpointZoneNotFound", force | {"ZoneId": B}, B),
    ]
    for code, parameters, word in wrong:
        with refused(code, 400, word):
            moving.update(**parameters)
    elsewhere = world.balancer(moving.network, B)
    operator.privatelink.AttachResourceToVpcEndpointService(
        ServiceId=moving.service, ResourceId=elsewhere, ResourceType="nlb", ZoneId=B
    )
    with refused("Mismatch.ZoneId", 400, elsewhere, A, B):
        moving.update(ResourceReplaceMode="Force", ResourceId=elsewhere)
    with refused("IncorrectStatus.VpcEndpointZone", 400, "Migrated"):
        operator.privatelink.DisableVpcEndpointZoneConnection(**moving.where, ReplacedResource=True)
    ids = {"ServiceId": moving.service, "EndpointId": moving.endpoint}
    operator.privatelink.DisableVpcEndpointConnection(**ids)
    with refused("EndpointConnectionOperationDenied", 400, "Disconnecting"):
        moving.update(**force)
    node.catch_up()
    with refused("IllegalParam.ResourceReplaceMode", 400, "Disconnected"):
        moving.update(**force)
    with refused("IllegalParamFormat.ResourceId", 400, "with Auto", "leave it out"):
        moving.update(ResourceAllocateMode="Auto", ResourceId=moving.new)
    with refused("MissingParam.ResourceAllocateMode", 400, "Auto or Manual"):
        moving.update()


def test_a_zone_that_carries_nothing_is_not_moved(
    operator: Account, node: Node, moving: Moving, refused: Refused
) -> None:
    operator.privatelink.AddZoneToVpcEndpoint(
        EndpointId=moving.endpoint, ZoneId=B, VSwitchId=moving.consumer.vswitches[B]
    )
    node.catch_up()
    with refused("ZoneOperationDenied", 400, "carries nothing"):
        moving.update(ResourceReplaceMode="Force", ResourceId=moving.new, ZoneId=B)
