"""Which flows the workloads in a security group may open: what their nodes enforce.

Endpoints, which may be in the same group, open none; and the answers of a flow that an ingress rule
has let in pass with it.
"""

from __future__ import annotations

from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.products.ecs.permissions import (
    EgressPermission,
    EgressPermissions,
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
        "securitygroup/{dest_group_id}",
        "securitygroup/{permissions.dest_group_id}",
        "prefixlist/{dest_prefix_list_id}",
        "prefixlist/{permissions.dest_prefix_list_id}",
    ),
)
def authorize_security_group_egress(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    permissions: EgressPermissions = (),
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
    dest_group_id: str | None = None,
    dest_group_owner_account: str | None = None,
    dest_group_owner_id: str | None = None,
    dest_prefix_list_id: str | None = None,
) -> Answer:
    """Add egress rules. A rule that is there already stays as it is."""
    flat = EgressPermission(
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
        dest_group_id=dest_group_id,
        dest_group_owner_account=dest_group_owner_account,
        dest_group_owner_id=dest_group_owner_id,
        dest_prefix_list_id=dest_prefix_list_id,
    )
    authorize(call, security_group_id, Direction.EGRESS, permissions, flat)
    return Answer()


@action(ECS, writes=True, resource="securitygroup/{security_group_id}")
def revoke_security_group_egress(
    call: Call,
    *,
    region_id: RegionId,
    security_group_id: str,
    security_group_rule_id: RuleIds = (),
    permissions: EgressPermissions = (),
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
    dest_group_id: str | None = None,
    dest_group_owner_account: str | None = None,
    dest_group_owner_id: str | None = None,
    dest_prefix_list_id: str | None = None,
) -> Answer:
    """Take egress rules off, by id or by what they say. Flows only they let pass end."""
    flat = EgressPermission(
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
        dest_group_id=dest_group_id,
        dest_group_owner_account=dest_group_owner_account,
        dest_group_owner_id=dest_group_owner_id,
        dest_prefix_list_id=dest_prefix_list_id,
    )
    rule_ids = security_group_rule_id
    revoke(call, security_group_id, Direction.EGRESS, rule_ids, permissions, flat)
    return Answer()


@action(
    ECS,
    writes=True,
    resource=(
        "securitygroup/{security_group_id}",
        "securitygroup/{dest_group_id}",
        "prefixlist/{dest_prefix_list_id}",
    ),
)
def modify_security_group_egress_rule(
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
    dest_group_id: str | None = None,
    dest_group_owner_account: str | None = None,
    dest_group_owner_id: str | None = None,
    dest_prefix_list_id: str | None = None,
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
        "dest_group_id": dest_group_id,
        "dest_group_owner_account": dest_group_owner_account,
        "dest_group_owner_id": dest_group_owner_id,
        "dest_prefix_list_id": dest_prefix_list_id,
    }
    modify(call, security_group_id, Direction.EGRESS, security_group_rule_id, given)
    return Answer()


ACTIONS = (
    authorize_security_group_egress,
    revoke_security_group_egress,
    modify_security_group_egress_rule,
)
