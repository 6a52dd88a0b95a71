"""BssOpenApi 2017-12-14: what an account has paid for. Nothing is paid for here."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import BSSOPENAPI, Call, RegionId, action
from privlink.api.wire import Answer

PageNumber = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1, description="pages count from 1.")]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=300, description="a page has 1 to 300 items.")]


class Instances(Answer):
    instance_list: list[str]
    page_num: int
    page_size: int
    total_count: int


class InstancesAnswer(Answer):
    data: Instances


@action(BSSOPENAPI, resource=None)
def query_available_instances(
    call: Call,
    *,
    region_id: RegionId | None = None,
    product_code: str | None = None,
    product_type: str | None = None,
    subscription_type: str | None = None,
    page_num: PageNumber = 1,
    page_size: PageSize = 20,
) -> InstancesAnswer:
    """List what an account has paid for: nothing, of whatever product."""
    nothing = Instances(instance_list=[], page_num=page_num, page_size=page_size, total_count=0)
    return InstancesAnswer(data=nothing)


ACTIONS = (query_available_instances,)
