"""Tags and resource groups of CLBs."""

from __future__ import annotations

import msgspec

from privlink.api import grouping, ours
from privlink.api.action import SLB, Call, RegionId, action
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

INSTANCE = "instance"
_PAGE = 50  # ListTagResources takes no MaxResults

LABELS = Labels(SLB, {INSTANCE: ours.clb})


class TagResources(Answer):
    tag_resource: list[TagResource]


class TagResourcesAnswer(Answer):
    tag_resources: TagResources
    next_token: str | msgspec.UnsetType


@action(SLB, writes=True, resource="{resource_type}/{resource_id}")
def tag_resources(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag: Tags,
) -> Answer:
    """Tag CLBs. A tag that is there gets the new value."""
    return LABELS.tag(call, resource_type, resource_id, tag)


@action(SLB, writes=True, resource="{resource_type}/{resource_id}")
def untag_resources(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag_key: TagKeys = (),
    all: bool = False,
) -> Answer:
    """Take tags off CLBs: those named, or all of them."""
    return LABELS.untag(call, resource_type, resource_id, tag_key, every=all)


@action(SLB, resource="{resource_type}/{resource_id}")
def list_tag_resources(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: ResourceIds = (),
    tag: Tags = (),
    next_token: NextToken = "",
) -> TagResourcesAnswer:
    """List the tags of CLBs, by id, by tag, or by both."""
    page, following = LABELS.page(call, resource_type, resource_id, tag, _PAGE, next_token)
    return TagResourcesAnswer(tag_resources=TagResources(tag_resource=page), next_token=following)


@action(SLB, writes=True, resource="loadbalancer/{resource_id}")
def move_resource_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_id: str,
    resource_type: str,
    new_resource_group_id: str,
) -> Answer:
    """Move a CLB to another resource group."""
    if resource_type.lower() not in (INSTANCE, "loadbalancer"):
        why = f"{resource_type!r} was given; it is loadbalancer."
        raise SLB.invalid(parameter="ResourceType", why=why)
    grouping.put(call, ours.clb(call, resource_id).id, new_resource_group_id)
    return Answer()


ACTIONS = (tag_resources, untag_resources, list_tag_resources, move_resource_group)
