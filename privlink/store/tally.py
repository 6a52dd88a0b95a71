"""How many endpoints there are, kept beside them, because counting takes as long as there are many.

Whoever adds or deletes an endpoint says so here, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.ids import AccountId, ServiceId, VpcId
from privlink.model.privatelink import Endpoint
from privlink.store import schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn

_tally = schema.tally
_NAMES = 4  # of one endpoint
_INSERT = upsert(_tally).values(
    [{"name": bindparam(f"name{n}"), "count": bindparam(f"count{n}")} for n in range(_NAMES)]
)
_ADD = Prepared(
    _INSERT.on_conflict_do_update(
        index_elements=["name"], set_={"count": _tally.c.count + _INSERT.excluded["count"]}
    )
)
_DROP = Prepared(delete(_tally).where(_tally.c.name == bindparam("name"), _tally.c.count == 0))
_COUNTS = PreparedIn(lambda names: select(_tally.c.count).where(_tally.c.name.in_(names)))
_BONDS = Prepared(
    select(_tally.c.name).where(
        _tally.c.name >= bindparam("first"), _tally.c.name < bindparam("beyond")
    )
)


def added(tx: Transaction, endpoint: Endpoint) -> None:
    """There is one endpoint more."""
    _add(tx, endpoint, 1)


def deleted(tx: Transaction, endpoint: Endpoint) -> None:
    """There is one endpoint less."""
    _add(tx, endpoint, -1)
    _DROP.many(tx, [{"name": name} for name in _names(endpoint)])


def of_account(tx: Transaction, account_id: AccountId) -> int:
    return _sum(tx, [f"account/{account_id}"])


def in_vpc(tx: Transaction, vpc_id: VpcId) -> int:
    return _sum(tx, [f"vpc/{vpc_id}"])


def of_services(tx: Transaction, service_ids: Iterable[ServiceId]) -> int:
    return _sum(tx, [f"service/{service_id}" for service_id in service_ids])


def services_used(tx: Transaction, account_id: AccountId) -> set[ServiceId]:
    """The services that endpoints of an account were made for."""
    prefix = f"bond/{account_id}/"
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    found = _BONDS.rows(tx, first=prefix, beyond=beyond)
    return {ServiceId(name.removeprefix(prefix)) for (name,) in found}


def _add(tx: Transaction, endpoint: Endpoint, count: int) -> None:
    names = {f"name{number}": name for number, name in enumerate(_names(endpoint))}
    _ADD.run(tx, **names, **{f"count{number}": count for number in range(_NAMES)})


def _names(endpoint: Endpoint) -> tuple[str, ...]:
    return (
        f"account/{endpoint.account_id}",
        f"vpc/{endpoint.vpc_id}",
        f"service/{endpoint.service_id}",
        f"bond/{endpoint.account_id}/{endpoint.service_id}",
    )


def _sum(tx: Transaction, names: list[str]) -> int:
    return sum(count for (count,) in _COUNTS.rows(tx, names))
