"""What is known of a name: given these answers, then these addresses and the next question."""

from __future__ import annotations

import pytest

from privlink.node.resolving.answers import Absent, Answer, Failed, Found
from privlink.node.resolving.course import Course, permitted

SILENT = Failed("the DNS server does not answer.")
GONE = Absent("the DNS server knows no such name.", 10)


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (Found(("10.0.0.9",), 60), 60),
        (Found(("10.0.0.9",), 0), 5),
        (Found(("10.0.0.9",), 2**31 - 1), 300),
        (Absent("", 10), 10),
        (Absent("", 0), 5),
        (Absent("", 2**31 - 1), 30),
    ],
)
def test_a_time_to_live_is_believed_within_reason(answer: Answer, pause: int) -> None:
    assert Course().after(answer)[1] == pause


def test_the_last_good_answer_holds_while_there_is_none() -> None:
    course, pauses = Course(("10.0.0.9",)), list[float]()
    for _ in range(6):
        course, pause = course.after(SILENT)
        assert (course.addresses, course.why) == (("10.0.0.9",), SILENT.why)
        pauses.append(pause)
    assert pauses == [5, 10, 20, 40, 60, 60]
    course, _ = course.after(Found(("10.0.0.8",), 60))
    assert course == Course(("10.0.0.8",))


def test_no_number_of_failures_is_too_high() -> None:
    assert Course(failures=10**6).after(SILENT)[1] == 60


def test_a_name_that_is_gone_leads_nowhere() -> None:
    assert Course(("10.0.0.9",)).after(GONE)[0] == Course(why=GONE.why)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (("10.0.0.0/24",), ("10.0.0.9",)),
        (("10.0.0.8/32", "10.1.0.0/16"), ("10.1.0.9",)),
        ((), ()),
    ],
)
def test_what_is_outside_is_not_permitted(
    blocks: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    everything = ("10.0.0.9", "10.1.0.9", "127.0.0.1", "169.254.169.254", "0.0.0.0")
    assert permitted(everything, blocks) == expected
