"""What was used, by whom, and what it costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.paging import MaxResults, NextToken, UnknownToken, place_of, token_after
from privlink.api.times import moment_of, seconds_of
from privlink.api.wire import Answer
from privlink.model.ids import AccountId
from privlink.model.traffic import ZoneLife
from privlink.rules import billing
from privlink.rules.billing import DAY_HOURS, HOUR, Granularity, Price, Span
from privlink.store import accounts, endpoints, lives, prices, services, traffic

# The longest time in hours that is told of at once, by granularity.
_LONGEST: Final = {
    Granularity.HOUR: 31 * DAY_HOURS,
    Granularity.DAY: 366 * DAY_HOURS,
    Granularity.TOTAL: 3660 * DAY_HOURS,
}
Hour = Annotated[
    str, msgspec.Meta(max_length=40, description="a full hour such as 2026-12-01T00:00:00Z.")
]
_LIVES_AT_ONCE: Final = 200
_Cursor = tuple[int, int, str]  # of a row: its place, its first hour, its currency


class UsageRow(Answer):
    start_time: str
    end_time: str
    payer_account_id: str
    endpoint_id: str
    endpoint_account_id: str
    zone_id: str
    service_id: str
    service_account_id: str
    zone_hours: int
    bytes_in: int
    bytes_out: int
    price: str
    currency: str


class UsageAnswer(Answer):
    start_time: str
    end_time: str
    usage: list[UsageRow]
    max_results: int
    next_token: str | msgspec.UnsetType


class _Period(msgspec.Struct, frozen=True):
    """What is asked for, in hours since 1970."""

    first: int
    beyond: int
    granularity: Granularity
    prices: list[Price]
    now: int  # in seconds

    def spans(self) -> list[Span]:
        return list(billing.spans(self.first, self.beyond, self.granularity, self.prices))


class _Sum(msgspec.Struct):
    """What goes into one row."""

    beyond: int = 0
    zone_hours: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    price: Decimal = Decimal()


@action(PRIVLINK, resource="usage/*")
def describe_usage(
    call: Call,
    *,
    start_time: Hour | None = None,
    end_time: Hour | None = None,
    endpoint_id: str | None = None,
    service_id: str | None = None,
    account_id: str | None = None,
    granularity: Granularity = Granularity.TOTAL,
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> UsageAnswer:
    """List what your account pays for, by endpoint and zone; the operator sees what everyone pays.

    Times are full hours; without any, it is from the beginning of the month till now. `ZoneHours`
    are the hours of the zone's life that have begun in that time, from its creation to its
    deletion, connected or not; bytes are counted with IP headers, at the hour in which the server
    heard of them. `Price` is exact to six decimals; what it cost then, whatever it costs now.
    """
    period = _period(call, start_time, end_time, granularity)
    equal = _wanted(call, endpoint_id, service_id, account_id)
    after = _cursor(next_token)
    found: list[tuple[_Cursor, UsageRow]] = []
    for row in _rows(call, period, equal, after, max_results + 1):
        found.append(row)
        if len(found) > max_results:
            break
    page = found[:max_results]
    following = len(found) > max_results
    last = " ".join(map(str, page[-1][0])) if following else ""
    return UsageAnswer(
        start_time=moment_of(period.first * HOUR),
        end_time=moment_of(period.beyond * HOUR),
        usage=[row for _, row in page],
        max_results=max_results,
        next_token=token_after(last) if following else msgspec.UNSET,
    )


def _period(
    call: Call, start_time: str | None, end_time: str | None, granularity: Granularity
) -> _Period:
    now = int(call.moment.timestamp())
    month = datetime(call.moment.year, call.moment.month, 1, tzinfo=UTC)
    first = int(month.timestamp()) // HOUR
    beyond = now // HOUR + 1
    if start_time is not None:
        first = _hour("StartTime", start_time)
    if end_time is not None:
        beyond = _hour("EndTime", end_time)
    if first >= beyond:
        why = f"it must be after StartTime, which is {moment_of(first * HOUR)}."
        raise errors.InvalidParameter(parameter="EndTime", why=why)
    if beyond - first > _LONGEST[granularity]:
        days = _LONGEST[granularity] // DAY_HOURS
        why = f"by {granularity}, at most {days} days are told of at once; ask in parts."
        raise errors.InvalidParameter(parameter="StartTime", why=why)
    return _Period(first, beyond, granularity, prices.every(call.tx), now)


def _hour(parameter: str, text: str) -> int:
    seconds = seconds_of(parameter, text)
    if seconds % HOUR:
        why = f"{text!r} was given; usage is kept by the hour: give a full one."
        raise errors.InvalidParameter(parameter=parameter, why=why)
    return seconds // HOUR


def _wanted(
    call: Call, endpoint_id: str | None, service_id: str | None, account_id: str | None
) -> dict[str, str]:
    """What zones must be like. Raises an error for what there is not, or is not the caller's."""
    assert call.caller.account is not None
    equal: dict[str, str] = {}
    if not call.caller.account.operator:
        equal["payer_id"] = call.account_id
    if account_id is not None:
        stranger = account_id != call.account_id
        known = stranger and accounts.get(call.tx, AccountId(account_id)) is not None
        if stranger and (equal or not known):
            raise errors.AccountNotFound(account_id=account_id)
        equal["payer_id"] = account_id
    if service_id is not None:
        equal["service_id"] = service_id
        service = services.get(call.tx, service_id)
        mine = service is not None and service.account_id == call.account_id
        if not mine and not lives.any_of(call.tx, **equal):
            raise errors.EndpointServiceNotFound(service=service_id)
    if endpoint_id is not None:
        equal["endpoint_id"] = endpoint_id
        endpoint = endpoints.get(call.tx, endpoint_id)
        mine = endpoint is not None and endpoint.account_id == call.account_id
        if not mine and not lives.any_of(call.tx, **equal):
            raise errors.EndpointNotFound(endpoint_id=endpoint_id)
    return equal


def _cursor(token: str) -> _Cursor | None:
    text = place_of(token)
    if not text:
        return None
    match text.split(" "):
        case [place, bucket, currency] if place.isdecimal() and bucket.isdecimal():
            if len(place) <= 18 and len(bucket) <= 18:
                return int(place), int(bucket), currency
    raise UnknownToken(f"{token!r} was given, which no page of this list ended with.")


def _rows(
    call: Call, period: _Period, equal: dict[str, str], after: _Cursor | None, size: int
) -> Iterator[tuple[_Cursor, UsageRow]]:
    """The rows behind one of them, by place, time and currency."""
    at_once = max(1, min(_LIVES_AT_ONCE, size // len(period.spans()) + 1))
    place = after[0] - 1 if after else 0
    start, end = period.first * HOUR, min(period.beyond * HOUR, period.now + 1)
    while some := lives.between(call.tx, start, end, place, at_once, **equal):
        place = some[-1].place
        moved = _moved(call, period, [each.place for each in some])
        for life in some:
            if not life.payer_id:
                continue  # of a gateway endpoint, which costs nothing
            for cursor, sums in _sums(life, period, moved):
                if after is None or cursor > after:
                    yield cursor, _row(life, cursor, sums)


_Moved = dict[tuple[int, int], tuple[int, int]]  # bytes by place and first hour of a span


def _moved(call: Call, period: _Period, places: list[int]) -> _Moved:
    found: _Moved = {}
    by_price: dict[int, list[Span]] = defaultdict(list)
    for span in period.spans():
        by_price[span.price.since].append(span)
    step = {Granularity.HOUR: 1, Granularity.DAY: DAY_HOURS}.get(period.granularity, 0)
    for some in by_price.values():
        begins = {span.first // step if step else 0: span.first for span in some}
        sums = traffic.bytes_by(call.tx, places, some[0].first, some[-1].beyond, step)
        for place, bucket, bytes_in, bytes_out in sums:
            found[place, begins[bucket]] = bytes_in, bytes_out
    return found


def _sums(life: ZoneLife, period: _Period, moved: _Moved) -> list[tuple[_Cursor, _Sum]]:
    """The rows of one zone that say anything."""
    rows: dict[_Cursor, _Sum] = defaultdict(_Sum)
    ended = period.now + 1 if life.ended is None else life.ended
    for span in period.spans():
        hours = billing.hours_due(life.begun, ended, span.first * HOUR, span.beyond * HOUR)
        bytes_in, bytes_out = moved.get((life.place, span.first), (0, 0))
        if not hours and not bytes_in and not bytes_out:
            continue
        row = rows[life.place, span.bucket, span.price.currency]
        row.beyond = span.beyond
        row.zone_hours += hours
        row.bytes_in += bytes_in
        row.bytes_out += bytes_out
        row.price += billing.amount(span.price, hours, bytes_in + bytes_out)
    return sorted(rows.items())


def _row(life: ZoneLife, cursor: _Cursor, sums: _Sum) -> UsageRow:
    _, bucket, currency = cursor
    return UsageRow(
        start_time=moment_of(bucket * HOUR),
        end_time=moment_of(sums.beyond * HOUR),
        payer_account_id=life.payer_id,
        endpoint_id=life.endpoint_id,
        endpoint_account_id=life.account_id,
        zone_id=life.zone_id,
        service_id=life.service_id,
        service_account_id=life.provider_id,
        zone_hours=sums.zone_hours,
        bytes_in=sums.bytes_in,
        bytes_out=sums.bytes_out,
        price=billing.rounded(sums.price),
        currency=currency,
    )


ACTIONS = (describe_usage,)
