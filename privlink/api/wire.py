"""The wire's spelling: parameters as `Zone.1.ZoneId`, answers as JSON with the cloud's names.

    Zone.1.ZoneId=a  Zone.1.ip=10.0.0.5  Zone.2.ZoneId=b   ->   {"Zone": [{"ZoneId": "a",
                                                                "ip": "10.0.0.5"}, {"ZoneId": "b"}]}

Source of the rules: bytes sent by the official SDKs (lists count from 1; unset is not sent).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from privlink import errors

# Where PascalCase of our field name is not what the wire says.
_WORDS = {
    "vswitch": "VSwitch",
    "vswitches": "VSwitches",
    "dns": "DNS",
    "vrouter": "VRouter",
    "vserver": "VServer",
}
_LONGEST_LIST = 1000
# The length bounds the depth of structures as well; answers and logs quote names of such letters.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_NAME_RULE = "names have 1 to 128 letters, digits, dots, - and _."

# Parameters that every SDK may send about the caller, or about the request itself. The older ones
# name their region in every call, also of products that have none.
IGNORED = frozenset(
    {
        "RegionId",
        "OwnerId",
        "OwnerAccount",
        "ResourceOwnerId",
        "ResourceOwnerAccount",
        "Format",
        "AcceptLanguage",
    }
)


class Wire(msgspec.Struct, frozen=True):
    """The wire's name of a parameter, where it is not the rule's."""

    name: str


# Marks a parameter whose value is quoted in no answer.
SECRET = msgspec.Meta(extra={"secret": True})


def pascal(name: str) -> str:
    """The wire's name of one of our fields: `vpc_id` is `VpcId`, `vswitch_id` is `VSwitchId`."""
    return "".join(_WORDS.get(word, word.capitalize()) for word in name.split("_") if word)


class Fields(msgspec.Struct, frozen=True, rename=pascal, kw_only=True, forbid_unknown_fields=True):
    """A structure in a request."""


class Answer(msgspec.Struct, rename=pascal, kw_only=True):
    """An answer, or a structure in one. Fields left at UNSET are not sent."""


def nest(parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Flat parameters as nested lists and objects.

    Raises InvalidParameter for a name that is given twice, that skips a number, or that is both a
    value and a structure, MalformedRequest for one that is too long or of other letters.
    """
    root: dict[str, Any] = {}
    for name, value in parameters:
        node = root
        if not _NAME.fullmatch(name):
            raise errors.MalformedRequest(why=f"{name[:20]!r} is no parameter: {_NAME_RULE}")
        *path, last = name.split(".")
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise errors.InvalidParameter(
                    parameter=name, why="it is given both as a value and as a structure."
                )
        if last in node:
            raise errors.InvalidParameter(parameter=name, why="it is given twice.")
        node[last] = value
    return {name: _lists(name, value) for name, value in root.items()}


def _lists(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if not all(part.isascii() and part.isdigit() for part in value):
        return {part: _lists(f"{name}.{part}", inner) for part, inner in value.items()}
    numbers = [str(number) for number in range(1, len(value) + 1)]
    if set(value) != set(numbers) or len(value) > _LONGEST_LIST:
        raise errors.InvalidParameter(
            parameter=name,
            why=f"its items must be numbered {name}.1, {name}.2 and so on, up to {_LONGEST_LIST}.",
        )
    return [_lists(f"{name}.{number}", value[number]) for number in numbers]
