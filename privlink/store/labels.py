"""Tags and resource groups, of resources of every product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.ids import AccountId, ResourceGroupId
from privlink.model.labels import GroupMember, ResourceGroup, ResourceTag
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

_tag, _group, _member = schema.resource_tag, schema.resource_group, schema.group_member

_INSERT = upsert(_tag).values({name: bindparam(name) for name in _tag.c.keys()})  # noqa: SIM118
_PUT = Prepared(
    _INSERT.on_conflict_do_update(
        index_elements=["resource_id", "key"], set_={"value": _INSERT.excluded.value}
    )
)
_DROP = Prepared(delete(_member).where(_member.c.resource_id == bindparam("resource_id")))
_DROP_TAGS = Prepared(delete(_tag).where(_tag.c.resource_id == bindparam("resource_id")))


def tags(tx: Transaction, resource_ids: Iterable[str]) -> dict[str, list[ResourceTag]]:
    """The tags of resources, by resource and in the order of their keys."""
    found: dict[str, list[ResourceTag]] = defaultdict(list)
    for tag in rows.find_among(tx, ResourceTag, _tag, "resource_id", resource_ids, order="key"):
        found[tag.resource_id].append(tag)
    return found


def put_tag(tx: Transaction, tag: ResourceTag) -> None:
    """Give a resource a tag, in the place of one with the same key."""
    _PUT.run(tx, **{name: getattr(tag, name) for name in ResourceTag.__struct_fields__})


def delete_tags(tx: Transaction, resource_id: str, keys: Iterable[str]) -> None:
    for chunk in rows.chunks(keys):
        ours = (_tag.c.resource_id == resource_id, _tag.c.key.in_(chunk))
        tx.execute(delete(_tag).where(*ours))


def forget(tx: Transaction, resource_id: str) -> None:
    """Drop all that a resource was sorted by, because it is gone."""
    _DROP_TAGS.run(tx, resource_id=resource_id)
    _DROP.run(tx, resource_id=resource_id)


def resource_groups(tx: Transaction, account_id: AccountId) -> list[ResourceGroup]:
    """The groups an account has created, by name."""
    return rows.find(tx, ResourceGroup, _group, order="name", account_id=account_id)


def add_group(tx: Transaction, group: ResourceGroup) -> None:
    rows.add(tx, _group, group)


def change_group(tx: Transaction, group: ResourceGroup) -> None:
    """Put a group's display name down as it is given."""
    rows.change(tx, _group, {"id": group.id}, display_name=group.display_name)


def delete_group(tx: Transaction, group_id: ResourceGroupId) -> None:
    """Delete a group that nothing is in."""
    tx.execute(delete(_group).where(_group.c.id == group_id))


def members(tx: Transaction, group_id: ResourceGroupId) -> set[str]:
    """The resources in a group."""
    statement = select(_member.c.resource_id).where(_member.c.group_id == group_id)
    return set(tx.execute(statement).scalars())


def groups_of(tx: Transaction, resource_ids: Iterable[str]) -> dict[str, ResourceGroupId]:
    """The groups of those resources that are not in the default one."""
    found = rows.find_among(tx, GroupMember, _member, "resource_id", resource_ids)
    return {each.resource_id: each.group_id for each in found}


def move(tx: Transaction, resource_id: str, group_id: ResourceGroupId | None) -> None:
    """Put a resource into a group; None is the default one."""
    _DROP.run(tx, resource_id=resource_id)
    if group_id is not None:
        rows.add(tx, _member, GroupMember(resource_id, group_id))
