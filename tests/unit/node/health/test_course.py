"""Whether a server is well: tables of answers, and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.node.health.course import Course, State

ANSWERS = st.lists(st.booleans(), max_size=40)
TIMES = st.integers(min_value=1, max_value=10)


def states(answers: str, *, rise: int = 2, fall: int = 3, course: Course | None = None) -> str:
    """The first letters of the states after each answer, + or -."""
    course = course or Course()
    letters = ""
    for answer in answers:
        course = course.after(rise, fall, good=answer == "+")
        letters += course.state[0]
    return letters


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("+", "H"),  # the first decides
        ("-", "U"),
        ("+--", "HHH"),  # two of three
        ("+---", "HHHU"),
        ("+--+--", "HHHHHH"),  # one in between, and they count anew
        ("+--+---", "HHHHHHU"),
        ("---+", "UUUH"),  # it was never well: the first good one decides
        ("-+--", "UHHH"),
        ("+---+", "HHHUU"),  # one of two
        ("+---++", "HHHUUH"),
        ("+---+-+-", "HHHUUUUU"),
        ("+---++---+", "HHHUUHHHUU"),
    ],
)
def test_a_course(answers: str, expected: str) -> None:
    assert states(answers) == expected


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize(("answer", "after"), [("+", "H"), ("-", "U")])
def test_asked_otherwise_a_server_stays_as_it_is_until_its_first_answer(
    before: State, answer: str, after: str
) -> None:
    course = Course(before, 1, new=False).asked_otherwise()
    assert course.state is before
    assert states(answer, course=course) == after


def test_who_has_not_answered_takes_flows() -> None:
    assert not Course().down


@given(ANSWERS, TIMES, TIMES)
def test_nobody_goes_down_before_enough_bad_answers_nor_up_before_enough_good_ones(
    answers: list[bool], rise: int, fall: int
) -> None:
    course = Course()
    for at, good in enumerate(answers):
        before, course = course, course.after(rise, fall, good=good)
        if not any(answers[:at]) or before.down == course.down:
            continue  # it was never well, or nothing changed
        enough = rise if before.down else fall
        assert answers[max(at + 1 - enough, 0) : at + 1] == [before.down] * enough


@given(ANSWERS, TIMES, TIMES, st.booleans())
def test_enough_answers_of_one_kind_always_decide(
    answers: list[bool], rise: int, fall: int, good: bool
) -> None:
    course = Course()
    for answer in [*answers, *[good] * (rise if good else fall)]:
        course = course.after(rise, fall, good=answer)
    assert course.state is (State.HEALTHY if good else State.UNHEALTHY)
