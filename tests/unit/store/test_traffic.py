"""Whatever becomes of a node's messages: what is used is what was counted, and never more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from privlink.model.account import Node
from privlink.model.ids import NodeId
from privlink.model.traffic import Amount, Counters, PlaceTraffic, Usage, ZoneLife
from privlink.rules import metering
from privlink.store import migrate, nodes, rows, schema, traffic
from privlink.store.database import Database
from privlink.store.prepared import Prepared

NODE = NodeId("node-1")
PLACES = (1, 2, 3)
NO_ENDPOINT = 9
HOUR, DAY = 3600, 24 * 3600
NOON = 500_000 * HOUR

amounts = some.builds(Amount, some.integers(0, 9), some.integers(0, 9999))
both = some.tuples(amounts, amounts)
counted = some.builds(
    Counters,
    both,
    both,
    some.integers(0, 5),
    some.integers(0, 3),
    some.dictionaries(some.sampled_from(["finished", "idle"]), some.integers(0, 5)),
    some.dictionaries(some.sampled_from(["security_rule", "no_port"]), both),
    both,
    both,
)
steps = some.lists(
    some.one_of(
        some.tuples(some.just("count"), some.sampled_from((*PLACES, NO_ENDPOINT)), counted),
        some.tuples(some.sampled_from(["say", "deliver", "crash", "repeat"]), some.integers(0, 50)),
        some.tuples(some.just("pass"), some.integers(0, HOUR // 2)),
        some.tuples(some.just("begin a life"), some.just(0)),
        some.tuples(some.just("leave"), some.sampled_from((*PLACES, NO_ENDPOINT))),
    ),
    max_size=40,
)


class _PowerCut(Exception):
    pass


class Host:
    """A node that counts, and says what it has, over a network that does what it wants."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.moment = NOON
        self.life = 1
        self.counted: dict[tuple[int, int], Counters] = defaultdict(Counters)  # by life and place
        self.born: dict[tuple[int, int], int] = defaultdict(lambda: 1)  # the same
        self.gone: dict[int, Counters] = defaultdict(Counters)  # what earlier births counted
        self.messages: list[tuple[int, list[PlaceTraffic]]] = []

    def count(self, place: int, grown: Counters) -> None:
        key = self.life, place
        self.counted[key] = metering.total(self.counted[key], grown)

    def leave(self, place: int) -> None:
        """Tidy the counters of a place away, once they are taken; they are born again with it."""
        self.messages.append(self.message(self.life))
        self.deliver(-1)
        key = self.life, place
        self.gone[place] = metering.total(self.gone[place], self.counted.pop(key, Counters()))
        self.born[key] += 7

    def message(self, life: int) -> tuple[int, list[PlaceTraffic]]:
        """All it has counted in a life."""
        places = [place for in_life, place in self.counted if in_life == life]
        return life, [
            PlaceTraffic(each, 0, self.counted[life, each], self.born[life, each])
            for each in places
        ]

    def deliver(self, number: int, *, crash: bool = False) -> None:
        """The server gets one of the messages ever sent, in whatever order."""
        if not self.messages:
            return
        life, said = self.messages[number % len(self.messages)]
        try:
            with self.database.write() as tx:
                traffic.take(tx, NODE, life, said, self.moment)
                if crash:
                    raise _PowerCut
        except _PowerCut:
            pass

    def used(self) -> dict[int, Counters]:
        with self.database.read() as tx:
            return {place: each.counters for place, each in traffic.totals(tx).items()}

    def billed(self) -> dict[int, Usage]:
        """Usage over all hours, by place."""
        with self.database.read() as tx:
            found = traffic.hours(tx, [*PLACES, NO_ENDPOINT], 0, 10**9)
        return {place: total(usage for _, usage in each) for place, each in found.items()}

    def truth(self, place: int) -> Counters:
        found = self.gone[place]
        for (_, of), counters in self.counted.items():
            if of == place:
                found = metering.total(found, counters)
        return found


def total(usages: Iterator[Usage]) -> Usage:
    every = [msgspec.structs.astuple(each) for each in usages]
    return Usage(*map(sum, zip(*every, strict=True))) if every else Usage()


def without_zeros(counters: Counters) -> Counters:
    return msgspec.structs.replace(
        counters,
        ended={cause: count for cause, count in counters.ended.items() if count},
        refused={
            reason: pair
            for reason, pair in counters.refused.items()
            if pair != (Amount(), Amount())
        },
    )


def zone(place: int) -> ZoneLife:
    return ZoneLife(place, f"ep-{place}", "local-a", "eni", "1", "epsrv", "2", "1", NOON, None)


def fresh(folder: Path) -> Database:
    """A database with a node and three endpoint zones."""
    database = Database(f"sqlite:///{folder}/privlink.db")
    migrate.upgrade(database, migrate.load())
    with database.write() as tx:
        nodes.add(tx, Node(NODE, "local-a", "fabric", 0, 0, "", "{}"))
        rows.add(tx, schema.zone_life, *map(zone, PLACES))
    return database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh(tmp_path)
    yield database
    database.close()


TABLES = (schema.traffic_last, schema.traffic_past, schema.traffic_life, schema.usage_hour)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_usage_is_what_was_counted_and_never_more(
    database: Database, steps: list[tuple[object, ...]]
) -> None:
    with database.write() as tx:
        for table in (*TABLES, schema.usage_minute):
            tx.execute(table.delete())
    host = Host(database)
    for verb, *rest in steps:
        if verb == "count":
            host.count(*rest)  # type: ignore[arg-type]
        elif verb == "say":
            host.messages.append(host.message(host.life))
        elif verb in ("deliver", "repeat", "crash"):
            host.deliver(int(rest[0]), crash=verb == "crash")  # type: ignore[call-overload]
        elif verb == "leave":
            host.leave(int(rest[0]))  # type: ignore[call-overload]
        elif verb == "pass":
            host.moment += int(rest[0])  # type: ignore[call-overload]
        else:
            host.messages.append(host.message(host.life))
            host.life += 1
        for place, counters in host.used().items():
            assert metering.growth(host.truth(place), counters) is not None, "more than counted"
    for life in range(1, host.life + 1):
        host.messages.append(host.message(life))
        host.deliver(-1)
    billed, used = host.billed(), host.used()
    for place in PLACES:
        truth = host.truth(place)
        assert without_zeros(used.get(place, Counters())) == without_zeros(truth)
        assert billed.get(place, Usage()) == metering.usage(truth)
    assert NO_ENDPOINT not in used and NO_ENDPOINT not in billed


def test_a_life_that_is_over_keeps_what_it_counted_and_takes_no_more(database: Database) -> None:
    host = Host(database)
    host.count(1, Counters(((Amount(1, 100)), Amount(2, 200))))
    host.messages.append(host.message(1))
    host.deliver(0)
    host.moment += DAY + 2 * HOUR
    host.life = 2
    host.count(1, Counters((Amount(1, 7), Amount())))
    host.messages.append(host.message(2))
    host.deliver(1)
    assert host.used() == {1: Counters((Amount(2, 107), Amount(2, 200)))}
    host.deliver(0)
    assert host.used() == {1: Counters((Amount(2, 107), Amount(2, 200)))}
    with database.read() as tx:
        assert [each.life for each in rows.find(tx, traffic.Last, schema.traffic_last)] == [2]


def test_counters_born_again_begin_at_zero_and_earlier_ones_are_over(database: Database) -> None:
    host = Host(database)
    host.count(1, Counters((Amount(9, 900), Amount())))
    host.leave(1)
    for packets in (1, 2):
        host.count(1, Counters((Amount(1, 50), Amount())))
        host.messages.append(host.message(1))
        host.deliver(-1)
        host.deliver(0)
        assert host.used() == {1: Counters((Amount(9 + packets, 900 + 50 * packets), Amount()))}
    assert host.billed() == {1: Usage(bytes_in=1000, packets_in=11)}
    with database.read() as tx:
        (last,) = rows.find(tx, traffic.Last, schema.traffic_last)
    assert last.born == 8


def test_counters_whose_birth_was_not_known_go_on(database: Database) -> None:
    """As of before there were births; what is known from then on is theirs."""
    for born, packets in ((0, 5), (3, 6), (4, 1), (3, 7), (0, 8)):
        said = PlaceTraffic(1, 0, Counters((Amount(packets, 0), Amount())), born)
        with database.write() as tx:
            traffic.take(tx, NODE, 1, [said], NOON)
    with database.read() as tx:
        assert traffic.totals(tx)[1].counters.carried[0].packets == 6 + 1


def test_minutes_are_kept_for_six_hours_and_zeros_not_at_all(database: Database) -> None:
    host, first = Host(database), NOON // 60
    host.count(1, Counters((Amount(1, 60), Amount())))
    host.count(2, Counters())
    host.messages.append(host.message(1))
    host.deliver(0)

    def minutes() -> dict[int, list[tuple[int, Usage]]]:
        with database.read() as tx:
            return traffic.minutes(tx, PLACES, first - 5, first + 5)

    assert minutes() == {1: [(first, Usage(bytes_in=60, packets_in=1))]}
    host.moment += 6 * HOUR
    host.deliver(0)
    assert minutes() != {}
    host.moment += 60
    host.deliver(0)
    assert minutes() == {}


def test_flows_of_now_are_those_of_the_newest_life(database: Database) -> None:
    for life, flows in ((1, 5), (1, 7), (2, 3)):
        with database.write() as tx:
            traffic.take(tx, NODE, life, [PlaceTraffic(1, flows, Counters())], NOON)
    with database.read() as tx:
        assert traffic.totals(tx)[1].flows == 3


def test_totals_are_of_the_zones_there_are(database: Database) -> None:
    dead = schema.zone_life.c.place == 2
    with database.write() as tx:
        for life, moment in ((1, NOON - 2 * DAY), (2, NOON)):  # so late that the first is past
            said = [PlaceTraffic(place, 3, Counters(opened=5)) for place in (1, 2)]
            traffic.take(tx, NODE, life, said, moment)
        assert traffic.totals(tx).keys() == {1, 2}
        tx.execute(schema.zone_life.update().where(dead).values(ended=NOON))
        found = traffic.totals(tx)
    assert found == {1: traffic.Totals(Counters(opened=10), 3)}


@pytest.mark.parametrize("statement", [traffic._LIVING_PASTS, traffic._LIVING_LASTS])
def test_no_row_of_the_dead_is_walked(database: Database, statement: Prepared) -> None:
    with database.write() as tx:
        dead = [msgspec.structs.replace(zone(place), ended=NOON) for place in range(100, 2100)]
        rows.add(tx, schema.zone_life, *dead)
        for place in range(1, 2100):
            tx.execute(schema.traffic_past.insert().values(place=place, counters="{}"))
            last = {"node_id": NODE, "life": 1, "place": place, "flows": 0, "counters": "{}"}
            tx.execute(schema.traffic_last.insert().values(last))
        steps: list[None] = []
        for statistics in ("", "ANALYZE"):  # the planner's choice without and with them
            if statistics:
                tx.exec_driver_sql(statistics)
            text = statement._text(tx.dialect)
            values = text.arrange({"node_id": NODE, "life": 1})
            plan = [row[3] for row in tx.driver.execute(f"EXPLAIN QUERY PLAN {text.sql}", values)]
            for line in plan:
                assert "zone_life" not in line or "ix_zone_life_living" in line, plan
                assert "SCAN traffic" not in line, plan
                assert "SEARCH traffic" not in line or "place=?" in line, plan
            assert any("ix_zone_life_living" in line for line in plan), plan
            steps.clear()
            tx.driver.set_progress_handler(lambda: steps.append(None), 1)
            found = tx.driver.execute(text.sql, values).fetchall()
            tx.driver.set_progress_handler(None, 1)
            assert len(found) == len(PLACES)
            assert len(steps) < 400, (plan, len(steps))
