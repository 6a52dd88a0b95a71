"""ECS 2014-05-26: security groups."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import PageNumber, PageSize, by_number
from privlink.api.wire import Answer, Fields
from privlink.model.ids import SecurityGroupId, new_id
from privlink.model.security import SecurityGroup, SecurityGroupRule
from privlink.rules import filters, quotas
from privlink.store import rows, security

GroupType = Annotated[
    Literal["normal", "enterprise"], msgspec.Meta(description="a group is normal or enterprise.")
]
Priority = Annotated[int, msgspec.Meta(ge=1, le=100, description="a priority is 1 to 100.")]
NicType = Annotated[
    Literal["intranet", "internet"], msgspec.Meta(description="it is intranet, the only one here.")
]


class Permission(Fields, frozen=True):
    """One rule as AuthorizeSecurityGroup takes it."""

    ip_protocol: str | None = None
    port_range: str | None = None
    source_cidr_ip: str | None = None
    policy: str = "accept"
    priority: Priority = 1
    nic_type: NicType = "intranet"
    description: Description = ""


class CreateSecurityGroupAnswer(Answer):
    security_group_id: str


class GroupAnswer(Answer):
    security_group_id: str
    security_group_name: str
    description: str
    security_group_type: str
    vpc_id: str
    rule_count: int
    creation_time: str


class GroupList(Answer):
    security_group: list[GroupAnswer]


class DescribeSecurityGroupsAnswer(Answer):
    region_id: str
    total_count: int
    page_number: int
    page_size: int
    security_groups: GroupList


class PermissionAnswer(Answer):
    security_group_rule_id: str
    direction: str
    ip_protocol: str
    port_range: str
    source_cidr_ip: str
    policy: str
    priority: str
    nic_type: str
    description: str
    create_time: str


class PermissionList(Answer):
    permission: list[PermissionAnswer]


class GroupAttributeAnswer(Answer):
    region_id: str
    security_group_id: str
    security_group_name: str
    description: str
    vpc_id: str
    permissions: PermissionList


@action(ECS, writes=True, resource="securitygroup/*")
def create_security_group(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    security_group_name: Name = "",
    description: Description = "",
    security_group_type: GroupType = "normal",
) -> CreateSecurityGroupAnswer:
    """Create a security group in a VPC. Without rules it lets nothing in."""
    vpc = ours.vpc(call, vpc_id)
    limits.check(call, quotas.SECURITY_GROUPS, security.count_groups(call.tx, call.account_id))
    group = SecurityGroup(
        id=SecurityGroupId(new_id("sg")),
        number=rows.next_number(call.tx, "security group"),
        account_id=call.account_id,
        vpc_id=vpc.id,
        type=security_group_type,
        name=security_group_name,
        description=description,
        created_at=call.now,
    )
    security.add(call.tx, group)
    return CreateSecurityGroupAnswer(security_group_id=group.id)


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def authorize_security_group(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    permissions: Annotated[tuple[Permission, ...], msgspec.Meta(max_length=100)] = (),
    ip_protocol: str | None = None,
    port_range: str | None = None,
    source_cidr_ip: str | None = None,
    policy: str = "accept",
    priority: Priority = 1,
    nic_type: NicType = "intranet",
    description: Description = "",
) -> Answer:
    """Add ingress rules. A rule that is there already stays as it is."""
    group = ours.security_group(call, security_group_id)
    if ip_protocol is not None or not permissions:
        flat = Permission(
            ip_protocol=ip_protocol,
            port_range=port_range,
            source_cidr_ip=source_cidr_ip,
            policy=policy,
            priority=priority,
            nic_type=nic_type,
            description=description,
        )
        permissions = (*permissions, flat)
    present = security.rules(call.tx, [group.id])
    meanings = {_meaning(rule) for rule in present}
    added = []
    for number, permission in enumerate(permissions, start=1):
        rule = _rule(call, group, number, permission)
        if _meaning(rule) not in meanings:
            meanings.add(_meaning(rule))
            added.append(rule)
    if added:
        limits.check(call, quotas.RULES_PER_GROUP, len(present), group.id, more=len(added))
        security.add_rules(call.tx, group.id, added)
    return Answer()


@action(ECS, resource="securitygroup/*")
def describe_security_groups(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str | None = None,
    security_group_id: str | None = None,
    security_group_ids: str | None = None,
    security_group_name: str | None = None,
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> DescribeSecurityGroupsAnswer:
    """List security groups. `SecurityGroupIds` is a JSON array of ids."""
    wanted = _wanted(security_group_id, security_group_ids)
    found = [
        group
        for group in security.groups(call.tx, call.account_id)
        if (wanted is None or group.id in wanted)
        and vpc_id in (None, group.vpc_id)
        and security_group_name in (None, group.name)
    ]
    counts = security.count_rules(call.tx, call.account_id)
    return DescribeSecurityGroupsAnswer(
        region_id=call.config.region,
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        security_groups=GroupList(
            security_group=[
                _group_answer(group, counts.get(group.id, 0))
                for group in by_number(found, page_number, page_size)
            ]
        ),
    )


@action(ECS, resource="securitygroup/{security_group_id}")
def describe_security_group_attribute(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    direction: Literal["all", "ingress", "egress"] = "all",
    nic_type: NicType = "intranet",
) -> GroupAttributeAnswer:
    """Show a security group with its rules."""
    group = ours.security_group(call, security_group_id)
    rules = security.rules(call.tx, [group.id]) if direction != "egress" else []
    return GroupAttributeAnswer(
        region_id=call.config.region,
        security_group_id=group.id,
        security_group_name=group.name,
        description=group.description,
        vpc_id=group.vpc_id,
        permissions=PermissionList(permission=[_permission_answer(rule) for rule in rules]),
    )


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def delete_security_group(call: Call, *, region_id: RegionId, security_group_id: str) -> Answer:
    """Delete a security group that no endpoint uses."""
    group = ours.security_group(call, security_group_id)
    if users := security.endpoints_using(call.tx, group.id):
        raise errors.SecurityGroupInUse(resource=group.id, dependants=", ".join(users))
    security.delete_group(call.tx, group.id)
    return Answer()


def _rule(
    call: Call, group: SecurityGroup, number: int, permission: Permission
) -> SecurityGroupRule:
    protocol, policy = (permission.ip_protocol or "").upper(), permission.policy.capitalize()
    try:
        if protocol not in filters.PROTOCOLS:
            known = ", ".join(filters.PROTOCOLS)
            raise ValueError(f"IpProtocol {permission.ip_protocol!r} must be one of {known}.")
        if policy not in ("Accept", "Drop"):
            raise ValueError(f"Policy {permission.policy!r} must be accept or drop.")
        if permission.port_range is None or permission.source_cidr_ip is None:
            raise ValueError("PortRange and SourceCidrIp are mandatory.")
        low, high = filters.parse_ports(permission.port_range, protocol)
        source = filters.parse_source(permission.source_cidr_ip)
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
        cidr=source,
        description=permission.description,
        created_at=call.now,
    )


def _meaning(rule: SecurityGroupRule) -> tuple[object, ...]:
    """What makes two rules the same rule."""
    return rule.policy, rule.priority, rule.protocol, rule.low, rule.high, rule.cidr


def _wanted(one: str | None, many: str | None) -> set[str] | None:
    if many is None:
        return None if one is None else {one}
    try:
        ids = msgspec.json.decode(many, type=list[str])
    except msgspec.DecodeError:
        raise errors.InvalidParameter(
            parameter="SecurityGroupIds", why='it is a JSON array of ids, such as ["sg-1"].'
        ) from None
    return set(ids) if one is None else set(ids) & {one}


def _group_answer(group: SecurityGroup, rule_count: int) -> GroupAnswer:
    return GroupAnswer(
        security_group_id=group.id,
        security_group_name=group.name,
        description=group.description,
        security_group_type=group.type,
        vpc_id=group.vpc_id,
        rule_count=rule_count,
        creation_time=group.created_at,
    )


def _permission_answer(rule: SecurityGroupRule) -> PermissionAnswer:
    return PermissionAnswer(
        security_group_rule_id=rule.id,
        direction="ingress",
        ip_protocol=rule.protocol,
        port_range=f"{rule.low}/{rule.high}",
        source_cidr_ip=rule.cidr,
        policy=rule.policy,
        priority=str(rule.priority),
        nic_type="intranet",
        description=rule.description,
        create_time=rule.created_at,
    )


ACTIONS = (
    create_security_group,
    authorize_security_group,
    describe_security_groups,
    describe_security_group_attribute,
    delete_security_group,
)
