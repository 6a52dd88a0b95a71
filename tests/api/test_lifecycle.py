"""Every status follows the node's word: reached by facts and left by facts."""

from __future__ import annotations

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, Network, World


def forward_key(endpoint: str, zone: str = A) -> str:
    """The key of an endpoint zone in the feed."""
    return f"forward/{endpoint}/{zone}"


def enable(account: Account, service: str, endpoint: str) -> None:
    """The provider accepts."""
    account.privatelink.EnableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)


def disable(account: Account, service: str, endpoint: str) -> None:
    """The provider refuses or ends."""
    account.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)


def remove(account: Account, endpoint: str, zone: str = A) -> None:
    """The consumer takes a zone away."""
    account.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=zone)


def test_an_accepted_endpoint_is_connected_once_the_node_says_so(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    assert world.statuses(endpoint) == ("Creating", "Connecting", {A: "Connecting"})
    node.pull()
    assert world.statuses(endpoint) == ("Creating", "Connecting", {A: "Connecting"})
    node.report()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})


def test_an_endpoint_nobody_accepted_waits(operator: Account, world: World, node: Node) -> None:
    service = world.published(auto=False)
    endpoint = world.endpoint(service, world.network(), A)
    assert world.statuses(endpoint) == ("Creating", "Disconnected", {A: "Creating"})
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Disconnected", {A: "Wait"})
    assert node.forward(endpoint)["opening"] is None
    enable(operator, service, endpoint)
    assert world.statuses(endpoint) == ("Active", "Connecting", {A: "Connecting"})
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
    assert node.forward(endpoint)["opening"] is not None


def test_an_ended_connection_is_disconnected_once_the_node_says_so(
    operator: Account, world: World, node: Node
) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    disable(operator, service, endpoint)
    assert world.statuses(endpoint) == ("Active", "Disconnecting", {A: "Disconnecting"})
    node.pull()
    assert node.forward(endpoint)["opening"] is None
    assert world.statuses(endpoint) == ("Active", "Disconnecting", {A: "Disconnecting"})
    node.report()
    assert world.statuses(endpoint) == ("Active", "Disconnected", {A: "Disconnected"})


def test_a_connection_may_be_refused_before_it_was_ever_accepted(
    operator: Account, world: World, node: Node
) -> None:
    service = world.published(auto=False)
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    disable(operator, service, endpoint)
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Disconnected", {A: "Disconnected"})


def test_a_connection_may_be_reopened_while_it_is_closing(
    operator: Account, world: World, node: Node
) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    first = node.forward(endpoint)["opening"]
    disable(operator, service, endpoint)
    enable(operator, service, endpoint)
    assert world.statuses(endpoint) == ("Active", "Connecting", {A: "Connecting"})
    node.catch_up()
    second = node.forward(endpoint)["opening"]
    assert second["number"] > first["number"]
    assert second["source"] == first["source"]


def test_every_opening_has_a_number_of_its_own(operator: Account, world: World, node: Node) -> None:
    service = world.published()
    endpoints = [world.endpoint(service, world.network(), A) for _ in range(2)]
    numbers = []
    for _ in range(3):
        node.catch_up()
        for endpoint in endpoints:
            numbers.append(node.forward(endpoint)["opening"]["number"])
            disable(operator, service, endpoint)
        node.catch_up()
        for endpoint in endpoints:
            enable(operator, service, endpoint)
    assert len(set(numbers)) == 6


def test_a_fault_keeps_a_zone_from_being_connected(world: World, node: Node) -> None:
    network = world.network(A, B)
    endpoint = world.endpoint(world.published(A, B), network, A, B)
    node.fail(forward_key(endpoint, B))
    node.catch_up()
    assert world.statuses(endpoint) == (
        "Creating",
        "Connecting",
        {A: "Connected", B: "Connecting"},
    )
    node.recover()
    node.report()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected", B: "Connected"})


def test_a_fault_that_appears_later_takes_connected_back(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    node.fail(forward_key(endpoint))
    node.report()
    assert world.statuses(endpoint) == ("Active", "Connecting", {A: "Connecting"})


def test_a_fault_keeps_a_connection_from_being_disconnected(
    operator: Account, world: World, node: Node
) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    disable(operator, service, endpoint)
    node.fail(forward_key(endpoint))
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Disconnecting", {A: "Disconnecting"})


def test_an_accepted_endpoint_without_zones_is_connected(operator: Account, world: World) -> None:
    endpoint = world.endpoint(world.published(), world.network())
    assert world.statuses(endpoint) == ("Active", "Connected", {})


def test_an_endpoint_without_zones_can_be_accepted_and_refused(
    operator: Account, world: World
) -> None:
    service = world.published(auto=False)
    endpoint = world.endpoint(service, world.network())
    assert world.statuses(endpoint)[1] == "Disconnected"
    enable(operator, service, endpoint)
    assert world.statuses(endpoint)[1] == "Connected"
    disable(operator, service, endpoint)
    assert world.statuses(endpoint)[1] == "Disconnected"


def test_a_zone_added_to_a_connected_endpoint_connects(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network(A, B)
    endpoint = world.endpoint(world.published(A, B), network, A)
    node.catch_up()
    operator.privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
    )
    assert world.statuses(endpoint) == (
        "Active",
        "Connecting",
        {A: "Connected", B: "Connecting"},
    )
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected", B: "Connected"})


def test_a_removed_zone_gives_its_address_back_only_when_the_node_says_so(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    endpoint = world.endpoint(world.published(), network, A)
    node.catch_up()
    address = world.zones(endpoint)[A]["EniIp"]
    remove(operator, endpoint)
    assert world.zones(endpoint)[A]["ZoneStatus"] == "Deleting"
    with refused("EniIpUnavailable", 400, address, "taken already"):
        operator.own.call("CreateAttachment", VSwitchId=network.vswitch, PrivateIpAddress=address)
    node.pull()
    assert node.held.get(forward_key(endpoint)) is None
    assert world.zones(endpoint)[A]["ZoneStatus"] == "Deleting"
    node.report()
    assert world.zones(endpoint) == {}
    taken = operator.own.call(
        "CreateAttachment", VSwitchId=network.vswitch, PrivateIpAddress=address
    )
    assert taken["PrivateIpAddress"] == address


def test_a_zone_that_its_node_cannot_remove_stays(
    operator: Account, world: World, node: Node
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    remove(operator, endpoint)
    node.fail(forward_key(endpoint))
    for _ in range(2):
        node.catch_up()
        assert world.zones(endpoint)[A]["ZoneStatus"] == "Deleting"
    node.recover()
    node.report()
    assert world.zones(endpoint) == {}


def test_a_removed_zone_can_be_added_again(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    endpoint = world.endpoint(world.published(), network, A)
    node.catch_up()
    first = node.forward(endpoint)["opening"]["number"]
    remove(operator, endpoint)
    node.catch_up()
    operator.privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=A, VSwitchId=network.vswitch
    )
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
    assert node.forward(endpoint)["opening"]["number"] > first


def test_an_endpoint_is_deleting_until_the_node_has_let_go(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    remove(operator, endpoint)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    assert world.statuses(endpoint) == ("Deleting", "Deleting", {A: "Deleting"})
    node.catch_up()
    with refused("EndpointNotFound", 400, endpoint):
        world.shown(endpoint)


def test_a_service_that_goes_leaves_service_deleted(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service, network = world.published(auto=False), world.network()
    endpoint = world.endpoint(service, network, A)
    node.catch_up()
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    assert world.statuses(endpoint)[:2] == ("Active", "ServiceDeleted")
    shown = world.shown(endpoint)
    assert "Payer" not in shown
    assert shown["ResourceOwner"] is False
    remove(operator, endpoint)
    assert world.statuses(endpoint)[1] == "ServiceDeleted"
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    assert world.statuses(endpoint)[1] == "Deleting"
    node.catch_up()
    with refused("EndpointNotFound", 400, endpoint):
        world.shown(endpoint)


def test_an_endpoint_whose_service_is_gone_can_only_be_taken_down(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service, network, ours = world.published(auto=False), world.network(A, B), operator.privatelink
    group, another = world.group(network), world.group(network)
    endpoint = world.endpoint(service, network, A, group=group)
    ours.AttachSecurityGroupToVpcEndpoint(EndpointId=endpoint, SecurityGroupId=another)
    node.catch_up()
    ours.DeleteVpcEndpointService(ServiceId=service)
    for change, more in (
        (ours.UpdateVpcEndpointAttribute, {"EndpointName": "late"}),
        (ours.AddZoneToVpcEndpoint, {"ZoneId": B, "VSwitchId": network.vswitches[B]}),
        (ours.AttachSecurityGroupToVpcEndpoint, {"SecurityGroupId": world.group(network)}),
        (ours.DetachSecurityGroupFromVpcEndpoint, {"SecurityGroupId": another}),
    ):
        with refused("EndpointServiceDeleted", 400, endpoint, service):
            change(EndpointId=endpoint, **more)
    remove(operator, endpoint)
    ours.DeleteVpcEndpoint(EndpointId=endpoint)
    node.catch_up()
    with refused("EndpointNotFound", 400, endpoint):
        world.shown(endpoint)


def test_a_zone_waits_until_a_resource_serves_it(
    operator: Account, world: World, node: Node
) -> None:
    provider, network = world.network(A, B), world.network(A, B)
    balancer = world.balancer(provider)
    service = world.service(balancer, (A,))
    endpoint = world.endpoint(service, network, A)
    operator.privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
    )
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected", B: "Wait"})
    operator.privatelink.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=balancer, ResourceType="nlb", ZoneId=B
    )
    assert world.statuses(endpoint) == (
        "Active",
        "Connecting",
        {A: "Connected", B: "Connecting"},
    )
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected", B: "Connected"})


def test_a_zone_stays_with_the_resource_it_has(operator: Account, world: World, node: Node) -> None:
    provider, network = world.network(A), world.network(A)
    service = world.service(world.balancer(provider))
    endpoint = world.endpoint(service, network, A)
    node.catch_up()
    before = node.forward(endpoint)
    for _ in range(3):
        operator.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=service,
            ResourceId=world.balancer(provider),
            ResourceType="nlb",
            ZoneId=A,
        )
    node.catch_up()
    assert node.forward(endpoint) == before


def test_each_endpoint_zone_has_its_own_source_address_in_the_providers_vpc(
    world: World, node: Node
) -> None:
    service = world.published(A, B)
    endpoints = [world.endpoint(service, world.network(A, B), A, B) for _ in range(3)]
    node.catch_up()
    sources = {
        node.forward(endpoint, zone)["opening"]["source"]
        for endpoint in endpoints
        for zone in (A, B)
    }
    assert len(sources) == 6
    assert all(source.startswith("100.64.") for source in sources)


def test_an_attachment_follows_the_node_as_well(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network: Network = world.network()
    made = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    attachment = made["AttachmentId"]

    def status() -> str:
        return str(operator.own.call("GetAttachment", AttachmentId=attachment)["Status"])

    assert status() == "Attaching"
    node.catch_up()
    assert status() == "Unplugged"
    node.plug(attachment)
    node.report()
    assert status() == "Attached"
    node.report()  # says nothing of links, so nothing came or went
    assert status() == "Attached"
    node.plug(attachment, there=False)
    node.report()
    assert status() == "Unplugged"
    node.fail(f"attachment/{attachment}")
    node.plug(attachment)
    node.report()
    assert status() == "Attaching"
    node.recover()
    node.report()
    assert status() == "Attached"
    operator.own.call("DeleteAttachment", AttachmentId=attachment)
    assert status() == "Detaching"
    node.catch_up()
    with refused("AttachmentNotFound", 404, attachment, "ListAttachments"):
        status()


def test_an_accepted_endpoint_that_no_resource_serves_is_not_connected(
    operator: Account, world: World, node: Node
) -> None:
    service, provider = world.service(), world.network()
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connecting", {A: "Wait"})
    operator.privatelink.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=world.balancer(provider), ResourceType="nlb", ZoneId=A
    )
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})


def test_an_endpoint_is_as_connected_as_what_it_leads_through(
    operator: Account, world: World, node: Node
) -> None:
    provider, network = world.network(), world.network()
    balancer, group = world.balancer(provider), world.group(network)
    endpoint = world.endpoint(world.service(balancer), network, A, group=group)
    connected = ("Active", "Connected", {A: "Connected"})
    connecting = ("Active", "Connecting", {A: "Connecting"})
    node.catch_up()
    assert world.statuses(endpoint) == connected
    world.listener(balancer, world.server_group(provider, "10.0.0.5"))
    assert world.statuses(endpoint) == connecting
    node.catch_up()
    assert world.statuses(endpoint) == connected
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group, IpProtocol="tcp", PortRange="80/80", SourceCidrIp="10.0.0.0/8"
    )
    assert world.statuses(endpoint) == connecting
    node.catch_up()
    assert world.statuses(endpoint) == connected
    for key in (f"balancer/{balancer}/local-a", f"filter/{group}"):
        node.fail(key)
        node.report()
        assert world.statuses(endpoint) == connecting
        node.recover()
        node.report()
        assert world.statuses(endpoint) == connected
