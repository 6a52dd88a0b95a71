"""Tags of what a VPC has; resource groups of VPCs, prefix lists and gateway endpoints.

vSwitches, route tables and NAT gateways are in the group of their VPC, and move with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from privlink import errors
from privlink.api import grouping, ours, tagging
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.paging import MaxResults50, NextToken
from privlink.api.tagging import (
    Labels,
    ResourceIds,
    SomeResourceIds,
    Tag,
    TagAnswer,
    TagKeys,
    TagResource,
    Tags,
)
from privlink.api.wire import Answer

NETWORK, SUBNET, TABLE, PREFIX_LIST = "vpc", "vswitch", "routetable", "prefixlist"
GATEWAY_ENDPOINT = "gatewayendpoint"
NAT_GATEWAY = "natgateway"
LABELS = Labels(
    VPC,
    {
        NETWORK: lambda call, each: ours.vpc(call, each),
        SUBNET: ours.vswitch,
        TABLE: ours.route_table,
        PREFIX_LIST: ours.vpc_prefix_list,
        GATEWAY_ENDPOINT: ours.gateway_endpoint,
        NAT_GATEWAY: ours.nat_gateway,
    },
)


class TagList(Answer):
    tag: list[TagAnswer]


class TagResourceList(Answer):
    tag_resource: list[TagResource]


class TagResourcesAnswer(Answer):
    tag_resources: TagResourceList
    next_token: str | msgspec.UnsetType


def shown(call: Call, resource_ids: Iterable[str]) -> dict[str, TagList]:
    """The tags of resources as this product's answers show them."""
    found = tagging.shown(call, resource_ids)
    return {resource_id: TagList(tag=tags) for resource_id, tags in found.items()}


def chosen(
    call: Call,
    kind: str,
    vpc_of: Mapping[str, str],
    tag: Sequence[Tag],
    resource_group_id: str | None,
) -> set[str]:
    """Those of the resources that have all the tags, and whose VPC is in the group.

    `vpc_of`: the VPC of each resource, which for a VPC is itself.
    """
    tagged = LABELS.matching(call, kind, tag)
    found = set(vpc_of) if tagged is None else tagged & set(vpc_of)
    if resource_group_id:
        vpcs = grouping.chosen(call, {vpc_of[each] for each in found}, resource_group_id)
        found = {each for each in found if vpc_of[each] in vpcs}
    return found


@action(VPC, writes=True, resource="{resource_type}/{resource_id}")
def tag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag: Tags,
) -> Answer:
    """Tag VPCs, what is in them, or prefix lists. A tag that is there gets the new value."""
    return LABELS.tag(call, resource_type, resource_id, tag)


@action(VPC, writes=True, name="UnTagResources", resource="{resource_type}/{resource_id}")
def untag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag_key: TagKeys = (),
    all: bool = False,
) -> Answer:
    """Take tags off VPCs, what is in them, or prefix lists: those named, or all."""
    return LABELS.untag(call, resource_type, resource_id, tag_key, every=all)


@action(VPC, resource="{resource_type}/{resource_id}")
def list_tag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: ResourceIds = (),
    tag: Tags = (),
    max_results: MaxResults50 = 50,
    next_token: NextToken = "",
) -> TagResourcesAnswer:
    """List tags of VPCs, what is in them, or prefix lists, by id, by tag, or by both."""
    page, following = LABELS.page(call, resource_type, resource_id, tag, max_results, next_token)
    return TagResourcesAnswer(
        tag_resources=TagResourceList(tag_resource=page), next_token=following
    )


@action(VPC, writes=True, resource="{resource_type}/{resource_id}")
def move_resource_group(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: str,
    new_resource_group_id: str,
) -> Answer:
    """Move a VPC, a prefix list or a gateway endpoint to another resource group.

    A VPC's vSwitches and route tables go with it; its gateway endpoints stay where they are.
    """
    if resource_type.lower() == PREFIX_LIST:
        grouping.put(call, ours.vpc_prefix_list(call, resource_id).id, new_resource_group_id)
        return Answer()
    if resource_type.lower() == GATEWAY_ENDPOINT:
        grouping.put(call, ours.gateway_endpoint(call, resource_id).id, new_resource_group_id)
        return Answer()
    if resource_type.lower() != NETWORK:
        why = (
            f"{resource_type!r} was given; it is vpc, PrefixList or GatewayEndpoint. vSwitches, "
            "route tables and NAT gateways of a VPC follow theirs."
        )
        raise errors.InvalidParameter(parameter="ResourceType", why=why)
    grouping.put(call, ours.vpc(call, resource_id).id, new_resource_group_id)
    return Answer()


ACTIONS = (tag_resources, untag_resources, list_tag_resources, move_resource_group)
