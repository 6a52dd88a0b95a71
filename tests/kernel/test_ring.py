"""The reader of ring buffers, on a small program that fills one."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from ctypes import byref
from pathlib import Path

import pytest

from privlink.node.errors import KernelError
from privlink.node.program import libbpf
from privlink.node.program.bpf import Program
from privlink.node.program.maps import NUMBER
from privlink.node.telling.ring import Ring
from tests.kernel.test_bpf import compiled

# Each packet is a record of the size of the product's, with its number, or one more that was lost.
SOURCE = """
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 16); } records SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u32);
} counts SEC(".maps");
struct record { __u32 number; __u8 rest[140]; };
SEC("tc") int privlink_ingress(struct __sk_buff *skb) {
    __u32 first = 0, second = 1;
    __u32 *said = bpf_map_lookup_elem(&counts, &first);
    __u32 *lost = bpf_map_lookup_elem(&counts, &second);
    struct record *record;
    if (!said || !lost)
        return 2;
    record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
    if (!record) {
        *lost += 1;
        return 2;
    }
    __builtin_memset(record, 0, sizeof(*record));
    record->number = *said;
    *said += 1;
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    return 0;
}
"""
ROOM = (1 << 16) // (144 + 8)  # each has a header of 8 bytes


class Well:
    """The program, and how many records it was asked for."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.fd = program.maps["records"].fd

    def pour(self, number: int) -> None:
        """Have the program say so many."""
        packet = bytes(64)
        call = libbpf.TestRun(
            sz=ctypes.sizeof(libbpf.TestRun),
            data_in=packet,
            data_size_in=len(packet),
            repeat=number,
        )
        assert libbpf.load().bpf_prog_test_run_opts(self.program.fd, byref(call)) == 0

    @property
    def lost(self) -> int:
        value = self.program.maps["counts"].lookup(NUMBER.pack(1))
        assert value is not None
        return int(NUMBER.unpack(value)[0])


@pytest.fixture
def well(tmp_path: Path) -> Iterator[Well]:
    with Program.open(compiled(SOURCE, tmp_path)) as program:
        yield Well(program)


def numbers(samples: list[bytes]) -> list[int]:
    assert all(len(sample) == 144 for sample in samples)
    return [int(NUMBER.unpack(sample[:4])[0]) for sample in samples]


def test_what_came_is_read_once_and_in_order(well: Well) -> None:
    ring = Ring(well.fd)
    assert ring.read(10) == []
    well.pour(25)
    assert ring.read(0) == []
    assert numbers(ring.read(10)) == list(range(10))
    assert numbers(ring.read(10)) == list(range(10, 20))
    well.pour(1)
    assert numbers(ring.read(10)) == list(range(20, 26))
    assert ring.read(10) == []
    ring.close()
    ring.close()


def test_another_reader_goes_on_where_the_last_one_stopped(well: Well) -> None:
    first = Ring(well.fd)
    well.pour(10)
    assert numbers(first.read(4)) == [0, 1, 2, 3]
    first.close()
    well.pour(1)
    second = Ring(well.fd)
    assert numbers(second.read(100)) == list(range(4, 11))
    second.close()


def test_who_is_not_read_loses_what_is_new_and_waits_for_nobody(well: Well) -> None:
    well.pour(ROOM + 100)
    ring = Ring(well.fd)
    found = numbers(ring.read(10_000))
    assert found == list(range(len(found)))
    assert len(found) + well.lost == ROOM + 100
    assert well.lost >= 100
    well.pour(5)
    assert len(ring.read(10)) == 5
    ring.close()


def test_a_hundred_thousand_beside_a_reader_are_read_or_counted(well: Well) -> None:
    wanted, done = 100_000, threading.Event()

    def pour() -> None:
        for _ in range(wanted // 100):
            well.pour(100)
        done.set()

    ring, found = Ring(well.fd), list[int]()
    writer = threading.Thread(target=pour)
    writer.start()
    while not done.is_set():
        found += numbers(ring.read(1000))
    writer.join()
    while rest := numbers(ring.read(1000)):
        found += rest
    ring.close()
    assert found == list(range(len(found)))
    assert len(found) + well.lost == wanted


def test_what_is_no_ring_buffer_is_refused(well: Well) -> None:
    with pytest.raises(KernelError, match="ring buffer of records"):
        Ring(well.program.maps["counts"].fd)
