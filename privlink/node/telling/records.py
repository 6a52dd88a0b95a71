"""Flow records on their way: from the eBPF program's ring buffer to the server, once a second.

The program says so many records of each place, CPU and second. While all places together say more
than is read, that is halved, second by second, until they fit: then a place that says little still
says all of it, whoever says much. When a quarter is left it is doubled again.

Everything is bounded: what is read in a second, what is kept while the server is away, what one
call says. What does not fit is counted and said so. Packets wait for none of it: a ring buffer that
nobody reads is full, and what the program could not say it counts itself.
"""

from __future__ import annotations

import functools
import logging
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple, Protocol

import msgspec

from privlink.client import RemoteError
from privlink.model.flow_records import MOST_RECORDS, Said
from privlink.model.flow_records import Event as SaidEvent
from privlink.node.feed import Caller
from privlink.node.program import maps
from privlink.node.program.maps import Cause, Direction, Event, Reason, Way
from privlink.node.telling.names import Names

MOST_READ: Final = 10_000  # records in a second
MOST_KEPT: Final = 20_000  # records while the server does not take them
_LOOK_SECONDS: Final = 0.1  # the ring buffer has room for 13,000
_SAY_SECONDS: Final = 1.0
_TIMEOUT: Final = 5.0

_PROTOCOLS = {number: name for name, number in maps.PROTOCOLS.items() if number}
_WAYS = {Way.FROM_CLIENT: "client", Way.FROM_SERVER: "server"}

log = logging.getLogger(__name__)


class Source(Protocol):
    """What is needed of a `ring.Ring`."""

    def read(self, most: int) -> list[bytes]: ...


class Allow(Protocol):
    """Has the program say so many records of each place, CPU and second. Raises KernelError."""

    def __call__(self, most: int, /) -> None: ...


class Record(NamedTuple):
    """A record as the program says it: struct record, addresses and ports in their order there."""

    time: int
    opened: int
    client_packets: int
    client_bytes: int
    server_packets: int
    server_bytes: int
    network: int
    place: int
    client: bytes
    called: bytes
    source: bytes
    server: bytes
    client_port: int
    called_port: int
    source_port: int
    server_port: int
    group: int
    rule: int
    direction: int
    event: int
    cause: int
    protocol: int
    way: int

    @property
    def flow(self) -> tuple[object, ...]:
        """What makes it the same flow as another record's."""
        return (self.opened, self.network, self.protocol, *self[8:10], *self[12:14])


def share(most: int, present: int, read: int) -> int:
    """How many records a place may say on each CPU in the next second.

    `most` is what it may at best, `present` what it might in the second in which so many of all
    places were read.
    """
    if read >= MOST_READ:
        return min(max(present // 2, 1), most)
    if read < MOST_READ // 4:
        return min(present * 2, most)
    return present


def unpacked(samples: Iterable[bytes]) -> list[Record]:
    """Records from samples of the ring buffer; what is of another size is none."""
    whole = b"".join(each for each in samples if len(each) == maps.RECORD.size)
    return [Record._make(fields) for fields in maps.RECORD.iter_unpack(whole)]


def joined(records: Iterable[Record]) -> list[Record]:
    """The same without the openings of flows whose end is here too: a closed record says both."""
    listed = list(records)
    closed = {record.flow for record in listed if record.event == Event.CLOSED}
    return [each for each in listed if each.event != Event.OPENED or each.flow not in closed]


def said(record: Record, names: Names, ahead: int) -> Said:
    """A record as the server is told it. `ahead`: ns from CLOCK_MONOTONIC to the wall clock's."""
    refused = record.event == Event.REFUSED
    by_server = refused and record.way == Way.FROM_SERVER
    inside = names.inside(record.place)
    # Who is in there may call the endpoint as well, though it leads nowhere.
    inward = inside != 0 and (by_server or record.network != inside)
    if by_server:
        # The key of such a packet is the server's side of the flow: none of it is the client's.
        record = record._replace(
            source=record.called,
            source_port=record.called_port,
            server=record.client,
            server_port=record.client_port,
            client=maps.NO_ADDRESS,
            client_port=0,
            called=maps.NO_ADDRESS,
            called_port=0,
        )
    direction = Direction(record.direction & 1)
    has_group = refused and record.group != 0
    ended = record.event == Event.CLOSED
    return Said(
        time=max(record.time + ahead, 0) // 1_000_000,
        event=SaidEvent[Event(record.event).name],
        cause=_word(Reason if refused else Cause, record.cause) if refused or ended else "",
        place=names.place(record.place),
        protocol=_PROTOCOLS.get(record.protocol, str(record.protocol)),
        client=_address(record.client),
        client_port=socket.ntohs(record.client_port),
        called=_address(record.called),
        called_port=socket.ntohs(record.called_port),
        source=_address(record.source),
        source_port=socket.ntohs(record.source_port),
        server=_address(record.server),
        server_port=socket.ntohs(record.server_port),
        client_packets=record.client_packets,
        client_bytes=record.client_bytes,
        server_packets=record.server_packets,
        server_bytes=record.server_bytes,
        duration=max(record.time - record.opened, 0) // 1_000_000 if ended else 0,
        group=names.group(record.group) if has_group else "",
        rule=names.rule(record.group, direction, record.rule, record.time) if has_group else "",
        direction=direction.name.lower() if has_group else "",
        way=_WAYS.get(Way(record.way & 1), "") if refused else "",
        inward=inward,
    )


class FlowRecords:
    """Reads, joins and says records, from `run` until it is told to stop."""

    def __init__(self, names: Names, client: Caller, node_id: str) -> None:
        self._names = names
        self._client = client
        self._node_id = node_id
        self._kept: deque[Said] = deque()
        self._skipped = 0
        self._life = secrets.randbits(62)
        self._number = 0
        # Of the records kept, and of those skipped, the batch that is said until it is taken. Were
        # it said with more the next time, the server could not know the part that it has.
        self._batch: tuple[int, int] | None = None
        self._complaint = ""

    def run(self, source: Source, stopping: threading.Event, most: int, allow: Allow) -> None:
        """Read all the time, and say once a second what came.

        `most`: records of each place, CPU and second, where all places together leave room.
        """
        present = most
        samples: list[bytes] = []
        say_at = time.monotonic() + _SAY_SECONDS
        stopped = False
        while not stopped:
            stopped = stopping.wait(_LOOK_SECONDS)
            try:
                samples += source.read(MOST_READ - len(samples))
                if stopped or time.monotonic() >= say_at:
                    taken, samples = samples, []
                    say_at = time.monotonic() + _SAY_SECONDS
                    self.take(taken)
                    fair = share(most, present, len(taken))
                    if fair != present:
                        allow(fair)
                        log.info("each place may say %d flow records a second and CPU", fair)
                        present = fair
                    self.say()
            except Exception:
                log.exception("some flow records are lost")

    def take(self, samples: Iterable[bytes]) -> None:
        """Keep what samples of the ring buffer say, as far as there is room."""
        ahead = time.time_ns() - time.monotonic_ns()
        known = set(Event)
        records = [each for each in joined(unpacked(samples)) if each.event in known]
        room = max(MOST_KEPT - len(self._kept), 0)
        self._skipped += max(len(records) - room, 0)
        self._kept.extend(said(record, self._names, ahead) for record in records[:room])

    def say(self) -> None:
        """Tell the server what is kept; what it does not take is kept for the next time."""
        while self._kept or self._skipped:
            if self._batch is None:
                self._batch = min(len(self._kept), MOST_RECORDS), self._skipped
                self._number += 1
            size, skipped = self._batch
            chunk = list(islice(self._kept, size))
            try:
                self._client.call(
                    "PushFlowRecords",
                    timeout=_TIMEOUT,
                    NodeId=self._node_id,
                    Records=msgspec.json.encode(chunk).decode(),
                    Skipped=skipped,
                    Life=self._life,
                    Batch=self._number,
                )
            except RemoteError as error:
                self._complain(f"the server refuses our flow records: {error}")
                if error.status != 400:
                    return
                self._skipped += len(chunk)  # it will not take them a second time either
            except OSError as error:
                self._complain(f"flow records are not delivered: {error}")
                return
            else:
                self._skipped -= skipped
                self._complaint = ""
            self._batch = None
            for _ in chunk:
                self._kept.popleft()
            if not chunk and self._complaint:
                return

    def _complain(self, why: str) -> None:
        if why != self._complaint:
            self._complaint = why
            log.warning("%s", why)


def _word(kind: type[Cause] | type[Reason], number: int) -> str:
    try:
        return kind(number).name.lower()
    except ValueError:  # of a program newer than we are
        return f"unknown_{number}"


@functools.lru_cache(maxsize=65_536)
def _address(address: bytes) -> str:
    return "" if address == maps.NO_ADDRESS else maps.address_text(address)
