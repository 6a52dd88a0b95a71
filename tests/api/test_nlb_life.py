"""NLB: what happens to a load balancer after it was made: lists, changes, protection, jobs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stand_in import Node
from tests.api.world import A, B, World

TAG = [{"Key": "team", "Value": "red"}]


def test_the_zones_are_a_flat_list(operator: Account) -> None:
    zones = operator.nlb.DescribeZones()["Zones"]
    assert [zone["ZoneId"] for zone in zones] == ["local-a", "local-b", "local-c"]
    assert operator.nlb.DescribeZones(ServiceCode="nlb")["Zones"] == zones
    assert operator.nlb.DescribeZones(ServiceCode="alb")["Zones"] == []


def test_everything_that_terraform_gives_comes_back(operator: Account, world: World) -> None:
    network, group = world.network(), world.resource_group()
    balancer = operator.nlb.CreateLoadBalancer(
        VpcId=network.vpc,
        AddressType="Intranet",
        AddressIpVersion="Ipv4",
        LoadBalancerType="Network",
        LoadBalancerName="web",
        LoadBalancerBillingConfig={"PayType": "PostPay"},
        DeletionProtectionConfig={"Enabled": True, "Reason": "in use"},
        ModificationProtectionConfig={"Status": "ConsoleProtection", "Reason": "by code alone"},
        ResourceGroupId=group,
        Tag=TAG,
        ZoneMappings=[{"ZoneId": A, "VSwitchId": network.vswitch}],
    )["LoadbalancerId"]
    shown = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    assert shown["ResourceGroupId"] == group
    assert shown["Tags"] == [{"TagKey": "team", "TagValue": "red"}]
    assert shown["LoadBalancerBillingConfig"] == {"PayType": "PostPay"}
    assert (shown["LoadBalancerType"], shown["AddressIpVersion"]) == ("Network", "ipv4")
    assert shown["SecurityGroupIds"] == []
    since = shown["CreateTime"]
    assert shown["DeletionProtectionConfig"] == {
        "Enabled": True,
        "EnabledTime": since,
        "Reason": "in use",
    }
    assert shown["ModificationProtectionConfig"] == {
        "Status": "ConsoleProtection",
        "EnabledTime": since,
        "Reason": "by code alone",
    }


def test_what_cannot_be_had_is_refused(operator: Account, world: World, refused: Refused) -> None:
    network = world.network()
    asked: dict[str, Any] = {
        "VpcId": network.vpc,
        "AddressType": "Intranet",
        "ZoneMappings": [{"ZoneId": A, "VSwitchId": network.vswitch}],
    }
    create = operator.nlb.CreateLoadBalancer
    with refused("InvalidAddressIpVersion", 400, "'ipv6'", "Ipv4 or DualStack"):
        create(**asked, AddressIpVersion="ipv6")
    with refused("InvalidLoadBalancerBillingConfig", 400, "'PrePay'", "only PostPay"):
        create(**asked, LoadBalancerBillingConfig={"PayType": "PrePay"})
    with refused("InvalidDeletionProtectionReason", 400, "goes with protection"):
        create(**asked, DeletionProtectionConfig={"Enabled": False, "Reason": "none"})
    with refused("UnsupportedParameter.BandwidthPackageId", 400, "does not act on"):
        create(**asked, BandwidthPackageId="cbwp-1")
    with refused("InvalidResourceGroup", 400, "'rg-none'"):
        create(**asked, ResourceGroupId="rg-none")


def test_a_protected_balancer_stays(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    balancer = world.balancer(world.network())
    update = operator.nlb.UpdateLoadBalancerProtection
    update(
        LoadBalancerId=balancer,
        DeletionProtectionEnabled=True,
        DeletionProtectionReason="the shop",
    )
    with refused("OperationDenied.DeletionProtectionEnabled", 400, balancer, "the shop"):
        operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    update(LoadBalancerId=balancer, ModificationProtectionStatus="ConsoleProtection")
    update(LoadBalancerId=balancer, DeletionProtectionReason="still the shop")
    shown = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    assert shown["DeletionProtectionConfig"]["Reason"] == "still the shop"
    assert shown["ModificationProtectionConfig"]["Status"] == "ConsoleProtection"
    update(LoadBalancerId=balancer, DeletionProtectionEnabled=False)
    with refused("InvalidDeletionProtectionReason", 400, "goes with protection"):
        update(LoadBalancerId=balancer, DeletionProtectionReason="none")
    shown = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)
    assert shown["DeletionProtectionConfig"] == {"Enabled": False, "Reason": ""}
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)


def test_a_balancer_that_carries_a_service_stays(
    operator: Account, world: World, refused: Refused
) -> None:
    balancer = world.balancer(world.network())
    service = world.service(balancer)
    with refused("DependencyViolation", 400, balancer, service):
        operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)


def test_a_job_is_done_when_the_nodes_have_it(operator: Account, world: World, node: Node) -> None:
    balancer = world.balancer(world.network())
    node.catch_up()
    renamed = operator.nlb.UpdateLoadBalancerAttribute(
        LoadBalancerId=balancer, LoadBalancerName="shop", CrossZoneEnabled=True
    )
    assert operator.nlb.GetJobStatus(JobId=renamed["JobId"])["Status"] == "Succeeded"
    assert (
        operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=balancer)["LoadBalancerName"] == "shop"
    )
    job = operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)["JobId"]
    assert operator.nlb.GetJobStatus(JobId=job)["Status"] == "Processing"
    node.catch_up()
    assert operator.nlb.GetJobStatus(JobId=job)["Status"] == "Succeeded"


def test_a_job_nobody_began_is_not_found(
    operator: Account, other: Account, world: World, node: Node, refused: Refused
) -> None:
    for made_up in ("1", "job-1", "00000000-0001-0000-0000-000000000000", "{}", "端"):
        with refused("ResourceNotFound.Job", 404, repr(made_up)):
            operator.nlb.GetJobStatus(JobId=made_up)
    node.catch_up()
    job = operator.nlb.DeleteLoadBalancer(LoadBalancerId=world.balancer(world.network()))["JobId"]
    for made_up in (job[:-1] + ("0" if job[-1] != "0" else "1"), job.upper() + " ", f"{{{job}}}"):
        with refused("ResourceNotFound.Job", 404, repr(made_up)):
            operator.nlb.GetJobStatus(JobId=made_up)
    with refused("ResourceNotFound.Job", 404, repr(job)):
        other.nlb.GetJobStatus(JobId=job)


def test_balancers_are_listed_by_what_is_asked(operator: Account, world: World, node: Node) -> None:
    here, there = world.network(A, B), world.network()
    first, second = world.balancer(here), world.balancer(there)
    world.clb(here)  # which is no NLB
    operator.nlb.UpdateLoadBalancerAttribute(LoadBalancerId=first, LoadBalancerName="shop")
    operator.nlb.TagResources(ResourceType="loadbalancer", ResourceId=[first], Tag=TAG)
    node.catch_up()
    listed = operator.nlb.ListLoadBalancers
    for filters, found in (
        ({}, {first, second}),
        ({"LoadBalancerIds": [second]}, {second}),
        ({"LoadBalancerNames": ["shop", "other"]}, {first}),
        ({"VpcIds": [there.vpc]}, {second}),
        ({"ZoneId": B}, {first}),
        ({"LoadBalancerStatus": "Active"}, {first, second}),
        ({"LoadBalancerStatus": "Provisioning"}, set()),
        ({"AddressType": "Internet"}, set()),
        ({"Tag": TAG}, {first}),
        ({"ResourceGroupId": "rg-none"}, set()),
    ):
        answer = listed(**filters)
        assert {each["LoadBalancerId"] for each in answer["LoadBalancers"]} == found, filters
        assert answer["TotalCount"] == len(found)
    page = listed(MaxResults=1)
    rest = listed(MaxResults=1, NextToken=page["NextToken"])
    assert "NextToken" not in rest
    both = page["LoadBalancers"] + rest["LoadBalancers"]
    assert {each["LoadBalancerId"] for each in both} == {first, second}
    (one,) = listed(LoadBalancerIds=[first])["LoadBalancers"]
    assert one["Tags"] == TAG
    shown = operator.nlb.GetLoadBalancerAttribute(LoadBalancerId=first)
    differing = {"RequestId": "", "Tags": []}  # which are spelt another way
    assert one | differing == shown | differing


def test_what_is_true_of_a_group_may_be_said_of_it(
    operator: Account, world: World, refused: Refused
) -> None:
    network = world.network()
    create = operator.nlb.CreateServerGroup
    asked = {"VpcId": network.vpc, "ServerGroupName": "web", "ServerGroupType": "Ip"}
    made = create(
        **asked,
        AddressIPVersion="Ipv4",
        Scheduler="Wrr",
        HealthCheckConfig={"HealthCheckEnabled": False},
        ConnectionDrainEnabled=False,
        PreserveClientIpEnabled=False,
        AnyPortEnabled=False,
        Tag=TAG,
    )
    (group,) = operator.nlb.ListServerGroups(ServerGroupIds=[made["ServerGroupId"]])["ServerGroups"]
    assert group["HealthCheck"]["HealthCheckEnabled"] is False
    assert (group["ServerGroupStatus"], group["ServerCount"]) == ("Available", 0)
    assert group["Tags"] == TAG
    for more, words in (
        ({"PreserveClientIpEnabled": True}, "only false"),
        ({"AnyPortEnabled": "yes"}, "or false"),
        ({"AddressIPVersion": "ipv6"}, "Ipv4 or DualStack"),
        ({"Scheduler": "Qch"}, "no QUIC ids"),
    ):
        (name,) = more
        with pytest.raises(Exception, match=words) as caught:
            create(**asked, **more)
        assert name in str(caught.value)
    with refused("UnsupportedParameter.IpVersionAffinityMode", 400, "does not act on"):
        create(**asked, IpVersionAffinityMode="NonAffinity")


def test_groups_and_their_servers_are_listed(operator: Account, world: World) -> None:
    here, there = world.network(), world.network()
    group, bare = world.server_group(here, "10.0.0.5", "10.0.0.6"), world.server_group(there)
    balancer = world.balancer(here)
    world.listener(balancer, group)
    listed = operator.nlb.ListServerGroups
    for filters, found in (
        ({}, {group, bare}),
        ({"VpcId": there.vpc}, {bare}),
        ({"ServerGroupNames": ["web"]}, {group, bare}),
        ({"ServerGroupType": "Instance"}, set()),
        ({"ServerGroupIds": [group]}, {group}),
    ):
        answer = listed(**filters)
        assert {each["ServerGroupId"] for each in answer["ServerGroups"]} == found, filters
    (one,) = listed(ServerGroupIds=[group])["ServerGroups"]
    assert (one["ServerCount"], one["RelatedLoadBalancerIds"]) == (2, [balancer])
    servers = operator.nlb.ListServerGroupServers(ServerGroupId=group)
    assert [each["ServerIp"] for each in servers["Servers"]] == ["10.0.0.5", "10.0.0.6"]
    assert (servers["Servers"][0]["Port"], servers["Servers"][0]["Weight"]) == (80, 100)
    (only,) = operator.nlb.ListServerGroupServers(ServerGroupId=group, ServerIps=["10.0.0.6"])[
        "Servers"
    ]
    assert only["ServerId"] == "10.0.0.6"
    page = operator.nlb.ListServerGroupServers(ServerGroupId=group, MaxResults=1)
    rest = operator.nlb.ListServerGroupServers(ServerGroupId=group, NextToken=page["NextToken"])
    assert [each["ServerIp"] for each in rest["Servers"]] == ["10.0.0.6"]


def test_a_server_taken_out_gets_no_new_flows(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.5", "10.0.0.6")
    world.listener(balancer, group)
    node.catch_up()
    out = {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 80}
    remove = operator.nlb.RemoveServersFromServerGroup
    with refused("ResourceNotFound.BackendServer", 404, "10.0.0.5 port 81", group):
        remove(ServerGroupId=group, Servers=[out, {**out, "Port": 81}])
    job = remove(ServerGroupId=group, Servers=[out])["JobId"]
    assert operator.nlb.GetJobStatus(JobId=job)["Status"] == "Processing"
    node.catch_up()
    assert node.seen == [f"balancer/{balancer}/local-a"]
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    assert [each["address"] for each in told["servers"]] == ["10.0.0.6"]
    with refused("ResourceNotFound.BackendServer", 404, "10.0.0.5 port 80"):
        remove(ServerGroupId=group, Servers=[out])


def test_a_stopped_listener_takes_no_new_flows(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.5")
    listener = world.listener(balancer, group)
    node.catch_up()

    def status() -> str:
        return str(operator.nlb.GetListenerAttribute(ListenerId=listener)["ListenerStatus"])

    def weights() -> list[int]:
        (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
        return [server["weight"] for server in told["servers"]]

    operator.nlb.StopListener(ListenerId=listener)
    assert status() == "Stopping"
    node.catch_up()
    assert status() == "Stopped"
    assert weights() == [0]  # it keeps the flows it has
    operator.nlb.StartListener(ListenerId=listener)
    node.catch_up()
    assert status() == "Running"
    assert weights() == [100]


def test_a_listener_moves_to_another_group(
    operator: Account, world: World, node: Node, refused: Refused
) -> None:
    network, elsewhere = world.network(), world.network()
    balancer = world.balancer(network)
    listener = world.listener(balancer, world.server_group(network, "10.0.0.5"))
    other = world.server_group(network, "10.0.0.6")
    operator.nlb.UpdateListenerAttribute(
        ListenerId=listener, ServerGroupId=other, ListenerDescription="the shop"
    )
    node.pull()
    (told,) = node.held[f"balancer/{balancer}/local-a"]["listeners"]
    assert [each["address"] for each in told["servers"]] == ["10.0.0.6"]
    shown = operator.nlb.GetListenerAttribute(ListenerId=listener)
    assert (shown["ServerGroupId"], shown["ListenerDescription"]) == (other, "the shop")
    far = world.server_group(elsewhere)
    with refused("Mismatch.VpcId", 400, elsewhere.vpc):
        operator.nlb.UpdateListenerAttribute(ListenerId=listener, ServerGroupId=far)
    with refused("InvalidCps", 400, "only 0"):
        operator.nlb.UpdateListenerAttribute(ListenerId=listener, Cps=5)


def test_listeners_are_listed_by_what_is_asked(operator: Account, world: World) -> None:
    network = world.network()
    first, second = world.balancer(network), world.balancer(network)
    group = world.server_group(network)
    one, two = world.listener(first, group), world.listener(second, group, 81)
    operator.nlb.TagResources(ResourceType="listener", ResourceId=[two], Tag=TAG)
    world.clb_listener(world.clb(network))  # which is not of an NLB
    for filters, found in (
        ({}, {one, two}),
        ({"LoadBalancerIds": [first]}, {one}),
        ({"ListenerIds": [two]}, {two}),
        ({"ListenerProtocol": "UDP"}, set()),
        ({"Tag": TAG}, {two}),
    ):
        answer = operator.nlb.ListListeners(**filters)
        assert {each["ListenerId"] for each in answer["Listeners"]} == found, filters
        assert answer["TotalCount"] == len(found)


def test_tags_and_groups_go_with_what_has_them(
    operator: Account, world: World, refused: Refused
) -> None:
    network, group = world.network(), world.resource_group()
    balancer, servers = world.balancer(network), world.server_group(network)
    listener = world.listener(balancer, servers)
    kinds = {"loadbalancer": balancer, "servergroup": servers, "listener": listener}
    for kind, each in kinds.items():
        operator.nlb.TagResources(ResourceType=kind, ResourceId=[each], Tag=TAG)
        operator.nlb.TagResources(ResourceType=kind, ResourceId=[each], Tag=TAG)
        (tag,) = operator.nlb.ListTagResources(ResourceType=kind, ResourceId=[each])["TagResources"]
        assert (tag["ResourceId"], tag["TagKey"], tag["TagValue"]) == (each, "team", "red")
    for kind in ("loadbalancer", "servergroup"):
        operator.nlb.MoveResourceGroup(
            ResourceType=kind, ResourceId=kinds[kind], NewResourceGroupId=group
        )
    with refused("InvalidResourceType", 400, "'listener'", "loadbalancer or servergroup"):
        operator.nlb.MoveResourceGroup(
            ResourceType="listener", ResourceId=listener, NewResourceGroupId=group
        )
    (one,) = operator.nlb.ListServerGroups(ResourceGroupId=group)["ServerGroups"]
    assert one["ServerGroupId"] == servers
    operator.nlb.UntagResources(ResourceType="servergroup", ResourceId=[servers], TagKey=["team"])
    assert operator.nlb.ListServerGroups(Tag=TAG)["ServerGroups"] == []
    operator.nlb.DeleteLoadBalancer(LoadBalancerId=balancer)
    for kind in ("loadbalancer", "listener"):
        assert operator.nlb.ListTagResources(ResourceType=kind, Tag=TAG)["TagResources"] == []
