"""Roles: what others may become for a while, and PrivateLink's own one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import names
from privlink.api.products.ram.names import (
    Document,
    Marker,
    MaxItems,
    NoTags,
    RoleName,
    Text,
)
from privlink.api.wire import Answer
from privlink.model.identity import Role, role_arn
from privlink.model.ids import new_role_id
from privlink.rules import policy, quotas
from privlink.rules.policy import Shape
from privlink.store import policies, roles, services, tally

Longest = Annotated[
    int, msgspec.Meta(ge=3600, le=43200, description="it is 3600 to 43200 seconds.")
]

_LINKED = "AliyunServiceRole"


class RoleAnswer(Answer):
    role_id: str
    role_name: str
    arn: str
    description: str
    max_session_duration: int
    create_date: str
    update_date: str | msgspec.UnsetType = msgspec.UNSET
    assume_role_policy_document: str | msgspec.UnsetType = msgspec.UNSET
    is_service_linked_role: bool | msgspec.UnsetType = msgspec.UNSET
    role_principal_name: str | msgspec.UnsetType = msgspec.UNSET


class OneRoleAnswer(Answer):
    role: RoleAnswer


class RoleList(Answer):
    role: list[RoleAnswer]


class RolesAnswer(Answer):
    roles: RoleList
    is_truncated: bool
    marker: str | msgspec.UnsetType


@action(RAM, writes=True, resource="role/*")
def create_role(
    call: Call,
    *,
    role_name: RoleName,
    assume_role_policy_document: Document,
    description: Text = "",
    max_session_duration: Longest = 3600,
    tag: NoTags = "",
) -> OneRoleAnswer:
    """Create a role. AssumeRolePolicyDocument says who may assume it."""
    limits.check(call, quotas.RAM_ROLES, roles.count(call.tx, call.account_id))
    _check_trust(assume_role_policy_document, "AssumeRolePolicyDocument")
    if role_name.startswith(_LINKED):
        why = f"{role_name!r} was given; names that begin with {_LINKED} are the cloud's."
        raise errors.InvalidRamParameter(parameter="RoleName", why=why)
    if roles.by_name(call.tx, call.account_id, role_name) is not None:
        raise errors.EntityAlreadyExistsRole(name=role_name)
    role = Role(
        id=new_role_id(),
        account_id=call.account_id,
        name=role_name,
        description=description,
        trust=assume_role_policy_document,
        longest=max_session_duration,
        service="",
        created_at=call.now,
        updated_at=call.now,
    )
    roles.add(call.tx, role)
    return OneRoleAnswer(role=RoleAnswer(**_row(role), assume_role_policy_document=role.trust))


@action(RAM, resource="role/{role_name}")
def get_role(call: Call, *, role_name: RoleName) -> OneRoleAnswer:
    """Show a role."""
    role = names.role(call, role_name)
    return OneRoleAnswer(
        role=RoleAnswer(
            **_row(role),
            update_date=role.updated_at,
            assume_role_policy_document=role.trust,
            is_service_linked_role=bool(role.service),
            role_principal_name=f"{role.name}@role.{role.account_id}.onaliyunservice.com",
        )
    )


@action(RAM, resource="role/*")
def list_roles(
    call: Call, *, marker: Marker = "", max_items: MaxItems = 100, tag: NoTags = ""
) -> RolesAnswer:
    """List the roles of your account, by name."""
    found = roles.of_account(call.tx, call.account_id)
    page, cut, following = names.by_marker(found, lambda role: role.name, max_items, marker)
    listed = [RoleAnswer(**_row(role), update_date=role.updated_at) for role in page]
    return RolesAnswer(roles=RoleList(role=listed), is_truncated=cut, marker=following)


@action(RAM, writes=True, resource="role/{role_name}")
def update_role(
    call: Call,
    *,
    role_name: RoleName,
    new_assume_role_policy_document: Document | None = None,
    new_description: Text | None = None,
    new_max_session_duration: Longest | None = None,
) -> OneRoleAnswer:
    """Change what is given of a role. Sessions that are on go on."""
    role = names.role(call, role_name)
    refuse_linked(role, "it stays as it is.")
    if new_assume_role_policy_document is not None:
        _check_trust(new_assume_role_policy_document, "NewAssumeRolePolicyDocument")
    given = {
        "trust": new_assume_role_policy_document,
        "description": new_description,
        "longest": new_max_session_duration,
    }
    changes: dict[str, Any] = {field: new for field, new in given.items() if new is not None}
    changed = msgspec.structs.replace(role, **changes, updated_at=call.now)
    roles.change(call.tx, changed)
    shown = RoleAnswer(
        **_row(changed), update_date=changed.updated_at, assume_role_policy_document=changed.trust
    )
    return OneRoleAnswer(role=shown)


@action(RAM, writes=True, resource="role/{role_name}")
def delete_role(call: Call, *, role_name: RoleName) -> Answer:
    """Delete a role that has no policies. Its sessions end at once."""
    role = names.role(call, role_name)
    grants = policies.grants(call.tx, role.id)
    if role.service:
        if _is_used(call):
            refuse_linked(role, "it goes once there are neither endpoints nor services.")
        for grant in grants:
            policies.delete_grant(call.tx, role.id, grant.policy_type, grant.policy_name)
        roles.set_linked(call.tx, call.account_id, linked=False)
    elif grants:
        raise errors.DeleteConflictRolePolicy(
            resource=f"Role {role.name}",
            dependants=f"policies: {', '.join(grant.policy_name for grant in grants)}",
            way_out="Take them off with DetachPolicyFromRole first.",
        )
    roles.delete_role(call.tx, role.id)
    return Answer()


def refuse_linked(role: Role, why: str) -> None:
    """Refuse to touch a role that belongs to a service."""
    if role.service:
        raise errors.ServiceLinkedRole(name=role.name, service=role.service, why=why)


def _is_used(call: Call) -> bool:
    """Whether there is what PrivateLink's role is for."""
    return bool(
        tally.of_account(call.tx, call.account_id) or services.count(call.tx, call.account_id)
    )


def _check_trust(document: str, parameter: str) -> None:
    names.check_document(parameter, document, Shape.TRUST, policy.LONGEST_TRUST)


def _row(role: Role) -> dict[str, Any]:
    return {
        "role_id": role.id,
        "role_name": role.name,
        "arn": role_arn(role.account_id, role.name),
        "description": role.description,
        "max_session_duration": role.longest,
        "create_date": role.created_at,
    }


ACTIONS = (create_role, get_role, list_roles, update_role, delete_role)
