"""What reverse and gateway endpoints carry is counted, recorded and billed, to the byte.

A reverse endpoint's client is the provider's worker: what goes into the consumer's VPC is in.
"""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
from alibabacloud_privatelink20200415 import models as privatelink
from darabonba.exceptions import DaraException

from demo.cloud import REGION
from tests.journey.installation import CLIENT, PORT, Installation
from tests.journey.parties import (
    ENDPOINT,
    OBJECTS,
    Consumer,
    Objects,
    Provider,
    echoes,
    objects,
    one,
    provider,
    refuses,
    two,
)
from tests.kernel import lab, talk

__all__ = ["objects", "one", "provider", "two"]  # fixtures

ASKED = 7053  # of a UDP server
HEADERS = 28  # RFC 791, RFC 768: what an IPv4 datagram has before its data
SIZES = (2, 8, 512, 1400)
LEAST, MOST = 52, 68  # RFC 791, RFC 9293: headers of a TCP segment with what Linux puts there

Row = dict[str, Any]


def used(installation: Installation, endpoint: str, account: str = "") -> list[Row]:
    """What `privlink usage` says of an endpoint."""
    asked = ("usage", "--endpoint", endpoint, "-o", "json")
    rows: list[Row] = json.loads(installation.run(*asked, account=account))
    return rows


def recorded(
    installation: Installation, endpoint: str, event: str, *, cause: str = "", account: str = ""
) -> Row:
    """The one record of an endpoint that is about such an event, once it is told."""
    asked = ["flows", endpoint, "--event", event, "-o", "json"]
    asked += ["--cause", cause] if cause else []

    def told() -> list[Row]:
        rows: list[Row] = json.loads(installation.run(*asked, account=account))
        return rows

    (row,) = lab.eventually(told)
    return row


def counted(installation: Installation, endpoint: str) -> dict[str, int]:
    """The bytes that `/metrics` has of an endpoint, by direction."""
    with urllib.request.urlopen(f"http://{installation.listen}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    ours = [
        line
        for line in lines
        if line.startswith("privlink_endpoint_bytes_total{") and endpoint in line
    ]
    return {
        way: int(float(line.rpartition(" ")[2]))
        for line in ours
        for way in ("in", "out")
        if f'direction="{way}"' in line
    }


@contextmanager
def halving(netns: str, port: int) -> Iterator[None]:
    """A UDP server that answers with the first half of what it is sent."""

    def opened() -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(("", port))
        return bound

    def answer() -> None:
        with suppress(OSError):  # shut down
            while True:
                data, caller = served.recvfrom(2000)
                if not caller:
                    return
                served.sendto(data[: len(data) // 2], caller)

    with lab.system.within(lab.path(netns), opened) as served:
        answering = Thread(target=answer, name="halves")
        answering.start()
        try:
            yield
        finally:
            with suppress(OSError):  # not connected, it says, but wakes up all the same
                served.shutdown(socket.SHUT_RDWR)
            answering.join()


def exchanged(netns: str, address: str, port: int) -> tuple[int, int]:
    """Ask a server that halves; the bytes that went there, and those that came back."""
    with talk.datagrams(netns, address, port) as calling:
        for size in SIZES * 5:
            calling.send(b"x" * size)
            assert len(calling.recv(2000)) == size // 2
    return (
        sum(size + HEADERS for size in SIZES * 5),
        sum(size // 2 + HEADERS for size in SIZES * 5),
    )


def test_bytes_through_a_door_are_what_is_billed(
    installation: Installation, two: Consumer, provider: Provider
) -> None:
    made = provider.asked(two)
    provider.accept(two, made)
    port = provider.entry(made, ASKED, "UDP")
    with halving(two.workload.netns, ASKED):
        there, back = exchanged(provider.workload.netns, provider.nat, port)

    def is_told() -> bool:
        (row,) = used(installation, made)
        assert row["BytesIn"] <= there and row["BytesOut"] <= back
        return (row["BytesIn"], row["BytesOut"]) == (there, back)

    lab.eventually(is_told)
    assert counted(installation, made) == {"in": there, "out": back}
    (row,) = used(installation, made)
    assert (row["ZoneHours"], row["Price"]) == (1, "0.000000")
    assert (row["EndpointAccountId"], row["PayerAccountId"]) == (two.account, two.account)
    assert used(installation, made, two.account) == [row]


def test_bytes_to_a_gateway_service_are_counted_and_in_no_bill(
    installation: Installation, one: Consumer, objects: Objects
) -> None:
    made = one.cloud.gateway_endpoint(one.network, objects.name)
    with halving(objects.server.netns, ASKED):
        there, back = exchanged(one.workload.netns, OBJECTS, ASKED)
    lab.eventually(lambda: counted(installation, made) == {"in": there, "out": back})
    assert used(installation, made) == []
    assert not any(row["EndpointId"] == made for row in _bill(installation))


def _bill(installation: Installation) -> list[Row]:
    rows: list[Row] = json.loads(installation.run("usage", "-o", "json"))
    return rows


def test_a_flow_through_a_door_is_recorded_from_its_beginning_to_its_end(
    installation: Installation, two: Consumer, provider: Provider
) -> None:
    made, port = provider.door(two)
    netns = provider.workload.netns
    with lab.connect(netns, provider.nat, port) as running:
        own_port = running.getsockname()[1]
        assert echoes(running, b"x" * 5000)
        opened = recorded(installation, made, "opened")
    closed = recorded(installation, made, "closed", cause="finished")
    flow = {
        "ClientAddress": CLIENT,
        "ClientPort": own_port,
        "CalledAddress": provider.nat,
        "CalledPort": port,
        "SourceAddress": ENDPOINT,
        "ServerAddress": CLIENT,
        "ServerPort": PORT,
        "ConsumerAccountId": two.account,
        "Protocol": "TCP",
    }
    for record in (opened, closed):
        assert {name: record[name] for name in flow} == flow
    for side in ("Client", "Server"):
        packets = closed[f"{side}Packets"]
        assert LEAST * packets <= closed[f"{side}Bytes"] - 5000 <= MOST * packets
    (row,) = lab.eventually(lambda: [each for each in used(installation, made) if each["BytesIn"]])
    assert (row["BytesIn"], row["BytesOut"]) == (closed["ClientBytes"], closed["ServerBytes"])
    seen = recorded(installation, made, "closed", account=two.account)
    assert (seen["ClientAddress"], seen["CalledAddress"]) == ("", "")
    assert (seen["SourceAddress"], seen["ServerAddress"]) == (ENDPOINT, CLIENT)


def test_what_a_door_refuses_is_recorded_with_its_cause(
    installation: Installation, two: Consumer, provider: Provider
) -> None:
    made, port = provider.door(two)
    assert lab.ask(provider.workload.netns, provider.nat, port, b"once") == b"once"
    installation.run(
        *("endpoint-targets", made, "--permit", "10.0.0.9/32,tcp,80/80"), account=two.account
    )
    lab.eventually(lambda: refuses(provider, port))
    refused = recorded(installation, made, "refused", cause="not_accepted")
    assert (refused["ClientAddress"], refused["CalledAddress"]) == (CLIENT, provider.nat)
    assert (refused["CalledPort"], refused["ServerAddress"]) == (port, "")
    seen = recorded(installation, made, "refused", account=two.account)
    assert (seen["ClientAddress"], seen["CalledAddress"], seen["CalledPort"]) == ("", "", port)


def test_what_its_own_network_calls_of_a_reverse_endpoint_is_the_consumers_to_see(
    installation: Installation, two: Consumer, provider: Provider
) -> None:
    made, _ = provider.door(two)
    with pytest.raises(ConnectionRefusedError):
        lab.connect(two.workload.netns, ENDPOINT, PORT)
    refused = recorded(installation, made, "refused", account=two.account)
    assert (refused["ClientAddress"], refused["CalledAddress"]) == (CLIENT, ENDPOINT)
    assert (refused["Cause"], refused["CalledPort"]) == ("not_accepted", PORT)


def test_flows_to_a_gateway_service_are_recorded(
    installation: Installation, one: Consumer, objects: Objects
) -> None:
    made = one.cloud.gateway_endpoint(one.network, objects.name)
    with lab.connect(one.workload.netns, OBJECTS, PORT) as running:
        assert echoes(running, b"x" * 5000)
        opened = recorded(installation, made, "opened")
    closed = recorded(installation, made, "closed", cause="finished")
    flow = {
        "ClientAddress": CLIENT,
        "CalledAddress": OBJECTS,
        "CalledPort": PORT,
        "SourceAddress": objects.callers[-1],
        "ServerAddress": OBJECTS,
        "ServerPort": PORT,
        "ZoneId": "",
    }
    for record in (opened, closed):
        assert {name: record[name] for name in flow} == flow
    for side in ("Client", "Server"):
        packets = closed[f"{side}Packets"]
        assert LEAST * packets <= closed[f"{side}Bytes"] - 5000 <= MOST * packets
    both = {"in": closed["ClientBytes"], "out": closed["ServerBytes"]}
    lab.eventually(lambda: counted(installation, made) == both)


def test_what_a_gateway_endpoint_does_not_carry_is_counted_with_its_cause(
    installation: Installation, one: Consumer, objects: Objects
) -> None:
    one.cloud.gateway_endpoint(one.network, objects.name)
    before = _dropped(installation, "protocol")
    with talk.raw(one.workload.netns, socket.AF_INET) as pinging:
        pinging.sendto(talk.icmp(8, 0, b"ping"), (OBJECTS, 0))
        lab.eventually(lambda: _dropped(installation, "protocol") > before)


def _dropped(installation: Installation, cause: str) -> int:
    """How many packets that concern no endpoint were dropped, of a cause."""
    (node,) = json.loads(installation.run("status", "-o", "json"))["Nodes"]
    return int(node["Drops"].get(cause, 0))


def test_nothing_is_said_of_the_bandwidth_of_a_reverse_endpoint(
    one: Consumer, provider: Provider
) -> None:
    """As in the cloud: it has none to be set, before its consent or after."""
    made = provider.asked(one)
    provider.accept(one, made)
    asked = privatelink.UpdateVpcEndpointConnectionAttributeRequest(
        region_id=REGION, service_id=provider.service, endpoint_id=made, bandwidth=100
    )
    with pytest.raises(DaraException, match="VpcNatServiceResourceTypeNotSupportBandwidth"):
        provider.cloud.privatelink.update_vpc_endpoint_connection_attribute(asked)
