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
from privlink.node import flows
from privlink.node.feed import Caller, Delivery, Feed
from privlink.node.holding import Holding
from privlink.node.kernel import Kernel

SWEEP_SECONDS: Final = 60.0  # the longest that drift stays
REPORT_SECONDS: Final = 5.0  # the age at which drop counters are stale
_REPORT_TIMEOUT: Final = 5.0
_COLLECT_SECONDS: Final = 10.0

log = logging.getLogger(__name__)


class Configuration(msgspec.Struct, frozen=True):
    """What a node process is told on its standard input, as one JSON document."""

    server: str  # URL
    node_id: str
    access_key_id: str
    access_key_secret: str
    instance: str  # names the fabric and the pins
    object_path: str  # of the compiled eBPF program
    zones: tuple[str, ...] = ()  # which it serves


class Agent:
    """A node at work, from `run` until `stop`."""

    def __init__(self, configuration: Configuration, kernel: Kernel) -> None:
        self._node_id = configuration.node_id
        self._kernel = kernel
        self._holding = Holding(kernel)
        self._reports: Caller = _client(configuration)
        self._deliveries: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._feed = Feed(_client(configuration), self._node_id, kernel.fabric.names, self._deliver)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._stopping = threading.Event()
        self._revision = 0
        self._owed = False  # a report is due at once
        self._report_at = self._sweep_at = 0.0

    def run(self) -> None:
        """Work until `stop`. Traffic goes on after that."""
        if self._kernel.fabric.fresh:
            self._report()  # revision 0: whatever the server believes to be here is gone
        self._feed.start()
        threading.Thread(target=self._collect, name="flows", daemon=True).start()
        while not self._stopping.is_set():
            self._wait()
            try:
                self._turn()
            except Exception:
                log.exception("this turn failed; everything is looked at again")
                self._feed.restart()

    def stop(self) -> None:
        """End `run` after the present turn; from any thread or a signal handler."""
        self._stopping.set()
        self._wake()

    def _deliver(self, delivery: Delivery) -> None:
        self._deliveries.put(delivery)
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it is awake
            self._waker.send(b"\0")

    def _wait(self) -> None:
        due = min(self._report_at, self._sweep_at)
        pause = max(due - time.monotonic(), 0) if self._holding.complete else None
        watched = [self._woken.fileno(), self._kernel.fabric.watch.fileno()]
        readable, _, _ = select.select(watched, [], [], pause)
        if self._woken.fileno() in readable:
            self._woken.recv(4096)

    def _turn(self) -> None:
        started = time.perf_counter()
        said = [*self._take_deliveries(), *self._look_at_links(), *self._sweep()]
        stale = self._holding.complete and time.monotonic() >= self._report_at
        if said or self._owed or stale:
            self._report()
        if said:
            log.info("%s, in %.1f ms", "; ".join(said), 1000 * (time.perf_counter() - started))

    def _take_deliveries(self) -> list[str]:
        said = []
        while not self._deliveries.empty():
            delivery = self._deliveries.get()
            outcome = self._holding.take(delivery)
            if delivery.answer.full:
                self._sweep_at = time.monotonic() + SWEEP_SECONDS
            if outcome.changed or delivery.answer.revision != self._revision:
                self._revision = delivery.answer.revision
                said.append(f"revision {self._revision}: {outcome}")
        return said

    def _look_at_links(self) -> list[str]:
        names = self._kernel.fabric.watch.changed()
        if names is None:  # too many to tell
            self._sweep_at = 0.0
        elif names:
            outcome = self._holding.look(names)
            if outcome.changed:
                return [f"links: {outcome}"]
        return []

    def _sweep(self) -> list[str]:
        if not self._holding.complete or time.monotonic() < self._sweep_at:
            return []
        outcome = self._holding.sweep()
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        return [f"sweep repaired drift: {outcome}"] if outcome.changed else []

    def _report(self) -> None:
        """State in full what is in place. If the server is away it hears it later."""
        self._report_at = time.monotonic() + REPORT_SECONDS
        try:
            self._reports.call(
                "PushReport",
                timeout=_REPORT_TIMEOUT,
                NodeId=self._node_id,
                Revision=self._revision,
                Fabric=self._kernel.fabric.name,
                Faults=[
                    {"Key": key, "Code": fault.code, "Message": fault.message}
                    for key, fault in sorted(self._holding.faults.items())
                ],
                Drops=[
                    {"Reason": reason, "Count": number}
                    for reason, number in self._kernel.drops().items()
                ],
            )
            self._owed = False
        except (OSError, RemoteError) as error:
            self._owed = True
            log.debug("report not delivered: %s", error)

    def _collect(self) -> None:
        """Collect flows that are over, beside everything else: there may be a million."""
        while not self._stopping.wait(_COLLECT_SECONDS):
            try:
                flows.sweep(self._kernel.flows, time.monotonic_ns())
            except OSError:
                log.exception("flows that are over stay for now")


def _client(configuration: Configuration) -> Client:
    return Client(
        configuration.server, configuration.access_key_id, configuration.access_key_secret
    )
