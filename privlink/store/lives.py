"""For how long each endpoint zone was there, and who pays for it: kept when it is gone.

A gateway endpoint has no zones and is in none: it counts as one place, which nobody pays for.

Written in the transaction that creates or deletes it, so neither is without the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from privlink.model.gateway import GatewayEndpoint
from privlink.model.ids import AccountId
from privlink.model.privatelink import EndpointZone
from privlink.model.traffic import ZoneLife
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn

_life, _endpoint, _service = schema.zone_life, schema.endpoint, schema.endpoint_service
_zone = schema.endpoint_zone
_SERIES: Mapping[str, ColumnElement[str]] = {
    **{name: _life.c[name] for name in ("service_id", "endpoint_id", "zone_id", "eni_id")},
    "resource_id": func.coalesce(_zone.c.resource_id, ""),
}

# Parameters have other names than the columns, which SQLAlchemy keeps for itself.
_BEGIN = Prepared(
    insert(_life).from_select(
        [column.name for column in _life.columns],
        select(
            bindparam("number"),
            _endpoint.c.id,
            bindparam("zone"),
            bindparam("eni"),
            _endpoint.c.account_id,
            _endpoint.c.service_id,
            _service.c.account_id,
            case(
                (_service.c.payer == literal("EndpointService"), _service.c.account_id),
                else_=_endpoint.c.account_id,
            ),
            bindparam("now"),
            bindparam("never"),
        )
        .join_from(_endpoint, _service, _service.c.id == _endpoint.c.service_id)
        .where(_endpoint.c.id == bindparam("endpoint")),
    )
)
_END = Prepared(
    update(_life)
    .where(_life.c.place == bindparam("number"), _life.c.ended.is_(None))
    .values(ended=bindparam("now"))
)
_KNOWN = PreparedIn(lambda places: select(_life.c.place).where(_life.c.place.in_(places)))


def begin(tx: Transaction, zone: EndpointZone) -> None:
    """A zone of an endpoint is created. Who pays was settled when the service was."""
    _BEGIN.run(
        tx,
        number=zone.number,
        endpoint=zone.endpoint_id,
        zone=zone.zone_id,
        eni=zone.eni_id,
        now=int(time.time()),
        never=None,
    )


def begin_unpaid(tx: Transaction, endpoint: GatewayEndpoint, provider_id: AccountId) -> None:
    """A gateway endpoint is created. The cloud charges nothing for one, and neither do we."""
    life = ZoneLife(
        place=endpoint.number,
        endpoint_id=endpoint.id,
        zone_id="",
        eni_id="",
        account_id=endpoint.account_id,
        service_id=endpoint.service_id,
        provider_id=provider_id,
        payer_id="",
        begun=int(time.time()),
        ended=None,
    )
    rows.add(tx, _life, life)


def end(tx: Transaction, zone: EndpointZone) -> None:
    """It is deleted. Saying so again changes nothing."""
    end_place(tx, zone.number)


def end_place(tx: Transaction, place: int) -> None:
    """The same for whatever is counted under a place."""
    _END.run(tx, number=place, now=int(time.time()))


def known(tx: Transaction, places: Iterable[int]) -> set[int]:
    """Those of the places that are, or were, endpoint zones."""
    return {place for (place,) in _KNOWN.rows(tx, places)}


def living(tx: Transaction) -> list[ZoneLife]:
    """Every zone there is."""
    return rows.all_of(tx, ZoneLife, select(_life).where(_life.c.ended.is_(None)))


def between(
    tx: Transaction, start: int, end: int, after: int, size: int, **equal: str
) -> list[ZoneLife]:
    """Zones that were there in some time (seconds since 1970), by place, from after a place on."""
    statement = _having(equal).where(_life.c.begun < end, _life.c.place > after)
    there = statement.where(or_(_life.c.ended.is_(None), _life.c.ended >= start))
    return rows.all_of(tx, ZoneLife, there.order_by(_life.c.place).limit(size))


def by_series(
    tx: Transaction,
    names: Sequence[str],
    start: int,
    end: int,
    *,
    since: Sequence[str] = (),
    among: Sequence[Mapping[str, str]] = (),
    **equal: str,
) -> Iterator[tuple[str, ...]]:
    """Zones that were there in some time (seconds since 1970), series by series.

    Rows are the values of the columns named and then the place, in that order. A zone's
    `resource_id` is the load balancer that it leads to now. `since` are the values at which to
    begin; `among`: only what has all values of one of these. Rows are read as they are taken.
    """
    columns = [_SERIES[name] for name in names]
    there = or_(_life.c.ended.is_(None), _life.c.ended >= start)
    statement = select(*columns, _life.c.place).where(_life.c.begun < end, there)
    if "resource_id" in names:
        statement = statement.outerjoin(_zone, _zone.c.number == _life.c.place)
    for name, value in equal.items():
        statement = statement.where(_life.c[name] == value)
    for name in names:  # what all have in common is what an index can look for
        values = {each.get(name) for each in among}
        if values and None not in values:
            statement = statement.where(_SERIES[name].in_(values))
    if among:
        each_of = (and_(true(), *(_SERIES[n] == v for n, v in of.items())) for of in among)
        statement = statement.where(or_(*each_of))
    if since:
        statement = statement.where(_from(columns, since))
    found = tx.execute(statement.order_by(*columns))
    try:
        for row in found:
            yield tuple(row)
    finally:
        found.close()  # one that stays open keeps its picture of the database beyond this call


def _from(columns: Sequence[ColumnElement[str]], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether columns, in their order, are these values or come after them."""
    first, value = columns[0], values[0]
    if len(columns) == 1:
        return first >= value
    # The first of the two is all that an index needs, and does not see in the second.
    return and_(first >= value, or_(first > value, _from(columns[1:], values[1:])))


def any_of(tx: Transaction, **equal: str) -> bool:
    """Whether there is, or was, a zone with these values."""
    return tx.execute(_having(equal).limit(1)).first() is not None


def _having(equal: dict[str, str]) -> Select[Any]:
    return select(_life).where(*(_life.c[name] == value for name, value in equal.items()))
