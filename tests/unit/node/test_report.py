"""What the server is told, report after report: given these faults and links, then these words."""

from __future__ import annotations

import pytest

from privlink.node.feed import Answer
from privlink.node.report import MOST_FAULTS, MOST_LINKS, Correspondence


@pytest.fixture
def talk() -> Correspondence:
    """A correspondence that has taken everything from life 3 of a server, at revision 5."""
    made = Correspondence()
    made.note(Answer(3, 5, True, []))
    return made


def faults(number: int) -> dict[str, str]:
    return {f"filter/{at:05}": "no" for at in reversed(range(number))}


def test_before_any_answer_there_is_no_life_and_no_revision() -> None:
    report = Correspondence().compose({}, {})
    assert report.parameters() == {
        "Life": 0, "Revision": 0, "Faults": [], "Plugged": [], "Unplugged": [],
    }  # fmt: skip


def test_a_report_in_the_words_of_the_api(talk: Correspondence) -> None:
    report = talk.compose({"filter/x": "too many rules"}, {"attachment/a": True, "b": False})
    assert report.parameters() == {
        "Life": 3,
        "Revision": 5,
        "Faults": [{"Key": "filter/x", "Code": "Refused", "Message": "too many rules"}],
        "Plugged": ["attachment/a"],
        "Unplugged": ["b"],
    }


def test_links_are_told_until_they_are_heard_and_then_no_more(talk: Correspondence) -> None:
    links = {"a": True, "b": False}
    assert talk.compose({}, links).links == links
    report = talk.compose({}, links)  # the first was lost
    assert report.links == links
    assert not talk.took(report, links)
    assert talk.compose({}, links).links == {}
    assert talk.compose({}, links | {"b": True}).links == {"b": True}


def test_a_link_that_changes_while_a_report_is_under_way_is_news_again(
    talk: Correspondence,
) -> None:
    report = talk.compose({}, {"a": True})
    assert talk.took(report, {"a": False})
    assert talk.compose({}, {"a": False}).links == {"a": False}


def test_an_attachment_that_went_and_came_is_news(talk: Correspondence) -> None:
    talk.took(talk.compose({}, {"a": True}), {"a": True})
    talk.took(talk.compose({}, {}), {})
    assert talk.compose({}, {"a": True}).links == {"a": True}


def test_a_full_answer_has_every_link_told_again(talk: Correspondence) -> None:
    links = {"a": True, "b": False}
    talk.took(talk.compose({}, links), links)
    talk.note(Answer(3, 6, False, []))
    assert talk.compose({}, links).links == {}
    talk.note(Answer(4, 2, True, []))
    assert talk.compose({}, links).links == links


def test_more_links_than_fit_follow_in_the_next_reports(talk: Correspondence) -> None:
    links = {str(number): number % 2 == 0 for number in range(2 * MOST_LINKS + 1)}
    heard: dict[str, bool] = {}
    sizes = []
    more = True
    while more:
        report = talk.compose({}, links)
        sizes.append(len(report.links))
        heard |= report.links
        more = talk.took(report, links)
    assert sizes == [MOST_LINKS, MOST_LINKS, 1]
    assert heard == links


def test_a_revision_is_confirmed_only_with_every_fault_beside_it(talk: Correspondence) -> None:
    talk.took(talk.compose(faults(MOST_FAULTS), {}), {})
    talk.note(Answer(3, 6, False, []))
    report = talk.compose(faults(MOST_FAULTS + 1), {})
    assert [*report.faults] == [*sorted(faults(MOST_FAULTS + 1))[:MOST_FAULTS]]
    assert report.revision == 5
    talk.took(report, {})
    assert talk.compose(faults(MOST_FAULTS + 1), {}).revision == 5
    assert talk.compose(faults(MOST_FAULTS), {}).revision == 6


def test_what_another_life_heard_confirms_nothing(talk: Correspondence) -> None:
    talk.took(talk.compose({}, {}), {})
    talk.note(Answer(4, 9, True, []))
    report = talk.compose(faults(MOST_FAULTS + 1), {})
    assert (report.life, report.revision) == (4, 0)
