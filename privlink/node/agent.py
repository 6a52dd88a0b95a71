"""The agent: settles what the feed says, and tells the server what came of it.

One thread decides and acts, in turns: take what the feed delivered, look at links that changed, and
once a minute compare everything with the kernel; then report. Nothing is ever flushed: what the
kernel holds at start is the first observed state, so running flows notice neither our death nor our
return.
"""

from __future__ import annotations

import logging
import queue
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Final

import msgspec

from privlink.client import Client, RemoteError
from privlink.node import flows, system
from privlink.node.errors import KernelError
from privlink.node.feed import Caller, Delivery, Feed
from privlink.node.health.monitor import Monitor
from privlink.node.health.probe_namespace import ProbeNamespace
from privlink.node.health.prober import Prober
from privlink.node.health.probes import Numbers
from privlink.node.holding import Holding
from privlink.node.kernel import Kernel
from privlink.node.names_namespace import NamesNamespace
from privlink.node.report import Correspondence
from privlink.node.resolving.asker import Asker
from privlink.node.resolving.resolver import Resolver
from privlink.node.telling.meter import Meter
from privlink.node.telling.records import FlowRecords
from privlink.node.telling.reports import Reports

SWEEP_SECONDS: Final = 60.0  # the longest that drift stays
REPORT_SECONDS: Final = 5.0  # the age at which drop counters are stale
_REPORT_TIMEOUT: Final = 5.0
_COLLECT_SECONDS: Final = 2.0  # between two walks of the table ...
_COLLECT_SHARE: Final = 20  # ... of which one part in so many is work, at most, ...
_LONGEST_COLLECT: Final = 10.0  # ... but not more seldom, however long it takes
_RECORD_SECONDS: Final = 2.0  # for the last flow records, at the end
_TOLD_SECONDS: Final = 1.0  # in which both sides of a flow that was cut have heard of it
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 10.0  # after a turn or a first report that failed

log = logging.getLogger(__name__)


class Configuration(msgspec.Struct, frozen=True):
    """What a node process is told on its standard input, as one JSON document."""

    server: str  # URL
    node_id: str
    access_key_id: str
    access_key_secret: str
    instance: str  # names the fabric and the pins
    object_path: str  # of the compiled eBPF program
    flow_records: int = 100  # of one place, CPU and second, at most


class Agent:
    """A node at work, from `run` until `stop`."""

    def __init__(self, configuration: Configuration, kernel: Kernel) -> None:
        self._node_id = configuration.node_id
        self._kernel = kernel
        probes = ProbeNamespace(kernel)
        numbers = Numbers()
        self._monitor = Monitor(Prober(probes.path), probes.ensure, numbers)
        self._resolver = Resolver(Asker(probes.path), numbers)
        self._health = Reports(_client(configuration), self._node_id, self._monitor.bulletin)
        self._names = Reports(
            _client(configuration), self._node_id, self._resolver.bulletin, "PushNames", "Names"
        )
        self._holding = Holding(kernel, self._monitor, self._resolver, NamesNamespace(kernel))
        self._reports: Caller = _client(configuration)
        self._deliveries: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._untaken: list[Delivery] = []  # out of the queue, but not made true yet
        self._feed = Feed(_client(configuration), self._node_id, kernel.fabric.names, self._deliver)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._stopping = threading.Event()
        self._told_to_stop = False
        self._meter = Meter(
            kernel.program, _client(configuration), self._node_id, self._holding.openings
        )
        self._correspondence = Correspondence()
        self._flow_records = FlowRecords(self._holding.names, _client(configuration), self._node_id)
        self._most_records = configuration.flow_records
        self._complaint = ""  # why the server refuses our reports
        self._owed = False  # a report is due at once
        self._report_at = self._sweep_at = 0.0

    def run(self) -> None:
        """Work until `stop`. Traffic goes on after that."""
        empty = self._kernel.fabric.fresh or self._kernel.holds_nothing()
        if empty:
            self._say_that_nothing_is_here()
        self._monitor.start(self._wake)
        self._health.start(void=empty)
        self._resolver.start(self._wake)
        self._names.start(void=empty)
        self._feed.start()
        threading.Thread(target=self._keep_flows, name="flows", daemon=True).start()
        recording = threading.Thread(target=self._record, name="records", daemon=True)
        recording.start()
        threading.Thread(
            target=self._meter.run, args=(self._stopping,), name="meter", daemon=True
        ).start()
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception:
                log.exception("this turn failed; all is looked at again in %.2f s", pause)
                self._sweep_at = 0.0
                self._rest(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                self._wait()
        recording.join(_RECORD_SECONDS)
        for each in (self._monitor, self._health, self._resolver, self._names):
            each.stop()

    def stop(self) -> None:
        """End `run` after the present turn; from any thread or a signal handler.

        The signal comes once for each thread of a parent that is killed, also while this handles
        it, and an event waits for whoever is setting it.
        """
        if self._told_to_stop:
            return
        self._told_to_stop = True
        self._stopping.set()
        self._wake()

    def _say_that_nothing_is_here(self) -> None:
        """Have a report of revision 0 taken before anything is pulled.

        What the server knew before this host went down is no longer true, and it must not go on
        believing it while we fill the maps.
        """
        pause = _FIRST_PAUSE
        while not self._report() and not self._stopping.is_set():
            self._rest(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _deliver(self, delivery: Delivery) -> None:
        self._deliveries.put(delivery)
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it is awake
            self._waker.send(b"\0")

    def _wait(self) -> None:
        due = min(self._report_at, self._sweep_at)
        pause = max(due - time.monotonic(), 0) if self._holding.complete else None
        self._sleep(pause, self._kernel.fabric.watch.fileno())

    def _rest(self, seconds: float) -> None:
        """Do nothing for so long; only `stop` ends it earlier."""
        until = time.monotonic() + seconds
        while not self._stopping.is_set() and (rest := until - time.monotonic()) > 0:
            self._sleep(rest)

    def _sleep(self, seconds: float | None, *watched: int) -> None:
        readable, _, _ = select.select([self._woken.fileno(), *watched], [], [], seconds)
        if self._woken.fileno() in readable:
            self._woken.recv(4096)

    def _turn(self) -> None:
        started = time.perf_counter()
        said = [*self._take_deliveries(), *self._look_at_links()]
        said += [*self._look_at_servers(), *self._sweep()]
        if self._holding.complete:
            said += self._kernel.finish_move()
        stale = self._holding.complete and time.monotonic() >= self._report_at
        if said or self._owed or stale:
            self._report()
        if said:
            log.info("%s, in %.1f ms", "; ".join(said), 1000 * (time.perf_counter() - started))

    def _take_deliveries(self) -> list[str]:
        """Make true whatever came, in one go; what fails is tried again in the next turn."""
        while not self._deliveries.empty():
            self._untaken.append(self._deliveries.get())
        if not self._untaken:
            return []
        outcome = self._holding.take(*self._untaken)
        before = self._correspondence.revision
        for delivery in self._untaken:
            self._correspondence.note(delivery.answer)
            self._monitor.bulletin.note(delivery.answer)
            self._resolver.bulletin.note(delivery.answer)
            if delivery.answer.full:
                self._owed = True  # who asks for nothing less may know nothing
                self._sweep_at = time.monotonic() + SWEEP_SECONDS
        self._untaken.clear()
        revision = self._correspondence.revision
        if outcome.changed or revision != before:
            return [f"revision {revision}: {outcome}"]
        return []

    def _look_at_links(self) -> list[str]:
        names = self._kernel.fabric.watch.changed()
        if names is None:  # too many to tell
            self._sweep_at = 0.0
        elif names:
            outcome = self._holding.look(names)
            if outcome.changed:
                return [f"links: {outcome}"]
        return []

    def _look_at_servers(self) -> list[str]:
        if not (self._monitor.owes_a_look or self._resolver.owes_a_look):
            return []
        outcome = self._holding.look_at_servers()
        return [f"servers went, came back or moved: {outcome}"] if outcome.changed else []

    def _sweep(self) -> list[str]:
        if not self._holding.complete or time.monotonic() < self._sweep_at:
            return []
        outcome = self._holding.sweep()
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        return [f"sweep repaired drift: {outcome}"] if outcome.changed else []

    def _report(self) -> bool:
        """Tell the server what is in place, and whether it took that. If not, it hears it later."""
        self._report_at = time.monotonic() + REPORT_SECONDS
        self._owed = True
        links = self._holding.plugged
        report = self._correspondence.compose(self._holding.faults, links)
        try:
            self._reports.call(
                "PushReport",
                timeout=_REPORT_TIMEOUT,
                NodeId=self._node_id,
                Fabric=self._kernel.fabric.name,
                Drops=[
                    {"Reason": reason, "Count": number}
                    for reason, number in self._kernel.drops().items()
                ],
                **report.parameters(),
            )
        except RemoteError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.warning("the server refuses our reports: %s", error)
            return False
        except OSError as error:
            log.debug("report not delivered: %s", error)
            return False
        self._owed, self._complaint = False, ""
        if self._correspondence.took(report, links):
            self._report_at = 0.0
        return True

    def _keep_flows(self) -> None:
        """End flows that are over or cut, beside everything else: there may be a million."""
        system.within(self._kernel.fabric.path, self._work_on_flows)

    def _work_on_flows(self) -> None:
        program, sweep_at = self._kernel.program, 0.0
        told, gone = list[flows.Silence](), flows.Gone()
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= sweep_at:
                    began = time.monotonic()
                    # While flows move, one of this table may be talking under the old program.
                    if self._kernel.move is None:
                        told += flows.sweep(program, time.monotonic_ns())[1]
                        flows.sweep_pieces(self._kernel.fragments, time.monotonic_ns())
                    sweep_at = _next_walk(began, time.monotonic())
                gone |= self._await_gone(min(_TOLD_SECONDS, sweep_at - time.monotonic()))
                # By then both sides have been told, or are not there to hear it.
                due = time.monotonic_ns() - round(_TOLD_SECONDS * flows.SECOND)
                program.collect(each.pack() for each in told if each.since <= due)
                told = [each for each in told if each.since > due]
                if gone:
                    told += flows.cut(program, gone, time.monotonic_ns())
                    gone = flows.Gone()
            except Exception:
                log.exception("flows that are over stay for now")
                sweep_at = time.monotonic() + _LONGEST_COLLECT

    def _await_gone(self, seconds: float) -> flows.Gone:
        """What went, all of it that is known by now; nothing after so many seconds."""
        gone = flows.Gone()
        with suppress(queue.Empty):
            gone = self._kernel.gone.get(timeout=max(seconds, 0.001))
            while True:
                gone |= self._kernel.gone.get_nowait()
        return gone

    def _record(self) -> None:
        """Say what becomes of flows. Traffic goes on without."""
        try:
            ring = self._kernel.open_records(self._most_records)
        except KernelError as error:
            log.error("there will be no flow records: %s", error)
            return
        most, allow = self._most_records, self._kernel.allow_records
        self._flow_records.run(ring, self._stopping, most, allow)
        ring.close()


def _next_walk(began: float, ended: float) -> float:
    """When the table of flows is walked again: a small one often, that short flows make room."""
    pause = max(_COLLECT_SECONDS, _COLLECT_SHARE * (ended - began))
    return ended + min(pause, _LONGEST_COLLECT)


def _client(configuration: Configuration) -> Client:
    return Client(
        configuration.server, configuration.access_key_id, configuration.access_key_secret
    )
