"""What numbers in records mean, while the items change that they came from."""

from __future__ import annotations

import msgspec

from privlink.model.items import Balancer, Filter, Forward, Rule, Segment
from privlink.node.program.maps import Direction
from privlink.node.telling import names as room
from privlink.node.telling.names import Names

SECOND = 1_000_000_000
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


def rules(*ids: str) -> tuple[Rule, ...]:
    return tuple(Rule(1, True, "TCP", "10.0.0.0/8", 80, 80, id=each) for each in ids)


class Clock:
    """CLOCK_MONOTONIC, put forward by hand."""

    def __init__(self) -> None:
        self.now = 100 * SECOND

    def __call__(self) -> int:
        return self.now


def forward(number: int) -> Forward:
    return Forward(1, "10.0.0.9", "02:00:00:00:00:01", (), None, number=number)


def test_places_are_endpoint_zones_and_load_balancers() -> None:
    names = Names()
    names.learn("forward/ep-1/local-a", forward(7))
    names.learn("balancer/nlb-1/local-a", Balancer(8, ()))
    names.learn("forward/ep-2/local-a", forward(0))  # of a server that counts nothing yet
    names.learn("segment/vsw-1", Segment(9, 1, "10.0.0.0/24", "10.0.0.253"))
    assert names.place(7) == "forward/ep-1/local-a"
    assert names.place(8) == "balancer/nlb-1/local-a"
    assert [names.place(number) for number in (0, 9, 10)] == ["", "", ""]


def test_a_reverse_endpoint_is_known_by_its_network() -> None:
    names, item = Names(), msgspec.structs.replace(forward(7), network=3)
    names.learn("forward/ep-1/local-a", item)
    assert names.inside(7) == 0
    names.learn("forward/ep-1/local-a", msgspec.structs.replace(item, reversed=True))
    assert (names.inside(7), names.inside(8)) == (3, 0)
    names.forget(item)
    assert names.inside(7) == 3


def test_what_is_gone_is_known_for_a_while_and_not_for_ever() -> None:
    names = Names()
    for number in range(1, room._MOST_GONE + 3):
        names.learn(f"forward/ep-{number}/a", forward(number))
        names.learn(f"filter/sg-{number}", Filter(number, rules("r")))
    for number in range(1, room._MOST_GONE + 3):
        names.forget(forward(number))
        names.forget(Filter(number, ()))
    assert [names.place(number) for number in (1, 2, 3)] == ["", "", "forward/ep-3/a"]
    assert [names.group(number) for number in (1, 2, 3)] == ["", "", "sg-3"]
    assert not names._places
    assert len(names._versions) == len(names._gone_groups) == room._MOST_GONE


def test_what_comes_back_is_there_again() -> None:
    names = Names()
    for _ in range(3):
        names.learn("forward/ep-1/a", forward(1))
        names.forget(forward(1))
        names.forget(forward(1))
        assert names.place(1) == "forward/ep-1/a"
    names.learn("forward/ep-1/a", forward(1))
    assert not names._gone_places


def test_a_rule_is_counted_from_1_in_its_direction() -> None:
    clock = Clock()
    names = Names(clock)
    names.learn("filter/sg-1", Filter(4, rules("in-1", "in-2"), rules("out-1")))
    assert names.group(4) == "sg-1"
    told = [names.rule(4, INGRESS, index, clock.now) for index in range(4)]
    assert told == ["", "in-1", "in-2", ""]
    assert names.rule(4, EGRESS, 1, clock.now) == "out-1"
    assert names.rule(5, INGRESS, 1, clock.now) == ""


def test_no_rule_is_blamed_for_what_another_did() -> None:
    clock = Clock()
    names = Names(clock)
    before, after = Filter(4, rules("a", "c")), Filter(4, rules("a", "b", "c"))
    names.learn("filter/sg-1", before)
    clock.now += 60 * SECOND
    names.forget(before)
    names.learn("filter/sg-1", after)
    changed = clock.now
    for moment, second in (
        (changed - 1, "c"),
        (changed, ""),  # the kernel may have the one or the other
        (changed + room._SETTLING, ""),
        (changed + room._SETTLING + 1, "b"),
    ):
        assert names.rule(4, INGRESS, 2, moment) == second
        assert names.rule(4, INGRESS, 1, moment) == "a"  # it is the same in both
    assert names.rule(4, INGRESS, 1, 0) == ""  # before anybody told us


def test_of_many_changes_in_a_row_no_guess_is_made() -> None:
    clock = Clock()
    names = Names(clock)
    started = clock.now
    for number in range(3 * room._MOST_VERSIONS):
        names.learn("filter/sg-1", Filter(4, rules(f"r{number}")))
        clock.now += SECOND
    assert names.rule(4, INGRESS, 1, started) == ""
    assert names.rule(4, INGRESS, 1, clock.now) == ""
    clock.now += 2 * room._SETTLING
    assert names.rule(4, INGRESS, 1, clock.now) == f"r{3 * room._MOST_VERSIONS - 1}"
    assert len(names._versions[4]) == room._MOST_VERSIONS


def test_learning_the_same_again_names_it_all_the_time() -> None:
    clock = Clock()
    names = Names(clock)
    item = Filter(4, rules("a"))
    for _ in range(5):
        names.learn("filter/sg-1", item)
        assert names.rule(4, INGRESS, 1, clock.now) == "a"
        names.forget(item)
        assert names.rule(4, INGRESS, 1, clock.now) == "a"
        clock.now += SECOND
    assert msgspec.json.encode(names.group(4)) == b'"sg-1"'
