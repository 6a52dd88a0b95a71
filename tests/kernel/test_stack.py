"""Whether the program's calls fit the stack of every kernel we run on, not only of this one.

A program and all it calls share 512 bytes. Before Linux 6.8 each frame counts in steps of 32 bytes,
since then of 16 (`round_up_stack_depth` in kernel/bpf/verifier.c), and at most 8 may be nested.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections import defaultdict
from pathlib import Path

import pytest

from privlink.node.program import bpf, libbpf

STACK, FRAMES, STEP = 512, 8, 32
STATISTICS = 4  # BPF_LOG_STATS

ADDED = re.compile(r"prog '(\w+)': added \d+ insns from sub-prog '(\w+)'")
CALLS = re.compile(r"prog '(\w+)': insn #\d+ relocated, imm -?\d+ points to subprog '(\w+)'")
DEPTHS = re.compile(r"^stack depth ([\d+]+)")


@pytest.mark.parametrize("program", [bpf.PROGRAM, bpf.DELIVERER, bpf.COLLECTOR, bpf.CUTTER])
def test_every_chain_of_calls_fits(bpf_object: Path, program: str) -> None:
    log = loading_log(bpf_object, program)
    added = (match for line in log if (match := ADDED.search(line)))
    names = [program, *(match[2] for match in added if match[1] == program)]
    (depths,) = (match[1] for line in log if (match := DEPTHS.search(line)))
    stack = dict(zip(names, map(int, depths.split("+")), strict=True))
    calls: defaultdict[str, set[str]] = defaultdict(set)
    for line in log:
        if match := CALLS.search(line):
            calls[match[1]].add(match[2])

    def deepest(name: str) -> list[str]:
        chains = (deepest(called) for called in calls[name])
        return [name, *max(chains, key=need, default=[])]

    def need(chain: list[str]) -> int:
        return sum(-(-stack[name] // STEP) * STEP for name in chain)

    chain = deepest(program)
    assert need(chain) <= STACK, [(name, stack[name]) for name in chain]
    assert len(chain) <= FRAMES
    print(f"\nstack: {need(chain)} of {STACK} bytes in {len(chain)} frames")


def loading_log(bpf_object: Path, program: str) -> list[str]:
    """What libbpf and the verifier say while they load a program."""
    library = libbpf.load()
    set_level = library.bpf_program__set_log_level
    set_level.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    handle = library.bpf_object__open_file(os.fsencode(bpf_object), None)
    assert handle
    try:
        found = library.bpf_object__find_program_by_name(handle, program.encode())
        set_level(found, STATISTICS)
        with bpf._listening(library) as lines:
            assert library.bpf_object__load(handle) == 0
        return lines
    finally:
        library.bpf_object__close(handle)
