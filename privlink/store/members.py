"""Who is in the sets that rules name: interfaces in security groups. What nodes hear of it.

A set is an item of its own, `members/<security group or prefix list>`, so who comes or goes moves
no rule. It is there only while something names it, so that nothing is paid for sets that nobody
asks about:

  a rule names it            every interface in the group: of workloads, and of endpoints
  its own inner policy does  the workloads in the group, as endpoints open no flows; and only once
                             there is one
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import bindparam, delete, exists, select

from privlink.model.ids import AttachmentId, EndpointId, SecurityGroupId
from privlink.model.security import Membership
from privlink.rules import addresses
from privlink.store import changes, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn

_group, _rule = schema.security_group, schema.security_group_rule
_workload, _on_endpoint = schema.attachment_security_group, schema.endpoint_security_group
_zone, _attachment, _eni = schema.endpoint_zone, schema.attachment, schema.eni

_NAMED = PreparedIn(lambda ids: select(_rule.c.peer_id).where(_rule.c.peer_id.in_(ids)).distinct())
_NAMED_OF_ENDPOINT = Prepared(
    select(_on_endpoint.c.group_id).where(
        _on_endpoint.c.endpoint_id == bindparam("endpoint_id"),
        exists().where(_rule.c.peer_id == _on_endpoint.c.group_id),
    )
)
_OPEN_INSIDE = PreparedIn(
    lambda ids: select(_group.c.id).where(
        _group.c.id.in_(ids),
        _group.c.inner_access_policy == "Accept",
        exists().where(_workload.c.group_id == _group.c.id),
    )
)
_WORKLOADS = PreparedIn(
    lambda ids: (
        select(_workload.c.group_id, _eni.c.address, _eni.c.address6)
        .join(_attachment, _attachment.c.id == _workload.c.attachment_id)
        .join(_eni, _eni.c.id == _attachment.c.eni_id)
        .where(_workload.c.group_id.in_(ids))
    )
)
_ENDPOINTS = PreparedIn(
    lambda ids: (
        select(_on_endpoint.c.group_id, _eni.c.address, _eni.c.address6)
        .join(_zone, _zone.c.endpoint_id == _on_endpoint.c.endpoint_id)
        .join(_eni, _eni.c.id == _zone.c.eni_id)
        .where(_on_endpoint.c.group_id.in_(ids), ~_zone.c.deleting)
    )
)


class Named(msgspec.Struct, frozen=True):
    """Which of some sets there are, and what names them."""

    by_rules: frozenset[str]
    by_inner_policy: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Those that are there."""
        return self.by_rules | self.by_inner_policy

    def by(self, each: str) -> tuple[bool, bool]:
        """What names one of them: rules, its own inner policy."""
        return each in self.by_rules, each in self.by_inner_policy


def named(tx: Transaction, ids: Iterable[str]) -> Named:
    """Which of these groups and prefix lists are sets that something names."""
    listed = list(ids)
    return Named(
        frozenset(found for (found,) in _NAMED.rows(tx, listed)),
        frozenset(found for (found,) in _OPEN_INSIDE.rows(tx, listed)),
    )


@contextmanager
def following(tx: Transaction, ids: Iterable[str], *, moved: bool = False) -> Iterator[None]:
    """Tell the nodes what becomes of these sets by what is done meanwhile.

    `moved`: who is in them changes, beside what names them. A group's filter changes where its
    inner policy begins to matter, or ends to.
    """
    listed = sorted(set(ids))
    before = named(tx, listed)
    yield
    after = named(tx, listed)
    for each in listed:
        if before.by(each) != after.by(each) or (moved and each in after.all):
            changes.touch(tx, changes.members_key(each), gone=each not in after.all)
    for each in sorted(before.by_inner_policy ^ after.by_inner_policy):
        changes.touch(tx, changes.filter_key(SecurityGroupId(each)))


def touch(tx: Transaction, ids: Iterable[str]) -> None:
    """Have the nodes look again at those of these sets that a rule names."""
    for (found,) in _NAMED.rows(tx, ids):
        changes.touch(tx, changes.members_key(found))


def touch_of(tx: Transaction, endpoint_id: EndpointId) -> None:
    """The same for the groups on an endpoint, one address of which comes or goes."""
    for (found,) in _NAMED_OF_ENDPOINT.rows(tx, endpoint_id=endpoint_id):
        changes.touch(tx, changes.members_key(found))


def groups(tx: Transaction, attachment_ids: Iterable[str]) -> dict[str, list[str]]:
    """The security groups of workloads' places, by attachment, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in rows.find_among(
        tx, Membership, _workload, "attachment_id", attachment_ids, order="group_id"
    ):
        found[each.attachment_id].append(each.group_id)
    return found


def workloads(tx: Transaction, group_id: SecurityGroupId) -> list[AttachmentId]:
    """The workloads' places that are in a group."""
    found = rows.find(tx, Membership, _workload, order="attachment_id", group_id=group_id)
    return [each.attachment_id for each in found]


def join(tx: Transaction, attachment_id: AttachmentId, group_ids: Iterable[str]) -> None:
    """Put a workload's place into security groups that it is not in."""
    joined = [Membership(attachment_id, SecurityGroupId(each)) for each in group_ids]
    with following(tx, (each.group_id for each in joined), moved=True):
        rows.add(tx, _workload, *joined)
    # After the sets: a node that has got as far as this holds them too.
    changes.touch(tx, changes.attachment_key(attachment_id))


def leave(tx: Transaction, attachment_id: AttachmentId, group_ids: Iterable[str]) -> None:
    """Take a workload's place out of security groups."""
    left = list(group_ids)
    with following(tx, left, moved=True):
        ours = _workload.c.attachment_id == attachment_id, _workload.c.group_id.in_(left)
        tx.execute(delete(_workload).where(*ours))
        changes.touch(tx, changes.attachment_key(attachment_id))


def blocks(tx: Transaction, sets: Named) -> dict[str, list[str]]:
    """The addresses in groups that something names, each as a block, by group and in order.

    Nothing but those is read: a group may be large, and is told whole.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for group_id, address, address6 in sorted(
        _WORKLOADS.rows(tx, sets.all) + _ENDPOINTS.rows(tx, sets.by_rules)
    ):
        found[group_id].append(f"{addresses.text(address)}/32")
        if address6 is not None:
            found[group_id].append(f"{address6}/128")
    return found
