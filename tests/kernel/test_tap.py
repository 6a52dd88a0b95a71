"""A tap as a virtual machine's monitor uses it: frames written to it come out in the fabric."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import FileIO
from pathlib import Path

import pytest
from scapy.layers.l2 import ARP, Ether

from privlink.node.links import Fabric
from privlink.node.purge import purge, traces
from privlink.node.tap import plug_tap, remove_taps, taps
from tests.kernel import lab

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
REQUEST = bytes(
    Ether(src="02:00:00:00:00:05", dst="ff:ff:ff:ff:ff:ff")
    / ARP(op="who-has", hwsrc="02:00:00:00:00:05", psrc="10.0.0.5", pdst="10.0.0.80")
)


@pytest.fixture
def instance() -> Iterator[str]:
    name = f"{os.getpid() % 0x1000000:06x}"
    yield name
    purge(name)
    assert traces(name) == []


def test_frames_pass_between_the_tap_and_the_fabric(instance: str) -> None:
    with closing(Fabric.open(instance)) as fabric:
        plug_tap(instance, 5, "plt-tap0")
        link = fabric.link("at5")
        assert link is not None
        fabric.make_bridge("sw1")
        bridge = fabric.link("sw1")
        assert bridge is not None
        fabric.join(link, bridge, "02:00:00:00:00:05")
        with machine("plt-tap0") as monitor:
            before = received(fabric.name, "at5")
            lab.eventually(lambda: monitor.write(REQUEST) and received(fabric.name, "at5") > before)


def test_the_host_does_not_speak_to_the_machine(instance: str) -> None:
    with closing(Fabric.open(instance)):
        plug_tap(instance, 5, "plt-tap0")
        with machine("plt-tap0"):
            for link in ("plt-tap0", f"pl{instance}5"):
                file = Path(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6")
                assert file.read_text() == "1\n"


def test_a_name_that_is_taken_is_refused_and_nothing_is_left(instance: str) -> None:
    with closing(Fabric.open(instance)) as fabric:
        with pytest.raises(ValueError, match="choose another --tap"):
            plug_tap(instance, 5, "lo")
        assert fabric.link("at5") is None
        assert taps(instance) == []


def test_removing_a_tap_removes_what_leads_from_it(instance: str) -> None:
    with closing(Fabric.open(instance)) as fabric:
        plug_tap(instance, 5, "plt-tap0")
        plug_tap(instance, 6, "plt-tap1")
        remove_taps(instance, 5)
        assert taps(instance) == ["plt-tap1"]
        assert fabric.link("at5") is None
        assert fabric.link("at6") is not None


@contextmanager
def machine(tap: str) -> Iterator[FileIO]:
    """The monitor's end of a tap, as qemu opens it: one frame at a time."""
    with Path("/dev/net/tun").open("r+b", buffering=0) as file:
        request = struct.pack("16sH22x", tap.encode(), _IFF_TAP | _IFF_NO_PI)
        fcntl.ioctl(file, _TUNSETIFF, request)
        yield file


def received(namespace: str, link: str) -> int:
    """How many frames have come in by a link."""
    return int(lab.run(namespace, "cat", f"/sys/class/net/{link}/statistics/rx_packets"))
