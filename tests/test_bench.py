"""What the bench makes of its numbers."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from bench.report import Bar, Goal, Panel, draw, goals, write
from bench.traffic import FIGURES, MEASURES, Measured, figures


@pytest.mark.parametrize(
    ("value", "asked", "at_most", "verdict"),
    [
        (1.0, 1.0, False, "met"),
        (1.4, 1.3, False, "met"),
        (0.9, 1.0, False, "MISSED, 10.0 % below"),
        (50.0, 50.0, True, "met"),
        (60.0, 50.0, True, "MISSED, 20.0 % above"),
        (None, 1.0, False, "not measured"),
    ],
)
def test_a_goal_says_whether_it_is_met_and_by_how_much_not(
    value: float | None, asked: float, at_most: bool, verdict: str
) -> None:
    goal = Goal("something", value, asked, "x", at_most)
    assert goal.verdict() == verdict
    assert (goal.reached >= 1) == (verdict == "met")


def test_what_could_not_be_measured_is_no_goal_met() -> None:
    shown = goals([Goal("one", 2.0, 1.0), Goal("other", None, 1.0)])
    assert shown.splitlines()[-1] == "1 of 2 goals met"


def test_ratios_are_taken_within_a_round_and_say_who_is_better() -> None:
    rounds = [
        {"a": {"tcp-1": 10.0, "p50": 5.0}, "b": {"tcp-1": 5.0, "p50": 10.0}},
        {"a": {"tcp-1": 30.0}, "b": {"tcp-1": 10.0, "p50": 1.0}},
        {"a": {"tcp-1": 40.0}, "b": {"tcp-1": 10.0}},
    ]
    measured = Measured(rounds, {})
    assert measured.ratio("a", "b", "tcp-1") == 3.0
    assert measured.ratio("a", "b", "p50") == 2.0  # less is better
    assert measured.ratio("a", "b", "udp") is None
    assert measured.ratio("a", "nobody", "tcp-1") is None
    assert measured.median("a", "tcp-1") == 30.0
    assert measured.median("a", "udp") is None


def test_every_figure_comes_of_one_measure() -> None:
    given = [name for measure in MEASURES.values() for name in measure.figures]
    assert sorted(given) == sorted(FIGURES)
    assert [figure.name for figure in figures(["latency"])] == ["p50", "p99"]
    assert figures([]) == list(FIGURES.values())


def test_the_chart_is_svg_with_a_line_for_each_goal(tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    bars = [Bar("with a goal <1>", 3.0, 4.0, "x"), Bar("without", 1.0)]
    draw(file, [Panel("a title & more", bars), Panel("nothing", [])], columns=2)
    drawn = ElementTree.fromstring(file.read_text())
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in drawn.iter(f"{space}text")]
    assert texts == ["a title & more", "with a goal <1>", "3.0x", "without", "1.0", "nothing"]
    assert len(list(drawn.iter(f"{space}line"))) == 1


def test_every_number_is_kept_with_its_machine(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    write(file, {"number": 1}, [Goal("something", 1.0, 2.0)])
    kept = msgspec.json.decode(file.read_bytes())
    assert kept["found"] == {"number": 1}
    assert kept["goals"][0]["verdict"] == "MISSED, 50.0 % below"
    assert kept["machine"]["processors"] >= 1
