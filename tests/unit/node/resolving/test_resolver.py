"""Names of doors, answered by the test."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from privlink.model.items import Door, Naming, Protocol
from privlink.node import feed
from privlink.node.health.probes import FIRST_NUMBER, Numbers
from privlink.node.resolving.answers import Absent, Answer, Failed, Found
from privlink.node.resolving.resolver import Resolver
from privlink.node.resolving.ways import Question

KEY, OTHER = "door/fullnat-1", "door/fullnat-2"
NAMING = Naming("db.example", "10.0.0.2", 1, "10.0.0.44", 5432, ("10.0.0.0/16",))
DOOR = Door(2, "10.0.0.77", Protocol.TCP, 80, 300, 50, 50, None, NAMING)
NINE, EIGHT = Found(("10.0.0.9",), 60), Found(("10.0.0.8",), 60)
SILENT = Failed("the DNS server does not answer.")


class Oracle:
    """Asks nobody: what is answered, the test says."""

    def __init__(self) -> None:
        self.questions: dict[int, Question] = {}
        self.answered: Callable[[Question, Answer], float] = lambda _, __: 0.0

    def start(self, answered: Callable[[Question, Answer], float]) -> None:
        self.answered = answered

    def put(self, question: Question) -> None:
        self.questions[question.number] = question

    def drop(self, number: int) -> None:
        self.questions.pop(number, None)

    def stop(self) -> None:
        self.questions.clear()

    def say(self, answer: Answer, at: int = 0) -> float:
        return self.answered(self.questions[FIRST_NUMBER + at], answer)


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


@pytest.fixture
def woken() -> list[None]:
    return []


@pytest.fixture
def resolver(oracle: Oracle, woken: list[None]) -> Resolver:
    made = Resolver(oracle)
    made.start(lambda: woken.append(None))
    made.bulletin.note(feed.Answer(7, 1, True, []))
    return made


def watch(resolver: Resolver, key: str = KEY, /, **naming: object) -> None:
    named = msgspec.structs.replace(NAMING, **naming)
    resolver.watch(key, msgspec.structs.replace(DOOR, naming=named))
    resolver.begin()


def news(resolver: Resolver) -> list[tuple[str, str]]:
    """What is told now: addresses and what is wrong."""
    told = resolver.bulletin.await_news(0)
    assert told.life == 7
    resolver.bulletin.took(told)
    said = [each.parameters() for each in told.standings]
    return [(each["Addresses"], each["Why"]) for each in said]


def test_nobody_is_asked_before_there_is_a_way_to_him(resolver: Resolver, oracle: Oracle) -> None:
    resolver.watch(KEY, DOOR)
    assert oracle.questions == {}
    assert {each.map for each in resolver.entries(KEY)} >= {"forwards", "addresses", "listeners"}
    resolver.begin()
    (question,) = oracle.questions.values()
    assert (question.name, question.network) == ("db.example", 1)


def test_an_answer_is_told_and_looked_at_if_it_changes_anything(
    resolver: Resolver, oracle: Oracle, woken: list[None]
) -> None:
    watch(resolver)
    assert oracle.say(NINE) == 60
    assert (resolver.targets(KEY), resolver.changed(), len(woken)) == (("10.0.0.9",), {KEY}, 1)
    assert news(resolver) == [("10.0.0.9", "")]
    oracle.say(NINE)
    assert not resolver.owes_a_look
    assert news(resolver) == []
    oracle.say(EIGHT)
    assert (resolver.targets(KEY), resolver.changed()) == (("10.0.0.8",), {KEY})
    assert news(resolver) == [("10.0.0.8", "")]


def test_silence_is_told_and_changes_nothing(resolver: Resolver, oracle: Oracle) -> None:
    watch(resolver)
    oracle.say(NINE)
    resolver.changed()
    oracle.say(SILENT)
    assert (resolver.targets(KEY), resolver.owes_a_look) == (("10.0.0.9",), False)
    assert news(resolver) == [("10.0.0.9", SILENT.why)]


def test_a_first_answer_is_told_whatever_it_is(resolver: Resolver, oracle: Oracle) -> None:
    watch(resolver, known=("10.0.0.9",))
    assert resolver.targets(KEY) == ("10.0.0.9",)
    oracle.say(NINE)
    assert not resolver.owes_a_look
    assert news(resolver) == [("10.0.0.9", "")]


def test_a_name_that_is_gone_leads_nowhere(resolver: Resolver, oracle: Oracle) -> None:
    watch(resolver, known=("10.0.0.9",))
    oracle.say(Absent("no such name", 30))
    assert (resolver.targets(KEY), resolver.changed()) == ((), {KEY})
    assert news(resolver) == [("", "no such name")]


def test_an_answer_outside_leads_nowhere_and_is_not_told(
    resolver: Resolver, oracle: Oracle
) -> None:
    watch(resolver, known=("192.168.0.1",))
    assert resolver.targets(KEY) == ()
    oracle.say(Found(("127.0.0.1", "192.168.0.1"), 60))
    assert (resolver.targets(KEY), resolver.owes_a_look) == ((), False)
    ((addresses, why),) = news(resolver)
    assert addresses == ""
    assert "permits" in why
    assert "192.168" not in why


def test_what_the_consumer_permits_now_holds_for_what_was_answered_before(
    resolver: Resolver, oracle: Oracle
) -> None:
    watch(resolver)
    oracle.say(Found(("10.0.0.8", "10.0.0.9"), 60))
    news(resolver)
    asked = dict(oracle.questions)
    watch(resolver, blocks=("10.0.0.9/32",))
    assert resolver.targets(KEY) == ("10.0.0.9",)
    assert news(resolver) == [("10.0.0.9", "")]
    watch(resolver)
    assert resolver.targets(KEY) == ("10.0.0.8", "10.0.0.9")
    assert oracle.questions == asked  # it is not asked again for that


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "other.example"}, ()),
        ({"resolver": "10.0.0.3"}, ("10.0.0.9",)),
        ({"source": "10.0.0.45"}, ("10.0.0.9",)),
        ({"network": 3}, ()),
    ],
)
def test_who_is_asked_otherwise_is_asked_at_once_and_the_old_answer_is_too_late(
    resolver: Resolver, oracle: Oracle, change: dict[str, object], expected: tuple[str, ...]
) -> None:
    watch(resolver)
    oracle.say(NINE)
    (before,) = oracle.questions.values()
    watch(resolver, **change)
    (after,) = oracle.questions.values()
    assert after is not before
    assert resolver.targets(KEY) == expected
    oracle.answered(before, EIGHT)
    assert resolver.targets(KEY) == expected


def test_a_door_that_goes_is_asked_for_no_more_and_its_number_is_free(
    resolver: Resolver, oracle: Oracle
) -> None:
    watch(resolver)
    watch(resolver, OTHER)
    (first, _) = oracle.questions.values()
    oracle.say(NINE)
    resolver.watch(KEY, msgspec.structs.replace(DOOR, naming=None))
    assert list(oracle.questions) == [FIRST_NUMBER + 1]
    assert (resolver.targets(KEY), resolver.entries(KEY), resolver.changed()) == ((), (), set())
    assert news(resolver) == []
    oracle.answered(first, EIGHT)
    resolver.forget(KEY)
    watch(resolver, KEY)
    assert sorted(oracle.questions) == [FIRST_NUMBER, FIRST_NUMBER + 1]


def test_numbers_are_shared_with_whoever_else_asks_from_there() -> None:
    numbers = Numbers()
    assert numbers.take() == FIRST_NUMBER
    resolver = Resolver(numbers=numbers)
    resolver.watch(KEY, DOOR)
    assert numbers.take() == FIRST_NUMBER + 2


def test_a_look_that_broke_off_is_owed(resolver: Resolver, oracle: Oracle) -> None:
    watch(resolver)
    oracle.say(NINE)
    keys = resolver.changed()
    resolver.look_again({*keys, OTHER})
    assert resolver.changed() == {KEY}


def test_who_may_know_nothing_is_told_everything(resolver: Resolver, oracle: Oracle) -> None:
    watch(resolver)
    oracle.say(NINE)
    assert news(resolver) == [("10.0.0.9", "")]
    resolver.bulletin.note(feed.Answer(7, 2, True, []))
    assert news(resolver) == [("10.0.0.9", "")]
