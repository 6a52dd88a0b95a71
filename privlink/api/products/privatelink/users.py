"""The allow list of a service: who may create endpoints of it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults50, NextToken, by_token
from privlink.api.wire import Answer, Wire
from privlink.model.privatelink import ServiceUser
from privlink.rules import sharing
from privlink.store import services

UserId = Annotated[
    int, msgspec.Meta(ge=1, lt=10**18, description="it is the number of an account.")
]
UserArn = Annotated[str, msgspec.Meta(max_length=256, description=sharing.ARN_RULE)]


class UserAnswer(Answer):
    user_id: int


class UserArnAnswer(Answer):
    user_arn: str = msgspec.field(name="UserARN")


class UsersAnswer(Answer):
    users: list[UserAnswer]
    user_arns: list[UserArnAnswer] = msgspec.field(name="UserARNs")
    total_count: str  # a string here, a number in other lists
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def add_user_to_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    user_id: UserId | None = None,
    user_arn: Annotated[UserArn | None, Wire("UserARN")] = None,
) -> Answer:
    """Let an account use a service. One that may already stays so."""
    service = ours.service(call, service_id)
    for user in _named(user_id, user_arn):
        services.add_user(call.tx, ServiceUser(service.id, user))
    return Answer()


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def remove_user_from_vpc_endpoint_service(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    user_id: UserId | None = None,
    user_arn: Annotated[UserArn | None, Wire("UserARN")] = None,
) -> Answer:
    """Let an account create no more endpoints of a service. Those that it has stay."""
    service = ours.service(call, service_id)
    for user in _named(user_id, user_arn):
        services.delete_user(call.tx, ServiceUser(service.id, user))
    return Answer()


@action(PRIVATELINK, resource="vpcendpointservice/{service_id}")
def list_vpc_endpoint_service_users(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    user_id: UserId | None = None,
    user_list_type: Literal["Users", "UserARNs"] = "Users",
    max_results: MaxResults50 = 50,
    next_token: NextToken = "",
) -> UsersAnswer:
    """List who may use a service: account numbers, or ARNs."""
    service = ours.service(call, service_id)
    by_number = user_list_type == "Users"
    found = [
        entry.user
        for entry in services.users(call.tx, service.id)
        if entry.user.isdigit() == by_number and (user_id is None or _names(entry.user, user_id))
    ]
    page, following = by_token(found, lambda user: user, max_results, next_token)
    return UsersAnswer(
        users=[UserAnswer(user_id=int(user)) for user in page] if by_number else [],
        user_arns=[] if by_number else [UserArnAnswer(user_arn=user) for user in page],
        total_count=str(len(found)),
        max_results=max_results,
        next_token=following,
    )


def _named(user_id: int | None, user_arn: str | None) -> list[str]:
    """The entries of the allow list that are meant.

    Raises MissingServiceUser, IllegalParamFormat for what is no ARN, MismatchUserIdAndUserArn.
    """
    if user_id is None and user_arn is None:
        raise errors.MissingServiceUser
    if user_arn is not None:
        account = sharing.account_in(user_arn)
        if account is None:
            raise errors.IllegalParamFormat(
                parameter="UserARN", why=f"{user_arn!r} was given; {sharing.ARN_RULE}"
            )
        if user_id is not None and account not in (str(user_id), sharing.EVERYBODY):
            raise errors.MismatchUserIdAndUserArn(user_id=user_id, user_arn=user_arn)
    return [str(user) for user in (user_id, user_arn) if user is not None]


def _names(user: str, user_id: int) -> bool:
    """Whether an entry of an allow list names an account, by its number or in an ARN."""
    return str(user_id) in (user, sharing.account_in(user))


ACTIONS = (
    add_user_to_vpc_endpoint_service,
    remove_user_from_vpc_endpoint_service,
    list_vpc_endpoint_service_users,
)
