"""VPCs, vSwitches, the addresses taken in them, and workloads' attachments."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

import msgspec
from sqlalchemy import ColumnElement, bindparam, delete, func, select, update

from privlink.model.ids import AccountId, AttachmentId, EniId, VpcId, VSwitchId
from privlink.model.network import Attachment, Eni, Vpc, VSwitch
from privlink.rules import addresses
from privlink.store import (
    balancers,
    changes,
    labels,
    members,
    route_tables,
    routes,
    rows,
    schema,
)
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

_AT_ONCE = 64  # numbers


def _numbers_taken(column: ColumnElement[int], vpc: ColumnElement[str]) -> Prepared:
    taken = select(column).where(vpc == bindparam("vpc_id"), column >= bindparam("start"))
    return Prepared(taken.order_by(column).limit(_AT_ONCE))


_eni, _zone, _gateway = schema.eni.c, schema.endpoint_zone.c, schema.gateway_endpoint.c
_ADDRESSES = _numbers_taken(_eni.address, _eni.vpc_id)
# Who may have a source address in a provider's VPC, and whose VPC that is.
_SOURCES_OF = (
    (_zone.source, _zone.provider_vpc_id),
    (_zone.replaced_source, _zone.replaced_vpc_id),
    (_gateway.source, _gateway.provider_vpc_id),
)
_SOURCES = tuple(_numbers_taken(number, vpc) for number, vpc in _SOURCES_OF)
_LAST_SOURCES = Prepared(
    select(
        *(
            select(func.max(number))
            .where(vpc == bindparam("vpc_id"), number.is_not(None))
            .scalar_subquery()
            for number, vpc in _SOURCES_OF
        )
    )
)


def get_vpc(tx: Transaction, account_id: AccountId, vpc_id: str) -> Vpc | None:
    return rows.find_one(tx, Vpc, schema.vpc, id=vpc_id, account_id=account_id)


def vpc_by_id(tx: Transaction, vpc_id: VpcId) -> Vpc:
    """A VPC that another row refers to."""
    found = rows.find_one(tx, Vpc, schema.vpc, id=vpc_id)
    assert found is not None, vpc_id
    return found


def vpcs(tx: Transaction, account_id: AccountId) -> list[Vpc]:
    table = schema.vpc
    ours = select(table).where(table.c.account_id == account_id)
    return rows.all_of(tx, Vpc, ours.order_by(table.c.number))


def add_vpc(tx: Transaction, vpc: Vpc) -> None:
    rows.add(tx, schema.vpc, vpc)
    changes.touch(tx, changes.resolver_key(vpc.id))


def change_vpc(tx: Transaction, vpc: Vpc) -> None:
    """Put a VPC's name, description and IPv6 block down as they are given."""
    given = {"name": vpc.name, "description": vpc.description, "cidr6": vpc.cidr6}
    rows.change(tx, schema.vpc, {"id": vpc.id}, **given)


def delete_vpc(tx: Transaction, vpc_id: VpcId) -> None:
    """Delete a VPC that nothing is in but its own route table."""
    for table in route_tables.of_vpcs(tx, [vpc_id]):
        route_tables.delete_table(tx, table.id)
    tx.execute(delete(schema.vpc).where(schema.vpc.c.id == vpc_id))
    changes.touch(tx, changes.resolver_key(vpc_id), gone=True)
    labels.forget(tx, vpc_id)


def count_vpcs(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, schema.vpc, schema.vpc.c.account_id == account_id)


def get_vswitch(tx: Transaction, account_id: AccountId, vswitch_id: str) -> VSwitch | None:
    return rows.find_one(tx, VSwitch, schema.vswitch, id=vswitch_id, account_id=account_id)


def vswitches(tx: Transaction, account_id: AccountId, vpc_id: str | None = None) -> list[VSwitch]:
    table = schema.vswitch
    ours = select(table).where(table.c.account_id == account_id)
    if vpc_id is not None:
        ours = ours.where(table.c.vpc_id == vpc_id)
    return rows.all_of(tx, VSwitch, ours.order_by(table.c.number))


def vswitches_of(tx: Transaction, vpc_ids: Iterable[str]) -> list[VSwitch]:
    """The vSwitches of several VPCs, each VPC's in the order they were made."""
    return rows.find_among(tx, VSwitch, schema.vswitch, "vpc_id", vpc_ids, order="number")


def vswitches_by_ids(tx: Transaction, vswitch_ids: Iterable[str]) -> dict[VSwitchId, VSwitch]:
    found = rows.find_among(tx, VSwitch, schema.vswitch, "id", vswitch_ids)
    return {vswitch.id: vswitch for vswitch in found}


def change_vswitch(tx: Transaction, vswitch: VSwitch) -> None:
    """Put a vSwitch's name and description down as they are given."""
    key = {"id": vswitch.id}
    rows.change(tx, schema.vswitch, key, name=vswitch.name, description=vswitch.description)


def set_block6(tx: Transaction, vswitch: VSwitch, cidr6: str) -> None:
    """Give a vSwitch an IPv6 block, or take it away, for its node to look at again."""
    rows.change(tx, schema.vswitch, {"id": vswitch.id}, cidr6=cidr6)
    changes.touch(tx, changes.segment_key(vswitch.id))
    routes.touch_vpc(tx, vswitch.vpc_id)
    for each in (vswitch, msgspec.structs.replace(vswitch, cidr6=cidr6)):
        balancers.touch_servers_in(tx, each)


def add_vswitch(tx: Transaction, vswitch: VSwitch) -> None:
    rows.add(tx, schema.vswitch, vswitch)
    changes.touch(tx, changes.segment_key(vswitch.id), changes.place_key(vswitch.id))
    routes.touch_vpc(tx, vswitch.vpc_id)
    balancers.touch_servers_in(tx, vswitch)


def delete_vswitch(tx: Transaction, vswitch: VSwitch) -> None:
    route_tables.bind(tx, vswitch.id, None)
    tx.execute(delete(schema.vswitch).where(schema.vswitch.c.id == vswitch.id))
    labels.forget(tx, vswitch.id)
    changes.touch(tx, changes.segment_key(vswitch.id), changes.place_key(vswitch.id), gone=True)
    routes.touch_vpc(tx, vswitch.vpc_id)
    balancers.touch_servers_in(tx, vswitch)


def address_taken(tx: Transaction, vpc_id: VpcId, address: int) -> bool:
    table = schema.eni
    statement = select(table.c.id).where(table.c.vpc_id == vpc_id, table.c.address == address)
    return tx.execute(statement).first() is not None


def address6_taken(tx: Transaction, vpc_id: VpcId, address6: str) -> bool:
    return rows.find_one(tx, Eni, schema.eni, vpc_id=vpc_id, address6=address6) is not None


def find_address(tx: Transaction, vswitch: VSwitch) -> int | None:
    """A free address of a vSwitch, or None if it is full.

    The search goes on where the last one ended, so that a freed address rests for a while.
    """
    usable = addresses.usable(vswitch.cidr)
    for start in (vswitch.next_address, usable.first):
        taken = _ascending(tx, _ADDRESSES, vswitch.vpc_id, start)
        found = addresses.next_free(usable, start, taken)
        if found is not None:
            rows.change(tx, schema.vswitch, {"id": vswitch.id}, next_address=found + 1)
            return found
    return None


def find_source(tx: Transaction, provider_vpc_id: VpcId) -> int | None:
    """A source address that no endpoint has in this provider's VPC, of whatever kind, or None.

    One that flows from before a migration still have is not free.
    """
    (lasts,) = _LAST_SOURCES.rows(tx, vpc_id=provider_vpc_id)
    beyond = max(last or 0 for last in lasts) + 1  # nothing is taken from there on
    for within in addresses.source_ranges():
        found = addresses.next_free(within, beyond, ())
        if found is None:
            taken = (_ascending(tx, each, provider_vpc_id, within.first) for each in _SOURCES)
            found = addresses.next_free(within, within.first, heapq.merge(*taken))
        if found is not None:
            return found
    return None


def add_eni(tx: Transaction, eni: Eni) -> None:
    rows.add(tx, schema.eni, eni)


def get_eni(tx: Transaction, eni_id: EniId) -> Eni:
    found = rows.find_one(tx, Eni, schema.eni, id=eni_id)
    assert found is not None, eni_id
    return found


def set_address6(tx: Transaction, eni_id: EniId, address6: str | None) -> None:
    """Give an ENI an IPv6 address, or take it away. Who has the ENI is the caller's to touch."""
    rows.change(tx, schema.eni, {"id": eni_id}, address6=address6)


def delete_eni(tx: Transaction, eni_id: EniId) -> None:
    tx.execute(delete(schema.eni).where(schema.eni.c.id == eni_id))
    labels.forget(tx, eni_id)


def enis_in(tx: Transaction, vswitch_id: VSwitchId) -> list[Eni]:
    table = schema.eni
    inside = select(table).where(table.c.vswitch_id == vswitch_id)
    return rows.all_of(tx, Eni, inside.order_by(table.c.address))


def count_enis(tx: Transaction, vswitch_ids: list[VSwitchId]) -> dict[VSwitchId, int]:
    """How many addresses are taken in each vSwitch."""
    table, counts = schema.eni, {}
    for chunk in rows.chunks(vswitch_ids):
        statement = select(table.c.vswitch_id, func.count()).where(table.c.vswitch_id.in_(chunk))
        for vswitch_id, count in tx.execute(statement.group_by(table.c.vswitch_id)):
            counts[VSwitchId(vswitch_id)] = int(count)
    return counts


def get_attachment(tx: Transaction, account_id: AccountId, attachment_id: str) -> Attachment | None:
    table = schema.attachment
    statement = select(table).where(table.c.id == attachment_id, table.c.account_id == account_id)
    return rows.one_of(tx, Attachment, statement)


def attachments(tx: Transaction, account_id: AccountId) -> list[Attachment]:
    table = schema.attachment
    ours = select(table).where(table.c.account_id == account_id)
    return rows.all_of(tx, Attachment, ours.order_by(table.c.number))


def count_attachments(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, schema.attachment, schema.attachment.c.account_id == account_id)


def attachment_of(tx: Transaction, eni_id: str) -> Attachment | None:
    table = schema.attachment
    return rows.one_of(tx, Attachment, select(table).where(table.c.eni_id == eni_id))


def add_attachment(tx: Transaction, attachment: Attachment, group_ids: Iterable[str] = ()) -> None:
    """Add a workload's place, in these security groups."""
    rows.add(tx, schema.attachment, attachment)
    members.join(tx, attachment.id, group_ids)


def mark_attachment_deleting(tx: Transaction, attachment_id: AttachmentId) -> None:
    """Begin to take a workload's place away. It is in no security group any more."""
    members.leave(tx, attachment_id, members.groups(tx, [attachment_id])[attachment_id])
    table = schema.attachment
    tx.execute(update(table).where(table.c.id == attachment_id).values(deleting=True))
    changes.touch(tx, changes.attachment_key(attachment_id), gone=True)


def set_all_unplugged(tx: Transaction) -> None:
    """Record that no workload's link is there."""
    tx.execute(update(schema.attachment).values(plugged=False))


def set_plugged(tx: Transaction, attachment_ids: Iterable[str], *, plugged: bool) -> None:
    """Record that workloads' links are there, or are not. Nothing changes for the nodes."""
    table = schema.attachment
    for chunk in rows.chunks(attachment_ids):
        tx.execute(update(table).where(table.c.id.in_(chunk)).values(plugged=plugged))


def deleting_attachments(tx: Transaction) -> list[Attachment]:
    table = schema.attachment
    return rows.all_of(tx, Attachment, select(table).where(table.c.deleting))


def delete_attachment(tx: Transaction, attachment: Attachment) -> None:
    tx.execute(delete(schema.attachment).where(schema.attachment.c.id == attachment.id))
    delete_eni(tx, attachment.eni_id)


def _ascending(tx: Transaction, statement: Prepared, vpc_id: VpcId, start: int) -> Iterator[int]:
    """Taken addresses from `start` on, ascending, fetched a few at a time."""
    while True:
        found = [number for (number,) in statement.rows(tx, vpc_id=vpc_id, start=start)]
        yield from found
        if len(found) < _AT_ONCE:
            return
        start = found[-1] + 1
