"""A virtual machine's side of things: frames by a tap reach an endpoint, and answers come back."""

from __future__ import annotations

import json
import os
import select
import time
from io import FileIO

from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from privlink.node.tap import taps
from tests.journey.installation import Installation, Stage
from tests.kernel import lab
from tests.kernel.test_tap import machine

ENDPOINT, MACHINE = "10.0.0.80", "10.0.0.77"


def test_a_machine_behind_a_tap_reaches_an_endpoint(
    installation: Installation, stage: Stage
) -> None:
    stage.connected_endpoint(ENDPOINT)
    tap = f"plt-tap{os.getpid() % 10000}"
    place = ("--vswitch", stage.consumer.vswitch, "--tap", tap, "--ip", MACHINE)
    attached = json.loads(installation.run("attach", *place, "-o", "json"))
    mac = attached["MacAddress"]
    with machine(tap) as monitor:
        # A tap takes frames out only once the kernel has noticed that somebody opened it.
        who_has = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op="who-has", hwsrc=mac, psrc=MACHINE, pdst=ENDPOINT
        )
        answer = lab.eventually(lambda: asked(monitor, bytes(who_has)))
        assert (answer[ARP].psrc, answer[ARP].pdst) == (ENDPOINT, MACHINE)
        monitor.write(
            bytes(
                Ether(src=mac, dst=answer[ARP].hwsrc)
                / IP(src=MACHINE, dst=ENDPOINT)
                / ICMP(type="echo-request", id=1, seq=1)
                / b"are you there?"
            )
        )
        pong = frame_with(monitor.fileno(), ICMP)
        assert pong[ICMP].type == 0
        assert bytes(pong[ICMP].payload) == b"are you there?"
    installation.run("detach", attached["AttachmentId"])
    assert taps(installation.instance) == []


def asked(monitor: FileIO, request: bytes) -> Ether | None:
    """The ARP answer to a request that is sent now, if one comes in a moment."""
    monitor.write(request)
    readable, _, _ = select.select([monitor], [], [], 0.1)
    frame = Ether(os.read(monitor.fileno(), 65536)) if readable else None
    return frame if frame is not None and ARP in frame else None


def frame_with(tap: int, layer: type[ARP] | type[ICMP]) -> Ether:
    """The next frame out of a tap that has a layer."""
    until = time.monotonic() + 10
    while True:
        readable, _, _ = select.select([tap], [], [], max(until - time.monotonic(), 0))
        assert readable, f"no {layer.__name__} came"
        frame = Ether(os.read(tap, 65536))
        if layer in frame:
            return frame
