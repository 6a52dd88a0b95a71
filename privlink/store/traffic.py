"""What nodes counted, taken in exactly once: what is new, and what it is new against, together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Table, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.ids import NodeId
from privlink.model.traffic import Counters, PlaceTraffic, Usage
from privlink.rules import metering
from privlink.store import lives, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

KEPT_MINUTES: Final = 6 * 60
_DAY: Final = 24 * 3600  # for so long a message of an earlier life may be under way
_SEEN: Final = 3600  # the age at which the time a life was last seen is written anew

_life, _last, _past = schema.traffic_life, schema.traffic_last, schema.traffic_past
_USAGE = Usage.__struct_fields__


def _insert(table: Table) -> tuple[Insert, list[str]]:
    put = upsert(table).values({each.name: bindparam(each.name) for each in table.columns})
    return put, [column.name for column in table.primary_key]


def _put(table: Table) -> Prepared:
    """Put a row in the place of one with the same key."""
    put, keys = _insert(table)
    rest = {each.name: put.excluded[each.name] for each in table.columns if each.name not in keys}
    return Prepared(put.on_conflict_do_update(index_elements=keys, set_=rest))


def _add(table: Table) -> Prepared:
    """Add usage to a row with the same key."""
    put, keys = _insert(table)
    sums = {name: table.c[name] + put.excluded[name] for name in _USAGE}
    return Prepared(put.on_conflict_do_update(index_elements=keys, set_=sums))


_PUT_LIFE, _PUT_LAST, _PUT_PAST = _put(_life), _put(_last), _put(_past)
_ADD_HOUR, _ADD_MINUTE = _add(schema.usage_hour), _add(schema.usage_minute)
# Not a join: the planner would walk all that a life of a node counted, and look up whose it was.
_LIVING = select(schema.zone_life.c.place).where(schema.zone_life.c.ended.is_(None))
_LIVING_PASTS = Prepared(select(_past.c.place, _past.c.counters).where(_past.c.place.in_(_LIVING)))
_LIVING_LASTS = Prepared(
    select(_last.c.place, _last.c.flows, _last.c.counters).where(
        _last.c.node_id == bindparam("node_id"),
        _last.c.life == bindparam("life"),
        _last.c.place.in_(_LIVING),
    )
)
_FORGET = Prepared(
    delete(schema.usage_minute).where(schema.usage_minute.c.minute < bindparam("first"))
)


class Life(msgspec.Struct, frozen=True):
    """A life of a node's counters."""

    node_id: NodeId
    life: int
    newest: bool
    over: bool
    seen: int  # seconds since 1970; exact to an hour


class Last(msgspec.Struct, frozen=True):
    """What a node last said of a place."""

    node_id: NodeId
    life: int
    place: int
    born: int  # microseconds of the node's clock; 0: not known
    flows: int
    counters: str


class Totals(msgspec.Struct, frozen=True):
    """All that was ever counted of a place, and its flows now."""

    counters: Counters
    flows: int


def take(
    tx: Transaction, node_id: NodeId, life: int, said: Sequence[PlaceTraffic], moment: int
) -> None:
    """Take in what a node counted, at a moment (seconds since 1970).

    What is older than what is known, of a life that is over, or of no endpoint, changes nothing.
    Counters that were born later than those known count from 0, and what those had is past.
    """
    if not _see(tx, node_id, life, moment):
        return
    known = lives.known(tx, [each.place for each in said]) if said else set()
    last = {each.place: each for each in _lasts(tx, node_id, life, known)}
    grown: dict[int, Usage] = {}
    changed: dict[int, Last] = {}
    over: list[Last] = []
    for each in said:
        if each.place not in known:
            continue
        before = changed.get(each.place) or last.get(each.place)
        if before is not None and each.born < before.born:
            continue
        if before is not None and each.born > before.born > 0:
            over.append(before)
            before = None
        growth = metering.growth(each.counters, _counters(before))
        if growth is None:
            continue
        changed[each.place] = Last(
            node_id, life, each.place, each.born, each.flows, _text(each.counters)
        )
        usage = metering.usage(growth)
        twice = grown.get(each.place)
        grown[each.place] = usage if twice is None else _plus(twice, usage)
    _lay_by(tx, over)
    different = [each for each in changed.values() if each != last.get(each.place)]
    if different:
        _PUT_LAST.insert(tx, different)
    used = [(place, usage) for place, usage in grown.items() if any(_values(usage).values())]
    if used:
        hour, minute = moment // 3600, moment // 60
        usages = [{"place": place, **_values(usage)} for place, usage in used]
        _ADD_HOUR.many(tx, [{"hour": hour, **each} for each in usages])
        _ADD_MINUTE.many(tx, [{"minute": minute, **each} for each in usages])
    _FORGET.run(tx, first=moment // 60 - KEPT_MINUTES)


def totals(tx: Transaction) -> dict[int, Totals]:
    """Everything counted so far, by place, of the endpoint zones there are."""
    found = {place: Totals(_read(text), 0) for place, text in _LIVING_PASTS.rows(tx)}
    lives_on = rows.all_of(tx, Life, select(_life).where(_life.c.over.is_(False)))
    for life in lives_on:
        for place, flows, text in _LIVING_LASTS.rows(tx, node_id=life.node_id, life=life.life):
            counters, now = _read(text), flows if life.newest else 0
            before = found.get(place)
            if before is not None:
                counters, now = metering.total(before.counters, counters), before.flows + now
            found[place] = Totals(counters, now)
    return found


def hours(
    tx: Transaction, places: Iterable[int], first: int, beyond: int
) -> dict[int, list[tuple[int, Usage]]]:
    """Usage by hour (since 1970) from `first` till before `beyond`, by place; no zeros."""
    table = schema.usage_hour
    statement = select(table).where(table.c.hour >= first, table.c.hour < beyond)
    return _used(tx, statement, table, places, "hour")


def bytes_by(
    tx: Transaction, places: Iterable[int], first: int, beyond: int, step: int
) -> list[tuple[int, int, int, int]]:
    """Bytes in and out by place and number of step, each of so many hours; one of all if it is 0.

    Rows are (place, hour // step, in, out).
    """
    table = schema.usage_hour
    bucket = table.c.hour // step if step else literal(0)
    statement = (
        select(table.c.place, bucket, func.sum(table.c.bytes_in), func.sum(table.c.bytes_out))
        .where(table.c.hour >= first, table.c.hour < beyond, table.c.place.in_(list(places)))
        .group_by(table.c.place, bucket)
    )
    return [tuple(row) for row in tx.execute(statement)]


def minutes(
    tx: Transaction, places: Iterable[int], first: int, beyond: int
) -> dict[int, list[tuple[int, Usage]]]:
    """The same by minutes since 1970, for the few hours they are kept."""
    table = schema.usage_minute
    # Each by its number, as the key has the minute first: to forget minutes must cost nothing.
    asked = list(range(first, beyond))
    statement = select(table).where(table.c.minute.in_(asked))
    return _used(tx, statement, table, places, "minute")


def _used(
    tx: Transaction, statement: Any, table: Table, places: Iterable[int], unit: str
) -> dict[int, list[tuple[int, Usage]]]:
    found: dict[int, list[tuple[int, Usage]]] = defaultdict(list)
    for some in rows.chunks(places):
        ordered = statement.where(table.c.place.in_(some)).order_by(unit)
        for row in tx.execute(ordered).mappings():
            usage = Usage(*(row[name] for name in _USAGE))
            found[row["place"]].append((row[unit], usage))
    return found


def _see(tx: Transaction, node_id: NodeId, life: int, moment: int) -> bool:
    """Note that a life goes on, or begins; False if it is over."""
    known = rows.find_one(tx, Life, _life, node_id=node_id, life=life)
    if known is not None:
        if not known.over and moment - known.seen > _SEEN:
            _PUT_LIFE.insert(tx, [msgspec.structs.replace(known, seen=moment)])
        return not known.over
    tx.execute(update(_life).where(_life.c.node_id == node_id).values(newest=False))
    for earlier in rows.find(tx, Life, _life, node_id=node_id):
        if not earlier.over and moment - earlier.seen > _DAY:
            _close(tx, earlier)
    _PUT_LIFE.insert(tx, [Life(node_id, life, newest=True, over=False, seen=moment)])
    return True


def _close(tx: Transaction, life: Life) -> None:
    """Put what a life counted to what is past. Nothing more is taken of it."""
    ours = (_last.c.node_id == life.node_id, _last.c.life == life.life)
    _lay_by(tx, rows.all_of(tx, Last, select(_last).where(*ours)))
    tx.execute(delete(_last).where(*ours))
    _PUT_LIFE.insert(tx, [msgspec.structs.replace(life, over=True)])


def _lay_by(tx: Transaction, counted: Iterable[Last]) -> None:
    """Add what counters had at their end to what is past."""
    sums: dict[int, Counters] = {}
    for each in counted:
        sums[each.place] = metering.total(sums.get(each.place, Counters()), _read(each.counters))
    for places in rows.chunks(sorted(sums)):
        statement = select(_past.c.place, _past.c.counters).where(_past.c.place.in_(places))
        for place, text in tx.execute(statement):
            sums[place] = metering.total(sums[place], _read(text))
        _PUT_PAST.many(tx, [{"place": each, "counters": _text(sums[each])} for each in places])


def _lasts(tx: Transaction, node_id: NodeId, life: int, places: Iterable[int]) -> list[Last]:
    ours = select(*_last.columns).where(_last.c.node_id == node_id, _last.c.life == life)
    found: list[Last] = []
    for some in rows.chunks(str(place) for place in sorted(places)):
        among = ours.where(_last.c.place.in_(map(int, some)))
        found += (Last(*row) for row in tx.execute(among))
    return found


def _counters(last: Last | None) -> Counters:
    return Counters() if last is None else _read(last.counters)


def _read(text: str) -> Counters:
    return msgspec.json.decode(text, type=Counters)


def _text(counters: Counters) -> str:
    return msgspec.json.encode(counters).decode()


def _values(usage: Usage) -> Mapping[str, int]:
    return msgspec.structs.asdict(usage)


def _plus(one: Usage, other: Usage) -> Usage:
    pairs = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return Usage(*(a + b for a, b in pairs))
