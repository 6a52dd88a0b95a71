"""Which flows may come in to the endpoints of a security group: what their nodes enforce.

A rule is a permission of the list, or the flat parameters of older clients.
"""

from __future__ import annotations

from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.products.ecs.permissions import (
    IngressPermission,
    IngressPermissions,
    NicType,
    Priority,
    RuleDescription,
    RuleIds,
    authorize,
    modify,
    revoke,
)
from privlink.api.wire import Answer
from privlink.model.security import Direction


@action(
    ECS,
    writes=True,
    resource=(
        "securitygroup/{security_group_id}",
        "securitygroup/{source_group_id}",
        "securitygroup/{permissions.source_group_id}",
        "prefixlist/{source_prefix_list_id}",
        "prefixlist/{permissions.source_prefix_list_id}",
    ),
)
def authorize_security_group(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    permissions: IngressPermissions = (),
    ip_protocol: str | None = None,
    port_range: str | None = None,
    source_cidr_ip: str | None = None,
    dest_cidr_ip: str | None = None,
    policy: str = "accept",
    priority: Priority = 1,
    nic_type: NicType = "intranet",
    description: RuleDescription = "",
    ipv6_source_cidr_ip: str | None = None,
    ipv6_dest_cidr_ip: str | None = None,
    source_port_range: str | None = None,
    source_group_id: str | None = None,
    source_group_owner_account: str | None = None,
    source_group_owner_id: str | None = None,
    source_prefix_list_id: str | None = None,
) -> Answer:
    """Add ingress rules. A rule that is there already stays as it is."""
    flat = IngressPermission(
        ip_protocol=ip_protocol,
        port_range=port_range,
        source_cidr_ip=source_cidr_ip,
        dest_cidr_ip=dest_cidr_ip,
        policy=policy,
        priority=priority,
        nic_type=nic_type,
        description=description,
        ipv6_source_cidr_ip=ipv6_source_cidr_ip,
        ipv6_dest_cidr_ip=ipv6_dest_cidr_ip,
        source_port_range=source_port_range,
        source_group_id=source_group_id,
        source_group_owner_account=source_group_owner_account,
        source_group_owner_id=source_group_owner_id,
        source_prefix_list_id=source_prefix_list_id,
    )
    authorize(call, security_group_id, Direction.INGRESS, permissions, flat)
    return Answer()


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def revoke_security_group(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    security_group_rule_id: RuleIds = (),
    permissions: IngressPermissions = (),
    ip_protocol: str | None = None,
    port_range: str | None = None,
    source_cidr_ip: str | None = None,
    dest_cidr_ip: str | None = None,
    policy: str = "accept",
    priority: Priority = 1,
    nic_type: NicType = "intranet",
    description: RuleDescription = "",
    ipv6_source_cidr_ip: str | None = None,
    ipv6_dest_cidr_ip: str | None = None,
    source_port_range: str | None = None,
    source_group_id: str | None = None,
    source_group_owner_account: str | None = None,
    source_group_owner_id: str | None = None,
    source_prefix_list_id: str | None = None,
) -> Answer:
    """Take ingress rules off, by id or by what they say. Flows only they let pass end."""
    flat = IngressPermission(
        ip_protocol=ip_protocol,
        port_range=port_range,
        source_cidr_ip=source_cidr_ip,
        dest_cidr_ip=dest_cidr_ip,
        policy=policy,
        priority=priority,
        nic_type=nic_type,
        description=description,
        ipv6_source_cidr_ip=ipv6_source_cidr_ip,
        ipv6_dest_cidr_ip=ipv6_dest_cidr_ip,
        source_port_range=source_port_range,
        source_group_id=source_group_id,
        source_group_owner_account=source_group_owner_account,
        source_group_owner_id=source_group_owner_id,
        source_prefix_list_id=source_prefix_list_id,
    )
    rule_ids = security_group_rule_id
    revoke(call, security_group_id, Direction.INGRESS, rule_ids, permissions, flat)
    return Answer()


@action(
    ECS,
    writes=True,
    resource=(
        "securitygroup/{security_group_id}",
        "securitygroup/{source_group_id}",
        "prefixlist/{source_prefix_list_id}",
    ),
)
def modify_security_group_rule(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    security_group_rule_id: str | None = None,
    ip_protocol: str | None = None,
    port_range: str | None = None,
    source_cidr_ip: str | None = None,
    dest_cidr_ip: str | None = None,
    policy: str | None = None,
    priority: Priority | None = None,
    nic_type: NicType | None = None,
    description: RuleDescription | None = None,
    ipv6_source_cidr_ip: str | None = None,
    ipv6_dest_cidr_ip: str | None = None,
    source_port_range: str | None = None,
    port_range_list_id: str | None = None,
    source_group_id: str | None = None,
    source_group_owner_account: str | None = None,
    source_group_owner_id: str | None = None,
    source_prefix_list_id: str | None = None,
) -> Answer:
    """Change what is given of the rule with an id, or else the description of one that is alike."""
    given = {
        "ip_protocol": ip_protocol,
        "port_range": port_range,
        "source_cidr_ip": source_cidr_ip,
        "dest_cidr_ip": dest_cidr_ip,
        "policy": policy,
        "priority": priority,
        "nic_type": nic_type,
        "description": description,
        "ipv6_source_cidr_ip": ipv6_source_cidr_ip,
        "ipv6_dest_cidr_ip": ipv6_dest_cidr_ip,
        "source_port_range": source_port_range,
        "port_range_list_id": port_range_list_id,
        "source_group_id": source_group_id,
        "source_group_owner_account": source_group_owner_account,
        "source_group_owner_id": source_group_owner_id,
        "source_prefix_list_id": source_prefix_list_id,
    }
    modify(call, security_group_id, Direction.INGRESS, security_group_rule_id, given)
    return Answer()


ACTIONS = (authorize_security_group, revoke_security_group, modify_security_group_rule)
