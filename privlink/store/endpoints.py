"""Endpoints, their zones and connections, with what the nodes have confirmed of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Select, delete, insert, or_, select, update

from privlink.model.ids import (
    EndpointId,
    LoadBalancerId,
    SecurityGroupId,
    ServiceId,
    VpcId,
    ZoneId,
)
from privlink.model.privatelink import (
    Connection,
    Endpoint,
    EndpointZone,
    ServiceResource,
)
from privlink.rules.lifecycle import ZoneFacts
from privlink.store import (
    changes,
    chosen_names,
    doors,
    labels,
    lives,
    members,
    named,
    networks,
    nodes,
    pages,
    rows,
    schema,
    services,
    tally,
)
from privlink.store.database import Transaction
from privlink.store.pages import Place, Wanted
from privlink.store.prepared import Prepared, PreparedIn

_endpoint, _zone, _connection = schema.endpoint, schema.endpoint_zone, schema.connection
_group = schema.endpoint_security_group

_ADD_GROUP = Prepared(insert(_group))
_GROUPS = PreparedIn(
    lambda ids: (
        select(_group.c.endpoint_id, _group.c.group_id)
        .where(_group.c.endpoint_id.in_(ids))
        .order_by(_group.c.group_id)
    )
)


class Facts(msgspec.Struct, frozen=True):
    """All that the statuses of an endpoint, its zones and its connection follow from."""

    endpoint: Endpoint
    connection: Connection
    service_exists: bool
    zones: tuple[ZoneFacts, ...]


def get(tx: Transaction, endpoint_id: str) -> Endpoint | None:
    """An endpoint, whoever owns it."""
    return rows.find_one(tx, Endpoint, _endpoint, id=endpoint_id)


def page(tx: Transaction, wanted: Wanted, after: Place, size: int) -> list[Endpoint]:
    """Some of the endpoints wanted, the oldest first."""
    return pages.page(tx, Endpoint, _endpoint, wanted, after, size)


def count(tx: Transaction, wanted: Wanted) -> int:
    """How many endpoints are wanted."""
    if wanted.is_all_of("account_id"):
        return tally.of_account(tx, wanted.equal["account_id"])
    if wanted.is_all_of("service_id"):
        return tally.of_services(tx, [wanted.equal["service_id"]])
    return pages.count(tx, _endpoint, wanted)


def in_vpc(tx: Transaction, vpc_id: VpcId) -> list[Endpoint]:
    return rows.all_of(tx, Endpoint, select(_endpoint).where(_endpoint.c.vpc_id == vpc_id))


def of_service(tx: Transaction, service_id: ServiceId) -> list[Endpoint]:
    """The endpoints that were made for a service and still exist, oldest first."""
    ours = select(_endpoint).where(_endpoint.c.service_id == service_id)
    return rows.all_of(tx, Endpoint, ours.order_by(_endpoint.c.created_at, _endpoint.c.id))


def facts(tx: Transaction, endpoints: Iterable[Endpoint]) -> list[Facts]:
    """What the statuses of these endpoints follow from, in their order."""
    wanted = list(endpoints)
    ids = [endpoint.id for endpoint in wanted]
    bonds = connections(tx, ids)
    zones: dict[EndpointId, list[EndpointZone]] = defaultdict(list)
    for zone in zones_of(tx, ids):
        zones[zone.endpoint_id].append(zone)
    group_ids = groups(tx, ids)
    keys = {zone: _keys(zone, group_ids) for some in zones.values() for zone in some}
    documents = (names_of(zone) for zone in keys)
    in_step = nodes.in_step(tx, [*chain.from_iterable(keys.values()), *filter(None, documents)])
    living = services.by_ids(tx, {endpoint.service_id for endpoint in wanted})
    return [
        Facts(
            endpoint,
            bonds[endpoint.id],
            endpoint.service_id in living,
            tuple(ZoneFacts(z, _is_confirmed(z, keys[z], in_step)) for z in zones[endpoint.id]),
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
    tally.added(tx, endpoint)
    _ADD_GROUP.many(tx, [{"endpoint_id": endpoint.id, "group_id": group_id} for group_id in groups])


def change(tx: Transaction, endpoint: Endpoint) -> None:
    """Put an endpoint's settings down as they are given. Nothing changes for the nodes."""
    rows.change(tx, _endpoint, {"id": endpoint.id}, **msgspec.structs.asdict(endpoint))


def set_groups(tx: Transaction, endpoint: Endpoint, groups: Iterable[SecurityGroupId]) -> None:
    """Put these security groups on an endpoint, for the nodes to look at again."""
    before = {group_id for _, group_id in _GROUPS.rows(tx, [endpoint.id])}
    after = list(groups)
    tx.execute(delete(_group).where(_group.c.endpoint_id == endpoint.id))
    _ADD_GROUP.many(tx, [{"endpoint_id": endpoint.id, "group_id": group_id} for group_id in after])
    members.touch(tx, before.symmetric_difference(after))
    doors.touch_of_endpoint(tx, endpoint.id)
    for zone in zones(tx, endpoint.id):
        if not zone.deleting:
            touch_zone(tx, zone)


def mark_deleting(tx: Transaction, endpoint_id: EndpointId) -> None:
    tx.execute(update(_endpoint).where(_endpoint.c.id == endpoint_id).values(deleting=True))


def deleting(tx: Transaction) -> list[Endpoint]:
    return rows.all_of(tx, Endpoint, select(_endpoint).where(_endpoint.c.deleting))


def delete_endpoint(tx: Transaction, endpoint: Endpoint) -> None:
    """Delete an endpoint that has no zones left."""
    chosen_names.forget_endpoint(tx, endpoint.id)
    for table in (_group, _connection, schema.endpoint_target, schema.endpoint_resolver):
        tx.execute(delete(table).where(table.c.endpoint_id == endpoint.id))
    tx.execute(delete(_endpoint).where(_endpoint.c.id == endpoint.id))
    tally.deleted(tx, endpoint)
    labels.forget(tx, endpoint.id)


def by_ids(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[EndpointId, Endpoint]:
    found = rows.find_among(tx, Endpoint, _endpoint, "id", endpoint_ids)
    return {endpoint.id: endpoint for endpoint in found}


def connections(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[EndpointId, Connection]:
    found = rows.find_among(tx, Connection, _connection, "endpoint_id", endpoint_ids)
    return {each.endpoint_id: each for each in found}


def get_connection(tx: Transaction, endpoint_id: EndpointId) -> Connection:
    found = rows.find_one(tx, Connection, _connection, endpoint_id=endpoint_id)
    assert found is not None, endpoint_id
    return found


def change_connection(tx: Transaction, connection: Connection) -> None:
    """Put a connection down as it is given. Its zones are the caller's to settle."""
    key = {"endpoint_id": connection.endpoint_id}
    rows.change(tx, _connection, key, **msgspec.structs.asdict(connection))


def groups(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, list[str]]:
    """The security groups of endpoints, by endpoint id."""
    found: dict[str, list[str]] = defaultdict(list)
    for endpoint_id, group_id in _GROUPS.rows(tx, endpoint_ids):
        found[endpoint_id].append(group_id)
    return found


def zones(tx: Transaction, endpoint_id: EndpointId) -> list[EndpointZone]:
    return zones_of(tx, [endpoint_id])


def zones_of(tx: Transaction, endpoint_ids: Iterable[str]) -> list[EndpointZone]:
    return rows.find_among(tx, EndpointZone, _zone, "endpoint_id", endpoint_ids, order="zone_id")


def zones_on(tx: Transaction, resource: ServiceResource) -> list[EndpointZone]:
    """The endpoint zones that a load balancer carries for one service in one zone."""
    ours = _of_service(resource.service_id, resource.zone_id)
    return rows.all_of(tx, EndpointZone, ours.where(_zone.c.resource_id == resource.resource_id))


def zones_left_on(tx: Transaction, resource: ServiceResource) -> list[EndpointZone]:
    """The endpoint zones that a graceful migration left flows of on a load balancer."""
    ours = _of_service(resource.service_id, resource.zone_id)
    left = ours.where(_zone.c.replaced_resource_id == resource.resource_id)
    return rows.all_of(tx, EndpointZone, left)


def zones_of_service(
    tx: Transaction, service_id: ServiceId, zone_id: ZoneId | None
) -> list[EndpointZone]:
    """The endpoint zones of a service, in one zone or in all."""
    return rows.all_of(tx, EndpointZone, _of_service(service_id, zone_id))


def unsettled_zones(tx: Transaction) -> list[EndpointZone]:
    """Zones that wait for a node to confirm them for the first time, or to be gone."""
    statement = select(_zone).where(or_(_zone.c.deleting, ~_zone.c.placed))
    return rows.all_of(tx, EndpointZone, statement)


def add_zone(tx: Transaction, zone: EndpointZone) -> None:
    rows.add(tx, _zone, zone)
    lives.begin(tx, zone)
    members.touch_of(tx, zone.endpoint_id)
    if zone.opening is not None:
        named.touch(tx, zone.endpoint_id)
    changes.touch(tx, changes.forward_key(zone.endpoint_id, zone.zone_id))


def set_zone(tx: Transaction, zone: EndpointZone) -> None:
    """Put a zone's new facts in the place of the old, for the nodes to look at again."""
    key = {"endpoint_id": zone.endpoint_id, "zone_id": zone.zone_id}
    rows.change(tx, _zone, key, **msgspec.structs.asdict(zone))
    if zone.deleting:
        lives.end(tx, zone)
        members.touch_of(tx, zone.endpoint_id)
    named.touch(tx, zone.endpoint_id)
    changes.touch(tx, changes.forward_key(zone.endpoint_id, zone.zone_id), gone=zone.deleting)
    doors.touch_of_zone(tx, zone.endpoint_id, zone.zone_id)


def touch_zone(tx: Transaction, zone: EndpointZone) -> None:
    """Have the nodes look at a zone again: how it may be used changed."""
    changes.touch(tx, changes.forward_key(zone.endpoint_id, zone.zone_id))


def touch_address(tx: Transaction, zone: EndpointZone) -> None:
    """Have nodes and names follow a zone whose address changed."""
    if zone.opening is not None:
        named.touch(tx, zone.endpoint_id)
    touch_zone(tx, zone)


def touch_names_of_service(tx: Transaction, service_id: ServiceId) -> None:
    """The same for all endpoints of a service that have names."""
    every = {zone.endpoint_id for zone in zones_of_service(tx, service_id, None)}
    named.touch(tx, *sorted(named.among(tx, every)))


def touch_open(tx: Transaction, zones: Iterable[EndpointZone]) -> None:
    """Have the nodes look again at those zones that are open: how they may be used changed."""
    for zone in zones:
        if zone.opening is not None:
            touch_zone(tx, zone)


def mark_placed(tx: Transaction, zone: EndpointZone) -> None:
    """Record that a node has confirmed a zone's address. Nothing changes for the nodes."""
    ours = update(_zone).where(
        _zone.c.endpoint_id == zone.endpoint_id, _zone.c.zone_id == zone.zone_id
    )
    tx.execute(ours.values(placed=True))


def delete_zone(tx: Transaction, zone: EndpointZone) -> None:
    """Delete a zone that the nodes no longer hold, and give its address back."""
    lives.end(tx, zone)
    chosen_names.forget_zone(tx, zone.endpoint_id, zone.zone_id)
    tx.execute(
        delete(_zone).where(
            _zone.c.endpoint_id == zone.endpoint_id, _zone.c.zone_id == zone.zone_id
        )
    )
    networks.delete_eni(tx, zone.eni_id)


def _keys(zone: EndpointZone, groups: Mapping[str, Iterable[str]]) -> list[str]:
    """The items a zone's status rests on: its own, and while it is open those it leads through."""
    keys = [changes.forward_key(zone.endpoint_id, zone.zone_id)]
    if zone.opening is not None and zone.resource_id is not None:
        # A NAT gateway has no such item: there is nothing to wait for.
        keys.append(changes.balancer_key(LoadBalancerId(zone.resource_id), zone.zone_id))
        keys += [changes.filter_key(SecurityGroupId(each)) for each in groups[zone.endpoint_id]]
    return keys


def names_of(zone: EndpointZone) -> str:
    """The key of the names that an open zone has with its endpoint's; empty without."""
    has_names = zone.opening is not None and zone.source is not None
    return changes.names_key(zone.endpoint_id) if has_names else ""


def _is_confirmed(zone: EndpointZone, keys: list[str], in_step: nodes.InStep) -> bool:
    document = names_of(zone)
    item = changes.forward_key(zone.endpoint_id, zone.zone_id)
    return in_step.confirms(*keys) and (not document or in_step.confirms_since(document, item))


def _of_service(service_id: ServiceId, zone_id: ZoneId | None) -> Select[Any]:
    joined = select(_zone).join(_endpoint, _endpoint.c.id == _zone.c.endpoint_id)
    ours = joined.where(_endpoint.c.service_id == service_id)
    return ours if zone_id is None else ours.where(_zone.c.zone_id == zone_id)
