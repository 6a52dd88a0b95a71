"""Routes of one's own: from the vSwitches of a table to a block or what is on a prefix list."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.products.vpc import hops
from privlink.api.wire import Answer, Fields
from privlink.model.ids import RouteEntryId, new_id
from privlink.model.network import HopKind, RouteEntry, RouteTable
from privlink.model.security import AddressFamily, PrefixList
from privlink.rules import filters, names, quotas, routing
from privlink.store import networks, prefix_lists, route_tables, routes

_FAMILIES = {4: AddressFamily.IPV4, 6: AddressFamily.IPV6}


class NewRoute(Fields, frozen=True):
    """One of several routes to create."""

    route_table_id: str
    dst_cidr_block: str
    next_hop: str
    next_hop_type: hops.Kind = "Instance"
    name: Name = ""
    description: Description = ""
    ip_version: Annotated[int, msgspec.Meta(description="it is 4 or 6.")] | None = None


NewRoutes = Annotated[
    tuple[NewRoute, ...],
    msgspec.Meta(min_length=1, max_length=50, description="1 to 50 routes."),
]


class CreateRouteEntryAnswer(Answer):
    route_entry_id: str


class FailedRoute(Answer):
    dst_cidr_block: str
    next_hop: str
    failed_code: str
    failed_message: str


class CreateRouteEntriesAnswer(Answer):
    route_entry_ids: list[str]
    success_count: int
    failed_count: int
    failed_route_entries: list[FailedRoute]


@action(VPC, writes=True, resource="routetable/{route_table_id}")
def create_route_entry(
    call: Call,
    *,
    region_id: RegionId | None = None,
    route_table_id: str,
    destination_cidr_block: str,
    next_hop_type: hops.Kind = "Instance",
    next_hop_id: str,
    route_entry_name: Name = "",
    description: Description = "",
) -> CreateRouteEntryAnswer:
    """Create a route to a block or to a prefix list, by a workload or a NAT gateway of the VPC.

    A NAT gateway as next hop is kept and shown, and passes nothing on.
    """
    table = ours.route_table(call, route_table_id)
    made = _create(
        call,
        table,
        destination_cidr_block,
        (next_hop_type, next_hop_id, "NextHopId"),
        (route_entry_name, description),
    )
    return CreateRouteEntryAnswer(route_entry_id=made.id)


@action(VPC, writes=True, resource="routetable/{route_entries.route_table_id}")
def create_route_entries(
    call: Call, *, region_id: RegionId, route_entries: NewRoutes
) -> CreateRouteEntriesAnswer:
    """Create several routes. Those that cannot be are told of, and hinder none of the others."""
    made, failed = [], []
    for number, wanted in enumerate(route_entries, start=1):
        name = f"RouteEntries.{number}"
        try:
            table = ours.route_table(call, wanted.route_table_id)
            _check_family(wanted, f"{name}.IpVersion")
            hop = (wanted.next_hop_type, wanted.next_hop, f"{name}.NextHop")
            words = (wanted.name, wanted.description)
            made.append(_create(call, table, wanted.dst_cidr_block, hop, words).id)
        except errors.ApiError as refusal:
            failed.append(
                FailedRoute(
                    dst_cidr_block=wanted.dst_cidr_block,
                    next_hop=wanted.next_hop,
                    failed_code=refusal.answered_code,
                    failed_message=refusal.message,
                )
            )
    return CreateRouteEntriesAnswer(
        route_entry_ids=list(made),
        success_count=len(made),
        failed_count=len(failed),
        failed_route_entries=failed,
    )


@action(VPC, writes=True, resource="routetable/{route_table_id}")
def delete_route_entry(
    call: Call,
    *,
    region_id: RegionId | None = None,
    route_entry_id: str | None = None,
    route_table_id: str | None = None,
    destination_cidr_block: str | None = None,
    next_hop_id: str | None = None,
) -> Answer:
    """Delete a route of one's own, named by its id or by its table, destination and next hop."""
    found = _named(call, route_entry_id, route_table_id, destination_cidr_block)
    if next_hop_id not in (None, "", found.hop_id):
        wanted = f"A route to {_destination(found)} by {next_hop_id!r} in {found.table_id}"
        raise errors.RouteEntryNotFound(wanted=wanted)
    _refuse_system(found)
    routes.delete_entry(call.tx, found)
    return Answer()


@action(VPC, writes=True, resource="routetable/{route_table_id}")
def modify_route_entry(
    call: Call,
    *,
    region_id: RegionId,
    route_entry_id: str | None = None,
    route_table_id: str | None = None,
    destination_cidr_block: str | None = None,
    new_next_hop_type: hops.Kind | None = None,
    new_next_hop_id: str | None = None,
    route_entry_name: Name | None = None,
    description: Description | None = None,
) -> Answer:
    """Change a route's name, description or next hop. Packets take the new hop at once."""
    found = _named(call, route_entry_id, route_table_id, destination_cidr_block)
    _refuse_system(found)
    kind, hop_id = found.hop_kind, found.hop_id
    if new_next_hop_type is not None and new_next_hop_id is None:
        why = "NewNextHopType says what it is the id of."
        raise errors.NeededParameter(parameter="NewNextHopId", why=why)
    if new_next_hop_id is not None:
        table = ours.route_table(call, found.table_id)
        hop = hops.find(
            call,
            new_next_hop_type or found.hop_kind,
            new_next_hop_id,
            table,
            _family(call, found),
            destination=_destination(found),
            parameter="NewNextHopId",
        )
        kind, hop_id = hop.kind, hop.id
    changed = msgspec.structs.replace(
        found,
        hop_kind=kind,
        hop_id=hop_id,
        name=found.name if route_entry_name is None else route_entry_name,
        description=found.description if description is None else description,
    )
    routes.change(call.tx, changed)
    return Answer()


def check_block(call: Call, vpc_id: str, block: str) -> None:
    """Refuse a vSwitch's block that holds the destination of a route. Raises RouteInVSwitch.

    The route would lead nowhere from then on, as a VPC's own vSwitches go first. What prefix lists
    have on them is out of effect there, and said so.
    """
    tables = [each.id for each in route_tables.of_vpcs(call.tx, [vpc_id])]
    for some in routes.of_tables(call.tx, tables).values():
        for each in some:
            if each.destination and routing.is_within(each.destination, block):
                raise errors.RouteInVSwitch(
                    block=block,
                    destination=each.destination,
                    entry_id=each.id,
                    table_id=each.table_id,
                )


def _create(
    call: Call,
    table: RouteTable,
    destination: str,
    wanted: tuple[str, str, str],
    words: tuple[str, str],
) -> RouteEntry:
    """Create a route. `wanted`: what its hop is, that one's id, and the parameter with the id."""
    block, prefix_list = _parse(call, destination)
    family = prefix_list.family if prefix_list else filters.family_of(block)
    vpc = networks.vpc_by_id(call.tx, table.vpc_id)
    if family is AddressFamily.IPV6 and not vpc.cidr6:
        raise errors.VpcIpv6NotEnabled(destination=destination, vpc_id=vpc.id)
    present = routes.of_tables(call.tx, [table.id])[table.id]
    if prefix_list is None:
        _check_block(call, table, block, present)
    else:
        _check_list(table, prefix_list, present)
    kind, hop_id, parameter = wanted
    hop = hops.find(call, kind, hop_id, table, family, destination=destination, parameter=parameter)
    check_room(call, table, prefix_list.max_entries if prefix_list else 1)
    made = RouteEntry(
        id=RouteEntryId(new_id("rte")),
        table_id=table.id,
        destination=block,
        prefix_list_id=prefix_list.id if prefix_list else "",
        hop_kind=hop.kind,
        hop_id=hop.id,
        name=words[0],
        description=words[1],
        system=False,
        created_at=call.now,
    )
    routes.add(call.tx, made)
    return made


def check_room(call: Call, table: RouteTable, more: int) -> None:
    """Refuse more routes than a table has room for; a prefix list counts for all it may hold.

    Raises RouteEntryLimit.
    """
    own = [each for each in routes.of_tables(call.tx, [table.id])[table.id] if not each.system]
    lists = prefix_lists.by_ids(call.tx, {each.prefix_list_id for each in own})
    present = sum(1 for each in own if each.destination)
    present += sum(each.max_entries for each in lists)
    limits.check(call, quotas.ROUTES_PER_TABLE, present, table.id, more=more)


def _parse(call: Call, destination: str) -> tuple[str, PrefixList | None]:
    """A destination as a block, or as the prefix list that it names."""
    if destination.startswith(routing.PREFIX_LIST):
        return "", ours.vpc_prefix_list(call, destination)
    try:
        block = routing.parse(destination)
    except ValueError as error:
        raise errors.DestinationMalformed(given=destination, why=error) from None
    if why := routing.why_not(block):
        raise errors.DestinationNotRouted(block=block, why=why)
    return block, None


def _check_block(call: Call, table: RouteTable, block: str, present: list[RouteEntry]) -> None:
    if vswitch := routing.local_to(block, networks.vswitches_of(call.tx, [table.vpc_id])):
        is_ipv6 = filters.family_of(block) is AddressFamily.IPV6
        refusal = errors.DestinationInVSwitch6 if is_ipv6 else errors.DestinationInVSwitch
        cidr = vswitch.cidr6 if is_ipv6 else vswitch.cidr
        raise refusal(block=block, cidr=cidr, vswitch_id=vswitch.id)
    listed = prefix_lists.entries(call.tx, {each.prefix_list_id for each in present})
    for each in present:
        if each.destination == block:
            raise errors.DestinationDuplicate(table_id=table.id, block=block, entry_id=each.id)
        if any(entry.cidr == block for entry in listed[each.prefix_list_id]):
            raise errors.DestinationOnPrefixList(
                block=block, list_id=each.prefix_list_id, table_id=table.id, entry_id=each.id
            )


def _check_list(table: RouteTable, prefix_list: PrefixList, present: list[RouteEntry]) -> None:
    for each in present:
        if each.prefix_list_id == prefix_list.id:
            raise errors.PrefixListRouted(
                table_id=table.id, list_id=prefix_list.id, entry_id=each.id
            )


def _check_family(wanted: NewRoute, parameter: str) -> None:
    """Refuse an IpVersion that is not its block's. A prefix list has its own."""
    if wanted.ip_version is None or wanted.dst_cidr_block.startswith(routing.PREFIX_LIST):
        return
    if _FAMILIES.get(wanted.ip_version) is not filters.family_of(wanted.dst_cidr_block):
        why = f"{wanted.ip_version} was given with DstCidrBlock {wanted.dst_cidr_block!r}."
        raise errors.InvalidParameter(parameter=parameter, why=why)


def _named(
    call: Call, entry_id: str | None, table_id: str | None, destination: str | None
) -> RouteEntry:
    """The route that a caller names one way or the other, of one of the caller's tables."""
    if entry_id and destination:
        raise errors.RouteNamedTwice()
    if entry_id:
        found = routes.by_id(call.tx, entry_id)
        table = found and route_tables.get(call.tx, call.account_id, found.table_id)
        if not table_id and not call.caller.is_root:
            why = "policies are about route tables, so its table is named beside a RouteEntryId."
            raise errors.NeededParameter(parameter="RouteTableId", why=why)
        if found is None or table is None or table_id not in (None, "", table.id):
            _refuse_local(call, entry_id)
            raise errors.RouteEntryNotFound(wanted=f"Route {entry_id!r}")
        return found
    if not table_id or not destination:
        parameter = "RouteTableId" if not table_id else "DestinationCidrBlock"
        why = "a route is named by RouteEntryId, or by RouteTableId and DestinationCidrBlock."
        raise errors.NeededParameter(parameter=parameter, why=why)
    table = ours.route_table(call, table_id)
    for each in routes.of_tables(call.tx, [table.id])[table.id]:
        if _canonical(destination) in (each.destination, each.prefix_list_id):
            return each
    _refuse_local(call, names.local_route_id(table.id, _canonical(destination)))
    raise errors.RouteEntryNotFound(wanted=f"A route to {destination!r} in {table.id}")


def _refuse_local(call: Call, entry_id: str) -> None:
    """Refuse a route that is there by itself. What it is called says so of no other."""
    tables = route_tables.of_account(call.tx, call.account_id)
    local: dict[str, list[str]] = defaultdict(list)
    for vswitch in networks.vswitches_of(call.tx, {table.vpc_id for table in tables}):
        local[vswitch.vpc_id] += routing.local_blocks([vswitch])
    for table in tables:
        for block in local[table.vpc_id]:
            if names.local_route_id(table.id, block) == entry_id:
                raise errors.SystemRouteEntry(entry_id=entry_id, destination=block)


def _refuse_system(entry: RouteEntry) -> None:
    if entry.hop_kind is HopKind.GATEWAY_ENDPOINT:
        raise errors.GatewayEndpointRoute(entry_id=entry.id, endpoint_id=entry.hop_id)


def _canonical(destination: str) -> str:
    """A destination as it is put down, where it may be one."""
    try:
        return routing.parse(destination)
    except ValueError:
        return destination


def _destination(entry: RouteEntry) -> str:
    return entry.destination or entry.prefix_list_id


def _family(call: Call, entry: RouteEntry) -> AddressFamily:
    if entry.destination:
        return filters.family_of(entry.destination)
    return ours.vpc_prefix_list(call, entry.prefix_list_id).family


ACTIONS = (create_route_entry, create_route_entries, delete_route_entry, modify_route_entry)
