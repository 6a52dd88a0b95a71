"""Rules as callers write them, which are permissions here, and what becomes of them.

A node decides by protocol, destination port and IPv4 source block. What else a permission may say
would not be enforced, so it is refused, each with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import Call
from privlink.api.wire import Fields, pascal
from privlink.model.ids import new_id
from privlink.model.security import Direction, SecurityGroup, SecurityGroupRule
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

_NO_GROUPS = "the other ends of flows are in no group. Give a block instead."
_NO_LISTS = "there are no prefix lists. Give each block in a permission of its own."
_ONLY_IPV4 = "endpoints have IPv4 addresses. Give an IPv4 block."
# What a permission may say on the wire and no node looks at.
_UNENFORCED = {
    "source_group_id": _NO_GROUPS,
    "source_group_owner_account": _NO_GROUPS,
    "source_group_owner_id": _NO_GROUPS,
    "dest_group_id": _NO_GROUPS,
    "dest_group_owner_account": _NO_GROUPS,
    "dest_group_owner_id": _NO_GROUPS,
    "source_prefix_list_id": _NO_LISTS,
    "dest_prefix_list_id": _NO_LISTS,
    "ipv6_source_cidr_ip": _ONLY_IPV4,
    "ipv6_dest_cidr_ip": _ONLY_IPV4,
    "port_range_list_id": "there are no port lists. Give each range in a permission of its own.",
    "source_port_range": "rules are about the port that a flow goes to. Leave it out.",
}
_NEAR_END = "a rule holds for every address its group is on. Leave it out, or use another group."
_ANY_PORT = "-1/-1"
_BLOCK = {Direction.INGRESS: "SourceCidrIp", Direction.EGRESS: "DestCidrIp"}


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
        limits.check(call, quotas.RULES_PER_GROUP, len(present), group.id, more=len(added))
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
        whole = _PERMISSION[direction](**(_said(old) | said))
        (wanted,) = _rules(call, group, direction, (), whole)
        new = msgspec.structs.replace(wanted, id=old.id, created_at=old.created_at)
        others = (rule for rule in present if rule.id != old.id)
        if twin := next((rule for rule in others if _meaning(rule) == _meaning(new)), None):
            raise errors.SecurityGroupRuleExists(rule_id=twin.id, group_id=group.id)
    security.change_rule(call.tx, old, new)


def _said(rule: SecurityGroupRule) -> dict[str, Any]:
    """A rule as the fields of a Permission."""
    block = "source_cidr_ip" if rule.direction is Direction.INGRESS else "dest_cidr_ip"
    return {
        "ip_protocol": rule.protocol,
        "port_range": f"{rule.low}/{rule.high}",
        block: rule.cidr,
        "policy": rule.policy,
        "priority": rule.priority,
        "description": rule.description,
    }


def _rules(
    call: Call,
    group: SecurityGroup,
    direction: Direction,
    permissions: Sequence[Permission],
    flat: Permission,
) -> list[SecurityGroupRule]:
    for number, permission in enumerate(permissions, start=1):
        _check_enforced(permission, direction, f"Permissions.{number}.")
    _check_enforced(flat, direction, "")
    every = [*permissions]
    if flat.ip_protocol is not None or not permissions:
        every.append(flat)
    return [
        _rule(call, group, direction, number, permission)
        for number, permission in enumerate(every, start=1)
    ]


def _check_enforced(permission: Permission, direction: Direction, prefix: str) -> None:
    near = "dest_cidr_ip" if direction is Direction.INGRESS else "source_cidr_ip"
    for name, why in (_UNENFORCED | {near: _NEAR_END}).items():
        value: Any = getattr(permission, name, None)
        if value and not (name == "source_port_range" and value == _ANY_PORT):
            raise errors.UnenforcedPermission(parameter=prefix + pascal(name), why=why)


def _rule(
    call: Call, group: SecurityGroup, direction: Direction, number: int, permission: Permission
) -> SecurityGroupRule:
    protocol, policy = (permission.ip_protocol or "").upper(), permission.policy.capitalize()
    ingress = direction is Direction.INGRESS
    block = permission.source_cidr_ip if ingress else permission.dest_cidr_ip
    try:
        if permission.ip_protocol is None or permission.port_range is None or block is None:
            raise ValueError(f"IpProtocol, PortRange and {_BLOCK[direction]} are mandatory.")
        if protocol not in filters.PROTOCOLS:
            known = ", ".join(filters.PROTOCOLS)
            raise ValueError(f"IpProtocol {permission.ip_protocol!r} must be one of {known}.")
        if policy not in ("Accept", "Drop"):
            raise ValueError(f"Policy {permission.policy!r} must be accept or drop.")
        low, high = filters.parse_ports(permission.port_range, protocol)
        filters.parse_block(block, _BLOCK[direction])
    except ValueError as error:
        raise errors.InvalidPermission(number=number, why=error) from None
    return SecurityGroupRule(
        id=new_id("sgr"),
        group_id=group.id,
        policy=policy,
        priority=permission.priority,
        protocol=protocol,
        low=low,
        high=high,
        cidr=block,
        description=permission.description,
        created_at=call.now,
        direction=direction,
    )


def _meaning(rule: SecurityGroupRule) -> tuple[object, ...]:
    """What makes two rules the same rule."""
    ports = rule.low, rule.high
    block = filters.parse_block(rule.cidr)
    return rule.direction, rule.policy, rule.priority, rule.protocol, ports, block
