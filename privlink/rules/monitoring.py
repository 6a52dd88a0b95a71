"""CloudMonitor's metrics of PrivateLink: their names, and what they are of what was used.

Source: https://www.alibabacloud.com/help/en/privatelink/monitoring-alarm. The names of an endpoint
service's metrics are not on that page as far as it was found; they are made like an endpoint's.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from privlink.model.traffic import Usage

NAMESPACE: Final = "acs_privatelink"


class Group(enum.StrEnum):
    """What a metric is about; CloudMonitor's names of its two groups."""

    ENDPOINT = "privatelink"
    SERVICE = "privatelinkservice"


class Metric(msgspec.Struct, frozen=True):
    """One metric: a number of `Usage`, by the second."""

    name: str
    group: Group
    field: str
    factor: int  # 8 where bytes become bits
    unit: str
    description: str


# What a series may be of, in the order in which it narrows.
DIMENSIONS: Final = {
    Group.ENDPOINT: ("endpointId", "zoneId", "eniId"),
    Group.SERVICE: ("serviceId", "resourceId", "endpointId", "zoneId", "eniId"),
}
_OBJECTS = {Group.ENDPOINT: "VpcEndpoint", Group.SERVICE: "VpcEndpointService"}
_WAYS = {"In": ("in", "from the consumer's VPC"), "Out": ("out", "to the consumer's VPC")}
_KINDS = {
    "Bps": ("bytes", 8, "bit/s", "bits"),
    "Pps": ("packets", 1, "packet/s", "packets"),
    "DropBps": ("dropped_bytes", 8, "bit/s", "bits dropped"),
    "DropPps": ("dropped_packets", 1, "packet/s", "packets dropped"),
}


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric(f"{prefix}{way}{kind}", group, f"{field}_{suffix}", factor, unit, f"{what} {whence}")
        for group, prefix in _OBJECTS.items()
        for kind, (field, factor, unit, what) in _KINDS.items()
        for way, (suffix, whence) in _WAYS.items()
    )
}


def average(metric: Metric, usage: Usage, seconds: int) -> float:
    """What a metric was on average while so much was used."""
    return int(getattr(usage, metric.field)) * metric.factor / seconds
