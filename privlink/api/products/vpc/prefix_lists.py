"""Prefix lists for routes: blocks of one address family under one name.

Those for rules of security groups are ECS's, and not shown here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import NextToken, by_token
from privlink.api.products.vpc import labels, route_entries
from privlink.api.products.vpc.labels import LABELS, PREFIX_LIST
from privlink.api.tagging import TagAnswer, Tags
from privlink.api.wire import Answer, Fields
from privlink.model.ids import PrefixListId, new_id
from privlink.model.network import RouteEntry, RouteTable
from privlink.model.security import AddressFamily, PrefixList, PrefixListEntry, PrefixListUse
from privlink.rules import filters, quotas, routing
from privlink.store import changes, networks, nodes, prefix_lists, route_tables, routes, rows

_PAGE, _ROOM = 20, 50
_SYSTEM = "system"  # the owner of what is on gateway services' lists
_MaxEntries = Annotated[
    int, msgspec.Meta(ge=1, le=200, description="a list has room for 1 to 200 entries.")
]
_PageSize = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]
# As the SDKs say it, and Terraform.
_IpVersion = Annotated[
    Literal["IPv4", "IPv6", "IPV4", "IPV6"], msgspec.Meta(description="it is IPv4 or IPv6.")
]
_ListIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100.")]


class PrefixEntry(Fields, frozen=True):
    """One block."""

    cidr: str
    description: Description = ""


_Entries = Annotated[
    tuple[PrefixEntry, ...], msgspec.Meta(max_length=200, description="at most 200 entries.")
]


class CreateVpcPrefixListAnswer(Answer):
    prefix_list_id: str
    resource_group_id: str


class ModifyVpcPrefixListAnswer(Answer):
    prefix_list_id: str


class PrefixListAnswer(Answer):
    prefix_list_id: str
    prefix_list_name: str
    prefix_list_description: str
    ip_version: str
    max_entries: int
    cidr_blocks: list[str]
    creation_time: str
    owner_id: str
    region_id: str
    resource_group_id: str
    tags: list[TagAnswer]
    prefix_list_type: str
    share_type: str = ""
    prefix_list_status: str = "Created"
    status: str = "Created"


class PrefixListsAnswer(Answer):
    prefix_lists: list[PrefixListAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


class EntryAnswer(Answer):
    cidr: str
    description: str
    prefix_list_id: str
    region_id: str


class EntriesAnswer(Answer):
    prefix_list_entry: list[EntryAnswer]
    count: int
    total_count: int
    next_token: str | msgspec.UnsetType


class Association(Answer):
    prefix_list_id: str
    resource_id: str
    resource_uid: str
    owner_id: str
    region_id: str
    status: str
    cidr_list: str  # as the SDKs have it: blocks with commas between them
    suppressed_list: str
    reason: str = ""
    resource_type: str = "vpcRouteTable"


class AssociationsAnswer(Answer):
    prefix_list_association: list[Association]
    count: int
    total_count: int
    next_token: str | msgspec.UnsetType


@action(VPC, writes=True, resource="prefixlist/*")
def create_vpc_prefix_list(
    call: Call,
    *,
    region_id: RegionId,
    ip_version: _IpVersion = "IPv4",
    max_entries: _MaxEntries = _ROOM,
    prefix_list_name: Name = "",
    prefix_list_description: Description = "",
    prefix_list_entries: _Entries = (),
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateVpcPrefixListAnswer:
    """Create a prefix list for routes. Its address family stays as it is made."""
    present = prefix_lists.count(call.tx, call.account_id, PrefixListUse.ROUTES)
    limits.check(call, quotas.VPC_PREFIX_LISTS, present)
    family = AddressFamily.IPV6 if ip_version.endswith("6") else AddressFamily.IPV4
    said = _blocks(prefix_list_entries, family, "PrefixListEntries")
    _check_room(len(said), max_entries)
    made = PrefixList(
        id=PrefixListId(new_id("pl")),
        # Of one sequence with lists for rules, as they lie in one table.
        number=rows.next_number(call.tx, "security group"),
        account_id=call.account_id,
        family=family,
        name=prefix_list_name,
        description=prefix_list_description,
        max_entries=max_entries,
        created_at=call.now,
        use=PrefixListUse.ROUTES,
    )
    prefix_lists.add(call.tx, made, _entries(made.id, said))
    grouping.put(call, made.id, resource_group_id or None)
    LABELS.attach(call, PREFIX_LIST, made.id, tag)
    group = grouping.shown(call, [made.id])[made.id]
    return CreateVpcPrefixListAnswer(prefix_list_id=made.id, resource_group_id=group)


@action(VPC, writes=True, resource="prefixlist/{prefix_list_id}")
def modify_vpc_prefix_list(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_id: str,
    prefix_list_name: Name | None = None,
    prefix_list_description: Description | None = None,
    max_entries: _MaxEntries | None = None,
    add_prefix_list_entry: _Entries = (),
    remove_prefix_list_entry: _Entries = (),
) -> ModifyVpcPrefixListAnswer:
    """Change a prefix list. The routes that name it are about its new entries at once.

    An entry that is added again gets the new description; one that is not there is off already.
    """
    found = ours.vpc_prefix_list(call, prefix_list_id)
    added = _blocks(add_prefix_list_entry, found.family, "AddPrefixListEntry")
    removed = _blocks(remove_prefix_list_entry, found.family, "RemovePrefixListEntry")
    if both := set(added) & set(removed):
        raise errors.VpcPrefixDuplicated(parameter="RemovePrefixListEntry", cidr=min(both))
    room = found.max_entries if max_entries is None else max_entries
    if room > found.max_entries:
        for table in _tables_of(call, routes.naming(call.tx, [found.id])[found.id]).values():
            route_entries.check_room(call, table, room - found.max_entries)
    present = prefix_lists.entries(call.tx, [found.id])[found.id]
    said = {each.cidr: each.description for each in present if each.cidr not in removed}
    said |= added
    _check_room(len(said), room)
    changed = msgspec.structs.replace(
        found,
        name=found.name if prefix_list_name is None else prefix_list_name,
        description=found.description
        if prefix_list_description is None
        else prefix_list_description,
        max_entries=room,
    )
    prefix_lists.change(call.tx, changed)
    if added or removed:
        prefix_lists.set_entries(call.tx, found.id, _entries(found.id, said))
    return ModifyVpcPrefixListAnswer(prefix_list_id=found.id)


@action(VPC, writes=True, resource="prefixlist/{prefix_list_id}")
def delete_vpc_prefix_list(call: Call, *, region_id: RegionId, prefix_list_id: str) -> Answer:
    """Delete a prefix list that no route names."""
    found = ours.vpc_prefix_list(call, prefix_list_id)
    if naming := routes.naming(call.tx, [found.id])[found.id]:
        dependants = ", ".join(f"{each.id} of {each.table_id}" for each in naming)
        raise errors.VpcPrefixListInUse(resource=found.id, dependants=dependants)
    prefix_lists.delete_list(call.tx, found.id)
    return Answer()


@action(VPC, resource="prefixlist/*")
def list_prefix_lists(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_ids: _ListIds = (),
    prefix_list_name: str | None = None,
    resource_group_id: str | None = None,
    tags: Tags = (),
    max_results: _PageSize = _PAGE,
    next_token: NextToken = "",
) -> PrefixListsAnswer:
    """List prefix lists for routes, with what is on them: yours, and the system's.

    Those of `PrefixListType` System have the blocks of gateway services; nobody changes them.
    """
    tagged = LABELS.matching(call, PREFIX_LIST, tags)
    found = [
        each
        for each in prefix_lists.readable(call.tx, call.account_id)
        if (not prefix_list_ids or each.id in prefix_list_ids)
        and prefix_list_name in (None, each.name)
        and (tagged is None or each.id in tagged)
    ]
    if resource_group_id:
        chosen = grouping.chosen(call, [each.id for each in found], resource_group_id)
        found = [each for each in found if each.id in chosen]
    page, following = by_token(found, lambda each: f"{each.number:019}", max_results, next_token)
    return PrefixListsAnswer(
        prefix_lists=_answers(call, page),
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(VPC, resource="prefixlist/{prefix_list_id}")
def get_vpc_prefix_list_entries(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_id: str,
    max_results: _PageSize = _PAGE,
    next_token: NextToken = "",
) -> EntriesAnswer:
    """List what is on a prefix list, yours or the system's."""
    found = ours.readable_prefix_list(call, prefix_list_id)
    present = prefix_lists.entries(call.tx, [found.id])[found.id]
    page, following = by_token(present, lambda each: each.cidr, max_results, next_token)
    return EntriesAnswer(
        prefix_list_entry=[
            EntryAnswer(
                cidr=each.cidr,
                description=each.description,
                prefix_list_id=found.id,
                region_id=call.config.region,
            )
            for each in page
        ],
        count=len(page),
        total_count=len(present),
        next_token=following,
    )


@action(VPC, resource="prefixlist/{prefix_list_id}")
def get_vpc_prefix_list_associations(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_id: str,
    max_results: _PageSize = _PAGE,
    next_token: NextToken = "",
) -> AssociationsAnswer:
    """List the route tables with a route to a prefix list, and which blocks it is in effect for.

    Those out of effect are a vSwitch's own, or another route of the table is for them.
    """
    found = ours.vpc_prefix_list(call, prefix_list_id)
    naming = sorted(routes.naming(call.tx, [found.id])[found.id], key=lambda each: each.table_id)
    page, following = by_token(naming, lambda each: each.table_id, max_results, next_token)
    return AssociationsAnswer(
        prefix_list_association=_associations(call, found, page),
        count=len(page),
        total_count=len(naming),
        next_token=following,
    )


def _blocks(given: Iterable[PrefixEntry], family: AddressFamily, parameter: str) -> dict[str, str]:
    """Blocks in their canonical form with what is said of them. Refuses what is there twice."""
    found: dict[str, str] = {}
    for number, entry in enumerate(given, start=1):
        name = f"{parameter}.{number}.Cidr"
        try:
            block = filters.parse_block(entry.cidr, name, family, strict=True)
        except ValueError as error:
            raise errors.VpcPrefixMalformed(why=error) from None
        if why := routing.why_not(block):
            raise errors.VpcPrefixMalformed(why=f"{name} {block} is not valid: {why}")
        if block in found:
            raise errors.VpcPrefixDuplicated(parameter=name, cidr=entry.cidr)
        found[block] = entry.description
    return found


def _check_room(count: int, most: int) -> None:
    if count > most:
        raise errors.VpcPrefixListFull(count=count, most=most)


def _entries(list_id: PrefixListId, said: Mapping[str, str]) -> list[PrefixListEntry]:
    return [PrefixListEntry(list_id, cidr, description) for cidr, description in said.items()]


def _tables_of(call: Call, entries: Sequence[RouteEntry]) -> dict[str, RouteTable]:
    """The caller's route tables that routes are in, by id."""
    wanted = {each.table_id for each in entries}
    every = route_tables.of_account(call.tx, call.account_id)
    return {table.id: table for table in every if table.id in wanted}


def _associations(
    call: Call, prefix_list: PrefixList, page: Sequence[RouteEntry]
) -> list[Association]:
    tables = _tables_of(call, page)
    written = routes.of_tables(call.tx, tables)
    named = {each.prefix_list_id for some in written.values() for each in some}
    lists = {
        name: [each.cidr for each in some]
        for name, some in prefix_lists.entries(call.tx, named).items()
    }
    every = lists.get(prefix_list.id, [])
    in_step = nodes.in_step(call.tx, [changes.table_key(each.table_id) for each in page])

    def association(entry: RouteEntry) -> Association:
        vswitches = networks.vswitches_of(call.tx, [tables[entry.table_id].vpc_id])
        local = routing.local_blocks(vswitches)
        effective = routing.effective(local, written[entry.table_id], lists)[entry.id]
        confirmed = in_step.confirms(changes.table_key(entry.table_id))
        return Association(
            prefix_list_id=prefix_list.id,
            resource_id=entry.table_id,
            resource_uid=tables[entry.table_id].account_id,
            owner_id=prefix_list.account_id,
            region_id=call.config.region,
            status="Created" if confirmed else "Modifying",
            cidr_list=",".join(effective),
            suppressed_list=",".join(block for block in every if block not in effective),
        )

    return [association(each) for each in page]


def _answers(call: Call, page: Sequence[PrefixList]) -> list[PrefixListAnswer]:
    ids = [each.id for each in page]
    present = prefix_lists.entries(call.tx, ids)
    groups, tags = grouping.shown(call, ids), labels.shown(call, ids)
    return [
        PrefixListAnswer(
            prefix_list_id=each.id,
            prefix_list_name=each.name,
            prefix_list_description=each.description,
            ip_version=each.family.upper(),
            max_entries=each.max_entries,
            cidr_blocks=[entry.cidr for entry in present[each.id]],
            creation_time=each.created_at,
            owner_id=_SYSTEM if each.use is PrefixListUse.GATEWAY else each.account_id,
            region_id=call.config.region,
            resource_group_id="" if each.use is PrefixListUse.GATEWAY else groups[each.id],
            tags=tags[each.id].tag,
            prefix_list_type="System" if each.use is PrefixListUse.GATEWAY else "Custom",
        )
        for each in page
    ]


ACTIONS = (
    create_vpc_prefix_list,
    modify_vpc_prefix_list,
    delete_vpc_prefix_list,
    list_prefix_lists,
    get_vpc_prefix_list_entries,
    get_vpc_prefix_list_associations,
)
