"""Resource Management 2020-03-31: the groups an account sorts its resources into."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, limits, tagging
from privlink.api.action import RESOURCEMANAGER, Call, action
from privlink.api.paging import PageNumber, by_number
from privlink.api.tagging import Labels, Tags
from privlink.api.wire import Answer
from privlink.model.ids import ResourceGroupId, new_id
from privlink.model.labels import ResourceGroup
from privlink.rules import quotas
from privlink.store import labels

_KIND = "resourcegroup"
_PageSize = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]
Name = Annotated[
    str,
    msgspec.Meta(
        min_length=3,
        max_length=50,
        pattern=r"^[A-Za-z][A-Za-z0-9_.-]*\Z",
        description="a name has 3 to 50 letters, digits, dots, - and _, a letter first.",
    ),
]
DisplayName = Annotated[
    str, msgspec.Meta(min_length=1, max_length=50, description="it has 1 to 50 characters.")
]
GroupIds = Annotated[
    tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100 groups.")
]


class GroupTag(Answer):
    tag_key: str
    tag_value: str


class GroupTags(Answer):
    tag: list[GroupTag]


class RegionStatus(Answer):
    region_id: str
    status: str


class RegionStatuses(Answer):
    region_status: list[RegionStatus]


class GroupAnswer(Answer):
    id: str
    name: str
    display_name: str
    account_id: str
    status: str
    create_date: str
    tags: GroupTags | msgspec.UnsetType


class DetailedGroup(GroupAnswer):
    region_statuses: RegionStatuses


class GroupList(Answer):
    resource_group: list[GroupAnswer]


class GroupsAnswer(Answer):
    resource_groups: GroupList
    total_count: int
    page_number: int
    page_size: int


class OneGroupAnswer(Answer):
    resource_group: DetailedGroup


class NamedGroup(Answer):
    """A group as UpdateResourceGroup shows it: its status is of no interest there."""

    id: str
    name: str
    display_name: str
    account_id: str
    create_date: str


class ChangedGroup(Answer):
    resource_group: NamedGroup


def _find(call: Call, group_id: str) -> ResourceGroup:
    return grouping.find(call, group_id, errors.ResourceGroupNotExist)


LABELS = Labels(RESOURCEMANAGER, {_KIND: _find})


@action(RESOURCEMANAGER, writes=True, resource="resourcegroup/*")
def create_resource_group(
    call: Call, *, name: Name, display_name: DisplayName, tag: Tags = ()
) -> OneGroupAnswer:
    """Create a resource group."""
    limits.check(
        call, quotas.RESOURCE_GROUPS, len(labels.resource_groups(call.tx, call.account_id))
    )
    for each in grouping.all_groups(call):
        if each.name == name:
            raise errors.ResourceGroupExists(name=name, group_id=each.id)
    group = ResourceGroup(
        id=ResourceGroupId(new_id("rg")),
        account_id=call.account_id,
        name=name,
        display_name=display_name,
        created_at=call.now,
    )
    labels.add_group(call.tx, group)
    LABELS.attach(call, _KIND, group.id, tag)
    return OneGroupAnswer(resource_group=_detailed(call, group, tags=False))


@action(RESOURCEMANAGER, resource="resourcegroup/{resource_group_id}")
def get_resource_group(
    call: Call, *, resource_group_id: str, include_tags: bool = False
) -> OneGroupAnswer:
    """Show a resource group."""
    group = _find(call, resource_group_id)
    return OneGroupAnswer(resource_group=_detailed(call, group, tags=include_tags))


@action(RESOURCEMANAGER, resource="resourcegroup/*")
def list_resource_groups(
    call: Call,
    *,
    status: Literal["Creating", "OK", "PendingDelete"] | None = None,
    resource_group_id: str | None = None,
    resource_group_ids: GroupIds = (),
    name: str | None = None,
    display_name: str | None = None,
    tag: Tags = (),
    include_tags: bool = False,
    page_number: PageNumber = 1,
    page_size: _PageSize = 10,
) -> GroupsAnswer:
    """List resource groups, the default one first. All filters given must match."""
    tagged = LABELS.matching(call, _KIND, tag)
    found = [
        group
        for group in grouping.all_groups(call)
        if status in (None, "OK")
        and resource_group_id in (None, group.id)
        and (not resource_group_ids or group.id in resource_group_ids)
        and name in (None, group.name)
        and display_name in (None, group.display_name)
        and (tagged is None or group.id in tagged)
    ]
    page = by_number(found, page_number, page_size)
    return GroupsAnswer(
        resource_groups=GroupList(
            resource_group=[
                GroupAnswer(**_shown(call, group), tags=_tags(call, group, wanted=include_tags))
                for group in page
            ]
        ),
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
    )


@action(RESOURCEMANAGER, writes=True, resource="resourcegroup/{resource_group_id}")
def update_resource_group(
    call: Call, *, resource_group_id: str, new_display_name: DisplayName
) -> ChangedGroup:
    """Give a resource group another display name."""
    group = _find(call, resource_group_id)
    _refuse_default(call, group)
    labels.change_group(call.tx, msgspec.structs.replace(group, display_name=new_display_name))
    shown = NamedGroup(
        id=group.id,
        name=group.name,
        display_name=new_display_name,
        account_id=group.account_id,
        create_date=group.created_at,
    )
    return ChangedGroup(resource_group=shown)


@action(RESOURCEMANAGER, writes=True, resource="resourcegroup/{resource_group_id}")
def delete_resource_group(call: Call, *, resource_group_id: str) -> OneGroupAnswer:
    """Delete a resource group that nothing is in."""
    group = _find(call, resource_group_id)
    _refuse_default(call, group)
    if inside := sorted(labels.members(call.tx, group.id)):
        raise errors.ResourceGroupInUse(resource=group.id, dependants=", ".join(inside[:10]))
    labels.delete_group(call.tx, group.id)
    labels.forget(call.tx, group.id)
    return OneGroupAnswer(resource_group=_detailed(call, group, tags=False))


def _refuse_default(call: Call, group: ResourceGroup) -> None:
    if group.id == grouping.default_id(call.account_id):
        raise errors.DefaultResourceGroup(group_id=group.id)


def _shown(call: Call, group: ResourceGroup) -> dict[str, str]:
    return {
        "id": group.id,
        "name": group.name,
        "display_name": group.display_name,
        "account_id": group.account_id,
        "status": "OK",
        "create_date": group.created_at,
    }


def _detailed(call: Call, group: ResourceGroup, *, tags: bool) -> DetailedGroup:
    here = RegionStatus(region_id=call.config.region, status="OK")
    return DetailedGroup(
        **_shown(call, group),
        tags=_tags(call, group, wanted=tags),
        region_statuses=RegionStatuses(region_status=[here]),
    )


def _tags(call: Call, group: ResourceGroup, *, wanted: bool) -> GroupTags | msgspec.UnsetType:
    if not wanted:
        return msgspec.UNSET
    found = tagging.shown(call, [group.id])[group.id]
    return GroupTags(tag=[GroupTag(tag_key=tag.key, tag_value=tag.value) for tag in found])


ACTIONS = (
    create_resource_group,
    get_resource_group,
    list_resource_groups,
    update_resource_group,
    delete_resource_group,
)
