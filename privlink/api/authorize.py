"""May this identity do this? What its policies say about every resource that an action names.

The account's own keys may do everything in it. For users and for sessions of roles the policies
are read in the action's own transaction, so none that has been taken away still counts, and before
the action looks at anything: a refusal says nothing about what exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NoReturn

import msgspec

from privlink.api.action import Action, Call
from privlink.model.identity import SYSTEM
from privlink.rules import conditions, policy
from privlink.rules.policy import Ask, Policy, Verdict
from privlink.rules.system_policies import SYSTEM_POLICIES
from privlink.rules.tags import LONGEST as LONGEST_TAG
from privlink.store import labels, policies

_FIELD = re.compile(r"\{([a-z0-9_.]+)\}")
_EVERY = "*"
# The kinds of policies, as refusals name them.
_IDENTITY, _SESSION = "AccountLevelIdentityBasedPolicy", "SessionPolicy"
# What is longer is the name of nothing; how long matching takes must not be up to the caller.
_LONGEST, _LONGEST_TAG = 512, LONGEST_TAG + 1
# What a resource is whose type a call may leave out, by the prefix of its id.
_KINDS = {"ep": "vpcendpoint", "epsrv": "vpcendpointservice"}
# Resource types that policies know by another name than tag calls: a CLB is an instance there.
_NAMES = {"instance": "loadbalancer"}
# Whose the resource of a service is that may be of any kind, and what it is called there, by the
# prefix of its id.
_CARRIERS = {
    "nlb": ("nlb", "loadbalancer"),
    "lb": ("slb", "loadbalancer"),
    "ngw": ("vpc", "natgateway"),
}


class Resource(msgspec.Struct, frozen=True):
    """Something that an action acts on, as policies name it, and its id."""

    arn: str
    id: str


class Held(msgspec.Struct, frozen=True):
    """Policies of one kind; to be allowed, a call needs every kind that the caller has."""

    kind: str
    policies: list[Policy]


def check(action: Action, call: Call, arguments: dict[str, Any]) -> None:
    """Refuse what the caller's policies do not allow. Raises the product's AccessDenied."""
    caller = call.caller
    if action.resource is None or caller.account is None or caller.is_root:
        return
    name, context = f"{action.product.name}:{action.name}", _context(action, call, arguments)
    held = [
        Held(some.kind, [policy.concerning(some.policies, name, context)]) for some in _held(call)
    ]
    asked = list(resources(action, call, arguments))
    tags = {}
    if any(each.asks_for_tags for some in held for each in some.policies):
        tags = labels.tags(call.tx, {resource.id for resource in asked})
    for resource in asked:
        tagged = {
            f"acs:resourcetag/{tag.key}": (tag.value,)
            for tag in tags.get(resource.id, ())
            if tag.account_id == call.account_id
        }
        ask = Ask(name, resource.arn, context | tagged)
        for some in held:
            verdict = policy.decide(some.policies, ask)
            if verdict is not Verdict.ALLOW:
                _refuse(action, call, ask, some.kind, verdict)


def resources(action: Action, call: Call, arguments: dict[str, Any]) -> Iterator[Resource]:
    """What an action acts on. What is not given stands for every one of its kind (`*`)."""
    assert action.resource is not None
    templates = (action.resource,) if isinstance(action.resource, str) else action.resource
    for number, template in enumerate(templates):
        whose, _, path = template.rpartition(":")
        for text in _filled(path, arguments, optional=number > 0):
            if path.startswith("{") and "/" not in path:
                yield Resource(text, text)  # a parameter that is such a name in full
            else:
                id = text.rpartition("/")[2]
                owner = whose
                if whose == _EVERY and id.partition("-")[0] in _CARRIERS:
                    owner, named = _CARRIERS[id.partition("-")[0]]
                    text = f"{named}/{id}"
                yield Resource(_arn(action, call, owner, path, text, arguments), id)


def context_of(call: Call) -> dict[str, tuple[str, ...]]:
    """What every call is like, for the conditions of policies."""
    context: dict[str, tuple[str, ...]] = {
        "acs:currenttime": (call.now,),
        "acs:mfapresent": ("false",),
        "acs:securetransport": ("false",),
    }
    if call.caller.address:
        context["acs:sourceip"] = (call.caller.address,)
    return context


def details(call: Call, asked: str, kind: str, verdict: Verdict) -> dict[str, str]:
    """What a program may read of a refusal."""
    caller = call.caller
    assert caller.account is not None
    if caller.session is not None:
        who = ("AssumedRoleUser", f"{caller.session.role_name}:{caller.session.name}")
    elif caller.user is not None:
        who = ("SubUser", caller.user.id)
    else:
        who = ("Account", caller.account.id)
    return {
        "AuthAction": asked,
        "AuthPrincipalType": who[0],
        "AuthPrincipalOwnerId": caller.account.id,
        "AuthPrincipalDisplayName": who[1],
        "PolicyType": kind,
        "NoPermissionType": verdict.value,
    }


def _refuse(action: Action, call: Call, ask: Ask, kind: str, verdict: Verdict) -> NoReturn:
    why = "a policy denies it."
    if verdict is Verdict.IMPLICIT_DENY:
        why = f"no {'session policy' if kind == _SESSION else 'policy'} allows it."
    raise action.product.denied(
        caller=call.caller.name,
        action=ask.action,
        resource=ask.resource,
        why=why,
        detail=details(call, ask.action, kind, verdict),
    )


def _held(call: Call) -> list[Held]:
    user, session = call.caller.user, call.caller.session
    identity_id = user.id if user is not None else session.role_id if session is not None else ""
    documents = [
        SYSTEM_POLICIES[name].document if kind == SYSTEM and name in SYSTEM_POLICIES else text
        for kind, name, text in policies.held(call.tx, identity_id)
    ]
    held = [Held(_IDENTITY, [policy.parse(text) for text in documents if text])]
    if session is not None and session.policy:
        held.append(Held(_SESSION, [policy.parse(session.policy)]))
    return held


def _context(action: Action, call: Call, arguments: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    context = context_of(call)
    for tag in arguments.get("tag") or ():
        if isinstance(key := getattr(tag, "key", None), str):
            name = f"acs:requesttag/{key[:_LONGEST_TAG]}"
            value = (getattr(tag, "value", None) or "")[:_LONGEST_TAG]
            context[name] = (*context.get(name, ()), value)
    if action.conditions is not None:
        for key, value in action.conditions(arguments).items():
            context[conditions.canonical(key)] = (value[:_LONGEST],)
    return context


def _arn(
    action: Action, call: Call, whose: str, path: str, text: str, arguments: dict[str, Any]
) -> str:
    everywhere = action.product.everywhere and not whose
    region = "" if everywhere else call.config.region
    # A system policy is nobody's.
    system = path.startswith("policy/") and arguments.get("policy_type") == SYSTEM
    account = "system" if system else call.account_id
    return f"acs:{whose or action.product.name}:{region}:{account}:{text}"


def _filled(path: str, arguments: dict[str, Any], *, optional: bool) -> Iterable[str]:
    """A template with each of the values that its fields have."""
    fields = _FIELD.findall(path)
    if not fields:
        return [path]
    if fields == ["resource_type", "resource_id"]:
        given = str(arguments.get("resource_type") or "").lower()[:_LONGEST]
        ids = _values(arguments, "resource_id") or [_EVERY]
        return [f"{_NAMES.get(given, given) or _kind(each)}/{each}" for each in ids]
    values = [_values(arguments, field) for field in fields]
    if not optional:
        values = [some or [_EVERY] for some in values]
    pattern = _FIELD.sub("{}", path)
    return [pattern.format(*some) for some in product(*values)]


def _values(arguments: dict[str, Any], field: str) -> list[str]:
    """The values of a parameter, or of a field of its structures, each once."""
    name, _, inner = field.partition(".")
    found = arguments.get(name)
    several = found if isinstance(found, (list, tuple)) else [found]
    given = [getattr(each, inner, None) if inner else each for each in several]
    return list(dict.fromkeys(str(each)[:_LONGEST] for each in given if each not in (None, "")))


def _kind(resource_id: str) -> str:
    return _KINDS.get(resource_id.partition("-")[0], _EVERY)
