"""Tokens that say nothing and cannot be made."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.api.paging import UnknownToken
from privlink.api.sealing import seal, unseal
from privlink.store.flow_log import Position

SECRET = b"s" * 32
numbers = st.integers(0, 2**64 - 1)


@given(numbers, numbers)
def test_a_position_comes_back(file: int, offset: int) -> None:
    token = seal(Position(file, offset), SECRET)
    assert unseal(token, SECRET) == Position(file, offset)
    with pytest.raises(UnknownToken):
        unseal(token, b"t" * 32)


def test_the_same_position_is_never_the_same_token() -> None:
    assert len({seal(Position(1, 2), SECRET) for _ in range(100)}) == 100


@given(st.integers(0, 43), st.integers(1, 255))
def test_a_changed_token_is_unknown(at: int, change: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(seal(Position(3, 4096), SECRET)))
    sealed[at] ^= change
    with pytest.raises(UnknownToken):
        unseal(base64.urlsafe_b64encode(sealed).decode(), SECRET)


@given(st.text(max_size=80))
def test_any_other_text_is_unknown(text: str) -> None:
    with pytest.raises(UnknownToken):
        unseal(text, SECRET)
