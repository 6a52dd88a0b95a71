"""Policies on roles."""

from __future__ import annotations

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import grants, names
from privlink.api.products.ram.grants import GrantsAnswer
from privlink.api.products.ram.names import KindOfPolicy, PolicyName, RoleName
from privlink.api.products.ram.roles import refuse_linked
from privlink.api.wire import Answer
from privlink.model.identity import Grant
from privlink.rules import quotas
from privlink.store import policies


@action(RAM, writes=True, resource=("role/{role_name}", "policy/{policy_name}"))
def attach_policy_to_role(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy, role_name: RoleName
) -> Answer:
    """Let those who assume a role do what a policy says, in sessions that are on as well."""
    role = names.role(call, role_name)
    refuse_linked(role, "its policies are the cloud's.")
    names.check_policy(call, policy_type, policy_name)
    present = policies.grants(call.tx, role.id)
    if any((each.policy_type, each.policy_name) == (policy_type, policy_name) for each in present):
        raise errors.EntityAlreadyExistsRolePolicy(
            name=role.name, policy_type=policy_type, policy=policy_name
        )
    limits.check(call, quotas.POLICIES_PER_ROLE, len(present), role.name)
    grant = Grant(role.id, policy_type, policy_name, call.account_id, call.now)
    policies.add_grant(call.tx, grant)
    return Answer()


@action(RAM, writes=True, resource=("role/{role_name}", "policy/{policy_name}"))
def detach_policy_from_role(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy, role_name: RoleName
) -> Answer:
    """Take a policy off a role."""
    role = names.role(call, role_name)
    refuse_linked(role, "its policies are the cloud's.")
    names.check_policy(call, policy_type, policy_name)
    if not policies.delete_grant(call.tx, role.id, policy_type, policy_name):
        raise errors.EntityNotExistRolePolicy(
            name=role.name, policy_type=policy_type, policy=policy_name
        )
    return Answer()


@action(RAM, resource="role/{role_name}")
def list_policies_for_role(call: Call, *, role_name: RoleName) -> GrantsAnswer:
    """List the policies of a role."""
    return grants.shown(call, names.role(call, role_name).id)


ACTIONS = (attach_policy_to_role, detach_policy_from_role, list_policies_for_role)
