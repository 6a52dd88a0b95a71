"""STS 2015-04-01: who am I, and becoming somebody else for a while."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import authorize, identify, limits
from privlink.api.action import STS, Call, action
from privlink.api.wire import Answer
from privlink.model.identity import (
    Role,
    RoleSession,
    role_arn,
    root_arn,
    session_arn,
    user_arn,
)
from privlink.model.ids import AccountId, new_session_key
from privlink.rules import policy, quotas
from privlink.rules.policy import ASSUME, Ask, Verdict
from privlink.store import roles

RoleArn = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^acs:ram::[0-9]{1,20}:role/[A-Za-z0-9.-]{1,64}\Z",
        description="it looks like acs:ram::<account id>:role/<name>.",
    ),
]
SessionName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9.@_-]{2,64}\Z",
        description="it has 2 to 64 letters, digits, dots, @, - and _.",
    ),
]
Duration = Annotated[int, msgspec.Meta(ge=900, le=43200, description="it is 900 to 43200 seconds.")]
ExternalId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9+=,.@:/_-]{2,1224}\Z",
        description="it has 2 to 1224 letters, digits and +=,.@:/-_.",
    ),
]
_ROLE = re.compile(r"acs:ram::([0-9]+):role/(.+)")
_DURATION = 3600  # unless the caller wants another
_KEPT = 3600  # seconds that an expired session is kept for, so that its error can say so
_TRUST = "AssumeRolePolicy"


class CallerIdentity(Answer):
    identity_type: str
    account_id: str
    principal_id: str
    arn: str
    user_id: str | msgspec.UnsetType = msgspec.UNSET
    role_id: str | msgspec.UnsetType = msgspec.UNSET


class AssumedRoleUser(Answer):
    arn: str
    assumed_role_id: str


class Credentials(Answer):
    access_key_id: str
    access_key_secret: str
    security_token: str
    expiration: str


class AssumeRoleAnswer(Answer):
    assumed_role_user: AssumedRoleUser
    credentials: Credentials


@action(STS, resource=None)
def get_caller_identity(call: Call) -> CallerIdentity:
    """Say whose key the request was signed with. Everybody may ask."""
    user, session = call.caller.user, call.caller.session
    if user is not None:
        return CallerIdentity(
            identity_type="RAMUser",
            account_id=call.account_id,
            principal_id=user.id,
            arn=call.caller.arn,
            user_id=user.id,
        )
    if session is not None:
        return CallerIdentity(
            identity_type="AssumedRoleUser",
            account_id=call.account_id,
            principal_id=f"{session.role_id}:{session.name}",
            arn=call.caller.arn,
            role_id=session.role_id,
        )
    return CallerIdentity(
        identity_type="Account",
        account_id=call.account_id,
        principal_id=call.account_id,
        arn=call.caller.arn,
        user_id=call.account_id,
    )


@action(STS, writes=True, secret=True, resource="{role_arn}")
def assume_role(
    call: Call,
    *,
    role_arn: RoleArn,
    role_session_name: SessionName,
    duration_seconds: Duration | None = None,
    policy: str = "",
    external_id: ExternalId | None = None,
) -> AssumeRoleAnswer:
    """Get keys to act as a role for a while, yours or another account's that trusts you.

    Policy, if given, narrows what the role may. The keys are shown this once.
    """
    role = _trusting_role(call, role_arn, role_session_name, external_id)
    lasting = duration_seconds or min(_DURATION, role.longest)
    if lasting > role.longest:
        why = f"a session of {role.name} may last {role.longest} seconds."
        raise errors.InvalidRamParameter(parameter="DurationSeconds", why=why)
    _check_policy(policy)
    now = int(call.moment.timestamp())
    roles.forget_sessions(call.tx, before=now - _KEPT)
    limits.check(
        call, quotas.ROLE_SESSIONS, roles.count_sessions(call.tx, role.account_id), role.account_id
    )
    key_id, secret, token = new_session_key()
    session = RoleSession(
        access_key_id=key_id,
        secret=secret,
        token_sha256=identify.token_digest(token),
        account_id=role.account_id,
        role_id=role.id,
        role_name=role.name,
        name=role_session_name,
        policy=policy,
        expires=now + lasting,
    )
    roles.add_session(call.tx, session)
    return AssumeRoleAnswer(
        assumed_role_user=AssumedRoleUser(
            arn=session_arn(session), assumed_role_id=f"{role.id}:{session.name}"
        ),
        credentials=Credentials(
            access_key_id=key_id,
            access_key_secret=secret,
            security_token=token,
            expiration=datetime.fromtimestamp(session.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        ),
    )


def _trusting_role(call: Call, arn: str, session_name: str, external_id: str | None) -> Role:
    """The role that was asked for, if it trusts the caller.

    Of another account's roles nothing is told, not even which there are.
    """
    if call.caller.is_root:
        raise errors.RootMayNotAssume(account_id=call.account_id)
    named = _ROLE.fullmatch(arn)
    assert named is not None
    owner = AccountId(named[1])
    role = roles.by_name(call.tx, owner, named[2])
    if role is None and owner == call.account_id:
        raise errors.EntityNotExistRole(name=named[2])
    context = authorize.context_of(call) | {"sts:rolesessionname": (session_name,)}
    if external_id is not None:
        context |= {"sts:externalid": (external_id,)}
    ask = Ask(ASSUME, arn, context, _principals(call))
    verdict = Verdict.IMPLICIT_DENY if role is None else policy.trust_verdict(role.trust, ask)
    if role is not None and verdict is Verdict.ALLOW:
        return role
    # A stranger's explicit Deny would tell that the role exists.
    told = verdict if owner == call.account_id else Verdict.IMPLICIT_DENY
    raise errors.AccessDenied(
        caller=call.caller.name,
        action=ASSUME,
        resource=arn,
        why="the role does not exist or its trust policy does not let this caller assume it.",
        detail=authorize.details(call, ASSUME, _TRUST, told),
    )


def _principals(call: Call) -> frozenset[str]:
    """The names under which a trust policy may mean the caller."""
    found = {root_arn(call.account_id), call.caller.arn}
    if call.caller.user is not None:
        found.add(user_arn(call.account_id, call.caller.user.name))
    if call.caller.session is not None:
        found.add(role_arn(call.account_id, call.caller.session.role_name))
    return frozenset(found)


def _check_policy(document: str) -> None:
    if document and (why := policy.problem(document, longest=policy.LONGEST_SESSION)):
        raise errors.PolicyGrammar(why=why)


ACTIONS = (get_caller_identity, assume_role)
