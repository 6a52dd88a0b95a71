"""PrivateLink with IPv6 beside IPv4: which services and endpoints can be DualStack, and how."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, Network, World

DUAL: dict[str, Any] = {"AddressIpVersion": "DualStack"}


@pytest.fixture
def consumer(world: World) -> Network:
    """A network with IPv6 in two zones: fd00:0:0:100::/64 and fd00:0:0:101::/64."""
    return world.dual_network(A, B)


def version(account: Account, service: str) -> tuple[str, bool]:
    """What is said of a service, alike wherever it is said."""
    shown = account.privatelink.GetVpcEndpointServiceAttribute(ServiceId=service)
    (listed,) = account.privatelink.ListVpcEndpointServices(ServiceId=service)["Services"]
    offered = account.privatelink.ListVpcEndpointServicesByEndUser(ServiceId=service)["Services"]
    said = {(each["AddressIpVersion"], each["ServiceSupportIPv6"]) for each in (listed, *offered)}
    assert said == {(shown["AddressIpVersion"], shown["ServiceSupportIPv6"])}
    return next(iter(said))


def resource(balancer: str, zone: str = A) -> dict[str, str]:
    """A resource as creation takes it."""
    return {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ("IPv4", False)),
        ({"AddressIpVersion": "IPv4"}, ("IPv4", False)),
        ({"ServiceSupportIPv6": False}, ("IPv4", False)),
        ({"AddressIpVersion": "DualStack"}, ("DualStack", True)),
        ({"ServiceSupportIPv6": True}, ("DualStack", True)),
        ({"AddressIpVersion": "DualStack", "ServiceSupportIPv6": True}, ("DualStack", True)),
    ],
)
def test_a_service_is_what_it_is_asked_to_be(
    operator: Account,
    world: World,
    consumer: Network,
    asked: dict[str, Any],
    expected: tuple[str, bool],
) -> None:
    balancer = world.balancer(consumer, version="DualStack")
    made = operator.privatelink.CreateVpcEndpointService(
        ServiceResourceType="nlb", Resource=[resource(balancer)], **asked
    )
    assert (made["AddressIpVersion"], made["ServiceSupportIPv6"]) == expected
    assert version(operator, made["ServiceId"]) == expected


def test_two_names_that_differ_are_refused(
    operator: Account, world: World, refused: Refused
) -> None:
    service = world.service()
    for asked in (
        {"AddressIpVersion": "IPv4", "ServiceSupportIPv6": True},
        {"AddressIpVersion": "DualStack", "ServiceSupportIPv6": False},
    ):
        with refused("IllegalParamFormat.ServiceSupportIPv6", 400, "AddressIpVersion"):
            operator.privatelink.CreateVpcEndpointService(ServiceResourceType="nlb", **asked)
        with refused("IllegalParamFormat.ServiceSupportIPv6", 400, "AddressIpVersion"):
            operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, **asked)


def test_a_dual_stack_service_has_dual_stack_resources_only(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    plain = world.balancer(consumer)
    dual = world.balancer(consumer, version="DualStack")
    create = operator.privatelink.CreateVpcEndpointService
    with refused("EndpointServiceNotSupportIpv6", 400, plain, "AddressIpVersion=DualStack"):
        resources = [resource(dual), resource(plain, B)]
        create(ServiceResourceType="nlb", **DUAL, Resource=resources)
    service = create(ServiceResourceType="nlb", **DUAL, Resource=[resource(dual)])["ServiceId"]
    attach = operator.privatelink.AttachResourceToVpcEndpointService
    with refused("ServiceResourceNotSupportIpv6", 400, service, plain):
        attach(ServiceId=service, **resource(plain, B))
    attach(ServiceId=service, **resource(dual, B))
    listed = operator.privatelink.ListVpcEndpointServiceResources(ServiceId=service)["Resources"]
    assert [each["ResourceSupportIPv6"] for each in listed] == [True, True]


def test_an_ipv4_service_takes_either_kind_of_resource(
    operator: Account, world: World, consumer: Network
) -> None:
    service = world.service(world.balancer(consumer, version="DualStack"))
    plain = world.balancer(consumer)
    operator.privatelink.AttachResourceToVpcEndpointService(ServiceId=service, **resource(plain, B))
    listed = operator.privatelink.ListVpcEndpointServiceResources(ServiceId=service)["Resources"]
    assert {each["ResourceId"]: each["ResourceSupportIPv6"] for each in listed} == {
        plain: False,
        listed[0]["ResourceId"]: True,
    }


def test_a_service_on_clbs_is_ipv4(operator: Account, world: World, refused: Refused) -> None:
    service = world.service_on_clbs(world.clb(world.dual_network()))
    with refused("ServiceResourceNotSupportIpv6", 400, service, "only NLBs"):
        operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, **DUAL)
    with refused("EndpointServiceNotSupportIpv6", 400, "only NLBs", "ServiceResourceType=nlb"):
        operator.privatelink.CreateVpcEndpointService(ServiceResourceType="slb", **DUAL)


def test_a_service_becomes_dual_stack_and_stays_so(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    plain, dual = world.balancer(consumer), world.balancer(consumer, version="DualStack")
    service = world.service(plain)
    update = operator.privatelink.UpdateVpcEndpointServiceAttribute
    operator.privatelink.AttachResourceToVpcEndpointService(ServiceId=service, **resource(dual))
    for asked in (DUAL, {"ServiceSupportIPv6": True}):
        with refused("ServiceResourceNotSupportIpv6", 400, service, plain):
            update(ServiceId=service, **asked)
    operator.privatelink.DetachResourceFromVpcEndpointService(ServiceId=service, **resource(plain))
    update(ServiceId=service, **DUAL)
    assert version(operator, service) == ("DualStack", True)
    update(ServiceId=service, **DUAL)
    update(ServiceId=service, ServiceDescription="both")
    for asked in ({"AddressIpVersion": "IPv4"}, {"ServiceSupportIPv6": False}):
        with refused("EndpointServiceDowngradeNotAllowed", 400, service, "stays so"):
            update(ServiceId=service, **asked)
    assert version(operator, service) == ("DualStack", True)


def test_services_and_endpoints_are_found_by_version(
    operator: Account, world: World, consumer: Network
) -> None:
    plain, dual = world.published(), world.dual_published()
    first, second = world.endpoint(dual, consumer), world.endpoint(dual, consumer, **DUAL)

    def services(wanted: str) -> list[str]:
        listed = operator.privatelink.ListVpcEndpointServices(AddressIpVersion=wanted)
        assert listed["TotalCount"] == len(listed["Services"])
        return [each["ServiceId"] for each in listed["Services"]]

    def endpoints(wanted: str) -> list[str]:
        listed = operator.privatelink.ListVpcEndpoints(AddressIpVersion=wanted)
        assert listed["TotalCount"] == len(listed["Endpoints"])
        return [each["EndpointId"] for each in listed["Endpoints"]]

    assert (services("IPv4"), services("DualStack")) == ([plain], [dual])
    assert (endpoints("IPv4"), endpoints("DualStack")) == ([first], [second])


def test_an_endpoint_has_an_address_of_each_family_in_each_zone(
    operator: Account, world: World, consumer: Network, node: Node
) -> None:
    service = world.dual_published(A, B)
    endpoint = operator.privatelink.CreateVpcEndpoint(
        VpcId=consumer.vpc,
        ServiceId=service,
        SecurityGroupId=[world.group(consumer)],
        Zone=[
            {"ZoneId": A, "VSwitchId": consumer.vswitches[A], "Ipv6Address": "fd00:0:0:100::80"},
            {"ZoneId": B, "VSwitchId": consumer.vswitches[B]},
        ],
        **DUAL,
    )["EndpointId"]
    assert world.shown(endpoint)["AddressIpVersion"] == "DualStack"
    zones = world.zones(endpoint)
    assert zones[A]["ZoneIpv6Address"] == "fd00:0:0:100::80"
    assert IPv6Address(zones[B]["ZoneIpv6Address"]) in IPv6Network("fd00:0:0:101::/64")
    assert zones[A]["EniIp"].startswith("10.0.0.")
    node.catch_up()
    for zone in (A, B):
        assert node.forward(endpoint, zone)["address6"] == zones[zone]["ZoneIpv6Address"]
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected", B: "Connected"})
    eni = operator.ecs.DescribeNetworkInterfaceAttribute(NetworkInterfaceId=zones[A]["EniId"])
    assert eni["Ipv6Sets"]["Ipv6Set"] == [{"Ipv6Address": "fd00:0:0:100::80", "Primary": True}]


def test_the_source_in_ipv6_is_the_one_in_ipv4_after_a_prefix(
    operator: Account, world: World, consumer: Network, node: Node
) -> None:
    service = world.dual_published()
    for _ in range(2):
        endpoint = world.endpoint(service, consumer, A, **DUAL)
        node.pull()
        opening = node.forward(endpoint)["opening"]
        source = IPv6Address(opening["source6"])
        assert source in IPv6Network("fd70:7269:766c::/96")
        assert str(source).startswith("fd70:7269:766c::")
        assert source.packed[12:] == bytes(map(int, opening["source"].split(".")))


def test_an_ipv4_endpoint_of_a_dual_stack_service_is_ipv4(
    world: World, consumer: Network, node: Node
) -> None:
    endpoint = world.endpoint(world.dual_published(), consumer, A)
    assert world.shown(endpoint)["AddressIpVersion"] == "IPv4"
    assert "ZoneIpv6Address" not in world.zones(endpoint)[A]
    node.pull()
    held = node.forward(endpoint)
    assert (held["address6"], held["opening"]["source6"]) == ("", "")


def test_a_dual_stack_endpoint_needs_a_dual_stack_service(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    service, group = world.published(), world.group(consumer)
    with refused("EndpointServiceNotSupportIpv6", 400, service, "AddressIpVersion=IPv4"):
        world.endpoint(service, consumer, A, group=group, **DUAL)
    endpoint = world.endpoint(service, consumer, A, group=group)
    with refused("EndpointServiceNotSupportIpv6", 400, service, "ask its owner"):
        operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, **DUAL)


def test_a_dual_stack_endpoint_needs_ipv6_where_it_is(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    service, plain = world.dual_published(A, B), world.network()
    group = world.group(plain)
    for zones in ((), (A,)):
        with refused("OperationUnsupported.Ipv6Feature", 400, plain.vpc, "ModifyVpcAttribute"):
            world.endpoint(service, plain, *zones, group=group, **DUAL)
    vswitch = world.vswitch(consumer.vpc, "10.0.9.0/24", B)
    mixed = Network(consumer.vpc, {A: consumer.vswitches[A], B: vswitch})
    group = world.group(consumer)
    with refused("OperationFailed.vSwitchNotSupportIpv6", 400, vswitch, "Ipv6CidrBlock"):
        world.endpoint(service, mixed, A, B, group=group, **DUAL)
    endpoint = world.endpoint(service, mixed, A, B, group=group)
    with refused("OperationFailed.vSwitchNotSupportIpv6", 400, vswitch):
        operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, **DUAL)
    endpoint = world.endpoint(service, plain, A)
    with refused("OperationUnsupported.Ipv6Feature", 400, plain.vpc):
        operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, **DUAL)


def test_a_zone_is_added_with_both_addresses(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    endpoint = world.endpoint(world.dual_published(A, B), consumer, A, **DUAL)
    place = {"EndpointId": endpoint, "ZoneId": B, "VSwitchId": consumer.vswitches[B]}
    add = operator.privatelink.AddZoneToVpcEndpoint
    taken = world.zones(endpoint)[A]["ZoneIpv6Address"]
    for address, word in (
        (taken, "outside"),
        ("fd00:0:0:101::", "reserved"),
        ("10.0.1.5", "not an IPv6 address"),
    ):
        with refused("EniIpUnavailable", 400, repr(address), word):
            add(**place, Ipv6Address=address)
    add(**place, Ipv6Address="fd00:0:0:101::80", ip="10.0.1.80")
    zone = world.zones(endpoint)[B]
    assert (zone["EniIp"], zone["ZoneIpv6Address"]) == ("10.0.1.80", "fd00:0:0:101::80")


def test_a_wanted_address_goes_with_a_dual_stack_endpoint(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    service, group = world.dual_published(A, B), world.group(consumer)
    place = {"ZoneId": B, "VSwitchId": consumer.vswitches[B], "Ipv6Address": "fd00:0:0:101::80"}
    endpoint = world.endpoint(service, consumer, A, group=group)
    with refused("IllegalParamFormat.Ipv6Address", 400, "'fd00:0:0:101::80'", "DualStack"):
        operator.privatelink.AddZoneToVpcEndpoint(EndpointId=endpoint, **place)
    with refused("IllegalParamFormat.Ipv6Address", 400, "'fd00:0:0:101::80'", "DualStack"):
        operator.privatelink.CreateVpcEndpoint(
            VpcId=consumer.vpc, ServiceId=service, SecurityGroupId=[group], Zone=[place]
        )


def test_an_endpoint_becomes_dual_stack_and_ipv4_again(
    operator: Account, world: World, consumer: Network, node: Node
) -> None:
    endpoint = world.endpoint(world.dual_published(A, B), consumer, A, B)
    node.catch_up()
    before = world.zones(endpoint)
    openings = {zone: node.forward(endpoint, zone)["opening"]["number"] for zone in (A, B)}
    update = operator.privatelink.UpdateVpcEndpointAttribute
    update(EndpointId=endpoint, **DUAL)
    assert world.shown(endpoint)["AddressIpVersion"] == "DualStack"
    node.catch_up()
    assert sorted(node.seen) == [f"forward/{endpoint}/{zone}" for zone in (A, B)]
    for zone, shown in world.zones(endpoint).items():
        held = node.forward(endpoint, zone)
        assert held["address6"] == shown["ZoneIpv6Address"] != ""
        assert held["address"] == shown["EniIp"] == before[zone]["EniIp"]
        assert held["opening"]["source6"].startswith("fd70:7269:766c::")
        assert held["opening"]["number"] == openings[zone]  # IPv4 goes on as it was
    update(EndpointId=endpoint, **DUAL, EndpointName="both")
    node.pull()
    assert node.seen == []
    update(EndpointId=endpoint, AddressIpVersion="IPv4")
    node.catch_up()
    assert world.shown(endpoint)["AddressIpVersion"] == "IPv4"
    assert world.zones(endpoint) == before
    assert {node.forward(endpoint, zone)["address6"] for zone in (A, B)} == {""}
    assert world.statuses(endpoint)[:2] == ("Active", "Connected")


def test_a_zone_on_its_way_out_keeps_the_address_it_has(
    operator: Account, world: World, consumer: Network, node: Node
) -> None:
    endpoint = world.endpoint(world.dual_published(A, B), consumer, A, B, **DUAL)
    node.catch_up()
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, AddressIpVersion="IPv4")
    zones = world.zones(endpoint)
    assert "ZoneIpv6Address" not in zones[A]
    assert "ZoneIpv6Address" in zones[B]
    node.catch_up()
    assert list(world.zones(endpoint)) == [A]


def test_an_endpoint_whose_service_is_gone_stays_as_it_is(
    operator: Account, world: World, consumer: Network, refused: Refused
) -> None:
    service = world.dual_published()
    endpoint = world.endpoint(service, consumer)
    operator.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    with refused("EndpointServiceDeleted", 400, service):
        operator.privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, **DUAL)


def test_a_migrated_zone_has_its_old_source_in_both_families(
    operator: Account, world: World, consumer: Network, node: Node
) -> None:
    provider = world.dual_network()
    old, new = (world.balancer(provider, version="DualStack") for _ in range(2))
    service = world.service(old, version="DualStack")
    endpoint = world.endpoint(service, consumer, A, **DUAL)
    node.catch_up()
    before = node.forward(endpoint)["opening"]
    privatelink = operator.privatelink
    privatelink.AttachResourceToVpcEndpointService(ServiceId=service, **resource(new))
    privatelink.UpdateVpcEndpointServiceResourceAttribute(
        ServiceId=service, ResourceId=old, ZoneId=A, AutoAllocatedEnabled=False
    )
    privatelink.UpdateVpcEndpointZoneConnectionResourceAttribute(
        ServiceId=service,
        EndpointId=endpoint,
        ZoneId=A,
        ResourceId=new,
        ResourceReplaceMode="Graceful",
    )
    node.pull()
    held = node.forward(endpoint)
    assert held["replaced"] == before
    assert held["opening"]["source6"] == before["source6"] != ""


def test_the_address_is_free_again_with_the_zone(
    operator: Account, world: World, consumer: Network, node: Node
) -> None:
    service, group = world.dual_published(), world.group(consumer)
    place = {
        "ZoneId": A,
        "VSwitchId": consumer.vswitches[A],
        "Ipv6Address": "fd00:0:0:100::80",
    }
    for _ in range(2):
        endpoint = operator.privatelink.CreateVpcEndpoint(
            VpcId=consumer.vpc, ServiceId=service, SecurityGroupId=[group], Zone=[place], **DUAL
        )["EndpointId"]
        operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
        node.catch_up()
