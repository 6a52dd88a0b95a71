"""Security groups: whom the endpoints in one let in, and what the workloads in one may call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, limits, ours
from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import MaxResults, NextToken, PageNumber, PageSize, by_number, by_token
from privlink.api.products.ecs import labels, peers
from privlink.api.products.ecs.labels import GROUP, LABELS, TagList
from privlink.api.products.ecs.permissions import NicType
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.model.ids import SecurityGroupId, new_id
from privlink.model.security import AddressFamily, SecurityGroup, SecurityGroupRule
from privlink.rules import filters, quotas
from privlink.store import members, prefix_lists, rows, security

GroupType = Annotated[
    Literal["normal", "enterprise"], msgspec.Meta(description="a group is normal or enterprise.")
]
InnerAccessPolicy = Annotated[
    Literal["Accept", "Drop", "accept", "drop"], msgspec.Meta(description="it is Accept or Drop.")
]
NetworkType = Annotated[
    Literal["vpc", "classic"], msgspec.Meta(description="it is vpc, or classic, which is not here.")
]
WhichRules = Annotated[
    Literal["all", "ingress", "egress"], msgspec.Meta(description="it is all, ingress or egress.")
]
# What groups begin with; enterprise groups stay with it.
_INNER_ACCESS = {"normal": "Accept", "enterprise": "Drop"}
_SHORT_PAGE, _WHOLE_GROUP = 10, 1000
# Where the cloud spells a protocol otherwise than in capitals.
_SPELT = {"ICMPV6": "ICMPv6"}


class CreateSecurityGroupAnswer(Answer):
    security_group_id: str


class GroupAnswer(Answer):
    security_group_id: str
    security_group_name: str
    description: str
    security_group_type: str
    vpc_id: str
    rule_count: int
    resource_group_id: str
    creation_time: str
    tags: TagList
    group_to_group_rule_count: int
    ecs_count: int = 0  # there are no instances, only endpoints and workloads
    service_managed: bool = False


class GroupList(Answer):
    security_group: list[GroupAnswer]


class DescribeSecurityGroupsAnswer(Answer):
    region_id: str
    total_count: int
    page_number: int
    page_size: int
    next_token: str | msgspec.UnsetType
    security_groups: GroupList


class PermissionAnswer(Answer):
    security_group_rule_id: str
    direction: str
    ip_protocol: str
    port_range: str
    policy: str
    priority: str
    description: str
    create_time: str
    source_cidr_ip: str = ""
    dest_cidr_ip: str = ""
    nic_type: str = "intranet"
    source_group_id: str = ""
    source_group_name: str = ""
    source_group_owner_account: str = ""  # of other accounts' groups, which rules cannot name
    dest_group_id: str = ""
    dest_group_name: str = ""
    dest_group_owner_account: str = ""
    source_prefix_list_id: str = ""
    source_prefix_list_name: str = ""
    dest_prefix_list_id: str = ""
    dest_prefix_list_name: str = ""
    ipv6_source_cidr_ip: str = ""
    ipv6_dest_cidr_ip: str = ""


class PermissionList(Answer):
    permission: list[PermissionAnswer]


class SnapshotPolicyIds(Answer):
    snapshot_policy_id: list[str]


class GroupAttributeAnswer(Answer):
    region_id: str
    security_group_id: str
    security_group_name: str
    description: str
    vpc_id: str
    inner_access_policy: str
    permissions: PermissionList
    snapshot_policy_ids: SnapshotPolicyIds
    next_token: str | msgspec.UnsetType


@action(ECS, writes=True, resource=("securitygroup/*", "vpc:vpc/{vpc_id}"))
def create_security_group(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    security_group_name: Name = "",
    description: Description = "",
    security_group_type: GroupType = "normal",
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateSecurityGroupAnswer:
    """Create a security group in a VPC. Without rules it lets nothing in from outside.

    A normal group lets everything out and, between its members, everything in; an enterprise group
    does neither.
    """
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
        inner_access_policy=_INNER_ACCESS[security_group_type],
    )
    security.add(call.tx, group)
    grouping.put(call, group.id, resource_group_id or None)
    LABELS.attach(call, GROUP, group.id, tag)
    return CreateSecurityGroupAnswer(security_group_id=group.id)


@action(ECS, resource="securitygroup/*")
def describe_security_groups(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str | None = None,
    security_group_id: str | None = None,
    security_group_ids: str | None = None,
    security_group_name: str | None = None,
    security_group_type: GroupType | None = None,
    network_type: NetworkType = "vpc",
    service_managed: bool | None = None,
    is_query_ecs_count: bool = True,
    resource_group_id: str | None = None,
    tag: Tags = (),
    page_number: PageNumber = 1,
    page_size: PageSize = _SHORT_PAGE,
    max_results: MaxResults | None = None,
    next_token: NextToken = "",
) -> DescribeSecurityGroupsAnswer:
    """List security groups, in pages by number, or by token if `MaxResults` or one is given.

    `SecurityGroupIds` is a JSON array of ids.
    """
    wanted = _wanted(security_group_id, security_group_ids)
    tagged = LABELS.matching(call, GROUP, tag)
    found = [
        group
        for group in security.groups(call.tx, call.account_id)
        if (wanted is None or group.id in wanted)
        and (tagged is None or group.id in tagged)
        and vpc_id in (None, group.vpc_id)
        and security_group_name in (None, group.name)
        and security_group_type in (None, group.type)
        and network_type == "vpc"
        and service_managed in (None, False)
    ]
    if resource_group_id:
        chosen = grouping.chosen(call, [group.id for group in found], resource_group_id)
        found = [group for group in found if group.id in chosen]
    following: str | msgspec.UnsetType = msgspec.UNSET
    if max_results is None and not next_token:
        page = by_number(found, page_number, page_size)
    else:
        size = max_results or _SHORT_PAGE
        page, following = by_token(found, lambda each: f"{each.number:019}", size, next_token)
    return DescribeSecurityGroupsAnswer(
        region_id=call.config.region,
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        next_token=following,
        security_groups=GroupList(security_group=_group_answers(call, page)),
    )


@action(ECS, resource="securitygroup/{security_group_id}")
def describe_security_group_attribute(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    direction: WhichRules = "all",
    nic_type: NicType = "intranet",
    max_results: MaxResults = _WHOLE_GROUP,
    next_token: NextToken = "",
) -> GroupAttributeAnswer:
    """Show a security group with its rules, all on one page unless told otherwise."""
    group = ours.security_group(call, security_group_id)
    rules = [
        rule
        for rule in security.rules(call.tx, [group.id])
        if direction in ("all", rule.direction.value)
    ]
    page, following = by_token(
        rules, lambda rule: f"{rule.created_at} {rule.id}", max_results, next_token
    )
    return GroupAttributeAnswer(
        region_id=call.config.region,
        security_group_id=group.id,
        security_group_name=group.name,
        description=group.description,
        vpc_id=group.vpc_id,
        inner_access_policy=group.inner_access_policy,
        permissions=PermissionList(permission=_permission_answers(call, page)),
        snapshot_policy_ids=SnapshotPolicyIds(snapshot_policy_id=[]),
        next_token=following,
    )


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def modify_security_group_attribute(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    security_group_name: Name | None = None,
    description: Description | None = None,
) -> Answer:
    """Change a security group's name and description."""
    group = ours.security_group(call, security_group_id)
    changed = msgspec.structs.replace(
        group,
        name=group.name if security_group_name is None else security_group_name,
        description=group.description if description is None else description,
    )
    security.change(call.tx, changed)
    return Answer()


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def modify_security_group_policy(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    inner_access_policy: InnerAccessPolicy,
) -> Answer:
    """Say whether members of a normal group let each other in where no rule of it decides.

    Workloads in the group may then call endpoints in it, which open no flows themselves.
    """
    group = ours.security_group(call, security_group_id)
    policy = inner_access_policy.capitalize()
    if group.type == "enterprise" and policy != group.inner_access_policy:
        raise errors.InnerAccessOfEnterpriseGroup(group_id=group.id)
    security.change(call.tx, msgspec.structs.replace(group, inner_access_policy=policy))
    return Answer()


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def delete_security_group(call: Call, *, region_id: RegionId, security_group_id: str) -> Answer:
    """Delete a security group that nothing is in and no other group's rule names."""
    group = ours.security_group(call, security_group_id, errors.InvalidSecurityGroupNotFound)
    for users, way_out in (
        (security.endpoints_using(call.tx, group.id), "Delete those first."),
        (members.workloads(call.tx, group.id), "Take those out with LeaveSecurityGroup first."),
        (security.groups_naming(call.tx, group.id), "Revoke the rules of those that name it."),
    ):
        if users:
            raise errors.SecurityGroupInUse(
                resource=group.id, dependants=", ".join(users), way_out=way_out
            )
    security.delete_group(call.tx, group.id)
    return Answer()


def _wanted(one: str | None, many: str | None) -> set[str] | None:
    if not many:
        return None if one is None else {one}
    try:
        ids = msgspec.json.decode(many, type=list[str])
    except msgspec.DecodeError:
        raise errors.InvalidParameter(
            parameter="SecurityGroupIds", why='it is a JSON array of ids, such as ["sg-1"].'
        ) from None
    return set(ids) if one is None else set(ids) & {one}


def _group_answers(call: Call, page: Sequence[SecurityGroup]) -> list[GroupAnswer]:
    ids = [group.id for group in page]
    counts, none = security.count_rules(call.tx, call.account_id), security.RuleCount()
    groups, tags = grouping.shown(call, ids), labels.shown(call, ids)
    return [
        GroupAnswer(
            security_group_id=group.id,
            security_group_name=group.name,
            description=group.description,
            security_group_type=group.type,
            vpc_id=group.vpc_id,
            rule_count=counts.get(group.id, none).all,
            group_to_group_rule_count=counts.get(group.id, none).naming_groups,
            resource_group_id=groups[group.id],
            creation_time=group.created_at,
            tags=tags[group.id],
        )
        for group in page
    ]


def _permission_answers(call: Call, page: Sequence[SecurityGroupRule]) -> list[PermissionAnswer]:
    peer_ids = {rule.peer_id for rule in page if rule.peer_id}
    names: dict[str, str] = {each.id: each.name for each in security.by_ids(call.tx, peer_ids)}
    names |= {each.id: each.name for each in prefix_lists.by_ids(call.tx, peer_ids)}
    return [
        PermissionAnswer(
            security_group_rule_id=rule.id,
            direction=rule.direction.value,
            ip_protocol=_SPELT.get(rule.protocol, rule.protocol),
            port_range=f"{rule.low}/{rule.high}",
            policy=rule.policy,
            priority=str(rule.priority),
            description=rule.description,
            create_time=rule.created_at,
            **_end(rule, names),
        )
        for rule in page
    ]


def _end(rule: SecurityGroupRule, names: Mapping[str, str]) -> dict[str, str]:
    """The fields that say where a rule's flows come from, or go."""
    block, block6, group_id, list_id = peers.FIELDS[rule.direction]
    if rule.cidr:
        is_ipv6 = filters.family_of(rule.cidr) is AddressFamily.IPV6
        return {block6 if is_ipv6 else block: rule.cidr}
    field = group_id if rule.names_group else list_id
    return {field: rule.peer_id, f"{field.removesuffix('_id')}_name": names[rule.peer_id]}


ACTIONS = (
    create_security_group,
    describe_security_groups,
    describe_security_group_attribute,
    modify_security_group_attribute,
    modify_security_group_policy,
    delete_security_group,
)
