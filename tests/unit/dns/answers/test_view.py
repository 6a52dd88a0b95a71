"""Views: how one becomes the next, and that this is as if it were made from nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.dns.answers.view import Asker, View
from privlink.model.naming import AnyDocument, NameServer, Place
from tests.unit.dns.world import DOMAIN, HOST_ADDRESS, changes, endpoint, fronts, keyed, view_of

TABLES = ("documents", "claims", "holders", "below", "askers")


def content(view: View) -> dict[str, dict[object, object]]:
    return {table: dict(getattr(view, table).items()) for table in TABLES}


@settings(max_examples=60)
@given(st.lists(changes(), max_size=5))
def test_changes_lead_where_a_new_beginning_does(
    rounds: list[dict[str, AnyDocument | None]],
) -> None:
    view = View.empty(DOMAIN, HOST_ADDRESS)
    now: dict[str, AnyDocument] = {}
    for revision, changed in enumerate(rounds):
        before, was = view, content(view)
        view = view.changed(changed, revision)
        assert content(before) == was
        now |= {key: value for key, value in changed.items() if value is not None}
        now = {key: value for key, value in now.items() if changed.get(key, value) is not None}
        assert content(view) == content(view_of(now))
        assert view.revision == revision
    assert content(view_of({}).replaced(now, 1)) == content(view)
    assert content(view.replaced({}, 9)) == content(view_of({}))


def test_equal_documents_stay_the_same_objects() -> None:
    view = view_of(keyed(endpoint()) | fronts())
    again = view.replaced(keyed(endpoint()) | fronts(), 8)
    assert all(again.documents.get(key) is view.documents.get(key) for key in view.documents)
    assert not list(again.claims.differing(view.claims))
    assert again.token is not view.token and again.origin is view.origin


def test_only_what_changes_is_made_anew() -> None:
    view = view_of(keyed(endpoint("one"), endpoint("two", order=2, net=2)) | fronts())
    after = view.changed(keyed(endpoint("two", order=2, net=2, affinity=True)), 8)
    assert list(after.documents.differing(view.documents)) == ["names/two"]
    assert not list(after.claims.differing(view.claims))
    assert not list(after.holders.differing(view.holders))
    after = view.changed(fronts(well="", ill="a"), 8)
    assert list(after.documents.differing(view.documents)) == ["front/svc/a"]
    assert after.claims._shards == view.claims._shards


def test_askers_are_known_by_their_address() -> None:
    view = view_of({"place/x": Place(number=258, network=4, zone="a")})
    assert view.asker("10.0.1.2") == Asker(4, "a")
    assert view.asker("10.0.1.3") is None
    moved = view.changed({"place/x": Place(number=3, network=4, zone="a")}, 8)
    assert moved.asker("10.0.1.2") is None
    assert moved.asker("10.0.0.3") == Asker(4, "a")
    assert moved.changed({"place/x": None}, 9).asker("10.0.0.3") is None


@pytest.mark.parametrize("number", [0, -1, 2**24, 2**40])
def test_a_vswitch_past_all_addresses_asks_nothing(number: int) -> None:
    view = view_of({"place/x": Place(number=number, network=4, zone="a")})
    assert not len(view.askers)
    assert not len(view.changed({"place/x": None}, 8).documents)


def test_name_servers_are_at_hand() -> None:
    server = NameServer(address="192.0.2.1", port=53, zone=DOMAIN, pushes=True)
    view = view_of({"server/one": server} | fronts())
    assert dict(view.servers) == {"server/one": server}
    assert not view.changed({"server/one": None}, 8).servers
    assert dict(view.servers) == {"server/one": server}


def test_endpoints_are_those_that_have_a_zone() -> None:
    view = view_of(keyed(endpoint("one"), endpoint("none", zones="")) | fronts())
    assert [each.endpoint for each in view.endpoints()] == ["one"]
