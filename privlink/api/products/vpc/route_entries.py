"""What is in route tables: one entry for the block of each vSwitch of the VPC, which is local.

These say what holds by itself. Entries of one's own are not served.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec

from privlink.api import ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.paging import NextToken, by_token
from privlink.api.wire import Answer
from privlink.model.network import RouteTable, VSwitch
from privlink.store import networks

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


class RouteEntry(Answer):
    route_entry_id: str
    route_entry_name: str
    route_table_id: str
    destination_cidr_block: str
    description: str
    type: str
    status: str
    ip_version: str
    next_hops: NextHops


class RouteEntryList(Answer):
    route_entry: list[RouteEntry]


class RouteEntriesAnswer(Answer):
    route_entrys: RouteEntryList
    next_token: str | msgspec.UnsetType


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
) -> RouteEntriesAnswer:
    """List the entries of a route table."""
    table = ours.route_table(call, route_table_id)
    found = [
        entry
        for entry in (
            _entry(table, vswitch) for vswitch in networks.vswitches_of(call.tx, [table.vpc_id])
        )
        if route_entry_id in (None, entry.route_entry_id)
        and route_entry_name in (None, entry.route_entry_name)
        and route_entry_type in (None, entry.type)
        and destination_cidr_block in (None, entry.destination_cidr_block)
        and (not dest_cidr_block_list or entry.destination_cidr_block in dest_cidr_block_list)
        and (ip_version or entry.ip_version).lower() == entry.ip_version
        and next_hop_type in (None, _LOCAL)
        and next_hop_id in (None, "")
    ]
    found.sort(key=lambda entry: entry.route_entry_id)
    page, following = by_token(found, lambda each: each.route_entry_id, max_result, next_token)
    return RouteEntriesAnswer(
        route_entrys=RouteEntryList(route_entry=list(page)), next_token=following
    )


def _entry(table: RouteTable, vswitch: VSwitch) -> RouteEntry:
    digest = hashlib.sha256(f"{table.id} {vswitch.id}".encode()).hexdigest()
    return RouteEntry(
        route_entry_id=f"rte-{digest[:20]}",
        route_entry_name="",
        route_table_id=table.id,
        destination_cidr_block=vswitch.cidr,
        description="",
        type="System",
        status="Available",
        ip_version="ipv4",
        next_hops=NextHops(next_hop=[NextHop(next_hop_type=_LOCAL, next_hop_id="")]),
    )


ACTIONS = (describe_route_entry_list,)
