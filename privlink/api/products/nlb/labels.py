"""Tags and resource groups of load balancers, server groups and listeners."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import grouping, ours
from privlink.api.action import NLB, Call, RegionId, action
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

BALANCER, GROUP, LISTENER = "loadbalancer", "servergroup", "listener"
_GROUPED = {BALANCER: ours.balancer, GROUP: ours.server_group}
_OURS = {**_GROUPED, LISTENER: ours.listener}

LABELS = Labels(NLB, _OURS)

MaxResults = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]


class TagResourcesAnswer(Answer):
    tag_resources: list[TagResource]
    max_results: int
    next_token: str | msgspec.UnsetType


@action(NLB, writes=True, resource="{resource_type}/{resource_id}")
def tag_resources(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag: Tags,
) -> Answer:
    """Tag load balancers, server groups or listeners. A tag that is there gets the new value."""
    return LABELS.tag(call, resource_type, resource_id, tag)


@action(NLB, writes=True, resource="{resource_type}/{resource_id}")
def untag_resources(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag_key: TagKeys = (),
    all: bool = False,
) -> Answer:
    """Take tags off load balancers, server groups or listeners: those named, or all of them."""
    return LABELS.untag(call, resource_type, resource_id, tag_key, every=all)


@action(NLB, resource="{resource_type}/{resource_id}")
def list_tag_resources(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_type: str,
    resource_id: ResourceIds = (),
    tag: Tags = (),
    max_results: MaxResults = 20,
    next_token: NextToken = "",
) -> TagResourcesAnswer:
    """List the tags of load balancers, server groups or listeners, by id, by tag, or by both."""
    page, following = LABELS.page(call, resource_type, resource_id, tag, max_results, next_token)
    return TagResourcesAnswer(tag_resources=page, max_results=max_results, next_token=following)


@action(NLB, writes=True, resource="{resource_type}/{resource_id}")
def move_resource_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    resource_id: str,
    resource_type: str,
    new_resource_group_id: str,
) -> Answer:
    """Move a load balancer or a server group to another resource group."""
    kind = resource_type.lower()
    if kind not in _GROUPED:
        why = f"{resource_type!r} was given; it is {' or '.join(_GROUPED)}."
        raise errors.InvalidParameter(parameter="ResourceType", why=why)
    _GROUPED[kind](call, resource_id)
    grouping.put(call, resource_id, new_resource_group_id)
    return Answer()


ACTIONS = (tag_resources, untag_resources, list_tag_resources, move_resource_group)
