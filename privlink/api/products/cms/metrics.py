"""The numbers of a metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import groupby, islice
from typing import Final, NamedTuple

import msgspec

from privlink.api.action import CMS, Call, action
from privlink.api.paging import NextToken, UnknownToken, place_of, token_after
from privlink.api.products.cms import asked
from privlink.api.products.cms.asked import (
    Asked,
    Dimensions,
    Length,
    MetricName,
    Moment,
    Namespace,
    Period,
)
from privlink.api.wire import Answer
from privlink.model.traffic import Usage
from privlink.rules import monitoring
from privlink.rules.monitoring import Group
from privlink.store import lives, traffic

_AT_ONCE: Final = 200  # series
_Key = tuple[str, ...]  # the values of a series' dimensions
_Cursor = tuple[_Key, int]  # of a point: its series and when it begins
_START: Final[_Cursor] = ((), -1)
_OWNERS: Final = {Group.ENDPOINT: "account_id", Group.SERVICE: "provider_id"}
_COLUMNS: Final = {
    "serviceId": "service_id",
    "resourceId": "resource_id",
    "endpointId": "endpoint_id",
    "zoneId": "zone_id",
    "eniId": "eni_id",
}


class _Series(NamedTuple):
    """A series, the places behind it, and when those of its points begin that are to be given."""

    key: _Key
    places: list[int]
    moments: range


class MetricAnswer(Answer):
    code: str
    success: bool
    period: str
    datapoints: str
    next_token: str | msgspec.UnsetType


@action(CMS, resource="*")
def describe_metric_list(
    call: Call,
    *,
    namespace: Namespace,
    metric_name: MetricName,
    dimensions: Dimensions = "",
    period: Period = 60,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    length: Length = 1000,
    next_token: NextToken = "",
) -> MetricAnswer:
    """List a metric's points: of your endpoints, or of your endpoint services.

    `Dimensions` names what series are to be of: what it leaves open is summed up. Without it there
    is one series for each endpoint, or service. Whole hours are kept for good, minutes for six
    hours. Without times it is the last hour.
    """
    wanted = asked.read(call, metric_name, dimensions, period, start_time, end_time)
    return _answer(call, wanted, length, next_token)


@action(CMS, resource="*")
def describe_metric_last(
    call: Call,
    *,
    namespace: Namespace,
    metric_name: MetricName,
    dimensions: Dimensions = "",
    period: Period = 60,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    length: Length = 1000,
    next_token: NextToken = "",
) -> MetricAnswer:
    """List the last point of each of a metric's series; the rest is as in DescribeMetricList."""
    wanted = asked.read(call, metric_name, dimensions, period, start_time, end_time)
    last = max(wanted.first, wanted.beyond - period)
    return _answer(call, msgspec.structs.replace(wanted, first=last), length, next_token)


def _answer(call: Call, wanted: Asked, length: int, token: str) -> MetricAnswer:
    after, last = _cursor(token, wanted), _START
    points: list[dict[str, object]] = []
    following: str | msgspec.UnsetType = msgspec.UNSET
    with closing(_points(call, wanted, after, length + 1)) as found:
        for cursor, value in found:
            if len(points) == length:
                following = token_after(msgspec.json.encode(last).decode())
                break
            named = dict(zip(wanted.names, cursor[0], strict=True))
            owner = {"userId": call.account_id}
            points.append({"timestamp": cursor[1] * 1000, **owner, **named, "Average": value})
            last = cursor
    return MetricAnswer(
        code="200",
        success=True,
        period=str(wanted.period),
        datapoints=msgspec.json.encode(points).decode(),
        next_token=following,
    )


def _cursor(token: str, wanted: Asked) -> _Cursor:
    if not token:
        return _START
    try:
        found: _Cursor = msgspec.json.decode(place_of(token), type=_Cursor)
    except msgspec.MsgspecError:
        found = _START
    if len(found[0]) != len(wanted.names):
        why = f"{token!r} was given, which no page of this list ended with."
        raise UnknownToken(why)
    return found


def _points(
    call: Call, wanted: Asked, after: _Cursor, most: int
) -> Generator[tuple[_Cursor, float], None, None]:
    """So many of the points behind one of them, series by series, oldest first."""
    for some in _batches(_series(call, wanted, after, most)):
        used = _used(call, wanted, some)
        for key, places, moments in some:
            sums: dict[int, float] = defaultdict(float)
            for place in places:
                for moment, usage in used.get(place, ()):
                    period = moment - moment % wanted.period
                    sums[period] += monitoring.average(wanted.metric, usage, wanted.period)
            for moment in moments:
                yield (key, moment), sums[moment]


def _series(call: Call, wanted: Asked, after: _Cursor, most: int) -> Iterator[_Series]:
    """The caller's series behind a point, until they have so many points."""
    every = range(wanted.first, wanted.beyond, wanted.period)
    if not every or wanted.objects == ():
        return
    lives_there = lives.by_series(
        call.tx,
        [_COLUMNS[name] for name in wanted.names],
        wanted.first,
        wanted.beyond,
        since=after[0],
        among=[{_COLUMNS[n]: v for n, v in each.items()} for each in wanted.objects or ()],
        **{_OWNERS[wanted.metric.group]: call.account_id},
    )
    for key, rows in groupby(lives_there, lambda row: row[:-1]):
        begun = key == after[0]
        given = max(0, (after[1] - wanted.first) // wanted.period + 1) if begun else 0
        moments = every[given:][:most]
        if moments:
            yield _Series(key, [int(row[-1]) for row in rows], moments)
            most -= len(moments)
        if not most:
            return


def _batches(series: Iterator[_Series]) -> Iterator[list[_Series]]:
    """Series, so many at once that few of what was used is read for nothing."""
    while some := list(islice(series, _AT_ONCE)):
        yield some


def _used(call: Call, wanted: Asked, series: list[_Series]) -> dict[int, list[tuple[int, Usage]]]:
    """What was used by place, with when that time began."""
    unit, find = (3600, traffic.hours) if wanted.by_hours else (60, traffic.minutes)
    places = [place for each in series for place in each.places]
    first = min(each.moments[0] for each in series)
    beyond = max(each.moments[-1] for each in series) + wanted.period
    found = find(call.tx, places, first // unit, beyond // unit)
    return {
        place: [(number * unit, usage) for number, usage in each] for place, each in found.items()
    }


ACTIONS = (describe_metric_list, describe_metric_last)
