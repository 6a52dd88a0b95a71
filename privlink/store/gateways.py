"""Gateway services and endpoints, the routes to these, and what the nodes have confirmed of them.

A service's blocks are on a prefix list of the system's. An endpoint is a forward of its own and a
route in each associated table, so whatever changes here puts both into the feed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import delete, or_, select

from privlink.model.gateway import GatewayAssociation, GatewayEndpoint, GatewayService
from privlink.model.ids import AccountId, RouteTableId, ServiceId, VpcId, VSwitchId
from privlink.model.security import PrefixList, PrefixListEntry
from privlink.rules.gateway import AssociationFacts, GatewayFacts
from privlink.store import changes, labels, lives, nodes, prefix_lists, routes, rows, schema
from privlink.store.database import Transaction

_service, _endpoint, _association = (
    schema.gateway_service,
    schema.gateway_endpoint,
    schema.gateway_association,
)


def service(tx: Transaction, service_id: str) -> GatewayService | None:
    return rows.find_one(tx, GatewayService, _service, id=service_id)


def service_named(tx: Transaction, name: str) -> GatewayService | None:
    return rows.find_one(tx, GatewayService, _service, name=name)


def service_of_list(tx: Transaction, list_id: str) -> GatewayService | None:
    """The service whose blocks are on a prefix list of the system's."""
    return rows.find_one(tx, GatewayService, _service, prefix_list_id=list_id)


def all_services(tx: Transaction) -> list[GatewayService]:
    """Every service, the oldest first."""
    return rows.find(tx, GatewayService, _service, order="id")


def services_by_ids(tx: Transaction, service_ids: Iterable[str]) -> dict[str, GatewayService]:
    found = rows.find_among(tx, GatewayService, _service, "id", service_ids)
    return {each.id: each for each in found}


def services_in(tx: Transaction, vswitch_id: VSwitchId) -> list[GatewayService]:
    return rows.find(tx, GatewayService, _service, order="id", vswitch_id=vswitch_id)


def blocks(tx: Transaction, services: Iterable[GatewayService]) -> dict[ServiceId, list[str]]:
    """The blocks of services, by service."""
    by_list = {each.prefix_list_id: each.id for each in services}
    listed = prefix_lists.entries(tx, by_list)
    return {
        service_id: [entry.cidr for entry in listed[list_id]]
        for list_id, service_id in by_list.items()
    }


def add_service(
    tx: Transaction, made: GatewayService, prefix_list: PrefixList, blocks: Iterable[str]
) -> None:
    listed = [PrefixListEntry(prefix_list.id, block, "") for block in blocks]
    prefix_lists.add(tx, prefix_list, listed)
    rows.add(tx, _service, made)


def delete_service(tx: Transaction, gone: GatewayService) -> None:
    """Delete a service without endpoints, and its prefix list."""
    tx.execute(delete(_service).where(_service.c.id == gone.id))
    prefix_lists.delete_list(tx, gone.prefix_list_id)


def get(tx: Transaction, endpoint_id: str) -> GatewayEndpoint | None:
    """A gateway endpoint, whoever owns it."""
    return rows.find_one(tx, GatewayEndpoint, _endpoint, id=endpoint_id)


def by_ids(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, GatewayEndpoint]:
    found = rows.find_among(tx, GatewayEndpoint, _endpoint, "id", endpoint_ids)
    return {each.id: each for each in found}


def of_account(tx: Transaction, account_id: AccountId) -> list[GatewayEndpoint]:
    """The gateway endpoints of an account, the oldest first."""
    return rows.find(tx, GatewayEndpoint, _endpoint, order="id", account_id=account_id)


def in_vpc(tx: Transaction, vpc_id: VpcId) -> list[GatewayEndpoint]:
    return rows.find(tx, GatewayEndpoint, _endpoint, order="id", vpc_id=vpc_id)


def of_services(
    tx: Transaction, service_ids: Iterable[str]
) -> dict[ServiceId, list[GatewayEndpoint]]:
    """The endpoints of services, by service."""
    found: dict[ServiceId, list[GatewayEndpoint]] = defaultdict(list)
    for each in rows.find_among(
        tx, GatewayEndpoint, _endpoint, "service_id", service_ids, order="id"
    ):
        found[each.service_id].append(each)
    return found


def add(tx: Transaction, endpoint: GatewayEndpoint, provider_id: AccountId) -> None:
    rows.add(tx, _endpoint, endpoint)
    lives.begin_unpaid(tx, endpoint, provider_id)
    changes.touch(tx, changes.gateway_key(endpoint.id))


def change(tx: Transaction, endpoint: GatewayEndpoint) -> None:
    """Put an endpoint's name, description and policy down. Nothing changes for the nodes."""
    given = {"name": endpoint.name, "description": endpoint.description, "policy": endpoint.policy}
    rows.change(tx, _endpoint, {"id": endpoint.id}, **given)


def mark_placed(tx: Transaction, endpoint: GatewayEndpoint) -> None:
    """Record that a node has confirmed an endpoint. Nothing changes for the nodes."""
    rows.change(tx, _endpoint, {"id": endpoint.id}, placed=True)


def begin_deleting(tx: Transaction, endpoint: GatewayEndpoint) -> None:
    """Begin to take an endpoint away: its routes first, then itself."""
    for each in associations(tx, [endpoint.id])[endpoint.id]:
        if not each.leaving:
            dissociate(tx, endpoint, each.table_id)
    rows.change(tx, _endpoint, {"id": endpoint.id}, deleting=True)
    lives.end_place(tx, endpoint.number)
    changes.touch(tx, changes.gateway_key(endpoint.id), gone=True)


def delete_endpoint(tx: Transaction, endpoint: GatewayEndpoint) -> None:
    """Delete an endpoint that no node holds any more, nor any route to it."""
    tx.execute(delete(_endpoint).where(_endpoint.c.id == endpoint.id))
    labels.forget(tx, endpoint.id)


def associations(
    tx: Transaction, endpoint_ids: Iterable[str]
) -> dict[str, list[GatewayAssociation]]:
    """The associations of endpoints, those that leave among them, by endpoint."""
    found: dict[str, list[GatewayAssociation]] = defaultdict(list)
    for each in rows.find_among(
        tx, GatewayAssociation, _association, "endpoint_id", endpoint_ids, order="table_id"
    ):
        found[each.endpoint_id].append(each)
    return found


def associate(
    tx: Transaction,
    endpoint: GatewayEndpoint,
    served: GatewayService,
    table_id: RouteTableId,
    now: str,
) -> None:
    """Write the route to an endpoint into a table. One that was leaving stays."""
    key = {"endpoint_id": endpoint.id, "table_id": table_id}
    if not rows.change(tx, _association, key, held=False, leaving=False):
        rows.add(tx, _association, GatewayAssociation(endpoint.id, table_id))
    routes.add_system(tx, table_id, served.prefix_list_id, endpoint.id, now)


def dissociate(tx: Transaction, endpoint: GatewayEndpoint, table_id: RouteTableId) -> None:
    """Take the route out of a table. The nodes' word ends the association."""
    routes.remove_system(tx, table_id, endpoint.id)
    key = {"endpoint_id": endpoint.id, "table_id": table_id}
    rows.change(tx, _association, key, leaving=True)


def mark_held(tx: Transaction, association: GatewayAssociation) -> None:
    """Record that a node has confirmed a route. Nothing changes for the nodes."""
    key = {"endpoint_id": association.endpoint_id, "table_id": association.table_id}
    rows.change(tx, _association, key, held=True)


def delete_association(tx: Transaction, association: GatewayAssociation) -> None:
    tx.execute(
        delete(_association).where(
            _association.c.endpoint_id == association.endpoint_id,
            _association.c.table_id == association.table_id,
        )
    )


def facts(tx: Transaction, endpoints: Iterable[GatewayEndpoint]) -> list[GatewayFacts]:
    """What the statuses of these endpoints follow from, in their order."""
    listed = list(endpoints)
    found = associations(tx, [each.id for each in listed])
    keys = [changes.gateway_key(each.id) for each in listed]
    keys += [changes.table_key(each.table_id) for some in found.values() for each in some]
    in_step = nodes.in_step(tx, keys)
    return [
        GatewayFacts(
            endpoint,
            in_step.confirms(changes.gateway_key(endpoint.id)),
            tuple(
                AssociationFacts(each, in_step.confirms(changes.table_key(each.table_id)))
                for each in found[endpoint.id]
            ),
        )
        for endpoint in listed
    ]


def unsettled(tx: Transaction) -> list[GatewayEndpoint]:
    """Endpoints that wait for a node to confirm them for the first time, or to be gone."""
    statement = select(_endpoint).where(or_(_endpoint.c.deleting, ~_endpoint.c.placed))
    return rows.all_of(tx, GatewayEndpoint, statement)


def unsettled_associations(tx: Transaction) -> list[GatewayAssociation]:
    """The same for associations."""
    statement = select(_association).where(or_(_association.c.leaving, ~_association.c.held))
    return rows.all_of(tx, GatewayAssociation, statement)
