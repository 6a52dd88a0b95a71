"""From resources to what a node is told."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import msgspec
import pytest

from privlink.model import items
from privlink.model.balancer import (
    GroupServer,
    HealthCheck,
    Listener,
    LoadBalancer,
    LoadBalancerZone,
    ServerGroup,
)
from privlink.model.gateway import GatewayEndpoint
from privlink.model.ids import (
    AccountId,
    AttachmentId,
    EndpointId,
    EniId,
    ListenerId,
    LoadBalancerId,
    RouteEntryId,
    RouteTableId,
    SecurityGroupId,
    ServerGroupId,
    ServiceId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.nat import EndpointTarget
from privlink.model.network import (
    Attachment,
    Eni,
    EniOwner,
    HopKind,
    IpVersion,
    RouteEntry,
    RouteTable,
    RouteTableType,
    Vpc,
    VSwitch,
)
from privlink.model.parts import (
    AttachmentParts,
    BalancerParts,
    DoorParts,
    EndpointHop,
    FilterParts,
    ForwardParts,
    GatewayParts,
    MembersParts,
    NatAddressParts,
    RouteTableParts,
    SegmentParts,
)
from privlink.model.privatelink import (
    Connection,
    Decision,
    EndpointService,
    EndpointType,
    EndpointZone,
    ResourceType,
    TrafficControl,
)
from privlink.model.security import Direction, SecurityGroup, SecurityGroupRule
from privlink.plane import compiler
from tests.unit.reversing import ENTRY
from tests.unit.reversing import rule as rule_of_reverse

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
TABLE = RouteTable(RouteTableId("vtb-1"), 21, VPC.id, US, RouteTableType.SYSTEM, "", "", "")
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
PLACE = LoadBalancerZone(BALANCER.id, ZoneId("local-a"), VSWITCH.id, EniId("eni-2"), 51, 52)
BALANCER_ENI = Eni(
    PLACE.eni_id,
    PROVIDER.id,
    VSWITCH.id,
    number("10.0.0.10"),
    "02:00:00:00:00:02",
    EniOwner.BALANCER,
    BALANCER.id,
    "",
)
VSWITCHES = (
    msgspec.structs.replace(VSWITCH, cidr6="fd00::/64"),
    msgspec.structs.replace(VSWITCH, zone_id=ZoneId("local-b"), cidr="10.0.1.0/24"),
)
ZONE = EndpointZone(
    endpoint_id=EndpointId("ep-1"),
    zone_id=ZoneId("local-a"),
    number=33,
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


def server_group(name: str) -> ServerGroup:
    """A server group on TCP."""
    return ServerGroup(ServerGroupId(name), US, PROVIDER.id, "TCP", "Ip", "", "")


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
    assert compiler.attachment(
        AttachmentParts(attachment, ENI, VSWITCH, VPC, TABLE)
    ) == items.Attachment(
        number=11,
        segment=3,
        network=7,
        cidr="10.0.0.0/24",
        address="10.0.0.80",
        mac="02:00:00:00:00:01",
        table=21,
        gateway="10.0.0.253",
    )


def parts(
    listeners: tuple[Listener, ...],
    servers: tuple[GroupServer, ...] = (),
    *,
    balancer: LoadBalancer = BALANCER,
    **settings: Any,
) -> BalancerParts:
    """The balancer in zone local-a, its listeners, and the servers of their groups, which have
    these settings.
    """
    ids = {each.group_id for each in listeners}
    groups = {name: msgspec.structs.replace(server_group(name), **settings) for name in ids}
    return BalancerParts(
        balancer, PLACE, BALANCER_ENI, PROVIDER, listeners, groups, servers, VSWITCHES
    )


def told(found: BalancerParts) -> items.Listener:
    """What a node is told of the one listener."""
    (listener,) = compiler.balancer(found).listeners
    return listener


def test_a_balancer_is_told_with_what_it_is_in_its_zone() -> None:
    dual = msgspec.structs.replace(BALANCER_ENI, address6="fd00::10")
    alone = msgspec.structs.replace(BALANCER, cross_zone=False)
    compiled = compiler.balancer(msgspec.structs.replace(parts((), balancer=alone), eni=dual))
    assert compiled == items.Balancer(
        number=51,
        listeners=(),
        network=8,
        zone="local-a",
        address="10.0.0.10",
        mac="02:00:00:00:00:02",
        address6="fd00::10",
        opening=52,
        cross_zone=False,
    )


def test_each_listener_has_the_servers_of_its_group() -> None:
    listeners = (listener(80, "sgp-1"), listener(443, "sgp-2"), listener(81, "sgp-3"))
    servers = (
        server("sgp-1", "10.0.0.5", 30),
        server("sgp-1", "10.0.1.6", 0),
        server("sgp-2", "10.0.9.7"),
    )
    compiled = compiler.balancer(parts(listeners, servers)).listeners
    assert [(each.first, each.group, each.servers) for each in compiled] == [
        (
            80,
            "sgp-1",
            (
                items.Server("10.0.0.5", 80, 30, "local-a"),
                items.Server("10.0.1.6", 80, 0, "local-b"),
            ),
        ),
        (443, "sgp-2", (items.Server("10.0.9.7", 80, 100, ""),)),
        (81, "sgp-3", ()),
    ]


def test_the_servers_of_a_listener_that_is_stopped_take_no_new_flows() -> None:
    stopped = msgspec.structs.replace(listener(80, "sgp-1"), started=False)
    found = parts((stopped, listener(81, "sgp-1")), (server("sgp-1", "10.0.0.5"),))
    first, second = compiler.balancer(found).listeners
    assert [each.weight for each in first.servers] == [0]
    assert all(each.weight for each in second.servers)
    assert first.check is None


def test_a_load_balancer_that_is_not_active_has_no_servers_for_new_flows() -> None:
    inactive = msgspec.structs.replace(BALANCER, active=False)
    found = parts((listener(80, "sgp-1"),), (server("sgp-1", "10.0.0.5"),), balancer=inactive)
    (only,) = compiler.balancer(found).listeners
    assert [each.weight for each in only.servers] == [0]


def test_default_servers_have_the_port_of_the_listener() -> None:
    default = msgspec.structs.replace(server("lb-1", "10.0.0.5", 40), port=0)
    found = parts(
        (
            msgspec.structs.replace(listener(80, "lb-1"), server_port=8080),
            msgspec.structs.replace(listener(81, "lb-1"), server_port=8081),
        ),
        (default,),
    )
    assert [each.servers for each in compiler.balancer(found).listeners] == [
        (items.Server("10.0.0.5", 8080, 40, "local-a"),),
        (items.Server("10.0.0.5", 8081, 40, "local-a"),),
    ]


def test_tcp_and_udp_on_one_port_are_two_listeners() -> None:
    tcp = listener(53, "sgp-1")
    udp = msgspec.structs.replace(tcp, id=ListenerId("lsn-udp"), protocol="UDP")
    compiled = compiler.balancer(parts((tcp, udp), (server("sgp-1", "10.0.0.5"),))).listeners
    assert [each.protocol for each in compiled] == [items.Protocol.TCP, items.Protocol.UDP]
    assert compiled[0].servers == compiled[1].servers


def test_a_range_is_one_listener_whose_servers_keep_the_clients_port() -> None:
    every = msgspec.structs.replace(listener(0, "sgp-1"), first=0, last=65535)
    any_port = msgspec.structs.replace(server("sgp-1", "10.0.0.5"), port=0)
    ranged = told(parts((every,), (any_port,)))
    assert (ranged.first, ranged.last) == (1, 65535)
    assert ranged.servers == (items.Server("10.0.0.5", 0, 100, "local-a"),)


def test_servers_of_both_families_are_told_side_by_side() -> None:
    behind = (server("sgp-1", "10.0.0.5"), server("sgp-1", "fd00::5", 7))
    assert told(parts((listener(80, "sgp-1"),), behind)).servers == (
        items.Server("10.0.0.5", 80, 100, "local-a"),
        items.Server("fd00::5", 80, 7, "local-a"),
    )


@pytest.mark.parametrize(
    ("given", "expected", "weights"),
    [
        ("Wrr", items.Scheduler.ROUND_ROBIN, [30, 0]),
        ("wrr", items.Scheduler.ROUND_ROBIN, [30, 0]),
        ("Rr", items.Scheduler.ROUND_ROBIN, [100, 0]),
        ("Wlc", items.Scheduler.LEAST_CONNECTIONS, [30, 0]),
        ("sch", items.Scheduler.SOURCE_HASH, [30, 0]),
        ("Tch", items.Scheduler.TUPLE_HASH, [30, 0]),
    ],
)
def test_rr_is_wrr_among_equals(given: str, expected: items.Scheduler, weights: list[int]) -> None:
    servers = (server("sgp-1", "10.0.0.5", 30), server("sgp-1", "10.0.0.6", 0))
    found = told(parts((listener(80, "sgp-1"),), servers, scheduler=given))
    assert found.scheduler is expected
    assert [each.weight for each in found.servers] == weights


HTTP = items.Check(items.CheckKind.HTTP, path="/well")


@pytest.mark.parametrize(
    ("health", "check"),
    [("", None), (HealthCheck(False, HTTP).text, None), (HealthCheck(True, HTTP).text, HTTP)],
    ids=["of a time without checks", "off", "on"],
)
def test_a_check_is_told_if_it_is_on(health: str, check: items.Check | None) -> None:
    assert told(parts((listener(80, "sgp-1"),), health=health)).check == check


def test_a_clb_has_its_settings_of_the_listener() -> None:
    theirs = msgspec.structs.replace(
        listener(80, "lb-1"), scheduler="sch", health=HealthCheck(True, HTTP).text, idle=33
    )
    found = told(parts((theirs,), scheduler="Wlc", balancer_id=LoadBalancerId("lb-1")))
    assert (found.scheduler, found.check, found.idle) == (items.Scheduler.SOURCE_HASH, HTTP, 33)


def test_a_server_that_drains_takes_no_new_flows() -> None:
    leaving = msgspec.structs.replace(server("sgp-1", "10.0.0.5", 30), leaving_until=9)
    found = parts((listener(80, "sgp-1"),), (leaving,), draining=True)
    assert told(found).servers == (items.Server("10.0.0.5", 80, 0, "local-a"),)


def test_a_listener_of_a_clb_without_draining_has_no_server_that_drains() -> None:
    leaving = msgspec.structs.replace(server("lb-1", "10.0.0.5", 30), leaving_until=9)
    tcp = msgspec.structs.replace(listener(80, "lb-1"), draining=True)
    udp = msgspec.structs.replace(tcp, protocol="UDP", draining=False)
    found = parts((tcp, udp), (leaving,), balancer_id=LoadBalancerId("lb-1"))
    compiled = compiler.balancer(found).listeners
    assert [len(each.servers) for each in compiled] == [1, 0]


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
    parts = AttachmentParts(attachment, ENI, VSWITCH, VPC, TABLE, (group(4), group(6)))
    assert compiler.attachment(parts).filters == (4, 6)


def test_an_open_zone_leads_somewhere() -> None:
    parts = ForwardParts(ZONE, ENI, VPC, (group(4), group(6)), PROVIDER, PLACE)
    assert compiler.forward(parts) == items.Forward(
        network=7,
        address="10.0.0.80",
        mac="02:00:00:00:00:01",
        filters=(4, 6),
        opening=items.Opening(9, 8, "100.64.0.1", 51),
        number=33,
    )


SERVICE = EndpointService(
    id=ServiceId("epsrv-1"),
    account_id=US,
    resource_type=ResourceType.NLB,
    auto_accept=True,
    payer="Endpoint",
    description="",
    connect_bandwidth=None,
    zone_affinity=False,
    created_at="",
)
CONNECTION = Connection(
    ZONE.endpoint_id, 4, SERVICE.id, Decision.ACCEPTED, 200, TrafficControl.BANDWIDTH_LIMIT, ""
)


def held(connection: Connection, service: EndpointService | None = SERVICE) -> ForwardParts:
    """A zone that leads two ways, of a connection to a service."""
    migrated = msgspec.structs.replace(
        ZONE, replaced_vpc_id=PROVIDER.id, replaced_source=ZONE.source, replaced_opening=6
    )
    ways = (PROVIDER, PLACE, PROVIDER, PLACE)
    return ForwardParts(migrated, ENI, VPC, (), *ways, connection, service)


def openings(parts: ForwardParts) -> list[items.Opening]:
    compiled = compiler.forward(parts)
    return [each for each in (compiled.opening, compiled.replaced) if each is not None]


@pytest.mark.parametrize(
    ("control", "limit"), [(TrafficControl.BANDWIDTH_LIMIT, 200), (TrafficControl.SCALABILITY, 0)]
)
def test_both_ways_of_a_zone_share_the_bandwidth_of_their_connection(
    control: TrafficControl, limit: int
) -> None:
    found = openings(held(msgspec.structs.replace(CONNECTION, traffic_control=control)))
    assert [(each.connection, each.bandwidth) for each in found] == [(4, limit)] * 2


def test_both_ways_of_a_zone_have_the_limits_of_their_service() -> None:
    set_by_it = msgspec.structs.replace(
        SERVICE, idle_tcp=300, idle_udp=5, most_flows=10, flow_rate=2
    )
    for service, limits in (
        (SERVICE, (0, 0, 65536, 0)),  # idle times as the listener says
        (set_by_it, (300, 5, 10, 2)),
        (None, (0, 0, 65536, 0)),
    ):
        found = openings(held(CONNECTION, service))
        assert [(each.idle_tcp, each.idle_udp, each.flows, each.rate) for each in found] == [
            limits,
            limits,
        ]


def test_a_migrated_zone_leads_two_ways() -> None:
    migrated = msgspec.structs.replace(
        ZONE,
        replaced_resource_id=BALANCER.id,
        replaced_vpc_id=PROVIDER.id,
        replaced_source=ZONE.source,
        replaced_opening=6,
    )
    parts = ForwardParts(migrated, ENI, VPC, (), PROVIDER, PLACE, PROVIDER, PLACE)
    compiled = compiler.forward(parts)
    assert compiled.opening == items.Opening(9, 8, "100.64.0.1", 51)
    assert compiled.replaced == items.Opening(6, 8, "100.64.0.1", 51)


def test_a_closed_zone_answers_and_leads_nowhere() -> None:
    closed = msgspec.structs.replace(ZONE, opening=None)
    compiled = compiler.forward(ForwardParts(closed, ENI, VPC, (group(4),), PROVIDER, PLACE))
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
    before = compiler.attachment(AttachmentParts(attachment, ENI, DUAL_VSWITCH, VPC, TABLE))
    assert (before.cidr6, before.address6, before.gateway6) == ("", "", "")
    after = compiler.attachment(AttachmentParts(attachment, DUAL_ENI, DUAL_VSWITCH, VPC, TABLE))
    assert (after.cidr6, after.address6) == ("fd00:0:0:101::/64", "fd00:0:0:101::80")
    assert after.gateway6 == compiler.segment(SegmentParts(DUAL_VSWITCH, VPC)).gateway6


def test_a_dual_stack_zone_has_a_source_in_each_family_on_either_way() -> None:
    migrated = msgspec.structs.replace(
        ZONE, replaced_vpc_id=PROVIDER.id, replaced_source=ZONE.source, replaced_opening=6
    )
    parts = ForwardParts(migrated, DUAL_ENI, VPC, (), PROVIDER, PLACE, PROVIDER, PLACE)
    compiled = compiler.forward(parts)
    assert compiled.address6 == "fd00:0:0:101::80"
    assert compiled.opening is not None and compiled.replaced is not None
    for opening in (compiled.opening, compiled.replaced):
        assert (opening.source, opening.source6) == ("100.64.0.1", "fd70:7269:766c::6440:1")


def written(
    name: str,
    destination: str = "",
    *,
    named: str = "",
    kind: HopKind = HopKind.NETWORK_INTERFACE,
    hop: str = "eni-9",
) -> RouteEntry:
    """A route of the table."""
    system = kind is HopKind.GATEWAY_ENDPOINT
    return RouteEntry(
        RouteEntryId(name), TABLE.id, destination, named, kind, hop, "", "", system, ""
    )


def routed(*entries: RouteEntry, **more: Any) -> list[tuple[str, str, str]]:
    """What the table's item says beside the VPC's own vSwitches: block, kind, hop."""
    parts = RouteTableParts(TABLE, VPC, (DUAL_VSWITCH,), entries, **more)
    item = compiler.route_table(parts)
    assert (item.number, item.network) == (TABLE.number, VPC.number)
    local, others = item.routes[:2], item.routes[2:]
    assert [(each.cidr, each.kind) for each in local] == [
        ("10.0.0.0/24", "local"),
        ("fd00:0:0:101::/64", "local"),
    ]
    return [(each.cidr, each.kind.value, each.hop) for each in others]


def test_a_table_leads_to_every_vswitch_of_its_vpc() -> None:
    parts = RouteTableParts(TABLE, VPC, VSWITCHES)
    assert [each.cidr for each in compiler.route_table(parts).routes] == [
        "10.0.0.0/24",
        "fd00::/64",
        "10.0.1.0/24",
    ]


def test_a_route_leads_to_the_address_of_its_hop_in_the_blocks_family() -> None:
    workloads = {"eni-9": DUAL_ENI, "att-9": ENI}
    v4, v6 = written("rte-1", "192.168.0.0/16"), written("rte-2", "fd00:9::/32")
    by_place = written("rte-3", "0.0.0.0/0", kind=HopKind.INSTANCE, hop="att-9")
    assert routed(v4, v6, by_place, workloads=workloads) == [
        ("192.168.0.0/16", "attachment", "10.0.0.80"),
        ("fd00:9::/32", "attachment", str(DUAL_ENI.address6)),
        ("0.0.0.0/0", "attachment", "10.0.0.80"),
    ]


def test_what_passes_nothing_on_still_holds_its_blocks() -> None:
    gateway = written("rte-1", "192.168.0.0/16", kind=HopKind.NAT_GATEWAY, hop="ngw-1")
    without_ipv6 = written("rte-2", "fd00:9::/32")
    leaving = written("rte-3", named="pl-1", kind=HopKind.GATEWAY_ENDPOINT, hop="vpce-1")
    parts = RouteTableParts(
        TABLE,
        VPC,
        (DUAL_VSWITCH,),
        (gateway, without_ipv6, leaving),
        {"pl-1": ("198.51.100.0/24",)},
        {"eni-9": ENI},
    )
    assert compiler.route_table(parts).routes[2:] == (
        items.Route("192.168.0.0/16", items.RouteKind.ENDPOINT),
        items.Route("fd00:9::/32", items.RouteKind.ENDPOINT),
        items.Route("198.51.100.0/24", items.RouteKind.ENDPOINT),
    )


def test_a_prefix_list_is_a_route_for_each_block_that_nobody_has() -> None:
    listed = written("rte-1", named="pl-1")
    itself = written("rte-2", "192.168.1.0/24", hop="eni-8")
    blocks = ("10.0.0.128/25", "192.168.0.0/24", "192.168.1.0/24")
    workloads = {"eni-9": ENI, "eni-8": BALANCER_ENI}
    assert routed(listed, itself, lists={"pl-1": blocks}, workloads=workloads) == [
        ("192.168.0.0/24", "attachment", "10.0.0.80"),
        ("192.168.1.0/24", "attachment", "10.0.0.10"),
    ]


def test_a_gateway_endpoint_is_a_route_for_each_of_its_blocks() -> None:
    entry = written("rte-1", named="pl-1", kind=HopKind.GATEWAY_ENDPOINT, hop="vpce-1")
    hop = EndpointHop(12, 34, ("198.51.100.0/24", "2001:db8::/32"))
    parts = RouteTableParts(TABLE, VPC, (DUAL_VSWITCH,), (entry,), endpoints={"vpce-1": hop})
    assert compiler.route_table(parts).routes[2:] == tuple(
        items.Route(block, items.RouteKind.ENDPOINT, opening=12, place=34) for block in hop.blocks
    )


@pytest.mark.parametrize("has_ipv6", [False, True])
def test_a_gateway_endpoint_is_an_opening_without_an_address(has_ipv6: bool) -> None:
    endpoint = GatewayEndpoint(
        id=EndpointId("vpce-1"),
        account_id=US,
        vpc_id=VPC.id,
        service_id=ServiceId("vpces-1"),
        name="",
        description="",
        policy="",
        created_at="",
        number=34,
        opening=12,
        provider_vpc_id=PROVIDER.id,
        source=number("100.64.0.1"),
    )
    found = compiler.gateway(GatewayParts(endpoint, VPC, PROVIDER, has_ipv6))
    assert (found.network, found.address, found.address6, found.mac) == (7, "", "", "")
    assert (found.filters, found.number, found.reversed) == ((), 34, False)
    assert found.opening == items.Opening(
        number=12,
        network=8,
        source="100.64.0.1",
        balancer=0,
        source6="fd70:7269:766c::6440:1" if has_ipv6 else "",
        flows=65536,
        rate=0,
    )


GATEWAY_ENI = msgspec.structs.replace(BALANCER_ENI, owner_kind=EniOwner.NAT_GATEWAY)
OPEN = {"sg-1": (rule_of_reverse(),)}
INWARD = msgspec.structs.replace(
    ZONE, resource_id=ENTRY.gateway_id, provider_vpc_id=None, source=None
)


def test_a_reversed_zone_leads_into_its_own_network() -> None:
    connection = Connection(
        ZONE.endpoint_id,
        12,
        ServiceId("epsrv-1"),
        Decision.ACCEPTED,
        3072,
        TrafficControl.SCALABILITY,
        "",
    )
    parts = ForwardParts(
        INWARD,
        ENI,
        VPC,
        (group(4),),
        None,
        None,
        connection=connection,
        type=EndpointType.REVERSE,
    )
    compiled = compiler.forward(parts)
    assert (compiled.reversed, compiled.address, compiled.filters) == (True, "10.0.0.80", (4,))
    opening = compiled.opening
    assert opening is not None
    assert (opening.number, opening.network, opening.source) == (9, 7, "10.0.0.80")
    assert (opening.balancer, opening.connection, opening.bandwidth) == (0, 12, 0)
    assert opening.flows > 0
    closed = msgspec.structs.replace(parts, zone=msgspec.structs.replace(INWARD, opening=None))
    assert compiler.forward(closed).opening is None


def test_a_nat_address_is_where_its_gateway_is() -> None:
    assert compiler.nat_address(NatAddressParts(GATEWAY_ENI, PROVIDER)) == items.NatAddress(
        8, "10.0.0.10", "02:00:00:00:00:02"
    )


def door(**given: Any) -> items.Door:
    """The door of an entry that everything lets in, but for what is given."""
    parts = DoorParts(ENTRY, GATEWAY_ENI, PROVIDER, INWARD, IpVersion.IPV4, OPEN, ())
    return compiler.door(msgspec.structs.replace(parts, **given))


def test_a_door_leads_from_a_port_to_a_target() -> None:
    assert door() == items.Door(
        network=8,
        address="10.0.0.10",
        protocol=items.Protocol.TCP,
        port=15432,
        balancer=71,
        opening=9,
        place=33,
        target=items.Server("10.0.0.77", 5432, 100),
    )


@pytest.mark.parametrize(
    "given",
    [
        {"zone": None},
        {"zone": msgspec.structs.replace(INWARD, opening=None)},
        {"groups": {}},
        {"groups": {"sg-1": (rule_of_reverse(protocol="TCP", low=1, high=65535),)}},
        {"ip_version": IpVersion.DUAL_STACK},
    ],
)
def test_a_door_that_nobody_lets_in_through_is_shut(given: dict[str, Any]) -> None:
    shut = door(**given)
    assert (shut.opening, shut.place) == (0, 33)
    assert shut.target is not None


def test_what_the_consumer_does_not_permit_is_no_target() -> None:
    targets = (EndpointTarget(ENTRY.endpoint_id, "10.0.0.0/24", "TCP", 443, 443),)
    assert door(targets=targets).target is None
    assert door(targets=targets).opening == 9
    https = msgspec.structs.replace(ENTRY, target_port=443)
    assert door(targets=targets, entry=https).target == items.Server("10.0.0.77", 443, 100)


NAMED = msgspec.structs.replace(ENTRY, domain="db.example", target="")


def named(**given: Any) -> items.Door:
    """The same of one that has a name, and somebody to ask."""
    asking = {"endpoint_eni": ENI, "endpoint_vpc": VPC, "resolver": "10.0.0.2"}
    return door(**({"entry": NAMED} | asking | given))


def test_a_door_with_a_name_says_whom_to_ask_and_what_to_believe() -> None:
    led = named(known=("10.0.0.9", "192.168.0.1"))
    assert (led.target, led.opening) == (None, 9)
    assert led.naming is not None
    assert (led.naming.resolver, led.naming.source) == ("10.0.0.2", "10.0.0.80")
    assert led.naming.blocks == (VPC.cidr,)
    assert led.naming.known == ("10.0.0.9",)


@pytest.mark.parametrize(
    "given",
    [
        {"resolver": ""},
        {"zone": None},
        {"zone": msgspec.structs.replace(INWARD, opening=None)},
        {"groups": {}},
        {"targets": (EndpointTarget(ENTRY.endpoint_id, "10.0.0.0/24", "TCP", 443, 443),)},
        {"targets": (EndpointTarget(ENTRY.endpoint_id, "192.168.0.0/24", "ALL", 1, 65535),)},
    ],
)
def test_nobody_is_asked_in_vain(given: dict[str, Any]) -> None:
    assert named(**given).naming is None
