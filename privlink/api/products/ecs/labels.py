"""Tags and resource groups of security groups, prefix lists and network interfaces."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from privlink import errors
from privlink.api import grouping, ours, tagging
from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.paging import NextToken
from privlink.api.tagging import (
    Labels,
    ResourceIds,
    SomeResourceIds,
    TagKeys,
    TagResource,
    Tags,
)
from privlink.api.wire import Answer

GROUP, INTERFACE, PREFIX_LIST = "securitygroup", "eni", "prefixlist"
_OURS = {
    GROUP: lambda call, each: ours.security_group(call, each),
    INTERFACE: ours.eni,
    PREFIX_LIST: ours.prefix_list,
}
_PAGE = 50  # ListTagResources takes no MaxResults

LABELS = Labels(ECS, _OURS)


class TagAnswer(Answer):
    tag_key: str
    tag_value: str


class TagList(Answer):
    tag: list[TagAnswer]


class TagResourceList(Answer):
    tag_resource: list[TagResource]


class TagResourcesAnswer(Answer):
    tag_resources: TagResourceList
    next_token: str | msgspec.UnsetType


def shown(call: Call, resource_ids: Iterable[str]) -> dict[str, TagList]:
    """The tags of resources as this product's answers show them."""
    return {
        resource_id: TagList(tag=[TagAnswer(tag_key=t.key, tag_value=t.value) for t in tags])
        for resource_id, tags in tagging.shown(call, resource_ids).items()
    }


@action(ECS, writes=True, resource="{resource_type}/{resource_id}")
def tag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag: Tags,
) -> Answer:
    """Tag security groups, prefix lists or interfaces. A tag that is there gets the new value."""
    return LABELS.tag(call, resource_type, resource_id, tag)


@action(ECS, writes=True, resource="{resource_type}/{resource_id}")
def untag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag_key: TagKeys = (),
    all: bool = False,
) -> Answer:
    """Take tags off security groups, prefix lists or interfaces: those named, or all of them."""
    return LABELS.untag(call, resource_type, resource_id, tag_key, every=all)


@action(ECS, resource="{resource_type}/{resource_id}")
def list_tag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: ResourceIds = (),
    tag: Tags = (),
    next_token: NextToken = "",
) -> TagResourcesAnswer:
    """List the tags of security groups, prefix lists or interfaces, by id, by tag, or by both."""
    page, following = LABELS.page(call, resource_type, resource_id, tag, _PAGE, next_token)
    return TagResourcesAnswer(
        tag_resources=TagResourceList(tag_resource=page), next_token=following
    )


@action(ECS, writes=True, resource="{resource_type}/{resource_id}")
def join_resource_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: str,
    resource_group_id: str,
) -> Answer:
    """Move a security group, a prefix list or a network interface to another resource group."""
    find = _OURS.get(resource_type.lower())
    if find is None:
        why = f"{resource_type!r} was given; it is {' or '.join(_OURS)}."
        raise errors.InvalidParameter(parameter="ResourceType", why=why)
    find(call, resource_id)
    grouping.put(call, resource_id, resource_group_id)
    return Answer()


ACTIONS = (tag_resources, untag_resources, list_tag_resources, join_resource_group)
