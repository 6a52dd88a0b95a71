"""What the node makes of what it is told."""

from __future__ import annotations

import pytest

from privlink.model import items
from privlink.node.feed import Change


def test_a_set_that_rules_name_is_understood() -> None:
    told = {"kind": "members", "number": 6, "blocks": ["10.0.0.7/32", "fd00::7/128"]}
    assert Change("members/sg-1", told).desired() == items.Members(
        6, ("10.0.0.7/32", "fd00::7/128")
    )
    assert Change("members/sg-1", None).desired() is None


def test_a_filter_has_both_directions() -> None:
    rule = {"priority": 101, "accept": True, "protocol": "ALL", "cidr": "", "low": 0, "high": 65535}
    told = {"kind": "filter", "number": 6, "rules": [rule | {"members": 6}], "egress": [rule]}
    made = items.Rule(101, True, "ALL", "", 0, 65535)
    assert Change("filter/sg-1", told).desired() == items.Filter(
        6, (items.Rule(101, True, "ALL", "", 0, 65535, members=6),), (made,)
    )


def test_what_this_node_does_not_know_is_said() -> None:
    with pytest.raises(ValueError, match="kind"):
        Change("moon/1", {"kind": "moon"}).desired()
