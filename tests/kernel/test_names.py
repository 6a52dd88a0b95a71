"""Doors that lead to a name: a DNS server in the consumer's network says where, over real packets.

The picture is in `tenants`. The neighbour is tenant one's DNS server, and the twin tenant two's,
with an address that is also the client's of tenant one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from privlink.model.items import Door, Naming, NatAddress, Protocol
from privlink.node.health.monitor import Monitor
from privlink.node.health.probe_namespace import ProbeNamespace
from privlink.node.health.probes import FIRST_NUMBER, Numbers
from privlink.node.holding import Holding
from privlink.node.program.maps import NUMBER
from privlink.node.resolving import course
from privlink.node.resolving.asker import Asker
from privlink.node.resolving.resolver import Resolver, Standing
from tests.kernel import lab, tenants
from tests.kernel.dns_server import Zone, serving
from tests.kernel.tenants import BYSTANDER, CLIENT, DISTANT, NEIGHBOUR, SERVER, TWIN
from tests.kernel.test_doors import IPV4, NAT_MAC, ONE, PORT, TARGET_PORT, TWO

NAME = "db.customer.example"
KEY = "door/named"
INSIDE = ("10.0.0.0/16",)  # the VPC of tenant one
NAMING = Naming(NAME, NEIGHBOUR.address, 1, IPV4.endpoint, TARGET_PORT, INSIDE)
DOOR = Door(2, IPV4.nat, Protocol.TCP, PORT, 300, ONE.number, ONE.number, None, NAMING)
SOON = 60.0  # seconds; a silent server is waited for several times


class Cloud(tenants.Cloud):
    """With somebody who resolves names."""

    def _hold(self) -> Holding:
        probes, numbers = ProbeNamespace(self.kernel), Numbers()
        self.woken = threading.Event()
        self.resolver = Resolver(Asker(probes.path), numbers)
        self.resolver.start(self.woken.set)
        return Holding(self.kernel, Monitor(link=probes.ensure, numbers=numbers), self.resolver)

    def follow(self) -> tuple[str, ...]:
        """Look at what changed; where the door leads by now."""
        known = self.resolver.targets(KEY)  # before: what comes while we look is for the next time
        if self.resolver.owes_a_look:
            self._holding.look_at_servers()
        return known

    def leads_to(self, *addresses: str) -> None:
        """Wait until the door leads there."""
        lab.eventually(lambda: self.follow() == addresses, within=SOON)

    def said(self) -> Standing:
        """What the server would be told of the door's name."""
        (standing,) = (each for each in self.resolver.bulletin._standings.values())
        assert isinstance(standing, Standing)
        return standing

    def reaches(self) -> str | None:
        """Whether somebody answers at the door, or it says that nobody does."""
        try:
            return lab.ask(self.names["server"], IPV4.nat, PORT).decode()
        except ConnectionRefusedError:
            return None


@pytest.fixture(scope="module")
def opened(bpf_object: Path) -> Iterator[Cloud]:
    with tenants.cloud(bpf_object, kind=Cloud) as made:
        made.put(
            nat_four=NatAddress(2, IPV4.nat, NAT_MAC), forward_reverse=ONE, forward_reversetwo=TWO
        )
        yield made
        made.resolver.stop()


@pytest.fixture
def cloud(opened: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Answers are believed for a second, so that a change is heard of soon."""
    for name in ("SHORTEST", "LONGEST_FAILED"):
        monkeypatch.setattr(course, name, 1)
    yield opened
    opened.put(door_named=msgspec.structs.replace(DOOR, naming=None))


def test_a_door_leads_where_its_name_does_and_follows_it(cloud: Cloud) -> None:
    zone = Zone(BYSTANDER.address)
    with (
        serving(cloud.names["neighbour"], zone),
        lab.echo_server(cloud.names["bystander"], TARGET_PORT) as first,
        lab.echo_server(cloud.names["distant"], TARGET_PORT) as second,
    ):
        cloud.put(door_named=DOOR)
        cloud.leads_to(BYSTANDER.address)
        assert cloud.reaches() == "hello"
        with lab.connect(cloud.names["server"], IPV4.nat, PORT) as running:
            running.sendall(b"x")
            assert running.recv(1) == b"x"
            zone.addresses = (DISTANT.address,)
            cloud.leads_to(DISTANT.address)
            assert cloud.reaches() == "hello"
            running.sendall(b"y")
            with pytest.raises(ConnectionResetError):
                running.recv(1)
    # Both the resolver and the targets see the endpoint.
    assert set(zone.asked) == {(IPV4.endpoint, NAME)}
    assert (first, second) == ([IPV4.endpoint] * 2, [IPV4.endpoint])


def test_several_addresses_share_the_connections_by_tcp_too(cloud: Cloud) -> None:
    zone = Zone(DISTANT.address, BYSTANDER.address)
    zone.truncates = True
    with (
        serving(cloud.names["neighbour"], zone),
        lab.echo_server(cloud.names["bystander"], TARGET_PORT) as first,
        lab.echo_server(cloud.names["distant"], TARGET_PORT) as second,
    ):
        cloud.put(door_named=DOOR)
        cloud.leads_to(BYSTANDER.address, DISTANT.address)
        for _ in range(4):
            assert cloud.reaches() == "hello"
    assert (len(first), len(second)) == (2, 2)


def test_a_silent_resolver_changes_nothing_and_one_that_knows_no_such_name_shuts(
    cloud: Cloud,
) -> None:
    zone = Zone(BYSTANDER.address)
    with (
        serving(cloud.names["neighbour"], zone),
        lab.echo_server(cloud.names["bystander"], TARGET_PORT),
    ):
        cloud.put(door_named=DOOR)
        cloud.leads_to(BYSTANDER.address)
        zone.silent = True
        lab.eventually(lambda: cloud.said().why.endswith("does not answer."), within=SOON)
        assert cloud.follow() == (BYSTANDER.address,)
        assert cloud.reaches() == "hello"
        zone.silent, zone.addresses = False, ()
        cloud.leads_to()
        assert cloud.reaches() is None
        assert "no such name" in cloud.said().why


@pytest.mark.parametrize(
    "answer", [SERVER.address, "127.0.0.1", "169.254.169.254", "192.168.0.1", "10.1.0.5"]
)
def test_an_answer_outside_of_what_the_consumer_permits_is_not_dialled(
    cloud: Cloud, answer: str
) -> None:
    """DNS rebinding: who answers, or chose the name, leads nowhere that is not permitted. The
    client in tenant one has the address of the provider's server, and is not on the list either.
    """
    naming = msgspec.structs.replace(NAMING, blocks=(f"{BYSTANDER.address}/32",))
    zone = Zone(BYSTANDER.address, answer)
    with (
        serving(cloud.names["neighbour"], zone),
        lab.echo_server(cloud.names["bystander"], TARGET_PORT) as permitted,
        lab.echo_server(cloud.names["client"], TARGET_PORT) as other,
    ):
        cloud.put(door_named=msgspec.structs.replace(DOOR, naming=naming))
        cloud.leads_to(BYSTANDER.address)
        for _ in range(3):
            assert cloud.reaches() == "hello"
        zone.addresses = (answer,)
        cloud.leads_to()
        assert cloud.reaches() is None
        assert cloud.said().addresses == ()
        assert answer not in cloud.said().why  # it is the consumer's, and the provider reads this
    assert (len(permitted), other) == (3, [])


def test_who_stops_permitting_ends_what_runs(cloud: Cloud) -> None:
    zone = Zone(BYSTANDER.address)
    with (
        serving(cloud.names["neighbour"], zone),
        lab.echo_server(cloud.names["bystander"], TARGET_PORT),
    ):
        cloud.put(door_named=DOOR)
        cloud.leads_to(BYSTANDER.address)
        with lab.connect(cloud.names["server"], IPV4.nat, PORT) as running:
            naming = msgspec.structs.replace(NAMING, blocks=(f"{CLIENT.address}/32",))
            cloud.put(door_named=msgspec.structs.replace(DOOR, naming=naming))
            running.sendall(b"y")
            with pytest.raises(ConnectionResetError):
                running.recv(1)
        assert cloud.reaches() is None


def test_the_right_network_is_asked_where_addresses_are_equal(cloud: Cloud) -> None:
    """The twin of tenant two has the client's address: one resolver address, two resolvers."""
    naming = msgspec.structs.replace(NAMING, resolver=TWIN.address, network=3)
    door = msgspec.structs.replace(DOOR, naming=naming, opening=TWO.number, place=TWO.number)
    zone, other = Zone(TWIN.address), Zone(BYSTANDER.address)
    with (
        serving(cloud.names["twin"], zone),
        serving(cloud.names["client"], other),
        lab.echo_server(cloud.names["twin"], TARGET_PORT) as seen,
    ):
        cloud.put(door_named=door)
        cloud.leads_to(TWIN.address)
        assert cloud.reaches() == "hello"
    assert (other.asked, seen) == ([], [IPV4.endpoint])


def test_what_was_known_holds_until_there_is_an_answer_if_it_is_permitted(cloud: Cloud) -> None:
    """As after a restart; nobody is listening where names are asked for."""
    known = msgspec.structs.replace(NAMING, known=(BYSTANDER.address, "192.168.0.1"))
    with lab.echo_server(cloud.names["bystander"], TARGET_PORT):
        cloud.put(door_named=msgspec.structs.replace(DOOR, naming=known))
        assert cloud.follow() == (BYSTANDER.address,)
        assert cloud.reaches() == "hello"


def test_a_door_that_goes_takes_its_question_along(cloud: Cloud) -> None:
    with serving(cloud.names["neighbour"], Zone(BYSTANDER.address)) as zone:
        cloud.put(door_named=DOOR)
        cloud.leads_to(BYSTANDER.address)
        cloud.put(door_named=msgspec.structs.replace(DOOR, naming=None))
        keys = [NUMBER.unpack(key)[0] for key, _ in cloud.program.maps["forwards"].dump()]
        assert max(keys) < FIRST_NUMBER
        assert zone.asked
    assert cloud.reaches() is None
