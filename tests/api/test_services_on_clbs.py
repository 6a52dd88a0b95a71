"""PrivateLink over CLBs: services of type slb, which is their type unless another is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World

PRIVILEGE = "privatelink_whitelist/svc_res_mgt_uat"


def service_of(account: Account, service: str) -> Answer:
    return account.privatelink.GetVpcEndpointServiceAttribute(ServiceId=service)


def resources_of(account: Account, service: str) -> list[Answer]:
    listed = account.privatelink.ListVpcEndpointServiceResources(ServiceId=service)
    return list(listed["Resources"])


def connection_of(account: Account, service: str) -> Answer:
    (only,) = account.privatelink.ListVpcEndpointConnections(ServiceId=service)["Connections"]
    return dict(only)


def test_a_service_of_no_named_type_is_on_clbs(operator: Account, world: World) -> None:
    service = operator.privatelink.CreateVpcEndpointService()["ServiceId"]
    shown = service_of(operator, service)
    assert (shown["ServiceResourceType"], shown["ConnectBandwidth"]) == ("slb", 3072)
    assert (shown["MinBandwidth"], shown["MaxBandwidth"]) == (100, 10240)
    operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, ConnectBandwidth=103)
    assert service_of(operator, service)["ConnectBandwidth"] == 103


def test_bandwidth_is_shown_of_clbs_and_may_be_set_on_nlbs(operator: Account, world: World) -> None:
    service = world.service()
    operator.privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=service, ConnectBandwidth=3072)
    assert "ConnectBandwidth" not in service_of(operator, service)


def test_a_clb_serves_its_own_zone_without_being_told(operator: Account, world: World) -> None:
    network = world.network(A, B)
    first, second = world.clb(network, A), world.clb(network, B, Address="10.0.1.9")
    service = world.service_on_clbs(first)
    operator.privatelink.AttachResourceToVpcEndpointService(
        ServiceId=service, ResourceId=second, ResourceType="slb", ZoneId=""
    )
    found = resources_of(operator, service)
    assert [(each["ResourceId"], each["ZoneId"]) for each in found] == [(first, A), (second, B)]
    assert (found[1]["ResourceType"], found[1]["Ip"]) == ("slb", "10.0.1.9")
    assert (found[1]["VSwitchId"], found[1]["RegionId"]) == (network.vswitches[B], "local")
    assert service_of(operator, service)["Zones"] == [A, B]
    operator.privatelink.DetachResourceFromVpcEndpointService(
        ServiceId=service, ResourceId=first, ResourceType="slb"
    )
    operator.privatelink.DetachResourceFromVpcEndpointService(
        ServiceId=service, ResourceId=second, ZoneId=B
    )
    assert resources_of(operator, service) == []


def test_a_service_is_on_load_balancers_of_one_kind(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network(A, B)
    clb, nlb = world.clb(network, A), world.balancer(network)
    on_clbs, on_nlbs = world.service_on_clbs(), world.service()
    attach = operator.privatelink.AttachResourceToVpcEndpointService
    detach = operator.privatelink.DetachResourceFromVpcEndpointService
    there: dict[str, Any] = {"ServiceId": on_clbs, "ResourceId": clb}
    with refused("EndpointServiceResourceTypeNotEqual", 400, on_clbs, "type slb, not nlb"):
        attach(**there, ResourceType="nlb", ZoneId=A)
    with refused("Mismatch.ResourceType", 400, nlb, "is of type nlb", "type slb"):
        attach(ServiceId=on_clbs, ResourceId=nlb, ResourceType="slb")
    with refused("Mismatch.ResourceType", 400, clb, "is of type slb", "type nlb"):
        attach(ServiceId=on_nlbs, ResourceId=clb, ResourceType="nlb", ZoneId=A)
    with refused("EndpointServiceNotSupportedZone", 400, clb, "'local-b'", "zones: local-a"):
        attach(**there, ResourceType="slb", ZoneId=B)
    with refused("LoadBalancerNotFound", 400, "'lb-none'"):
        attach(ServiceId=on_clbs, ResourceId="lb-none", ResourceType="slb")
    with refused("EndpointServiceResourceTypeNotEqual", 400, "type slb, not nlb"):
        operator.privatelink.CreateVpcEndpointService(
            Resource=[{"ResourceType": "nlb", "ResourceId": nlb, "ZoneId": A}]
        )
    attach(**there, ResourceType="slb", ZoneId=A)
    with refused("EndpointServiceResourceExist", 400, clb, A):
        attach(**there, ResourceType="slb")
    with refused("EndpointServiceResourceTypeNotEqual", 400, "type slb, not nlb"):
        detach(**there, ResourceType="nlb", ZoneId=A)
    with refused("EndpointServiceResourceNotFound", 400, clb, B):
        detach(**there, ZoneId=B)


def test_a_connection_through_a_clb_is_told_as_one_through_an_nlb_is(
    operator: Account, world: World, node: Node
) -> None:
    provider, consumer = world.network(), world.network()
    clb = world.clb(provider)
    operator.slb.AddBackendServers(
        LoadBalancerId=clb, BackendServers='[{"ServerId": "10.0.0.5", "Type": "eniip"}]'
    )
    world.clb_listener(clb)
    service = world.service_on_clbs(clb)
    endpoint = world.endpoint(service, consumer, A)
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
    opening = node.forward(endpoint)["opening"]
    told = node.held[f"balancer/{clb}/local-a"]
    assert opening["balancer"] == told["number"]
    (listener,) = told["listeners"]
    assert (listener["protocol"], listener["first"], listener["last"]) == ("TCP", 80, 80)
    assert listener["servers"] == [{"address": "10.0.0.5", "port": 80, "weight": 100, "zone": A}]


def test_the_bandwidth_of_a_connection_through_a_clb_has_an_end(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    service = world.service_on_clbs(world.clb(world.network()))
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    connection = connection_of(operator, service)
    assert (connection["TrafficControlMode"], connection["Bandwidth"]) == ("BandwidthLimit", 3072)
    update = operator.privatelink.UpdateVpcEndpointConnectionAttribute
    where = {"ServiceId": service, "EndpointId": endpoint}
    with refused("IllegalParamFormat.TrafficControlMode", 400, "BandwidthLimit for slb"):
        update(**where, TrafficControlMode="Scalability")
    with refused("IllegalParamFormat.Bandwidth", 400, "100 to 10240"):
        update(**where, Bandwidth=10241)
    update(**where, TrafficControlMode="BandwidthLimit", Bandwidth=10240)
    assert connection_of(operator, service)["Bandwidth"] == 10240


def test_a_zone_moves_to_another_clb(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    old, new = world.clb(network), world.clb(network)
    service = world.service_on_clbs(old, new)
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    (zone,) = connection_of(operator, service)["Zones"]
    held, free = (old, new) if zone["ResourceId"] == old else (new, old)
    operator.privatelink.UpdateVpcEndpointServiceResourceAttribute(
        ServiceId=service, ResourceId=held, AutoAllocatedEnabled=False
    )
    operator.privatelink.UpdateVpcEndpointZoneConnectionResourceAttribute(
        ServiceId=service,
        EndpointId=endpoint,
        ZoneId=A,
        ResourceId=free,
        ResourceType="slb",
        ResourceReplaceMode="Force",
    )
    (zone,) = connection_of(operator, service)["Zones"]
    assert zone["ResourceId"] == free


@pytest.mark.parametrize("wanted", [0, 1])
def test_choosing_by_hand_is_a_privilege(
    operator: Account, world: World, node: Node, refused: Refused, wanted: int
) -> None:
    service = world.service_on_clbs(world.clb(world.network()), auto=False)
    asked = {
        "ServiceId": service,
        "EndpointId": world.endpoint(service, world.network(), A),
        "ZoneId": A,
        "ResourceAllocateMode": "Auto",
    }
    node.catch_up()
    operator.own.call("SetQuota", QuotaName=PRIVILEGE, Limit=wanted, AccountId=operator.id)
    choose = operator.privatelink.UpdateVpcEndpointZoneConnectionResourceAttribute
    if wanted:
        choose(**asked)
        return
    with refused("QuotaMisMatched", 400, "privilege", "Ask the operator", "Limit 1"):
        choose(**asked)


def test_all_kinds_are_offered(operator: Account) -> None:
    for asked in ({}, {"ServiceResourceType": "slb"}, {"ServiceResourceType": "nlb"}):
        (region,) = operator.privatelink.DescribeRegions(**asked)["Regions"]["Region"]
        assert region["ServiceResourceTypes"]["ServiceResourceType"] == ["nlb", "slb", "vpcnat"]
        zones = operator.privatelink.DescribeZones(**asked)["Zones"]["Zone"]
        assert [zone["ZoneId"] for zone in zones] == ["local-a", "local-b", "local-c"]
    zones = operator.privatelink.DescribeZones(ServiceResourceType="alb")["Zones"]["Zone"]
    assert zones == []
