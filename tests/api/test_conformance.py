"""PrivateLink is what the facts say it is: every action, parameter, field, type and range.

So are VPC's gateway endpoints. What differs has its reason in `differences.py` or in
`gateway_differences.py`, and nothing else has a line there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from alibabacloud_privatelink20200415 import models
from alibabacloud_vpc20160428 import models as vpc_models

from privlink.api.wire import IGNORED, nest
from privlink.client import flatten
from tests.api import compatibility, differences, old_client
from tests.api.compatibility import GATEWAY, WHOLE, Compatible
from tests.api.transcript import read

# Where the cloud says a number of things as a string.
COUNTED_IN_WORDS = {
    "ListVpcEndpointConnections",
    "ListVpcEndpointServiceUsers",
    "ListVpcEndpointServicesByEndUser",
}
BOTH = {"privatelink": (WHOLE, models), "vpc": (GATEWAY, vpc_models)}
NAMES = [(of, name) for of, _ in BOTH.values() for name in sorted(of.served)]
each_action = pytest.mark.parametrize(
    ("of", "name"), NAMES, ids=[f"{of.product.name}.{name}" for of, name in NAMES]
)


def test_every_action_of_the_facts_is_served() -> None:
    for of, _ in BOTH.values():
        assert of.facts.keys() - of.served.keys() == of.differences.NO_ACTION.keys()
        assert of.served.keys() <= of.facts.keys()


@each_action
def test_every_parameter_is_as_the_facts_have_it(of: Compatible, name: str) -> None:
    assert [each for each in compatibility.parameters(of, name) if each.state == "?"] == []


@each_action
def test_every_field_is_as_the_facts_have_it(of: Compatible, name: str) -> None:
    assert [each for each in compatibility.fields(of, name) if each.state == "?"] == []


def test_no_difference_has_a_reason_in_vain() -> None:
    for of, _ in BOTH.values():
        assert compatibility.unused_reasons(of) == []


@each_action
def test_the_official_model_and_ours_take_the_same(of: Compatible, name: str) -> None:
    model = getattr(BOTH[of.product.name][1], f"{name}Request", None)
    if model is None:  # it takes nothing
        assert of.facts[name]["request"].keys() <= IGNORED
        return
    sample = compatibility.sample(of.served[name])
    more = {parameter for parameter in sample if parameter not in top(of.facts[name]["request"])}
    theirs = model().from_map(sample).to_map()
    assert theirs == {key: value for key, value in sample.items() if key not in more}
    nested = nest(flatten(theirs))
    of.served[name].parse({key: nested[key] for key in nested.keys() & of.served[name].names})
    assert nested.keys() <= of.served[name].names | {"ClientToken", "DryRun"}


def top(names: Iterable[str]) -> set[str]:
    """The parameters that values belong to: `Zone` for `Zone.N.ZoneId`."""
    return {name.partition(".")[0] for name in names}


@each_action
def test_lists_are_there_when_they_are_empty(of: Compatible, name: str) -> None:
    wanted = {
        field for field in of.facts[name]["response"] if field.endswith("[]") and "." not in field
    }
    for exchange in read(of.product.name, name):
        if exchange.status == 200:
            assert {
                f"{key}[]" for key, value in exchange.answer.items() if _is_list(value)
            } == wanted


@each_action
def test_things_are_counted_in_numbers_but_for_three_lists(of: Compatible, name: str) -> None:
    kind = str if name in COUNTED_IN_WORDS else int
    for exchange in read(of.product.name, name):
        if "TotalCount" in exchange.answer:
            assert type(exchange.answer["TotalCount"]) is kind


def test_the_old_client_knows_no_action_that_is_not_served() -> None:
    internal = {"CheckResourceSupportOperate", "NotifyResourceAddressFamily"}
    assert old_client.ACTIONS - WHOLE.served.keys() - internal == differences.NO_ACTION.keys()


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
