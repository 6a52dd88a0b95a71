"""Policies: what an account wrote, and what is there without that."""

from __future__ import annotations

from typing import Any

import msgspec

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import names
from privlink.api.products.ram.names import (
    Document,
    KindOfPolicy,
    Marker,
    MaxItems,
    NoTags,
    PolicyName,
    Text,
)
from privlink.api.wire import Answer
from privlink.model.identity import CUSTOM, SYSTEM, Policy, PolicyType
from privlink.rules import quotas
from privlink.rules.system_policies import SINCE, SYSTEM_POLICIES
from privlink.store import policies


class PolicyAnswer(Answer):
    policy_name: str
    policy_type: str
    description: str
    default_version: str
    create_date: str
    update_date: str | msgspec.UnsetType = msgspec.UNSET
    attachment_count: int | msgspec.UnsetType = msgspec.UNSET
    policy_document: str | msgspec.UnsetType = msgspec.UNSET


class VersionAnswer(Answer):
    version_id: str
    is_default_version: bool
    create_date: str
    policy_document: str | msgspec.UnsetType = msgspec.UNSET


class CreatePolicyAnswer(Answer):
    policy: PolicyAnswer


class GetPolicyAnswer(Answer):
    policy: PolicyAnswer
    default_policy_version: VersionAnswer


class PolicyList(Answer):
    policy: list[PolicyAnswer]


class PoliciesAnswer(Answer):
    policies: PolicyList
    is_truncated: bool
    marker: str | msgspec.UnsetType


@action(RAM, writes=True, resource="policy/*")
def create_policy(
    call: Call,
    *,
    policy_name: PolicyName,
    policy_document: Document,
    description: Text = "",
    tag: NoTags = "",
) -> CreatePolicyAnswer:
    """Create a policy. It counts once it is attached to a user or to a role."""
    limits.check(call, quotas.RAM_POLICIES, policies.count(call.tx, call.account_id))
    names.check_document("PolicyDocument", policy_document)
    if (
        policy_name in SYSTEM_POLICIES
        or policies.get(call.tx, call.account_id, policy_name) is not None
    ):
        raise errors.EntityAlreadyExistsPolicy(name=policy_name)
    policy = Policy(
        account_id=call.account_id,
        name=policy_name,
        description=description,
        document=policy_document,
        version=1,
        created_at=call.now,
        updated_at=call.now,
    )
    policies.add(call.tx, policy)
    return CreatePolicyAnswer(policy=PolicyAnswer(**_row(policy)))


@action(RAM, resource="policy/{policy_name}")
def get_policy(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy
) -> GetPolicyAnswer:
    """Show a policy and the document that holds."""
    policy = _find(call, policy_type, policy_name)
    used = policies.count_grants(call.tx, call.account_id).get((policy_type, policy.name), 0)
    return GetPolicyAnswer(
        policy=PolicyAnswer(
            **_row(policy, policy_type),
            update_date=policy.updated_at,
            attachment_count=used,
            policy_document=policy.document,
        ),
        default_policy_version=VersionAnswer(
            version_id=f"v{policy.version}",
            is_default_version=True,
            create_date=policy.updated_at,
            policy_document=policy.document,
        ),
    )


@action(RAM, resource="policy/*")
def list_policies(
    call: Call,
    *,
    policy_type: KindOfPolicy | None = None,
    tag: NoTags = "",
    marker: Marker = "",
    max_items: MaxItems = 100,
) -> PoliciesAnswer:
    """List policies: your own, those that every account has, or both."""
    found: list[tuple[str, Policy]] = []
    if policy_type in (None, PolicyType.CUSTOM):
        found += [(CUSTOM, each) for each in policies.of_account(call.tx, call.account_id)]
    if policy_type in (None, PolicyType.SYSTEM):
        found += [(SYSTEM, _find(call, PolicyType.SYSTEM, name)) for name in SYSTEM_POLICIES]
    found.sort(key=_place)
    page, cut, following = names.by_marker(found, _place, max_items, marker)
    used = policies.count_grants(call.tx, call.account_id)
    listed = [
        PolicyAnswer(
            **_row(policy, kind),
            update_date=policy.updated_at,
            attachment_count=used.get((kind, policy.name), 0),
        )
        for kind, policy in page
    ]
    return PoliciesAnswer(policies=PolicyList(policy=listed), is_truncated=cut, marker=following)


@action(RAM, writes=True, resource="policy/{policy_name}")
def delete_policy(call: Call, *, policy_name: PolicyName, cascading_delete: bool = False) -> Answer:
    """Delete a policy that nobody has and that has no other version than the one that holds.

    CascadingDelete deletes its versions first; those who have it keep it from being deleted still.
    """
    policy = names.custom_policy(call, policy_name)
    if grants := policies.grants_of(call.tx, call.account_id, CUSTOM, policy.name):
        count = len(grants)
        raise errors.DeleteConflictPolicyUser(
            resource=policy.name,
            dependants="1 user or role" if count == 1 else f"{count} users and roles",
            way_out="ListEntitiesForPolicy names them; take it off each first.",
        )
    versions = policies.versions(call.tx, call.account_id, policy.name)
    if len(versions) > 1 and not cascading_delete:
        raise errors.DeleteConflictPolicyVersion(
            resource=f"Policy {policy.name}",
            dependants="other versions than the one that holds",
            way_out="Delete them with DeletePolicyVersion first.",
        )
    policies.delete_policy(call.tx, call.account_id, policy.name)
    return Answer()


def _find(call: Call, kind: PolicyType, name: str) -> Policy:
    names.check_policy(call, kind, name)
    if kind is PolicyType.CUSTOM:
        return names.custom_policy(call, name)
    system = SYSTEM_POLICIES[name]
    return Policy(call.account_id, name, system.description, system.document, 1, SINCE, SINCE)


def _place(each: tuple[str, Policy]) -> str:
    return f"{each[1].name} {each[0]}"


def _row(policy: Policy, kind: str = CUSTOM) -> dict[str, Any]:
    return {
        "policy_name": policy.name,
        "policy_type": str(kind),
        "description": policy.description,
        "default_version": f"v{policy.version}",
        "create_date": policy.created_at,
    }


ACTIONS = (create_policy, get_policy, list_policies, delete_policy)
