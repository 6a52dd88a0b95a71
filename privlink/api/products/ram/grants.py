"""Policies on users, and who has a policy."""

from __future__ import annotations

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import names
from privlink.api.products.ram.names import KindOfPolicy, PolicyName, UserName
from privlink.api.wire import Answer
from privlink.model.identity import Grant, role_arn
from privlink.rules import quotas
from privlink.store import policies, roles, users


class GrantAnswer(Answer):
    policy_name: str
    policy_type: str
    description: str
    default_version: str
    attach_date: str


class GrantList(Answer):
    policy: list[GrantAnswer]


class GrantsAnswer(Answer):
    policies: GrantList


class GrantedUser(Answer):
    user_id: str
    user_name: str
    display_name: str
    attach_date: str


class GrantedUsers(Answer):
    user: list[GrantedUser]


class GrantedRole(Answer):
    role_id: str
    role_name: str
    arn: str
    description: str
    attach_date: str


class GrantedRoles(Answer):
    role: list[GrantedRole]


class GrantedGroups(Answer):
    group: list[str]


class EntitiesAnswer(Answer):
    users: GrantedUsers
    roles: GrantedRoles
    groups: GrantedGroups


@action(RAM, writes=True, resource=("user/{user_name}", "policy/{policy_name}"))
def attach_policy_to_user(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy, user_name: UserName
) -> Answer:
    """Let a user do what a policy says, from the next call on."""
    user = names.user(call, user_name)
    names.check_policy(call, policy_type, policy_name)
    present = policies.grants(call.tx, user.id)
    if any((each.policy_type, each.policy_name) == (policy_type, policy_name) for each in present):
        raise errors.EntityAlreadyExistsUserPolicy(
            name=user.name, policy_type=policy_type, policy=policy_name
        )
    limits.check(call, quotas.POLICIES_PER_USER, len(present), user.name)
    grant = Grant(user.id, policy_type, policy_name, call.account_id, call.now)
    policies.add_grant(call.tx, grant)
    return Answer()


@action(RAM, writes=True, resource=("user/{user_name}", "policy/{policy_name}"))
def detach_policy_from_user(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy, user_name: UserName
) -> Answer:
    """Take a policy off a user."""
    user = names.user(call, user_name)
    names.check_policy(call, policy_type, policy_name)
    if not policies.delete_grant(call.tx, user.id, policy_type, policy_name):
        raise errors.EntityNotExistUserPolicy(
            name=user.name, policy_type=policy_type, policy=policy_name
        )
    return Answer()


@action(RAM, resource="user/{user_name}")
def list_policies_for_user(call: Call, *, user_name: UserName) -> GrantsAnswer:
    """List the policies of a user."""
    return shown(call, names.user(call, user_name).id)


@action(RAM, resource="policy/{policy_name}")
def list_entities_for_policy(
    call: Call, *, policy_name: PolicyName, policy_type: KindOfPolicy
) -> EntitiesAnswer:
    """List the users and the roles that have a policy."""
    names.check_policy(call, policy_type, policy_name)
    given = {
        grant.identity_id: grant.granted_at
        for grant in policies.grants_of(call.tx, call.account_id, policy_type, policy_name)
    }
    account = call.account_id
    return EntitiesAnswer(
        users=GrantedUsers(
            user=[
                GrantedUser(
                    user_id=user.id,
                    user_name=user.name,
                    display_name=user.display_name,
                    attach_date=given[user.id],
                )
                for user in users.of_account(call.tx, account)
                if user.id in given
            ]
        ),
        roles=GrantedRoles(
            role=[
                GrantedRole(
                    role_id=role.id,
                    role_name=role.name,
                    arn=role_arn(account, role.name),
                    description=role.description,
                    attach_date=given[role.id],
                )
                for role in roles.of_account(call.tx, account)
                if role.id in given
            ]
        ),
        groups=GrantedGroups(group=[]),
    )


def shown(call: Call, identity_id: str) -> GrantsAnswer:
    """The policies of a user or of a role as answers show them."""
    listed = []
    for grant in policies.grants(call.tx, identity_id):
        description, version = names.description_of(call, grant)
        answer = GrantAnswer(
            policy_name=grant.policy_name,
            policy_type=grant.policy_type.value,
            description=description,
            default_version=version,
            attach_date=grant.granted_at,
        )
        listed.append(answer)
    return GrantsAnswer(policies=GrantList(policy=listed))


ACTIONS = (
    attach_policy_to_user,
    detach_policy_from_user,
    list_policies_for_user,
    list_entities_for_policy,
)
