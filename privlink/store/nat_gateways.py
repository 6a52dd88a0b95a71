"""NAT gateways, their addresses and full-NAT entries, and what consumers let those reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, delete, func, select

from privlink.model.ids import (
    AccountId,
    EndpointId,
    FullNatEntryId,
    NatGatewayId,
    NatIpId,
    ServiceId,
)
from privlink.model.nat import EndpointTarget, FullNatEntry, NatGateway, NatIp
from privlink.model.privatelink import EndpointZone
from privlink.store import changes, doors, labels, networks, resolutions, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import PreparedIn

_gateway, _ip, _entry = schema.nat_gateway, schema.nat_ip, schema.full_nat_entry
_target, _zone = schema.endpoint_target, schema.endpoint_zone
_resource, _endpoint = schema.service_resource, schema.endpoint

_COUNTS = PreparedIn(
    lambda ids: (
        select(_entry.c.gateway_id, func.count())
        .where(_entry.c.gateway_id.in_(ids))
        .group_by(_entry.c.gateway_id)
    )
)


def get(tx: Transaction, account_id: AccountId, gateway_id: str) -> NatGateway | None:
    return rows.find_one(tx, NatGateway, _gateway, id=gateway_id, account_id=account_id)


def of_account(tx: Transaction, account_id: AccountId) -> list[NatGateway]:
    """An account's NAT gateways, oldest first."""
    found = rows.find(tx, NatGateway, _gateway, account_id=account_id)
    return sorted(found, key=lambda gateway: (gateway.created_at, gateway.id))


def count_in(tx: Transaction, vpc_id: str) -> int:
    return rows.count(tx, _gateway, _gateway.c.vpc_id == vpc_id)


def add(tx: Transaction, gateway: NatGateway, first: NatIp) -> None:
    """Add a NAT gateway with the address that it begins with."""
    rows.add(tx, _gateway, gateway)
    add_ip(tx, first)


def change(tx: Transaction, gateway: NatGateway) -> None:
    """Put a NAT gateway's name and description down as they are given. No node hears of these."""
    given = {"name": gateway.name, "description": gateway.description}
    rows.change(tx, _gateway, {"id": gateway.id}, **given)


def delete_gateway(tx: Transaction, gateway_id: NatGatewayId) -> None:
    """Delete a NAT gateway without entries, and its addresses with it."""
    for each in ips_of(tx, [gateway_id])[gateway_id]:
        delete_ip(tx, each)
    tx.execute(delete(_gateway).where(_gateway.c.id == gateway_id))
    labels.forget(tx, gateway_id)


def services_on(tx: Transaction, gateway_id: NatGatewayId) -> list[ServiceId]:
    """The endpoint services a NAT gateway is a resource of."""
    ours = select(_resource.c.service_id).where(_resource.c.resource_id == gateway_id)
    found = tx.execute(ours.distinct().order_by(_resource.c.service_id)).scalars()
    return [ServiceId(each) for each in found]


def ips_of(tx: Transaction, gateway_ids: Iterable[str]) -> dict[str, list[NatIp]]:
    """The addresses of NAT gateways, by gateway; the one that each began with comes first."""
    found: dict[str, list[NatIp]] = defaultdict(list)
    for each in rows.find_among(tx, NatIp, _ip, "gateway_id", gateway_ids, order="id"):
        found[each.gateway_id].append(each)
    return defaultdict(
        list,
        {
            gateway_id: sorted(ips, key=lambda each: not each.is_default)
            for gateway_id, ips in found.items()
        },
    )


def get_ip(tx: Transaction, nat_ip_id: str) -> NatIp | None:
    """An address, whosever gateway it is of."""
    return rows.find_one(tx, NatIp, _ip, id=nat_ip_id)


def add_ip(tx: Transaction, nat_ip: NatIp) -> None:
    rows.add(tx, _ip, nat_ip)
    changes.touch(tx, changes.nat_key(nat_ip.id))


def delete_ip(tx: Transaction, nat_ip: NatIp) -> None:
    """Delete an address that no entry uses, and give it back to its vSwitch."""
    tx.execute(delete(_ip).where(_ip.c.id == nat_ip.id))
    networks.delete_eni(tx, nat_ip.eni_id)
    changes.touch(tx, changes.nat_key(nat_ip.id), gone=True)


def get_entry(tx: Transaction, gateway_id: NatGatewayId, entry_id: str) -> FullNatEntry | None:
    return rows.find_one(tx, FullNatEntry, _entry, id=entry_id, gateway_id=gateway_id)


def entries(tx: Transaction, gateway_id: NatGatewayId) -> list[FullNatEntry]:
    """The entries of a NAT gateway, by id, which is by age."""
    return rows.find(tx, FullNatEntry, _entry, order="id", gateway_id=gateway_id)


def entries_to(tx: Transaction, endpoint_id: EndpointId) -> list[FullNatEntry]:
    """The entries that lead to an endpoint, by id."""
    return rows.find(tx, FullNatEntry, _entry, order="id", endpoint_id=endpoint_id)


def count_entries(tx: Transaction, gateway_ids: Iterable[str]) -> dict[str, int]:
    """How many entries NAT gateways have; those without any are left out."""
    return dict(_COUNTS.rows(tx, gateway_ids))


def uses(tx: Transaction, nat_ip_id: NatIpId) -> list[FullNatEntryId]:
    """The entries that use an address."""
    return [FullNatEntryId(each) for each in _entry_ids(tx, _entry.c.nat_ip_id == nat_ip_id)]


def ports_taken(tx: Transaction, nat_ip_id: NatIpId, protocol: str) -> set[int]:
    """The ports of an address that entries have."""
    ours = (_entry.c.nat_ip_id == nat_ip_id, _entry.c.protocol == protocol)
    return set(tx.execute(select(_entry.c.port).where(*ours)).scalars())


def add_entry(tx: Transaction, entry: FullNatEntry) -> None:
    rows.add(tx, _entry, entry)
    changes.touch(tx, changes.door_key(entry.id))


def change_entry(tx: Transaction, old: FullNatEntry, new: FullNatEntry) -> None:
    """Put an entry down as it is given. The nodes look again unless it is about people alone."""
    rows.change(tx, _entry, {"id": new.id}, **msgspec.structs.asdict(new))
    if (new.domain, new.endpoint_id) != (old.domain, old.endpoint_id):
        resolutions.forget_entry(tx, new.id)
    if msgspec.structs.replace(new, name=old.name, description=old.description) != old:
        changes.touch(tx, changes.door_key(new.id))


def delete_entry(tx: Transaction, entry: FullNatEntry) -> None:
    resolutions.forget_entry(tx, entry.id)
    tx.execute(delete(_entry).where(_entry.c.id == entry.id))
    changes.touch(tx, changes.door_key(entry.id), gone=True)


def zones_on(tx: Transaction, gateway_id: NatGatewayId) -> list[EndpointZone]:
    """The zones of endpoints that lead from a NAT gateway, by address."""
    open_here = select(_zone).where(_zone.c.resource_id == gateway_id, _zone.c.opening.is_not(None))
    return rows.all_of(tx, EndpointZone, open_here.order_by(_zone.c.eni_id))


def count_behind(tx: Transaction, gateway_id: str) -> int:
    """How many zones of endpoints there are of the services that a NAT gateway carries."""
    carried = select(_resource.c.service_id).where(_resource.c.resource_id == gateway_id)
    endpoints = select(_endpoint.c.id).where(_endpoint.c.service_id.in_(carried))
    return rows.count(tx, _zone, _zone.c.endpoint_id.in_(endpoints))


def zone_of_eni(tx: Transaction, eni_id: str) -> EndpointZone | None:
    """The endpoint zone that has an ENI, unless it is on its way out."""
    ours = select(_zone).where(_zone.c.eni_id == eni_id, ~_zone.c.deleting)
    return rows.one_of(tx, EndpointZone, ours)


def targets(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, list[EndpointTarget]]:
    """What consumers let providers call through endpoints; nothing listed is everything."""
    found: dict[str, list[EndpointTarget]] = defaultdict(list)
    for each in rows.find_among(
        tx, EndpointTarget, _target, "endpoint_id", endpoint_ids, order="cidr"
    ):
        found[each.endpoint_id].append(each)
    return found


def set_targets(tx: Transaction, endpoint_id: EndpointId, listed: Iterable[EndpointTarget]) -> None:
    """Put a list in the place of the one that was there, for the nodes to look at the doors."""
    forget_targets(tx, endpoint_id)
    rows.add(tx, _target, *listed)
    doors.touch_of_endpoint(tx, endpoint_id)


def forget_targets(tx: Transaction, endpoint_id: EndpointId) -> None:
    tx.execute(delete(_target).where(_target.c.endpoint_id == endpoint_id))


def _entry_ids(tx: Transaction, condition: ColumnElement[bool]) -> Iterable[str]:
    return tx.execute(select(_entry.c.id).where(condition).order_by(_entry.c.id)).scalars()
