"""From resources to the items a node works from. Pure: frozen values in, frozen values out."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from privlink.kinds import KINDS
from privlink.model import items
from privlink.model.balancer import GroupServer, Listener, LoadBalancerZone, balancing
from privlink.model.network import HopKind, RouteEntry, Vpc
from privlink.model.parts import (
    AttachmentParts,
    BalancerParts,
    DoorParts,
    FilterParts,
    ForwardParts,
    GatewayParts,
    MembersParts,
    NatAddressParts,
    RouteTableParts,
    SegmentParts,
)
from privlink.model.security import Direction, SecurityGroupRule
from privlink.rules import (
    addresses,
    bandwidth,
    filters,
    placement,
    reverse,
    routing,
    service_traffic,
)

# What holds where no rule of a security group decides comes after the last of them.
_AFTER_ALL = 101
_ANYWHERE = ("0.0.0.0/0", "::/0")

# What a listener or a server group says, and what a node knows. Rr is Wrr among equals.
_EQUAL = "rr"
_SCHEDULERS = {
    "wrr": items.Scheduler.ROUND_ROBIN,
    _EQUAL: items.Scheduler.ROUND_ROBIN,
    "wlc": items.Scheduler.LEAST_CONNECTIONS,
    "sch": items.Scheduler.SOURCE_HASH,
    "tch": items.Scheduler.TUPLE_HASH,
}


def segment(parts: SegmentParts) -> items.Segment:
    """A managed vSwitch as a node makes it."""
    vswitch = parts.vswitch
    return items.Segment(
        number=vswitch.number,
        network=parts.vpc.number,
        cidr=vswitch.cidr,
        gateway=addresses.gateway(vswitch.cidr),
        cidr6=vswitch.cidr6,
        gateway6=addresses.gateway(vswitch.cidr6) if vswitch.cidr6 else "",
    )


def resolver(vpc: Vpc) -> items.Resolver:
    """A VPC, as a node has its names answered."""
    return items.Resolver(vpc.number)


def attachment(parts: AttachmentParts) -> items.Attachment:
    """A workload's place as a node plugs it in.

    One from before its vSwitch had IPv6 has no IPv6 address, and then no block either.
    """
    return items.Attachment(
        number=parts.attachment.number,
        segment=parts.vswitch.number,
        network=parts.vpc.number,
        cidr=parts.vswitch.cidr,
        address=addresses.text(parts.eni.address),
        mac=parts.eni.mac,
        cidr6=parts.vswitch.cidr6 if parts.eni.address6 else "",
        address6=parts.eni.address6 or "",
        filters=tuple(group.number for group in parts.groups),
        table=parts.table.number,
        gateway=addresses.gateway(parts.vswitch.cidr),
        gateway6=addresses.gateway(parts.vswitch.cidr6) if parts.eni.address6 else "",
    )


def route_table(parts: RouteTableParts) -> items.RouteTable:
    """A route table: the VPC's own vSwitches first, then what other routes are in effect about."""
    local = routing.local_blocks(parts.vswitches)
    blocks = dict(parts.lists)
    for entry in parts.entries:
        if entry.hop_id in parts.endpoints:
            blocks[entry.prefix_list_id] = parts.endpoints[entry.hop_id].blocks
    effective = routing.effective(local, parts.entries, blocks)
    routes = [items.Route(block, items.RouteKind.LOCAL) for block in local]
    routes += (
        _route(entry, block, parts) for entry in parts.entries for block in effective[entry.id]
    )
    return items.RouteTable(parts.table.number, parts.vpc.number, tuple(routes))


def _route(entry: RouteEntry, block: str, parts: RouteTableParts) -> items.Route:
    """One block of a route. Where its hop does not pass it on, it still holds, and nothing passes:
    a shorter route would lead elsewhere.
    """
    if entry.hop_kind is HopKind.GATEWAY_ENDPOINT and entry.hop_id in parts.endpoints:
        hop = parts.endpoints[entry.hop_id]
        return items.Route(block, items.RouteKind.ENDPOINT, opening=hop.opening, place=hop.place)
    eni = parts.workloads.get(entry.hop_id)
    if eni is not None:
        hop_address = eni.address6 if ":" in block else addresses.text(eni.address)
        if hop_address is not None:
            return items.Route(block, items.RouteKind.ATTACHMENT, hop=hop_address)
    return items.Route(block, items.RouteKind.ENDPOINT)


def balancer(parts: BalancerParts) -> items.Balancer:
    """A load balancer in one zone.

    Listeners that are stopped and load balancers that are not active take no new flows: none of
    their servers does.
    """
    return items.Balancer(
        number=parts.place.number,
        listeners=tuple(_listener(parts, listener) for listener in parts.listeners),
        network=parts.vpc.number,
        zone=parts.place.zone_id,
        address=addresses.text(parts.eni.address),
        mac=parts.eni.mac,
        address6=parts.eni.address6 or "",
        opening=parts.place.opening,
        cross_zone=parts.balancer.cross_zone,
    )


def _listener(parts: BalancerParts, listener: Listener) -> items.Listener:
    settings = balancing(parts.groups[listener.group_id], listener)
    health = settings.health_check
    takes_new = listener.started and parts.balancer.active
    return items.Listener(
        protocol=items.Protocol(listener.protocol),
        first=max(listener.first, 1),  # port 0 is nobody's: RFC 6335
        last=listener.last,
        servers=tuple(
            _server(
                parts,
                server,
                listener,
                equal=settings.scheduler.lower() == _EQUAL,
                takes_new=takes_new,
            )
            for server in parts.servers
            if server.group_id == listener.group_id
            and (server.leaving_until is None or settings.drain)
        ),
        scheduler=_SCHEDULERS[settings.scheduler.lower()],
        idle=listener.idle,
        group=listener.group_id,
        check=health.check if health.enabled and takes_new else None,
    )


def _server(
    parts: BalancerParts, server: GroupServer, listener: Listener, *, equal: bool, takes_new: bool
) -> items.Server:
    takes_none = server.weight == 0 or server.leaving_until is not None or not takes_new
    return items.Server(
        address=server.address,
        # Where neither says a port, it is the one that the client asked for.
        port=server.port or listener.server_port or 0,
        weight=0 if takes_none else 100 if equal else server.weight,
        zone=placement.zone_of(server.address, parts.vswitches),
    )


def packet_filter(parts: FilterParts) -> items.Filter:
    """A security group's rules in the order they decide: priority first, drop before accept.

    Where none decides, a group's members may let each other in, and those of a normal one let
    everything out. An enterprise group does neither. Source: "Security group rules" of the ECS
    user guide.
    """
    number = parts.group.number
    ingress, egress = _ordered(parts, Direction.INGRESS), _ordered(parts, Direction.EGRESS)
    if parts.open_inside:
        ingress.append(items.Rule(_AFTER_ALL, True, "ALL", "", 0, 65535, number))
    if parts.group.type == "normal":
        egress += [items.Rule(_AFTER_ALL, True, "ALL", each, 0, 65535) for each in _ANYWHERE]
    return items.Filter(number, tuple(ingress), tuple(egress))


def members(parts: MembersParts) -> items.Members:
    """A set that rules name."""
    return items.Members(parts.number, parts.blocks)


def forward(parts: ForwardParts) -> items.Forward:
    """An endpoint zone as a node answers for it. It leads by IPv6 if it has an address of it."""
    zone, has_ipv6 = parts.zone, parts.eni.address6 is not None
    is_reversed = KINDS[parts.type].REVERSED
    replaced = (zone.replaced_opening, zone.replaced_source, parts.replaced_vpc)
    return items.Forward(
        network=parts.vpc.number,
        address=addresses.text(parts.eni.address),
        mac=parts.eni.mac,
        filters=tuple(group.number for group in parts.groups),
        opening=_held(
            _inward(parts)
            if is_reversed
            else _opening(zone.opening, zone.source, parts.provider_vpc, parts.resource, has_ipv6),
            parts,
        ),
        replaced=_held(_opening(*replaced, parts.replaced_resource, has_ipv6), parts),
        address6=parts.eni.address6 or "",
        number=zone.number,
        reversed=is_reversed,
    )


def nat_address(parts: NatAddressParts) -> items.NatAddress:
    """An address of a NAT gateway."""
    return items.NatAddress(
        network=parts.vpc.number, address=addresses.text(parts.eni.address), mac=parts.eni.mac
    )


def door(parts: DoorParts) -> items.Door:
    """A full-NAT entry. Who may not be called is no target, and a door that its consumer does not
    let in through is shut.
    """
    entry, zone = parts.entry, parts.zone
    is_shut = zone is None or reverse.not_let_in(parts.groups, parts.ip_version)
    is_open = not is_shut and zone is not None and zone.opening is not None
    permitted = reverse.permits(parts.targets, entry)
    target = None
    if permitted and not entry.domain:
        target = items.Server(entry.target, entry.target_port, weight=100)
    return items.Door(
        network=parts.vpc.number,
        address=addresses.text(parts.eni.address),
        protocol=entry.protocol,
        port=entry.port,
        balancer=entry.balancer,
        opening=0 if zone is None or is_shut else zone.opening or 0,
        place=entry.place,
        target=target,
        naming=_naming(parts) if is_open and permitted else None,
    )


def _naming(parts: DoorParts) -> items.Naming | None:
    """Where the targets of an entry with a name are found; the consumer is not asked in vain."""
    blocks, entry = reverse.blocks_of(parts), parts.entry
    if not entry.domain or not parts.resolver or not blocks:
        return None
    assert parts.endpoint_vpc is not None and parts.endpoint_eni is not None, entry.id
    return items.Naming(
        name=entry.domain,
        resolver=parts.resolver,
        network=parts.endpoint_vpc.number,
        source=addresses.text(parts.endpoint_eni.address),
        port=entry.target_port,
        blocks=blocks,
        known=reverse.addresses_in(blocks, parts.known),
    )


def _inward(parts: ForwardParts) -> items.Opening | None:
    """The way into the endpoint's own network, whose servers see the endpoint's own address."""
    if parts.zone.opening is None:
        return None
    return items.Opening(
        number=parts.zone.opening,
        network=parts.vpc.number,
        source=addresses.text(parts.eni.address),
        balancer=0,
        source6=parts.eni.address6 or "",
    )


def gateway(parts: GatewayParts) -> items.Forward:
    """A gateway endpoint: no address, no filters, and whoever is called is the server.

    It has no connection, so no bandwidth of its own; how many flows it may have is the default.
    """
    endpoint, default = parts.endpoint, service_traffic.DEFAULT
    return items.Forward(
        network=parts.vpc.number,
        address="",
        mac="",
        filters=(),
        opening=items.Opening(
            number=endpoint.opening,
            network=parts.provider_vpc.number,
            source=addresses.text(endpoint.source),
            balancer=0,
            source6=addresses.source6(endpoint.source) if parts.has_ipv6 else "",
            flows=default.most_flows,
            rate=default.flow_rate,
        ),
        number=endpoint.number,
    )


def _opening(
    number: int | None,
    source: int | None,
    vpc: Vpc | None,
    resource: LoadBalancerZone | None,
    has_ipv6: bool,
) -> items.Opening | None:
    if number is None:
        return None
    assert source is not None and vpc is not None and resource is not None, number
    return items.Opening(
        number=number,
        network=vpc.number,
        source=addresses.text(source),
        balancer=resource.number,
        source6=addresses.source6(source) if has_ipv6 else "",
    )


def _held(opening: items.Opening | None, parts: ForwardParts) -> items.Opening | None:
    """An opening held to what its connection and its service allow."""
    if opening is None or parts.connection is None:
        return opening
    own = service_traffic.own(parts.service) if parts.service else {}
    default = service_traffic.DEFAULT
    return msgspec.structs.replace(
        opening,
        connection=parts.connection.number,
        bandwidth=bandwidth.limit(parts.connection),
        idle_tcp=own.get("idle_tcp", 0),
        idle_udp=own.get("idle_udp", 0),
        flows=own.get("most_flows", default.most_flows),
        rate=own.get("flow_rate", default.flow_rate),
    )


def _ordered(parts: FilterParts, direction: Direction) -> list[items.Rule]:
    ours = (rule for rule in parts.rules if rule.direction is direction)
    ordered = sorted(ours, key=lambda rule: (rule.priority, rule.policy == "Accept", rule.id))
    return [_rule(rule, parts.peers) for rule in ordered]


def _rule(rule: SecurityGroupRule, peers: Mapping[str, int]) -> items.Rule:
    low, high = (0, 65535) if rule.low == -1 else (rule.low, rule.high)
    return items.Rule(
        rule.priority,
        rule.policy == "Accept",
        rule.protocol,
        filters.canonical(rule.cidr) if rule.cidr else "",
        low,
        high,
        peers[rule.peer_id] if rule.peer_id else 0,
        rule.id,
    )
