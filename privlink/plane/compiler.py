"""From resources to the items a node works from. Pure: frozen values in, frozen values out."""

from __future__ import annotations

from collections.abc import Mapping

from privlink.model import items
from privlink.model.balancer import GroupServer, Listener, LoadBalancer
from privlink.model.network import Vpc
from privlink.model.parts import (
    AttachmentParts,
    BalancerParts,
    FilterParts,
    ForwardParts,
    MembersParts,
    SegmentParts,
)
from privlink.model.security import Direction, SecurityGroupRule
from privlink.rules import addresses, filters

# What holds where no rule of a security group decides comes after the last of them.
_AFTER_ALL = 101
_ANYWHERE = ("0.0.0.0/0", "::/0")


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
    )


def balancer(parts: BalancerParts) -> items.Balancer:
    """A load balancer as forwards use it.

    Servers of weight 0, listeners that are stopped and load balancers that are not active take no
    new flows.
    """
    heard = parts.listeners if parts.balancer.active else ()
    return items.Balancer(
        parts.balancer.number,
        tuple(
            items.Listener(
                items.Protocol(listener.protocol),
                max(listener.first, 1),  # port 0 is nobody's: RFC 6335
                listener.last,
                tuple(
                    _server(server, listener)
                    for server in parts.servers
                    if server.group_id == listener.group_id and server.weight > 0
                ),
            )
            for listener in heard
            if listener.started
        ),
    )


def _server(server: GroupServer, listener: Listener) -> items.Server:
    # Where neither says a port, it is the one that the client asked for.
    return items.Server(server.address, server.port or listener.server_port or 0, server.weight)


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
    replaced = (zone.replaced_opening, zone.replaced_source, parts.replaced_vpc)
    return items.Forward(
        network=parts.vpc.number,
        address=addresses.text(parts.eni.address),
        mac=parts.eni.mac,
        filters=tuple(group.number for group in parts.groups),
        opening=_opening(zone.opening, zone.source, parts.provider_vpc, parts.balancer, has_ipv6),
        replaced=_opening(*replaced, parts.replaced_balancer, has_ipv6),
        address6=parts.eni.address6 or "",
        number=zone.number,
    )


def _opening(
    number: int | None,
    source: int | None,
    vpc: Vpc | None,
    balancer: LoadBalancer | None,
    has_ipv6: bool,
) -> items.Opening | None:
    if number is None:
        return None
    assert source is not None and vpc is not None and balancer is not None, number
    return items.Opening(
        number=number,
        network=vpc.number,
        source=addresses.text(source),
        balancer=balancer.number,
        source6=addresses.source6(source) if has_ipv6 else "",
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
    )
