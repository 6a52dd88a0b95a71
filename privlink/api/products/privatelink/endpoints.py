"""The consumer's side of PrivateLink: endpoints and their zones."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api import ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.products.privatelink.settle import settle
from privlink.api.products.privatelink.zones import Zone, place
from privlink.api.wire import Answer
from privlink.kinds import KINDS
from privlink.model.ids import EndpointId, new_id
from privlink.model.privatelink import (
    Connection,
    ConnectionStatus,
    Decision,
    Endpoint,
    EndpointService,
    EndpointStatus,
    EndpointType,
    TrafficControl,
)
from privlink.rules import bandwidth, lifecycle, names, quotas, sharing
from privlink.store import endpoints, services
from privlink.store.endpoints import Facts

Name = Annotated[
    str,
    msgspec.Meta(
        min_length=2, max_length=128, pattern=names.NAME_PATTERN, description=names.NAME_RULE
    ),
]
Description = Annotated[
    str,
    msgspec.Meta(
        min_length=2,
        max_length=256,
        pattern=names.DESCRIPTION_PATTERN,
        description=names.DESCRIPTION_RULE,
    ),
]
KindOfEndpoint = Annotated[
    EndpointType, msgspec.Meta(description="only Interface endpoints are served so far.")
]


class CreateEndpointAnswer(Answer):
    endpoint_id: str
    endpoint_name: str
    endpoint_description: str
    endpoint_domain: str
    endpoint_status: str
    endpoint_business_status: str
    connection_status: str
    service_id: str
    service_name: str
    vpc_id: str
    address_ip_version: str
    zone_affinity_enabled: bool
    create_time: str


class EndpointSummary(CreateEndpointAnswer):
    endpoint_type: str
    region_id: str
    resource_owner: bool


class EndpointAnswer(EndpointSummary):
    payer: str | msgspec.UnsetType
    zone_private_ip_address_count: int


class EndpointsAnswer(Answer):
    endpoints: list[EndpointSummary]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVATELINK, writes=True, resource="vpcendpoint/*")
def create_vpc_endpoint(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    service_id: str | None = None,
    service_name: str | None = None,
    security_group_id: Annotated[
        tuple[str, ...], msgspec.Meta(max_length=10, description="at most 10 security groups.")
    ] = (),
    zone: Annotated[
        tuple[Zone, ...], msgspec.Meta(max_length=10, description="at most 10 zones.")
    ] = (),
    endpoint_type: KindOfEndpoint = EndpointType.INTERFACE,
    endpoint_name: Name | None = None,
    endpoint_description: Description | None = None,
    zone_private_ip_address_count: Annotated[
        int, msgspec.Meta(ge=1, le=1, description="only 1 is possible.")
    ] = 1,
) -> CreateEndpointAnswer:
    """Create an endpoint: an address in your VPC, in each zone given, that leads to a service."""
    vpc = ours.vpc(call, vpc_id, errors.VpcNotFound)
    quotas.ENDPOINTS_PER_VPC.check(endpoints.count_in(call.tx, vpc.id), vpc.id)
    service = _service_to_use(call, service_id, service_name)
    groups = ours.security_groups_in(call, security_group_id, vpc.id)
    KINDS[endpoint_type].check(groups)
    endpoint = Endpoint(
        id=EndpointId(new_id("ep")),
        account_id=call.account_id,
        vpc_id=vpc.id,
        service_id=service.id,
        service_name=names.service_name(call.config.region, service.id),
        type=endpoint_type,
        name=endpoint_name or "",
        description=endpoint_description or "",
        deleting=False,
        created_at=call.now,
    )
    decision = Decision.ACCEPTED if service.auto_accept else Decision.NONE
    connection = Connection(
        endpoint_id=endpoint.id,
        service_id=service.id,
        decision=decision,
        bandwidth=service.connect_bandwidth or bandwidth.DEFAULT,
        traffic_control=TrafficControl.SCALABILITY,
        modified_at=call.now,
    )
    endpoints.add(call.tx, endpoint, connection, (group.id for group in groups))
    for asked in zone:
        place(call, endpoint, asked, initial=True)
    settle(call, endpoint)
    return CreateEndpointAnswer(**_common(call, endpoints.facts(call.tx, [endpoint])[0]))


@action(PRIVATELINK, resource="vpcendpoint/{endpoint_id}")
def get_vpc_endpoint_attribute(
    call: Call, *, region_id: RegionId, endpoint_id: str
) -> EndpointAnswer:
    """Show one of your endpoints."""
    endpoint = ours.endpoint(call, endpoint_id)
    service = services.get(call.tx, endpoint.service_id)
    return EndpointAnswer(
        **_summary(call, endpoints.facts(call.tx, [endpoint])[0], service),
        payer=service.payer if service else msgspec.UNSET,
        zone_private_ip_address_count=1,
    )


@action(PRIVATELINK, resource="vpcendpoint/*")
def list_vpc_endpoints(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str | None = None,
    endpoint_name: str | None = None,
    endpoint_type: str | None = None,
    endpoint_status: EndpointStatus | None = None,
    connection_status: ConnectionStatus | None = None,
    service_name: str | None = None,
    vpc_id: str | None = None,
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> EndpointsAnswer:
    """List your endpoints. All filters given must match."""
    exact = {"id": endpoint_id, "name": endpoint_name, "type": endpoint_type}
    exact |= {"service_name": service_name, "vpc_id": vpc_id}
    wanted = {field: value for field, value in exact.items() if value is not None}
    found = [
        facts
        for facts in endpoints.facts(
            call.tx,
            (
                endpoint
                for endpoint in endpoints.of_account(call.tx, call.account_id)
                if all(getattr(endpoint, field) == value for field, value in wanted.items())
            ),
        )
        if endpoint_status in (None, lifecycle.endpoint_status(facts.endpoint, facts.zones))
        and connection_status in (None, status_of(facts))
    ]
    page, following = by_token(found, by_age, max_results, next_token)
    owners = services.by_ids(call.tx, {facts.endpoint.service_id for facts in page})
    return EndpointsAnswer(
        endpoints=[
            EndpointSummary(**_summary(call, facts, owners.get(facts.endpoint.service_id)))
            for facts in page
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(PRIVATELINK, writes=True, resource="vpcendpoint/{endpoint_id}")
def delete_vpc_endpoint(call: Call, *, region_id: RegionId, endpoint_id: str) -> Answer:
    """Delete an endpoint whose zones have been removed."""
    endpoint = ours.endpoint(call, endpoint_id)
    zones = endpoints.zones(call.tx, endpoint.id)
    if staying := [zone.zone_id for zone in zones if not zone.deleting]:
        raise errors.EndpointDependenceViolation(
            endpoint_id=endpoint.id, dependants=", ".join(staying)
        )
    if zones:
        endpoints.mark_deleting(call.tx, endpoint.id)
    else:
        endpoints.delete_endpoint(call.tx, endpoint.id)
    return Answer()


def status_of(facts: Facts) -> ConnectionStatus:
    """The status of an endpoint's connection."""
    return lifecycle.connection_status(
        facts.endpoint, facts.connection, facts.service_exists, facts.zones
    )


def by_age(facts: Facts) -> str:
    """The key that lists of endpoints are ordered by, oldest first."""
    return f"{facts.endpoint.created_at} {facts.endpoint.id}"


def _service_to_use(
    call: Call, service_id: str | None, service_name: str | None
) -> EndpointService:
    """The service that was asked for, if it exists and this account may use it."""
    by_name = service_name.rpartition(".")[2] if service_name else None
    wanted = service_id or by_name
    if wanted is None:
        raise errors.MissingParam(parameter="ServiceId", why="give ServiceId or ServiceName.")
    service = services.get(call.tx, wanted)
    named = service and names.service_name(call.config.region, service.id)
    if service is None or (service_name is not None and service_name != named):
        raise errors.EndpointServiceNotFound(service=service_id or service_name)
    allowed = [entry.user for entry in services.users(call.tx, service.id)]
    if service.account_id != call.account_id and not sharing.allows(allowed, call.account_id):
        raise errors.EndpointServiceNotAuthorized(account_id=call.account_id, service_id=service.id)
    return service


def _common(call: Call, facts: Facts) -> dict[str, Any]:
    endpoint, config = facts.endpoint, call.config
    return {
        "endpoint_id": endpoint.id,
        "endpoint_name": endpoint.name,
        "endpoint_description": endpoint.description,
        "endpoint_domain": names.endpoint_domain(
            config.domain, config.region, endpoint.service_id, endpoint.id
        ),
        "endpoint_status": lifecycle.endpoint_status(endpoint, facts.zones),
        "endpoint_business_status": "Normal",
        "connection_status": status_of(facts),
        "service_id": endpoint.service_id,
        "service_name": endpoint.service_name,
        "vpc_id": endpoint.vpc_id,
        "address_ip_version": "IPv4",
        "zone_affinity_enabled": False,
        "create_time": endpoint.created_at,
    }


def _summary(call: Call, facts: Facts, service: EndpointService | None) -> dict[str, Any]:
    return _common(call, facts) | {
        "endpoint_type": facts.endpoint.type,
        "region_id": call.config.region,
        "resource_owner": service is not None and service.account_id == facts.endpoint.account_id,
    }


ACTIONS = (
    create_vpc_endpoint,
    get_vpc_endpoint_attribute,
    list_vpc_endpoints,
    delete_vpc_endpoint,
)
