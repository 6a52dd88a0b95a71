"""Access keys are looked up once, until something changes them."""

from __future__ import annotations

import pytest

from privlink import errors
from privlink.api.caller import Caller
from privlink.api.identify import Holder
from privlink.api.products.privatelink.endpoints import delete_vpc_endpoint
from privlink.api.products.privlink.accounts import create_account
from privlink.model.account import AccessKey, Account
from privlink.model.ids import AccountId, NodeId
from privlink.server.holders import Holders


def caller(*, opened: bool = True, linked: bool = True) -> Caller:
    """One of an account that has, or has not yet, switched PrivateLink on and used it."""
    account = Account(AccountId("1"), "a", False, "", opened=opened, linked=linked)
    return Caller("key", account, None)


class Keys:
    """Where keys are looked up."""

    def __init__(self) -> None:
        self.secret = "first"
        self.asked = 0

    def look_up(self, key_id: str) -> Holder:
        self.asked += 1
        if key_id == "nobody's":
            raise errors.InvalidAccessKeyIdNotFound(access_key_id=key_id)
        return Holder(AccessKey(key_id, self.secret, None, NodeId("node-1")), None)


@pytest.fixture
def keys() -> Keys:
    """Keys that nobody has asked for."""
    return Keys()


def test_a_key_is_looked_up_once(keys: Keys) -> None:
    holders = Holders(keys.look_up)
    assert [holders.of("key").key.secret for _ in range(3)] == ["first"] * 3
    assert keys.asked == 1


def test_what_nobody_holds_is_looked_up_each_time(keys: Keys) -> None:
    holders = Holders(keys.look_up)
    for _ in range(2):
        with pytest.raises(errors.InvalidAccessKeyIdNotFound):
            holders.of("nobody's")
    assert keys.asked == 2


def test_a_change_of_keys_is_seen(keys: Keys) -> None:
    holders = Holders(keys.look_up)
    holders.of("key")
    keys.secret = "second"
    holders.committed(delete_vpc_endpoint, caller())
    assert holders.of("key").key.secret == "first"
    holders.committed(create_account, caller())
    assert holders.of("key").key.secret == "second"


def test_what_was_read_before_a_change_is_not_kept(keys: Keys) -> None:
    def read_slowly(key_id: str) -> Holder:
        found = keys.look_up(key_id)
        if keys.secret == "first":
            keys.secret = "second"
            holders.committed(create_account, caller())
        return found

    holders = Holders(read_slowly)
    assert holders.of("key").key.secret == "first"
    assert holders.of("key").key.secret == "second"


@pytest.mark.parametrize(("opened", "linked"), [(False, False), (True, False)])
def test_an_accounts_first_steps_are_seen(keys: Keys, opened: bool, linked: bool) -> None:
    holders = Holders(keys.look_up)
    holders.of("key")
    holders.committed(delete_vpc_endpoint, caller(opened=opened, linked=linked))
    holders.of("key")
    assert keys.asked == 2
