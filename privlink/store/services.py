"""Endpoint services: what providers publish, on which load balancers, and for whom."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select

from privlink.model.ids import AccountId, ServiceId, ZoneId
from privlink.model.privatelink import EndpointService, ServiceResource, ServiceUser
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Query

_service, _resource, _user = (
    schema.endpoint_service,
    schema.service_resource,
    schema.service_user,
)


_RESOURCES = Query(
    ServiceResource,
    select(_resource)
    .where(_resource.c.service_id == bindparam("service_id"))
    .order_by(_resource.c.zone_id, _resource.c.resource_id),
)


def get(tx: Transaction, service_id: str) -> EndpointService | None:
    """A service, whoever owns it."""
    return rows.find_one(tx, EndpointService, _service, id=service_id)


def by_ids(tx: Transaction, service_ids: Iterable[str]) -> dict[ServiceId, EndpointService]:
    found = rows.find_among(tx, EndpointService, _service, "id", service_ids)
    return {service.id: service for service in found}


def count(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _service, _service.c.account_id == account_id)


def add(tx: Transaction, service: EndpointService) -> None:
    rows.add(tx, _service, service)


def delete_service(tx: Transaction, service_id: ServiceId) -> None:
    """Delete a service with its resources and allow list."""
    tx.execute(delete(_resource).where(_resource.c.service_id == service_id))
    tx.execute(delete(_user).where(_user.c.service_id == service_id))
    tx.execute(delete(_service).where(_service.c.id == service_id))


def resources(tx: Transaction, service_id: ServiceId) -> list[ServiceResource]:
    return _RESOURCES.all(tx, service_id=service_id)


def add_resources(tx: Transaction, added: Iterable[ServiceResource]) -> None:
    rows.add(tx, _resource, *added)


def delete_resource(tx: Transaction, resource: ServiceResource) -> None:
    tx.execute(
        delete(_resource).where(
            _resource.c.service_id == resource.service_id,
            _resource.c.resource_id == resource.resource_id,
            _resource.c.zone_id == resource.zone_id,
        )
    )


def zones(tx: Transaction, service_id: ServiceId) -> list[ZoneId]:
    """The zones in which a service has a resource."""
    statement = select(_resource.c.zone_id).where(_resource.c.service_id == service_id).distinct()
    return sorted(ZoneId(zone) for zone in tx.execute(statement).scalars())


def users(tx: Transaction, service_id: ServiceId) -> list[ServiceUser]:
    return rows.find(tx, ServiceUser, _user, order="user", service_id=service_id)


def add_user(tx: Transaction, user: ServiceUser) -> None:
    """Put a user on the allow list; one that is on it stays."""
    if user not in users(tx, user.service_id):
        rows.add(tx, _user, user)
