"""The security groups on an endpoint's addresses."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults50, NextToken, by_token
from privlink.api.products.privatelink import protection
from privlink.api.products.privatelink.zones import refuse_if_over
from privlink.api.wire import Answer
from privlink.kinds import KINDS
from privlink.model.network import IpVersion
from privlink.model.privatelink import EndpointType
from privlink.model.security import SecurityGroup
from privlink.rules import quotas
from privlink.store import endpoints, security


class GroupAnswer(Answer):
    security_group_id: str
    security_group_status: str = "Attached"  # attaching is done when the call is answered


class GroupsAnswer(Answer):
    security_groups: list[GroupAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


def check_groups(
    call: Call, kind: EndpointType, groups: Sequence[SecurityGroup], version: IpVersion
) -> None:
    """Refuse security groups that an endpoint of a type cannot have."""
    # Whom a provider calls is nobody's but the groups' to say; other endpoints take any rules.
    asks_rules = KINDS[kind].REVERSED
    rules = security.rules(call.tx, [group.id for group in groups]) if asks_rules else []
    KINDS[kind].check(groups, rules, version)


@action(
    PRIVATELINK,
    writes=True,
    resource=("vpcendpoint/{endpoint_id}", "ecs:securitygroup/{security_group_id}"),
)
def attach_security_group_to_vpc_endpoint(
    call: Call, *, region_id: RegionId, endpoint_id: str, security_group_id: str
) -> Answer:
    """Put one more security group on an endpoint: what any of its groups accepts may pass.

    One of a Reverse endpoint's groups must let everything in.
    """
    endpoint = ours.endpoint(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    refuse_if_over(call, endpoint)
    present = endpoints.groups(call.tx, [endpoint.id])[endpoint.id]
    if security_group_id in present:
        raise errors.SecurityGroupExist(group_id=security_group_id, endpoint_id=endpoint.id)
    groups = ours.security_groups_in(call, [*present, security_group_id], endpoint.vpc_id)
    check_groups(call, endpoint.type, groups, endpoint.ip_version)
    limits.check(call, quotas.GROUPS_PER_ENDPOINT, len(present), endpoint.id)
    endpoints.set_groups(call.tx, endpoint, [group.id for group in groups])
    return Answer()


@action(
    PRIVATELINK,
    writes=True,
    resource=("vpcendpoint/{endpoint_id}", "ecs:securitygroup/{security_group_id}"),
)
def detach_security_group_from_vpc_endpoint(
    call: Call, *, region_id: RegionId, endpoint_id: str, security_group_id: str
) -> Answer:
    """Take a security group off an endpoint; one must stay."""
    endpoint = ours.endpoint(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    refuse_if_over(call, endpoint)
    present = endpoints.groups(call.tx, [endpoint.id])[endpoint.id]
    if security_group_id not in present:
        raise errors.SecurityGroupNotFound(group_id=security_group_id, vpc_id=endpoint.id)
    staying = [each for each in present if each != security_group_id]
    groups = ours.security_groups_in(call, staying, endpoint.vpc_id)
    check_groups(call, endpoint.type, groups, endpoint.ip_version)
    endpoints.set_groups(call.tx, endpoint, [group.id for group in groups])
    return Answer()


@action(PRIVATELINK, resource="vpcendpoint/{endpoint_id}")
def list_vpc_endpoint_security_groups(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str,
    max_results: MaxResults50 = 50,
    next_token: NextToken = "",
) -> GroupsAnswer:
    """List the security groups on an endpoint."""
    endpoint = ours.endpoint(call, endpoint_id)
    present = endpoints.groups(call.tx, [endpoint.id])[endpoint.id]
    page, following = by_token(present, str, max_results, next_token)
    return GroupsAnswer(
        security_groups=[GroupAnswer(security_group_id=each) for each in page],
        total_count=len(present),
        max_results=max_results,
        next_token=following,
    )


ACTIONS = (
    attach_security_group_to_vpc_endpoint,
    detach_security_group_from_vpc_endpoint,
    list_vpc_endpoint_security_groups,
)
