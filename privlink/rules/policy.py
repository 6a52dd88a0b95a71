"""What an identity may do: RAM policy documents, read and applied.

    {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "privatelink:List*",
                                    "Resource": "*"}]}

A request is allowed if some statement that covers it says Allow and none says Deny. Endpoint
policies and the trust policies of roles are written in the same language, with a Principal.

Source: RAM, "Policy structure and syntax" and "Policy elements", version 1.
"""

from __future__ import annotations

import enum
import functools
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec

from privlink.rules import conditions
from privlink.rules.conditions import Context, like

LONGEST = 6144  # characters of a policy on a user or a role
LONGEST_TRUST = LONGEST_SESSION = 2048

_Some = Annotated[list[str], msgspec.Meta(min_length=1)]
_Words = Annotated[str, msgspec.Meta(min_length=1)] | _Some
_Value = str | bool | int | float
_Principals = dict[Literal["RAM", "Service", "Federated"], _Words]
_ACTION = re.compile(r"\*|[A-Za-z0-9*?_-]+:[A-Za-z0-9*?_./-]+")
_RESOURCE = re.compile(r"\*|acs:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
_TRUSTED = re.compile(
    r"acs:ram::([0-9]{1,20}):(root|(user|role|assumed-role)/[A-Za-z0-9@_./-]{1,160})"
)
ASSUME = "sts:AssumeRole"


class Shape(enum.Enum):
    """What a document is for, and so which elements its statements have."""

    IDENTITY = "identity"
    TRUST = "trust"
    ENDPOINT = "endpoint"


class Verdict(enum.Enum):
    """What policies say to a request."""

    ALLOW = "Allow"
    EXPLICIT_DENY = "ExplicitDeny"
    IMPLICIT_DENY = "ImplicitDeny"


class Ask(msgspec.Struct, frozen=True):
    """Something that an identity wants to do."""

    action: str  # "privatelink:CreateVpcEndpoint"
    resource: str  # "acs:privatelink:local:123:vpcendpoint/ep-1"
    context: Context
    principals: frozenset[str] = frozenset()  # the names that fit the asking identity


class Statement(msgspec.Struct, frozen=True):
    """One statement, read."""

    allows: bool
    actions: tuple[str, ...]
    but_actions: tuple[str, ...]
    resources: tuple[str, ...]
    but_resources: tuple[str, ...]
    principals: tuple[str, ...]
    conditions: dict[str, dict[str, tuple[str, ...]]]

    @property
    def asks_for_tags(self) -> bool:
        """Whether it matters how the resource is tagged."""
        return any(
            key.startswith("acs:resourcetag/") for keys in self.conditions.values() for key in keys
        )


class Policy(msgspec.Struct, frozen=True):
    """A document, read."""

    statements: tuple[Statement, ...]

    @property
    def asks_for_tags(self) -> bool:
        """Whether it matters how the resource is tagged."""
        return any(statement.asks_for_tags for statement in self.statements)


class _Statement(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    Effect: Literal["Allow", "Deny"]
    Principal: _Words | _Principals | None = None
    Action: _Words | None = None
    NotAction: _Words | None = None
    Resource: _Words | None = None
    NotResource: _Words | None = None
    Condition: dict[
        str, dict[str, _Value | Annotated[list[_Value], msgspec.Meta(min_length=1)]]
    ] = {}


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    Version: Literal["1"]
    Statement: Annotated[list[_Statement], msgspec.Meta(min_length=1)]


def problem(document: str, shape: Shape = Shape.IDENTITY, longest: int = LONGEST) -> str | None:
    """The rule that a policy document breaks, as a sentence, or None."""
    if len(document) > longest:
        return f"it has {len(document)} characters; {longest} are possible."
    try:
        read = msgspec.json.decode(document, type=_Document)
        json.loads(document, object_pairs_hook=_each_once)
    except _GivenTwice as error:
        return f"{error.name[:80]!r} is given twice in one place."
    except msgspec.ValidationError as error:
        return f"{str(error).replace('`', '')}."
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return 'it is no JSON. A policy looks like {"Version":"1","Statement":[...]}.'
    for number, statement in enumerate(read.Statement, start=1):
        if why := _statement_problem(statement, shape):
            return f"statement {number}: {why}"
    return None


@functools.lru_cache(maxsize=1024)
def parse(document: str) -> Policy:
    """A document that has no problem, read."""
    read = msgspec.json.decode(document, type=_Document)
    return Policy(
        tuple(
            Statement(
                allows=each.Effect == "Allow",
                actions=_words(each.Action),
                but_actions=_words(each.NotAction),
                resources=_words(each.Resource),
                but_resources=_words(each.NotResource),
                principals=_principals(each),
                conditions={
                    name: {conditions.canonical(key): _values(some) for key, some in keys.items()}
                    for name, keys in each.Condition.items()
                },
            )
            for each in read.Statement
        )
    )


def concerning(policies: Iterable[Policy], action: str, context: Context) -> Policy:
    """What policies say together to an action, whatever it acts on.

    A request may name many resources; what is the same for all of them is looked at once.
    """
    return Policy(
        tuple(
            each if each.asks_for_tags else msgspec.structs.replace(each, conditions={})
            for policy in policies
            for each in policy.statements
            if _covers_action(each, action)
            and (each.asks_for_tags or conditions.hold(each.conditions, context))
        )
    )


def decide(policies: Iterable[Policy], ask: Ask) -> Verdict:
    """What policies say together: one Deny wins, and what none allows is denied."""
    allowed = False
    for policy in policies:
        for statement in policy.statements:
            if _covers(statement, ask):
                if not statement.allows:
                    return Verdict.EXPLICIT_DENY
                allowed = True
    return Verdict.ALLOW if allowed else Verdict.IMPLICIT_DENY


def trust_verdict(document: str, ask: Ask) -> Verdict:
    """What a role's trust policy says to an identity that wants to assume it."""
    return decide([parse(document)], ask)


def covers_resource(pattern: str, resource: str) -> bool:
    """Whether a resource's name is of a pattern: field by field, so no `*` reaches into the next.

    What follows the fourth colon is one field.
    """
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 4), resource.split(":", 4)
    return len(wanted) == len(given) and all(map(like, wanted, given))


def _covers(statement: Statement, ask: Ask) -> bool:
    about_somebody = statement.principals or ask.principals
    if about_somebody and not ask.principals.intersection(statement.principals):
        return False
    if not _covers_action(statement, ask.action):
        return False
    if statement.resources:
        if not any(covers_resource(each, ask.resource) for each in statement.resources):
            return False
    elif any(covers_resource(each, ask.resource) for each in statement.but_resources):
        return False
    return conditions.hold(statement.conditions, ask.context)


def _covers_action(statement: Statement, action: str) -> bool:
    if statement.actions:
        return _any_action(statement.actions, action)
    return not _any_action(statement.but_actions, action)


def _any_action(patterns: tuple[str, ...], action: str) -> bool:
    return any(like(each, action, ignore_case=True) for each in patterns)


def _statement_problem(statement: _Statement, shape: Shape) -> str | None:
    if (statement.Action is None) == (statement.NotAction is None):
        return "it needs Action or NotAction, one of them."
    if shape is Shape.TRUST:
        if why := _trust_problem(statement):
            return why
    elif (statement.Resource is None) == (statement.NotResource is None):
        return "it needs Resource or NotResource, one of them."
    if shape is Shape.IDENTITY:
        if why := _identity_problem(statement):
            return why
    elif not statement.Principal:
        return "it needs a Principal: whom is it about?"
    for name, keys in statement.Condition.items():
        if len({conditions.canonical(key) for key in keys}) < len(keys):
            return f"the keys of {name} are given twice, in other spellings."
        given = [value for some in keys.values() for value in _values(some)]
        if why := conditions.problem(name, given):
            return why
    return None


def _identity_problem(statement: _Statement) -> str | None:
    if statement.Principal is not None:
        return "it has a Principal, which goes without saying: it is whoever has the policy."
    for action in (*_words(statement.Action), *_words(statement.NotAction)):
        if not _ACTION.fullmatch(action):
            return f"{action[:80]!r} is no action; one looks like privatelink:List* or is *."
    for resource in (*_words(statement.Resource), *_words(statement.NotResource)):
        if not _RESOURCE.fullmatch(resource):
            return (
                f"{resource[:80]!r} is no resource; one looks like "
                "acs:privatelink:*:*:vpcendpoint/* or is *."
            )
    return None


def _trust_problem(statement: _Statement) -> str | None:
    if statement.Resource is not None or statement.NotResource is not None:
        return "it has a Resource, which goes without saying: it is the role."
    if statement.Action is None or {each.lower() for each in _words(statement.Action)} != {
        ASSUME.lower()
    }:
        return f"its Action must be {ASSUME}."
    if not isinstance(statement.Principal, dict):
        return 'its Principal must look like {"RAM": ["acs:ram::<account id>:root"]}.'
    for each in _words(statement.Principal.get("RAM")):
        if not _TRUSTED.fullmatch(each):
            return (
                f"{each[:80]!r} is no identity; one looks like acs:ram::<account id>:root, "
                "acs:ram::<account id>:user/<name> or acs:ram::<account id>:role/<name>."
            )
    return None


class _GivenTwice(Exception):
    """A name in an object that has it already: readers would see one of them only."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise _GivenTwice(name)
        seen.add(name)


def _principals(statement: _Statement) -> tuple[str, ...]:
    principal = statement.Principal
    if not isinstance(principal, dict):
        return _words(principal)
    return tuple(
        each if kind == "RAM" else f"{kind}:{each}"
        for kind, some in principal.items()
        for each in _words(some)
    )


def _words(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _values(given: Any) -> tuple[str, ...]:
    some = given if isinstance(given, list) else [given]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in some)
