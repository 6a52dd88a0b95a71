"""Route tables of VPCs, and which of them the vSwitches have. What nodes hear of both."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select

from privlink.model.ids import AccountId, AttachmentId, RouteTableId, VpcId, VSwitchId
from privlink.model.network import RouteTable, RouteTableBinding, RouteTableType, VSwitch
from privlink.store import changes, labels, routes, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

_table, _binding = schema.route_table, schema.route_table_binding
_entry, _attachment = schema.route_entry, schema.attachment
_gateway = schema.gateway_association

_WORKLOADS = Prepared(
    select(_attachment.c.id)
    .where(_attachment.c.vswitch_id == bindparam("vswitch_id"), ~_attachment.c.deleting)
    .order_by(_attachment.c.number)
)
_UNBIND = Prepared(delete(_binding).where(_binding.c.vswitch_id == bindparam("vswitch_id")))


def get(tx: Transaction, account_id: AccountId, table_id: str) -> RouteTable | None:
    return rows.find_one(tx, RouteTable, _table, id=table_id, account_id=account_id)


def of_account(tx: Transaction, account_id: AccountId) -> list[RouteTable]:
    return rows.find(tx, RouteTable, _table, order="number", account_id=account_id)


def of_vpcs(tx: Transaction, vpc_ids: Iterable[str]) -> list[RouteTable]:
    """The route tables of VPCs; of each its system table comes first."""
    return rows.find_among(tx, RouteTable, _table, "vpc_id", vpc_ids, order="number")


def systems(tx: Transaction, vpc_ids: Iterable[str]) -> dict[VpcId, RouteTableId]:
    """The system table of each VPC."""
    every = of_vpcs(tx, vpc_ids)
    return {table.vpc_id: table.id for table in every if table.type is RouteTableType.SYSTEM}


def of_vswitches(tx: Transaction, vswitches: Iterable[VSwitch]) -> dict[VSwitchId, RouteTable]:
    """The table that each vSwitch has: a custom one, or its VPC's system table."""
    listed = list(vswitches)
    every = of_vpcs(tx, {vswitch.vpc_id for vswitch in listed})
    by_id = {table.id: table for table in every}
    system = {table.vpc_id: table for table in every if table.type is RouteTableType.SYSTEM}
    custom = custom_of(tx, [vswitch.id for vswitch in listed])
    return {
        vswitch.id: by_id[custom[vswitch.id]] if vswitch.id in custom else system[vswitch.vpc_id]
        for vswitch in listed
    }


def add(tx: Transaction, table: RouteTable) -> None:
    rows.add(tx, _table, table)
    routes.touch(tx, [table.id])


def change(tx: Transaction, table: RouteTable) -> None:
    """Put a route table's name and description down as they are given."""
    key = {"id": table.id}
    rows.change(tx, _table, key, name=table.name, description=table.description)


def delete_table(tx: Transaction, table_id: RouteTableId) -> None:
    """Delete a route table that no vSwitch is bound to, and the routes in it."""
    tx.execute(delete(_entry).where(_entry.c.table_id == table_id))
    tx.execute(delete(_gateway).where(_gateway.c.table_id == table_id))
    tx.execute(delete(_table).where(_table.c.id == table_id))
    labels.forget(tx, table_id)
    key = changes.table_key(table_id)
    if changes.changed_at(tx, [key]):
        changes.touch(tx, key, gone=True)


def bind(tx: Transaction, vswitch_id: VSwitchId, table_id: RouteTableId | None) -> None:
    """Give a vSwitch a custom table in the place of the one it has; None for the system table.

    Every workload in it is told of its new table.
    """
    _UNBIND.run(tx, vswitch_id=vswitch_id)
    if table_id is not None:
        rows.add(tx, _binding, RouteTableBinding(vswitch_id, table_id))
    for (attachment_id,) in _WORKLOADS.rows(tx, vswitch_id=vswitch_id):
        changes.touch(tx, changes.attachment_key(AttachmentId(attachment_id)))


def custom_of(tx: Transaction, vswitch_ids: Iterable[str]) -> dict[VSwitchId, RouteTableId]:
    """The custom tables of those vSwitches that have one."""
    found = rows.find_among(tx, RouteTableBinding, _binding, "vswitch_id", vswitch_ids)
    return {each.vswitch_id: each.table_id for each in found}


def bound_to(tx: Transaction, table_id: RouteTableId) -> list[VSwitchId]:
    """The vSwitches that have a custom table."""
    statement = select(_binding.c.vswitch_id).where(_binding.c.table_id == table_id)
    return [VSwitchId(found) for found in tx.execute(statement.order_by("vswitch_id")).scalars()]
