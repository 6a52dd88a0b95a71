"""Endpoint services: what providers publish, on which load balancers, and for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, delete, or_, select

from privlink.model.ids import AccountId, ResourceId, ServiceId, ZoneId
from privlink.model.privatelink import (
    EndpointService,
    ServiceRegion,
    ServiceResource,
    ServiceUser,
)
from privlink.rules import sharing
from privlink.store import chosen_names, labels, pages, rows, schema, tally
from privlink.store.database import Transaction
from privlink.store.pages import Place, Wanted
from privlink.store.prepared import Prepared, PreparedIn, Query

_service, _resource, _region, _user = (
    schema.endpoint_service,
    schema.service_resource,
    schema.service_region,
    schema.service_user,
)


_RESOURCES = Query(
    ServiceResource,
    select(_resource)
    .where(_resource.c.service_id == bindparam("service_id"))
    .order_by(_resource.c.zone_id, _resource.c.resource_id),
)


_IDS = Prepared(select(_service.c.id).where(_service.c.account_id == bindparam("account_id")))
_ZONES = PreparedIn(
    lambda ids: (
        select(_resource.c.service_id, _resource.c.zone_id)
        .where(_resource.c.service_id.in_(ids))
        .distinct()
        .order_by(_resource.c.zone_id)
    )
)


def get(tx: Transaction, service_id: str) -> EndpointService | None:
    """A service, whoever owns it."""
    return rows.find_one(tx, EndpointService, _service, id=service_id)


def by_ids(tx: Transaction, service_ids: Iterable[str]) -> dict[ServiceId, EndpointService]:
    found = rows.find_among(tx, EndpointService, _service, "id", service_ids)
    return {service.id: service for service in found}


def count(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _service, _service.c.account_id == account_id)


def page(tx: Transaction, wanted: Wanted, after: Place, size: int) -> list[EndpointService]:
    """Some of the services wanted, the oldest first."""
    return pages.page(tx, EndpointService, _service, wanted, after, size)


def count_wanted(tx: Transaction, wanted: Wanted) -> int:
    """How many services are wanted."""
    return pages.count(tx, _service, wanted)


def ids_of_account(tx: Transaction, account_id: AccountId) -> list[ServiceId]:
    return [ServiceId(found) for (found,) in _IDS.rows(tx, account_id=account_id)]


def open_to(tx: Transaction, account_id: AccountId) -> set[ServiceId]:
    """The services an account may use, and those its endpoints are connected to."""
    might = (_user.c.user == account_id, _user.c.user == sharing.EVERYBODY)
    wide = or_(*might, _user.c.user.startswith("acs:"))
    shared = {
        user.service_id
        for user in rows.all_of(tx, ServiceUser, select(_user).where(wide))
        if sharing.allows([user.user], account_id)
    }
    return shared | tally.services_used(tx, account_id) | {*ids_of_account(tx, account_id)}


def change(tx: Transaction, service: EndpointService) -> None:
    """Put a service's settings down as they are given."""
    rows.change(tx, _service, {"id": service.id}, **msgspec.structs.asdict(service))


def add(tx: Transaction, service: EndpointService) -> None:
    rows.add(tx, _service, service)


def delete_service(tx: Transaction, service_id: ServiceId) -> None:
    """Delete a service with its name, resources, regions and allow list."""
    chosen_names.delete_service_name(tx, service_id)
    tx.execute(delete(_resource).where(_resource.c.service_id == service_id))
    tx.execute(delete(_region).where(_region.c.service_id == service_id))
    tx.execute(delete(_user).where(_user.c.service_id == service_id))
    tx.execute(delete(_service).where(_service.c.id == service_id))
    labels.forget(tx, service_id)


def resources(tx: Transaction, service_id: ServiceId) -> list[ServiceResource]:
    return _RESOURCES.all(tx, service_id=service_id)


def resource_ids(tx: Transaction, service_id: ServiceId) -> set[ResourceId]:
    """What carries a service, in whatever zone."""
    return {each.resource_id for each in resources(tx, service_id)}


def add_resources(tx: Transaction, added: Iterable[ServiceResource]) -> None:
    rows.add(tx, _resource, *added)


def change_resource(tx: Transaction, resource: ServiceResource) -> None:
    """Put the settings of a service's resource down as they are given."""
    key = {name: getattr(resource, name) for name in ("service_id", "resource_id", "zone_id")}
    rows.change(tx, _resource, key, auto_allocated=resource.auto_allocated)


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
    return zones_of(tx, [service_id])[service_id]


def zones_of(tx: Transaction, service_ids: Iterable[ServiceId]) -> dict[ServiceId, list[ZoneId]]:
    """The zones in which services have a resource, in order."""
    found: dict[ServiceId, list[ZoneId]] = defaultdict(list)
    for service_id, zone_id in _ZONES.rows(tx, service_ids):
        found[service_id].append(zone_id)
    return found


def users(tx: Transaction, service_id: ServiceId) -> list[ServiceUser]:
    return rows.find(tx, ServiceUser, _user, order="user", service_id=service_id)


def add_user(tx: Transaction, user: ServiceUser) -> None:
    """Put a user on the allow list; one that is on it stays."""
    if user not in users(tx, user.service_id):
        rows.add(tx, _user, user)


def delete_user(tx: Transaction, user: ServiceUser) -> None:
    """Take a user off the allow list; one that is not on it stays off."""
    ours = (_user.c.service_id == user.service_id, _user.c.user == user.user)
    tx.execute(delete(_user).where(*ours))


def regions(tx: Transaction, service_id: ServiceId) -> list[str]:
    """The regions whose consumers may use a service, in order."""
    return regions_of(tx, [service_id])[service_id]


def regions_of(tx: Transaction, service_ids: Iterable[ServiceId]) -> dict[ServiceId, list[str]]:
    """The regions whose consumers may use services, in order."""
    found: dict[ServiceId, list[str]] = defaultdict(list)
    for each in rows.find_among(
        tx, ServiceRegion, _region, "service_id", service_ids, order="region_id"
    ):
        found[each.service_id].append(each.region_id)
    return found


def add_region(tx: Transaction, service_id: ServiceId, region_id: str) -> None:
    """Offer a service in a region; one it is offered in stays."""
    if region_id not in regions(tx, service_id):
        rows.add(tx, _region, ServiceRegion(service_id, region_id))


def delete_region(tx: Transaction, service_id: ServiceId, region_id: str) -> None:
    """Offer a service in a region no more."""
    ours = (_region.c.service_id == service_id, _region.c.region_id == region_id)
    tx.execute(delete(_region).where(*ours))
