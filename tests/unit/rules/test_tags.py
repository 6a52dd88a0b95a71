"""What a tag may look like."""

from __future__ import annotations

import pytest

from privlink.rules import tags


@pytest.mark.parametrize("key", ["k", "部门", "a" * 128, "my-aliyun", "x acs:", "HTTP"])
def test_a_key_that_may_be(key: str) -> None:
    assert tags.key_problem(key) is None


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "1 to 128"),
        ("a" * 129, "129 characters; 128"),
        ("aliyun-team", "aliyun or acs:"),
        ("ACS:team", "aliyun or acs:"),
        ("see http://example.com", "http://"),
        ("HTTPS://example.com", "https://"),
    ],
)
def test_a_key_that_may_not_be(key: str, why: str) -> None:
    assert why in (tags.key_problem(key) or "")


def test_a_value_may_be_empty_and_else_keeps_the_rules_of_keys() -> None:
    assert tags.value_problem("") is None
    assert "128" in (tags.value_problem("v" * 129) or "")
    assert "acs:" in (tags.value_problem("acs:x") or "")
