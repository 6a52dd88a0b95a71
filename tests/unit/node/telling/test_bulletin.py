"""What the server is told of health: given these states, then these words."""

from __future__ import annotations

import msgspec
import pytest

from privlink.node.feed import Answer
from privlink.node.health.course import State
from privlink.node.health.standing import Standing
from privlink.node.telling.bulletin import MOST_STATES, Bulletin

KEY = "balancer/nlb-1/local-a"
UP = Standing(KEY, ("g", "10.0.0.5", 80), State.HEALTHY, "2026-12-01T09:30:00Z")
DOWN = msgspec.structs.replace(UP, state=State.UNHEALTHY, why="CONNECT_FAILED: " + "x" * 300)


def test_a_state_in_the_words_of_the_api() -> None:
    assert DOWN.parameters() == {
        "Key": KEY,
        "Group": "g",
        "Address": "10.0.0.5",
        "Port": 80,
        "State": "Unhealthy",
        "Since": "2026-12-01T09:30:00Z",
        "Why": ("CONNECT_FAILED: " + "x" * 300)[:200],
    }


def answer(life: int = 7, *, full: bool = True) -> Answer:
    return Answer(life, 1, full, [])


@pytest.fixture
def bulletin() -> Bulletin:
    made = Bulletin()
    made.note(answer())
    return made


def test_before_the_server_was_heard_of_there_is_nothing_to_tell_it() -> None:
    bulletin = Bulletin()
    bulletin.put(UP)
    assert not bulletin.news()
    bulletin.note(answer(7))
    assert (bulletin.news().life, bulletin.news().standings) == (7, (UP,))


def test_news_is_told_until_it_is_heard_and_then_no_more(bulletin: Bulletin) -> None:
    bulletin.put(UP)
    assert bulletin.news().standings == (UP,)
    assert bulletin.news().standings == (UP,)  # the first was lost
    bulletin.took(bulletin.news())
    bulletin.put(UP)
    assert not bulletin.news()


def test_what_changes_while_it_is_told_is_news_still(bulletin: Bulletin) -> None:
    bulletin.put(UP)
    told = bulletin.news()
    bulletin.put(DOWN)
    bulletin.took(told)
    assert bulletin.news().standings == (DOWN,)


def test_whoever_may_know_nothing_is_told_everything(bulletin: Bulletin) -> None:
    bulletin.put(UP)
    bulletin.took(bulletin.news())
    bulletin.note(answer(7, full=False))
    assert not bulletin.news()
    bulletin.note(answer(8))
    assert (bulletin.news().life, bulletin.news().standings) == (8, (UP,))


@pytest.mark.parametrize("life", [7, 8])
def test_what_was_taken_before_it_may_have_been_forgotten_is_news(
    bulletin: Bulletin, life: int
) -> None:
    bulletin.put(UP)
    told = bulletin.news()
    bulletin.note(answer(life))
    bulletin.took(told)
    assert bulletin.news().standings == (UP,)


def test_of_a_server_that_is_asked_no_more_nothing_is_told(bulletin: Bulletin) -> None:
    bulletin.put(UP)
    told = bulletin.news()
    bulletin.drop(UP.place)
    bulletin.took(told)
    bulletin.note(answer())
    assert not bulletin.news()


def test_more_than_fits_is_told_in_the_order_it_came(bulletin: Bulletin) -> None:
    every = [
        msgspec.structs.replace(UP, name=("g", "10.0.0.5", port)) for port in range(MOST_STATES + 1)
    ]
    for each in every:
        bulletin.put(each)
    first = bulletin.news()
    assert list(first.standings) == every[:-1]
    bulletin.took(first)
    assert list(bulletin.news().standings) == every[-1:]
