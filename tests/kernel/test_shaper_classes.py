"""Which classes the shaper has in the kernel: given out, taken up again, cleared away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from privlink.model.items import Forward, Opening
from privlink.node import shaper
from privlink.node.classes import Class, Classes
from privlink.node.entries import Circumstances, entries
from privlink.node.feed import Answer, Change, Delivery
from privlink.node.holding import Holding
from privlink.node.kernel import Kernel
from privlink.node.links import Fabric
from privlink.node.program.bpf import Program
from privlink.node.program.maps import NUMBER, Number
from privlink.node.purge import purge, traces
from privlink.node.shaper import FIRST_LINK, Shaper
from tests.kernel import lab


class Node:
    """A fabric with maps, and the shaper of a process that may be killed."""

    def __init__(self, fabric: Fabric, program: Program) -> None:
        self.fabric = fabric
        self.program = program
        self.shaper = Shaper(fabric, program)

    def restart(self) -> None:
        """Have a new process look at what the old one has left."""
        self.shaper = Shaper(self.fabric, self.program)

    def ask(self, *bandwidths: tuple[int, int], verify: bool = False) -> None:
        """Have connections with bandwidths; forwards bear them then."""
        openings = {connection: opening(connection, mbit) for connection, mbit in bandwidths}
        self.shaper.settle({f"forward/{c}": (o,) for c, o in openings.items()}, verify=verify)
        circumstances = Circumstances(paces=self.shaper.paces)
        for connection, each in openings.items():
            if connection in self.shaper.refused:
                continue
            forward = Forward(1, "10.0.0.9", "02:00:00:00:01:09", (), each)
            for entry in entries(forward, circumstances):
                if entry.map == "forwards":
                    self.program.maps["forwards"].update_many([(entry.key, entry.value)])

    def close_connection(self, connection: int) -> None:
        """Have its forward gone."""
        self.shaper.settle({f"forward/{connection}": ()})
        self.program.maps["forwards"].delete(NUMBER.pack(100 + connection))

    def sweep(self) -> None:
        """Compare with the kernel."""
        self.shaper.settle({}, verify=True)

    def rates(self) -> dict[int, int]:
        """Mbit/s of every class there is, by number."""
        with closing(Classes(self.fabric.path)) as classes:
            return {
                seen.number: seen.rate // shaper.BYTES_PER_MBIT
                for index in self.fabric.shapers().values()
                for seen in classes.seen(index)
            }


def opening(connection: int, bandwidth: int) -> Opening:
    return Opening(100 + connection, 2, "100.64.0.1", 3, connection=connection, bandwidth=bandwidth)


@pytest.fixture
def node(bpf_object: Path) -> Iterator[Node]:
    instance = lab.unique("shaper")
    with ExitStack() as stack:
        stack.callback(lambda: _leave(instance))
        fabric = stack.enter_context(closing(Fabric.open(instance)))
        yield Node(fabric, stack.enter_context(Program.open(bpf_object)))


def _leave(instance: str) -> None:
    purge(instance)
    assert traces(instance) == []


def test_nothing_is_there_before_somebody_asks(node: Node) -> None:
    node.ask((1, 0), verify=True)
    assert (node.fabric.shapers(), node.shaper.paces) == ({}, {})


def test_the_lowest_even_number_that_is_free_is_given(node: Node) -> None:
    node.ask((7, 100), (9, 50_000))
    assert node.shaper.paces == {7: 2, 9: 4}
    assert node.rates() == {2: 100, 3: 100, 4: 50_000, 5: 50_000}


def test_a_new_bandwidth_is_for_the_same_class(node: Node) -> None:
    node.ask((7, 100))
    node.ask((7, 300))
    assert (node.shaper.paces, node.rates()) == ({7: 2}, {2: 300, 3: 300})


def test_zones_share_the_lowest_while_they_disagree(node: Node) -> None:
    zones = {"forward/a": (opening(7, 300),), "forward/b": (opening(7, 200),)}
    node.shaper.settle(zones)
    assert node.rates() == {2: 200, 3: 200}
    node.shaper.settle({"forward/b": ()})
    assert node.rates() == {2: 300, 3: 300}


def test_a_class_goes_once_nothing_bears_it(node: Node) -> None:
    node.ask((7, 100), (8, 200))
    node.shaper.settle({"forward/7": ()})
    for _ in range(3):
        node.sweep()
        assert node.rates().keys() == {2, 3, 4, 5}  # its forward is there yet
    node.close_connection(7)
    node.sweep()
    node.sweep()
    assert node.rates() == {4: 200, 5: 200}
    node.ask((9, 100))
    assert node.shaper.paces == {8: 4, 9: 2}


def test_a_connection_keeps_its_class_over_a_restart(node: Node) -> None:
    node.ask((7, 100), (8, 200), (9, 300))
    node.restart()
    node.ask((9, 300), (8, 200))
    assert node.shaper.paces == {8: 4, 9: 6}
    node.ask((5, 500))  # a new one does not get what another may yet come back for
    assert node.shaper.paces[5] == 8
    node.ask((7, 700), verify=True)
    assert node.shaper.paces[7] == 2
    assert node.rates()[2] == 700


def test_what_nobody_comes_back_for_goes(node: Node) -> None:
    node.ask((7, 100), (8, 200))
    node.restart()
    node.ask((8, 200), verify=True)
    node.program.maps["forwards"].delete(NUMBER.pack(107))
    node.sweep()
    node.sweep()
    assert node.rates() == {4: 200, 5: 200}


def test_a_class_that_a_dying_process_left_without_a_forward_goes(node: Node) -> None:
    node.shaper.settle({"forward/7": (opening(7, 100),)})
    node.restart()
    node.ask((8, 200), verify=True)
    node.sweep()
    node.sweep()
    assert node.rates() == {4: 200, 5: 200}


@pytest.mark.parametrize("link", ["shaper0", "shaped0"])
def test_a_link_that_somebody_removed_comes_back(node: Node, link: str) -> None:
    node.ask((7, 100))
    node.fabric.remove(link)
    assert node.rates() == {}
    node.sweep()
    assert (node.shaper.refused, node.rates()) == ({}, {2: 100, 3: 100})
    assert node.fabric.shapers() == {"shaper0": FIRST_LINK}


def test_a_class_that_somebody_changed_is_put_right(node: Node) -> None:
    node.ask((7, 100), (8, 100))
    with closing(Classes(node.fabric.path)) as classes:
        classes.put(FIRST_LINK, [Class(3, 1000, 1000, 1000)])
        classes.delete(FIRST_LINK, [4])
    node.sweep()
    assert node.rates() == {2: 100, 3: 100, 4: 100, 5: 100}


def test_the_program_is_told_where_the_shaper_begins(node: Node) -> None:
    def told() -> int:
        value = node.program.maps["numbers"].lookup(NUMBER.pack(Number.SHAPER))
        return int(NUMBER.unpack(value or b"")[0])

    assert told() == 0
    node.ask((7, 100))
    assert told() == FIRST_LINK


def test_a_link_has_so_many_classes_and_no_more(node: Node) -> None:
    node.ask(*((number, 100) for number in range(1, 301)))
    assert node.fabric.shapers() == {"shaper0": FIRST_LINK, "shaper1": FIRST_LINK + 1}
    assert len(node.rates()) == 600
    with closing(Classes(node.fabric.path)) as classes:
        assert {seen.number >> 9 for seen in classes.seen(FIRST_LINK)} == {0}


def test_more_than_there_can_be_are_told_so(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaper, "MOST", 2)
    node.restart()
    node.ask((7, 100), (8, 100), (9, 100))
    assert node.shaper.refused.keys() == {9}
    assert node.shaper.refused[9].startswith("connection 9 gets no bandwidth of its own: 2 conn")
    node.close_connection(7)
    node.ask((9, 100))
    assert (node.shaper.refused, node.shaper.paces) == ({}, {8: 4, 9: 2})


def test_a_refusal_is_the_fault_of_its_item_alone(
    bpf_object: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shaper, "MOST", 1)
    instance = lab.unique("shaper")
    with ExitStack() as stack:
        stack.callback(lambda: _leave(instance))
        fabric = stack.enter_context(closing(Fabric.open(instance)))
        kernel = Kernel(fabric, stack.enter_context(Program.open(bpf_object)))
        holding = Holding(kernel)
        changes = [
            Change(f"forward/{number}", _desired(number, bandwidth))
            for number, bandwidth in ((1, 100), (2, 100), (3, 0))
        ]
        holding.take(Delivery(Answer(1, 1, True, changes)))
        assert holding.faults.keys() == {"forward/2"}
        assert "connection 2 gets no bandwidth" in holding.faults["forward/2"]
        held = {NUMBER.unpack(key)[0] for key, _ in kernel.program.maps["forwards"].dump()}
        assert held == {101, 103}
        changes = [Change("forward/1", _desired(1, 0))]
        holding.take(Delivery(Answer(1, 2, False, changes)))
        holding.sweep()
        assert holding.faults == {}


def _desired(number: int, bandwidth: int) -> object:
    address = f"10.0.0.{number}"
    forward = Forward(1, address, "02:00:00:00:01:09", (), opening(number, bandwidth))
    return msgspec.to_builtins(forward)
