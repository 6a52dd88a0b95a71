"""The numbers of a metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

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
from privlink.model.traffic import Usage, ZoneLife
from privlink.rules import monitoring
from privlink.rules.monitoring import Group
from privlink.store import lives, traffic

_AT_ONCE: Final = 200  # series
_MOST_LIVES: Final = 100_000
_Key = tuple[str, ...]  # the values of a series' dimensions
_Cursor = tuple[_Key, int]  # of a point: its series and when it begins
_START: Final[_Cursor] = ((), -1)


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
    metric = asked.metric_of(metric_name)
    wanted = asked.read(call, metric, dimensions, period, start_time, end_time)
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
    metric = asked.metric_of(metric_name)
    wanted = asked.read(call, metric, dimensions, period, start_time, end_time)
    last = max(wanted.first, wanted.beyond - period)
    return _answer(call, msgspec.structs.replace(wanted, first=last), length, next_token)


def _answer(call: Call, wanted: Asked, length: int, token: str) -> MetricAnswer:
    after, last = _cursor(token), _START
    points: list[dict[str, object]] = []
    following: str | msgspec.UnsetType = msgspec.UNSET
    for cursor, value in _points(call, wanted, after, length):
        if len(points) == length:
            following = token_after(msgspec.json.encode(last).decode())
            break
        named = dict(zip(wanted.names, cursor[0], strict=True))
        points.append(
            {"timestamp": cursor[1] * 1000, "userId": call.account_id, **named, "Average": value}
        )
        last = cursor
    return MetricAnswer(
        code="200",
        success=True,
        period=str(wanted.period),
        datapoints=msgspec.json.encode(points).decode(),
        next_token=following,
    )


def _cursor(token: str) -> _Cursor:
    text = place_of(token)
    try:
        return msgspec.json.decode(text, type=_Cursor) if text else _START
    except msgspec.MsgspecError:
        why = f"{token!r} was given, which no page of this list ended with."
        raise UnknownToken(why) from None


def _points(
    call: Call, wanted: Asked, after: _Cursor, size: int
) -> Iterator[tuple[_Cursor, float]]:
    """The points behind one of them, series by series, oldest first."""
    moments = range(wanted.first, wanted.beyond, wanted.period)
    if not moments:
        return
    series = _series(call, wanted)
    keys = sorted(key for key in series if key >= after[0])
    at_once = max(1, min(_AT_ONCE, size // len(moments) + 1))
    for begin in range(0, len(keys), at_once):
        some = keys[begin : begin + at_once]
        used = _used(call, wanted, [place for key in some for place in series[key]])
        for key in some:
            sums: dict[int, float] = defaultdict(float)
            for place in series[key]:
                for moment, usage in used.get(place, ()):
                    period = moment - moment % wanted.period
                    sums[period] += monitoring.average(wanted.metric, usage, wanted.period)
            for moment in moments:
                if (key, moment) > after:
                    yield (key, moment), sums[moment]


def _series(call: Call, wanted: Asked) -> dict[_Key, list[int]]:
    """The places behind each series of the caller's that was there in the time asked for."""
    services = wanted.metric.group is Group.SERVICE
    owner = {"provider_id" if services else "account_id": call.account_id}
    there = lives.between(call.tx, wanted.first, wanted.beyond, 0, _MOST_LIVES, **owner)
    carriers = {}
    if "resourceId" in wanted.names:
        carriers = lives.carriers(call.tx, [life.place for life in there])
    found: dict[_Key, list[int]] = defaultdict(list)
    for life in there:
        values = _values(life, carriers.get(life.place, ""))
        if wanted.matches(values):
            found[tuple(values[name] for name in wanted.names)].append(life.place)
    return found


def _values(life: ZoneLife, resource_id: str) -> dict[str, str]:
    return {
        "serviceId": life.service_id,
        "resourceId": resource_id,
        "endpointId": life.endpoint_id,
        "zoneId": life.zone_id,
        "eniId": life.eni_id,
    }


def _used(call: Call, wanted: Asked, places: list[int]) -> dict[int, list[tuple[int, Usage]]]:
    """What was used by place, with when that time began."""
    unit, find = (3600, traffic.hours) if wanted.by_hours else (60, traffic.minutes)
    found = find(call.tx, places, wanted.first // unit, wanted.beyond // unit)
    return {
        place: [(number * unit, usage) for number, usage in each] for place, each in found.items()
    }


ACTIONS = (describe_metric_list, describe_metric_last)
