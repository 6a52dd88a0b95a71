"""Gateway endpoints: what a VPC has to reach a gateway service by routes, without an address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from privlink import errors
from privlink.api import grouping, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.paging import NextToken, UnknownToken, by_token
from privlink.api.products.vpc import labels
from privlink.api.products.vpc.labels import GATEWAY_ENDPOINT, LABELS
from privlink.api.tagging import TagAnswer, Tags
from privlink.api.wire import Answer
from privlink.kinds import gateway as kind
from privlink.model.gateway import GatewayEndpoint, GatewayService
from privlink.model.ids import EndpointId, new_id
from privlink.rules import gateway as rules
from privlink.store import gateways, networks, rows

_PAGE, _MOST = 20, 100
T = TypeVar("T")
# Its bounds are checked by hand: a breach has a code of its own.
PageSize = Annotated[int, msgspec.Meta(description=f"a page has 1 to {_MOST} items.")]


class CreateGatewayEndpointAnswer(Answer):
    endpoint_id: str
    endpoint_name: str
    service_name: str
    creation_time: str
    resource_group_id: str


class GatewayEndpointAnswer(Answer):
    endpoint_id: str
    endpoint_name: str
    endpoint_description: str
    endpoint_status: str
    vpc_id: str
    service_name: str
    policy_document: str
    resource_group_id: str
    creation_time: str
    tags: list[TagAnswer]


class OneGatewayEndpoint(GatewayEndpointAnswer):
    route_tables: list[str]


class ListedGatewayEndpoint(GatewayEndpointAnswer):
    associated_route_tables: list[str]


class GatewayEndpointsAnswer(Answer):
    endpoints: list[ListedGatewayEndpoint]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(VPC, writes=True, resource=("gatewayendpoint/*", "vpc/{vpc_id}"))
def create_vpc_gateway_endpoint(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    service_name: str,
    endpoint_name: str = "",
    endpoint_description: str = "",
    policy_document: str = "",
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateGatewayEndpointAnswer:
    """Create a gateway endpoint in a VPC: one for each service, and for nobody till it is routed.

    A policy is kept and shown; nothing that passes is held against it, as privlink sees addresses
    and ports and not what is asked of the service.
    """
    kind.check_name(endpoint_name)
    kind.check_description(endpoint_description)
    vpc = ours.vpc(call, vpc_id, errors.GatewayVpcNotFound)
    service = gateways.service_named(call.tx, service_name)
    if service is None:
        raise errors.GatewayServiceNameNotFound(name=service_name)
    policy = kind.endpoint_document(service, policy_document)
    kind.check_families(service, gateways.blocks(call.tx, [service])[service.id], vpc)
    for each in gateways.in_vpc(call.tx, vpc.id):
        if each.service_id == service.id:
            raise errors.GatewayEndpointExists(
                vpc_id=vpc.id, service=service.name, endpoint_id=each.id
            )
    words = (endpoint_name, endpoint_description, policy)
    endpoint = _made(call, vpc.id, service, *words)
    grouping.put(call, endpoint.id, resource_group_id or None)
    LABELS.attach(call, GATEWAY_ENDPOINT, endpoint.id, tag)
    return CreateGatewayEndpointAnswer(
        endpoint_id=endpoint.id,
        endpoint_name=endpoint.name,
        service_name=service.name,
        creation_time=endpoint.created_at,
        resource_group_id=grouping.shown(call, [endpoint.id])[endpoint.id],
    )


@action(VPC, writes=True, resource="gatewayendpoint/{endpoint_id}")
def update_vpc_gateway_endpoint_attribute(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str,
    endpoint_name: str | None = None,
    endpoint_description: str | None = None,
    policy_document: str | None = None,
) -> Answer:
    """Change a gateway endpoint's name, description or policy, all of which hold at once.

    An empty name or description takes it away, as Terraform has it.
    """
    endpoint = steady(call, endpoint_id)
    service = gateways.services_by_ids(call.tx, [endpoint.service_id])[endpoint.service_id]
    if endpoint_name is not None:
        kind.check_name(endpoint_name)
        endpoint = msgspec.structs.replace(endpoint, name=endpoint_name)
    if endpoint_description is not None:
        kind.check_description(endpoint_description)
        endpoint = msgspec.structs.replace(endpoint, description=endpoint_description)
    if policy_document is not None:
        policy = kind.endpoint_document(service, policy_document)
        endpoint = msgspec.structs.replace(endpoint, policy=policy)
    gateways.change(call.tx, endpoint)
    return Answer()


@action(VPC, writes=True, resource="gatewayendpoint/{endpoint_id}")
def delete_vpc_gateway_endpoint(call: Call, *, region_id: RegionId, endpoint_id: str) -> Answer:
    """Delete a gateway endpoint, with the routes to it in the tables it is associated with.

    The cloud refuses that while a table is associated. Terraform's provider associates what its
    `route_tables` names and never dissociates it before it deletes, nor tries a refusal again: its
    `destroy` would fail. The routes are the endpoint's own, so they go with it.
    """
    gateways.begin_deleting(call.tx, steady(call, endpoint_id))
    return Answer()


@action(VPC, resource="gatewayendpoint/{endpoint_id}")
def get_vpc_gateway_endpoint_attribute(
    call: Call, *, region_id: RegionId, endpoint_id: str
) -> OneGatewayEndpoint:
    """Show a gateway endpoint and the route tables it is associated with.

    `EndpointStatus` is Associating or Dissociating until the nodes hold the tables as they are; a
    table that was dissociated is listed till then.
    """
    endpoint = ours.gateway_endpoint(call, endpoint_id)
    ((facts, said),) = _said(call, [endpoint])
    return OneGatewayEndpoint(route_tables=[*facts.tables], **said)


@action(VPC, resource="gatewayendpoint/*")
def list_vpc_gateway_endpoints(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str | None = None,
    endpoint_name: str | None = None,
    service_name: str | None = None,
    vpc_id: str | None = None,
    resource_group_id: str | None = None,
    tags: Tags = (),
    max_results: PageSize = _PAGE,
    next_token: NextToken = "",
) -> GatewayEndpointsAnswer:
    """List gateway endpoints, the oldest first. What is not yours matches nothing."""
    tagged = LABELS.matching(call, GATEWAY_ENDPOINT, tags)
    wanted = None if service_name is None else gateways.service_named(call.tx, service_name)
    found = [
        each
        for each in gateways.of_account(call.tx, call.account_id)
        if endpoint_id in (None, each.id)
        and endpoint_name in (None, each.name)
        and vpc_id in (None, each.vpc_id)
        and (service_name is None or (wanted is not None and each.service_id == wanted.id))
        and (tagged is None or each.id in tagged)
    ]
    if resource_group_id:
        chosen = grouping.chosen(call, [each.id for each in found], resource_group_id)
        found = [each for each in found if each.id in chosen]
    page, following = page_of(found, lambda each: each.id, max_results, next_token)
    return GatewayEndpointsAnswer(
        endpoints=[
            ListedGatewayEndpoint(associated_route_tables=[*facts.tables], **said)
            for facts, said in _said(call, page)
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


def steady(call: Call, endpoint_id: str) -> GatewayEndpoint:
    """One of the caller's gateway endpoints that is not being deleted.

    Raises GatewayEndpointNotFound, GatewayEndpointDeleting.
    """
    endpoint = ours.gateway_endpoint(call, endpoint_id)
    if endpoint.deleting:
        raise errors.GatewayEndpointDeleting(endpoint_id=endpoint.id)
    return endpoint


def page_of(
    found: Sequence[T], key: Callable[[T], str], size: int, token: str
) -> tuple[Sequence[T], str | msgspec.UnsetType]:
    """A page of a list, with the codes that lists about gateway endpoints refuse with.

    Raises IllegalGatewayMaxResults, IllegalGatewayNextToken.
    """
    if not 1 <= size <= _MOST:
        raise errors.IllegalGatewayMaxResults(given=size, most=_MOST)
    try:
        return by_token(found, key, size, token)
    except UnknownToken as unknown:
        raise errors.IllegalGatewayNextToken(why=unknown) from None


def _made(
    call: Call, vpc_id: Any, service: GatewayService, name: str, description: str, policy: str
) -> GatewayEndpoint:
    source = networks.find_source(call.tx, service.vpc_id)
    assert source is not None, "four million source addresses are in use"
    endpoint = GatewayEndpoint(
        id=EndpointId(new_id("vpce")),
        account_id=call.account_id,
        vpc_id=vpc_id,
        service_id=service.id,
        name=name,
        description=description,
        policy=policy,
        created_at=call.now,
        number=rows.next_number(call.tx, "place"),
        opening=rows.next_number(call.tx, "opening"),
        provider_vpc_id=service.vpc_id,
        source=source,
    )
    provider = networks.vpc_by_id(call.tx, service.vpc_id).account_id
    gateways.add(call.tx, endpoint, provider)
    return endpoint


def _said(
    call: Call, page: Sequence[GatewayEndpoint]
) -> list[tuple[rules.GatewayFacts, dict[str, Any]]]:
    """The facts of endpoints, and what every answer says of them, in their order."""
    ids = [each.id for each in page]
    services = gateways.services_by_ids(call.tx, {each.service_id for each in page})
    groups, tags = grouping.shown(call, ids), labels.shown(call, ids)
    return [
        (
            facts,
            {
                "endpoint_id": each.id,
                "endpoint_name": each.name,
                "endpoint_description": each.description,
                "endpoint_status": rules.status(facts).value,
                "vpc_id": each.vpc_id,
                "service_name": services[each.service_id].name,
                "policy_document": each.policy,
                "resource_group_id": groups[each.id],
                "creation_time": each.created_at,
                "tags": tags[each.id].tag,
            },
        )
        for each, facts in zip(page, gateways.facts(call.tx, page), strict=True)
    ]


ACTIONS = (
    create_vpc_gateway_endpoint,
    update_vpc_gateway_endpoint_attribute,
    delete_vpc_gateway_endpoint,
    get_vpc_gateway_endpoint_attribute,
    list_vpc_gateway_endpoints,
)
