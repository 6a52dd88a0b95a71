"""Routes, gateway endpoints and reverse endpoints together, as a person uses them, real bytes.

                 ┌ gateway endpoint ─ by route ─▶ 198.51.100.0/24 of the operator's
one 10.0.0.0/16 ─┤
two 10.0.0.0/16 ─┴ reverse endpoint ◀─ a port of a NAT gateway ─ provider 10.0.0.0/16

Every workload that can be is at 10.0.0.5.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from darabonba.exceptions import DaraException

from demo.cloud import Network, wait_for
from tests.journey.installation import (
    CLIENT,
    PORT,
    Installation,
    consumers,
    workload,
)
from tests.journey.parties import (
    ENDPOINT,
    MODULES,
    MOMENT,
    OBJECTS,
    Consumer,
    Objects,
    Provider,
    dissociate,
    echoes,
    ends,
    is_silent,
    objects,
    one,
    own_table,
    provider,
    refuses,
    server_in,
    two,
)
from tests.journey.test_first_light import web_server
from tests.kernel import lab, talk

__all__ = ["objects", "one", "provider", "two"]  # fixtures

OTHER_SUBNET = "10.0.1.0/24"


def test_the_vswitches_of_a_vpc_reach_each_other(installation: Installation, one: Consumer) -> None:
    second = Network(one.network.vpc, one.cloud.vswitch(one.network.vpc, OTHER_SUBNET))
    with server_in(installation, second, "second", "10.0.1.5") as (other, callers):
        assert lab.ask(one.workload.netns, other.address, PORT, b"there") == b"there"
        assert lab.ask(other.netns, CLIENT, PORT, b"and back") == b"and back"
        assert (callers, one.callers) == ([CLIENT], [other.address])
        lab.ping(one.workload.netns, other.address)


def test_another_vpc_of_the_same_addresses_is_not_reached(
    installation: Installation, one: Consumer
) -> None:
    stranger = one.cloud.network("stranger")
    far = Network(stranger.vpc, one.cloud.vswitch(stranger.vpc, OTHER_SUBNET))
    with server_in(installation, far, "far", "10.0.1.5") as (_, callers):
        with workload(installation, stranger, "near", CLIENT) as near:
            assert lab.ask(near.netns, "10.0.1.5", PORT, b"mine") == b"mine"
        assert is_silent(one.workload, "10.0.1.5")
        one.cloud.vswitch(one.network.vpc, OTHER_SUBNET)  # that one has nobody at the address
        assert is_silent(one.workload, "10.0.1.5")
        assert callers == [CLIENT]


def test_curl_reaches_a_gateway_service_by_its_own_address(one: Consumer, objects: Objects) -> None:
    one.cloud.gateway_endpoint(one.network, objects.name)
    with web_server(objects.server.netns, 80, b"an object\n"):
        told = lab.run(one.workload.netns, "curl", "-sS", "-m", "5", f"http://{OBJECTS}/")
    assert told == "an object\n"


def test_a_gateway_services_server_sees_an_address_of_the_endpoint(
    one: Consumer, objects: Objects
) -> None:
    one.cloud.gateway_endpoint(one.network, objects.name)
    before = len(objects.callers)
    assert lab.ask(one.workload.netns, OBJECTS, PORT, b"an object") == b"an object"
    assert len(consumers(objects.callers[before:])) == 1


def test_equal_consumers_of_a_gateway_service_are_two_callers(
    one: Consumer, two: Consumer, objects: Objects
) -> None:
    before = len(objects.callers)
    for each in (one, two):
        each.cloud.gateway_endpoint(each.network, objects.name)
        assert lab.ask(each.workload.netns, OBJECTS, PORT, b"mine") == b"mine"
    assert len(set(consumers(objects.callers[before:]))) == 2


def test_only_vswitches_whose_table_is_associated_reach_a_gateway_endpoint(
    installation: Installation, one: Consumer, objects: Objects
) -> None:
    second = Network(one.network.vpc, one.cloud.vswitch(one.network.vpc, OTHER_SUBNET))
    table = own_table(one.cloud, second)
    with workload(installation, second, "second", "10.0.1.5") as other:
        made = one.cloud.gateway_endpoint(one.network, objects.name)
        assert lab.ask(one.workload.netns, OBJECTS, PORT, b"first") == b"first"
        before = len(objects.callers)
        assert is_silent(other, OBJECTS)
        assert len(objects.callers) == before
        one.cloud.associate(made, table)
        assert lab.ask(other.netns, OBJECTS, PORT, b"second") == b"second"


def test_nobody_calls_back_through_a_gateway_endpoint(one: Consumer, objects: Objects) -> None:
    one.cloud.gateway_endpoint(one.network, objects.name)
    with lab.connect(one.workload.netns, OBJECTS, PORT) as running:
        assert echoes(running)
        (source,) = set(consumers(objects.callers[-1:]))
        for port in (PORT, running.getsockname()[1]):
            with pytest.raises(OSError):
                lab.connect(objects.server.netns, source, port, timeout=MOMENT)
        assert echoes(running)
    assert one.callers == []


def test_a_table_that_is_dissociated_ends_its_flows(one: Consumer, objects: Objects) -> None:
    made = one.cloud.gateway_endpoint(one.network, objects.name)
    with lab.connect(one.workload.netns, OBJECTS, PORT) as running:
        assert echoes(running)
        dissociate(one.cloud, made, one.table)
        ends(running)
    assert is_silent(one.workload, OBJECTS)
    one.cloud.associate(made, one.table)
    assert lab.ask(one.workload.netns, OBJECTS, PORT, b"again") == b"again"


def test_a_provider_reaches_a_server_of_its_own_address(one: Consumer, provider: Provider) -> None:
    _, port = provider.door(one)
    netns = provider.workload.netns
    assert lab.ask(netns, provider.nat, port, b"the first byte") == b"the first byte"
    assert one.callers == [ENDPOINT]
    lab.ping(netns, provider.nat)


def test_datagrams_pass_a_door(one: Consumer, provider: Provider) -> None:
    made = provider.asked(one)
    provider.accept(one, made)
    port = provider.entry(made, 7053, "UDP")
    with (
        talk.echoing_datagrams(one.workload.netns, 7053) as callers,
        talk.datagrams(provider.workload.netns, provider.nat, port) as asking,
    ):
        asking.send(b"which way")
        assert asking.recv(100) == b"which way"
        assert callers == [ENDPOINT]


def test_a_provider_reaches_nothing_but_its_doors(one: Consumer, provider: Provider) -> None:
    _, port = provider.door(one)
    netns = provider.workload.netns
    assert lab.ask(netns, provider.nat, port) == b"hello"
    with pytest.raises(ConnectionRefusedError):
        lab.connect(netns, provider.nat, port + 1)
    assert is_silent(provider.workload, ENDPOINT, port)
    with pytest.raises(ConnectionRefusedError):  # the door is not the consumer's
        lab.connect(one.workload.netns, ENDPOINT, port)
    assert one.callers == [ENDPOINT]


def test_nobody_makes_a_door_before_the_provider_accepts(one: Consumer, provider: Provider) -> None:
    made = provider.asked(one)
    with pytest.raises(DaraException, match="not accepted in this zone"):
        provider.entry(made)
    provider.accept(one, made)
    assert lab.ask(provider.workload.netns, provider.nat, provider.entry(made), b"x") == b"x"


def test_a_list_of_targets_narrows_what_is_called(
    installation: Installation, one: Consumer, provider: Provider
) -> None:
    made, port = provider.door(one)
    with lab.connect(provider.workload.netns, provider.nat, port) as running:
        assert echoes(running)
        installation.run("endpoint-targets", made, "--permit", "10.0.0.9/32,tcp,80/80")
        wait_for(lambda: refuses(provider, port), "the door to be shut")
        ends(running)
    (called,) = json.loads(installation.run("endpoint-targets", made, "-o", "json"))["Called"]
    assert (called["AccessIp"], called["Permitted"]) == (CLIENT, False)
    installation.run("endpoint-targets", made, "--permit", f"{CLIENT}/32,tcp,{PORT}/{PORT}")
    wait_for(lambda: not refuses(provider, port), "the door to be open")
    assert lab.ask(provider.workload.netns, provider.nat, port, b"again") == b"again"


def test_a_refused_reverse_endpoint_ends_its_flows_and_nobody_elses(
    one: Consumer, two: Consumer, provider: Provider
) -> None:
    (made, port), (_, other_port) = provider.door(one), provider.door(two)
    netns = provider.workload.netns
    with (
        lab.connect(netns, provider.nat, port) as running,
        lab.connect(netns, provider.nat, other_port) as other,
    ):
        assert echoes(running) and echoes(other)
        provider.cloud.refuse(provider.service, made)
        one.cloud.await_connection(made, "Disconnected")
        ends(running)
        assert refuses(provider, port)
        assert echoes(other)
    provider.accept(one, made)
    assert lab.ask(netns, provider.nat, port, b"again") == b"again"


def test_equal_consumers_behind_one_nat_gateway_are_told_apart(
    one: Consumer, two: Consumer, provider: Provider
) -> None:
    assert one.workload.address == two.workload.address == provider.workload.address
    doors = [provider.door(each)[1] for each in (one, two)]
    for number, port in enumerate(doors):
        said = b"consumer %d" % number
        assert lab.ask(provider.workload.netns, provider.nat, port, said) == said
        assert [one.callers, two.callers][number] == [ENDPOINT]
    assert (len(one.callers), len(two.callers)) == (1, 1)


def test_kill_9_ends_no_flow_of_any_kind(
    installation: Installation, one: Consumer, provider: Provider, objects: Objects
) -> None:
    second = Network(one.network.vpc, one.cloud.vswitch(one.network.vpc, OTHER_SUBNET))
    one.cloud.gateway_endpoint(one.network, objects.name)
    _, port = provider.door(one)
    with ExitStack() as stack:
        other, _ = stack.enter_context(server_in(installation, second, "second", "10.0.1.5"))
        calls: list[Callable[[], socket.socket]] = [
            lambda: lab.connect(one.workload.netns, other.address, PORT),
            lambda: lab.connect(one.workload.netns, OBJECTS, PORT),
            lambda: lab.connect(provider.workload.netns, provider.nat, port),
        ]
        flows = [stack.enter_context(call()) for call in calls]
        assert all(echoes(flow, b"before") for flow in flows)
        for module in MODULES:
            os.kill(installation.process(module), signal.SIGKILL)
        for number in range(20):  # while both are dead or coming back
            assert all(echoes(flow, b"%d" % number) for flow in flows)
            for call in calls:
                with call() as new:
                    assert echoes(new, b"new %d" % number)
        lab.eventually(installation.is_ready)
        assert all(echoes(flow, b"after") for flow in flows)
