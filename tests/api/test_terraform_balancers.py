"""Terraform's provider gets from create to destroy with the load balancers of its tests."""

from __future__ import annotations

import pytest

from tests.api import terraform_resources as resources
from tests.api.terraform import Provider, SdkError
from tests.api.terraform_neighbours import ClassicBalancer, NetworkBalancer
from tests.api.world import A, World

LOCATION = "2015-06-12"
TAGS = [{"Key": "Created", "Value": "TF"}]


def test_a_network_balancer(provider: Provider, world: World) -> None:
    network, balancer = world.network(), NetworkBalancer(provider)
    made = balancer.create(
        AddressType="Intranet",
        AddressIpVersion="Ipv4",
        LoadBalancerType="Network",
        LoadBalancerName="tf-testacc",
        VpcId=network.vpc,
        ZoneMappings=[{"ZoneId": A, "VSwitchId": network.vswitch}],
        ResourceGroupId=world.resource_group(),
        Tag=TAGS,
        **{"DeletionProtectionConfig.Enabled": True, "DeletionProtectionConfig.Reason": "in use"},
    )
    shown = balancer.read(made)
    assert shown is not None
    assert shown["DeletionProtectionConfig"]["Reason"] == "in use"
    assert shown["CrossZoneEnabled"] is True
    with pytest.raises(SdkError) as caught:
        balancer.delete(made)
    assert caught.value.code == "OperationDenied.DeletionProtectionEnabled"
    balancer.protect(made, enabled=False)
    balancer.delete(made)
    assert balancer.read(made) is None


def test_a_classic_balancer(provider: Provider, world: World) -> None:
    network, balancer = world.network(), ClassicBalancer(provider)
    zone = balancer.zones()[0]
    made = balancer.create(
        AddressIPVersion="ipv4",
        AddressType="intranet",
        Bandwidth=1,
        DeleteProtection="off",
        InternetChargeType="paybytraffic",
        LoadBalancerName="tf-testacc",
        LoadBalancerSpec="slb.s2.small",
        MasterZoneId=zone,
        VpcId=network.vpc,
        VSwitchId=network.vswitches[zone],
        Tag=TAGS,
    )
    assert balancer.tags(made) == {"Created": "TF"}
    balancer.rename(made, "tf-testacc-2")
    shown = balancer.read(made)
    assert shown is not None
    assert (shown["LoadBalancerName"], shown["LoadBalancerSpec"]) == (
        "tf-testacc-2",
        "slb.s2.small",
    )
    assert (shown["MasterZoneId"], shown["VSwitchId"]) == (zone, network.vswitches[zone])
    balancer.delete(made)
    assert balancer.read(made) is None


def test_a_service_on_a_classic_balancer(provider: Provider, world: World) -> None:
    service = resources.Service(provider)
    target = service.create(connect_bandwidth=103)
    state = service.read(target)
    assert state is not None
    assert (state["ServiceResourceType"], state["ConnectBandwidth"]) == ("slb", 103)
    attached, clb = resources.ServiceResource(provider), world.clb(world.network())
    made = attached.create(target, clb, "slb", "")
    assert attached.read(made) is not None
    attached.delete(made)
    assert attached.read(made) is None
    service.delete(target)


def test_where_the_provider_finds_a_product(provider: Provider) -> None:
    asked = {"ServiceCode": "slb", "Id": "local", "Type": "openAPI"}
    found = provider.post(LOCATION, "DescribeEndpoints", query=asked)
    assert [each["SerivceCode"] for each in found["Endpoints"]["Endpoint"]] == ["slb"]
