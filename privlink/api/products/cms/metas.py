"""Which metrics there are."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import CMS, Call, action
from privlink.api.paging import PageNumber, by_number
from privlink.api.products.cms.asked import PERIODS, Namespace
from privlink.api.wire import Answer
from privlink.rules import monitoring
from privlink.rules.monitoring import DIMENSIONS, METRICS, Metric

PageSize = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]


class MetaAnswer(Answer):
    description: str
    dimensions: str
    labels: str
    metric_name: str
    namespace: str
    periods: str
    statistics: str
    unit: str


class Metas(Answer):
    resource: list[MetaAnswer]


class MetasAnswer(Answer):
    code: str
    success: bool
    resources: Metas
    total_count: str


@action(CMS, resource="*")
def describe_metric_meta_list(
    call: Call,
    *,
    namespace: Namespace = monitoring.NAMESPACE,
    metric_name: str | None = None,
    page_number: PageNumber = 1,
    page_size: PageSize = 30,
) -> MetasAnswer:
    """List the metrics there are, with what a series of each may be of."""
    every = [each for name, each in METRICS.items() if metric_name in (None, name)]
    page = by_number(every, page_number, page_size)
    return MetasAnswer(
        code="200",
        success=True,
        resources=Metas(resource=[_answer(each) for each in page]),
        total_count=str(len(every)),
    )


def _answer(metric: Metric) -> MetaAnswer:
    label = {"name": "metricCategory", "value": metric.group.value}
    return MetaAnswer(
        description=metric.description,
        dimensions=",".join(("userId", *DIMENSIONS[metric.group])),
        labels=msgspec.json.encode([label]).decode(),
        metric_name=metric.name,
        namespace=monitoring.NAMESPACE,
        periods=PERIODS,
        statistics="Average",
        unit=metric.unit,
    )


ACTIONS = (describe_metric_meta_list,)
