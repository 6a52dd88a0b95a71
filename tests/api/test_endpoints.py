"""The consumer's side: endpoints and their zones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, C, Network, World


@pytest.fixture
def service(world: World) -> str:
    """A service in two zones that accepts by itself."""
    return world.published(A, B)


@pytest.fixture
def network(world: World) -> Network:
    """The consumer's network, in three zones."""
    return world.network(A, B, C)


def test_an_endpoint_is_shown_as_it_was_made(
    operator: Account, world: World, node: Node, service: str, network: Network
) -> None:
    made = operator.privatelink.CreateVpcEndpoint(
        VpcId=network.vpc,
        ServiceId=service,
        ServiceName=f"com.aliyuncs.privatelink.local.{service}",
        SecurityGroupId=[world.group(network)],
        EndpointType="Interface",
        EndpointName="shop",
        EndpointDescription="to the shop",
        ZonePrivateIpAddressCount=1,
        Zone=[{"ZoneId": A, "VSwitchId": network.vswitches[A], "ip": "10.0.0.80"}],
    )
    endpoint = made["EndpointId"]
    assert endpoint.startswith("ep-")
    assert made["EndpointDomain"] == f"{endpoint}.{service}.local.privatelink.internal"
    node.catch_up()
    shown = world.shown(endpoint)
    expected = {
        "EndpointId": endpoint,
        "EndpointName": "shop",
        "EndpointDescription": "to the shop",
        "EndpointDomain": made["EndpointDomain"],
        "EndpointStatus": "Active",
        "EndpointBusinessStatus": "Normal",
        "EndpointType": "Interface",
        "ConnectionStatus": "Connected",
        "ServiceId": service,
        "ServiceName": f"com.aliyuncs.privatelink.local.{service}",
        "VpcId": network.vpc,
        "AddressIpVersion": "IPv4",
        "ZoneAffinityEnabled": False,
        "RegionId": "local",
        "ResourceOwner": True,
        "CreateTime": made["CreateTime"],
        "Bandwidth": 3072,
        "ServiceRegionId": "local",
        "ProtectedEnabled": False,
        "PolicyDocument": shown["PolicyDocument"],
        "ResourceGroupId": shown["ResourceGroupId"],
    }
    assert {name: shown[name] for name in expected} == expected
    assert (shown["Payer"], shown["ZonePrivateIpAddressCount"]) == ("Endpoint", 1)
    (listed,) = operator.privatelink.ListVpcEndpoints()["Endpoints"]
    assert listed == expected | {"Tags": []}


def test_a_zone_is_shown_with_its_address(
    world: World, node: Node, service: str, network: Network
) -> None:
    endpoint = world.endpoint(service, network, A, B)
    node.catch_up()
    zones = world.zones(endpoint)
    assert list(zones) == [A, B]
    shown = zones[B]
    assert shown["EniIp"] == "10.0.1.1"
    assert shown["EniId"].startswith("eni-")
    assert (shown["ZoneStatus"], shown["VSwitchId"]) == ("Connected", network.vswitches[B])
    assert shown["ZoneDomain"] == f"{endpoint}-{B}.{service}.local.privatelink.internal"
    assert node.forward(endpoint, B)["address"] == "10.0.1.1"


def test_a_service_may_be_named_instead_of_numbered(
    operator: Account, world: World, service: str, network: Network, refused: Refused
) -> None:
    group = world.group(network)

    def create(**named: str) -> dict[str, Any]:
        return operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, SecurityGroupId=[group], **named
        )

    name = f"com.aliyuncs.privatelink.local.{service}"
    assert create(ServiceName=name)["ServiceId"] == service
    with refused("EndpointServiceNotFound", 400, f"com.example.{service}"):
        create(ServiceName=f"com.example.{service}")
    with refused("EndpointServiceNotFound", 400, service):
        create(ServiceId=service, ServiceName=f"{name}x")
    with refused("MissingParam.ServiceId", 400, "give ServiceId or ServiceName"):
        create()


def test_what_an_endpoint_needs_must_be_there(
    operator: Account, world: World, service: str, network: Network, refused: Refused
) -> None:
    group, elsewhere = world.group(network), world.network()
    stranger = world.group(elsewhere)

    def create(**changed: Any) -> None:
        asked = {"VpcId": network.vpc, "ServiceId": service, "SecurityGroupId": [group]}
        operator.privatelink.CreateVpcEndpoint(**asked | changed)

    with refused("VpcNotFound", 400, "'vpc-none'", "DescribeVpcs"):
        create(VpcId="vpc-none")
    with refused("EndpointServiceNotFound", 400, "'epsrv-none'"):
        create(ServiceId="epsrv-none")
    with refused("SecurityGroupNotFound", 400, "'sg-none'", network.vpc, "DescribeSecurityGroups"):
        create(SecurityGroupId=[group, "sg-none"])
    with refused("SecurityGroupNotFound", 400, stranger, network.vpc):
        create(SecurityGroupId=[stranger])
    with refused("EndpointMustContainSecurityGroup", 400, "SecurityGroupId.1"):
        create(SecurityGroupId=[])
    with refused("IllegalParamFormat.SecurityGroupId", 400, "at most 10"):
        create(SecurityGroupId=[group] * 11)
    with refused(
        "Mismatch.EndpointType", 400, "stands on nlb", "takes Interface endpoints, not Reverse"
    ):
        create(EndpointType="Reverse")
    with refused("IllegalParamFormat.EndpointType", 400, "'Router'"):
        create(EndpointType="Router")
    with refused("IllegalParamFormat.ZonePrivateIpAddressCount", 400, "'2'", "only 1"):
        create(ZonePrivateIpAddressCount=2)


def test_a_zone_that_the_service_is_not_in(world: World, refused: Refused) -> None:
    service, network = world.published(B), world.network(A, B)
    group = world.group(network)
    with refused("EndpointServiceNotSupportedZone", 400, service, A, f"Its zones: {B}."):
        world.account.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc,
            ServiceId=service,
            SecurityGroupId=[group],
            Zone=[{"ZoneId": A, "VSwitchId": network.vswitches[A]}],
        )


def test_groups_of_one_kind_only(
    world: World, service: str, network: Network, operator: Account, refused: Refused
) -> None:
    groups = [world.group(network), world.group(network, "enterprise")]
    with refused("SecurityGroupTypeOnlySingleTypeSupporteded", 400, "normal", "enterprise"):
        operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, ServiceId=service, SecurityGroupId=groups
        )


def test_a_group_given_twice_counts_once(
    operator: Account, world: World, node: Node, service: str, network: Network
) -> None:
    group = world.group(network)
    endpoint = operator.privatelink.CreateVpcEndpoint(
        VpcId=network.vpc,
        ServiceId=service,
        SecurityGroupId=[group, group],
        Zone=[{"ZoneId": A, "VSwitchId": network.vswitches[A]}],
    )["EndpointId"]
    node.pull()
    assert len(node.forward(endpoint)["filters"]) == 1


@pytest.mark.parametrize("name", ["x", "1st", "-a", "a b", "a" * 129, "shop\n", "http://x"])
def test_a_name_has_a_form(
    world: World, service: str, network: Network, refused: Refused, name: str
) -> None:
    group = world.group(network)
    with refused("IllegalParamFormat.EndpointName", 400, repr(name), "2 to 128 characters"):
        world.endpoint(service, network, group=group, EndpointName=name)


def test_a_name_may_be_chinese(world: World, service: str, network: Network) -> None:
    endpoint = world.endpoint(service, network, EndpointName="端点-1_a")
    assert world.shown(endpoint)["EndpointName"] == "端点-1_a"


@pytest.mark.parametrize("text", ["x", "https://x.example", "a" * 257])
def test_a_description_has_a_form(
    world: World, service: str, network: Network, refused: Refused, text: str
) -> None:
    group = world.group(network)
    with refused("IllegalParamFormat.EndpointDescription", 400, "2 to 256 characters"):
        world.endpoint(service, network, group=group, EndpointDescription=text)


def test_a_zone_needs_its_vswitch(
    operator: Account, world: World, service: str, network: Network, refused: Refused
) -> None:
    group, elsewhere = world.group(network), world.network()

    def create(*zones: dict[str, str]) -> None:
        operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, ServiceId=service, SecurityGroupId=[group], Zone=list(zones)
        )

    good = {"ZoneId": A, "VSwitchId": network.vswitches[A]}
    with refused("VSwitchNotFound", 400, "'vsw-none'", f"in {network.vpc}, zone {A}"):
        create({"ZoneId": A, "VSwitchId": "vsw-none"})
    with refused("VSwitchNotFound", 400, network.vswitches[B], f"zone {A}", "DescribeVSwitches"):
        create({"ZoneId": A, "VSwitchId": network.vswitches[B]})
    with refused("VSwitchNotFound", 400, elsewhere.vswitch, network.vpc):
        create({"ZoneId": A, "VSwitchId": elsewhere.vswitch})
    with refused("EndpointZoneDuplicated", 400, A, "given twice"):
        create(good, good)
    nowhere = {"ZoneId": "moon-a", "VSwitchId": network.vswitches[B]}
    with refused("EndpointServiceNotSupportedZone", 400, service, "'moon-a'", "zones: local-a"):
        create(good, nowhere)
    idle = world.service()
    with refused("EndpointServiceNotSupportedZone", 400, "'moon-a'", "local-a, local-b, local-c"):
        operator.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc, ServiceId=idle, SecurityGroupId=[group], Zone=[nowhere]
        )
    endpoint = world.endpoint(service, network)
    with refused("EndpointServiceNotSupportedZone", 400, "'moon-a'", "local-a, local-b, local-c"):
        operator.privatelink.AddZoneToVpcEndpoint(EndpointId=endpoint, **nowhere)
    with refused("MissingZone", 400, "Zone.1.VSwitchId"):
        create({"ZoneId": A})
    with refused("EniIpUnavailable", 400, "10.0.9.9", "outside the vSwitch"):
        create({**good, "ip": "10.0.9.9"})


def test_endpoints_are_found_by_every_filter(
    operator: Account, world: World, node: Node, service: str, network: Network
) -> None:
    asking = world.published(A, auto=False)
    elsewhere = world.network()
    first = world.endpoint(service, network, A, EndpointName="first")
    second = world.endpoint(asking, elsewhere, A)
    node.catch_up()
    third = world.endpoint(service, elsewhere, A)

    def found(**wanted: str) -> set[str]:
        listed = operator.privatelink.ListVpcEndpoints(**wanted)
        assert listed["TotalCount"] == len(listed["Endpoints"])
        return {endpoint["EndpointId"] for endpoint in listed["Endpoints"]}

    assert found() == {first, second, third}
    assert found(EndpointId=first) == {first}
    assert found(EndpointName="first") == {first}
    assert found(EndpointName="firs") == set()
    assert found(EndpointType="Interface") == {first, second, third}
    assert found(EndpointStatus="Creating") == {third}
    assert found(ConnectionStatus="Disconnected") == {second}
    assert found(ConnectionStatus="Connected") == {first}
    assert found(ServiceName=f"com.aliyuncs.privatelink.local.{service}") == {first, third}
    assert found(VpcId=elsewhere.vpc) == {second, third}
    assert found(VpcId=elsewhere.vpc, EndpointStatus="Active") == {second}


def test_a_status_that_is_none_is_refused(operator: Account, refused: Refused) -> None:
    with refused("IllegalParamFormat.EndpointStatus", 400, "EndpointStatus", "'Gone'"):
        operator.privatelink.ListVpcEndpoints(EndpointStatus="Gone")


def test_an_unknown_endpoint_is_not_found(
    operator: Account, network: Network, refused: Refused
) -> None:
    ours = operator.privatelink
    for call, more in (
        (ours.GetVpcEndpointAttribute, {}),
        (ours.DeleteVpcEndpoint, {}),
        (ours.AddZoneToVpcEndpoint, {"ZoneId": A, "VSwitchId": network.vswitch}),
        (ours.RemoveZoneFromVpcEndpoint, {"ZoneId": A}),
        (ours.ListVpcEndpointZones, {}),
    ):
        with refused("EndpointNotFound", 400, "'ep-none'", "ListVpcEndpoints"):
            call(EndpointId="ep-none", **more)


def test_a_zone_can_be_added_later(
    operator: Account, world: World, node: Node, service: str, network: Network, refused: Refused
) -> None:
    endpoint = world.endpoint(service, network, A)

    def add(zone: str, **more: str) -> None:
        asked = {"ZoneId": zone, "VSwitchId": network.vswitches[zone]} | more
        operator.privatelink.AddZoneToVpcEndpoint(EndpointId=endpoint, **asked)

    add(B, ip="10.0.1.80")
    node.catch_up()
    assert world.zones(endpoint)[B]["EniIp"] == "10.0.1.80"
    assert world.zones(endpoint)[B]["ZoneStatus"] == "Connected"
    with refused("EndpointZoneDuplicated", 400, B, "already"):
        add(B)
    with refused("VSwitchNotFound", 400, network.vswitches[A], f"zone {C}"):
        add(C, VSwitchId=network.vswitches[A])
    with refused("EniIpUnavailable", 400, "10.0.2.254", "reserved"):
        add(C, ip="10.0.2.254")


def test_a_zone_that_is_none_cannot_be_removed(
    operator: Account, world: World, service: str, network: Network, refused: Refused
) -> None:
    endpoint = world.endpoint(service, network, A, B)
    with refused("EndpointZoneNotFound", 400, endpoint, "'local-c'", "zones: local-a, local-b"):
        operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=C)
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    with refused("EndpointZoneNotFound", 400, "'local-b'", "zones: local-a."):
        operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)


def test_an_endpoint_without_zones_goes_at_once(
    operator: Account, world: World, service: str, network: Network, refused: Refused
) -> None:
    endpoint = world.endpoint(service, network)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    with refused("EndpointNotFound", 400, endpoint):
        world.shown(endpoint)


def test_a_deleted_endpoint_takes_no_zone_any_more(
    operator: Account, world: World, node: Node, service: str, network: Network, refused: Refused
) -> None:
    endpoint = world.endpoint(service, network, A)
    node.catch_up()
    operator.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    with refused("EndpointOperationDenied", 400, endpoint, "Deleting", "create a new endpoint"):
        operator.privatelink.AddZoneToVpcEndpoint(
            EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
        )
