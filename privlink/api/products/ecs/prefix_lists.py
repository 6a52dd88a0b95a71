"""Prefix lists: blocks of one address family under one name, for rules of security groups.

Those for routes are VPC's, and not shown here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import grouping, limits, ours
from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.paging import NextToken, by_token
from privlink.api.products.ecs import labels
from privlink.api.products.ecs.labels import LABELS, PREFIX_LIST, TagList
from privlink.api.tagging import Tags
from privlink.api.wire import Answer, Fields
from privlink.model.ids import PrefixListId, new_id
from privlink.model.security import AddressFamily, PrefixList, PrefixListEntry, PrefixListUse
from privlink.rules import filters, quotas
from privlink.store import prefix_lists, rows

_SHORT_PAGE = 10
_ListName = Annotated[
    str,
    msgspec.Meta(
        min_length=2,
        max_length=128,
        pattern="^(?!com\\.(aliyun|alibabacloud))"
        "[A-Za-z\u4e00-\u9fff][A-Za-z0-9:_.\\-\u4e00-\u9fff]*\\Z",
        description="a name has 2 to 128 characters: first a letter or Chinese character, then "
        "letters, digits, :, _, . and -; it does not begin with com.aliyun or com.alibabacloud.",
    ),
]
_EntryDescription = Annotated[
    str,
    msgspec.Meta(
        max_length=32,
        pattern="^(?!https?://)",
        description="an entry's description has up to 32 characters and does not begin with "
        "http(s)://.",
    ),
]
_MaxEntries = Annotated[
    int, msgspec.Meta(ge=1, le=200, description="a list has room for 1 to 200 entries.")
]
_PageSize = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]
_ListIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100.")]


class Entry(Fields, frozen=True):
    """One block."""

    cidr: str
    description: _EntryDescription = ""


class RemovedEntry(Fields, frozen=True):
    """One block that goes."""

    cidr: str


_EntryCount = msgspec.Meta(max_length=200, description="at most 200 entries.")
_Entries = Annotated[tuple[Entry, ...], _EntryCount]
_RemovedEntries = Annotated[tuple[RemovedEntry, ...], _EntryCount]


class CreatePrefixListAnswer(Answer):
    prefix_list_id: str


class PrefixListAnswer(Answer):
    prefix_list_id: str
    prefix_list_name: str
    address_family: str
    max_entries: int
    association_count: int
    description: str
    resource_group_id: str
    creation_time: str
    tags: TagList


class PrefixLists(Answer):
    prefix_list: list[PrefixListAnswer]


class PrefixListsAnswer(Answer):
    prefix_lists: PrefixLists
    next_token: str | msgspec.UnsetType


class EntryAnswer(Answer):
    cidr: str
    description: str


class EntryList(Answer):
    entry: list[EntryAnswer]


class PrefixListAttributesAnswer(Answer):
    prefix_list_id: str
    prefix_list_name: str
    address_family: str
    max_entries: int
    description: str
    creation_time: str
    entries: EntryList


class Association(Answer):
    resource_id: str
    resource_type: str = labels.GROUP


class AssociationList(Answer):
    prefix_list_association: list[Association]


class AssociationsAnswer(Answer):
    prefix_list_associations: AssociationList
    next_token: str | msgspec.UnsetType


@action(ECS, writes=True, resource="prefixlist/*")
def create_prefix_list(
    call: Call,
    *,
    region_id: RegionId,
    address_family: AddressFamily,
    max_entries: _MaxEntries,
    prefix_list_name: _ListName,
    description: Description = "",
    entry: _Entries = (),
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreatePrefixListAnswer:
    """Create a prefix list. Its address family and its room stay as they are made."""
    present = prefix_lists.count(call.tx, call.account_id, PrefixListUse.RULES)
    limits.check(call, quotas.PREFIX_LISTS, present)
    blocks = _blocks((each.cidr for each in entry), address_family, "Entry")
    _check_room(len(blocks), max_entries)
    made = PrefixList(
        id=PrefixListId(new_id("pl")),
        # Rules name lists and groups by number, so one number names one set.
        number=rows.next_number(call.tx, "security group"),
        account_id=call.account_id,
        family=address_family,
        name=prefix_list_name,
        description=description,
        max_entries=max_entries,
        created_at=call.now,
    )
    said = dict(zip(blocks, (each.description for each in entry), strict=True))
    prefix_lists.add(call.tx, made, _entries(made.id, said))
    grouping.put(call, made.id, resource_group_id or None)
    LABELS.attach(call, PREFIX_LIST, made.id, tag)
    return CreatePrefixListAnswer(prefix_list_id=made.id)


@action(ECS, writes=True, resource="prefixlist/{prefix_list_id}")
def modify_prefix_list(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_id: str,
    prefix_list_name: _ListName | None = None,
    description: Description | None = None,
    add_entry: _Entries = (),
    remove_entry: _RemovedEntries = (),
) -> Answer:
    """Change a prefix list. The rules that name it decide by its new entries at once.

    An entry that is added again gets the new description; one that is not there is off already.
    """
    found = ours.prefix_list(call, prefix_list_id)
    added = _blocks((each.cidr for each in add_entry), found.family, "AddEntry")
    removed = _blocks((each.cidr for each in remove_entry), found.family, "RemoveEntry")
    if both := set(added) & set(removed):
        raise errors.PrefixDuplicated(parameter="RemoveEntry", cidr=min(both))
    changed = msgspec.structs.replace(
        found,
        name=found.name if prefix_list_name is None else prefix_list_name,
        description=found.description if description is None else description,
    )
    prefix_lists.change(call.tx, changed)
    if added or removed:
        present = prefix_lists.entries(call.tx, [found.id])[found.id]
        said = {each.cidr: each.description for each in present if each.cidr not in removed}
        said |= zip(added, (each.description for each in add_entry), strict=True)
        _check_room(len(said), found.max_entries)
        prefix_lists.set_entries(call.tx, found.id, _entries(found.id, said))
    return Answer()


@action(ECS, writes=True, resource="prefixlist/{prefix_list_id}")
def delete_prefix_list(call: Call, *, region_id: RegionId, prefix_list_id: str) -> Answer:
    """Delete a prefix list that no rule names."""
    found = ours.prefix_list(call, prefix_list_id)
    if groups := prefix_lists.users(call.tx, [found.id])[found.id]:
        raise errors.PrefixListInUse(list_id=found.id, groups=", ".join(groups))
    prefix_lists.delete_list(call.tx, found.id)
    return Answer()


@action(ECS, resource="prefixlist/*")
def describe_prefix_lists(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_id: _ListIds = (),
    prefix_list_name: str | None = None,
    address_family: AddressFamily | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    max_results: _PageSize = _SHORT_PAGE,
    next_token: NextToken = "",
) -> PrefixListsAnswer:
    """List prefix lists."""
    tagged = LABELS.matching(call, PREFIX_LIST, tag)
    found = [
        each
        for each in prefix_lists.of_account(call.tx, call.account_id, PrefixListUse.RULES)
        if (not prefix_list_id or each.id in prefix_list_id)
        and prefix_list_name in (None, each.name)
        and address_family in (None, each.family)
        and (tagged is None or each.id in tagged)
    ]
    if resource_group_id:
        chosen = grouping.chosen(call, [each.id for each in found], resource_group_id)
        found = [each for each in found if each.id in chosen]
    page, following = by_token(found, lambda each: f"{each.number:019}", max_results, next_token)
    return PrefixListsAnswer(
        prefix_lists=PrefixLists(prefix_list=_answers(call, page)), next_token=following
    )


@action(ECS, resource="prefixlist/{prefix_list_id}")
def describe_prefix_list_attributes(
    call: Call, *, region_id: RegionId, prefix_list_id: str
) -> PrefixListAttributesAnswer:
    """Show a prefix list with its entries."""
    found = ours.prefix_list(call, prefix_list_id)
    present = prefix_lists.entries(call.tx, [found.id])[found.id]
    listed = [EntryAnswer(cidr=each.cidr, description=each.description) for each in present]
    return PrefixListAttributesAnswer(
        prefix_list_id=found.id,
        prefix_list_name=found.name,
        address_family=found.family,
        max_entries=found.max_entries,
        description=found.description,
        creation_time=found.created_at,
        entries=EntryList(entry=listed),
    )


@action(ECS, resource="prefixlist/{prefix_list_id}")
def describe_prefix_list_associations(
    call: Call,
    *,
    region_id: RegionId,
    prefix_list_id: str,
    max_results: _PageSize = _SHORT_PAGE,
    next_token: NextToken = "",
) -> AssociationsAnswer:
    """List the security groups whose rules name a prefix list."""
    found = ours.prefix_list(call, prefix_list_id)
    groups = prefix_lists.users(call.tx, [found.id])[found.id]
    page, following = by_token(groups, str, max_results, next_token)
    listed = [Association(resource_id=each) for each in page]
    return AssociationsAnswer(
        prefix_list_associations=AssociationList(prefix_list_association=listed),
        next_token=following,
    )


def _blocks(given: Iterable[str], family: AddressFamily, parameter: str) -> list[str]:
    """Blocks in their canonical form. Refuses what is none, and what is there twice."""
    found: list[str] = []
    for number, text in enumerate(given, start=1):
        name = f"{parameter}.{number}.Cidr"
        try:
            block = filters.parse_block(text, name, family, strict=True)
        except ValueError as error:
            raise errors.PrefixMalformed(why=error) from None
        if block in found:
            raise errors.PrefixDuplicated(parameter=name, cidr=text)
        found.append(block)
    return found


def _check_room(count: int, most: int) -> None:
    if count > most:
        raise errors.PrefixListFull(count=count, most=most)


def _entries(list_id: PrefixListId, said: Mapping[str, str]) -> list[PrefixListEntry]:
    return [PrefixListEntry(list_id, cidr, description) for cidr, description in said.items()]


def _answers(call: Call, page: Sequence[PrefixList]) -> list[PrefixListAnswer]:
    ids = [each.id for each in page]
    users = prefix_lists.users(call.tx, ids)
    groups, tags = grouping.shown(call, ids), labels.shown(call, ids)
    return [
        PrefixListAnswer(
            prefix_list_id=each.id,
            prefix_list_name=each.name,
            address_family=each.family,
            max_entries=each.max_entries,
            association_count=len(users[each.id]),
            description=each.description,
            resource_group_id=groups[each.id],
            creation_time=each.created_at,
            tags=tags[each.id],
        )
        for each in page
    ]


ACTIONS = (
    create_prefix_list,
    modify_prefix_list,
    delete_prefix_list,
    describe_prefix_lists,
    describe_prefix_list_attributes,
    describe_prefix_list_associations,
)
