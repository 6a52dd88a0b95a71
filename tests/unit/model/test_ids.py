"""Ids in the cloud's form."""

from __future__ import annotations

import re

from privlink.model import ids


def test_an_id_has_its_prefix_and_twenty_letters_or_digits() -> None:
    made = {ids.new_id("ep") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch("ep-[a-z0-9]{20}", each) for each in made)


def test_an_account_is_sixteen_digits_and_none_of_them_leads_with_zero() -> None:
    made = {ids.new_account_id() for _ in range(1000)}
    assert all(re.fullmatch("[1-9][0-9]{15}", each) for each in made)


def test_an_access_key_has_an_id_and_a_secret() -> None:
    key_id, secret = ids.new_access_key()
    assert re.fullmatch("LTAI5t[A-Za-z0-9]{18}", key_id)
    assert re.fullmatch("[A-Za-z0-9]{30}", secret)
    assert ids.new_access_key()[1] != secret


def test_a_mac_address_is_locally_administered_and_for_one_station() -> None:
    for _ in range(100):
        assert re.fullmatch("02(:[0-9a-f]{2}){5}", ids.new_mac())
