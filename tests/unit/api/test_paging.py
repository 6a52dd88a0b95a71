"""Pages by token and by number."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.api import paging

keys = some.sets(some.text(min_size=1, max_size=5).filter(lambda text: text.isprintable()))


def walk(items: list[str], size: int) -> list[list[str]]:
    """Every page of a list."""
    found, token = [], ""
    while True:
        page, following = paging.by_token(items, str, size, token)
        found.append(list(page))
        if isinstance(following, msgspec.UnsetType):
            return found
        token = following


@given(keys, some.integers(1, 6))
def test_pages_together_are_the_list(items: set[str], size: int) -> None:
    ordered = sorted(items)
    found = walk(ordered, size)
    assert [item for page in found for item in page] == ordered
    assert all(len(page) == size for page in found[:-1])


@given(keys, keys, some.integers(1, 6))
def test_what_stays_is_shown_once_whatever_comes_and_goes(
    before: set[str], after: set[str], size: int
) -> None:
    first, token = paging.by_token(sorted(before), str, size, "")
    if isinstance(token, msgspec.UnsetType):
        return
    rest, _ = paging.by_token(sorted(after), str, 1000, token)
    shown = [*first, *rest]
    assert len(shown) == len(set(shown))
    assert before & after <= set(shown)


@given(some.text(max_size=20))
def test_any_token_is_a_place_or_refused(token: str) -> None:
    try:
        paging.by_token(["a", "b"], str, 1, token)
    except paging.UnknownToken as refused:
        assert repr(token) in str(refused)


@pytest.mark.parametrize("token", ["x", "====", "YQ", "YQ==\n", "端", "_w=="])
def test_a_token_that_cannot_be_read_is_refused(token: str) -> None:
    with pytest.raises(paging.UnknownToken):
        paging.by_token(["a"], str, 1, token)


@given(some.lists(some.integers()), some.integers(1, 7))
def test_numbered_pages_together_are_the_list(items: list[int], size: int) -> None:
    count = -(-len(items) // size)
    found = [paging.by_number(items, number, size) for number in range(1, count + 1)]
    assert [item for page in found for item in page] == items
    assert paging.by_number(items, count + 1, size) == []
