"""What flows from a NAT gateway through a reverse endpoint need of the consumer.

Its security groups must let everything in, as the cloud has it; its list of targets may say less.
Both hold at every moment: whoever stops permitting shuts the doors at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    if parts.entry.domain and not parts.resolver:
        return "the endpoint's owner names no DNS server to ask; SetEndpointTargets takes one."
    if not permits(parts.targets, parts.entry):
        return "it is not among the targets that the endpoint's owner permits."
    return None


def permits(targets: Collection[EndpointTarget], entry: FullNatEntry) -> bool:
    """Whether a list of targets has an entry's; an empty list has all. Of a name, whether it may
    have one.
    """
    if not targets:
        return True
    blocks = list(_blocks(targets, entry))
    if entry.domain:
        return bool(blocks)
    return any(IPv4Address(entry.target) in block for block in blocks)


def blocks_of(parts: DoorParts) -> tuple[str, ...]:
    """Where an address has to be to be a target of an entry's name: in the endpoint's VPC, and
    where its consumer permits.
    """
    if parts.endpoint_vpc is None:
        return ()
    inside = IPv4Network(parts.endpoint_vpc.cidr)
    if not parts.targets:
        return (str(inside),)
    # Of two blocks that overlap one is in the other.
    found = {
        block if block.prefixlen > inside.prefixlen else inside
        for block in _blocks(parts.targets, parts.entry)
        if block.overlaps(inside)
    }
    return tuple(map(str, sorted(found)))


def addresses_in(blocks: Iterable[str], addresses: Iterable[str]) -> tuple[str, ...]:
    """Those of addresses that are in one of these blocks."""
    networks = [IPv4Network(each) for each in blocks]
    return tuple(
        each for each in addresses if any(IPv4Address(each) in block for block in networks)
    )


def _blocks(targets: Iterable[EndpointTarget], entry: FullNatEntry) -> Iterator[IPv4Network]:
    """What is permitted of an entry's protocol and port."""
    for each in targets:
        if each.protocol in (_ALL, entry.protocol) and each.low <= entry.target_port <= each.high:
            yield IPv4Network(each.cidr)
