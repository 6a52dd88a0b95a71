"""What is in route tables, as two actions show it: the VPC's vSwitches, and routes written there.

A route is Available once the nodes hold its table as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.paging import NextToken, PageNumber, PageSize, by_number, by_token
from privlink.api.products.vpc.vpcs import VSwitchIds
from privlink.api.wire import Answer
from privlink.model.network import RouteEntry, RouteTable, VSwitch
from privlink.rules import filters, names, routing
from privlink.store import changes, networks, nodes, prefix_lists, route_tables, routes

_LOCAL = "local"
MaxResult = Annotated[int, msgspec.Meta(ge=1, le=500, description="a page has 1 to 500 items.")]
Blocks = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100 blocks.")]
IpVersion = Annotated[
    Literal["ipv4", "ipv6", "IPv4", "IPv6"], msgspec.Meta(description="it is ipv4 or ipv6.")
]


class NextHop(Answer):
    next_hop_type: str
    next_hop_id: str
    enabled: int = 1
    weight: int = 0


class NextHops(Answer):
    next_hop: list[NextHop]


class Entry(Answer):
    route_entry_id: str
    route_entry_name: str
    route_table_id: str
    destination_cidr_block: str
    description: str
    type: str
    status: str
    ip_version: str
    next_hops: NextHops


class EntryList(Answer):
    route_entry: list[Entry]


class EntriesAnswer(Answer):
    route_entrys: EntryList
    next_token: str | msgspec.UnsetType


class EntryOfTable(Answer):
    route_entry_id: str
    route_entry_name: str
    route_table_id: str
    destination_cidr_block: str
    description: str
    type: str
    status: str
    next_hop_type: str
    instance_id: str
    next_hops: NextHops


class EntriesOfTable(Answer):
    route_entry: list[EntryOfTable]


class TableWithEntries(Answer):
    route_table_id: str
    route_table_type: str
    vrouter_id: str
    creation_time: str
    resource_group_id: str
    vswitch_ids: VSwitchIds
    route_entrys: EntriesOfTable
    status: str = "Available"


class TablesWithEntries(Answer):
    route_table: list[TableWithEntries]


class TablesAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    route_tables: TablesWithEntries


@action(VPC, resource="routetable/{route_table_id}")
def describe_route_entry_list(
    call: Call,
    *,
    region_id: RegionId,
    route_table_id: str,
    route_entry_id: str | None = None,
    route_entry_name: str | None = None,
    route_entry_type: str | None = None,
    destination_cidr_block: str | None = None,
    dest_cidr_block_list: Blocks = (),
    ip_version: IpVersion | None = None,
    next_hop_type: str | None = None,
    next_hop_id: str | None = None,
    max_result: MaxResult = 50,
    next_token: NextToken = "",
) -> EntriesAnswer:
    """List the entries of a route table: those of its vSwitches, and the routes written in it."""
    table = ours.route_table(call, route_table_id)
    found = [
        entry
        for entry in _entries(call, [table])[table.id]
        if route_entry_id in (None, entry.route_entry_id)
        and route_entry_name in (None, entry.route_entry_name)
        and route_entry_type in (None, entry.type)
        and destination_cidr_block in (None, entry.destination_cidr_block)
        and (not dest_cidr_block_list or entry.destination_cidr_block in dest_cidr_block_list)
        and (ip_version or entry.ip_version).lower() == entry.ip_version
        and next_hop_type in (None, entry.next_hops.next_hop[0].next_hop_type)
        and next_hop_id in (None, entry.next_hops.next_hop[0].next_hop_id)
    ]
    found.sort(key=lambda entry: entry.route_entry_id)
    page, following = by_token(found, lambda each: each.route_entry_id, max_result, next_token)
    return EntriesAnswer(route_entrys=EntryList(route_entry=list(page)), next_token=following)


@action(VPC, resource="routetable/{route_table_id}")
def describe_route_tables(
    call: Call,
    *,
    region_id: RegionId | None = None,
    route_table_id: str | None = None,
    route_table_name: str | None = None,
    vrouter_id: str | None = None,
    router_id: str | None = None,
    router_type: str | None = None,
    type: str | None = None,
    resource_group_id: str | None = None,
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> TablesAnswer:
    """List route tables with what is in them. `Type` chooses among their entries."""
    if not (route_table_id or route_table_name or vrouter_id or router_id):
        why = "or RouteTableName, VRouterId or RouterId."
        raise errors.NeededParameter(parameter="RouteTableId", why=why)
    found = [
        table
        for table in route_tables.of_account(call.tx, call.account_id)
        if route_table_id in (None, table.id)
        and route_table_name in (None, table.name)
        and vrouter_id in (None, names.router_id(table.vpc_id))
        and router_id in (None, names.router_id(table.vpc_id))
        and router_type in (None, "VRouter")
    ]
    if resource_group_id:
        vpcs = grouping.chosen(call, {table.vpc_id for table in found}, resource_group_id)
        found = [table for table in found if table.vpc_id in vpcs]
    page = by_number(found, page_number, page_size)
    return TablesAnswer(
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        route_tables=TablesWithEntries(route_table=_tables(call, page, type)),
    )


def _tables(call: Call, page: Sequence[RouteTable], type: str | None) -> list[TableWithEntries]:
    vpc_ids = {table.vpc_id for table in page}
    bound = route_tables.of_vswitches(call.tx, networks.vswitches_of(call.tx, vpc_ids))
    groups, entries = grouping.shown(call, vpc_ids), _entries(call, page)
    return [
        TableWithEntries(
            route_table_id=table.id,
            route_table_type=table.type.value,
            vrouter_id=names.router_id(table.vpc_id),
            creation_time=table.created_at,
            resource_group_id=groups[table.vpc_id],
            vswitch_ids=VSwitchIds(
                vswitch_id=[each for each, its in bound.items() if its.id == table.id]
            ),
            route_entrys=EntriesOfTable(
                route_entry=[
                    _of_table(each) for each in entries[table.id] if type in (None, each.type)
                ]
            ),
        )
        for table in page
    ]


def _entries(call: Call, tables: Sequence[RouteTable]) -> dict[str, list[Entry]]:
    """All entries of route tables, by table: the vSwitches' first."""
    vswitches = networks.vswitches_of(call.tx, {table.vpc_id for table in tables})
    written = routes.of_tables(call.tx, [table.id for table in tables])
    keys = {table.id: changes.table_key(table.id) for table in tables}
    in_step = nodes.in_step(call.tx, keys.values())
    named = {each.prefix_list_id for some in written.values() for each in some}
    families: dict[str, str] = {
        each.id: each.family for each in prefix_lists.by_ids(call.tx, named)
    }
    return {
        table.id: [
            *_local(table, [each for each in vswitches if each.vpc_id == table.vpc_id]),
            *(
                _written(
                    each,
                    families.get(each.prefix_list_id) or filters.family_of(each.destination),
                    "Available" if in_step.confirms(keys[table.id]) else "Pending",
                )
                for each in written[table.id]
            ),
        ]
        for table in tables
    }


def _local(table: RouteTable, vswitches: Sequence[VSwitch]) -> list[Entry]:
    return [
        Entry(
            route_entry_id=names.local_route_id(table.id, block),
            route_entry_name="",
            route_table_id=table.id,
            destination_cidr_block=block,
            description="",
            type="System",
            status="Available",
            ip_version=filters.family_of(block).lower(),
            next_hops=NextHops(next_hop=[NextHop(next_hop_type=_LOCAL, next_hop_id="")]),
        )
        for block in routing.local_blocks(vswitches)
    ]


def _written(entry: RouteEntry, family: str, status: str) -> Entry:
    hop = NextHop(next_hop_type=entry.hop_kind.value, next_hop_id=entry.hop_id)
    return Entry(
        route_entry_id=entry.id,
        route_entry_name=entry.name,
        route_table_id=entry.table_id,
        destination_cidr_block=entry.destination or entry.prefix_list_id,
        description=entry.description,
        type="System" if entry.system else "Custom",
        status=status,
        ip_version=family.lower(),
        next_hops=NextHops(next_hop=[hop]),
    )


def _of_table(entry: Entry) -> EntryOfTable:
    hop = entry.next_hops.next_hop[0]
    return EntryOfTable(
        route_entry_id=entry.route_entry_id,
        route_entry_name=entry.route_entry_name,
        route_table_id=entry.route_table_id,
        destination_cidr_block=entry.destination_cidr_block,
        description=entry.description,
        type=entry.type,
        status=entry.status,
        next_hop_type=hop.next_hop_type,
        instance_id=hop.next_hop_id,
        next_hops=entry.next_hops,
    )


ACTIONS = (describe_route_entry_list, describe_route_tables)
