"""The eBPF program under test. These tests need root, and fail without."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import privlink
from privlink.node.program.bpf import Program
from tests.kernel.desk import Desk
from tests.kernel.frames import SERVER, SERVER_LINK, WORLD

BPF = Path(privlink.__file__).parent / "bpf"


@pytest.fixture(scope="session")
def bpf_object() -> Path:
    """The freshly compiled object."""
    subprocess.run([BPF / "build"], check=True, capture_output=True)
    return BPF / "privlink.bpf.o"


@pytest.fixture(scope="session")
def program(bpf_object: Path) -> Iterator[Program]:
    """The program, loaded and not pinned: it goes with the test run."""
    with Program.open(bpf_object) as opened:
        yield opened


@pytest.fixture
def desk(program: Program) -> Iterator[Desk]:
    """A desk with empty maps."""
    desk = Desk(program)
    desk.clear()
    yield desk
    desk.clear()


@pytest.fixture
def lab(desk: Desk) -> Desk:
    """The world of `frames`, before the first packet."""
    desk.lay_out(WORLD)
    desk.plug(SERVER, SERVER_LINK)
    return desk
