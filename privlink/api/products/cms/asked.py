"""What a call asks of a metric: whose series, of what, from when till when."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from privlink import errors
from privlink.api.action import Call
from privlink.api.times import seconds_of
from privlink.rules.monitoring import DIMENSIONS, METRICS, NAMESPACE, Group, Metric
from privlink.store.traffic import KEPT_MINUTES

Namespace = Annotated[
    Literal["acs_privatelink"], msgspec.Meta(description=f"there is one here: {NAMESPACE}.")
]
MetricName = Annotated[str, msgspec.Meta(max_length=64)]
Period = Annotated[
    int,
    msgspec.Meta(
        ge=60, le=86400, multiple_of=60, description="a period is 60 to 86400 s, in whole minutes."
    ),
]
Length = Annotated[int, msgspec.Meta(ge=1, le=1440, description="a page has 1 to 1440 points.")]
Dimensions = Annotated[
    str,
    msgspec.Meta(
        max_length=16384,
        description='it is a JSON object, or a list of up to 50, such as {"endpointId": "ep-..."}.',
    ),
]
Moment = Annotated[
    str,
    msgspec.Meta(
        max_length=40,
        description="milliseconds since 1970, or a time such as 2026-12-01 00:00:00 (UTC).",
    ),
]
PERIODS: Final = "60,300,900,3600"

_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
_MOST_OBJECTS = 50
_MOST_PERIODS = 31 * _DAY // _MINUTE
# The service's own word for whatever a metric is about.
_INSTANCE = {Group.ENDPOINT: "endpointId", Group.SERVICE: "serviceId"}
_SHORT = {"zone": "zoneId", "eni": "eniId", "service": "serviceId", "resource": "resourceId"}
_RULE = 'it is a JSON object, or a list of up to 50, such as {"endpointId": "ep-..."}.'
_Object = dict[str, str]
_objects = msgspec.json.Decoder(
    Annotated[list[_Object], msgspec.Meta(max_length=_MOST_OBJECTS)] | _Object
)


class Asked(msgspec.Struct, frozen=True):
    """What is asked for. Times are in seconds since 1970."""

    metric: Metric
    # What series are to be of, one of these; None: each endpoint or service.
    objects: tuple[_Object, ...] | None
    names: tuple[str, ...]  # of the dimensions by which series are told apart
    period: int
    first: int  # of the moments at which points begin, in whole periods
    beyond: int

    @property
    def by_hours(self) -> bool:
        """Whether what is kept by the hour is enough."""
        return self.period % _HOUR == 0


def _metric_of(name: str) -> Metric:
    """The metric of a name. Raises InvalidParameter."""
    if name not in METRICS:
        why = f"{name!r} was given; DescribeMetricMetaList lists what there is."
        raise errors.InvalidParameter(parameter="MetricName", why=why)
    return METRICS[name]


def read(
    call: Call,
    metric_name: str,
    dimensions: str,
    period: int,
    start_time: str | None,
    end_time: str | None,
) -> Asked:
    """What a call asks for. Raises InvalidParameter."""
    metric = _metric_of(metric_name)
    now = int(call.moment.timestamp())
    end = now if end_time is None else moment("EndTime", end_time)
    start = end - _HOUR if start_time is None else moment("StartTime", start_time)
    if start >= end:
        raise errors.InvalidParameter(parameter="StartTime", why="it must be before EndTime.")
    if end - start > 31 * _DAY:
        why = "at most 31 days are told of at once; ask in parts."
        raise errors.InvalidParameter(parameter="StartTime", why=why)
    if period % _HOUR:  # further back there is nothing
        start = max(start, now - (KEPT_MINUTES - 1) * _MINUTE)
    given = _read_objects(dimensions)
    objects = tuple(_named(metric.group, each, call) for each in given)
    named = {name for each in objects for name in each}
    names = tuple(name for name in DIMENSIONS[metric.group] if name in named)
    # From StartTime, without it, to EndTime; of what is not over there is no average yet.
    first = start // period * period + period
    beyond = min(end, now - period) // period * period + period
    # Nobody else's: no series of the caller's has that user.
    ours = tuple(each for each in objects if "userId" not in each) if given else None
    names = names or (_INSTANCE[metric.group],)
    return Asked(metric, ours, names, period, first, max(first, beyond))


def moment(parameter: str, text: str) -> int:
    """A time as CloudMonitor takes it: milliseconds since 1970, or a date with a time, UTC."""
    if re.fullmatch("[0-9]{1,15}", text):
        number = int(text)
        # Some of its pages say seconds: those of our days are too small for milliseconds.
        seconds = number // 1000 if number >= 10**11 else number
        if seconds <= 4_102_444_800:
            return seconds
    return seconds_of(parameter, text)


def _read_objects(text: str) -> list[_Object]:
    if not text:
        return []
    try:
        found = _objects.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise errors.InvalidParameter(parameter="Dimensions", why=_RULE) from None
    return found if isinstance(found, list) else [found]


def _named(group: Group, given: _Object, call: Call) -> _Object:
    """An object's dimensions under their full names."""
    named = {}
    for name, value in given.items():
        full = _INSTANCE[group] if name == "instanceId" else _SHORT.get(name, name)
        if full != "userId" and full not in DIMENSIONS[group]:
            known = ", ".join(("userId", *DIMENSIONS[group]))
            why = f"{name[:40]!r} was given; a series may be of {known}."
            raise errors.InvalidParameter(parameter="Dimensions", why=why)
        if full != "userId":
            named[full] = value
        elif value != call.account_id:
            named["userId"] = value
    return named
