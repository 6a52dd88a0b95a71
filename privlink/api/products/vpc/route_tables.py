"""Route tables: containers for routes, of which a vSwitch has exactly one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import PageNumber, PageSize, by_number
from privlink.api.products.vpc import labels
from privlink.api.products.vpc.labels import LABELS, TABLE, TagList
from privlink.api.products.vpc.vpcs import VSwitchIds
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.model.ids import RouteTableId, new_id
from privlink.model.network import RouteTable, RouteTableType
from privlink.rules import names, quotas
from privlink.store import networks, route_tables, routes, rows

AssociateType = Annotated[
    Literal["VSwitch"], msgspec.Meta(description="it is VSwitch, the only one here.")
]


class CreateRouteTableAnswer(Answer):
    route_table_id: str


class GatewayIds(Answer):
    gateway_ids: list[str]


class RouteTableAnswer(Answer):
    route_table_id: str
    route_table_name: str
    route_table_type: str
    description: str
    vpc_id: str
    router_id: str
    owner_id: int
    resource_group_id: str
    creation_time: str
    vswitch_ids: VSwitchIds
    gateway_ids: GatewayIds
    tags: TagList
    router_type: str = "VRouter"
    route_propagation_enable: bool = False
    associate_type: str = "VSwitch"
    status: str = "Available"


class RouteTableList(Answer):
    router_table_list_type: list[RouteTableAnswer]


class RouteTablesAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    router_table_list: RouteTableList


@action(VPC, writes=True, resource="vpc/{vpc_id}")
def create_route_table(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    route_table_name: Name = "",
    description: Description = "",
    associate_type: AssociateType = "VSwitch",
    tag: Tags = (),
) -> CreateRouteTableAnswer:
    """Create a custom route table in a VPC."""
    vpc = ours.vpc(call, vpc_id)
    tables = route_tables.of_vpcs(call.tx, [vpc.id])
    custom = [table for table in tables if table.type is RouteTableType.CUSTOM]
    limits.check(call, quotas.ROUTE_TABLES_PER_VPC, len(custom), vpc.id)
    table = RouteTable(
        id=RouteTableId(new_id("vtb")),
        number=rows.next_number(call.tx, "route table"),
        vpc_id=vpc.id,
        account_id=call.account_id,
        type=RouteTableType.CUSTOM,
        name=route_table_name,
        description=description,
        created_at=call.now,
    )
    route_tables.add(call.tx, table)
    LABELS.attach(call, TABLE, table.id, tag)
    return CreateRouteTableAnswer(route_table_id=table.id)


@action(VPC, resource="routetable/*")
def describe_route_table_list(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str | None = None,
    route_table_id: str | None = None,
    route_table_name: str | None = None,
    route_table_type: str | None = None,
    router_id: str | None = None,
    router_type: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> RouteTablesAnswer:
    """List route tables, those that came with their VPCs among them."""
    found = [
        table
        for table in route_tables.of_account(call.tx, call.account_id)
        if vpc_id in (None, table.vpc_id)
        and route_table_id in (None, table.id)
        and route_table_name in (None, table.name)
        and route_table_type in (None, table.type.value)
        and router_id in (None, names.router_id(table.vpc_id))
        and router_type in (None, "VRouter")
    ]
    vpc_of: dict[str, str] = {table.id: table.vpc_id for table in found}
    chosen = labels.chosen(call, TABLE, vpc_of, tag, resource_group_id)
    found = [table for table in found if table.id in chosen]
    page = by_number(found, page_number, page_size)
    return RouteTablesAnswer(
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        router_table_list=RouteTableList(router_table_list_type=_table_answers(call, page)),
    )


@action(VPC, writes=True, resource="routetable/{route_table_id}")
def modify_route_table_attributes(
    call: Call,
    *,
    region_id: RegionId,
    route_table_id: str,
    route_table_name: Name | None = None,
    description: Description | None = None,
    route_propagation_enable: bool = False,
) -> Answer:
    """Change a route table's name and description. Nothing propagates routes to it."""
    if route_propagation_enable:
        raise errors.UnsupportedParameter(
            parameter="RoutePropagationEnable", action="ModifyRouteTableAttributes"
        )
    table = ours.route_table(call, route_table_id)
    changed = msgspec.structs.replace(
        table,
        name=table.name if route_table_name is None else route_table_name,
        description=table.description if description is None else description,
    )
    route_tables.change(call.tx, changed)
    return Answer()


@action(VPC, writes=True, resource="routetable/{route_table_id}")
def delete_route_table(call: Call, *, region_id: RegionId, route_table_id: str) -> Answer:
    """Delete a custom route table that no vSwitch has, with the routes in it."""
    table = ours.route_table(call, route_table_id)
    if table.type is RouteTableType.SYSTEM:
        why = "it goes with its VPC."
        raise errors.SystemRouteTable(table_id=table.id, vpc_id=table.vpc_id, why=why)
    if bound := route_tables.bound_to(call.tx, table.id):
        raise errors.RouteTableInUse(resource=table.id, dependants=", ".join(bound))
    if system := [each for each in routes.of_tables(call.tx, [table.id])[table.id] if each.system]:
        endpoints = ", ".join(each.hop_id for each in system)
        raise errors.RouteTableHasEndpoints(resource=table.id, dependants=endpoints)
    route_tables.delete_table(call.tx, table.id)
    return Answer()


@action(VPC, writes=True, resource=("routetable/{route_table_id}", "vswitch/{vswitch_id}"))
def associate_route_table(
    call: Call, *, region_id: RegionId, route_table_id: str, vswitch_id: str
) -> Answer:
    """Give a vSwitch a custom route table of its VPC, in the place of the one it has."""
    table, vswitch = ours.route_table(call, route_table_id), ours.vswitch(call, vswitch_id)
    if table.type is RouteTableType.SYSTEM:
        why = "vSwitches without another one have it. UnassociateRouteTable gives it back."
        raise errors.SystemRouteTable(table_id=table.id, vpc_id=table.vpc_id, why=why)
    if table.vpc_id != vswitch.vpc_id:
        raise errors.RouteTableElsewhere(
            table_id=table.id, vpc_id=table.vpc_id, vswitch_id=vswitch.id, other=vswitch.vpc_id
        )
    route_tables.bind(call.tx, vswitch.id, table.id)
    return Answer()


@action(VPC, writes=True, resource=("routetable/{route_table_id}", "vswitch/{vswitch_id}"))
def unassociate_route_table(
    call: Call, *, region_id: RegionId, route_table_id: str, vswitch_id: str
) -> Answer:
    """Take a custom route table off a vSwitch, which then has its VPC's system table again."""
    table, vswitch = ours.route_table(call, route_table_id), ours.vswitch(call, vswitch_id)
    system = route_tables.systems(call.tx, [vswitch.vpc_id])[vswitch.vpc_id]
    bound = route_tables.custom_of(call.tx, [vswitch.id]).get(vswitch.id, system)
    if bound != table.id:
        raise errors.RouteTableNotBound(vswitch_id=vswitch.id, bound=bound, table_id=table.id)
    if table.type is RouteTableType.SYSTEM:
        why = "a vSwitch has it while it has no other. AssociateRouteTable gives it another one."
        raise errors.SystemRouteTable(table_id=table.id, vpc_id=table.vpc_id, why=why)
    route_tables.bind(call.tx, vswitch.id, None)
    return Answer()


def _table_answers(call: Call, page: Sequence[RouteTable]) -> list[RouteTableAnswer]:
    vpc_ids = {table.vpc_id for table in page}
    vswitches = networks.vswitches_of(call.tx, vpc_ids)
    custom = route_tables.custom_of(call.tx, [vswitch.id for vswitch in vswitches])
    systems = route_tables.systems(call.tx, vpc_ids)
    bound: dict[str, list[str]] = defaultdict(list)
    for vswitch in vswitches:
        bound[custom.get(vswitch.id, systems[vswitch.vpc_id])].append(vswitch.id)
    groups = grouping.shown(call, vpc_ids)
    tags = labels.shown(call, [table.id for table in page])
    return [
        RouteTableAnswer(
            route_table_id=table.id,
            route_table_name=table.name,
            route_table_type=table.type.value,
            description=table.description,
            vpc_id=table.vpc_id,
            router_id=names.router_id(table.vpc_id),
            owner_id=int(table.account_id),
            resource_group_id=groups[table.vpc_id],
            creation_time=table.created_at,
            vswitch_ids=VSwitchIds(vswitch_id=bound[table.id]),
            gateway_ids=GatewayIds(gateway_ids=[]),
            tags=tags[table.id],
        )
        for table in page
    ]


ACTIONS = (
    create_route_table,
    describe_route_table_list,
    modify_route_table_attributes,
    delete_route_table,
    associate_route_table,
    unassociate_route_table,
)
