"""The names that people choose. A change of any is told to whoever answers for the endpoint.

An endpoint has its service's name on only while that name is verified: whoever changes or takes a
name away switches it off wherever it was on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import delete, select

from privlink.model.chosen_names import EndpointAlias, EndpointPrivateName, ServicePrivateName
from privlink.model.ids import AccountId, EndpointId, ServiceId, VpcId, ZoneId
from privlink.model.naming import Alias
from privlink.store import named, rows, schema
from privlink.store.database import Transaction

_service_name, _switched, _alias = (
    schema.service_private_name,
    schema.endpoint_private_name,
    schema.endpoint_alias,
)


def of_service(tx: Transaction, service_id: str) -> ServicePrivateName | None:
    """The name of a service, whoever owns it."""
    return rows.find_one(tx, ServicePrivateName, _service_name, service_id=service_id)


def of_account(tx: Transaction, account_id: AccountId) -> list[ServicePrivateName]:
    """The names of an account's services, by the services' ids."""
    return rows.find(
        tx, ServicePrivateName, _service_name, order="service_id", account_id=account_id
    )


def every(tx: Transaction) -> list[ServicePrivateName]:
    """The names of all services, by the services' ids."""
    return rows.all_of(
        tx, ServicePrivateName, select(_service_name).order_by(_service_name.c.service_id)
    )


def set_service_name(tx: Transaction, name: ServicePrivateName) -> None:
    """Give a service this name in the place of the one it had."""
    delete_service_name(tx, name.service_id)
    rows.add(tx, _service_name, name)


def change_service_name(tx: Transaction, name: ServicePrivateName) -> None:
    """Put down what is known of a name now."""
    known = {each: getattr(name, each) for each in ("state", "verified_by", "verified_at")}
    rows.change(tx, _service_name, {"service_id": name.service_id}, **known)


def delete_service_name(tx: Transaction, service_id: ServiceId) -> None:
    """Take a service's name away, if it has one, and with it what it answers in consumers' VPCs."""
    for each in switched_on(tx, service_id):
        switch_off(tx, each.endpoint_id)
    tx.execute(delete(_service_name).where(_service_name.c.service_id == service_id))


def switched_on(tx: Transaction, service_id: ServiceId) -> list[EndpointPrivateName]:
    """The endpoints that have the name of their service on."""
    return rows.find(tx, EndpointPrivateName, _switched, order="endpoint_id", service_id=service_id)


def switched_on_count(tx: Transaction, service_ids: Iterable[ServiceId]) -> dict[ServiceId, int]:
    """How many endpoints have the names of services on."""
    found: dict[ServiceId, int] = defaultdict(int)
    for each in rows.find_among(tx, EndpointPrivateName, _switched, "service_id", service_ids):
        found[each.service_id] += 1
    return found


def is_on(tx: Transaction, endpoint_id: EndpointId) -> bool:
    """Whether an endpoint has the name of its service on."""
    found = rows.find_one(tx, EndpointPrivateName, _switched, endpoint_id=endpoint_id)
    return found is not None


def switch_on(tx: Transaction, name: EndpointPrivateName) -> None:
    rows.add(tx, _switched, name)
    named.touch(tx, name.endpoint_id)


def switch_off(tx: Transaction, endpoint_id: EndpointId) -> None:
    """Have an endpoint's VPC see the name of its service as everybody else does."""
    if tx.execute(delete(_switched).where(_switched.c.endpoint_id == endpoint_id)).rowcount:
        named.touch(tx, endpoint_id)


def private_names(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The names of their services that endpoints have on; those without are left out."""
    found = rows.find_among(tx, EndpointPrivateName, _switched, "endpoint_id", endpoint_ids)
    return {each.endpoint_id: (each.name,) for each in found}


def aliases(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, tuple[Alias, ...]]:
    """The aliases of endpoints, by name; those without are left out."""
    found: dict[str, list[Alias]] = defaultdict(list)
    for each in rows.find_among(
        tx, EndpointAlias, _alias, "endpoint_id", endpoint_ids, order="name"
    ):
        found[each.endpoint_id].append(Alias(each.name, each.zone_id))
    return {endpoint_id: tuple(some) for endpoint_id, some in found.items()}


def alias(tx: Transaction, endpoint_id: EndpointId, name: str) -> EndpointAlias | None:
    return rows.find_one(tx, EndpointAlias, _alias, endpoint_id=endpoint_id, name=name)


def alias_count(tx: Transaction, vpc_id: VpcId) -> int:
    """How many aliases there are in a VPC."""
    return rows.count(tx, _alias, _alias.c.vpc_id == vpc_id)


def add_alias(tx: Transaction, added: EndpointAlias) -> None:
    rows.add(tx, _alias, added)
    named.touch(tx, added.endpoint_id)


def delete_alias(tx: Transaction, gone: EndpointAlias) -> None:
    ours = (_alias.c.endpoint_id == gone.endpoint_id, _alias.c.name == gone.name)
    tx.execute(delete(_alias).where(*ours))
    named.touch(tx, gone.endpoint_id)


def claimed(
    tx: Transaction, vpc_id: VpcId, names: Iterable[str]
) -> tuple[list[EndpointAlias], list[EndpointPrivateName]]:
    """The aliases, and the names of services that are on, in a VPC, that are any of these."""
    listed = list(names)
    found = select(_alias).where(_alias.c.vpc_id == vpc_id, _alias.c.name.in_(listed))
    on = select(_switched).where(_switched.c.vpc_id == vpc_id, _switched.c.name.in_(listed))
    return (
        rows.all_of(tx, EndpointAlias, found.order_by(_alias.c.endpoint_id)),
        rows.all_of(tx, EndpointPrivateName, on.order_by(_switched.c.endpoint_id)),
    )


def forget_zone(tx: Transaction, endpoint_id: EndpointId, zone_id: ZoneId) -> None:
    """Forget the aliases of a zone, which is going away."""
    ours = (_alias.c.endpoint_id == endpoint_id, _alias.c.zone_id == zone_id)
    if tx.execute(delete(_alias).where(*ours)).rowcount:
        named.touch(tx, endpoint_id)


def forget_endpoint(tx: Transaction, endpoint_id: EndpointId) -> None:
    """Forget what an endpoint was called, which is going away. Its document goes with it."""
    for table in (_switched, _alias):
        tx.execute(delete(table).where(table.c.endpoint_id == endpoint_id))
