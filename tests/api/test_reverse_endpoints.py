"""Reverse endpoints: a provider calls its consumers' servers through a NAT gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from privlink.api.products.vpc import full_nat_entries
from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stage import Stage
from tests.api.stand_in import Item, Node
from tests.api.test_flow_records import push, refusal, told
from tests.api.world import A, B, Network, World
from tests.flow_records import a_flow


class Pair(msgspec.Struct, frozen=True):
    """A provider with a NAT gateway and a service on it, and a consumer in another account."""

    provider: World
    consumer: World
    gateway: str
    service: str
    network: Network  # the consumer's

    @property
    def table(self) -> str:
        """The gateway's full-NAT table."""
        return str(self.shown["FullNatTable"]["FullNatTableId"])

    @property
    def shown(self) -> Answer:
        """The gateway."""
        return self.provider.account.vpc.GetNatGatewayAttribute(NatGatewayId=self.gateway)

    @property
    def address(self) -> str:
        """The gateway's first address."""
        return str(self.shown["PrivateInfo"]["PrivateIpAddress"])

    def entry(self, entry: str) -> Answer:
        """An entry as it is listed."""
        (found,) = self.provider.account.vpc.ListFullNatEntries(
            NatGatewayId=self.gateway, FullNatEntryId=entry
        )["FullNatEntries"]
        return dict(found)

    def state(self, entry: str) -> tuple[str, str]:
        """The status of an entry, and why it is so."""
        found = self.provider.account.own.call("ListFullNatEntryStates", NatGatewayId=self.gateway)
        (state,) = [each for each in found["Entries"] if each["FullNatEntryId"] == entry]
        assert state["Status"] == self.entry(entry)["FullNatEntryStatus"]
        return state["Status"], state["Why"]


@pytest.fixture
def pair(operator: Account, other: Account) -> Pair:
    """Overlapping networks; the service waits for consent."""
    provider, consumer = World(operator), World(other)
    gateway = provider.nat_gateway(provider.network(A, B))
    service = provider.reverse_service(gateway, A, B, auto=False)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    return Pair(provider, consumer, gateway, service, consumer.network(A, B))


def accept(pair: Pair, endpoint: str) -> None:
    """The provider accepts a connection."""
    pair.provider.account.privatelink.EnableVpcEndpointConnection(
        ServiceId=pair.service, EndpointId=endpoint
    )


def door(node: Node, entry: str) -> Item:
    """What the node holds for an entry."""
    node.catch_up()
    return node.held[f"door/{entry}"]


@pytest.fixture
def endpoint(pair: Pair) -> str:
    """A Reverse endpoint in A, accepted."""
    made = pair.consumer.reverse_endpoint(pair.service, pair.network)
    accept(pair, made)
    return made


@pytest.fixture
def entry(pair: Pair, endpoint: str) -> str:
    """An entry that leads to the consumer's database."""
    return pair.provider.full_nat_entry(
        pair.gateway, endpoint, "10.0.0.77", 5432, NatIpPort="15432"
    )


def test_what_a_node_is_told(pair: Pair, endpoint: str, entry: str, node: Node) -> None:
    held = door(node, entry)
    forward = node.forward(endpoint)
    zone = pair.consumer.zones(endpoint)[A]
    assert (forward["address"], forward["reversed"]) == (zone["EniIp"], True)
    opening = forward["opening"]
    assert (opening["network"], opening["source"]) == (forward["network"], zone["EniIp"])
    assert opening["balancer"] == 0
    (nat,) = [item for key, item in node.held.items() if key.startswith("nat/")]
    assert (held["network"], held["address"]) == (nat["network"], pair.address)
    assert held["network"] != opening["network"]
    assert (held["protocol"], held["port"]) == ("TCP", 15432)
    assert (held["opening"], held["place"]) == (opening["number"], forward["number"])
    assert held["balancer"] not in (0, forward["number"])
    assert held["target"] == {"address": "10.0.0.77", "port": 5432, "weight": 100, "zone": ""}


def test_an_endpoint_lives_as_others_do(pair: Pair, node: Node) -> None:
    endpoint = pair.consumer.reverse_endpoint(pair.service, pair.network, A, B)
    assert pair.consumer.statuses(endpoint) == (
        "Creating",
        "Disconnected",
        {A: "Creating", B: "Creating"},
    )
    node.catch_up()
    assert pair.consumer.statuses(endpoint)[2] == {A: "Wait", B: "Wait"}
    accept(pair, endpoint)
    assert pair.consumer.statuses(endpoint)[1] == "Connecting"
    node.catch_up()
    assert pair.consumer.statuses(endpoint) == (
        "Active",
        "Connected",
        {A: "Connected", B: "Connected"},
    )
    privatelink = pair.provider.account.privatelink
    privatelink.DisableVpcEndpointZoneConnection(
        ServiceId=pair.service, EndpointId=endpoint, ZoneId=B
    )
    node.catch_up()
    assert pair.consumer.statuses(endpoint)[2] == {A: "Connected", B: "Disconnected"}
    privatelink.DisableVpcEndpointConnection(ServiceId=pair.service, EndpointId=endpoint)
    node.catch_up()
    assert pair.consumer.statuses(endpoint)[1] == "Disconnected"
    for zone in (A, B):
        pair.consumer.account.privatelink.RemoveZoneFromVpcEndpoint(
            EndpointId=endpoint, ZoneId=zone
        )
    pair.consumer.account.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    node.catch_up()
    listed = pair.consumer.account.privatelink.ListVpcEndpoints(EndpointId=endpoint)
    assert listed["TotalCount"] == 0


def test_the_consumer_is_not_told_who_of_the_provider_calls(
    pair: Pair, endpoint: str, node: Node
) -> None:
    """It sees its own server; what its own workload sends to the endpoint is its own to see."""
    node.catch_up()
    place = f"forward/{endpoint}/{A}"
    push(node, a_flow(place, inward=True))
    (seen,) = told(pair.consumer.account)
    assert (seen["ClientAddress"], seen["CalledAddress"], seen["ClientPort"]) == ("", "", 0)
    assert (seen["SourceAddress"], seen["ServerAddress"]) == ("100.64.0.1", "10.9.9.7")
    (seen,) = told(pair.provider.account)
    assert (seen["ClientAddress"], seen["ServerAddress"]) == ("10.0.0.5", "10.9.9.7")
    push(node, refusal(place, "egress_rule", inward=True), refusal(place, "not_accepted"))
    newest, before = told(pair.consumer.account)
    assert (newest["Cause"], newest["ClientAddress"]) == ("not_accepted", "10.0.0.5")
    assert before == told(pair.consumer.account, Event="closed")[0]


def test_it_has_no_domain_names(pair: Pair, endpoint: str) -> None:
    assert "EndpointDomain" not in pair.consumer.shown(endpoint)
    assert "ZoneDomain" not in pair.consumer.zones(endpoint)[A]
    (connection,) = pair.provider.account.privatelink.ListVpcEndpointConnections(
        ServiceId=pair.service
    )["Connections"]
    assert ["ZoneDomain" in zone for zone in connection["Zones"]] == [False]
    assert connection["Zones"][0]["ResourceId"] == pair.gateway


def test_a_service_says_what_it_takes(pair: Pair) -> None:
    (offered,) = pair.consumer.account.privatelink.ListVpcEndpointServicesByEndUser(
        ServiceType="Reverse"
    )["Services"]
    assert (offered["ServiceId"], offered["ServiceResourceType"]) == (pair.service, "vpcnat")
    (listed,) = pair.provider.account.privatelink.ListVpcEndpointServices(
        ServiceResourceType="vpcnat"
    )["Services"]
    assert "MaxBandwidth" not in listed
    assert listed["ServiceType"] == "Reverse"
    resources = pair.provider.account.privatelink.ListVpcEndpointServiceResources(
        ServiceId=pair.service
    )["Resources"]
    assert [(each["ZoneId"], each["Ip"]) for each in resources] == [
        (A, pair.address),
        (B, pair.address),
    ]


def test_types_must_fit(pair: Pair, refused: Refused) -> None:
    consumer, network = pair.consumer, pair.network
    group, plain = consumer.open_group(network), consumer.published()
    with refused("Mismatch.EndpointType", 400, "vpcnat", "Reverse", "Interface"):
        consumer.endpoint(pair.service, network, A, group=group)
    with refused("Mismatch.EndpointType", 400, "nlb", "Interface", "Reverse"):
        consumer.reverse_endpoint(plain, network, group=group)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"IpProtocol": "tcp", "PortRange": "1/65535"}],
        [{"SourceCidrIp": "10.0.0.0/8"}],
        [{"SourceCidrIp": None, "Ipv6SourceCidrIp": "::/0"}],
        [{}, {"Policy": "drop", "IpProtocol": "tcp", "PortRange": "22/22"}],
    ],
)
def test_its_groups_must_let_everything_in(
    pair: Pair, refused: Refused, rules: list[dict[str, Any]]
) -> None:
    group = pair.consumer.group(pair.network)
    everything = {"IpProtocol": "all", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}
    for rule in rules:
        given = {name: value for name, value in (everything | rule).items() if value is not None}
        pair.consumer.account.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[given])
    with refused("SecurityGroupTypeNotSupport", 400, group, "IPv4", "0.0.0.0/0"):
        pair.consumer.reverse_endpoint(pair.service, pair.network, group=group)


def test_a_rule_behind_the_one_that_lets_all_in_does_not_matter(pair: Pair) -> None:
    group = pair.consumer.open_group(pair.network)
    pair.consumer.let_in(group, Policy="drop", IpProtocol="tcp", PortRange="22/22", Priority="2")
    assert pair.consumer.reverse_endpoint(pair.service, pair.network, group=group)


def test_one_group_that_lets_all_in_must_stay(
    pair: Pair, endpoint: str, refused: Refused, entry: str, node: Node
) -> None:
    consumer = pair.consumer
    (opened,) = consumer.account.privatelink.ListVpcEndpointSecurityGroups(EndpointId=endpoint)[
        "SecurityGroups"
    ]
    closed = consumer.group(pair.network)
    attach = consumer.account.privatelink.AttachSecurityGroupToVpcEndpoint
    detach = consumer.account.privatelink.DetachSecurityGroupFromVpcEndpoint
    attach(EndpointId=endpoint, SecurityGroupId=closed)
    assert door(node, entry)["opening"] > 0
    with refused("SecurityGroupTypeNotSupport", 400, closed):
        detach(EndpointId=endpoint, SecurityGroupId=opened["SecurityGroupId"])
    also = consumer.open_group(pair.network)
    attach(EndpointId=endpoint, SecurityGroupId=also)
    detach(EndpointId=endpoint, SecurityGroupId=opened["SecurityGroupId"])
    assert f"door/{entry}" in _told(node)
    assert node.held[f"door/{entry}"]["opening"] > 0


def _told(node: Node) -> list[str]:
    node.pull()
    return node.seen


def test_doors_are_shut_while_a_group_does_not_let_all_in(pair: Pair, node: Node) -> None:
    group = pair.consumer.open_group(pair.network)
    endpoint = pair.consumer.reverse_endpoint(pair.service, pair.network, group=group)
    accept(pair, endpoint)
    entry = pair.provider.full_nat_entry(pair.gateway, endpoint, "10.0.0.77", 80)
    opening = door(node, entry)["opening"]
    assert opening == node.forward(endpoint)["opening"]["number"]
    pair.consumer.account.ecs.RevokeSecurityGroup(
        SecurityGroupId=group,
        Permissions=[{"IpProtocol": "all", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}],
    )
    assert f"door/{entry}" in _told(node)
    node.report()
    assert node.held[f"door/{entry}"]["opening"] == 0
    assert pair.state(entry) == (
        "Pending",
        "the endpoint's security groups do not let everything in any more.",
    )
    pair.consumer.let_in(group)
    assert door(node, entry)["opening"] == opening
    assert pair.state(entry) == ("Available", "")


def test_an_entry_is_available_once_a_byte_can_pass(
    pair: Pair, endpoint: str, entry: str, node: Node
) -> None:
    assert pair.state(entry) == ("Pending", "its node has not confirmed it yet.")
    node.catch_up()
    assert pair.state(entry) == ("Available", "")
    shown = pair.entry(entry)
    assert shown["NetworkInterfaceId"] == pair.consumer.zones(endpoint)[A]["EniId"]
    assert (shown["NatIp"], shown["NatIpPort"]) == (pair.address, "15432")
    assert (shown["AccessIp"], shown["AccessPort"]) == ("10.0.0.77", "5432")
    assert shown["NetworkInterfaceType"] == "Endpoint"
    pair.provider.account.privatelink.DisableVpcEndpointConnection(
        ServiceId=pair.service, EndpointId=endpoint
    )
    assert door(node, entry)["opening"] == 0
    assert pair.state(entry)[1].startswith("the connection of its endpoint is not accepted")
    accept(pair, endpoint)
    assert door(node, entry)["opening"] > 0
    assert pair.state(entry) == ("Available", "")


def test_an_entry_outlives_the_zone_it_leads_to(
    pair: Pair, endpoint: str, entry: str, node: Node
) -> None:
    place = door(node, entry)["place"]
    privatelink = pair.consumer.account.privatelink
    privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    held = door(node, entry)
    assert (held["opening"], held["place"]) == (0, place)
    node.catch_up()
    privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=A, VSwitchId=pair.network.vswitches[A]
    )
    assert door(node, entry)["opening"] == 0
    assert pair.state(entry)[1].startswith("the zone of the endpoint that it leads to is gone")
    eni = pair.consumer.zones(endpoint)[A]["EniId"]
    pair.provider.account.vpc.ModifyFullNatEntryAttribute(
        FullNatTableId=pair.table, FullNatEntryId=entry, NetworkInterfaceId=eni
    )
    held = door(node, entry)
    assert held["opening"] == node.forward(endpoint)["opening"]["number"]
    assert held["place"] == node.place(endpoint) != place
    assert pair.state(entry) == ("Available", "")
    privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    node.catch_up()
    assert door(node, entry)["opening"] == 0
    pair.provider.account.vpc.DeleteFullNatEntry(FullNatTableId=pair.table, FullNatEntryId=entry)
    node.catch_up()
    assert f"door/{entry}" not in node.held


def test_several_consumers_and_zones_share_a_gateway(pair: Pair, node: Node) -> None:
    second = pair.consumer.network(A, B)
    ends = [
        pair.consumer.reverse_endpoint(pair.service, network, A, B)
        for network in (pair.network, second)
    ]
    doors = []
    for endpoint in ends:
        accept(pair, endpoint)
        doors += [
            pair.provider.full_nat_entry(pair.gateway, endpoint, "10.0.0.77", 80, zone=zone)
            for zone in (A, B)
        ]
    node.catch_up()
    held = [node.held[f"door/{each}"] for each in doors]
    assert [each["port"] for each in held] == [1024, 1025, 1026, 1027]
    assert len({each["opening"] for each in held}) == 4
    assert [each["place"] for each in held] == [
        node.place(endpoint, zone) for endpoint in ends for zone in (A, B)
    ]
    found = pair.provider.account.vpc.DescribeNatGatewayAssociateNetworkInterfaces(
        NatGatewayId=pair.gateway, MaxResults=3
    )
    listed = found["AssociateNetworkInterfaces"]["AssociateNetworkInterface"]
    assert (found["TotalCount"], found["Count"], len(listed)) == (4, 3, 3)
    assert {each["ResourceOwnerId"] for each in listed} == {pair.consumer.account.id}
    assert found["NextToken"]


def test_a_consumer_says_what_may_be_called(
    pair: Pair, endpoint: str, entry: str, node: Node
) -> None:
    own = pair.consumer.account.own
    assert own.call("ListEndpointTargets", EndpointId=endpoint)["Targets"] == []
    said = own.call(
        "SetEndpointTargets",
        EndpointId=endpoint,
        Target=[
            {"CidrBlock": "10.0.0.64/28", "IpProtocol": "TCP", "PortRange": "5000/5400"},
            {"CidrBlock": "10.0.1.0/24"},
        ],
    )
    assert [each["Permitted"] for each in said["Called"]] == [False]
    assert said["Targets"] == [
        {"CidrBlock": "10.0.0.64/28", "IpProtocol": "TCP", "PortRange": "5000/5400"},
        {"CidrBlock": "10.0.1.0/24", "IpProtocol": "ALL", "PortRange": "-1/-1"},
    ]
    assert f"door/{entry}" in _told(node)
    node.report()
    held = node.held[f"door/{entry}"]
    assert held["target"] is None
    assert held["opening"] > 0
    why = "it is not among the targets that the endpoint's owner permits."
    assert pair.state(entry) == ("Pending", why)
    own.call(
        "SetEndpointTargets",
        EndpointId=endpoint,
        Target=[{"CidrBlock": "10.0.0.77/32", "IpProtocol": "TCP", "PortRange": "5432/5432"}],
    )
    assert door(node, entry)["target"]["port"] == 5432
    assert pair.state(entry) == ("Available", "")
    pair.provider.account.vpc.ModifyFullNatEntryAttribute(
        FullNatTableId=pair.table, FullNatEntryId=entry, AccessPort="22"
    )
    assert door(node, entry)["target"] is None
    own.call("SetEndpointTargets", EndpointId=endpoint)
    assert door(node, entry)["target"]["port"] == 22


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"CidrBlock": "10.0.0.1/24"}, "InvalidTarget"),
        ({"CidrBlock": "fd00::/8"}, "InvalidTarget"),
        ({"CidrBlock": "10.0.0.0/24", "IpProtocol": "ICMP"}, "InvalidTarget"),
        ({"CidrBlock": "10.0.0.0/24", "PortRange": "80/80"}, "InvalidTarget"),
        (
            {"CidrBlock": "10.0.0.0/24", "IpProtocol": "TCP", "PortRange": "9/8"},
            "InvalidTarget",
        ),
        ({"IpProtocol": "TCP"}, "MissingTarget"),
    ],
)
def test_a_target_that_is_none_is_refused(
    pair: Pair, endpoint: str, refused: Refused, target: dict[str, str], code: str
) -> None:
    with refused(code, 400, "Target.1."):
        pair.consumer.account.own.call("SetEndpointTargets", EndpointId=endpoint, Target=[target])


def test_targets_are_a_reverse_endpoints(pair: Pair, refused: Refused) -> None:
    plain = pair.consumer.endpoint(pair.consumer.published(), pair.network, A)
    with refused("EndpointTypeNotSupport", 400, plain, "Interface"):
        pair.consumer.account.own.call("SetEndpointTargets", EndpointId=plain)


def test_who_may_offer_such_services(operator: Account, other: Account, refused: Refused) -> None:
    world = World(other)
    gateway = world.nat_gateway(world.network())
    with refused("EndpointServiceResourceTypeNotSupport", 400, "SetAccountOptions", other.id):
        world.reverse_service(gateway)
    said = operator.own.call("SetAccountOptions", AccountId=other.id, ReverseServices=True)
    assert said["ReverseServices"] is True
    service = world.reverse_service(gateway)
    operator.own.call("SetAccountOptions", AccountId=other.id, ReverseServices=False)
    with refused("EndpointServiceResourceTypeNotSupport", 400, "SetAccountOptions"):
        other.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=service, ResourceId=gateway, ResourceType="vpcnat", ZoneId=B
        )
    listed = operator.own.call("ListAccounts")["Accounts"]
    assert [each["ReverseServices"] for each in listed] == [True, False]
    with refused("AccountNotFound", 404, "42"):
        operator.own.call("SetAccountOptions", AccountId="42", ReverseServices=True)


def test_resources_must_fit(operator: Account, world: World, pair: Pair, refused: Refused) -> None:
    network = world.network()
    without, balancer = world.nat_gateway(network, private_link=False), world.balancer(network)

    def attach(service: str, resource: str, kind: str, zone: str = A) -> None:
        operator.privatelink.AttachResourceToVpcEndpointService(
            ServiceId=service, ResourceId=resource, ResourceType=kind, ZoneId=zone
        )

    with refused("ResourceNotFound.NatGateway", 400, "ngw-none"):
        attach(pair.service, "ngw-none", "vpcnat")
    with refused("VpcNatServiceException", 400, without, "PrivateLinkEnabled"):
        attach(pair.service, without, "vpcnat")
    with refused("Mismatch.ResourceType", 400, balancer, "vpcnat"):
        attach(pair.service, balancer, "vpcnat")
    plain = world.service(balancer)
    with refused("Mismatch.ResourceType", 400, pair.gateway, "nlb"):
        attach(plain, pair.gateway, "nlb")
    with refused("EndpointServiceResourceExist", 400, pair.gateway):
        attach(pair.service, pair.gateway, "vpcnat")
    with refused("EndpointServiceNotSupportedZone", 400, "local-z"):
        attach(pair.service, pair.gateway, "vpcnat", "local-z")
    with refused("EndpointServiceNotSupportIpv6", 400, "vpcnat"):
        operator.privatelink.CreateVpcEndpointService(
            ServiceResourceType="vpcnat", AddressIpVersion="DualStack"
        )


def test_nothing_is_said_of_bandwidth(pair: Pair, endpoint: str, refused: Refused) -> None:
    code = "OperationDenied.VpcNatServiceResourceTypeNotSupportBandwidth"
    privatelink = pair.provider.account.privatelink
    with refused(code, 400, "Bandwidth 500", pair.service):
        privatelink.UpdateVpcEndpointConnectionAttribute(
            ServiceId=pair.service, EndpointId=endpoint, Bandwidth=500
        )
    with refused(code, 400, "TrafficControlMode"):
        privatelink.UpdateVpcEndpointConnectionAttribute(
            ServiceId=pair.service, EndpointId=endpoint, TrafficControlMode="BandwidthLimit"
        )
    with refused(code, 400, "ConnectBandwidth 500"):
        privatelink.UpdateVpcEndpointServiceAttribute(ServiceId=pair.service, ConnectBandwidth=500)


def test_zones_do_not_move_to_another_gateway(pair: Pair, endpoint: str, refused: Refused) -> None:
    with refused("EndpointServiceResourceTypeNotSupport", 400, "full-NAT entries"):
        pair.provider.account.privatelink.UpdateVpcEndpointZoneConnectionResourceAttribute(
            ServiceId=pair.service, EndpointId=endpoint, ZoneId=A, ResourceReplaceMode="Force"
        )


def test_what_is_in_use_stays(
    pair: Pair, endpoint: str, entry: str, refused: Refused, node: Node
) -> None:
    vpc, privatelink = pair.provider.account.vpc, pair.provider.account.privatelink
    with refused("DependencyViolation.FullNatEntry", 400, entry):
        vpc.DeleteNatGateway(NatGatewayId=pair.gateway)
    with refused("EndpointServiceConnectionDependence", 400, endpoint):
        privatelink.DetachResourceFromVpcEndpointService(
            ServiceId=pair.service, ResourceId=pair.gateway, ZoneId=A
        )
    vpc.DeleteFullNatEntry(FullNatTableId=pair.table, FullNatEntryId=entry)
    with refused("DependencyViolation.VpcEndpointService", 400, pair.service):
        vpc.DeleteNatGateway(NatGatewayId=pair.gateway)
    privatelink.DisableVpcEndpointConnection(ServiceId=pair.service, EndpointId=endpoint)
    node.catch_up()
    for zone in (A, B):
        privatelink.DetachResourceFromVpcEndpointService(
            ServiceId=pair.service, ResourceId=pair.gateway, ZoneId=zone
        )
    vpc.DeleteNatGateway(NatGatewayId=pair.gateway)


def test_an_address_that_is_used_stays(pair: Pair, endpoint: str, refused: Refused) -> None:
    vpc = pair.provider.account.vpc
    added = vpc.CreateNatIp(NatGatewayId=pair.gateway, NatIpCidr="10.0.0.0/24")
    entry = pair.provider.full_nat_entry(
        pair.gateway, endpoint, "10.0.0.77", 80, NatIp=added["NatIp"], NatIpPort="80"
    )
    with refused("DependencyViolation.FullNatEntry", 400, entry):
        vpc.DeleteNatIp(NatIpId=added["NatIpId"])


def test_what_entries_cannot_be(pair: Pair, endpoint: str, entry: str, refused: Refused) -> None:
    vpc = pair.provider.account.vpc
    good = {
        "FullNatTableId": pair.table,
        "IpProtocol": "TCP",
        "NatIp": pair.address,
        "NetworkInterfaceId": pair.consumer.zones(endpoint)[A]["EniId"],
        "AccessIp": "10.0.0.78",
        "AccessPort": "80",
    }
    waiting = pair.consumer.reverse_endpoint(pair.service, pair.network, B)
    waits = pair.consumer.zones(waiting)[B]["EniId"]
    plain = pair.consumer.endpoint(pair.consumer.published(), pair.network, A)
    strange = pair.consumer.zones(plain)[A]["EniId"]
    for given, code, status, word in (
        ({"FullNatTableId": "fulltb-none"}, "InvalidFullNatTableId.NotFound", 404, "fulltb-none"),
        ({"IpProtocol": "ANY"}, "InvalidIpProtocol", 400, "TCP or UDP"),
        ({"NatIp": "10.0.0.200"}, "InvalidNatIp.NotFound", 404, pair.address),
        ({"NatIpPort": "0"}, "InvalidNatIpPort", 400, "1 to 65535"),
        ({"NatIpPort": "15432"}, "ResourceAlreadyExist.FullNatEntry", 400, "15432"),
        ({"AccessPort": "65536"}, "InvalidAccessPort", 400, "1 to 65535"),
        ({"AccessIp": "192.168.0.1"}, "InvalidAccessIp", 400, "192.168.0.1"),
        ({"AccessIp": "db"}, "InvalidAccessIp", 400, "'db'"),
        ({"AccessIp": None}, "MissingAccessIp", 400, "AccessIp"),
        ({"AccessDomain": "db.example"}, "InvalidAccessDomain", 400, "one of both"),
        ({"NetworkInterfaceId": waits}, "IncorrectStatus.NetworkInterface", 400, waiting),
        ({"NetworkInterfaceId": strange}, "InvalidNetworkInterfaceId.NotFound", 404, strange),
        ({"NetworkInterfaceId": "eni-no"}, "InvalidNetworkInterfaceId.NotFound", 404, "eni-no"),
    ):
        asked = {name: each for name, each in (good | given).items() if each is not None}
        with refused(code, status, word):
            vpc.CreateFullNatEntry(**asked)
    with refused("InvalidFullNatEntryId.NotFound", 404, "fullnat-none"):
        vpc.DeleteFullNatEntry(FullNatTableId=pair.table, FullNatEntryId="fullnat-none")
    with refused("MissingNatGatewayId", 400, "FullNatTableId"):
        vpc.ListFullNatEntries()


def test_a_gateway_without_privatelink_has_no_entries(
    world: World, operator: Account, refused: Refused
) -> None:
    gateway = world.nat_gateway(world.network(), private_link=False)
    shown = operator.vpc.GetNatGatewayAttribute(NatGatewayId=gateway)
    assert "PrivateLinkMode" not in shown
    with refused("OperationUnsupported.FullNatEntry", 400, gateway, "PrivateLinkEnabled"):
        operator.vpc.CreateFullNatEntry(
            FullNatTableId=shown["FullNatTable"]["FullNatTableId"],
            IpProtocol="TCP",
            NatIp=shown["PrivateInfo"]["PrivateIpAddress"],
            NetworkInterfaceId="eni-none",
            AccessIp="10.0.0.9",
            AccessPort="80",
        )


def test_entries_move_and_are_listed(
    pair: Pair, endpoint: str, entry: str, node: Node, refused: Refused
) -> None:
    vpc = pair.provider.account.vpc
    also = pair.provider.full_nat_entry(
        pair.gateway, endpoint, "10.0.0.77", 53, IpProtocol="UDP", NatIpPort="15432"
    )
    node.catch_up()
    place = {"FullNatTableId": pair.table, "FullNatEntryId": entry}
    vpc.ModifyFullNatEntryAttribute(**place, FullNatEntryName="db", FullNatEntryDescription="it")
    assert node.pull()["Items"] == []
    with refused("ResourceAlreadyExist.FullNatEntry", 400, "UDP port 15432"):
        vpc.ModifyFullNatEntryAttribute(**place, IpProtocol="UDP")
    vpc.ModifyFullNatEntryAttribute(**place, IpProtocol="UDP", NatIpPort="54", AccessIp="10.0.0.9")
    held = door(node, entry)
    assert (held["protocol"], held["port"], held["target"]["address"]) == ("UDP", 54, "10.0.0.9")
    eni = pair.consumer.zones(endpoint)[A]["EniId"]
    both = sorted([entry, also])
    for filters, expected in (
        ({"NatGatewayId": pair.gateway}, both),
        ({"FullNatTableId": pair.table}, both),
        ({"FullNatTableId": pair.table, "FullNatEntryNames": ["db"]}, [entry]),
        ({"FullNatTableId": pair.table, "NatIpPort": "15432"}, [also]),
        ({"FullNatTableId": pair.table, "IpProtocol": "TCP"}, []),
        ({"FullNatTableId": pair.table, "NatIp": "10.0.0.222"}, []),
        ({"FullNatTableId": pair.table, "NetworkInterfaceIds": [eni]}, both),
    ):
        found = vpc.ListFullNatEntries(**filters)
        assert [each["FullNatEntryId"] for each in found["FullNatEntries"]] == expected, filters
        assert found["TotalCount"] == len(expected)
    first = vpc.ListFullNatEntries(NatGatewayId=pair.gateway, MaxResults=1)
    then = vpc.ListFullNatEntries(NatGatewayId=pair.gateway, NextToken=first["NextToken"])
    assert [each["FullNatEntryId"] for each in then["FullNatEntries"]] == both[1:]


def test_quotas_of_the_provider_hold(
    operator: Account, pair: Pair, endpoint: str, entry: str, refused: Refused
) -> None:
    quota = {"AccountId": operator.id, "Limit": 1}
    operator.own.call("SetQuota", QuotaName="vpcnatgw_quota_full_nat_entries", **quota)
    with refused("QuotaExceeded.FullNatEntry", 400, pair.gateway):
        pair.provider.full_nat_entry(pair.gateway, endpoint, "10.0.0.77", 80)
    operator.own.call("SetQuota", QuotaName="vpcnatgw_quota_network_interfaces", **quota)
    said = operator.vpc.VpcDescribeVpcNatGatewayNetworkInterfaceQuota(NatGatewayId=pair.gateway)
    assert said["Quota"] == 1
    group = pair.consumer.open_group(pair.network)
    with refused("QuotaMisMatched", 400, pair.gateway):
        pair.consumer.reverse_endpoint(pair.service, pair.network, group=group)
    with refused("QuotaMisMatched", 400, pair.gateway):
        pair.consumer.account.privatelink.AddZoneToVpcEndpoint(
            EndpointId=endpoint, ZoneId=B, VSwitchId=pair.network.vswitches[B]
        )


def test_a_service_that_goes_shuts_its_doors(
    pair: Pair, endpoint: str, entry: str, node: Node
) -> None:
    privatelink = pair.provider.account.privatelink
    privatelink.DisableVpcEndpointConnection(ServiceId=pair.service, EndpointId=endpoint)
    node.catch_up()
    privatelink.DeleteVpcEndpointService(ServiceId=pair.service)
    assert door(node, entry)["opening"] == 0
    assert pair.consumer.shown(endpoint)["ConnectionStatus"] == "ServiceDeleted"
    assert pair.state(entry)[0] == "Pending"


def printed(stage: Stage, account: Account, *arguments: str, code: int = 0) -> str:
    environment = {
        "PRIVLINK_SERVER": stage.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": account.key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.secret,
    }
    command = [sys.executable, "-m", "privlink", *arguments]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_the_same_by_commands(
    stage: Stage, operator: Account, other: Account, pair: Pair, endpoint: str, entry: str
) -> None:
    said = printed(stage, operator, "account", "option", other.id, "--reverse-services")
    assert said == "account other may offer services for Reverse endpoints\n"
    said = printed(stage, operator, "account", "option", other.id, "--no-reverse-services")
    assert said == "account other may not offer services for Reverse endpoints\n"
    assert "everything may be called" in printed(stage, other, "endpoint-targets", endpoint)
    permit = ("--permit", "10.0.0.9/32,tcp,443/443", "--permit", "10.0.1.0/24")
    said = printed(stage, other, "endpoint-targets", endpoint, *permit)
    assert "443/443" in said
    assert "10.0.0.77" in said
    shown = json.loads(printed(stage, other, "endpoint-targets", endpoint, "-o", "json"))
    assert [each["Permitted"] for each in shown["Called"]] == [False]
    said = printed(stage, other, "endpoint-targets", endpoint, "--permit-all")
    assert "everything may be called" in said
    printed(stage, other, "endpoint-targets", endpoint, "--permit-all", *permit, code=2)


def test_the_last_free_port_is_followed_by_a_refusal(
    pair: Pair, endpoint: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_nat_entries, "_LAST", 1025)
    for port in ("1024", "1025"):
        entry = pair.provider.full_nat_entry(pair.gateway, endpoint, "10.0.0.77", 80)
        assert pair.entry(entry)["NatIpPort"] == port
    with refused("ResourceNotEnough.NatIpPort", 400, "TCP", pair.address):
        pair.provider.full_nat_entry(pair.gateway, endpoint, "10.0.0.77", 80)
