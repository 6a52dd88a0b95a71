"""Upgrade in place under load: real conversations, and a program that is replaced under them.

The picture is in `tenants`, what an older privlink leaves behind in `former`. A privlink that is
killed loses its descriptors and nothing else, which is what `stop` does here.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from privlink.node.errors import LayoutError
from privlink.node.feed import Answer, Change, Delivery
from privlink.node.holding import Holding
from privlink.node.kernel import Kernel, pin_directory
from privlink.node.program.layouts import OLDER
from privlink.node.program.maps import COUNT, LAYOUT, NUMBER, Flow, Number, Reason
from privlink.node.program.upgrade import layout_directory
from privlink.node.purge import purge, traces
from tests.kernel import former, lab, talk, tenants
from tests.kernel.tenants import DNS, DNS_SERVER, ENDPOINT, ENDPOINT6, WEB, WEB_SERVER

CALLERS = (("client", ENDPOINT), ("neighbour", ENDPOINT), ("distant", ENDPOINT6))
STEPS = ("begun", "filled", "copied", "counted", "switched", "followed", "forgotten", "done")
BLOCK = 20_000
older = pytest.mark.parametrize("layout", sorted(OLDER))


class Privlink:
    """A privlink of today on the tenants' fabric, which can be killed and started again."""

    def __init__(self, cloud: tenants.Cloud, bpf_object: Path) -> None:
        self.cloud = cloud
        self.pins = pin_directory(cloud.instance)
        self._object = bpf_object
        self._kernel: Kernel | None = None

    @property
    def kernel(self) -> Kernel:
        assert self._kernel is not None
        return self._kernel

    def open(self) -> None:
        """Begin to start: the program is loaded, nothing has been heard of the server."""
        self._kernel = Kernel.open(self.cloud.instance, self._object)

    def fill(self) -> None:
        """Take a full answer of the server."""
        changes = [Change(key, msgspec.to_builtins(item)) for key, item in tenants.ITEMS.items()]
        holding = Holding(self.kernel)
        holding.take(Delivery(Answer(1, 1, full=True, items=changes)))
        assert holding.faults == {}

    def start(self) -> list[str]:
        """Start, and say what was moved."""
        self.open()
        self.fill()
        return self.kernel.finish_move()

    def stop(self) -> None:
        if self._kernel is not None:
            self._kernel.program.close()
            if self._kernel.move is not None:
                self._kernel.move.close()
            self._kernel.fabric.close()
            self._kernel = None

    def number(self, which: Number) -> int:
        value = self.kernel.program.maps["numbers"].lookup(NUMBER.pack(which))
        assert value is not None
        return int(NUMBER.unpack(value)[0])

    def drops(self) -> dict[int, int]:
        return self.kernel.program.drops()

    def clients(self) -> list[Flow]:
        """The clients' entries of all flows."""
        values = (Flow.unpack(value) for _, value in self.kernel.program.maps["flows"].dump())
        return [flow for flow in values if not flow.reverse]

    def counted(self) -> int:
        """How many flows the program believes to have."""
        counts = self.kernel.program.maps["counts"].dump()
        return sum(COUNT.unpack(value)[1] for _, value in counts)


class Conversation:
    """A client that sends through an echo and compares, until it is told to end."""

    def __init__(self, name: str, address: str) -> None:
        self.rounds = 0
        self.failure: Exception | None = None
        self.connection = lab.connect(name, address, WEB)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._talk, name="conversation")
        self._thread.start()

    def _talk(self) -> None:
        try:
            while not self._enough.is_set():
                block = os.urandom(BLOCK)
                self.connection.sendall(block)
                if lab.receive(self.connection, BLOCK) != block:
                    raise ValueError("the echo is not what was said")
                self.rounds += 1
        except Exception as failure:
            self.failure = failure

    def goes_on(self) -> None:
        """Await that it has gone on for some rounds from now."""
        before = self.rounds
        lab.eventually(lambda: self.failure or self.rounds >= before + 3)
        assert self.failure is None

    def end(self) -> None:
        self._enough.set()
        self._thread.join()
        self.connection.close()
        assert self.failure is None


@contextmanager
def conversations(cloud: tenants.Cloud) -> Iterator[list[Conversation]]:
    """Some conversations at a time, none of which may break."""
    server = cloud.names["server"]
    with (
        lab.echo_server(server, WEB_SERVER),
        lab.echo_server(server, WEB_SERVER, socket.AF_INET6),
    ):
        talking = [Conversation(cloud.names[word], address) for word, address in CALLERS]
        try:
            for each in talking:
                each.goes_on()
            yield talking
        finally:
            for each in talking:
                each.end()


@pytest.fixture
def privlink(bpf_object: Path) -> Iterator[Privlink]:
    """Today's privlink at work."""
    with tenants.cloud(bpf_object) as cloud:
        privlink = Privlink(cloud, bpf_object)
        privlink.start()
        yield privlink
        privlink.stop()


def test_the_program_is_replaced_twenty_times_under_load(privlink: Privlink) -> None:
    server, client = privlink.cloud.names["server"], privlink.cloud.names["bystander"]
    before = privlink.drops()
    with (
        conversations(privlink.cloud) as talking,
        talk.echoing_datagrams(server, DNS_SERVER),
        talk.datagrams(client, ENDPOINT, DNS) as asking,
    ):
        for number in range(20):
            privlink.stop()
            assert privlink.start() == []
            asking.send(b"%d" % number)
            assert asking.recv(100) == b"%d" % number
            for each in talking:
                each.goes_on()
        assert len(privlink.clients()) == len(CALLERS) + 1
    noise = {Reason.MULTICAST}  # of the stacks themselves
    lost = privlink.drops().items() - before.items()
    assert {reason for reason, _ in lost} <= noise


def test_no_packet_passes_while_the_program_is_replaced(privlink: Privlink) -> None:
    """Forged frames to a neighbour, as fast as they go, while programs take turns on the port."""
    liar, victim = privlink.cloud.names["client"], tenants.BYSTANDER
    mac = bytes.fromhex(victim.mac.replace(":", ""))
    forged = mac + b"\x02\0\0\0\0\x66" + b"\x88\xb5" + b"forged".ljust(50, b".")  # RFC 5342: 88b5
    enough = threading.Event()
    before = privlink.drops().get(Reason.SPOOFED_SOURCE, 0)
    with (
        talk.frames(liar) as sending,
        talk.frames(privlink.cloud.names["bystander"]) as hearing,
    ):
        sending.setblocking(True)

        def lie() -> None:
            while not enough.is_set():
                sending.send(forged)

        liars = threading.Thread(target=lie)
        liars.start()
        try:
            for _ in range(500):
                privlink.kernel.switch()
        finally:
            enough.set()
            liars.join()
        assert not [frame for frame in talk.drain(hearing) if b"forged" in frame]
    assert privlink.drops()[Reason.SPOOFED_SOURCE] > before + 500


@older
def test_flows_of_an_older_layout_go_on_in_the_present_one(privlink: Privlink, layout: int) -> None:
    with conversations(privlink.cloud) as talking:
        flows = {key: Flow.unpack(value) for key, value in flows_of(privlink)}
        privlink.stop()
        with former.former(privlink.cloud.instance, layout):
            (said,) = privlink.start()
            assert said.startswith(f"3 flows moved from layout {layout} to {LAYOUT} in ")
            for each in talking:
                each.goes_on()
            settled(privlink, 3)
            moved = {key: Flow.unpack(value) for key, value in flows_of(privlink)}
            for key, flow in flows.items():
                assert told(moved[key]) == told(flow)
                if layout > 1:  # what it has counted goes on, too
                    assert moved[key].opened == flow.opened
                    assert moved[key].packets > flow.packets
        for each in talking:
            assert lab.ask(privlink.cloud.names["twin"], ENDPOINT, WEB, b"new") == b"new"
            each.goes_on()
    assert privlink.drops()[Reason.MALFORMED] == former.DROPPED


@older
def test_till_the_server_answers_the_old_program_goes_on(privlink: Privlink, layout: int) -> None:
    with conversations(privlink.cloud) as talking:
        privlink.stop()
        with former.former(privlink.cloud.instance, layout):
            privlink.open()
            assert not privlink.kernel.holds_nothing()
            assert privlink.number(Number.MOVING) == 1
            for each in talking:
                each.goes_on()
            assert lab.ask(privlink.cloud.names["twin"], ENDPOINT, WEB, b"new") == b"new"
            assert privlink.clients() == []


@older
def test_what_the_old_program_opens_while_flows_are_copied_follows(
    privlink: Privlink, layout: int
) -> None:
    with conversations(privlink.cloud) as talking:
        privlink.stop()
        with former.former(privlink.cloud.instance, layout) as left:
            privlink.open()
            privlink.fill()
            move = privlink.kernel.move
            assert move is not None
            steps = move.steps(privlink.kernel.switch)
            assert [next(steps), next(steps)] == ["copied", "counted"]
            late = Conversation(privlink.cloud.names["twin"], ENDPOINT)
            try:
                late.goes_on()
                left.write()
                assert next(steps) == "switched"
                assert list(steps) == ["followed", "forgotten", "done"]
                for each in (*talking, late):
                    each.goes_on()
                settled(privlink, 4)
            finally:
                late.end()


@older
@pytest.mark.parametrize("last", STEPS)
def test_killed_after_any_step_it_goes_on(privlink: Privlink, last: str, layout: int) -> None:
    with conversations(privlink.cloud) as talking:
        privlink.stop()
        with former.former(privlink.cloud.instance, layout):
            go_as_far_as(privlink, last)
            there = (layout_directory(privlink.pins, layout) / "flows").exists()
            assert there == (last not in ("forgotten", "done"))
            assert privlink.number(Number.MOVING) == (last != "done")
            privlink.stop()
            for each in talking:
                each.goes_on()
            assert bool(privlink.start()) == there
            for each in talking:
                each.goes_on()
            settled(privlink, 3)
        assert lab.ask(privlink.cloud.names["twin"], ENDPOINT, WEB, b"new") == b"new"


def test_a_newer_layout_is_refused_and_left_alone(privlink: Privlink) -> None:
    privlink.stop()
    former.pin(layout_directory(privlink.pins, LAYOUT + 1) / "flows", former.HASH, 4, 4, 1)
    before = sorted(privlink.pins.rglob("*"))
    newer = rf"layout {LAYOUT + 1}, and .* none later than {LAYOUT}; start the .*down --purge"
    with pytest.raises(LayoutError, match=newer):
        privlink.open()
    assert sorted(privlink.pins.rglob("*")) == before


@pytest.mark.parametrize(("sizes", "others"), [((44, 60), 2), ((44, 96), 1)])
def test_maps_of_no_layout_are_refused_and_left_alone(
    privlink: Privlink, sizes: tuple[int, int], others: int
) -> None:
    """Flows of other sizes than their place says, and maps of which one is missing."""
    privlink.stop()
    former.pin(privlink.pins / "flows", former.HASH, *sizes, 1)
    for name in ("numbers", "drops")[:others]:
        former.pin(privlink.pins / name, former.HASH, 4, 4, 1)
    before = sorted(privlink.pins.rglob("*"))
    with pytest.raises(LayoutError, match=r"not layout 1, .*; they are damaged.*down --purge"):
        privlink.open()
    assert sorted(privlink.pins.rglob("*")) == before


def test_a_purge_removes_every_layout(privlink: Privlink) -> None:
    privlink.stop()
    with former.former(privlink.cloud.instance):
        privlink.open()
        privlink.stop()
    former.pin(layout_directory(privlink.pins, LAYOUT + 1) / "flows", former.HASH, 4, 4, 1)
    purge(privlink.cloud.instance)
    assert traces(privlink.cloud.instance) == []


def go_as_far_as(privlink: Privlink, last: str) -> None:
    """Start, and stop after a step."""
    privlink.open()
    if last == "begun":
        return
    privlink.fill()
    if last == "filled":
        return
    move = privlink.kernel.move
    assert move is not None
    for step in move.steps(privlink.kernel.switch):
        if step == last:
            return


def settled(privlink: Privlink, flows: int) -> None:
    """Nothing is left of an older layout, and the flows of this one are all there and counted."""
    assert [path.name for path in privlink.pins.iterdir()] == [f"layout-{LAYOUT}"]
    assert privlink.number(Number.MOVING) == 0
    assert len(privlink.clients()) == flows
    assert privlink.counted() == flows


def flows_of(privlink: Privlink) -> list[tuple[bytes, bytes]]:
    return list(privlink.kernel.program.maps["flows"].dump())


def told(flow: Flow) -> Flow:
    """A flow without what an upgrade does not keep, or what its next packet changes."""
    return flow._replace(last_seen=0, opened=0, packets=0, octets=0, epoch=0)
