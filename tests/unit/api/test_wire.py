"""The wire's spelling: flat parameters and nested values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink import errors
from privlink.api import wire
from privlink.client import flatten

names = some.text("ABCabcXYZ_-", min_size=1, max_size=6)
nested = some.dictionaries(
    names,
    some.recursive(
        some.text(max_size=5),
        lambda inner: some.one_of(
            some.lists(inner, min_size=1, max_size=4),
            some.dictionaries(names, inner, min_size=1, max_size=4),
        ),
        max_leaves=12,
    ),
    max_size=4,
)


@given(nested, some.randoms(use_true_random=False))
def test_what_was_flattened_comes_back_in_any_order(
    parameters: dict[str, Any], chance: Any
) -> None:
    flat = list(flatten(parameters))
    chance.shuffle(flat)
    assert wire.nest(flat) == parameters


@given(some.lists(some.tuples(some.text(".0123Aa١", max_size=140), some.text(max_size=3))))
def test_any_names_are_nested_or_refused(parameters: list[tuple[str, str]]) -> None:
    try:
        found = wire.nest(parameters)
    except errors.ApiError as refused:
        assert refused.message
    else:
        assert sorted(flatten(found)) == sorted(parameters)


@pytest.mark.parametrize(
    "names",
    [
        ["A.2"],
        ["A.0"],
        ["A.01"],
        ["A.1", "A.01"],
        ["A.1", "A.3"],
        ["A.1.B", "A.2.B", "A.4.B"],
        ["A.B.2"],
        ["A.1", "A.0"],
        [f"A.{number}" for number in range(1, 1002)],
    ],
)
def test_items_are_numbered_from_one_without_a_gap(names: list[str]) -> None:
    with pytest.raises(errors.InvalidParameter, match="and so on, up to 1000"):
        wire.nest((name, "x") for name in names)


@pytest.mark.parametrize("names", [["A", "A"], ["A.1", "A.1"], ["A", "A.B"], ["A.B", "A"]])
def test_a_name_means_one_thing(names: list[str]) -> None:
    with pytest.raises(errors.InvalidParameter, match=r"given twice|value and as a structure"):
        wire.nest((name, "x") for name in names)


@pytest.mark.parametrize("name", ["A" * 129, ".".join("A" * 65), "A." + "9" * 5000])
def test_a_name_has_a_length(name: str) -> None:
    with pytest.raises(errors.MalformedRequest, match="names have 1 to 128 letters"):
        wire.nest([(name, "x")])


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "端", "a=b", "a[1]", "Zone.1.端"])
def test_a_name_has_letters_that_a_log_may_quote(name: str) -> None:
    with pytest.raises(errors.MalformedRequest, match="digits, dots, - and _") as refused:
        wire.nest([(name, "x")])
    assert refused.value.answered_code == "MalformedRequest"


def test_a_structure_may_be_as_deep_as_a_name_is_long() -> None:
    name = ".".join("A" * 64)
    assert list(flatten(wire.nest([(name, "x")]))) == [(name, "x")]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("vpc_id", "VpcId"),
        ("vswitch_id", "VSwitchId"),
        ("vswitches", "VSwitches"),
        ("region_id", "RegionId"),
        ("zone", "Zone"),
    ],
)
def test_names_are_spelt_as_the_cloud_spells_them(ours: str, theirs: str) -> None:
    assert wire.pascal(ours) == theirs


def test_an_answer_leaves_out_what_is_unset() -> None:
    class Page(wire.Answer):
        total_count: int
        next_token: str | msgspec.UnsetType

    full, last = Page(total_count=1, next_token="x"), Page(total_count=1, next_token=msgspec.UNSET)
    assert msgspec.to_builtins(full) == {"TotalCount": 1, "NextToken": "x"}
    assert msgspec.to_builtins(last) == {"TotalCount": 1}
