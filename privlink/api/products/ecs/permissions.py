"""Rules as callers write them, which are permissions here, and what becomes of them.

A node decides by protocol, destination port and the other end's address. What else a permission
may say would not be enforced, so it is refused, each with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import Call
from privlink.api.products.ecs import peers
from privlink.api.wire import Fields, pascal
from privlink.model.ids import new_id
from privlink.model.security import (
    AddressFamily,
    Direction,
    SecurityGroup,
    SecurityGroupRule,
)
from privlink.rules import filters, quotas
from privlink.store import security

Priority = Annotated[int, msgspec.Meta(ge=1, le=100, description="a priority is 1 to 100.")]
NicType = Annotated[
    Literal["intranet", "internet"], msgspec.Meta(description="it is intranet, the only one here.")
]
RuleIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100 rules.")]

RuleDescription = Annotated[
    str,
    msgspec.Meta(
        max_length=512,
        pattern="^(?!https?://)",
        description="a rule's description has up to 512 characters and does not begin with http(s)://.",
    ),
]

# What a permission may say on the wire and no node looks at.
_UNENFORCED = {
    "port_range_list_id": "there are no port lists. Give each range in a permission of its own.",
    "source_port_range": "rules are about the port that a flow goes to. Leave it out.",
}
_NEAR_END = "a rule holds for every address its group is on. Leave it out, or use another group."
_NEAR_ENDS = {
    Direction.INGRESS: ("dest_cidr_ip", "ipv6_dest_cidr_ip"),
    Direction.EGRESS: ("source_cidr_ip", "ipv6_source_cidr_ip"),
}
_ANY_PORT = "-1/-1"


class Permission(Fields, frozen=True):
    """What rules of both directions say."""

    ip_protocol: str | None = None
    port_range: str | None = None
    source_cidr_ip: str | None = None
    dest_cidr_ip: str | None = None
    policy: str = "accept"
    priority: Priority = 1
    nic_type: NicType = "intranet"
    description: RuleDescription = ""
    ipv6_source_cidr_ip: str | None = None
    ipv6_dest_cidr_ip: str | None = None
    source_port_range: str | None = None
    port_range_list_id: str | None = None


class IngressPermission(Permission, frozen=True):
    """One rule as AuthorizeSecurityGroup takes it."""

    source_group_id: str | None = None
    source_group_owner_account: str | None = None
    source_group_owner_id: str | None = None
    source_prefix_list_id: str | None = None


class EgressPermission(Permission, frozen=True):
    """One rule as AuthorizeSecurityGroupEgress takes it."""

    dest_group_id: str | None = None
    dest_group_owner_account: str | None = None
    dest_group_owner_id: str | None = None
    dest_prefix_list_id: str | None = None


_PERMISSION = {Direction.INGRESS: IngressPermission, Direction.EGRESS: EgressPermission}
_PermissionCount = msgspec.Meta(max_length=100, description="at most 100 permissions.")
IngressPermissions = Annotated[tuple[IngressPermission, ...], _PermissionCount]
EgressPermissions = Annotated[tuple[EgressPermission, ...], _PermissionCount]


def authorize(
    call: Call,
    group_id: str,
    direction: Direction,
    permissions: Sequence[Permission],
    flat: Permission,
) -> None:
    """Add rules to a group: those listed, and the one of the old flat parameters.

    A rule that is there already stays as it is.
    """
    group = ours.security_group(call, group_id)
    present = security.rules(call.tx, [group.id])
    meanings = {_meaning(rule) for rule in present}
    added = []
    for rule in _rules(call, group, direction, permissions, flat):
        if _meaning(rule) not in meanings:
            meanings.add(_meaning(rule))
            added.append(rule)
    if added:
        _check_room(call, group, direction, present, added)
        security.add_rules(call.tx, group.id, added)


def revoke(
    call: Call,
    group_id: str,
    direction: Direction,
    rule_ids: Sequence[str],
    permissions: Sequence[Permission],
    flat: Permission,
) -> None:
    """Take rules off a group: those with the ids, or those that mean what the permissions say.

    One that is not there is off already, but an id must be one of the group's.
    """
    group = ours.security_group(call, group_id)
    present = [rule for rule in security.rules(call.tx, [group.id]) if rule.direction is direction]
    if rule_ids:
        known = {rule.id for rule in present}
        if unknown := [each for each in rule_ids if each not in known]:
            raise errors.InvalidSecurityGroupRuleIdNotFound(
                rule_id=unknown[0], group_id=group.id, direction=direction
            )
    meanings = set()
    if permissions or flat.ip_protocol is not None or not rule_ids:
        rules = _rules(call, group, direction, permissions, flat)
        meanings = {_meaning(rule) for rule in rules}
    dropped = [rule for rule in present if rule.id in rule_ids or _meaning(rule) in meanings]
    security.delete_rules(call.tx, group.id, dropped)


def modify(
    call: Call, group_id: str, direction: Direction, rule_id: str | None, given: dict[str, Any]
) -> None:
    """Change the rule with an id to what is given of it, or without one the description of the
    rule that means the same.

    `given`: fields of a Permission, None for those left out.
    """
    group = ours.security_group(call, group_id)
    every = security.rules(call.tx, [group.id])
    present = [rule for rule in every if rule.direction is direction]
    said = {name: value for name, value in given.items() if value is not None}
    if rule_id is None:
        (alike,) = _rules(call, group, direction, (), _PERMISSION[direction](**said))
        old = next((rule for rule in present if _meaning(rule) == _meaning(alike)), None)
        if old is None:
            raise errors.SecurityGroupRuleNotExist(group_id=group.id, direction=direction)
        new = msgspec.structs.replace(old, description=said.get("description", old.description))
    else:
        old = next((rule for rule in present if rule.id == rule_id), None)
        if old is None:
            raise errors.InvalidSecurityGroupRuleIdNotFound(
                rule_id=rule_id, group_id=group.id, direction=direction
            )
        whole = _PERMISSION[direction](**_changed(old, said))
        (wanted,) = _rules(call, group, direction, (), whole)
        new = msgspec.structs.replace(wanted, id=old.id, created_at=old.created_at)
        others = (rule for rule in present if rule.id != old.id)
        if twin := next((rule for rule in others if _meaning(rule) == _meaning(new)), None):
            raise errors.SecurityGroupRuleExists(rule_id=twin.id, group_id=group.id)
        others_of_both = [rule for rule in every if rule.id != old.id]
        _check_room(call, group, direction, others_of_both, [new])
    security.change_rule(call.tx, old, new)


def _check_room(
    call: Call,
    group: SecurityGroup,
    direction: Direction,
    present: Sequence[SecurityGroupRule],
    added: Sequence[SecurityGroupRule],
) -> None:
    """Refuse more rules than a group may have, and more of a direction than a node has room for."""
    limits.check(call, quotas.RULES_PER_GROUP, len(present), group.id, more=len(added))
    alike = sum(rule.direction is direction for rule in present)
    quotas.RULES_PER_GROUP.check(
        alike, f"{group.id}, {direction}", more=len(added), limit=filters.MOST_RULES
    )
    naming = sum(rule.names_group for rule in added)
    if naming:
        already = sum(rule.names_group for rule in present)
        limits.check(call, quotas.GROUP_RULES_PER_GROUP, already, group.id, more=naming)


def _said(rule: SecurityGroupRule) -> dict[str, Any]:
    """A rule as the fields of a Permission."""
    block, block6, group_id, list_id = peers.FIELDS[rule.direction]
    if rule.cidr:
        is_ipv6 = filters.family_of(rule.cidr) is AddressFamily.IPV6
        end = {block6 if is_ipv6 else block: rule.cidr}
    else:
        end = {group_id if rule.names_group else list_id: rule.peer_id}
    return {
        "ip_protocol": rule.protocol,
        "port_range": f"{rule.low}/{rule.high}",
        "policy": rule.policy,
        "priority": rule.priority,
        "description": rule.description,
        **end,
    }


def _changed(rule: SecurityGroupRule, said: dict[str, Any]) -> dict[str, Any]:
    """A rule's fields with others in their place. Another end takes the place of the one it had."""
    ends = peers.FIELDS[rule.direction]
    moved = any(said.get(name) for name in ends)
    kept = {name: value for name, value in _said(rule).items() if not (moved and name in ends)}
    return kept | said


def _rules(
    call: Call,
    group: SecurityGroup,
    direction: Direction,
    permissions: Sequence[Permission],
    flat: Permission,
) -> list[SecurityGroupRule]:
    listed = {f"Permissions.{number}.": each for number, each in enumerate(permissions, start=1)}
    for prefix, permission in (*listed.items(), ("", flat)):
        _check_enforced(permission, direction, prefix)
    if flat.ip_protocol is not None or not permissions:
        listed[""] = flat
    rules = [
        _rule(call, group, direction, number, prefix, permission)
        for number, (prefix, permission) in enumerate(listed.items(), start=1)
    ]
    # Rules are shown by age and id: so those of one call in the order that it has them.
    ids = sorted(rule.id for rule in rules)
    return [msgspec.structs.replace(each, id=id) for each, id in zip(rules, ids, strict=True)]


def _check_enforced(permission: Permission, direction: Direction, prefix: str) -> None:
    near = dict.fromkeys(_NEAR_ENDS[direction], _NEAR_END)
    for name, why in (_UNENFORCED | near).items():
        value: Any = getattr(permission, name, None)
        if value and not (name == "source_port_range" and value == _ANY_PORT):
            raise errors.UnenforcedPermission(parameter=prefix + pascal(name), why=why)


def _rule(
    call: Call,
    group: SecurityGroup,
    direction: Direction,
    number: int,
    prefix: str,
    permission: Permission,
) -> SecurityGroupRule:
    protocol, policy = (permission.ip_protocol or "").upper(), permission.policy.capitalize()
    try:
        if permission.ip_protocol is None or permission.port_range is None:
            raise ValueError("IpProtocol and PortRange are mandatory.")
        if protocol not in filters.PROTOCOLS:
            known = ", ".join(filters.PROTOCOLS)
            raise ValueError(f"IpProtocol {permission.ip_protocol!r} must be one of {known}.")
        if policy not in ("Accept", "Drop"):
            raise ValueError(f"Policy {permission.policy!r} must be accept or drop.")
        low, high = filters.parse_ports(permission.port_range, protocol)
        peer = peers.find(call, group, direction, permission, prefix)
    except ValueError as error:
        raise errors.InvalidPermission(number=number, why=error) from None
    _check_family(protocol, peer, number)
    return SecurityGroupRule(
        id=new_id("sgr"),
        group_id=group.id,
        policy=policy,
        priority=permission.priority,
        protocol=protocol,
        low=low,
        high=high,
        cidr=peer.cidr,
        description=permission.description,
        created_at=call.now,
        direction=direction,
        peer_id=peer.id,
    )


def _check_family(protocol: str, peer: peers.Peer, number: int) -> None:
    """Refuse a protocol of one address family with addresses of the other."""
    only, block = filters.only_family(protocol), peer.cidr or peer.id
    if only is None or peer.family in (None, only):
        return
    if only is AddressFamily.IPV4:
        raise errors.Ipv4ProtocolWithIpv6(number=number, parameter=peer.parameter, block=block)
    raise errors.Ipv6ProtocolWithIpv4(number=number, parameter=peer.parameter, block=block)


def _meaning(rule: SecurityGroupRule) -> tuple[object, ...]:
    """What makes two rules the same rule."""
    ports = rule.low, rule.high
    end = filters.canonical(rule.cidr) if rule.cidr else rule.peer_id
    return rule.direction, rule.policy, rule.priority, rule.protocol, ports, end
