"""What flows from a NAT gateway through a reverse endpoint need of the consumer.

Its security groups must let everything in, as the cloud has it; its list of targets may say less.
Both hold at every moment: whoever stops permitting shuts the doors at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from privlink.model.nat import EndpointTarget, FullNatEntry
from privlink.model.network import IpVersion
from privlink.model.parts import DoorParts
from privlink.model.security import AddressFamily, Direction, SecurityGroupRule
from privlink.rules import filters

_EVERYWHERE = {AddressFamily.IPV4: "0.0.0.0/0", AddressFamily.IPV6: "::/0"}
_ALL_PORTS = ((-1, -1), (0, 65535), (1, 65535))
_ALL = "ALL"


def families(version: IpVersion) -> tuple[AddressFamily, ...]:
    """The families of an endpoint's addresses."""
    both = (AddressFamily.IPV4, AddressFamily.IPV6)
    return both if version is IpVersion.DUAL_STACK else both[:1]


def not_let_in(
    groups: Mapping[str, Sequence[SecurityGroupRule]], version: IpVersion
) -> list[AddressFamily]:
    """The families of which no group lets everything in; what one of them accepts may pass."""
    return [
        family
        for family in families(version)
        if not any(_lets_all_in(rules, family) for rules in groups.values())
    ]


def _lets_all_in(rules: Iterable[SecurityGroupRule], family: AddressFamily) -> bool:
    """Whether a rule of one group accepts everything, and none that decides before it drops.

    Of rules with one priority the one that drops decides. Source: "Security group rules" of the
    ECS user guide.
    """
    ours = [rule for rule in rules if rule.direction is Direction.INGRESS]
    accepting = [rule.priority for rule in ours if _accepts_all(rule, family)]
    dropping = [rule.priority for rule in ours if rule.policy != "Accept" and _is_of(rule, family)]
    return bool(accepting) and min(accepting) < min(dropping, default=min(accepting) + 1)


def _accepts_all(rule: SecurityGroupRule, family: AddressFamily) -> bool:
    return (
        rule.policy == "Accept"
        and rule.protocol == _ALL
        and (rule.low, rule.high) in _ALL_PORTS
        and bool(rule.cidr)
        and filters.canonical(rule.cidr) == _EVERYWHERE[family]
    )


def _is_of(rule: SecurityGroupRule, family: AddressFamily) -> bool:
    """Whether a rule may be about packets of a family; one that names a set is about both."""
    if filters.only_family(rule.protocol) not in (None, family):
        return False
    return not rule.cidr or filters.family_of(rule.cidr) is family


def why_shut(parts: DoorParts) -> str | None:
    """Why no flow passes a door, whatever its node does; None: flows may pass."""
    if parts.zone is None:
        return "the zone of the endpoint that it leads to is gone; give it another one."
    if parts.zone.opening is None:
        return "the connection of its endpoint is not accepted, or closed in its zone."
    if not_let_in(parts.groups, parts.ip_version):
        return "the endpoint's security groups do not let everything in any more."
    if not permits(parts.targets, parts.entry):
        return "it is not among the targets that the endpoint's owner permits."
    return None


def permits(targets: Collection[EndpointTarget], entry: FullNatEntry) -> bool:
    """Whether a list of targets has an entry's; an empty list has all."""
    address = IPv4Address(entry.target)
    return not targets or any(
        address in IPv4Network(each.cidr)
        and each.protocol in (_ALL, entry.protocol)
        and each.low <= entry.target_port <= each.high
        for each in targets
    )
