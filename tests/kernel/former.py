"""A host as an older privlink left it: its program on the ports, its maps pinned in their layout.

The program of today plays the older one: it keeps its own tables, which are pinned no more, and
what it would have in an older layout is written into maps of that layout, made and pinned here by
plain calls.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from privlink.node.kernel import pin_directory
from privlink.node.program import libbpf
from privlink.node.program.bpf import Map
from privlink.node.program.maps import FLOW, FLOW_KEY, NUMBER, Flow, Reason
from privlink.node.program.upgrade import layout_directory

FLOW_FIRST = struct.Struct("=QII16s16sHH6s6sIIIIIBBBBBBBBI")
HASH, ARRAY, HASH_PER_CPU, ARRAY_PER_CPU = 1, 2, 5, 6  # enum bpf_map_type
DROPPED = 7  # packets that the older privlink dropped as malformed

# Of each layout those that the program itself wrote to, and one that follows from items.
_MAPS = {
    1: {
        "flows": (HASH, FLOW_KEY.size, FLOW_FIRST.size, 65536),
        "flow_counts": (HASH, 4, 4, 1024),
        "numbers": (ARRAY, 4, 4, 2),
        "drops": (ARRAY_PER_CPU, 4, 8, 64),
        "ports": (HASH, 4, 104, 1024),
    },
    2: {
        "flows": (HASH, FLOW_KEY.size, FLOW.size, 65536),
        "counts": (HASH, 4, 16, 1024),
        "loads": (HASH, 28, 4, 1024),
        "turns": (HASH, 8, 4, 1024),
        "traffic": (HASH_PER_CPU, 4, 160, 1024),
        "fragments": (HASH, 8, 64, 1024),
        "numbers": (ARRAY, 4, 4, 6),
        "drops": (ARRAY_PER_CPU, 4, 8, 64),
        "ports": (HASH, 4, 92, 1024),
    },
}


class Former:
    """The older privlink of an instance: what it has pinned."""

    def __init__(self, table: Map, pins: Path, layout: int) -> None:
        self._table = table
        self._written = first if layout == 1 else bytes
        self.pins = pins
        self.flows = Map.pinned(pins / "flows")

    def write(self) -> None:
        """Have the pinned flows be those that the program on the ports has now."""
        live = {key: self._written(value) for key, value in self._table.dump()}
        self.flows.delete_many([key for key, _ in self.flows.dump() if key not in live])
        self.flows.update_many(live.items())

    def close(self) -> None:
        self.flows.close()
        self._table.close()


@contextmanager
def former(instance: str, layout: int = 1) -> Iterator[Former]:
    """Make today's privlink an older one. Its processes have ended."""
    pins = pin_directory(instance)
    table = Map.pinned(layout_directory(pins) / "flows")
    shutil.rmtree(layout_directory(pins))
    older = layout_directory(pins, layout)
    for name, sizes in _MAPS[layout].items():
        pin(older / name, *sizes)
    with ExitStack() as stack:
        made = Former(table, older, layout)
        stack.callback(made.close)
        drops = stack.enter_context(Map.pinned(older / "drops"))
        drops.set_count(NUMBER.pack(Reason.MALFORMED), DROPPED)
        made.write()
        yield made


def pin(path: Path, kind: int, key_size: int, value_size: int, entries: int) -> None:
    """Make an eBPF map and pin it."""
    library = libbpf.load()
    library.bpf_map_create.argtypes = (
        ctypes.c_int, ctypes.c_char_p, *[ctypes.c_uint32] * 3, ctypes.c_void_p,
    )  # fmt: skip
    fd = library.bpf_map_create(kind, path.name.encode(), key_size, value_size, entries, None)
    assert fd >= 0, os.strerror(-fd)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert library.bpf_obj_pin(fd, os.fsencode(path)) == 0
    finally:
        os.close(fd)


def first(value: bytes) -> bytes:
    """A flow as layout 1 had it."""
    flow = Flow._make(FLOW.unpack(value))
    return FLOW_FIRST.pack(
        flow.last_seen,
        flow.forward,
        flow.ifindex,
        flow.source,
        flow.destination,
        flow.source_port,
        flow.destination_port,
        flow.destination_mac,
        flow.source_mac,
        flow.address_difference,
        flow.port_difference,
        flow.partner_network,
        flow.epoch,
        flow.taken,
        flow.peer,
        flow.reverse,
        flow.established,
        flow.client_finished,
        flow.server_finished,
        bool(flow.reset),
        bool(flow.revoked),
        flow.acknowledged,
        flow.last,
    )
