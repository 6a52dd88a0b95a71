"""Security groups and their rules."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import case, delete, func, select

from privlink.model.ids import AccountId, EndpointId, SecurityGroupId, VpcId
from privlink.model.security import SecurityGroup, SecurityGroupRule
from privlink.store import changes, doors, labels, members, rows, schema
from privlink.store.database import Transaction

_group, _rule = schema.security_group, schema.security_group_rule


def get(tx: Transaction, account_id: AccountId, group_id: str) -> SecurityGroup | None:
    return rows.find_one(tx, SecurityGroup, _group, id=group_id, account_id=account_id)


def groups(tx: Transaction, account_id: AccountId) -> list[SecurityGroup]:
    ours = select(_group).where(_group.c.account_id == account_id)
    return rows.all_of(tx, SecurityGroup, ours.order_by(_group.c.number))


def count_groups(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _group, _group.c.account_id == account_id)


def groups_in(tx: Transaction, vpc_id: VpcId) -> list[SecurityGroup]:
    return rows.all_of(tx, SecurityGroup, select(_group).where(_group.c.vpc_id == vpc_id))


def by_ids(tx: Transaction, group_ids: Iterable[str]) -> list[SecurityGroup]:
    return rows.find_among(tx, SecurityGroup, _group, "id", group_ids)


def add(tx: Transaction, group: SecurityGroup) -> None:
    rows.add(tx, _group, group)
    changes.touch(tx, changes.filter_key(group.id))


def change(tx: Transaction, group: SecurityGroup) -> None:
    """Put a group's settings down as they are given."""
    with members.following(tx, [group.id]):
        rows.change(tx, _group, {"id": group.id}, **msgspec.structs.asdict(group))


def delete_group(tx: Transaction, group_id: SecurityGroupId) -> None:
    """Delete a group that nothing is in and no other group's rule names."""
    delete_rules(tx, group_id, rules(tx, [group_id]))
    tx.execute(delete(_group).where(_group.c.id == group_id))
    labels.forget(tx, group_id)
    changes.touch(tx, changes.filter_key(group_id), gone=True)


def rules(tx: Transaction, group_ids: Iterable[str]) -> list[SecurityGroupRule]:
    """The rules of some groups, of both directions, oldest first."""
    found: list[SecurityGroupRule] = []
    for chunk in rows.chunks(group_ids):
        statement = select(_rule).where(_rule.c.group_id.in_(chunk))
        found += rows.all_of(
            tx, SecurityGroupRule, statement.order_by(_rule.c.created_at, _rule.c.id)
        )
    return found


class RuleCount(msgspec.Struct, frozen=True):
    """How many rules a group has."""

    all: int = 0
    naming_groups: int = 0


def count_rules(tx: Transaction, account_id: AccountId) -> dict[SecurityGroupId, RuleCount]:
    """How many rules each group of an account has; groups without any are left out."""
    statement = (
        select(
            _rule.c.group_id,
            func.count(),
            func.sum(case((_rule.c.peer_id.startswith("sg-"), 1), else_=0)),
        )
        .join(_group, _group.c.id == _rule.c.group_id)
        .where(_group.c.account_id == account_id)
        .group_by(_rule.c.group_id)
    )
    return {
        SecurityGroupId(group): RuleCount(int(every), int(naming))
        for group, every, naming in tx.execute(statement)
    }


def add_rules(
    tx: Transaction, group_id: SecurityGroupId, added: Iterable[SecurityGroupRule]
) -> None:
    """Add rules, for the nodes to look at the group again."""
    listed = list(added)
    with members.following(tx, _peers(listed)):
        rows.add(tx, _rule, *listed)
    _touch(tx, group_id)


def change_rule(tx: Transaction, old: SecurityGroupRule, new: SecurityGroupRule) -> None:
    """Put a rule down as it is given. The nodes look again unless it is about people alone."""
    with members.following(tx, _peers([old, new])):
        rows.change(tx, _rule, {"id": old.id}, **msgspec.structs.asdict(new))
    if msgspec.structs.replace(new, description=old.description) != old:
        _touch(tx, old.group_id)


def delete_rules(
    tx: Transaction, group_id: SecurityGroupId, dropped: Iterable[SecurityGroupRule]
) -> None:
    """Delete rules, for the nodes to look at the group again."""
    listed = list(dropped)
    if not listed:
        return
    with members.following(tx, _peers(listed)):
        for chunk in rows.chunks(rule.id for rule in listed):
            tx.execute(delete(_rule).where(_rule.c.id.in_(chunk)))
    _touch(tx, group_id)


def _touch(tx: Transaction, group_id: SecurityGroupId) -> None:
    """Have the nodes look again at a group's rules, and at the doors that hang on them."""
    changes.touch(tx, changes.filter_key(group_id))
    doors.touch_of_group(tx, group_id)


def _peers(listed: Iterable[SecurityGroupRule]) -> set[str]:
    return {rule.peer_id for rule in listed if rule.peer_id}


def groups_naming(tx: Transaction, peer_id: str) -> list[SecurityGroupId]:
    """The groups with a rule that names a security group."""
    found = select(_rule.c.group_id).where(_rule.c.peer_id == peer_id)
    statement = found.distinct().order_by(_rule.c.group_id)
    return [SecurityGroupId(each) for each in tx.execute(statement).scalars()]


def endpoints_using(tx: Transaction, group_id: SecurityGroupId) -> list[EndpointId]:
    table = schema.endpoint_security_group
    statement = select(table.c.endpoint_id).where(table.c.group_id == group_id)
    return [EndpointId(found) for found in tx.execute(statement).scalars()]
