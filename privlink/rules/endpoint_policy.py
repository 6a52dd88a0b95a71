"""What an endpoint's policy may look like.

Source: RAM policy language, version 1, with a Principal, as CreateVpcEndpoint takes it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

DEFAULT = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Principal":"*","Resource":"*"}]}'
)
LONGEST = 4096

_Some = Annotated[list[str], msgspec.Meta(min_length=1)]
_Words = Annotated[str, msgspec.Meta(min_length=1)] | _Some


class _Ram(msgspec.Struct, forbid_unknown_fields=True):
    RAM: _Words


class _Statement(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    Effect: Literal["Allow", "Deny"]
    Principal: _Words | _Ram
    Action: _Words | None = None
    NotAction: _Words | None = None
    Resource: _Words | None = None
    NotResource: _Words | None = None
    Condition: dict[str, dict[str, _Words]] = {}


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    Version: Literal["1"]
    Statement: Annotated[list[_Statement], msgspec.Meta(min_length=1)]


def problem(document: str) -> str | None:
    """The rule that a policy document breaks, as a sentence, or None."""
    if len(document) > LONGEST:
        return f"it has {len(document)} characters; {LONGEST} are possible."
    try:
        policy = msgspec.json.decode(document, type=_Policy)
    except msgspec.ValidationError as error:
        return f"{str(error).replace('`', '')}."
    except (msgspec.DecodeError, RecursionError):
        return 'it is no JSON. A policy looks like {"Version":"1","Statement":[...]}.'
    for number, statement in enumerate(policy.Statement, start=1):
        if (statement.Action is None) == (statement.NotAction is None):
            return f"statement {number} needs Action or NotAction, one of them."
        if (statement.Resource is None) == (statement.NotResource is None):
            return f"statement {number} needs Resource or NotResource, one of them."
    return None
