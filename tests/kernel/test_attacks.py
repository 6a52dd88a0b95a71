"""Every claim of isolation, attacked with packet sockets from inside the workloads.

While the attacks of `attacks` are sent, somebody listens on every workload's link and on every
bridge: nothing of them may arrive, and each must be counted with its reason.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoRequest

from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel import lab, talk, tenants
from tests.kernel.attacks import ATTACKS, RUNNING, Attack
from tests.kernel.forgery import advertisement, arp, datagram, ip, pieces, solicitation, syn
from tests.kernel.tenants import (
    CLIENT,
    DNS,
    DNS_SERVER,
    ENDPOINT,
    ENDPOINT6,
    FORWARD,
    FORWARD_TWO,
    NEIGHBOUR,
    WEB,
    WEB_SERVER,
    WORKLOADS,
)

SPEAKERS = {
    bytes.fromhex(mac.replace(":", ""))
    for mac in (
        GATEWAY_MAC,
        FORWARD.mac,
        FORWARD_TWO.mac,
        *(workload.mac for workload in WORKLOADS.values()),
    )
}  # fmt: skip
BRIDGES = ("sw1", "sw2", "sw3", "sw4", "sw5")


class Ears:
    """Packet sockets on every workload's link and every bridge; one may also send by them."""

    def __init__(self, cloud: tenants.Cloud, stack: ExitStack) -> None:
        self._sockets = {
            word: stack.enter_context(talk.frames(name)) for word, name in cloud.names.items()
        }
        for bridge in BRIDGES:
            self._sockets[bridge] = stack.enter_context(talk.frames(cloud.fabric.name, bridge))

    def send(self, word: str, frame: bytes) -> None:
        """Send a frame from a workload."""
        self._sockets[word].send(frame)

    def heard(self) -> dict[str, list[bytes]]:
        """What came in since the last call, and where; all of it from somebody we know."""
        heard = {word: list(talk.drain(ear)) for word, ear in self._sockets.items()}
        speakers = {frame[6:12] for frames in heard.values() for frame in frames}
        assert speakers <= SPEAKERS
        return heard

    def who_heard(self, mark: bytes) -> set[str]:
        """Where a frame with this mark came in."""
        heard = self.heard()
        return {word for word, frames in heard.items() if any(mark in frame for frame in frames)}


class Scene(NamedTuple):
    """Everybody plugged in, conversations running, ears open."""

    cloud: tenants.Cloud
    ears: Ears
    running: list[socket.socket]


@pytest.fixture(scope="module")
def scene(bpf_object: Path) -> Iterator[Scene]:
    with tenants.cloud(bpf_object) as cloud, ExitStack() as stack:
        client, server = cloud.names["client"], cloud.names["server"]
        running = []
        for address in (ENDPOINT, ENDPOINT6):
            family = talk.family_of(address)
            stack.enter_context(lab.echo_server(server, WEB_SERVER, family))
            stack.enter_context(talk.echoing_datagrams(server, DNS_SERVER, family))
            running += [
                stack.enter_context(talk.stream(client, address, WEB, RUNNING)),
                stack.enter_context(talk.datagrams(client, address, DNS, RUNNING)),
            ]
        lab.eventually(lambda: bridges_forward(cloud))
        yield Scene(cloud, Ears(cloud, stack), running)


def bridges_forward(cloud: tenants.Cloud) -> bool:
    """Whether every port has heard that it has a carrier, which the kernel tells once a second."""
    links = [name for name in cloud.fabric.links() if name.startswith("at")]
    files = [f"/sys/class/net/{link}/brport/state" for link in links]
    states = lab.run(cloud.fabric.name, "cat", *files).split()
    return states == ["3"] * len(links)  # BR_STATE_FORWARDING, linux/if_bridge.h


def marked(frame: bytes, mark: bytes) -> bytes:
    """A frame with a mark as its padding, long enough not to be padded otherwise."""
    return frame.ljust(60, b"\0") + mark


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.description for attack in ATTACKS])
def test_nothing_of_it_arrives(scene: Scene, attack: Attack) -> None:
    mark = os.urandom(16)
    for frame in attack.before:
        scene.ears.send(attack.sender, bytes(frame))
    before = scene.cloud.drops(attack.reason)
    for frame in attack.frames:
        scene.ears.send(attack.sender, marked(bytes(frame), mark))
    wanted = before + len(attack.frames)
    lab.eventually(lambda: scene.cloud.drops(attack.reason) >= wanted, within=2)
    assert scene.ears.who_heard(mark) <= {attack.sender}


def test_conversations_that_were_attacked_go_on(scene: Scene) -> None:
    """After all of the above, which named their addresses and ports."""
    for running in scene.running:
        data = os.urandom(1000)
        running.sendall(data)
        assert lab.receive(running, len(data)) == data


def test_an_attack_that_is_none_does_arrive(scene: Scene) -> None:
    """So that the ears are known to hear."""
    for address in (NEIGHBOUR.address, NEIGHBOUR.address6):
        mark = os.urandom(16)
        frame = ip(CLIENT, address, datagram(), mac=NEIGHBOUR.mac)
        scene.ears.send("client", marked(bytes(frame), mark))
        heard: set[str] = set()
        lab.eventually(lambda: heard.update(scene.ears.who_heard(mark)) or heard)  # noqa: B023
        assert heard == {"neighbour"}
    for frame in (
        arp(CLIENT),
        arp(CLIENT, op=2),
        solicitation(CLIENT, NEIGHBOUR.address6),
        advertisement(CLIENT, CLIENT.address6),
    ):
        mark = os.urandom(16)
        scene.ears.send("client", marked(bytes(frame), mark))
        heard = set()
        lab.eventually(
            lambda: heard.update(scene.ears.who_heard(mark)) or len(heard) >= 3  # noqa: B023
        )
        assert heard == {"neighbour", "bystander", "sw1"}


@pytest.mark.parametrize("address", [NEIGHBOUR.address, NEIGHBOUR.address6], ids=["IPv4", "IPv6"])
def test_what_is_for_a_neighbour_is_for_nobody_else(scene: Scene, address: str) -> None:
    """Neither where nobody has that MAC, nor where it is another tenant's or the fabric's own."""
    macs = ["02:00:00:00:77:77", tenants.OUTSIDER.mac, tenants.ENDPOINT_MAC]
    stray = os.urandom(16)
    for mac in (*macs, mac_of_bridge(scene, "sw1")):
        frame = ip(CLIENT, address, datagram(), mac=mac)
        scene.ears.send("client", marked(bytes(frame), stray))
    assert heard_until_a_fence(scene, stray) <= {"sw1"}


def test_the_bridge_needs_not_learn_who_is_where(scene: Scene) -> None:
    """It was told: nobody's frames go to all just because that workload was silent for long."""
    name = scene.cloud.fabric.name
    for word in ("neighbour", "bystander"):
        link = f"at{WORKLOADS[word].number}"
        lab.run(name, "ip", "link", "set", link, "type", "bridge_slave", "fdb_flush")
        entries = lab.run(name, "bridge", "fdb", "show", "brport", link).splitlines()
        (entry,) = (each.split() for each in entries if "permanent" not in each)  # the link's own
        assert (entry[0], entry[-1]) == (WORKLOADS[word].mac, "static")


def test_the_fabric_itself_is_silent_and_has_no_address(scene: Scene) -> None:
    """Whatever reaches a bridge's own MAC or goes to everybody, its stack says nothing."""
    name, mark = scene.cloud.fabric.name, os.urandom(16)
    mac = mac_of_bridge(scene, "sw1")
    for frame in (
        ip(CLIENT, NEIGHBOUR.address, syn(), mac=mac),
        ip(CLIENT, NEIGHBOUR.address, ICMP(type=8), mac=mac),
        ip(CLIENT, NEIGHBOUR.address6, syn(), mac=mac),
        ip(CLIENT, NEIGHBOUR.address6, ICMPv6EchoRequest(), mac=mac),
        arp(CLIENT),
        solicitation(CLIENT, NEIGHBOUR.address6),
    ):
        scene.ears.send("client", marked(bytes(frame), mark))
    heard_until_a_fence(scene, mark)
    for bridge in BRIDGES:
        assert sent_by(scene, bridge) == 0
    assert lab.run(name, "ip", "-o", "addr") == ""
    for version in ("-4", "-6"):
        assert lab.run(name, "ip", version, "route", "show", "table", "all") == ""


def heard_until_a_fence(scene: Scene, mark: bytes) -> set[str]:
    """Where a mark came in before a frame that was sent after it had come in everywhere."""
    fence, places = os.urandom(16), {"neighbour", "bystander", "sw1"}
    scene.ears.send("client", marked(bytes(arp(CLIENT)), fence))
    heard: dict[bytes, set[str]] = {mark: set(), fence: set()}

    def everybody_heard_the_fence() -> bool:
        for word, frames in scene.ears.heard().items():
            for each, words in heard.items():
                if any(each in frame for frame in frames):
                    words.add(word)
        return places <= heard[fence]

    lab.eventually(everybody_heard_the_fence)
    return heard[mark]


def mac_of_bridge(scene: Scene, bridge: str) -> str:
    return lab.run(scene.cloud.fabric.name, "cat", f"/sys/class/net/{bridge}/address").strip()


def sent_by(scene: Scene, bridge: str) -> int:
    """How many frames the fabric's own stack has sent on a bridge."""
    file = f"/sys/class/net/{bridge}/statistics/tx_packets"
    return int(lab.run(scene.cloud.fabric.name, "cat", file))


@pytest.mark.parametrize("endpoint", [ENDPOINT, ENDPOINT6], ids=["IPv4", "IPv6"])
def test_nobody_takes_the_places_of_anothers_pieces(scene: Scene, endpoint: str) -> None:
    """A neighbour begins more datagrams than it has places, in the middle of the distant's."""
    asking = talk.datagrams(scene.cloud.names["distant"], endpoint, DNS)
    with asking:
        for _ in range(3):
            for _ in range(200):
                (first,) = pieces(NEIGHBOUR, endpoint, (0, 1400, True))
                scene.ears.send("neighbour", bytes(first))
            data = os.urandom(8000)
            asking.send(data)
            assert asking.recv(65536) == data


def test_a_way_by_ipv4_alone_takes_no_ipv6(scene: Scene) -> None:
    """Though its service has servers there: they would see a caller without an address."""
    opening = msgspec.structs.replace(FORWARD.opening, source6="")
    with (
        scene.cloud.with_items(forward_one=msgspec.structs.replace(FORWARD, opening=opening)),
        pytest.raises(ConnectionRefusedError),
    ):
        talk.stream(scene.cloud.names["distant"], ENDPOINT6, WEB)


def test_every_reason_to_isolate_was_met() -> None:
    elsewhere = {
        Reason.UNKNOWN_PORT,
        Reason.TRUNCATED,
        Reason.ICMP_TYPE,
        Reason.SECURITY_GROUP,
        Reason.CLOSED,
        Reason.NOT_ACCEPTED,
        Reason.NO_SERVER,
        Reason.NO_SOURCE_PORT,
        Reason.FLOW_TABLE_FULL,
        Reason.FLOW_LIMIT,
        Reason.FLOW_RATE,
        Reason.SERVER_GONE,
        Reason.IDLE,
        Reason.HOP_LIMIT,
        Reason.BANDWIDTH,
        Reason.NO_LONGER_PERMITTED,
        Reason.EGRESS_RULE,
        Reason.CHANGING,
    }
    assert {attack.reason for attack in ATTACKS} == set(Reason) - elsewhere
