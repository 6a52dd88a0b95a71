"""What use costs: hours of endpoint zones, bytes, and the prices of their time.

A zone's hours count from the moment of its creation; one that has begun counts in full. Each is of
the time in which it begins, so that periods add up to the whole. A gigabyte is 10^9 bytes. Money is
computed exactly; the amount of a row is rounded half up to six decimals, and a bill is the sum of
its rows.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

HOUR: Final = 3600  # seconds
DAY_HOURS: Final = 24
GIGABYTE: Final = 10**9  # bytes
_EXACT: Final = Decimal("0.000001")


class Granularity(enum.StrEnum):
    """How usage is summed up over time."""

    HOUR = "Hour"
    DAY = "Day"
    TOTAL = "Total"


class Price(msgspec.Struct, frozen=True):
    """What use costs from an hour on."""

    since: int  # hours since 1970
    currency: str
    zone_hour: str  # decimal numbers
    gigabyte: str


FREE: Final = Price(0, "CNY", "0", "0")


class Span(msgspec.Struct, frozen=True):
    """Some whole hours (since 1970) with one price, in one row of a list."""

    bucket: int  # the first hour of the row, as far as it was asked for
    first: int
    beyond: int
    price: Price


def hours_due(begun: int, ended: int, start: int, end: int) -> int:
    """How many hours of a life begin in some time. All in seconds since 1970."""
    ended = max(ended, begun + 1)  # the first hour has begun, however short the life
    return _hours_before(min(end, ended), begun) - _hours_before(min(start, ended), begun)


def _hours_before(moment: int, begun: int) -> int:
    return max(0, -((begun - moment) // HOUR))


def amount(price: Price, zone_hours: int, moved: int) -> Decimal:
    """What some zone-hours and bytes cost, not rounded."""
    by_volume = Decimal(price.gigabyte) * moved / GIGABYTE
    return Decimal(price.zone_hour) * zone_hours + by_volume


def rounded(exact: Decimal) -> str:
    """An amount as bills say it."""
    return f"{exact.quantize(_EXACT, rounding=ROUND_HALF_UP):f}"


def spans(
    first: int, beyond: int, granularity: Granularity, prices: Sequence[Price]
) -> Iterator[Span]:
    """Hours from `first` till before `beyond`, cut into rows, and those where prices change.

    `prices` ascend. Days are those of UTC.
    """
    step = {Granularity.HOUR: 1, Granularity.DAY: DAY_HOURS}.get(granularity, beyond)
    at = first
    while at < beyond:
        following = min(beyond, at - at % step + step)
        yield from _priced(at, following, prices)
        at = following


def _priced(bucket: int, beyond: int, prices: Sequence[Price]) -> Iterator[Span]:
    changes = [each for each in prices if bucket < each.since < beyond]
    at, price = bucket, price_at(bucket, prices)
    for change in changes:
        yield Span(bucket, at, change.since, price)
        at, price = change.since, change
    yield Span(bucket, at, beyond, price)


def price_at(hour: int, prices: Sequence[Price]) -> Price:
    """The price of an hour since 1970; `prices` ascend."""
    return next((each for each in reversed(prices) if each.since <= hour), FREE)
