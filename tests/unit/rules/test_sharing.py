"""Who may use a service."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.model.ids import AccountId
from privlink.rules import sharing

US = AccountId("1234567890123456")


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        ("*", "*"),
        ("acs:ram:*:42:*", "42"),
        ("acs:ram::42:user/ann", "42"),
        ("acs:ram:*:*:*", "*"),
        ("acs:ram:*::*", "*"),
        ("acs:ram:*::", None),
        ("42", None),
        ("", None),
        ("acs:ram:*:42:", None),
        ("acs:ram:*:42", None),
        ("acs:ram:*:4 2:*", None),
        ("acs:ram:*:٤٢:*", None),
        ("acs:ram:a:b:42:*", None),
        ("acs:oss:*:42:*", None),
        (" acs:ram:*:42:*", None),
        ("acs:ram:*:42:*\n", None),
        ("acs:ram:*:" + "9" * 19 + ":*", None),
    ],
)
def test_an_arn_names_an_account(arn: str, account: str | None) -> None:
    assert sharing.account_in(arn) == account


@pytest.mark.parametrize("user", [US, "*", f"acs:ram:*:{US}:*", "acs:ram:*:*:*", "acs:ram:*::*"])
def test_one_entry_is_enough(user: str) -> None:
    assert sharing.allows(["1", user, "acs:ram:*:2:*"], US)


@pytest.mark.parametrize(
    "user", ["1", US[:-1], f"{US}0", f"0{US}", f"acs:ram:*:{US}0:*", f"acs:ram:{US}:1:*", ""]
)
def test_nobody_else_is_let_in(user: str) -> None:
    assert not sharing.allows([user], US)


def test_an_empty_list_lets_nobody_in() -> None:
    assert not sharing.allows([], US)


@given(some.text())
def test_any_text_is_an_answer(text: str) -> None:
    sharing.account_in(text)
    sharing.allows([text], US)
