"""Tags and resource groups of endpoints and services."""

from __future__ import annotations

import msgspec

from privlink import errors
from privlink.api import grouping, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import NextToken
from privlink.api.tagging import (
    Labels,
    Refusals,
    ResourceIds,
    SomeResourceIds,
    TagKeys,
    TagResource,
    Tags,
)
from privlink.api.wire import Answer

ENDPOINT, SERVICE = "vpcendpoint", "vpcendpointservice"
_OURS = {ENDPOINT: ours.endpoint, SERVICE: ours.service}
_PAGE = 50  # ListTagResources takes no MaxResults

LABELS = Labels(
    PRIVATELINK,
    _OURS,
    Refusals(
        missing_key=errors.MissingTagKeyParam,
        no_key=errors.NoTagKeyParam,
        missing_value=errors.MissingTagValueParam,
        invalid_key=errors.IllegalTagKeyParam,
        invalid_value=errors.IllegalTagValueParam,
        twice=errors.DuplicatedTagKey,
        too_many=errors.QuotaExceedTagsPerResource,
        nothing_asked=errors.MissingResourceIdOrTagParam,
        unknown_resource=errors.TaggedResourceNotFound,
        unknown_tag=errors.TagInfoNotExist,
    ),
)


class TagResourcesAnswer(Answer):
    tag_resources: list[TagResource]
    next_token: str | msgspec.UnsetType


@action(PRIVATELINK, writes=True, resource="{resource_type}/{resource_id}")
def tag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag: Tags,
) -> Answer:
    """Tag endpoints or services. A tag that is there gets the new value."""
    return LABELS.tag(call, resource_type, resource_id, tag)


@action(PRIVATELINK, writes=True, resource="{resource_type}/{resource_id}")
def untag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: SomeResourceIds,
    tag_key: TagKeys = (),
    all: bool = False,
) -> Answer:
    """Take tags off endpoints or services: those named, or all of them."""
    return LABELS.untag(call, resource_type, resource_id, tag_key, every=all)


@action(PRIVATELINK, resource="{resource_type}/{resource_id}")
def list_tag_resources(
    call: Call,
    *,
    region_id: RegionId,
    resource_type: str,
    resource_id: ResourceIds = (),
    tag: Tags = (),
    next_token: NextToken = "",
) -> TagResourcesAnswer:
    """List the tags of endpoints or services, by id, by tag, or by both."""
    page, following = LABELS.page(call, resource_type, resource_id, tag, _PAGE, next_token)
    return TagResourcesAnswer(tag_resources=page, next_token=following)


@action(PRIVATELINK, writes=True, resource="{resource_type}/{resource_id}")
def change_resource_group(
    call: Call,
    *,
    resource_id: str,
    resource_group_id: str,
    resource_type: str | None = None,
    resource_region_id: RegionId | None = None,
    region_id: RegionId | None = None,
) -> Answer:
    """Move an endpoint or a service to another resource group."""
    kind = (resource_type or (ENDPOINT if resource_id.startswith("ep-") else SERVICE)).lower()
    if kind not in _OURS:
        why = f"{resource_type!r} was given; it is VpcEndpoint or VpcEndpointService."
        raise errors.IllegalParamFormat(parameter="ResourceType", why=why)
    try:
        _OURS[kind](call, resource_id)
    except errors.ApiError:
        raise errors.GroupedResourceNotFound(kind=kind, resource_id=resource_id) from None
    grouping.put(call, resource_id, resource_group_id)
    return Answer()


ACTIONS = (tag_resources, untag_resources, list_tag_resources, change_resource_group)
