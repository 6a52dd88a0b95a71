"""When a condition of a policy holds."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.rules import conditions

IP, NOW, TAG = "acs:sourceip", "acs:currenttime", "acs:requesttag/Team"


@pytest.mark.parametrize(
    ("operator", "present", "wanted", "holds"),
    [
        ("StringEquals", "red", "red", True),
        ("StringEquals", "red", "Red", False),
        ("StringEquals", "red", "r*", False),
        ("StringEqualsIgnoreCase", "red", "RED", True),
        ("StringNotEqualsIgnoreCase", "red", "RED", False),
        ("StringLike", "redwood", "r?d*", True),
        ("StringLike", "wood", "r?d*", False),
        ("StringNotLike", "wood", "r?d*", True),
        ("StringNotEquals", None, "red", True),
        ("StringEquals", None, "red", False),
        ("Bool", "false", "FALSE", True),
        ("Bool", "false", "true", False),
        ("IpAddress", "10.0.0.7", "10.0.0.0/24", True),
        ("IpAddress", "10.0.1.7", "10.0.0.0/24", False),
        ("IpAddress", "10.0.0.7", "10.0.0.9/24", True),
        ("IpAddress", "::1", "0.0.0.0/0", False),
        ("IpAddress", "fd00::7", "fd00::/8", True),
        ("IpAddress", "nowhere", "0.0.0.0/0", False),
        ("NotIpAddress", "10.0.1.7", "10.0.0.0/24", True),
        ("NotIpAddress", "10.0.0.7", "10.0.0.0/24", False),
        ("NumericEquals", "7.0", "07", True),
        ("NumericNotEquals", "8", "07", True),
        ("NumericLessThan", "7", "7", False),
        ("NumericLessThanEquals", "7", "7", True),
        ("NumericGreaterThan", "10", "9", True),
        ("NumericGreaterThanEquals", "x", "9", False),
        ("NumericEquals", "1e999999", "1", False),
        ("DateLessThan", "2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z", True),
        ("DateLessThan", "2026-11-25T12:00:00Z", "2026-11-25T13:00:00+08:00", False),
        ("DateLessThanEquals", "2026-11-25T12:00:00Z", "2026-11-25T12:00:00", True),
        ("DateGreaterThan", "2026-11-25T12:00:00Z", "0", True),
        ("DateGreaterThanEquals", "2026-11-25T12:00:00Z", "2027-01-01", False),
        ("DateEquals", "2026-11-25T12:00:00Z", "2026-11-25T20:00:00+08:00", True),
        ("DateNotEquals", "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z", False),
    ],
)
def test_an_operator(operator: str, present: str | None, wanted: str, holds: bool) -> None:
    assert conditions.problem(operator, [wanted]) is None
    context = {} if present is None else {"k": (present,)}
    assert conditions.hold({operator: {"k": (wanted,)}}, context) is holds


def test_all_keys_must_hold_and_of_the_values_one() -> None:
    wanted = {"StringEquals": {TAG: ("red", "blue")}, "IpAddress": {IP: ("10.0.0.0/8",)}}
    assert conditions.hold(wanted, {TAG: ("blue",), IP: ("10.0.0.1",)})
    assert not conditions.hold(wanted, {TAG: ("green",), IP: ("10.0.0.1",)})
    assert not conditions.hold(wanted, {TAG: ("blue",), IP: ("11.0.0.1",)})
    assert not conditions.hold({"StringNotEquals": {TAG: ("red", "blue")}}, {TAG: ("blue",)})
    assert conditions.hold({}, {})


def test_only_the_key_of_a_tag_has_a_case() -> None:
    assert conditions.canonical("ACS:SourceIP") == "acs:sourceip"
    assert conditions.canonical("acs:ResourceTag/Team") == "acs:resourcetag/Team"


@given(some.text("ab*?.[]\n", max_size=12), some.text("ab*?.[]\n", max_size=12))
def test_a_pattern_means_what_it_means_in_a_shell_without_brackets(pattern: str, text: str) -> None:
    plain = re.sub(r"\[", "[[]", pattern)
    assert conditions.like(pattern, text) == fnmatch.fnmatchcase(text, plain)


def test_no_pattern_is_slow() -> None:
    for pattern in ("*a" * 3000 + "b", "?*" * 3000 + "b", "*" * 6000 + "b", "*a?" * 2000 + "b"):
        assert not conditions.like(pattern, "a" * 512)


def test_a_long_part_of_a_pattern_is_not_tried_at_every_place() -> None:
    # Each place against each character would be minutes.
    assert not conditions.like("*" + "?" * 20_000 + "b*", "a" * 200_000)
    assert conditions.like("*" + "?" * 20_000 + "b*", "a" * 199_999 + "b")
