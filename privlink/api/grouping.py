"""Resource groups: every resource is in one, in its account's default group unless told otherwise.

The default group is nowhere written down: its id follows from the account's, and a resource
without a row is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from privlink import errors
from privlink.api.action import Call
from privlink.model.ids import AccountId, ResourceGroupId
from privlink.model.labels import ResourceGroup
from privlink.store import labels

_DEFAULT_NAME, _DEFAULT_TITLE = "default", "default resource group"


def default_id(account_id: AccountId) -> ResourceGroupId:
    """The id of an account's default group: `rg-` and 15 letters and digits."""
    return ResourceGroupId(f"rg-{hashlib.sha256(account_id.encode()).hexdigest()[:15]}")


def default_group(call: Call) -> ResourceGroup:
    """The caller's default group."""
    assert call.caller.account is not None
    return ResourceGroup(
        id=default_id(call.account_id),
        account_id=call.account_id,
        name=_DEFAULT_NAME,
        display_name=_DEFAULT_TITLE,
        created_at=call.caller.account.created_at,
    )


def all_groups(call: Call) -> list[ResourceGroup]:
    """The caller's groups, the default one first."""
    return [default_group(call), *labels.resource_groups(call.tx, call.account_id)]


def find(
    call: Call, group_id: str, refusal: type[errors.ApiError] = errors.InvalidResourceGroup
) -> ResourceGroup:
    """One of the caller's groups. Raises the product's refusal."""
    for group in all_groups(call):
        if group.id == group_id:
            return group
    raise refusal(group_id=group_id)


def put(call: Call, resource_id: str, group_id: str | None) -> None:
    """Put a resource that is new or moves into a group, None for the default one."""
    if group_id is not None:
        group = find(call, group_id)
        is_default = group.id == default_id(call.account_id)
        labels.move(call.tx, resource_id, None if is_default else group.id)


def shown(call: Call, resource_ids: Iterable[str]) -> dict[str, ResourceGroupId]:
    """The groups of the caller's resources."""
    listed = list(resource_ids)
    found = labels.groups_of(call.tx, listed)
    default = default_id(call.account_id)
    return {each: found.get(each, default) for each in listed}


def chosen(call: Call, resource_ids: Iterable[str], group_id: str | None) -> set[str]:
    """Those of the resources that are in a group; all for None."""
    return {each for each, group in shown(call, resource_ids).items() if group_id in (None, group)}
