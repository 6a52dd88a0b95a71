"""The namespace that probes come from: made, found again, mended and removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from privlink.node import system
from privlink.node.health.probe_namespace import (
    PROBES,
    ProbeNamespace,
    probe_namespace_name,
)
from privlink.node.health.probes import ADDRESS4, ADDRESS6, GATEWAY4, GATEWAY6, MAC
from privlink.node.kernel import Kernel
from privlink.node.links import Fabric
from privlink.node.own_namespace import INSIDE, remove_own_namespace
from privlink.node.program.bpf import Program
from privlink.node.program.maps import GATEWAY_MAC
from privlink.node.purge import purge, traces
from tests.kernel import lab


@pytest.fixture
def instance() -> Iterator[str]:
    name = lab.unique("probes")
    yield name
    purge(name)
    assert traces(name) == []


@pytest.fixture
def kernel(instance: str, program: Program) -> Iterator[Kernel]:
    with closing(Fabric.open(instance)) as fabric:
        yield Kernel(fabric, program)


def inside(instance: str, *command: str) -> str:
    return lab.run(probe_namespace_name(instance), *command)


def guards(kernel: Kernel) -> bool:
    link = kernel.fabric.link(PROBES.word)
    return link is not None and link.up and kernel.fabric.guarded(link)


def test_it_has_a_link_to_the_program_and_one_way_out(kernel: Kernel, instance: str) -> None:
    index = ProbeNamespace(kernel).ensure()
    link = kernel.fabric.link(PROBES.word)
    assert link is not None
    assert (link.index, link.master, link.peered) == (index, None, True)
    assert guards(kernel)
    shown = inside(instance, "ip", "addr", "show", "dev", INSIDE)
    for part in (MAC, f"{ADDRESS4}/30", f"{ADDRESS6}/126"):
        assert part in shown
    assert "fe80::" not in shown
    for destination, gateway in (("10.0.0.1", GATEWAY4), ("fd00::1", GATEWAY6)):
        assert f"via {gateway}" in inside(instance, "ip", "route", "get", destination)
    known = inside(instance, "ip", "neigh", "show")
    assert known.count(f"lladdr {GATEWAY_MAC} PERMANENT") == 2


def test_its_link_is_none_of_the_workloads(kernel: Kernel) -> None:
    ProbeNamespace(kernel).ensure()
    assert kernel.fabric.names() == frozenset()
    assert kernel.fabric.links() == {}


def test_another_process_finds_it_as_it_was(kernel: Kernel) -> None:
    assert ProbeNamespace(kernel).ensure() == ProbeNamespace(kernel).ensure()


def test_what_went_missing_is_made_anew(kernel: Kernel, instance: str) -> None:
    probes = ProbeNamespace(kernel)
    probes.ensure()
    lab.run(kernel.fabric.name, "tc", "qdisc", "del", "dev", PROBES.word, "clsact")
    probes.ensure()
    assert guards(kernel)
    lab.run(kernel.fabric.name, "ip", "link", "del", PROBES.word)
    probes.ensure()
    assert guards(kernel)
    system.remove_namespace(probes.name)
    lab.eventually(lambda: kernel.fabric.link(PROBES.word) is None)  # it goes with its other end
    probes.ensure()
    assert guards(kernel)
    assert ADDRESS4 in inside(instance, "ip", "addr")


def test_it_is_removed_with_its_link_whether_or_not_the_fabric_is_there(
    kernel: Kernel, instance: str
) -> None:
    ProbeNamespace(kernel).ensure()
    path = Path("/run/netns") / probe_namespace_name(instance)
    assert str(path) in traces(instance)
    remove_own_namespace(instance, PROBES)
    remove_own_namespace(instance, PROBES)
    assert kernel.fabric.link(PROBES.word) is None
    assert not path.exists()
    ProbeNamespace(kernel).ensure()
    system.remove_namespace(kernel.fabric.name)
    remove_own_namespace(instance, PROBES)
    assert not path.exists()
