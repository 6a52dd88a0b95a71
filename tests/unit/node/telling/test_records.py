"""Flow records on their way: joined, named, bounded, said."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.client import RemoteError
from privlink.model.flow_records import MOST_RECORDS, Ending, Refusal, Said
from privlink.model.flow_records import Event as SaidEvent
from privlink.model.items import Filter, Forward, Rule
from privlink.node.program import maps
from privlink.node.program.maps import Cause, Direction, Event, Reason, Way
from privlink.node.telling.names import Names
from privlink.node.telling.records import (
    MOST_KEPT,
    MOST_READ,
    FlowRecords,
    Record,
    joined,
    said,
    share,
    unpacked,
)
from tests.flow_records import SECOND, a_flow, a_record

PLACE = "forward/ep-1/local-a"
INSIDE = 1  # the endpoint's VPC


def refusal(reason: Reason, **more: Any) -> Record:
    none = {"source": maps.NO_ADDRESS, "source_port": 0, "server": maps.NO_ADDRESS}
    return a_record(Event.REFUSED, opened=0, cause=reason, server_port=0, **(none | more))


def packed(*records: Record) -> list[bytes]:
    return [maps.RECORD.pack(*record) for record in records]


def names(*, reversed: bool = False) -> Names:
    found = Names()
    front = Forward(INSIDE, "10.0.0.9", "02:00:00:00:00:01", (), None, number=7, reversed=reversed)
    found.learn(PLACE, front)
    rule = Rule(1, False, "TCP", "10.0.0.0/8", 80, 80, id="sgr-1")
    found.learn("filter/sg-1", Filter(4, (rule,), (msgspec.structs.replace(rule, id="sgr-2"),)))
    return found


class Server:
    """Takes calls, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[Said] = []
        self.skipped = 0
        self.calls: list[int] = []
        self.refusal: Exception | None = None
        self.lost = False  # what is taken is not answered
        self.batches: set[tuple[int, int]] = set()

    def call(
        self, action: str, *, timeout: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        assert action == "PushFlowRecords"
        assert timeout is not None
        if self.refusal is not None:
            raise self.refusal
        records = msgspec.json.decode(parameters["Records"], type=list[Said])
        assert len(records) <= MOST_RECORDS
        batch = parameters["Life"], parameters["Batch"]
        if batch not in self.batches:
            self.batches.add(batch)
            self._take(records, parameters["Skipped"])
        if self.lost:
            raise TimeoutError("no answer")
        return {}

    def _take(self, records: list[Said], skipped: int) -> None:
        self.calls.append(len(records))
        self.taken += records
        self.skipped += skipped


def test_words_are_those_of_the_program() -> None:
    assert [each.value for each in Ending] == [each.name.lower() for each in Cause]
    assert [each.value for each in Refusal] == [each.name.lower() for each in Reason]
    events = [each.value for each in SaidEvent if each is not SaidEvent.SKIPPED]
    assert events == [each.name.lower() for each in Event]


def test_a_closed_flow_is_told_whole() -> None:
    told = said(a_record(), names(), 1_000_000 * SECOND)
    assert told == a_flow(PLACE, time=1_000_020_000)


def test_a_refusal_names_its_rule() -> None:
    found = names()
    now = time.monotonic_ns() + SECOND  # later than the names were learnt
    told = said(refusal(Reason.SECURITY_GROUP, group=4, rule=1, time=now), found, 0)
    assert (told.event, told.cause, told.way) == ("refused", "security_group", "client")
    assert (told.group, told.rule, told.direction) == ("sg-1", "sgr-1", "ingress")
    assert (told.source, told.server, told.duration) == ("", "", 0)
    egress = refusal(Reason.EGRESS_RULE, group=4, rule=1, direction=Direction.EGRESS, time=now)
    told = said(egress, found, 0)
    assert (told.rule, told.direction) == ("sgr-2", "egress")
    told = said(refusal(Reason.SECURITY_GROUP, time=now), found, 0)  # no rule accepted it
    assert (told.group, told.rule, told.direction) == ("", "", "")


def test_a_refused_packet_of_the_servers_tells_nothing_of_it_to_the_client() -> None:
    record = refusal(
        Reason.UNSOLICITED_SYN,
        way=Way.FROM_SERVER,
        client=maps.address_bytes("10.9.9.7"),
        called=maps.address_bytes("100.64.0.1"),
    )
    told = said(record, names(), 0)
    assert (told.client, told.client_port, told.called, told.called_port) == ("", 0, "", 0)
    assert (told.server, told.server_port) == ("10.9.9.7", 40000)
    assert (told.source, told.source_port, told.way) == ("100.64.0.1", 80, "server")


def test_what_goes_into_the_network_of_a_reverse_endpoint_is_said_so() -> None:
    """Not what somebody in there sends to the endpoint, which leads nowhere."""
    found = names(reversed=True)
    assert not said(a_record(network=INSIDE), found, 0).inward
    assert said(a_record(network=INSIDE + 1), found, 0).inward
    stray = refusal(Reason.UNSOLICITED_SYN, way=Way.FROM_SERVER, network=INSIDE)
    assert said(stray, found, 0).inward
    assert not said(a_record(network=INSIDE + 1), names(), 0).inward


def test_what_is_not_known_is_left_open() -> None:
    told = said(a_record(place=99, cause=77, protocol=99), names(), 0)
    assert (told.place, told.cause, told.protocol) == ("", "unknown_77", "99")
    assert said(a_record(Event.OPENED, time=5), names(), -10).time == 0


def test_ipv6_is_spelt_as_everywhere() -> None:
    told = said(a_record(client=maps.address_bytes("fd00::5")), names(), 0)
    assert told.client == "fd00::5"


def test_samples_of_another_size_are_none() -> None:
    (whole,) = packed(a_record())
    assert unpacked([b"", whole[:-1], whole, whole + b"x"]) == [a_record()]


def test_opened_and_closed_in_one_batch_are_one() -> None:
    opened, closed = a_record(Event.OPENED, time=18 * SECOND), a_record()
    other = a_record(Event.OPENED, port=2)
    again = a_record(Event.OPENED, opened=21 * SECOND, time=21 * SECOND)  # from the same port
    assert joined([opened, other, closed, again]) == [other, closed, again]
    assert joined([closed, opened]) == [closed]
    assert joined([opened]) == [opened]
    assert joined([closed]) == [closed]


flows = st.builds(
    a_record,
    event=st.sampled_from(Event),
    port=st.integers(1, 4),
    opened=st.integers(1, 3),
    network=st.integers(1, 2),
    protocol=st.sampled_from([socket.IPPROTO_TCP, socket.IPPROTO_UDP]),
)


@given(st.lists(flows))
def test_joining_loses_no_flow(records: list[Record]) -> None:
    left = joined(records)
    assert [each for each in left if each.event != Event.OPENED] == [
        each for each in records if each.event != Event.OPENED
    ]
    ends = {each.flow for each in records if each.event == Event.CLOSED}
    told = {each.flow for each in left if each.event != Event.REFUSED}
    assert told == {each.flow for each in records if each.event != Event.REFUSED}
    assert not [each for each in left if each.event == Event.OPENED and each.flow in ends]


def test_a_hundred_thousand_come_in_order_and_in_parts() -> None:
    server = Server()
    records = FlowRecords(names(), server, "node-1")
    for first in range(0, 100_000, 10_000):
        ports = range(first, first + 10_000)
        records.take(packed(*(a_record(port=port % 65536, opened=port) for port in ports)))
        records.say()
    assert len(server.taken) == 100_000
    assert server.skipped == 0
    assert [each.client_port for each in server.taken] == [port % 65536 for port in range(100_000)]
    assert max(server.calls) == MOST_RECORDS


def test_while_the_server_is_away_so_much_is_kept_and_the_rest_counted() -> None:
    server = Server()
    server.refusal = OSError("no answer")
    records = FlowRecords(names(), server, "node-1")
    for first in range(0, 100_000, 10_000):
        records.take(packed(*(a_record(opened=first + each) for each in range(10_000))))
        records.say()
        assert len(records._kept) <= MOST_KEPT
    server.refusal = None
    records.say()
    assert (len(server.taken), server.skipped) == (MOST_KEPT, 100_000 - MOST_KEPT)
    records.say()
    assert sum(server.calls) == MOST_KEPT


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_what_is_refused_for_now_is_said_again(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    server.refusal = RemoteError(status, "Code", "not now", "")
    records = FlowRecords(names(), server, "node-1")
    records.take(packed(a_record()))
    for _ in range(3):
        records.say()
    assert caplog.text.count("not now") == 1
    server.refusal = None
    records.say()
    assert (len(server.taken), server.skipped) == (1, 0)


def test_what_is_refused_for_good_is_counted_and_not_said_again() -> None:
    server = Server()
    server.refusal = RemoteError(400, "InvalidRecords", "it is no list", "")
    records = FlowRecords(names(), server, "node-1")
    records.take(packed(*(a_record(port=port) for port in range(1500))))
    records.say()
    assert not records._kept
    server.refusal = None
    records.say()
    assert (server.taken, server.skipped) == ([], 1500)


def test_a_batch_whose_answer_is_lost_is_said_the_same_again() -> None:
    server = Server()
    records = FlowRecords(names(), server, "node-1")
    server.lost = True
    for first in range(0, MOST_KEPT + 2000, 300):
        records.take(packed(*(a_record(opened=first + each) for each in range(300))))
        records.say()
    assert server.calls == [300]
    server.lost = False
    records.say()
    assert (len(server.taken), server.skipped) == (MOST_KEPT, first + 300 - MOST_KEPT)
    assert len(server.batches) == len(server.calls)


@given(
    most=st.integers(0, 1000),
    loud=st.integers(0, 400),
    quiet=st.integers(0, 3),
)
def test_a_place_that_says_little_says_all_of_it_whoever_says_much(
    most: int, loud: int, quiet: int
) -> None:
    present, read = most, []
    for _ in range(20):  # each of the loud places says all it may, on two CPUs
        read.append(min(2 * present * loud + min(quiet, 2 * present), MOST_READ))
        present = share(most, present, read[-1])
        assert min(most, 1) <= present <= most
    # From some second on all fit, and what little there is of one place is among it.
    assert read[-1] < MOST_READ or present == 0
    assert quiet <= 2 * present or quiet > 2 * most
    for _ in range(20):
        present = share(most, present, 0)
    assert present == most


class Ring:
    """A source that gives what there is, and stops its reader at the end."""

    def __init__(self, samples: list[bytes], stopping: threading.Event) -> None:
        self._samples: Iterator[bytes] = iter(samples)
        self._stopping = stopping
        self.broken = True

    def read(self, most: int) -> list[bytes]:
        if self.broken:
            self.broken = False
            raise OSError("for once")
        found = [sample for _, sample in zip(range(min(most, 300)), self._samples, strict=False)]
        if not found:
            self._stopping.set()
        return found


def test_it_runs_until_it_is_told_to_stop_and_says_the_last_of_it() -> None:
    server, stopping = Server(), threading.Event()
    allowed: list[int] = []
    ring = Ring(packed(*(a_record(port=port) for port in range(1000))), stopping)
    FlowRecords(names(), server, "node-1").run(ring, stopping, 100, allowed.append)
    assert len(server.taken) == 1000
