"""What answers say of an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from privlink.api import grouping, tagging
from privlink.api.action import Call
from privlink.api.tagging import TagAnswer
from privlink.api.wire import Answer
from privlink.kinds import KINDS
from privlink.model.ids import ZoneId
from privlink.model.privatelink import ConnectionStatus, Endpoint, EndpointService
from privlink.rules import endpoint_policy, lifecycle, names
from privlink.store import services
from privlink.store.endpoints import Facts


class CreateEndpointAnswer(Answer):
    endpoint_id: str
    endpoint_name: str
    endpoint_description: str
    endpoint_domain: str | msgspec.UnsetType  # a Reverse endpoint has none
    endpoint_status: str
    endpoint_business_status: str
    connection_status: str
    bandwidth: int
    service_id: str
    service_name: str
    service_region_id: str
    vpc_id: str
    address_ip_version: str
    zone_affinity_enabled: bool
    create_time: str
    cross_region_bandwidth: int | msgspec.UnsetType


class EndpointSummary(CreateEndpointAnswer):
    endpoint_type: str
    policy_document: str
    protected_enabled: bool
    region_id: str
    resource_group_id: str
    resource_owner: bool


class ListedEndpoint(EndpointSummary):
    tags: list[TagAnswer]


class EndpointAnswer(EndpointSummary):
    payer: str | msgspec.UnsetType
    zone_private_ip_address_count: int


class EndpointsAnswer(Answer):
    endpoints: list[ListedEndpoint]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


def created(call: Call, facts: Facts) -> CreateEndpointAnswer:
    """An endpoint as its creation answers it."""
    return CreateEndpointAnswer(**_common(call, facts))


def shown(call: Call, facts: Facts) -> EndpointAnswer:
    """An endpoint as GetVpcEndpointAttribute answers it."""
    endpoint = facts.endpoint
    service = services.get(call.tx, endpoint.service_id)
    group = grouping.shown(call, [endpoint.id])[endpoint.id]
    return EndpointAnswer(
        **_summary(call, facts, service, group),
        payer=service.payer if service else msgspec.UNSET,
        zone_private_ip_address_count=1,
    )


def listed(call: Call, page: Sequence[Facts]) -> list[ListedEndpoint]:
    """Endpoints as ListVpcEndpoints answers them."""
    ids = [facts.endpoint.id for facts in page]
    found = services.by_ids(call.tx, {facts.endpoint.service_id for facts in page})
    groups, tags = grouping.shown(call, ids), tagging.shown(call, ids)
    return [
        ListedEndpoint(
            **_summary(call, facts, found.get(endpoint.service_id), groups[endpoint.id]),
            tags=tags[endpoint.id],
        )
        for facts in page
        for endpoint in (facts.endpoint,)
    ]


def zone_domain(call: Call, endpoint: Endpoint, zone_id: ZoneId) -> str | msgspec.UnsetType:
    """The name of an endpoint's address in a zone. A Reverse endpoint's has none."""
    if not KINDS[endpoint.type].NAMED:
        return msgspec.UNSET
    config = call.config
    return names.zone_domain(
        config.domain, config.region, endpoint.service_id, endpoint.id, zone_id
    )


def status_of(facts: Facts) -> ConnectionStatus:
    """The status of an endpoint's connection."""
    return lifecycle.connection_status(
        facts.endpoint, facts.connection, facts.service_exists, facts.zones
    )


def _common(call: Call, facts: Facts) -> dict[str, Any]:
    endpoint, config = facts.endpoint, call.config
    return {
        "endpoint_id": endpoint.id,
        "endpoint_name": endpoint.name,
        "endpoint_description": endpoint.description,
        "endpoint_domain": names.endpoint_domain(
            config.domain, config.region, endpoint.service_id, endpoint.id
        )
        if KINDS[endpoint.type].NAMED
        else msgspec.UNSET,
        "endpoint_status": lifecycle.endpoint_status(endpoint, facts.zones),
        "endpoint_business_status": "Normal",  # nothing to pay
        "connection_status": status_of(facts),
        "bandwidth": facts.connection.bandwidth,
        "service_id": endpoint.service_id,
        "service_name": endpoint.service_name,
        "service_region_id": config.region,
        "vpc_id": endpoint.vpc_id,
        "address_ip_version": endpoint.ip_version,
        "zone_affinity_enabled": endpoint.zone_affinity,
        "create_time": endpoint.created_at,
        "cross_region_bandwidth": msgspec.UNSET,  # endpoint and service are in one region here
    }


def _summary(
    call: Call, facts: Facts, service: EndpointService | None, group_id: str
) -> dict[str, Any]:
    endpoint = facts.endpoint
    return _common(call, facts) | {
        "endpoint_type": endpoint.type,
        "policy_document": endpoint.policy or endpoint_policy.DEFAULT,
        "protected_enabled": endpoint.protected,
        "region_id": call.config.region,
        "resource_group_id": group_id,
        "resource_owner": service is not None and service.account_id == endpoint.account_id,
    }
