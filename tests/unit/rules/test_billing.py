"""Hours that have begun, prices that change, and what comes of both."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.rules import billing
from privlink.rules.billing import FREE, HOUR, Granularity, Price, Span

moments = some.integers(0, 100 * HOUR)


@pytest.mark.parametrize(
    ("seconds", "hours"),
    [(0, 1), (1, 1), (HOUR - 1, 1), (HOUR, 1), (HOUR + 1, 2), (2 * HOUR, 2), (25 * HOUR + 1, 26)],
)
def test_an_hour_that_has_begun_counts_in_full(seconds: int, hours: int) -> None:
    begun = 1000
    assert billing.hours_due(begun, begun + seconds, 0, 10**9) == hours


@given(moments, some.integers(0, 50 * HOUR), some.lists(moments, max_size=5))
def test_parts_of_a_time_add_up_to_the_whole(begun: int, lasted: int, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 200 * HOUR]
    parts = [billing.hours_due(begun, begun + lasted, start, end) for start, end in pairwise(edges)]
    assert all(part >= 0 for part in parts)
    assert sum(parts) == max(1, -(-lasted // HOUR))


def test_amounts_are_exact_and_rows_rounded_half_up() -> None:
    price = Price(0, "CNY", "0.07", "0.07")
    exact = billing.amount(price, 3, 1_500_000_000)
    assert exact == Decimal("0.315")
    assert billing.rounded(exact) == "0.315000"
    assert billing.rounded(Decimal("0.0000005")) == "0.000001"
    assert billing.rounded(Decimal("0.00000049")) == "0.000000"
    assert billing.rounded(Decimal(10**15)) == f"{10**15}.000000"


def test_a_time_is_cut_into_days_of_utc_and_where_prices_change() -> None:
    one, other = Price(0, "CNY", "1", "1"), Price(30, "CNY", "2", "2")
    cut = list(billing.spans(20, 50, Granularity.DAY, [one, other]))
    assert cut == [
        Span(20, 20, 24, one),
        Span(24, 24, 30, one),
        Span(24, 30, 48, other),
        Span(48, 48, 50, other),
    ]
    assert list(billing.spans(20, 22, Granularity.HOUR, [])) == [
        Span(20, 20, 21, FREE),
        Span(21, 21, 22, FREE),
    ]
    assert list(billing.spans(20, 100, Granularity.TOTAL, [])) == [Span(20, 20, 100, FREE)]


@given(
    some.integers(0, 200),
    some.integers(1, 200),
    some.sampled_from(Granularity),
    some.lists(some.integers(0, 400), unique=True, max_size=5),
)
def test_spans_leave_no_hour_out_and_none_twice(
    first: int, length: int, granularity: Granularity, since: list[int]
) -> None:
    prices = [Price(each, "CNY", str(each), "0") for each in sorted(since)]
    cut = list(billing.spans(first, first + length, granularity, prices))
    hours = [hour for span in cut for hour in range(span.first, span.beyond)]
    assert hours == list(range(first, first + length))
    for span in cut:
        assert {billing.price_at(hour, prices) for hour in range(span.first, span.beyond)} == {
            span.price
        }
