"""Which route tables lead to a gateway endpoint, and which services there can be one for."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.paging import NextToken
from privlink.api.products.vpc.gateway_endpoints import PageSize, page_of, steady
from privlink.api.wire import Answer
from privlink.kinds import gateway as kind
from privlink.model.gateway import GatewayEndpoint
from privlink.model.network import RouteTable
from privlink.store import gateways, networks, prefix_lists, route_tables, routes

_PAGE = 20
RouteTableIds = Annotated[
    tuple[str, ...],
    msgspec.Meta(min_length=1, max_length=20, description="1 to 20 route tables."),
]


class GatewayServiceAnswer(Answer):
    service_id: str
    service_name: str
    service_domain: str
    support_policy: bool
    default_policy_document: str


class GatewayServicesAnswer(Answer):
    services: list[GatewayServiceAnswer]
    total_count: str
    max_results: int
    next_token: str | msgspec.UnsetType


@action(
    VPC,
    writes=True,
    resource=("gatewayendpoint/{endpoint_id}", "routetable/{route_table_ids}"),
)
def associate_route_tables_with_vpc_gateway_endpoint(
    call: Call, *, region_id: RegionId, endpoint_id: str, route_table_ids: RouteTableIds
) -> Answer:
    """Write the route from a service's prefix list to the endpoint into route tables of its VPC.

    All of them or none. Calls for one endpoint may run side by side: it is Associating until the
    nodes hold the tables of all of them. Packets keep the address they were sent to, and the
    service sees the endpoint's own source address.
    """
    endpoint = steady(call, endpoint_id)
    service = gateways.services_by_ids(call.tx, [endpoint.service_id])[endpoint.service_id]
    blocks = gateways.blocks(call.tx, [service])[service.id]
    found = gateways.associations(call.tx, [endpoint.id])[endpoint.id]
    present = {each.table_id for each in found if not each.leaving}
    tables = [_table(call, endpoint, each) for each in dict.fromkeys(route_table_ids)]
    vpc = networks.vpc_by_id(call.tx, endpoint.vpc_id)
    kind.check_overlap(blocks, vpc, networks.vswitches_of(call.tx, [vpc.id]))
    written = routes.of_tables(call.tx, [table.id for table in tables])
    named = {entry.prefix_list_id for some in written.values() for entry in some}
    listed = prefix_lists.entries(call.tx, named)
    lists = {name: [entry.cidr for entry in some] for name, some in listed.items()}
    for table in tables:
        if table.id in present:
            raise errors.GatewayAssociationExists(table_id=table.id, endpoint_id=endpoint.id)
        kind.check_conflict(table, blocks, written[table.id], lists)
        gateways.associate(call.tx, endpoint, service, table.id, call.now)
    return Answer()


@action(
    VPC,
    writes=True,
    resource=("gatewayendpoint/{endpoint_id}", "routetable/{route_table_ids}"),
)
def dissociate_route_tables_from_vpc_gateway_endpoint(
    call: Call, *, region_id: RegionId, endpoint_id: str, route_table_ids: RouteTableIds
) -> Answer:
    """Take the route to a gateway endpoint out of route tables: all of them, or none.

    Each is still listed, and the endpoint Dissociating, until the nodes are without its route.
    """
    endpoint = steady(call, endpoint_id)
    found = gateways.associations(call.tx, [endpoint.id])[endpoint.id]
    present = {each.table_id for each in found if not each.leaving}
    tables = [_table(call, endpoint, each) for each in dict.fromkeys(route_table_ids)]
    for table in tables:
        if table.id not in present:
            raise errors.GatewayAssociationNotFound(table_id=table.id, endpoint_id=endpoint.id)
        gateways.dissociate(call.tx, endpoint, table.id)
    return Answer()


@action(VPC, resource="gatewayendpoint/*")
def list_vpc_endpoint_services_by_end_user(
    call: Call,
    *,
    region_id: RegionId,
    service_name: str | None = None,
    max_results: PageSize = _PAGE,
    next_token: NextToken = "",
) -> GatewayServicesAnswer:
    """List the services there can be a gateway endpoint for, which are the same for everyone.

    `ServiceDomain` is empty: the service goes by the names it has already.
    """
    found = [
        each
        for each in gateways.all_services(call.tx)
        if service_name is None or service_name == each.name
    ]
    page, following = page_of(found, lambda each: each.id, max_results, next_token)
    return GatewayServicesAnswer(
        services=[
            GatewayServiceAnswer(
                service_id=each.id,
                service_name=each.name,
                service_domain="",
                support_policy=each.policies,
                default_policy_document=each.default_policy,
            )
            for each in page
        ],
        total_count=str(len(found)),
        max_results=max_results,
        next_token=following,
    )


def _table(call: Call, endpoint: GatewayEndpoint, table_id: str) -> RouteTable:
    """One of the caller's route tables, in the endpoint's VPC."""
    table = route_tables.get(call.tx, call.account_id, table_id)
    if table is None:
        raise errors.GatewayRouteTableNotFound(table_id=table_id)
    if table.vpc_id != endpoint.vpc_id:
        raise errors.GatewayRouteTableElsewhere(
            table_id=table.id, vpc_id=table.vpc_id, endpoint_id=endpoint.id, other=endpoint.vpc_id
        )
    return table


ACTIONS = (
    associate_route_tables_with_vpc_gateway_endpoint,
    dissociate_route_tables_from_vpc_gateway_endpoint,
    list_vpc_endpoint_services_by_end_user,
)
