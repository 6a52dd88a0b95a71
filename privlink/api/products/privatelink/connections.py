"""Consent: the provider accepts, refuses and looks at the connections to its services."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import grouping, listing, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults, NextToken
from privlink.api.products.privatelink.endpoint_answers import status_of, zone_domain
from privlink.api.products.privatelink.settle import settle
from privlink.api.wire import Answer
from privlink.model.privatelink import (
    Connection,
    ConnectionStatus,
    Decision,
    EndpointService,
    ResourceType,
    TrafficControl,
)
from privlink.rules import bandwidth as bandwidths
from privlink.rules import lifecycle
from privlink.store import endpoints, services
from privlink.store.endpoints import Facts

OwnerId = Annotated[int, msgspec.Meta(ge=1, description="the number of an account.")]


class ConnectionZone(Answer):
    zone_id: str
    zone_status: str
    zone_domain: str | msgspec.UnsetType  # a Reverse endpoint has none
    eni_id: str
    vswitch_id: str
    resource_id: str | msgspec.UnsetType
    replaced_resource_id: str | msgspec.UnsetType
    replaced_eni_id: str | msgspec.UnsetType


class ConnectionAnswer(Answer):
    endpoint_id: str
    endpoint_owner_id: int
    endpoint_vpc_id: str
    endpoint_region_id: str
    service_id: str
    service_region_id: str
    connection_status: str
    bandwidth: int
    traffic_control_mode: str
    resource_group_id: str
    modified_time: str
    resource_owner: bool
    zones: list[ConnectionZone]


class ConnectionsAnswer(Answer):
    connections: list[ConnectionAnswer]
    total_count: str  # a string here, a number in other lists
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def enable_vpc_endpoint_connection(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    endpoint_id: str,
    bandwidth: int | None = None,
    traffic_control_mode: TrafficControl | None = None,
) -> Answer:
    """Accept a connection in all its zones. Connected means that a byte can pass."""
    service = ours.service(call, service_id)
    facts = connection_of(call, service, endpoint_id)
    status = status_of(facts)
    if status not in (ConnectionStatus.DISCONNECTED, ConnectionStatus.DISCONNECTING):
        raise errors.EndpointConnectionOperationDenied(
            endpoint_id=endpoint_id, status=status, why="only a Disconnected one can be accepted."
        )
    served = services.zones(call.tx, service.id)
    staying = [each.zone for each in facts.zones if not each.zone.deleting]
    unserved = [zone.zone_id for zone in staying if zone.zone_id not in served]
    if unserved:
        raise errors.NoAvailableServiceResource(
            service_id=service.id, zones=", ".join(unserved), endpoint_id=endpoint_id
        )
    for zone in staying:
        if zone.cut:
            endpoints.set_zone(call.tx, msgspec.structs.replace(zone, cut=False))
    connection = _with(service, facts.connection, bandwidth, traffic_control_mode)
    accepted = msgspec.structs.replace(connection, decision=Decision.ACCEPTED)
    return _put(call, facts, accepted)


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def disable_vpc_endpoint_connection(
    call: Call, *, region_id: RegionId, service_id: str, endpoint_id: str
) -> Answer:
    """Refuse a connection, or end one: running flows stop, new ones are refused."""
    service = ours.service(call, service_id)
    facts = connection_of(call, service, endpoint_id)
    if facts.connection.decision is Decision.REFUSED or facts.endpoint.deleting:
        raise errors.EndpointConnectionOperationDenied(
            endpoint_id=endpoint_id, status=status_of(facts), why="there is nothing left to refuse."
        )
    refused = msgspec.structs.replace(facts.connection, decision=Decision.REFUSED)
    return _put(call, facts, refused)


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def update_vpc_endpoint_connection_attribute(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    endpoint_id: str,
    bandwidth: int | None = None,
    traffic_control_mode: TrafficControl | None = None,
) -> Answer:
    """Change how much a connection may carry. It is Connecting until its nodes obey."""
    service = ours.service(call, service_id)
    facts = connection_of(call, service, endpoint_id)
    if not is_accepted(facts):
        raise errors.EndpointConnectionOperationDenied(
            endpoint_id=endpoint_id,
            status=status_of(facts),
            why="only a Connected one can be changed.",
        )
    changed = _with(service, facts.connection, bandwidth, traffic_control_mode)
    if bandwidths.limit(changed) != bandwidths.limit(facts.connection):
        endpoints.touch_open(call.tx, (each.zone for each in facts.zones))
    return _put(call, facts, changed)


@action(PRIVATELINK, resource="vpcendpointservice/{service_id}")
def list_vpc_endpoint_connections(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str | None = None,
    endpoint_id: str | None = None,
    endpoint_owner_id: OwnerId | None = None,
    connection_status: ConnectionStatus | None = None,
    resource_id: str | None = None,
    replaced_resource_id: str | None = None,
    eni_id: str | None = None,
    resource_group_id: str | None = None,
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> ConnectionsAnswer:
    """List the connections to one of your services, or to all of them."""
    tx = call.tx
    if service_id is not None:
        service_ids = [ours.service(call, service_id).id]
    else:
        service_ids = services.ids_of_account(tx, call.account_id)
    groups = grouping.shown(call, service_ids)
    lists = [
        listing.wanted(
            call,
            {
                "service_id": each,
                "id": endpoint_id,
                "account_id": None if endpoint_owner_id is None else str(endpoint_owner_id),
                "leads_to": resource_id,
                "led_to": replaced_resource_id,
                "has_eni": eni_id,
                **lifecycle.implied(None, connection_status),
            },
        )
        for each in service_ids
        if resource_group_id in (None, groups[each])
    ]
    fetch = listing.merged(partial(endpoints.page, tx, each) for each in lists)

    def total() -> int:
        return sum(endpoints.count(tx, each) for each in lists)

    def keep(facts: Facts) -> bool:
        return status_of(facts) == connection_status

    if connection_status is None:
        listed = listing.page(fetch, total, max_results, next_token)
    else:
        listed = listing.page_of_kept(tx, fetch, keep, max_results, next_token)
    return ConnectionsAnswer(
        connections=[
            _connection_answer(call, facts, groups[facts.endpoint.service_id])
            for facts in endpoints.facts(tx, listed.page)
        ],
        total_count=str(listed.total),
        max_results=max_results,
        next_token=listed.following,
    )


def connection_of(call: Call, service: EndpointService, endpoint_id: str) -> Facts:
    """What is known of the connection between a service and an endpoint."""
    endpoint = endpoints.get(call.tx, endpoint_id)
    if endpoint is None or endpoint.service_id != service.id:
        raise errors.EndpointConnectionNotFound(endpoint_id=endpoint_id, service_id=service.id)
    return endpoints.facts(call.tx, [endpoint])[0]


def is_accepted(facts: Facts) -> bool:
    """Whether a connection is Connected, or was and waits for its nodes to follow a change.

    One node that does not answer must not keep a provider from what lies on the others.
    """
    return status_of(facts) in (ConnectionStatus.CONNECTED, ConnectionStatus.CONNECTING)


def _with(
    service: EndpointService,
    connection: Connection,
    given: int | None,
    mode: TrafficControl | None,
) -> Connection:
    if service.resource_type is ResourceType.VPCNAT and (given is not None or mode is not None):
        name, value = ("Bandwidth", given) if given is not None else ("TrafficControlMode", mode)
        raise errors.VpcNatNotSupportBandwidth(parameter=name, given=value, service_id=service.id)
    if given is not None:
        bandwidths.check(given, service.resource_type)
    if mode is not None:
        bandwidths.check_mode(mode, service.resource_type)
    return msgspec.structs.replace(
        connection,
        bandwidth=connection.bandwidth if given is None else given,
        traffic_control=mode or connection.traffic_control,
    )


def _put(call: Call, facts: Facts, connection: Connection) -> Answer:
    endpoints.change_connection(call.tx, msgspec.structs.replace(connection, modified_at=call.now))
    settle(call, facts.endpoint)
    return Answer()


def _connection_answer(call: Call, facts: Facts, group_id: str) -> ConnectionAnswer:
    endpoint, config = facts.endpoint, call.config
    return ConnectionAnswer(
        endpoint_id=endpoint.id,
        endpoint_owner_id=int(endpoint.account_id),
        endpoint_vpc_id=endpoint.vpc_id,
        endpoint_region_id=config.region,
        service_id=endpoint.service_id,
        service_region_id=config.region,
        connection_status=status_of(facts),
        bandwidth=facts.connection.bandwidth,
        traffic_control_mode=facts.connection.traffic_control,
        resource_group_id=group_id,
        modified_time=facts.connection.modified_at,
        resource_owner=endpoint.account_id == call.account_id,
        zones=[
            ConnectionZone(
                zone_id=each.zone.zone_id,
                zone_status=lifecycle.provider_zone_status(each, facts.connection.decision),
                zone_domain=zone_domain(call, endpoint, each.zone.zone_id),
                eni_id=each.zone.eni_id,
                vswitch_id=each.zone.vswitch_id,
                resource_id=each.zone.resource_id or msgspec.UNSET,
                replaced_resource_id=each.zone.replaced_resource_id or msgspec.UNSET,
                # The address stays, so both ways begin at the same interface.
                replaced_eni_id=each.zone.eni_id
                if each.zone.replaced_resource_id
                else msgspec.UNSET,
            )
            for each in facts.zones
        ],
    )


ACTIONS = (
    enable_vpc_endpoint_connection,
    disable_vpc_endpoint_connection,
    update_vpc_endpoint_connection_attribute,
    list_vpc_endpoint_connections,
)
