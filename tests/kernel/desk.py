"""A desk to send packets to the program from; none of them leaves it.

The kernel's program-test call runs the program on a packet and hands back the verdict and what
became of the packet.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import NamedTuple

from privlink.model.items import Attachment, Item
from privlink.node import flows
from privlink.node.entries import entries, port_entries
from privlink.node.program.bpf import Map, Program
from privlink.node.program.maps import (
    COUNT,
    FLOW,
    NUMBER,
    Entry,
    Flow,
    FlowKey,
    Number,
    Reason,
    address_bytes,
    mac_bytes,
)
from tests.kernel import program_test

LOOPBACK = 1  # every packet comes in here; what is plugged in there is up to the test
_HASHES = (1, 5, 9, 11)  # per CPU or not, LRU, and tries (enum bpf_map_type); in arrays all stays
VERDICTS = {0: "pass", 2: "drop", 7: "redirect"}  # TC_ACT_OK, TC_ACT_SHOT, TC_ACT_REDIRECT


class Outcome(NamedTuple):
    """What the program made of a packet."""

    verdict: str
    packet: bytes
    egress: int
    reason: Reason | None  # the counter that went up


class Desk:
    """The program with its maps, and one link to send packets in."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._told: list[flows.Silence] = []

    def clear(self) -> None:
        """Empty every map; the drop counters go on."""
        for map_ in self._hashes():
            map_.delete_many([key for key, _ in map_.dump()])

    def put(self, *made: Iterable[Entry]) -> None:
        """Put entries into their maps."""
        for entry in (entry for some in made for entry in some):
            self.program.maps[entry.map].update_many([(entry.key, entry.value)])

    def lay_out(self, items: Iterable[Item]) -> None:
        """Make the maps say what the items say."""
        for item in items:
            self.put(entries(item))

    def plug(self, attachment: Attachment, ifindex: int) -> None:
        """Let others reach a workload, by its neighbour entry."""
        self.put(e for e in port_entries(attachment, ifindex) if e.map == "neighbours")

    def send(self, attachment: Attachment | None, packet: bytes, *, peer: bool = True) -> Outcome:
        """Send a packet from a workload, or from a link with none."""
        ports = self.program.maps["ports"]
        ports.delete(NUMBER.pack(LOOPBACK))
        if attachment:
            made = port_entries(attachment, LOOPBACK, peer=peer)
            self.put(entry for entry in made if entry.map == "ports")
        before = self.program.drops()
        outcome = self.send_again(packet)
        after = self.program.drops()
        risen = {number: after[number] - before.get(number, 0) for number in after}
        risen = {number: more for number, more in risen.items() if more}
        assert risen == ({outcome.reason: 1} if outcome.reason else {})
        return outcome

    def send_again(self, packet: bytes) -> Outcome:
        """Send one more from the same workload, without a look at the counters."""
        run = program_test.run(self.program, packet, LOOPBACK)
        reason = Reason(run.reason) if run.reason else None
        return Outcome(VERDICTS[run.verdict], run.packet, run.egress, reason)

    def flows(self) -> dict[FlowKey, Flow]:
        """Every entry of the flow table."""
        return {
            FlowKey.unpack(key): Flow.unpack(value)
            for key, value in self.program.maps["flows"].dump()
        }

    def put_flow(self, key: FlowKey, flow: Flow) -> None:
        """Put one entry into the flow table."""
        self.program.maps["flows"].update_many([(key.pack(), packed(flow))])

    def close(self, forward: int) -> None:
        """Take a forward away."""
        self.program.maps["forwards"].delete(NUMBER.pack(forward))
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Have flows held against what they rest on anew."""
        numbers, key = self.program.maps["numbers"], NUMBER.pack(Number.EPOCH)
        (epoch,) = NUMBER.unpack(numbers.lookup(key) or bytes(NUMBER.size))
        numbers.update_many([(key, NUMBER.pack(epoch + 1))])

    def flow_count(self, forward: int) -> int | None:
        """How many flows the program believes a forward to have."""
        value = self.program.maps["counts"].lookup(NUMBER.pack(forward))
        return None if value is None else int(COUNT.unpack(value)[1])

    def set_flow_count(self, forward: int, number: int) -> None:
        """Make the program believe something else."""
        counts = self.program.maps["counts"]
        counts.update_many([(NUMBER.pack(forward), COUNT.pack(0, number))])

    def sweep(self, now: int) -> int:
        """Collect the flows that are over at `now`, and those told of it the last time."""
        told = self.program.collect(each.pack() for each in self._told)
        collected, self._told = flows.sweep(self.program, now)
        return told + collected

    def sweep_out(self, now: int) -> int:
        """Collect them, and those that have to be told first."""
        return self.sweep(now) + self.sweep(now)

    def _hashes(self) -> list[Map]:
        return [map_ for name, map_ in self.program.maps.items() if map_.type in _HASHES]


def packed(flow: Flow) -> bytes:
    """The value of the flow table that unpacks to `flow`."""
    fields = flow._asdict()
    for name in ("source", "destination"):
        fields[name] = address_bytes(fields[name])
        fields[f"{name}_mac"] = mac_bytes(fields[f"{name}_mac"])
        fields[f"{name}_port"] = socket.htons(fields[f"{name}_port"])
    fields["listener"] = socket.htons(fields["listener"])
    fields["last"] = socket.htonl(fields["last"])
    return FLOW.pack(*fields.values())
