"""What people sort their resources by: tags and resource groups."""

from __future__ import annotations

import msgspec

from privlink.model.ids import AccountId, ResourceGroupId


class ResourceTag(msgspec.Struct, frozen=True):
    """One tag of one resource of any product."""

    resource_id: str
    key: str
    value: str
    account_id: AccountId
    resource_type: str  # as its product spells it in tag calls, in lower case


class ResourceGroup(msgspec.Struct, frozen=True):
    """A group that an account sorts its resources into."""

    id: ResourceGroupId
    account_id: AccountId
    name: str
    display_name: str
    created_at: str


class GroupMember(msgspec.Struct, frozen=True):
    """A resource that is in another group than its account's default one."""

    resource_id: str
    group_id: ResourceGroupId
