"""From resources to the items a node works from. Pure: frozen values in, frozen values out."""

from __future__ import annotations

from collections.abc import Sequence

from privlink.model import items
from privlink.model.balancer import GroupServer, Listener, LoadBalancer
from privlink.model.network import Attachment, Eni, Vpc, VSwitch
from privlink.model.privatelink import EndpointZone
from privlink.model.security import SecurityGroup, SecurityGroupRule
from privlink.rules import addresses


def segment(vswitch: VSwitch, vpc: Vpc) -> items.Segment:
    """A managed vSwitch as a node makes it."""
    gateway = addresses.gateway(vswitch.cidr)
    return items.Segment(vswitch.number, vpc.number, vswitch.cidr, gateway)


def attachment(attachment: Attachment, eni: Eni, vswitch: VSwitch, vpc: Vpc) -> items.Attachment:
    """A workload's place as a node plugs it in."""
    return items.Attachment(
        number=attachment.number,
        segment=vswitch.number,
        network=vpc.number,
        cidr=vswitch.cidr,
        address=addresses.text(eni.address),
        mac=eni.mac,
    )


def balancer(
    balancer: LoadBalancer, listeners: Sequence[Listener], servers: Sequence[GroupServer]
) -> items.Balancer:
    """A load balancer as forwards use it. Servers of weight 0 take no new flows."""
    return items.Balancer(
        balancer.number,
        tuple(
            items.Listener(
                items.Protocol(listener.protocol),
                listener.port,
                tuple(
                    items.Server(addresses.text(server.address), server.port, server.weight)
                    for server in servers
                    if server.group_id == listener.group_id and server.weight > 0
                ),
            )
            for listener in listeners
        ),
    )


def filter_(group: SecurityGroup, rules: Sequence[SecurityGroupRule]) -> items.Filter:
    """A security group's rules in the order they decide: priority first, drop before accept."""
    ordered = sorted(rules, key=lambda rule: (rule.priority, rule.policy == "Accept", rule.id))
    return items.Filter(group.number, tuple(_rule(rule) for rule in ordered))


def forward(
    zone: EndpointZone,
    eni: Eni,
    vpc: Vpc,
    groups: Sequence[SecurityGroup],
    provider_vpc: Vpc | None,
    balancer: LoadBalancer | None,
) -> items.Forward:
    """An endpoint zone as a node answers for it."""
    opening = None
    if zone.opening is not None:
        assert provider_vpc is not None and balancer is not None and zone.source is not None, zone
        source = addresses.text(zone.source)
        opening = items.Opening(zone.opening, provider_vpc.number, source, balancer.number)
    return items.Forward(
        network=vpc.number,
        address=addresses.text(eni.address),
        mac=eni.mac,
        filters=tuple(group.number for group in groups),
        opening=opening,
    )


def _rule(rule: SecurityGroupRule) -> items.Rule:
    low, high = (0, 65535) if rule.low == -1 else (rule.low, rule.high)
    return items.Rule(rule.priority, rule.policy == "Accept", rule.protocol, rule.cidr, low, high)
