"""What an endpoint's policy may look like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.rules import endpoint_policy

GOOD = {"Effect": "Allow", "Action": "*", "Principal": "*", "Resource": "*"}


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)} | more)


@pytest.mark.parametrize(
    "policy",
    [
        endpoint_policy.DEFAULT,
        document(GOOD, GOOD | {"Effect": "Deny", "Action": ["a:Get*", "a:Put*"]}),
        document(GOOD | {"Principal": {"RAM": ["acs:ram::123:*"]}, "Resource": ["acs:x:*:*:y"]}),
        document(GOOD | {"Condition": {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}}),
        document({"Effect": "Deny", "Principal": ["*"], "NotAction": "a:*", "NotResource": "b"}),
    ],
)
def test_a_policy_that_may_be(policy: str) -> None:
    assert endpoint_policy.problem(policy) is None


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("allow", "no JSON"),
        ("[" * 4000, "Expected object"),
        ("x" * 4097, "4097 characters; 4096"),
        (document(), "Statement"),
        (document(GOOD, Version="2"), "Version"),
        (document(GOOD | {"Effect": "Maybe"}), "Effect"),
        (document(GOOD | {"Effects": "Allow"}), "Effects"),
        (document(GOOD | {"NotAction": "a"}), "Action or NotAction"),
        (document({"Effect": "Allow", "Principal": "*", "Action": "*"}), "Resource or NotResource"),
        (document({"Effect": "Allow", "Action": "*", "Resource": "*"}), "Principal"),
        (document(GOOD | {"Action": []}), "Action"),
    ],
)
def test_a_policy_that_may_not_be(policy: str, why: str) -> None:
    assert why in (endpoint_policy.problem(policy) or "")


@given(st.text(max_size=300))
def test_no_text_breaks_it(policy: str) -> None:
    endpoint_policy.problem(policy)
