"""Access keys are looked up once, until something changes them."""

from __future__ import annotations

import pytest

from privlink import errors
from privlink.api.action import PRIVATELINK, PRIVLINK
from privlink.model.account import AccessKey
from privlink.model.ids import NodeId
from privlink.server.holders import Holder, Holders


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
    holders.committed(PRIVATELINK)
    assert holders.of("key").key.secret == "first"
    holders.committed(PRIVLINK)
    assert holders.of("key").key.secret == "second"


def test_what_was_read_before_a_change_is_not_kept(keys: Keys) -> None:
    def read_slowly(key_id: str) -> Holder:
        found = keys.look_up(key_id)
        if keys.secret == "first":
            keys.secret = "second"
            holders.committed(PRIVLINK)
        return found

    holders = Holders(read_slowly)
    assert holders.of("key").key.secret == "first"
    assert holders.of("key").key.secret == "second"
