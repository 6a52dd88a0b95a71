"""The records that leave the installation: what follows a change is what a fresh look finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from privlink.dns.answers.view import View
from privlink.dns.peers.records import Addresses, Records, of_endpoint
from privlink.model.naming import AnyDocument, EndpointNames, Front, ZoneNames
from tests.peers.documents import DOMAIN, FRONT_A, FRONT_B, endpoint, view

REST = f"epsrv-1.local.{DOMAIN}"


def names_of(records: Records) -> dict[str, Addresses]:
    return dict(records.names.items())


def naive(view: View) -> dict[str, Addresses]:
    return {name: found for each in view.endpoints() for name, found in of_endpoint(each, view)}


def test_an_endpoint_has_its_domain_and_those_of_its_zones() -> None:
    records, changed = Records.before(view()).following(view(1))
    assert names_of(records) == {
        f"ep-1.{REST}": ("10.1.0.1", "10.2.0.1", "fd00::1"),
        f"ep-1-local-a.{REST}": ("10.1.0.1",),
        f"ep-1-local-b.{REST}": ("10.2.0.1", "fd00::1"),
    }
    assert changed == set(names_of(records))


def test_a_zone_that_is_not_well_changes_the_endpoints_domain_alone() -> None:
    records, _ = Records.before(view()).following(view(1, 2))
    ill = records.view.changed({FRONT_A: Front(healthy=False)}, 8)
    records, changed = records.following(ill)
    assert changed == {f"ep-1.{REST}", f"ep-2.{REST}"}
    assert records.names.get(f"ep-1.{REST}") == ("10.2.0.1", "fd00::1")
    none = ill.changed({FRONT_B: Front(healthy=False)}, 9)
    records, changed = records.following(none)
    assert records.names.get(f"ep-1.{REST}") == ("10.1.0.1", "10.2.0.1", "fd00::1")


def test_what_cannot_be_a_name_or_is_not_below_our_domain_stays_out() -> None:
    odd = replace(
        endpoint(),
        domain="ep-1.vendor.example",
        zones=(
            ZoneNames("z", f"{'a' * 64}.{REST}", "10.0.0.1"),
            ZoneNames("y", f"ok.{REST}", "10.0.0.2"),
        ),
    )
    records, _ = Records.before(view()).following(view().changed({"names/ep-1": odd}, 8))
    assert names_of(records) == {f"ok.{REST}": ("10.0.0.2",)}


def endpoints(number: int) -> some.SearchStrategy[EndpointNames | None]:
    """An endpoint in one of its states, or gone."""
    whole = endpoint(number)
    return some.sampled_from(
        [
            None,
            whole,
            replace(whole, zones=whole.zones[:1]),
            replace(whole, zones=()),
            replace(whole, zones=(replace(whole.zones[0], front=""), whole.zones[1])),
            replace(whole, private=()),
        ]
    )


CHANGES = some.fixed_dictionaries(
    {},
    optional={
        **{f"names/ep-{number}": endpoints(number) for number in (1, 2, 3)},
        **{
            key: some.sampled_from([None, Front(healthy=True), Front(healthy=False)])
            for key in (FRONT_A, FRONT_B)
        },
    },
)


@given(some.lists(CHANGES, max_size=8))
def test_following_is_the_same_as_looking_anew(steps: list[dict[str, AnyDocument | None]]) -> None:
    now = view(1)
    records, _ = Records.before(now).following(now)
    for number, step in enumerate(steps):
        now = now.changed(step, 8 + number)
        before = naive(records.view)
        records, changed = records.following(now)
        after = naive(now)
        assert names_of(records) == after
        assert changed == {
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        }
