"""Terraform's provider gets from create to destroy with every PrivateLink resource.

Nothing of the provider runs here: its call sequences do, byte by byte (tests/api/terraform.py).
"""

from __future__ import annotations

import pytest

from tests.api import terraform_resources as resources
from tests.api.terraform import PRIVATELINK, Provider, SdkError
from tests.api.world import A, B, World

DOCUMENT = (
    '{ "Version": "1", "Statement": [ { "Effect": "Allow", "Principal": "*", '
    '"Action": "*", "Resource": "*" } ] }'
)


def test_a_service_with_every_attribute(provider: Provider, world: World) -> None:
    service, group = resources.Service(provider), world.resource_group()
    network = world.network(A, B)
    first, second = (
        {"ResourceId": world.balancer(network, zone), "ResourceType": "nlb", "ZoneId": zone}
        for zone in (A, B)
    )
    made = service.create(
        ServiceResourceType="nlb",
        ServiceDescription="tf-testacc",
        AutoAcceptEnabled=False,
        ServiceSupportIPv6=False,
        ZoneAffinityEnabled=True,
        AddressIpVersion="IPv4",
        Payer="Endpoint",
        Resource=[first],
        SupportedRegionList=["local"],
        ResourceGroupId=group,
        tags={"Created": "TF", "For": "acceptance test"},
        connect_bandwidth=3072,
    )
    state = service.read(made)
    assert state is not None
    assert {
        name: state[name]
        for name in (
            *("ServiceDescription", "AutoAcceptEnabled", "ZoneAffinityEnabled", "Payer"),
            *("AddressIpVersion", "ResourceGroupId", "ServiceResourceType", "tags", "resource"),
            *("supported_region_list", "ServiceBusinessStatus"),
        )
    } == {
        "ServiceDescription": "tf-testacc",
        "AutoAcceptEnabled": False,
        "ZoneAffinityEnabled": True,
        "Payer": "Endpoint",
        "AddressIpVersion": "IPv4",
        "ResourceGroupId": group,
        "ServiceResourceType": "nlb",
        "tags": {"Created": "TF", "For": "acceptance test"},
        "resource": {(first["ResourceId"], "nlb", A)},
        "supported_region_list": {"local"},
        "ServiceBusinessStatus": "Normal",
    }
    for name in ("ServiceDomain", "ServiceStatus", "ServiceName", "CreateTime", "RegionId"):
        assert state[name]

    service.update(made, ServiceDescription="changed", AutoAcceptEnabled=True)
    service.set_regions(made, [], ["local"])
    service.set_resources(made, [first], [second])
    service.set_tags(made, state["tags"], {"Created": "TF-update"})
    default = world.account.resourcemanager.ListResourceGroups()["ResourceGroups"]
    service.move(made, default["ResourceGroup"][0]["Id"])
    changed = service.read(made)
    assert changed is not None
    assert (changed["ServiceDescription"], changed["AutoAcceptEnabled"]) == ("changed", True)
    assert changed["supported_region_list"] == set()
    assert changed["resource"] == {(second["ResourceId"], "nlb", B)}
    assert changed["tags"] == {"Created": "TF-update"}
    service.delete(made)  # its resource is detached with it


def test_an_endpoint_with_every_attribute(provider: Provider, world: World) -> None:
    network, target, group = world.network(), world.published(), world.resource_group()
    groups = [world.group(network) for _ in range(4)]
    endpoint = resources.Endpoint(provider)
    made = endpoint.create(
        VpcId=network.vpc,
        ServiceId=target,
        ServiceName=f"com.aliyuncs.privatelink.local.{target}",
        EndpointType="Interface",
        EndpointName="tf-testacc",
        EndpointDescription="tf-testacc-description",
        ZonePrivateIpAddressCount=1,
        AddressIpVersion="IPv4",
        PolicyDocument=DOCUMENT,
        ResourceGroupId=group,
        SecurityGroupId=groups[:1],
        tags={"Created": "TF"},
    )
    state = endpoint.read(made)
    assert state is not None
    given = {
        "EndpointName": "tf-testacc",
        "EndpointDescription": "tf-testacc-description",
        "EndpointType": "Interface",
        "AddressIpVersion": "IPv4",
        "PolicyDocument": DOCUMENT,
        "ResourceGroupId": group,
        "ServiceId": target,
        "VpcId": network.vpc,
        "ZonePrivateIpAddressCount": 1,
        "security_group_ids": {groups[0]},
        "tags": {"Created": "TF"},
    }
    assert {name: state[name] for name in given} == given
    for name in (
        *(
            "Bandwidth",
            "ConnectionStatus",
            "CreateTime",
            "EndpointBusinessStatus",
            "EndpointDomain",
        ),
        *("EndpointStatus", "ServiceName", "RegionId"),
    ):
        assert state[name]

    endpoint.update(made, EndpointName="", EndpointDescription="")  # as the provider takes it off
    endpoint.set_groups(made, groups[1:], groups[:1])
    endpoint.set_tags(made, state["tags"], {"Created": "TF-update", "For": "test"})
    default = world.account.resourcemanager.ListResourceGroups()["ResourceGroups"]
    endpoint.move(made, default["ResourceGroup"][0]["Id"])
    changed = endpoint.read(made)
    assert changed is not None
    assert (changed["EndpointName"], changed["EndpointDescription"]) == ("", "")
    assert changed["security_group_ids"] == set(groups[1:])
    assert changed["tags"] == {"Created": "TF-update", "For": "test"}
    endpoint.delete(made)


def test_an_endpoint_and_a_service_with_ipv6(provider: Provider, world: World) -> None:
    services, endpoints = resources.Service(provider), resources.Endpoint(provider)
    zones, network = resources.Zone(provider), world.dual_network()
    service = services.create(
        ServiceResourceType="nlb",
        AutoAcceptEnabled=True,
        Resource=[
            {
                "ResourceType": "nlb",
                "ResourceId": world.balancer(network, version="DualStack"),
                "ZoneId": A,
            }
        ],
    )
    assert (services.read(service) or {})["AddressIpVersion"] == "IPv4"
    services.update(service, AddressIpVersion="DualStack")
    assert (services.read(service) or {})["AddressIpVersion"] == "DualStack"
    endpoint = endpoints.create(
        VpcId=network.vpc, ServiceId=service, SecurityGroupId=[world.group(network)]
    )
    place = zones.create(endpoint, A, network.vswitch)
    for version in ("DualStack", "IPv4", "DualStack"):
        endpoints.update(endpoint, AddressIpVersion=version)
        assert (endpoints.read(endpoint) or {})["AddressIpVersion"] == version
        shown = zones.read(place) or {}
        assert ("ZoneIpv6Address" in shown) == (version == "DualStack")
    zones.delete(place)
    endpoints.delete(endpoint)
    services.delete(service)


def test_an_endpoint_and_a_service_with_nothing_in_them_connect(
    provider: Provider, world: World
) -> None:
    """As the acceptance test of the connection has it: no zone, no resource."""
    service, endpoint = resources.Service(provider), resources.Endpoint(provider)
    connection, network = resources.Connection(provider), world.network()
    target = service.create(ServiceDescription="tf-testacc", AutoAcceptEnabled=False)
    source = endpoint.create(
        VpcId=network.vpc, ServiceId=target, SecurityGroupId=[world.group(network)]
    )
    made = connection.create(target, source, bandwidth=1024)
    state = connection.read(made)
    assert state is not None
    assert (state["Bandwidth"], state["ConnectionStatus"]) == (1024, "Connected")
    connection.update(made, 200)
    assert (connection.read(made) or {})["Bandwidth"] == 200
    connection.delete(made)
    assert (connection.read(made) or {})["ConnectionStatus"] == "Disconnected"  # it stays listed
    endpoint.delete(source)
    service.delete(target)


@pytest.mark.parametrize("served", [True, False])
def test_a_zone_is_added_whether_or_not_the_service_has_a_resource_there(
    provider: Provider, world: World, served: bool
) -> None:
    network, service = world.network(), resources.Service(provider)
    target = world.published() if served else service.create(AutoAcceptEnabled=True)
    endpoint, zone = resources.Endpoint(provider), resources.Zone(provider)
    source = endpoint.create(
        VpcId=network.vpc, ServiceId=target, SecurityGroupId=[world.group(network)]
    )
    made = zone.create(source, A, network.vswitch, ip="10.0.0.245")
    state = zone.read(made)
    assert state is not None
    assert (state["EniIp"], state["VSwitchId"], state["ZoneId"]) == (
        "10.0.0.245",
        network.vswitch,
        A,
    )
    assert state["ZoneStatus"] == ("Connected" if served else "Wait")
    assert state["RegionId"] == "local"
    assert state["ZoneDomain"]
    zone.delete(made)
    zone.delete(made)  # gone already: EndpointZoneNotFound counts as done
    endpoint.delete(source)
    endpoint.delete(source)


def test_resources_of_a_service_one_by_one(provider: Provider, world: World) -> None:
    network = world.network(A, B)
    balancer, service = world.balancer(network), resources.Service(provider)
    target = service.create(ServiceResourceType="nlb")
    attached = resources.ServiceResource(provider)
    made = [attached.create(target, balancer, "nlb", zone) for zone in (A, B)]
    assert [state.rpartition(":")[2] for state in made] == [A, B]
    state = attached.read(made[1])
    assert state is not None
    assert (state["ResourceId"], state["ResourceType"], state["ZoneId"], state["RegionId"]) == (
        balancer,
        "nlb",
        B,
        "local",
    )
    for each in made:
        attached.delete(each)
    service.delete(target)
    assert attached.read(made[0]) is None


def test_a_user_is_listed_at_once(provider: Provider, world: World) -> None:
    service, user = resources.Service(provider), resources.ServiceUser(provider)
    target = service.create()
    account = "1419992691371925"
    made = user.create(target, account, f"acs:ram:*:{account}:*")
    assert user.read(made) == {"UserId": account}
    assert user.read(f"{target}:42") is None
    user.delete(made)
    assert user.read(made) is None
    service.delete(target)
    assert user.read(made) is None


def test_many_attachments_at_once_are_the_providers_own_pace(
    provider: Provider, world: World
) -> None:
    """What the cloud answers with ConcurrentCallNotSupported is never refused here."""
    network = world.network(A, B)
    target = world.published(A, B)
    source = resources.Endpoint(provider).create(
        VpcId=network.vpc, ServiceId=target, SecurityGroupId=[world.group(network)]
    )
    provider.sent.clear()
    for zone in (A, B):
        resources.Zone(provider).create(source, zone, network.vswitches[zone])
    added = [token for action, token in provider.sent if action == "AddZoneToVpcEndpoint"]
    assert len(added) == 2  # each was sent once


def test_a_resent_create_makes_one_endpoint(provider: Provider, world: World) -> None:
    """tea-rpc sends again with the same token when it got no answer."""
    network, target = world.network(), world.published()
    body = provider.region(
        VpcId=network.vpc,
        ServiceId=target,
        SecurityGroupId=[world.group(network)],
        ClientToken="TF-CreateVpcEndpoint-1700000000-abc",
    )
    first, again = (provider.post(PRIVATELINK, "CreateVpcEndpoint", body) for _ in range(2))
    assert first["EndpointId"] == again["EndpointId"]
    listed = provider.post(PRIVATELINK, "ListVpcEndpoints", provider.region(MaxResults=50))
    assert listed["TotalCount"] == 1


def test_the_data_sources(provider: Provider, world: World) -> None:
    network, target = world.network(A), world.published(A)
    endpoint = resources.Endpoint(provider).create(
        VpcId=network.vpc,
        ServiceId=target,
        SecurityGroupId=[world.group(network)],
        EndpointName="tf-testacc",
        tags={"Created": "TF"},
    )
    resources.Zone(provider).create(endpoint, A, network.vswitches[A])
    resources.ServiceUser(provider).create(target, "1419992691371925")
    tag = [{"Key": "Created", "Value": "TF"}]
    pages = {
        "Endpoints": (
            "ListVpcEndpoints",
            {
                "ConnectionStatus": "Connected",
                "ServiceName": f"com.aliyuncs.privatelink.local.{target}",
                "EndpointStatus": "Active",
                "EndpointName": "tf-testacc",
                "VpcId": network.vpc,
                "Tag": tag,
            },
            *(("EndpointId", "EndpointName", "Bandwidth", "ConnectionStatus", "EndpointDomain"),),
        ),
        "Services": (
            "ListVpcEndpointServices",
            {
                "ServiceName": f"com.aliyuncs.privatelink.local.{target}",
                "AutoAcceptEnabled": True,
                "ServiceBusinessStatus": "Normal",
                "ServiceStatus": "Active",
            },
            ("ServiceId", "ServiceDomain", "ServiceStatus", "ServiceBusinessStatus"),
        ),
        "Connections": (
            "ListVpcEndpointConnections",
            {"ServiceId": target, "EndpointId": endpoint, "ConnectionStatus": "Connected"},
            ("ServiceId", "EndpointId", "Bandwidth", "ConnectionStatus"),
        ),
        "Zones": (
            "ListVpcEndpointZones",
            {"EndpointId": endpoint},
            ("EniId", "EniIp", "ZoneStatus", "VSwitchId", "ZoneDomain", "ZoneId"),
        ),
        "Users": ("ListVpcEndpointServiceUsers", {"ServiceId": target}, ("UserId",)),
        "Resources": (
            "ListVpcEndpointServiceResources",
            {"ServiceId": target},
            ("ResourceId", "ResourceType"),
        ),
    }
    for field, (action, asked, read) in pages.items():
        answer = provider.post(PRIVATELINK, action, provider.region(MaxResults=50, **asked))
        assert answer[field], action
        for name in read:
            assert answer[field][0][name], (action, name)
    # formatInt panics on anything but a number, a numeric string, or nothing.
    for action, field, name in (
        ("ListVpcEndpointServices", "Services", "ConnectBandwidth"),
        ("ListVpcEndpointServiceUsers", "Users", "UserId"),
    ):
        body = provider.region(ServiceId=target if field == "Users" else None)
        for each in provider.post(PRIVATELINK, action, body)[field]:
            int(each.get(name) or 0)


def test_the_list_keys_are_there_when_nothing_is(provider: Provider, world: World) -> None:
    target = world.service()
    for action, field, body in (
        ("ListVpcEndpoints", "Endpoints", {}),
        ("ListVpcEndpointServices", "Services", {"ServiceId": "epsrv-none"}),
        ("ListVpcEndpointConnections", "Connections", {"ServiceId": target}),
        ("ListVpcEndpointServiceResources", "Resources", {"ServiceId": target}),
        ("ListVpcEndpointServiceUsers", "Users", {"ServiceId": target, "UserId": "42"}),
    ):
        assert provider.post(PRIVATELINK, action, provider.region(**body))[field] == []


def test_the_product_is_switched_on_once(provider: Provider) -> None:
    """data alicloud_privatelink_service: to be on already is as good."""
    with pytest.raises(SdkError) as caught:
        provider.post(PRIVATELINK, "OpenPrivateLinkService")
    assert caught.value.code == "OrderOpend"


def test_what_is_gone_is_told_by_the_codes_the_provider_knows(provider: Provider) -> None:
    for action, body, code in (
        ("GetVpcEndpointAttribute", {"EndpointId": "ep-gone"}, "EndpointNotFound"),
        ("DeleteVpcEndpoint", {"EndpointId": "ep-gone"}, "EndpointNotFound"),
        ("ListVpcEndpointZones", {"EndpointId": "ep-gone"}, "EndpointNotFound"),
        ("ListVpcEndpointSecurityGroups", {"EndpointId": "ep-gone"}, "EndpointNotFound"),
        ("GetVpcEndpointServiceAttribute", {"ServiceId": "epsrv-x"}, "EndpointServiceNotFound"),
        ("DeleteVpcEndpointService", {"ServiceId": "epsrv-x"}, "EndpointServiceNotFound"),
        ("ListVpcEndpointServiceUsers", {"ServiceId": "epsrv-x"}, "EndpointServiceNotFound"),
        ("ListVpcEndpointServiceResources", {"ServiceId": "epsrv-x"}, "EndpointServiceNotFound"),
    ):
        with pytest.raises(SdkError) as caught:
            provider.post(PRIVATELINK, action, provider.region(**body))
        assert (caught.value.code, caught.value.status) == (code, 400)
    # The connection's reader knows no code for it: the message has to say NotFound.
    with pytest.raises(SdkError) as caught:
        resources.Connection(provider).read("epsrv-gone:ep-gone")
    assert caught.value.not_found
