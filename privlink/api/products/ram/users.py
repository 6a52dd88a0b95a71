"""RAM users: people and programs of an account."""

from __future__ import annotations

import msgspec

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import names
from privlink.api.products.ram.names import Marker, MaxItems, ShortText, UserName
from privlink.api.wire import Answer
from privlink.model.identity import User
from privlink.model.ids import new_user_id
from privlink.rules import quotas
from privlink.store import policies, users


class UserAnswer(Answer):
    user_id: str
    user_name: str
    display_name: str
    mobile_phone: str
    email: str
    comments: str
    create_date: str
    update_date: str | msgspec.UnsetType = msgspec.UNSET
    last_login_date: str | msgspec.UnsetType = msgspec.UNSET


class OneUserAnswer(Answer):
    user: UserAnswer


class UserList(Answer):
    user: list[UserAnswer]


class UsersAnswer(Answer):
    users: UserList
    is_truncated: bool
    marker: str | msgspec.UnsetType


class GroupList(Answer):
    group: list[str]


class GroupsAnswer(Answer):
    groups: GroupList


@action(RAM, writes=True, resource="user/*")
def create_user(
    call: Call,
    *,
    user_name: UserName,
    display_name: ShortText = "",
    mobile_phone: ShortText = "",
    email: ShortText = "",
    comments: ShortText = "",
) -> OneUserAnswer:
    """Create a user, who may do nothing yet: attach policies, and create an access key."""
    limits.check(call, quotas.RAM_USERS, users.count(call.tx, call.account_id))
    _refuse_taken(call, user_name)
    user = User(
        id=new_user_id(),
        account_id=call.account_id,
        name=user_name,
        display_name=display_name or user_name,
        mobile_phone=mobile_phone,
        email=email,
        comments=comments,
        created_at=call.now,
        updated_at=call.now,
    )
    users.add(call.tx, user)
    return OneUserAnswer(user=UserAnswer(**_row(user)))


@action(RAM, resource="user/{user_name}")
def get_user(call: Call, *, user_name: UserName) -> OneUserAnswer:
    """Show a user."""
    user = names.user(call, user_name)
    shown = UserAnswer(**_row(user), update_date=user.updated_at, last_login_date="")
    return OneUserAnswer(user=shown)


@action(RAM, resource="user/*")
def list_users(call: Call, *, marker: Marker = "", max_items: MaxItems = 100) -> UsersAnswer:
    """List the users of your account, by name."""
    found = users.of_account(call.tx, call.account_id)
    page, cut, following = names.by_marker(found, lambda user: user.name, max_items, marker)
    listed = [UserAnswer(**_row(user), update_date=user.updated_at) for user in page]
    return UsersAnswer(users=UserList(user=listed), is_truncated=cut, marker=following)


@action(RAM, writes=True, resource=("user/{user_name}", "user/{new_user_name}"))
def update_user(
    call: Call,
    *,
    user_name: UserName,
    new_user_name: UserName | None = None,
    new_display_name: ShortText | None = None,
    new_mobile_phone: ShortText | None = None,
    new_email: ShortText | None = None,
    new_comments: ShortText | None = None,
) -> OneUserAnswer:
    """Change what is given of a user. Keys and policies stay with a user who gets another name."""
    user = names.user(call, user_name)
    if new_user_name not in (None, user.name):
        _refuse_taken(call, str(new_user_name))
    given = {
        "name": new_user_name,
        "display_name": new_display_name,
        "mobile_phone": new_mobile_phone,
        "email": new_email,
        "comments": new_comments,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    changed = msgspec.structs.replace(user, **changes, updated_at=call.now)
    users.change(call.tx, changed)
    return OneUserAnswer(user=UserAnswer(**_row(changed), update_date=changed.updated_at))


@action(RAM, writes=True, resource="user/{user_name}")
def delete_user(call: Call, *, user_name: UserName) -> Answer:
    """Delete a user who has neither access keys nor policies."""
    user = names.user(call, user_name)
    if keys := users.keys(call.tx, user.id):
        raise errors.DeleteConflictUserAccessKey(
            resource=f"User {user.name}",
            dependants=f"access keys: {', '.join(key.id for key in keys)}",
            way_out="Delete them with DeleteAccessKey first.",
        )
    if grants := policies.grants(call.tx, user.id):
        raise errors.DeleteConflictUserPolicy(
            resource=f"User {user.name}",
            dependants=f"policies: {', '.join(grant.policy_name for grant in grants)}",
            way_out="Take them off with DetachPolicyFromUser first.",
        )
    users.delete_user(call.tx, user.id)
    return Answer()


@action(RAM, resource="user/{user_name}")
def list_groups_for_user(call: Call, *, user_name: UserName) -> GroupsAnswer:
    """List the groups a user is in: none, as there are no groups of users here."""
    names.user(call, user_name)
    return GroupsAnswer(groups=GroupList(group=[]))


@action(RAM, resource="user/{user_name}")
def get_login_profile(call: Call, *, user_name: UserName) -> Answer:
    """Show how a user signs in with a password: no user does."""
    raise errors.EntityNotExistUserLoginProfile(name=names.user(call, user_name).name)


@action(RAM, writes=True, resource="user/{user_name}")
def delete_login_profile(call: Call, *, user_name: UserName) -> Answer:
    """Take a user's password away: no user has one."""
    raise errors.EntityNotExistUserLoginProfile(name=names.user(call, user_name).name)


@action(RAM, name="GetUserMFAInfo", resource="user/{user_name}")
def get_user_mfa_info(call: Call, *, user_name: UserName) -> Answer:
    """Show a user's MFA device: no user has one."""
    raise errors.EntityNotExistUserMfaDevice(name=names.user(call, user_name).name)


@action(RAM, writes=True, name="UnbindMFADevice", resource="user/{user_name}")
def unbind_mfa_device(call: Call, *, user_name: UserName) -> Answer:
    """Take a user's MFA device away: no user has one."""
    raise errors.EntityNotExistUserMfaDevice(name=names.user(call, user_name).name)


def _refuse_taken(call: Call, name: str) -> None:
    if users.by_name(call.tx, call.account_id, name) is not None:
        raise errors.EntityAlreadyExistsUser(name=name)


def _row(user: User) -> dict[str, str]:
    return {
        "user_id": user.id,
        "user_name": user.name,
        "display_name": user.display_name,
        "mobile_phone": user.mobile_phone,
        "email": user.email,
        "comments": user.comments,
        "create_date": user.created_at,
    }


ACTIONS = (
    create_user,
    get_user,
    list_users,
    update_user,
    delete_user,
    list_groups_for_user,
    get_login_profile,
    delete_login_profile,
    get_user_mfa_info,
    unbind_mfa_device,
)
