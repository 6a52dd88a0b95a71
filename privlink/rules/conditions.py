"""When a statement of a policy holds: its conditions against what a request is like.

    {"StringLike": {"acs:ResourceTag/team": ["red", "blue*"]}, "Bool": {"acs:MFAPresent": "true"}}

Every operator and every key must hold; of the values any one will do, and for the operators with
`Not` in them none may. A key that a request has no value for meets no operator but those.

Source: RAM, "Policy elements", Condition.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import Any

# What a request is like: key -> its values.
Context = Mapping[str, tuple[str, ...]]
# operator -> key -> values, as policies have them.
Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]

Test = Callable[[str, str], bool]
_LONGEST_NUMBER = 64


def canonical(key: str) -> str:
    """A key as it is compared: only what follows a slash, the key of a tag, is case-sensitive."""
    head, slash, tag = key.partition("/")
    return head.lower() + slash + tag


def hold(conditions: Conditions, context: Context) -> bool:
    """Whether a request meets all conditions. The keys of both are canonical."""
    return all(
        _holds(named, context.get(key, ()), wanted)
        for named, keys in conditions.items()
        for key, wanted in keys.items()
    )


def problem(name: str, values: Iterable[str]) -> str | None:
    """Why an operator cannot be applied to these values, as a sentence, or None."""
    if name not in _OPERATORS:
        return f"there is no condition operator {name!r}; there are {', '.join(_OPERATORS)}."
    reads = _OPERATORS[name][2]
    for value in values:
        try:
            reads(value)
        except ValueError:
            return f"{name} cannot be applied to {value[:80]!r}."
    return None


def like(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether a text is of a pattern: `*` is any characters, `?` is one.

    Each part between two stars is looked for once, leftmost, so that no pattern makes it slow.
    """
    if ignore_case:
        pattern, text = pattern.lower(), text.lower()
    first, *parts = pattern.split("*")
    if not parts:
        return _fits(first, text)
    *middle, last = parts
    at, end = len(first), len(text) - len(last)
    if at > end or not _fits(first, text[:at]) or not _fits(last, text[end:]):
        return False
    for part in middle:
        found = _find(part, text, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _fits(part: str, text: str) -> bool:
    """Whether a text is a part of a pattern, in which only `?` is special."""
    if "?" not in part:
        return part == text
    return len(part) == len(text) and all(
        wanted in ("?", given) for wanted, given in zip(part, text, strict=True)
    )


def _find(part: str, text: str, start: int, end: int) -> int:
    """Where a part of a pattern first is in a piece of a text, or -1.

    Each character of the text is looked at once (Baeza-Yates and Gonnet, "A new approach to text
    searching", 1992): bit n is whether the part's first n + 1 characters end here.
    """
    if "?" not in part:
        return text.find(part, start, end)
    if len(part) > end - start:
        return -1
    fitting, anything = _places(part)
    ending, whole = 0, 1 << (len(part) - 1)
    for at in range(start, end):
        ending = (ending << 1 | 1) & fitting.get(text[at], anything)
        if ending & whole:
            return at + 1 - len(part)
    return -1


def _places(part: str) -> tuple[dict[str, int], int]:
    """Which places in a part of a pattern each character fits, and any other one, as bits."""
    anything = sum(1 << at for at, wanted in enumerate(part) if wanted == "?")
    fitting = dict.fromkeys(part, anything)
    for at, wanted in enumerate(part):
        fitting[wanted] |= 1 << at
    return fitting, anything


def _holds(name: str, given: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    negated, test, _ = _OPERATORS[name]
    return negated != any(_passes(test, one, value) for one in given for value in wanted)


def _passes(test: Test, given: str, wanted: str) -> bool:
    try:
        return test(given, wanted)
    except ValueError:
        return False  # what came with the request is no number, date or address


def _number(text: str) -> Decimal:
    try:
        if len(text) <= _LONGEST_NUMBER and (number := Decimal(text)).is_finite():
            return number
    except InvalidOperation:
        pass
    raise ValueError(text)


def _date(text: str) -> datetime:
    if text.isascii() and text.isdigit() and len(text) <= 10:
        return datetime.fromtimestamp(int(text), UTC)
    date = datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _inside(given: str, wanted: str) -> bool:
    address, network = ip_address(given), ip_network(wanted, strict=False)
    return address.version == network.version and address in network


def _ordered(reads: Callable[[str], object], compare: Callable[[Any, Any], Any]) -> Test:
    return lambda given, wanted: bool(compare(reads(given), reads(wanted)))


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}


def _operators() -> dict[str, tuple[bool, Test, Callable[[str], object]]]:
    """Every operator: whether it is negated, its test, and what reads the values it is given."""
    tests: dict[str, tuple[Test, Callable[[str], object]]] = {
        "StringEquals": (lambda given, wanted: given == wanted, str),
        "StringEqualsIgnoreCase": (
            lambda given, wanted: given.casefold() == wanted.casefold(),
            str,
        ),
        "StringLike": (lambda given, wanted: like(wanted, given), str),
        "Bool": (lambda given, wanted: _truth(given) == _truth(wanted), _truth),
        "IpAddress": (_inside, lambda text: ip_network(text, strict=False)),
    }
    for name, compare in _COMPARISONS.items():
        tests[f"Numeric{name}"] = (_ordered(_number, compare), _number)
        tests[f"Date{name}"] = (_ordered(_date, compare), _date)
    found: dict[str, tuple[bool, Test, Callable[[str], object]]] = {
        name: (False, *both) for name, both in tests.items()
    }
    for name, negated in _NEGATED.items():
        found[negated] = (True, *tests[name])
    return found


_NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "IpAddress": "NotIpAddress",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
}
_OPERATORS = _operators()
