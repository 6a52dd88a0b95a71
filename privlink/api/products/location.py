"""Location 2015-06-12: where a client finds each product. All of them are here."""

from __future__ import annotations

from privlink import errors
from privlink.api.action import (
    BSSOPENAPI,
    CMS,
    ECS,
    LOCATION,
    NLB,
    PRIVATELINK,
    RAM,
    RESOURCEMANAGER,
    SLB,
    STS,
    VPC,
    Call,
    action,
)
from privlink.api.wire import Answer

_SERVED = {
    product.name
    for product in (
        PRIVATELINK,
        VPC,
        ECS,
        NLB,
        SLB,
        RAM,
        STS,
        RESOURCEMANAGER,
        LOCATION,
        BSSOPENAPI,
        CMS,
    )
}
_TYPE = "openAPI"


class Protocols(Answer):
    protocols: list[str]


class EndpointAnswer(Answer):
    id: str
    endpoint: str
    type: str
    namespace: str
    serivce_code: str  # spelt so on the wire
    protocols: Protocols


class EndpointList(Answer):
    endpoint: list[EndpointAnswer]


class EndpointsAnswer(Answer):
    endpoints: EndpointList


@action(LOCATION, resource=None)
def describe_endpoints(
    call: Call, *, id: str, service_code: str, type: str = _TYPE
) -> EndpointsAnswer:
    """Say where a product is served for a region; nothing for one that is not served here."""
    if id != call.config.region:
        raise errors.RegionNotFound(region_id=id, known=call.config.region)
    here = EndpointAnswer(
        id=id,
        endpoint=call.config.listen,
        type=_TYPE,
        namespace="",
        serivce_code=service_code,
        protocols=Protocols(protocols=["HTTP"]),
    )
    is_served = type == _TYPE and service_code.lower() in _SERVED
    return EndpointsAnswer(endpoints=EndpointList(endpoint=[here] if is_served else []))


ACTIONS = (describe_endpoints,)
