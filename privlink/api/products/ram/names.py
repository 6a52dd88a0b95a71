"""What RAM's parameters look like, what its names lead to, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec

from privlink import errors
from privlink.api.action import Call
from privlink.api.paging import UnknownToken, by_token
from privlink.model.identity import SYSTEM, Grant, Policy, PolicyType, Role, User
from privlink.rules import policy
from privlink.rules.policy import Shape
from privlink.rules.system_policies import SYSTEM_POLICIES
from privlink.store import policies, roles, users

T = TypeVar("T")

UserName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9._-]{1,64}\Z",
        description="a user's name has 1 to 64 letters, digits, dots, - and _.",
    ),
]
RoleName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9.-]{1,64}\Z",
        description="a role's name has 1 to 64 letters, digits, dots and -.",
    ),
]
PolicyName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9-]{1,128}\Z",
        description="a policy's name has 1 to 128 letters, digits and -.",
    ),
]
KindOfPolicy = Annotated[PolicyType, msgspec.Meta(description="it is Custom or System.")]
Text = Annotated[str, msgspec.Meta(max_length=1024, description="at most 1024 characters.")]
ShortText = Annotated[str, msgspec.Meta(max_length=128, description="at most 128 characters.")]
# A JSON list; the SDKs send an empty one.
NoTags = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\[\])?\Z", description="policies and roles have no tags here; leave it out."
    ),
]
MaxItems = Annotated[int, msgspec.Meta(ge=1, le=1000, description="a page has 1 to 1000 items.")]
Marker = Annotated[str, msgspec.Meta(max_length=1024)]
# What the documents in a call may be like is said by their own error.
Document = str


def user(call: Call, name: str) -> User:
    """A user of the calling account. Raises EntityNotExistUser."""
    found = users.by_name(call.tx, call.account_id, name)
    if found is None:
        raise errors.EntityNotExistUser(name=name)
    return found


def role(call: Call, name: str) -> Role:
    """A role of the calling account. Raises EntityNotExistRole."""
    found = roles.by_name(call.tx, call.account_id, name)
    if found is None:
        raise errors.EntityNotExistRole(name=name)
    return found


def custom_policy(call: Call, name: str) -> Policy:
    """A policy that the calling account wrote. Raises EntityNotExistPolicy."""
    found = policies.get(call.tx, call.account_id, name)
    if found is None:
        raise errors.EntityNotExistPolicy(policy_type=PolicyType.CUSTOM, name=name)
    return found


def check_policy(call: Call, kind: PolicyType, name: str) -> None:
    """Refuse the name of a policy that is not there."""
    if kind == SYSTEM:
        if name not in SYSTEM_POLICIES:
            raise errors.EntityNotExistPolicy(policy_type=kind, name=name)
    else:
        custom_policy(call, name)


def check_document(
    parameter: str, document: str, shape: Shape = Shape.IDENTITY, longest: int = policy.LONGEST
) -> str:
    """A policy document that may be kept. Raises MalformedPolicyDocument."""
    if why := policy.problem(document, shape, longest):
        raise errors.MalformedPolicyDocument(parameter=parameter, why=why)
    return document


def description_of(call: Call, grant: Grant) -> tuple[str, str]:
    """The description of a granted policy and which version of it holds."""
    if grant.policy_type is PolicyType.SYSTEM:
        system = SYSTEM_POLICIES.get(grant.policy_name)
        return (system.description if system else ""), "v1"
    own = custom_policy(call, grant.policy_name)
    return own.description, f"v{own.version}"


def by_marker(
    items: Sequence[T], key: Callable[[T], str], size: int, marker: str
) -> tuple[Sequence[T], bool, str | msgspec.UnsetType]:
    """A page, whether it is cut off there, and the marker of the next one.

    `items` ascend by `key`, which must be unique. Raises InvalidRamParameter for a marker not ours.
    """
    try:
        page, following = by_token(items, key, size, marker)
    except UnknownToken:
        why = f"{marker!r} is none of ours. Pass on the marker of the last page, unchanged."
        raise errors.InvalidRamParameter(parameter="Marker", why=why) from None
    return page, following is not msgspec.UNSET, following
