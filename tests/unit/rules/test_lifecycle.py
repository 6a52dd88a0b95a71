"""Every row of the table in `rules.lifecycle`, and what holds for all of them together."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from privlink.model.ids import AccountId, EndpointId, EniId, ServiceId, VpcId, VSwitchId, ZoneId
from privlink.model.privatelink import (
    Connection,
    ConnectionStatus,
    Decision,
    Endpoint,
    EndpointStatus,
    EndpointType,
    EndpointZone,
    TrafficControl,
    ZoneStatus,
)
from privlink.rules import lifecycle
from privlink.rules.lifecycle import Step, ZoneFacts

ENDPOINT = Endpoint(
    id=EndpointId("ep-1"),
    account_id=AccountId("1"),
    vpc_id=VpcId("vpc-1"),
    service_id=ServiceId("epsrv-1"),
    service_name="",
    type=EndpointType.INTERFACE,
    name="",
    description="",
    policy="",
    protected=False,
    protected_by="",
    zone_affinity=False,
    deleting=False,
    created_at="",
)
LEAVING = msgspec.structs.replace(ENDPOINT, deleting=True)


def facts(
    *,
    confirmed: bool = True,
    opening: int | None = None,
    placed: bool = True,
    initial: bool = True,
    deleting: bool = False,
    cut: bool = False,
) -> ZoneFacts:
    """A zone; left alone it is placed, closed and confirmed."""
    zone = EndpointZone(
        endpoint_id=ENDPOINT.id,
        zone_id=ZoneId("local-a"),
        number=1,
        vswitch_id=VSwitchId("vsw-1"),
        eni_id=EniId("eni-1"),
        resource_id=None,
        provider_vpc_id=None,
        source=None,
        opening=opening,
        initial=initial,
        placed=placed,
        deleting=deleting,
        cut=cut,
        replaced_resource_id=None,
        replaced_vpc_id=None,
        replaced_source=None,
        replaced_opening=None,
    )
    return ZoneFacts(zone, confirmed)


def connection(decision: Decision) -> Connection:
    """A connection with the provider's word on it."""
    return Connection(
        ENDPOINT.id, 1, ENDPOINT.service_id, decision, 3072, TrafficControl.SCALABILITY, ""
    )


NONE, ACCEPTED, REFUSED = Decision.NONE, Decision.ACCEPTED, Decision.REFUSED


@pytest.mark.parametrize(
    ("zone", "decision", "status"),
    [
        (facts(deleting=True, confirmed=False), NONE, ZoneStatus.DELETING),
        (facts(deleting=True, confirmed=True), ACCEPTED, ZoneStatus.DELETING),
        (facts(opening=1, confirmed=False), ACCEPTED, ZoneStatus.CONNECTING),
        (facts(opening=1, confirmed=False, placed=False), ACCEPTED, ZoneStatus.CONNECTING),
        (facts(opening=1), ACCEPTED, ZoneStatus.CONNECTED),
        (facts(confirmed=False, placed=False), NONE, ZoneStatus.CREATING),
        (facts(confirmed=False, placed=False), REFUSED, ZoneStatus.CREATING),
        (facts(confirmed=False), REFUSED, ZoneStatus.DISCONNECTING),
        (facts(), NONE, ZoneStatus.WAIT),
        (facts(), ACCEPTED, ZoneStatus.WAIT),
        (facts(), REFUSED, ZoneStatus.DISCONNECTED),
        (facts(cut=True), ACCEPTED, ZoneStatus.DISCONNECTED),
        (facts(cut=True, confirmed=False), ACCEPTED, ZoneStatus.DISCONNECTING),
    ],
)
def test_a_zone(zone: ZoneFacts, decision: Decision, status: ZoneStatus) -> None:
    assert lifecycle.zone_status(zone, decision) is status


@pytest.mark.parametrize(
    ("endpoint", "zones", "status"),
    [
        (ENDPOINT, [], EndpointStatus.ACTIVE),
        (ENDPOINT, [facts()], EndpointStatus.ACTIVE),
        (ENDPOINT, [facts(placed=False, confirmed=False)], EndpointStatus.CREATING),
        (ENDPOINT, [facts(), facts(placed=False, confirmed=False)], EndpointStatus.CREATING),
        (ENDPOINT, [facts(placed=False, confirmed=True)], EndpointStatus.ACTIVE),
        (ENDPOINT, [facts(placed=True, confirmed=False)], EndpointStatus.ACTIVE),
        (
            ENDPOINT,
            [facts(placed=False, confirmed=False, initial=False)],
            EndpointStatus.ACTIVE,
        ),
        (LEAVING, [facts(placed=False, confirmed=False)], EndpointStatus.DELETING),
        (LEAVING, [], EndpointStatus.DELETING),
    ],
)
def test_an_endpoint(endpoint: Endpoint, zones: list[ZoneFacts], status: EndpointStatus) -> None:
    assert lifecycle.endpoint_status(endpoint, zones) is status


OPEN, OPENING = facts(opening=1), facts(opening=2, confirmed=False)
CLOSED, CLOSING = facts(), facts(confirmed=False)
CUT = facts(cut=True, confirmed=False)
NEW, GOING = facts(placed=False, confirmed=False), facts(deleting=True, confirmed=False)


@pytest.mark.parametrize(
    ("decision", "zones", "status"),
    [
        (NONE, [], ConnectionStatus.DISCONNECTED),
        (NONE, [NEW], ConnectionStatus.DISCONNECTED),
        (NONE, [CLOSED], ConnectionStatus.DISCONNECTED),
        (ACCEPTED, [], ConnectionStatus.CONNECTED),
        (ACCEPTED, [OPEN], ConnectionStatus.CONNECTED),
        (ACCEPTED, [OPEN, OPENING], ConnectionStatus.CONNECTING),
        (ACCEPTED, [OPENING], ConnectionStatus.CONNECTING),
        (ACCEPTED, [OPEN, CLOSED], ConnectionStatus.CONNECTED),
        (ACCEPTED, [CLOSED], ConnectionStatus.CONNECTING),
        (ACCEPTED, [NEW], ConnectionStatus.CONNECTING),
        (ACCEPTED, [CLOSED, GOING], ConnectionStatus.CONNECTING),
        (ACCEPTED, [GOING], ConnectionStatus.CONNECTED),
        (ACCEPTED, [OPEN, NEW], ConnectionStatus.CONNECTED),
        (ACCEPTED, [OPEN, GOING], ConnectionStatus.CONNECTED),
        (ACCEPTED, [CUT], ConnectionStatus.CONNECTED),
        (ACCEPTED, [CUT, OPEN], ConnectionStatus.CONNECTED),
        (ACCEPTED, [CUT, OPENING], ConnectionStatus.CONNECTING),
        (ACCEPTED, [CUT, CLOSED], ConnectionStatus.CONNECTING),
        (REFUSED, [], ConnectionStatus.DISCONNECTED),
        (REFUSED, [CLOSED], ConnectionStatus.DISCONNECTED),
        (REFUSED, [CLOSED, CLOSING], ConnectionStatus.DISCONNECTING),
        (REFUSED, [NEW], ConnectionStatus.DISCONNECTED),
        (REFUSED, [GOING], ConnectionStatus.DISCONNECTED),
    ],
)
def test_a_connection(decision: Decision, zones: list[ZoneFacts], status: ConnectionStatus) -> None:
    ours = connection(decision)
    assert lifecycle.connection_status(ENDPOINT, ours, True, zones) is status
    gone = lifecycle.connection_status(ENDPOINT, ours, False, zones)
    assert gone is ConnectionStatus.SERVICE_DELETED
    for service_exists in (True, False):
        leaving = lifecycle.connection_status(LEAVING, ours, service_exists, zones)
        assert leaving is ConnectionStatus.DELETING


@pytest.mark.parametrize(
    ("zone", "step"),
    [
        (facts(confirmed=False, placed=False), Step.STAY),
        (facts(confirmed=False, deleting=True), Step.STAY),
        (facts(confirmed=True, placed=False), Step.PLACED),
        (facts(confirmed=True, placed=True), Step.STAY),
        (facts(confirmed=True, deleting=True), Step.GONE),
        (facts(confirmed=True, placed=False, deleting=True), Step.GONE),
    ],
)
def test_what_follows_from_the_nodes_word(zone: ZoneFacts, step: Step) -> None:
    assert lifecycle.next_step(zone) is step


def test_connected_is_said_only_of_what_the_node_has_confirmed() -> None:
    flags = (False, True)
    for confirmed, opening, placed, deleting in itertools.product(flags, (None, 1), flags, flags):
        zone = facts(confirmed=confirmed, opening=opening, placed=placed, deleting=deleting)
        for decision in Decision:
            status = lifecycle.zone_status(zone, decision)
            if status is ZoneStatus.CONNECTED:
                assert confirmed
                assert opening is not None
                assert not deleting
            settled = (ZoneStatus.CONNECTED, ZoneStatus.WAIT, ZoneStatus.DISCONNECTED)
            assert (status in settled) == (confirmed and not deleting)


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("endpoint", [ENDPOINT, LEAVING])
@pytest.mark.parametrize("exists", [True, False])
def test_what_a_status_implies_is_so(endpoint: Endpoint, decision: Decision, exists: bool) -> None:
    switches = ("confirmed", "placed", "initial", "deleting", "cut")
    bond = connection(decision)
    for values in itertools.product([True, False], repeat=len(switches)):
        for opening in (None, 7):
            zone = facts(opening=opening, **dict(zip(switches, values, strict=True)))
            shown = lifecycle.endpoint_status(endpoint, [zone])
            connected = lifecycle.connection_status(endpoint, bond, exists, [zone])
            for asked in ((shown, None), (None, connected), (shown, connected)):
                implied = lifecycle.implied(*asked)
                assert implied.get("deleting", endpoint.deleting) == endpoint.deleting
                assert implied.get("decision", decision) == decision
                assert implied.get("not_decision") != decision
                assert implied.get("has_placed", zone.zone.placed) == zone.zone.placed
