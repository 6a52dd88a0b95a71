"""PrivateLink is what the facts say it is: every action, parameter, field, type and range.

What differs has its reason in `differences.py`, and nothing else has a line there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from alibabacloud_privatelink20200415 import models

from privlink.api.wire import IGNORED, nest
from privlink.client import flatten
from tests.api import compatibility, differences, old_client
from tests.api.compatibility import FACTS, SERVED
from tests.api.transcript import read

# Where the cloud says a number of things as a string.
COUNTED_IN_WORDS = {
    "ListVpcEndpointConnections",
    "ListVpcEndpointServiceUsers",
    "ListVpcEndpointServicesByEndUser",
}
NAMES = sorted(SERVED)


def test_every_action_of_the_facts_is_served() -> None:
    assert FACTS.keys() - SERVED.keys() == differences.NO_ACTION.keys()
    assert SERVED.keys() <= FACTS.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_as_the_facts_have_it(name: str) -> None:
    assert [each for each in compatibility.parameters(name) if each.state == "?"] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_as_the_facts_have_it(name: str) -> None:
    assert [each for each in compatibility.fields(name) if each.state == "?"] == []


def test_no_difference_has_a_reason_in_vain() -> None:
    assert compatibility.unused_reasons() == []


@pytest.mark.parametrize("name", NAMES)
def test_the_official_model_and_ours_take_the_same(name: str) -> None:
    model = getattr(models, f"{name}Request", None)
    if model is None:  # it takes nothing
        assert FACTS[name]["request"].keys() <= IGNORED
        return
    sample = compatibility.sample(SERVED[name])
    more = {parameter for parameter in sample if parameter not in top(FACTS[name]["request"])}
    theirs = model().from_map(sample).to_map()
    assert theirs == {key: value for key, value in sample.items() if key not in more}
    nested = nest(flatten(theirs))
    SERVED[name].parse({key: nested[key] for key in nested.keys() & SERVED[name].names})
    assert nested.keys() <= SERVED[name].names | {"ClientToken", "DryRun"}


def top(names: Iterable[str]) -> set[str]:
    """The parameters that values belong to: `Zone` for `Zone.N.ZoneId`."""
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("name", NAMES)
def test_lists_are_there_when_they_are_empty(name: str) -> None:
    wanted = {
        field for field in FACTS[name]["response"] if field.endswith("[]") and "." not in field
    }
    for exchange in read("privatelink", name):
        if exchange.status == 200:
            assert {
                f"{key}[]" for key, value in exchange.answer.items() if _is_list(value)
            } == wanted


@pytest.mark.parametrize("name", NAMES)
def test_things_are_counted_in_numbers_but_for_three_lists(name: str) -> None:
    kind = str if name in COUNTED_IN_WORDS else int
    for exchange in read("privatelink", name):
        if "TotalCount" in exchange.answer:
            assert type(exchange.answer["TotalCount"]) is kind


def test_the_old_client_knows_no_action_that_is_not_served() -> None:
    internal = {"CheckResourceSupportOperate", "NotifyResourceAddressFamily"}
    assert old_client.ACTIONS - SERVED.keys() - internal == differences.NO_ACTION.keys()


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
