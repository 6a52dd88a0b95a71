"""The eBPF program on a real link: what the program-test call cannot show.

    client's namespace: eth0 ── at5, our program on its ingress :the fabric

Checksums left to the hardware, tags that are metadata, frames shorter than an IPv4 header.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from collections.abc import Iterator
from contextlib import closing

import pytest
from scapy.layers.inet import TCP
from scapy.layers.l2 import Dot1Q, Ether

from privlink.node import system
from privlink.node.entries import port_entries
from privlink.node.links import Fabric
from privlink.node.plug import Port, plug
from privlink.node.program.maps import Reason
from privlink.node.purge import purge, traces
from tests.kernel import lab as labs
from tests.kernel.desk import Desk
from tests.kernel.frames import CLIENT, ENDPOINT, GATEWAY, ask, client

SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17  # linux/ethtool.h
SOL_PACKET, PACKET_AUXDATA = 263, 8  # linux/socket.h, linux/if_packet.h
CHECKSUM_NOT_READY = 8  # TP_STATUS_CSUMNOTREADY


@pytest.fixture
def wire(lab: Desk) -> Iterator[str]:
    """The client's namespace, its link guarded by the program; yields its name."""
    instance = labs.unique("wire")
    try:
        with labs.namespace("client") as name, closing(Fabric.open(instance)) as fabric:
            plug(
                instance,
                5,
                name,
                Port("eth0", CLIENT.mac, CLIENT.address, 24, GATEWAY, "10.0.0.0/16"),
            )
            fabric.make_bridge("sw1")
            link, bridge = fabric.link("at5"), fabric.link("sw1")
            assert link
            assert bridge
            lab.put(port_entries(CLIENT, link.index))
            fabric.guard(link, lab.program.fd)
            fabric.join(link, bridge, CLIENT.mac)
            yield name
    finally:
        purge(instance)
    assert traces(instance) == []


def packet_socket(name: str) -> socket.socket:
    """A socket for whole frames on the client's link."""

    def listen() -> socket.socket:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        raw.bind(("eth0", 3))
        raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        raw.settimeout(labs.PATIENCE)
        return raw

    return system.within(labs.path(name), listen)


def leave_checksums_to_hardware(name: str, wanted: bool) -> None:
    """Switch the client's transmit checksum offload."""
    command = array.array("B", struct.pack("II", ETHTOOL_STXCSUM, wanted))
    request = struct.pack("16sP", b"eth0", command.buffer_info()[0])

    def switch() -> None:
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)

    system.within(labs.path(name), switch)


def next_reset(raw: socket.socket) -> tuple[bytes, bool]:
    """The next TCP reset on the link, and whether its checksum is still to be made."""
    while True:
        frame, ancillary, _, _ = raw.recvmsg(2048, 256)
        if frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[47] & 4:
            (status,) = struct.unpack_from("I", ancillary[0][2])
            return frame, bool(status & CHECKSUM_NOT_READY)


@pytest.mark.parametrize("offloaded", [True, False], ids=["left to the hardware", "made"])
def test_a_reset_has_the_checksum_its_packet_calls_for(wire: str, offloaded: bool) -> None:
    leave_checksums_to_hardware(wire, offloaded)
    with packet_socket(wire) as raw:
        with pytest.raises(ConnectionRefusedError):
            labs.connect(wire, ENDPOINT, 81)
        frame, not_ready = next_reset(raw)
    assert not_ready == offloaded
    again = Ether(frame)
    del again[TCP].chksum
    made = Ether(bytes(again))[TCP].chksum
    pseudo = sum(struct.unpack("!4H", frame[26:34])) + socket.IPPROTO_TCP + 20
    while pseudo > 0xFFFF:
        pseudo = (pseudo & 0xFFFF) + (pseudo >> 16)
    assert Ether(frame)[TCP].chksum == (pseudo if offloaded else made)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (
            Ether(src=CLIENT.mac, dst="02:00:00:00:01:64") / Dot1Q(vlan=2) / client(ask()).payload,
            Reason.VLAN_TAGGED,
        ),
        (bytes(client(ask()))[:15], Reason.TRUNCATED),
        (bytes(client(ask()))[:33], Reason.TRUNCATED),
    ],
    ids=["a tag", "one byte of IPv4", "19 bytes of IPv4"],
)
def test_frames_only_a_wire_can_carry(
    wire: str, lab: Desk, frame: Ether | bytes, reason: Reason
) -> None:
    before = lab.program.drops().get(reason, 0)
    with packet_socket(wire) as raw:
        raw.send(bytes(frame))
    labs.eventually(lambda: lab.program.drops().get(reason, 0) > before)
