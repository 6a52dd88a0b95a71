"""The access keys of RAM users."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import limits
from privlink.api.action import RAM, Call, action
from privlink.api.products.ram import names
from privlink.api.products.ram.names import UserName
from privlink.api.wire import Answer
from privlink.model.account import AccessKey
from privlink.model.identity import User
from privlink.model.ids import new_access_key
from privlink.rules import quotas
from privlink.store import accounts, users


class KeyStatus(enum.StrEnum):
    """Whether requests may be signed with a key."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"


KeyId = Annotated[str, msgspec.Meta(max_length=128, description="it is the id of an access key.")]
Status = Annotated[KeyStatus, msgspec.Meta(description="it is Active or Inactive.")]


class CreatedKey(Answer):
    access_key_id: str
    access_key_secret: str
    status: str
    create_date: str


class CreateAccessKeyAnswer(Answer):
    access_key: CreatedKey


class KeyAnswer(Answer):
    access_key_id: str
    status: str
    create_date: str


class KeyList(Answer):
    access_key: list[KeyAnswer]


class KeysAnswer(Answer):
    access_keys: KeyList


@action(RAM, writes=True, secret=True, resource="user/{user_name}")
def create_access_key(call: Call, *, user_name: UserName) -> CreateAccessKeyAnswer:
    """Create an access key of a user. The secret is shown this once."""
    user = names.user(call, user_name)
    limits.check(call, quotas.ACCESS_KEYS_PER_USER, len(users.keys(call.tx, user.id)), user.name)
    key_id, secret = new_access_key()
    key = AccessKey(key_id, secret, call.account_id, None, user.id, True, call.now)
    accounts.add_access_key(call.tx, key)
    return CreateAccessKeyAnswer(
        access_key=CreatedKey(
            access_key_id=key_id,
            access_key_secret=secret,
            status=_status(key),
            create_date=key.created_at,
        )
    )


@action(RAM, resource="user/{user_name}")
def list_access_keys(call: Call, *, user_name: UserName) -> KeysAnswer:
    """List the access keys of a user, without their secrets."""
    found = users.keys(call.tx, names.user(call, user_name).id)
    listed = [
        KeyAnswer(access_key_id=key.id, status=_status(key), create_date=key.created_at)
        for key in found
    ]
    return KeysAnswer(access_keys=KeyList(access_key=listed))


@action(RAM, writes=True, resource="user/{user_name}")
def update_access_key(
    call: Call, *, user_name: UserName, user_access_key_id: KeyId, status: Status
) -> Answer:
    """Disable an access key, or enable it again."""
    key = _key(call, names.user(call, user_name), user_access_key_id)
    users.set_active(call.tx, key.id, active=status is KeyStatus.ACTIVE)
    return Answer()


@action(RAM, writes=True, resource="user/{user_name}")
def delete_access_key(call: Call, *, user_name: UserName, user_access_key_id: KeyId) -> Answer:
    """Delete an access key of a user."""
    key = _key(call, names.user(call, user_name), user_access_key_id)
    users.delete_key(call.tx, key.id)
    return Answer()


def _key(call: Call, user: User, key_id: str) -> AccessKey:
    for key in users.keys(call.tx, user.id):
        if key.id == key_id:
            return key
    raise errors.EntityNotExistUserAccessKey(name=user.name, key_id=key_id)


def _status(key: AccessKey) -> str:
    return (KeyStatus.ACTIVE if key.active else KeyStatus.INACTIVE).value


ACTIONS = (create_access_key, list_access_keys, update_access_key, delete_access_key)
