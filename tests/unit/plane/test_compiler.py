"""From resources to what a node is told."""

from __future__ import annotations

from ipaddress import IPv4Address

import msgspec
import pytest

from privlink.model import items
from privlink.model.balancer import GroupServer, Listener, LoadBalancer
from privlink.model.ids import (
    AccountId,
    AttachmentId,
    EndpointId,
    EniId,
    ListenerId,
    LoadBalancerId,
    SecurityGroupId,
    ServerGroupId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.network import Attachment, Eni, EniOwner, Vpc, VSwitch
from privlink.model.parts import (
    AttachmentParts,
    BalancerParts,
    FilterParts,
    ForwardParts,
    MembersParts,
    SegmentParts,
)
from privlink.model.privatelink import EndpointZone, ResourceType
from privlink.model.security import Direction, SecurityGroup, SecurityGroupRule
from privlink.plane import compiler

US = AccountId("1")


def number(address: str) -> int:
    """An address as the database has it."""
    return int(IPv4Address(address))


VPC = Vpc(VpcId("vpc-1"), 7, US, "10.0.0.0/16", "", "", "")
PROVIDER = Vpc(VpcId("vpc-2"), 8, US, "10.0.0.0/16", "", "", "")
VSWITCH = VSwitch(
    id=VSwitchId("vsw-1"),
    number=3,
    vpc_id=VPC.id,
    account_id=US,
    zone_id=ZoneId("local-a"),
    cidr="10.0.0.0/24",
    name="",
    description="",
    created_at="",
    next_address=0,
)
ENI = Eni(
    EniId("eni-1"),
    VPC.id,
    VSWITCH.id,
    number("10.0.0.80"),
    "02:00:00:00:00:01",
    EniOwner.ENDPOINT,
    "ep-1",
    "",
)
BALANCER = LoadBalancer(
    LoadBalancerId("nlb-1"), 5, US, PROVIDER.id, ResourceType.NLB, "Intranet", "", ""
)
ZONE = EndpointZone(
    endpoint_id=EndpointId("ep-1"),
    zone_id=ZoneId("local-a"),
    vswitch_id=VSWITCH.id,
    eni_id=ENI.id,
    resource_id=BALANCER.id,
    provider_vpc_id=PROVIDER.id,
    source=number("100.64.0.1"),
    opening=9,
    initial=True,
    placed=True,
    deleting=False,
    cut=False,
    replaced_resource_id=None,
    replaced_vpc_id=None,
    replaced_source=None,
    replaced_opening=None,
)


def listener(port: int, group: str) -> Listener:
    """A TCP listener of the balancer."""
    name = ListenerId(f"lsn-{port}")
    return Listener(name, US, BALANCER.id, "TCP", port, port, ServerGroupId(group), "")


def server(group: str, address: str, weight: int = 100) -> GroupServer:
    """A server on port 80."""
    return GroupServer(ServerGroupId(group), "Ip", address, address, 80, weight, "")


def rule(name: str, priority: int, policy: str, low: int = 80, high: int = 80) -> SecurityGroupRule:
    """A rule for 10.0.0.0/8."""
    group = SecurityGroupId("sg-1")
    protocol = "ICMP" if low == -1 else "TCP"
    return SecurityGroupRule(
        name, group, policy, priority, protocol, low, high, "10.0.0.0/8", "", "", Direction.INGRESS
    )


def group(which: int) -> SecurityGroup:
    """A security group by number."""
    name = SecurityGroupId(f"sg-{which}")
    return SecurityGroup(name, which, US, VPC.id, "normal", "", "", "", "Accept")


def test_a_segment_has_the_gateway_third_from_the_end() -> None:
    assert compiler.segment(SegmentParts(VSWITCH, VPC)) == items.Segment(
        3, 7, "10.0.0.0/24", "10.0.0.253"
    )


def test_an_attachment_knows_its_segment_and_network() -> None:
    attachment = Attachment(AttachmentId("att-1"), 11, US, VSWITCH.id, ENI.id, True, False, "")
    assert compiler.attachment(AttachmentParts(attachment, ENI, VSWITCH, VPC)) == items.Attachment(
        number=11,
        segment=3,
        network=7,
        cidr="10.0.0.0/24",
        address="10.0.0.80",
        mac="02:00:00:00:00:01",
    )


def test_each_listener_has_the_servers_of_its_group_that_take_new_flows() -> None:
    listeners = (listener(80, "sgp-1"), listener(443, "sgp-2"), listener(81, "sgp-3"))
    servers = (
        server("sgp-1", "10.0.0.5", 30),
        server("sgp-1", "10.0.0.6", 0),
        server("sgp-2", "10.0.0.7"),
    )
    compiled = compiler.balancer(BalancerParts(BALANCER, listeners, servers))
    tcp = items.Protocol.TCP
    assert compiled == items.Balancer(
        5,
        (
            items.Listener(tcp, 80, 80, (items.Server("10.0.0.5", 80, 30),)),
            items.Listener(tcp, 443, 443, (items.Server("10.0.0.7", 80, 100),)),
            items.Listener(tcp, 81, 81, ()),
        ),
    )


def test_a_listener_that_is_stopped_is_not_there() -> None:
    stopped = msgspec.structs.replace(listener(80, "sgp-1"), started=False)
    parts = BalancerParts(
        BALANCER, (stopped, listener(81, "sgp-1")), (server("sgp-1", "10.0.0.5"),)
    )
    assert [each.first for each in compiler.balancer(parts).listeners] == [81]


def test_a_load_balancer_that_is_not_active_has_no_listeners() -> None:
    inactive = msgspec.structs.replace(BALANCER, active=False)
    parts = BalancerParts(inactive, (listener(80, "sgp-1"),), (server("sgp-1", "10.0.0.5"),))
    assert compiler.balancer(parts) == items.Balancer(5, ())


def test_default_servers_have_the_port_of_the_listener() -> None:
    default = msgspec.structs.replace(server("lb-1", "10.0.0.5", 40), port=0)
    parts = BalancerParts(
        BALANCER,
        (
            msgspec.structs.replace(listener(80, "lb-1"), server_port=8080),
            msgspec.structs.replace(listener(81, "lb-1"), server_port=8081),
        ),
        (default,),
    )
    assert [each.servers for each in compiler.balancer(parts).listeners] == [
        (items.Server("10.0.0.5", 8080, 40),),
        (items.Server("10.0.0.5", 8081, 40),),
    ]


def test_tcp_and_udp_on_one_port_are_two_listeners() -> None:
    tcp = listener(53, "sgp-1")
    parts = BalancerParts(
        BALANCER,
        (tcp, msgspec.structs.replace(tcp, id=ListenerId("lsn-udp"), protocol="UDP")),
        (server("sgp-1", "10.0.0.5"),),
    )
    behind = (items.Server("10.0.0.5", 80, 100),)
    assert compiler.balancer(parts).listeners == (
        items.Listener(items.Protocol.TCP, 53, 53, behind),
        items.Listener(items.Protocol.UDP, 53, 53, behind),
    )


def test_a_range_is_one_listener_whose_servers_keep_the_clients_port() -> None:
    every = msgspec.structs.replace(listener(0, "sgp-1"), first=0, last=65535)
    any_port = msgspec.structs.replace(server("sgp-1", "10.0.0.5"), port=0)
    (told,) = compiler.balancer(BalancerParts(BALANCER, (every,), (any_port,))).listeners
    assert told == items.Listener(items.Protocol.TCP, 1, 65535, (items.Server("10.0.0.5", 0, 100),))


def test_servers_of_both_families_are_told_side_by_side() -> None:
    behind = (server("sgp-1", "10.0.0.5"), server("sgp-1", "fd00::5", 7))
    parts = BalancerParts(BALANCER, (listener(80, "sgp-1"),), behind)
    (told,) = compiler.balancer(parts).listeners
    assert told.servers == (items.Server("10.0.0.5", 80, 100), items.Server("fd00::5", 80, 7))


def test_a_clb_is_told_as_an_nlb_is() -> None:
    clb = msgspec.structs.replace(BALANCER, id=LoadBalancerId("lb-1"), kind=ResourceType.SLB)
    behind = ((listener(80, "sgp-1"),), (server("sgp-1", "10.0.0.5"),))
    assert compiler.balancer(BalancerParts(clb, *behind)) == compiler.balancer(
        BalancerParts(BALANCER, *behind)
    )


def test_rules_are_in_the_order_they_decide() -> None:
    rules = (
        rule("d", 2, "Drop"),
        rule("c", 2, "Accept"),
        rule("b", 1, "Accept"),
        rule("a", 100, "Drop"),
    )
    compiled = compiler.packet_filter(FilterParts(group(4), rules))
    assert compiled.number == 4
    assert [(each.priority, each.accept) for each in compiled.rules] == [
        (1, True),
        (2, False),
        (2, True),
        (100, False),
    ]


def test_a_rule_without_ports_covers_all_of_them() -> None:
    parts = FilterParts(group(4), (rule("a", 1, "Accept", -1, -1),))
    (compiled,) = compiler.packet_filter(parts).rules
    assert compiled == items.Rule(1, True, "ICMP", "10.0.0.0/8", 0, 65535, id="a")


def test_a_block_is_told_in_its_canonical_form() -> None:
    written = msgspec.structs.replace(rule("r", 1, "Accept"), cidr="10.1.2.3/8")
    told = compiler.packet_filter(FilterParts(group(1), (written,)))
    assert [each.cidr for each in told.rules] == ["10.0.0.0/8"]


OUT = (
    items.Rule(101, True, "ALL", "0.0.0.0/0", 0, 65535),
    items.Rule(101, True, "ALL", "::/0", 0, 65535),
)


def test_each_direction_has_its_own_order() -> None:
    rules = tuple(
        msgspec.structs.replace(each, direction=Direction.EGRESS)
        for each in (rule("c", 2, "Accept"), rule("b", 2, "Drop"), rule("a", 100, "Accept"))
    )
    compiled = compiler.packet_filter(FilterParts(group(4), (*rules, rule("d", 7, "Accept"))))
    assert [each.priority for each in compiled.rules] == [7]
    assert [(each.priority, each.accept) for each in compiled.egress] == [
        (2, False),
        (2, True),
        (100, True),
        (101, True),
        (101, True),
    ]
    assert compiled.egress[-2:] == OUT


def test_an_enterprise_group_has_its_rules_and_no_others() -> None:
    enterprise = msgspec.structs.replace(group(4), type="enterprise", inner_access_policy="Drop")
    out = msgspec.structs.replace(rule("a", 1, "Accept"), direction=Direction.EGRESS)
    compiled = compiler.packet_filter(FilterParts(enterprise, (out,)))
    assert (compiled.rules, len(compiled.egress)) == ((), 1)


def test_members_of_a_group_let_each_other_in_last() -> None:
    drop = rule("a", 100, "Drop")
    compiled = compiler.packet_filter(FilterParts(group(4), (drop,), open_inside=True))
    assert [each.accept for each in compiled.rules] == [False, True]
    assert compiled.rules[-1] == items.Rule(101, True, "ALL", "", 0, 65535, members=4)
    assert compiler.packet_filter(FilterParts(group(4), ())) == items.Filter(4, (), OUT)


def test_a_rule_names_a_set_by_its_number() -> None:
    named = (
        msgspec.structs.replace(rule("a", 1, "Accept"), cidr="", peer_id="sg-2"),
        msgspec.structs.replace(rule("b", 2, "Accept"), cidr="", peer_id="pl-1"),
    )
    compiled = compiler.packet_filter(FilterParts(group(4), named, {"sg-2": 6, "pl-1": 9}))
    assert [(each.cidr, each.members) for each in compiled.rules] == [("", 6), ("", 9)]


def test_an_ipv6_block_is_told_in_its_canonical_form() -> None:
    written = msgspec.structs.replace(rule("r", 1, "Accept"), cidr="FD00:0::1/16")
    told = compiler.packet_filter(FilterParts(group(1), (written,)))
    assert [each.cidr for each in told.rules] == ["fd00::/16"]


def test_a_set_holds_blocks() -> None:
    blocks = ("192.0.2.0/24", "198.51.100.0/24")
    assert compiler.members(MembersParts(9, blocks)) == items.Members(9, blocks)
    assert compiler.members(MembersParts(7, ())) == items.Members(7, ())


def test_an_attachment_obeys_its_groups() -> None:
    attachment = Attachment(AttachmentId("att-1"), 11, US, VSWITCH.id, ENI.id, True, False, "")
    parts = AttachmentParts(attachment, ENI, VSWITCH, VPC, (group(4), group(6)))
    assert compiler.attachment(parts).filters == (4, 6)


def test_an_open_zone_leads_somewhere() -> None:
    parts = ForwardParts(ZONE, ENI, VPC, (group(4), group(6)), PROVIDER, BALANCER)
    assert compiler.forward(parts) == items.Forward(
        network=7,
        address="10.0.0.80",
        mac="02:00:00:00:00:01",
        filters=(4, 6),
        opening=items.Opening(9, 8, "100.64.0.1", 5),
    )


def test_a_migrated_zone_leads_two_ways() -> None:
    migrated = msgspec.structs.replace(
        ZONE,
        replaced_resource_id=BALANCER.id,
        replaced_vpc_id=PROVIDER.id,
        replaced_source=ZONE.source,
        replaced_opening=6,
    )
    parts = ForwardParts(migrated, ENI, VPC, (), PROVIDER, BALANCER, PROVIDER, BALANCER)
    compiled = compiler.forward(parts)
    assert compiled.opening == items.Opening(9, 8, "100.64.0.1", 5)
    assert compiled.replaced == items.Opening(6, 8, "100.64.0.1", 5)


def test_a_closed_zone_answers_and_leads_nowhere() -> None:
    closed = msgspec.structs.replace(ZONE, opening=None)
    compiled = compiler.forward(ForwardParts(closed, ENI, VPC, (group(4),), PROVIDER, BALANCER))
    assert compiled.opening is None
    assert compiled.address == "10.0.0.80"


def test_an_open_zone_without_its_balancer_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError):
        compiler.forward(ForwardParts(ZONE, ENI, VPC, (), PROVIDER, None))


DUAL_VSWITCH = msgspec.structs.replace(VSWITCH, cidr6="fd00:0:0:101::/64")
DUAL_ENI = msgspec.structs.replace(ENI, address6="fd00:0:0:101::80")


def test_a_segment_has_a_gateway_in_each_family() -> None:
    compiled = compiler.segment(SegmentParts(DUAL_VSWITCH, VPC))
    assert (compiled.cidr6, compiled.gateway6) == (
        "fd00:0:0:101::/64",
        "fd00::101:ffff:ffff:ffff:fffd",
    )
    assert (compiled.cidr, compiled.gateway) == ("10.0.0.0/24", "10.0.0.253")


def test_an_attachment_from_before_its_vswitch_had_ipv6_has_none() -> None:
    attachment = Attachment(AttachmentId("att-1"), 11, US, VSWITCH.id, ENI.id, True, False, "")
    before = compiler.attachment(AttachmentParts(attachment, ENI, DUAL_VSWITCH, VPC))
    assert (before.cidr6, before.address6) == ("", "")
    after = compiler.attachment(AttachmentParts(attachment, DUAL_ENI, DUAL_VSWITCH, VPC))
    assert (after.cidr6, after.address6) == ("fd00:0:0:101::/64", "fd00:0:0:101::80")


def test_a_dual_stack_zone_has_a_source_in_each_family_on_either_way() -> None:
    migrated = msgspec.structs.replace(
        ZONE, replaced_vpc_id=PROVIDER.id, replaced_source=ZONE.source, replaced_opening=6
    )
    parts = ForwardParts(migrated, DUAL_ENI, VPC, (), PROVIDER, BALANCER, PROVIDER, BALANCER)
    compiled = compiler.forward(parts)
    assert compiled.address6 == "fd00:0:0:101::80"
    assert compiled.opening is not None and compiled.replaced is not None
    for opening in (compiled.opening, compiled.replaced):
        assert (opening.source, opening.source6) == ("100.64.0.1", "fd70:7269:766c::6440:1")
