"""One account cannot fill what others share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from privlink.rules import quotas
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.world import A, World


@pytest.fixture
def one_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let there be one of something, so that the second meets the limit."""

    def one_only(name: str) -> None:
        quota = getattr(quotas, name)
        monkeypatch.setattr(quotas, name, msgspec.structs.replace(quota, limit=1))

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
    with refused("QuotaMisMatched", 400, network.vpc, "DeleteVpcEndpoint"):
        world.endpoint(service, network, A, group=group["SecurityGroupId"])


def test_another_account_has_its_own(
    world: World, other: Account, one_only: Callable[[str], None]
) -> None:
    world.network()
    one_only("VPCS")
    World(other).network()
