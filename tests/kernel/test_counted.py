"""What is kept of the maps is what a fresh look at all of them finds, whatever has changed."""

from __future__ import annotations

import errno
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from privlink.node.errors import KernelError
from privlink.node.program.bpf import Map, Program
from privlink.node.program.maps import (
    AMOUNT,
    COUNT,
    NUMBER,
    REFUSAL_KEY,
    TRAFFIC,
    Reason,
    Way,
)
from privlink.node.telling.counted import Counted
from tests.kernel import lab

PLACES = range(1, 2501)  # more than one call to the kernel brings
STEPS, CHANGES = 25, 12
FIELDS = len(TRAFFIC.unpack(bytes(TRAFFIC.size)))


@pytest.fixture
def maps(bpf_object: Path) -> Iterator[dict[str, Map]]:
    with Program.open(bpf_object) as program:
        yield program.maps


def on_all_cpus(held: Map, values: Iterator[bytes]) -> bytes:
    return b"".join(next(values) for _ in range(held.width // held.value_size))


def put(held: Map, key: bytes, value: bytes) -> None:
    """Put an entry; the kernel has memory for so many ready, and a moment later for more."""

    def done() -> bool:
        try:
            held.update_many([(key, value)])
        except KernelError as error:
            if error.errno != errno.ENOMEM:
                raise
            return False
        return True

    lab.eventually(done)


def traffic(chance: random.Random) -> Iterator[bytes]:
    while True:
        yield TRAFFIC.pack(
            *(chance.choice((0, 0, chance.randrange(1 << 20))) for _ in range(FIELDS))
        )


def amounts(chance: random.Random) -> Iterator[bytes]:
    while True:
        yield AMOUNT.pack(chance.choice((0, chance.randrange(9))), 0)


def change(maps: dict[str, Map], openings: dict[int, list[int]], chance: random.Random) -> None:
    """Something happens to one of a few places, that it comes up again."""
    place = chance.choice((1, 2, 3, 4, 5, 900, 1999))
    name = chance.choice(("traffic", "refusals", "counts", "openings"))
    key = NUMBER.pack(place)
    if name == "openings":
        if openings.pop(place, None) is None:
            openings[place] = [place + 10_000, place + 20_000][: chance.randrange(3)]
        return
    held = maps[name]
    if name == "traffic":
        value = on_all_cpus(held, traffic(chance))
    elif name == "refusals":
        reason = chance.choice((Reason.NO_LISTENER, Reason.CLOSED, 60))
        key = REFUSAL_KEY.pack(place, reason, chance.choice(tuple(Way)))
        value = on_all_cpus(held, amounts(chance))
    else:
        key = NUMBER.pack(place + chance.choice((10_000, 20_000)))
        value = COUNT.pack(chance.randrange(3), chance.randrange(5))
    if chance.random() < 0.3:
        held.delete(key)
    else:
        put(held, key, value)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_is_what_there_is(maps: dict[str, Map], seed: int) -> None:
    chance = random.Random(seed)
    some = traffic(chance)
    for place in PLACES:
        put(maps["traffic"], NUMBER.pack(place), on_all_cpus(maps["traffic"], some))
    kept = Counted(maps)
    openings: dict[int, list[int]] = {}
    for _ in range(STEPS):
        before = dict(kept.found)
        for _ in range(chance.randrange(CHANGES)):
            change(maps, openings, chance)
        kept.look(dict(openings))
        fresh = Counted(maps)
        fresh.look(openings)
        assert kept.found == fresh.found
        for place, each in kept.found.items():
            same = before.get(place)
            assert same != each or same is each, "what is the same is not made anew"
    assert len(kept.found) > len(PLACES) - 8


def test_one_that_nobody_knows_the_openings_of_has_those_it_had(maps: dict[str, Map]) -> None:
    some = traffic(random.Random(1))
    maps["traffic"].update_many([(NUMBER.pack(1), on_all_cpus(maps["traffic"], some))])
    maps["counts"].update_many([(NUMBER.pack(7), COUNT.pack(0, 3))])
    counted = Counted(maps)
    counted.look({1: [7]})
    assert counted.found[1].flows == 3
    maps["counts"].update_many([(NUMBER.pack(7), COUNT.pack(0, 4))])
    counted.look(None)
    assert counted.found[1].flows == 4


def test_refusals_whose_counters_are_gone_go_too(maps: dict[str, Map]) -> None:
    """As where somebody was killed between the two."""
    refusals, one = maps["refusals"], itertools.repeat(AMOUNT.pack(1, 60))
    for place in (1, 2):
        key = REFUSAL_KEY.pack(place, Reason.CLOSED, Way.FROM_CLIENT)
        refusals.update_many([(key, on_all_cpus(refusals, one))])
    counted = Counted(maps)
    counted.look({2: []})
    counted.forget(())
    assert [REFUSAL_KEY.unpack(key)[0] for key, _ in refusals.dump()] == [2]
