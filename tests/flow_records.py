"""One flow, as the eBPF program says it and as the node tells it to the server."""

from __future__ import annotations

import socket
import time
from typing import Any

import msgspec

from privlink.model.flow_records import Event as SaidEvent
from privlink.model.flow_records import Said
from privlink.node.program import maps
from privlink.node.program.maps import Cause, Event
from privlink.node.telling.records import Record

SECOND = 1_000_000_000  # ns


def a_record(event: Event = Event.CLOSED, port: int = 40000, **more: Any) -> Record:
    """A flow of two seconds from 10.0.0.5 through an endpoint, which finished."""
    record = Record(
        time=20 * SECOND,
        opened=18 * SECOND,
        client_packets=6,
        client_bytes=480,
        server_packets=5,
        server_bytes=1720,
        network=1,
        place=7,
        client=maps.address_bytes("10.0.0.5"),
        called=maps.address_bytes("10.0.0.9"),
        source=maps.address_bytes("100.64.0.1"),
        server=maps.address_bytes("10.9.9.7"),
        client_port=socket.htons(port),
        called_port=socket.htons(80),
        source_port=socket.htons(1025),
        server_port=socket.htons(8080),
        group=0,
        rule=0,
        direction=0,
        event=event,
        cause=Cause.FINISHED if event is Event.CLOSED else 0,
        protocol=socket.IPPROTO_TCP,
        way=0,
    )
    return record._replace(**more)


def a_flow(
    place: str, event: SaidEvent = SaidEvent.CLOSED, cause: str = "finished", **more: Any
) -> Said:
    """What a node says of the same flow, five seconds ago."""
    told = Said(
        time=int(time.time() * 1000) - 5000,
        event=event,
        cause=cause,
        place=place,
        protocol="TCP",
        client="10.0.0.5",
        client_port=40000,
        called="10.0.0.9",
        called_port=80,
        source="100.64.0.1",
        source_port=1025,
        server="10.9.9.7",
        server_port=8080,
        client_packets=6,
        client_bytes=480,
        server_packets=5,
        server_bytes=1720,
        duration=2000,
        group="",
        rule="",
        direction="",
        way="",
    )
    return msgspec.structs.replace(told, **more)
