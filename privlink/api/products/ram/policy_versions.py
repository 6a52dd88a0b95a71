"""The versions of a policy: documents that it has or had, of which one holds."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import names
from privlink.api.products.ram.names import Document, KindOfPolicy, PolicyName
from privlink.api.products.ram.policies import VersionAnswer
from privlink.api.wire import Answer
from privlink.model.identity import Policy, PolicyType, PolicyVersion
from privlink.rules import quotas
from privlink.rules.system_policies import SINCE, SYSTEM_POLICIES
from privlink.store import policies

VersionId = Annotated[
    str,
    msgspec.Meta(pattern=r"^v[0-9]{1,9}\Z", description="a version is called v1, v2 and so on."),
]
RotateStrategy = Annotated[
    Literal["None", "DeleteOldestNonDefaultVersionWhenLimitExceeded"],
    msgspec.Meta(description="it is None or DeleteOldestNonDefaultVersionWhenLimitExceeded."),
]


class OneVersionAnswer(Answer):
    policy_version: VersionAnswer


class VersionList(Answer):
    policy_version: list[VersionAnswer]


class VersionsAnswer(Answer):
    policy_versions: VersionList


@action(RAM, writes=True, resource="policy/{policy_name}")
def create_policy_version(
    call: Call,
    *,
    policy_name: PolicyName,
    policy_document: Document,
    set_as_default: bool = False,
    rotate_strategy: RotateStrategy = "None",
) -> OneVersionAnswer:
    """Give a policy another document, which holds from now on with SetAsDefault."""
    policy = names.custom_policy(call, policy_name)
    names.check_document("PolicyDocument", policy_document)
    present = policies.versions(call.tx, call.account_id, policy.name)
    if rotate_strategy != "None" and len(present) >= quotas.VERSIONS_PER_POLICY.limit:
        oldest = next(each for each in present if each.version != policy.version)
        policies.delete_version(call.tx, oldest)
        present.remove(oldest)
    limits.check(call, quotas.VERSIONS_PER_POLICY, len(present), policy.name)
    version = PolicyVersion(
        account_id=call.account_id,
        policy_name=policy.name,
        version=max(each.version for each in present) + 1,
        document=policy_document,
        created_at=call.now,
    )
    policies.add_version(call.tx, version)
    if set_as_default:
        policy = _hold(call, policy, version)
    return OneVersionAnswer(policy_version=_shown(policy, version))


@action(RAM, resource="policy/{policy_name}")
def get_policy_version(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy, version_id: VersionId
) -> OneVersionAnswer:
    """Show one version of a policy."""
    for policy, version in _versions(call, policy_type, policy_name):
        if f"v{version.version}" == version_id:
            return OneVersionAnswer(policy_version=_shown(policy, version))
    raise errors.EntityNotExistPolicyVersion(name=policy_name, version=version_id)


@action(RAM, resource="policy/{policy_name}")
def list_policy_versions(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy
) -> VersionsAnswer:
    """List the versions of a policy, oldest first."""
    found = _versions(call, policy_type, policy_name)
    listed = [_shown(policy, version) for policy, version in found]
    return VersionsAnswer(policy_versions=VersionList(policy_version=listed))


@action(RAM, writes=True, resource="policy/{policy_name}")
def set_default_policy_version(
    call: Call, *, policy_name: PolicyName, version_id: VersionId
) -> Answer:
    """Let another version of a policy hold, from now on and for everybody who has it."""
    policy = names.custom_policy(call, policy_name)
    _hold(call, policy, _version(call, policy, version_id))
    return Answer()


@action(RAM, writes=True, resource="policy/{policy_name}")
def delete_policy_version(call: Call, *, policy_name: PolicyName, version_id: VersionId) -> Answer:
    """Delete a version of a policy that does not hold."""
    policy = names.custom_policy(call, policy_name)
    version = _version(call, policy, version_id)
    if version.version == policy.version:
        raise errors.DeleteConflictDefaultVersion(version=version_id, name=policy.name)
    policies.delete_version(call.tx, version)
    return Answer()


def _hold(call: Call, policy: Policy, version: PolicyVersion) -> Policy:
    changed = msgspec.structs.replace(
        policy, document=version.document, version=version.version, updated_at=call.now
    )
    policies.change(call.tx, changed)
    return changed


def _version(call: Call, policy: Policy, version_id: str) -> PolicyVersion:
    number = int(version_id[1:])
    for version in policies.versions(call.tx, call.account_id, policy.name):
        if version.version == number:
            return version
    raise errors.EntityNotExistPolicyVersion(name=policy.name, version=version_id)


def _versions(call: Call, kind: PolicyType, name: str) -> list[tuple[Policy, PolicyVersion]]:
    names.check_policy(call, kind, name)
    if kind is PolicyType.CUSTOM:
        own = names.custom_policy(call, name)
        return [(own, each) for each in policies.versions(call.tx, call.account_id, name)]
    system = SYSTEM_POLICIES[name]
    policy = Policy(call.account_id, name, system.description, system.document, 1, SINCE, SINCE)
    return [(policy, PolicyVersion(call.account_id, name, 1, system.document, SINCE))]


def _shown(policy: Policy, version: PolicyVersion) -> VersionAnswer:
    return VersionAnswer(
        version_id=f"v{version.version}",
        is_default_version=version.version == policy.version,
        create_date=version.created_at,
        policy_document=version.document,
    )


ACTIONS = (
    create_policy_version,
    get_policy_version,
    list_policy_versions,
    set_default_policy_version,
    delete_policy_version,
)
