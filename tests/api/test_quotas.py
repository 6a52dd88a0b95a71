"""One account cannot fill what others share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlink.rules import quotas
from privlink.rules.quotas import QUOTAS
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.world import A, B, World


@pytest.fixture
def one_only(operator: Account) -> Callable[[str], None]:
    """Let there be one of something, so that the second meets the limit."""

    def one_only(name: str) -> None:
        operator.own.call("SetQuota", QuotaName=getattr(quotas, name).name, Limit=1)

    return one_only


def test_vpcs_and_what_is_in_them(
    operator: Account, world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    network = world.network()
    world.group(network)
    operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    for name in ("VPCS", "VSWITCHES_PER_VPC", "SECURITY_GROUPS", "ATTACHMENTS"):
        one_only(name)
    with refused("QuotaExceeded.Vpc", 400, "limit of 1", "DeleteVpc"):
        operator.vpc.CreateVpc()
    with refused("QuotaExceeded.VSwitch", 400, network.vpc, "DeleteVSwitch"):
        world.vswitch(network.vpc, "10.0.9.0/24")
    with refused("QuotaExceed.SecurityGroup", 403, "DeleteSecurityGroup"):
        world.group(network)
    with refused("QuotaExceeded.Attachment", 400, "DeleteAttachment"):
        operator.own.call("CreateAttachment", VSwitchId=network.vswitch)


def test_balancers_and_what_is_behind_them(
    world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.5")
    world.listener(balancer, group)
    for name in ("BALANCERS", "LISTENERS_PER_BALANCER", "SERVERS_PER_GROUP"):
        one_only(name)
    with refused("QuotaExceeded.LoadBalancersNum", 400, "DeleteLoadBalancer"):
        world.balancer(network)
    with refused("QuotaExceeded.LoadBalancerListenersNum", 400, balancer, "DeleteListener"):
        world.listener(balancer, group, 81)
    with refused("QuotaExceeded.ServerGroupAddedServersNum", 400, group):
        world.account.nlb.AddServersToServerGroup(
            ServerGroupId=group,
            Servers=[{"ServerType": "Ip", "ServerId": "10.0.0.6", "Port": 80}],
        )


def test_clbs_and_what_is_behind_them(
    world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    network, ours = world.network(), world.account.slb
    clb = world.clb(network)
    world.clb_listener(clb)
    servers = '[{"ServerId": "10.0.0.%s", "Type": "eniip"%s}]'
    ours.AddBackendServers(LoadBalancerId=clb, BackendServers=servers % (5, ""))
    group = ours.CreateVServerGroup(
        LoadBalancerId=clb, BackendServers=servers % (5, ', "Port": 80')
    )["VServerGroupId"]
    for name in ("CLBS", "LISTENERS_PER_CLB", "VSERVER_GROUPS_PER_CLB", "BACKEND_SERVERS"):
        one_only(name)
    with refused("QuotaLimitExceeds.LoadBalancers", 400, "DeleteLoadBalancer"):
        world.clb(network)
    with refused("QuotaLimitExceeds.Listeners", 400, clb, "DeleteLoadBalancerListener"):
        world.clb_listener(clb, 81)
    with refused("QuotaLimitExceeds.VServerGroups", 400, clb, "DeleteVServerGroup"):
        ours.CreateVServerGroup(LoadBalancerId=clb)
    with refused("QuotaLimitExceeds.BackendServers", 400, clb, "VServer group"):
        ours.AddBackendServers(LoadBalancerId=clb, BackendServers=servers % (6, ""))
    with refused("QuotaLimitExceeds.BackendServers", 400, group):
        ours.AddVServerGroupBackendServers(
            VServerGroupId=group, BackendServers=servers % (6, ', "Port": 80')
        )
    world.balancer(network)  # NLBs are counted apart


def test_services_and_their_endpoints(
    world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    provider, network = world.network(), world.network()
    balancer = world.balancer(provider)
    service = world.service(balancer)
    second = world.balancer(provider)
    world.endpoint(service, network, A)
    for name in ("SERVICES", "RESOURCES_PER_SERVICE", "ENDPOINTS_PER_VPC"):
        one_only(name)
    with refused("QuotaMisMatched", 400, "DeleteVpcEndpointService"):
        world.service(balancer)
    with refused("QuotaMisMatched", 400, service, "DetachResource"):
        world.account.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=service, ResourceId=second, ResourceType="nlb", ZoneId=A
        )
    group = world.account.ecs.DescribeSecurityGroups()["SecurityGroups"]["SecurityGroup"][0]
    with refused("QuotaExceeded.totalEpPerVpc", 400, network.vpc, "DeleteVpcEndpoint"):
        world.endpoint(service, network, A, group=group["SecurityGroupId"])


def test_another_account_has_its_own(
    world: World, other: Account, one_only: Callable[[str], None]
) -> None:
    world.network()
    one_only("VPCS")
    World(other).network()


def test_resources_in_one_zone(
    world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    provider = world.network(A, B)
    service = world.service(world.balancer(provider), (A, B))
    second = world.balancer(provider)
    one_only("RESOURCES_PER_ZONE")
    with refused("QuotaMisMatched", 400, service, A, "limit of 1"):
        world.account.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=service, ResourceId=second, ResourceType="nlb", ZoneId=A
        )


def test_security_groups_and_zones_of_an_endpoint(
    world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    network = world.network(A, B)
    endpoint = world.endpoint(world.published(), network, A)
    for name in ("GROUPS_PER_ENDPOINT", "ZONES_PER_ENDPOINT"):
        one_only(name)
    group = world.group(network)
    with refused("QuotaMisMatched", 400, endpoint, "limit of 1"):
        world.account.privatelink.AttachSecurityGroupToVpcEndpoint(
            EndpointId=endpoint, SecurityGroupId=group
        )
    with refused("QuotaExceeded.epZonePerEndpoint", 400, endpoint, "RemoveZone"):
        world.account.privatelink.AddZoneToVpcEndpoint(
            EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
        )


def test_tags_and_resource_groups(
    world: World, refused: Refused, one_only: Callable[[str], None]
) -> None:
    service = world.published()
    world.resource_group()
    for name in ("TAGS_PER_RESOURCE", "RESOURCE_GROUPS"):
        one_only(name)
    with refused("QuotaExceed.TagsPerResource", 400, service, "limit of 1"):
        world.account.privatelink.TagResources(
            ResourceType="vpcendpointservice",
            ResourceId=[service],
            Tag=[{"Key": "a", "Value": ""}, {"Key": "b", "Value": ""}],
        )
    with refused("LimitExceeded.ResourceGroup", 409, "limit of 1"):
        world.resource_group("green")


def test_aliases_in_a_vpc(world: World, refused: Refused, one_only: Callable[[str], None]) -> None:
    service, network = world.published(), world.network()
    first, second = (world.endpoint(service, network, A) for _ in range(2))
    elsewhere = world.endpoint(service, world.network(), A)
    one_only("ALIASES_PER_VPC")
    create = world.account.own.call
    create("CreateEndpointAlias", EndpointId=first, Name="one.internal")
    with refused("QuotaExceeded.EndpointAlias", 400, network.vpc, "limit of 1"):
        create("CreateEndpointAlias", EndpointId=second, Name="two.internal")
    create("CreateEndpointAlias", EndpointId=elsewhere, Name="two.internal")


def limits(account: Account, **asked: str) -> dict[str, tuple[int, str]]:
    """The limit of each quota, and whom it was set for."""
    found = account.own.call("ListQuotas", **asked)["Quotas"]
    return {each["QuotaName"]: (each["Limit"], each["AccountId"]) for each in found}


def test_the_operator_sets_a_limit_for_one_account_or_for_all(
    operator: Account, other: Account, refused: Refused
) -> None:
    vpcs = quotas.VPCS.name
    assert limits(other) == {name: (quota.limit, "") for name, quota in QUOTAS.items()}
    operator.own.call("SetQuota", QuotaName=vpcs, Limit=7)
    operator.own.call("SetQuota", QuotaName=vpcs, Limit=0, AccountId=other.id)
    assert limits(operator)[vpcs] == (7, "*")
    assert limits(other)[vpcs] == limits(operator, AccountId=other.id)[vpcs] == (0, other.id)
    with refused("QuotaExceeded.Vpc", 400, "limit of 0"):
        other.vpc.CreateVpc()
    operator.own.call("ResetQuota", QuotaName=vpcs, AccountId=other.id)
    assert limits(other)[vpcs] == (7, "*")
    operator.own.call("ResetQuota", QuotaName=vpcs)
    assert limits(other)[vpcs] == (quotas.VPCS.limit, "")


def test_a_limit_is_the_operators_to_set(
    operator: Account, other: Account, refused: Refused
) -> None:
    with refused("NoPermission", 403, "operator only"):
        other.own.call("SetQuota", QuotaName=quotas.VPCS.name, Limit=7)
    with refused("AccountNotFound", 404, operator.id):
        other.own.call("ListQuotas", AccountId=operator.id)
    with refused("AccountNotFound", 404, "42"):
        operator.own.call("SetQuota", QuotaName=quotas.VPCS.name, Limit=7, AccountId="42")
    with refused("QuotaNotFound", 404, "vpcs", "ListQuotas"):
        operator.own.call("SetQuota", QuotaName="vpcs", Limit=7)
    with refused("InvalidLimit", 400, "-1"):
        operator.own.call("SetQuota", QuotaName=quotas.VPCS.name, Limit=-1)
