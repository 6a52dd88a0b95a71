"""Endpoints, their zones and connections, with what the nodes have confirmed of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection as Transaction
from sqlalchemy import Select, delete, select, update

from privlink.model.ids import AccountId, EndpointId, SecurityGroupId, ServiceId, VpcId
from privlink.model.privatelink import Connection, Decision, Endpoint, EndpointZone
from privlink.rules.lifecycle import ZoneFacts
from privlink.store import changes, networks, nodes, rows, schema, services

_endpoint, _zone, _connection = schema.endpoint, schema.endpoint_zone, schema.connection
_group = schema.endpoint_security_group

T = TypeVar("T", bound=msgspec.Struct)


class Facts(msgspec.Struct, frozen=True):
    """All that the statuses of an endpoint, its zones and its connection follow from."""

    endpoint: Endpoint
    connection: Connection
    service_exists: bool
    zones: tuple[ZoneFacts, ...]


def get(tx: Transaction, endpoint_id: str) -> Endpoint | None:
    """An endpoint, whoever owns it."""
    return rows.one_of(tx, Endpoint, select(_endpoint).where(_endpoint.c.id == endpoint_id))


def of_account(tx: Transaction, account_id: AccountId) -> list[Endpoint]:
    ours = select(_endpoint).where(_endpoint.c.account_id == account_id)
    return rows.all_of(tx, Endpoint, ours.order_by(_endpoint.c.created_at, _endpoint.c.id))


def in_vpc(tx: Transaction, vpc_id: VpcId) -> list[Endpoint]:
    return rows.all_of(tx, Endpoint, select(_endpoint).where(_endpoint.c.vpc_id == vpc_id))


def of_service(tx: Transaction, service_id: ServiceId) -> list[Endpoint]:
    """The endpoints that were ever connected to a service and still exist."""
    joined = select(_endpoint).join(_connection, _connection.c.endpoint_id == _endpoint.c.id)
    ours = joined.where(_connection.c.service_id == service_id)
    return rows.all_of(tx, Endpoint, ours.order_by(_endpoint.c.created_at, _endpoint.c.id))


def of_provider(tx: Transaction, account_id: AccountId) -> list[Endpoint]:
    """The endpoints connected to any service of an account."""
    service = schema.endpoint_service
    joined = (
        select(_endpoint)
        .join(_connection, _connection.c.endpoint_id == _endpoint.c.id)
        .join(service, service.c.id == _connection.c.service_id)
        .where(service.c.account_id == account_id)
    )
    return rows.all_of(tx, Endpoint, joined.order_by(_endpoint.c.created_at, _endpoint.c.id))


def facts(tx: Transaction, endpoints: Iterable[Endpoint]) -> list[Facts]:
    """What the statuses of these endpoints follow from, in their order."""
    wanted = list(endpoints)
    ids = [endpoint.id for endpoint in wanted]
    connections = {c.endpoint_id: c for c in _by_endpoint(tx, Connection, select(_connection), ids)}
    zones: dict[EndpointId, list[EndpointZone]] = defaultdict(list)
    for zone in zones_of(tx, ids):
        zones[zone.endpoint_id].append(zone)
    keys = [changes.forward_key(z.endpoint_id, z.zone_id) for some in zones.values() for z in some]
    changed, in_step = changes.changed_at(tx, keys), nodes.in_step(tx)
    living = services.by_ids(tx, {endpoint.service_id for endpoint in wanted})

    def confirmed(zone: EndpointZone) -> ZoneFacts:
        key = changes.forward_key(zone.endpoint_id, zone.zone_id)
        return ZoneFacts(zone, in_step.confirms(key, changed.get(key, 0)))

    return [
        Facts(
            endpoint,
            connections[endpoint.id],
            endpoint.service_id in living,
            tuple(confirmed(zone) for zone in zones[endpoint.id]),
        )
        for endpoint in wanted
    ]


def add(
    tx: Transaction,
    endpoint: Endpoint,
    connection: Connection,
    groups: Iterable[SecurityGroupId],
) -> None:
    rows.add(tx, _endpoint, endpoint)
    rows.add(tx, _connection, connection)
    for group_id in groups:
        tx.execute(_group.insert().values(endpoint_id=endpoint.id, group_id=group_id))


def mark_deleting(tx: Transaction, endpoint_id: EndpointId) -> None:
    tx.execute(update(_endpoint).where(_endpoint.c.id == endpoint_id).values(deleting=True))


def deleting(tx: Transaction) -> list[Endpoint]:
    return rows.all_of(tx, Endpoint, select(_endpoint).where(_endpoint.c.deleting))


def delete_endpoint(tx: Transaction, endpoint_id: EndpointId) -> None:
    """Delete an endpoint that has no zones left."""
    for table in (_group, _connection):
        tx.execute(delete(table).where(table.c.endpoint_id == endpoint_id))
    tx.execute(delete(_endpoint).where(_endpoint.c.id == endpoint_id))


def get_connection(tx: Transaction, endpoint_id: EndpointId) -> Connection:
    statement = select(_connection).where(_connection.c.endpoint_id == endpoint_id)
    found = rows.one_of(tx, Connection, statement)
    assert found is not None, endpoint_id
    return found


def decide(tx: Transaction, endpoint_id: EndpointId, decision: Decision, now: str) -> None:
    """Record the provider's word on a connection."""
    ours = update(_connection).where(_connection.c.endpoint_id == endpoint_id)
    tx.execute(ours.values(decision=decision, modified_at=now))


def groups(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, list[str]]:
    """The security groups of endpoints, by endpoint id."""
    found: dict[str, list[str]] = defaultdict(list)
    for chunk in rows.chunks(endpoint_ids):
        statement = select(_group).where(_group.c.endpoint_id.in_(chunk))
        for row in tx.execute(statement.order_by(_group.c.group_id)):
            found[row.endpoint_id].append(row.group_id)
    return found


def zones(tx: Transaction, endpoint_id: EndpointId) -> list[EndpointZone]:
    return zones_of(tx, [endpoint_id])


def zones_of(tx: Transaction, endpoint_ids: Iterable[str]) -> list[EndpointZone]:
    return _by_endpoint(tx, EndpointZone, select(_zone).order_by(_zone.c.zone_id), endpoint_ids)


def zones_on(tx: Transaction, resource_id: str) -> list[EndpointZone]:
    """The endpoint zones a load balancer carries."""
    statement = select(_zone).where(_zone.c.resource_id == resource_id)
    return rows.all_of(tx, EndpointZone, statement)


def unsettled_zones(tx: Transaction) -> list[EndpointZone]:
    """Zones that wait for a node to confirm them for the first time, or to be gone."""
    statement = select(_zone).where(_zone.c.deleting | _zone.c.placed.is_(False))
    return rows.all_of(tx, EndpointZone, statement)


def add_zone(tx: Transaction, zone: EndpointZone) -> None:
    rows.add(tx, _zone, zone)
    changes.touch(tx, changes.forward_key(zone.endpoint_id, zone.zone_id))


def set_zone(tx: Transaction, zone: EndpointZone) -> None:
    """Put a zone's new facts in the place of the old, for the nodes to look at again."""
    ours = update(_zone).where(
        _zone.c.endpoint_id == zone.endpoint_id, _zone.c.zone_id == zone.zone_id
    )
    tx.execute(ours.values(msgspec.structs.asdict(zone)))
    changes.touch(tx, changes.forward_key(zone.endpoint_id, zone.zone_id), gone=zone.deleting)


def mark_placed(tx: Transaction, zone: EndpointZone) -> None:
    """Record that a node has confirmed a zone's address. Nothing changes for the nodes."""
    ours = update(_zone).where(
        _zone.c.endpoint_id == zone.endpoint_id, _zone.c.zone_id == zone.zone_id
    )
    tx.execute(ours.values(placed=True))


def delete_zone(tx: Transaction, zone: EndpointZone) -> None:
    """Delete a zone that the nodes no longer hold, and give its address back."""
    tx.execute(
        delete(_zone).where(
            _zone.c.endpoint_id == zone.endpoint_id, _zone.c.zone_id == zone.zone_id
        )
    )
    networks.delete_eni(tx, zone.eni_id)


def _by_endpoint(
    tx: Transaction, kind: type[T], statement: Select[Any], ids: Iterable[str]
) -> list[T]:
    column = statement.selected_columns["endpoint_id"]
    found: list[T] = []
    for chunk in rows.chunks(ids):
        found += rows.all_of(tx, kind, statement.where(column.in_(chunk)))
    return found
