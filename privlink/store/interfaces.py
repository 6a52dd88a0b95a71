"""Network interfaces as people look for them: the addresses of endpoints, balancers, workloads.

Whose an interface is follows from its VPC. Filters are conditions of the statement, so that only
what is shown is read.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, exists, func, select, union_all

from privlink.model.ids import AccountId
from privlink.model.network import Eni, EniOwner
from privlink.store import rows, schema
from privlink.store.database import Transaction

_eni, _vpc, _tag = schema.eni, schema.vpc, schema.resource_tag
_member, _on_endpoint = schema.group_member, schema.endpoint_security_group
_zone, _on_workload, _attachment = (
    schema.endpoint_zone,
    schema.attachment_security_group,
    schema.attachment,
)


class Wanted(msgspec.Struct, frozen=True):
    """What an interface must be like to be shown; None or nothing for whatever it is."""

    account_id: AccountId
    ids: tuple[str, ...] = ()
    vpc_id: str | None = None
    vswitch_id: str | None = None
    addresses: tuple[int, ...] = ()
    addresses6: tuple[str, ...] = ()
    security_group_id: str | None = None
    workload: bool | None = None  # of an attachment, or of what the product itself keeps
    resource_group_id: str | None = None
    default_group: bool = False  # whether that is the account's default group
    tags: tuple[tuple[str, str | None], ...] = ()  # a value of None is any


def get(tx: Transaction, account_id: AccountId, eni_id: str) -> Eni | None:
    found = find(tx, Wanted(account_id, ids=(eni_id,)), most=1)
    return found[0] if found else None


def find(
    tx: Transaction, wanted: Wanted, *, most: int, after: str = "", skip: int = 0
) -> list[Eni]:
    """At most so many interfaces, by id: those after one id, and of them not the first few."""
    ours = _matching(select(_eni), wanted).where(_eni.c.id > after)
    return rows.all_of(tx, Eni, ours.order_by(_eni.c.id).limit(most).offset(skip))


def count(tx: Transaction, wanted: Wanted) -> int:
    """How many there are in all."""
    statement = _matching(select(func.count()).select_from(_eni), wanted)
    return int(tx.execute(statement).scalar_one())


def _matching(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [_ours(wanted)]
    if wanted.ids:
        conditions.append(_eni.c.id.in_(wanted.ids))
    if wanted.vpc_id is not None:
        conditions.append(_eni.c.vpc_id == wanted.vpc_id)
    if wanted.vswitch_id is not None:
        conditions.append(_eni.c.vswitch_id == wanted.vswitch_id)
    if wanted.addresses:
        conditions.append(_eni.c.address.in_(wanted.addresses))
    if wanted.addresses6:
        conditions.append(_eni.c.address6.in_(wanted.addresses6))
    if wanted.workload is not None:
        is_workload = _eni.c.owner_kind == EniOwner.ATTACHMENT.value
        conditions.append(is_workload if wanted.workload else ~is_workload)
    if wanted.security_group_id is not None:
        members = select(_on_endpoint.c.endpoint_id).where(
            _on_endpoint.c.group_id == wanted.security_group_id
        )
        places = select(_zone.c.eni_id).where(_zone.c.endpoint_id.in_(members))
        workloads = select(_on_workload.c.attachment_id).where(
            _on_workload.c.group_id == wanted.security_group_id
        )
        plugs = select(_attachment.c.eni_id).where(_attachment.c.id.in_(workloads))
        conditions.append(_eni.c.id.in_(union_all(places, plugs)))
    if wanted.resource_group_id is not None:
        conditions.append(_in_group(wanted.resource_group_id, is_default=wanted.default_group))
    conditions += [_tagged(wanted.account_id, key, value) for key, value in wanted.tags]
    return statement.where(*conditions)


def _ours(wanted: Wanted) -> ColumnElement[bool]:
    """In a VPC of the account. Where a filter leaves few, each of those is checked; else the
    search begins with the account's VPCs.
    """
    of_account = _vpc.c.account_id == wanted.account_id
    if wanted.ids or wanted.vpc_id or wanted.vswitch_id or wanted.security_group_id:
        return exists().where(_vpc.c.id == _eni.c.vpc_id, of_account)
    return _eni.c.vpc_id.in_(select(_vpc.c.id).where(of_account))


def _in_group(group_id: str, *, is_default: bool) -> ColumnElement[bool]:
    membership = exists().where(_member.c.resource_id == _eni.c.id)
    return ~membership if is_default else membership.where(_member.c.group_id == group_id)


def _tagged(account_id: AccountId, key: str, value: str | None) -> ColumnElement[bool]:
    tag = exists().where(
        _tag.c.resource_id == _eni.c.id, _tag.c.key == key, _tag.c.account_id == account_id
    )
    return tag if value is None else tag.where(_tag.c.value == value)
