"""Loading, pinning and the maps' verbs, on the real kernel.

Pins are made on a file system of the test's own, which goes with it.
"""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from privlink.node.errors import KernelError
from privlink.node.program.bpf import PROGRAM, Map, Program
from privlink.node.program.maps import (
    NUMBER,
    PORT,
    SERVER,
    SERVER_KEY,
    SET_KEY,
    SET_PREFIX,
    TARGET_KEY,
)

OTHER_LAYOUT = """
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8);
    __type(key, __u32);
    __type(value, __u32);
} ports SEC(".maps");
SEC("tc") int privlink_ingress(struct __sk_buff *skb) { return 0; }
"""
UNSAFE = """
SEC("tc") int privlink_ingress(struct __sk_buff *skb) { return *(int *)(long)skb->mark; }
"""


@pytest.fixture
def bpffs(tmp_path: Path) -> Iterator[Path]:
    """A file system for pins."""
    root = tmp_path / "bpf"
    root.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", root], check=True)
    yield root
    subprocess.run(["umount", root], check=True)


def compiled(source: str, directory: Path) -> Path:
    """The object of a small program."""
    headers = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
    file, out = directory / "small.c", directory / "small.o"
    file.write_text(headers + source)
    asm = f"-I/usr/include/{subprocess.check_output(['uname', '-m'], text=True).strip()}-linux-gnu"
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", asm, "-c", file, "-o", out], check=True)
    return out


def test_pinned_maps_keep_their_entries_and_the_program_is_replaced(
    bpf_object: Path, bpffs: Path
) -> None:
    pins = bpffs / "deep" / "instance"
    with Program.open(bpf_object, pins) as first:
        flows = first.maps["flows"]
        held = {b"k" * flows.key_size: b"v" * flows.value_size}
        flows.update_many(held.items())
    assert {path.name for path in pins.iterdir()} == {*first.maps, PROGRAM}
    inode = (pins / PROGRAM).stat().st_ino
    with Program.open(bpf_object, pins) as second:
        assert dict(second.maps["flows"].dump()) == held
        assert (pins / PROGRAM).stat().st_ino != inode


def test_maps_of_another_layout_are_refused_with_a_way_out(
    bpf_object: Path, bpffs: Path, tmp_path: Path
) -> None:
    pins = bpffs / "instance"
    Program.open(compiled(OTHER_LAYOUT, tmp_path), pins).close()
    before = sorted(pins.iterdir())
    with pytest.raises(KernelError, match=r"another layout.*down --purge") as refused:
        Program.open(bpf_object, pins)
    assert refused.value.errno == errno.EINVAL
    assert sorted(pins.iterdir()) == before


def test_pins_outside_of_a_bpf_file_system_are_refused_with_a_way_out(
    bpf_object: Path, tmp_path: Path
) -> None:
    with pytest.raises(KernelError, match="mount -t bpf bpf"):
        Program.open(bpf_object, tmp_path / "pins")


def test_a_program_the_verifier_refuses_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="invalid mem access") as refused:
        Program.open(compiled(UNSAFE, tmp_path))
    assert "load" in refused.value.operation


def test_an_object_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="privlink/bpf/build"):
        Program.open(tmp_path / "missing.o")


def pairs(count: int) -> list[tuple[bytes, bytes]]:
    """Entries of the servers map."""
    return [
        (SERVER_KEY.pack(1, 4, 6, 80, slot), SERVER.pack(slot.to_bytes(16, "big"), 80, 1))
        for slot in range(count)
    ]


def test_many_entries_go_in_and_out_in_batches(bpf_object: Path) -> None:
    with Program.open(bpf_object) as program:
        servers = program.maps["servers"]
        assert dict(servers.dump()) == {}
        many = pairs(10_000)
        servers.update_many(many)
        assert dict(servers.dump()) == dict(many)
        # Keys that are not there are passed over, wherever they stand.
        gone = [key for key, _ in many[1::2]]
        assert servers.delete_many(gone) == 5_000
        assert servers.delete_many([key for key, _ in many] + gone) == 5_000
        assert dict(servers.dump()) == {}
        assert servers.delete_many([]) == 0


def test_single_entries(bpf_object: Path) -> None:
    with Program.open(bpf_object) as program:
        targets, key = program.maps["targets"], bytes(TARGET_KEY.size)
        assert targets.lookup(key) is None
        assert not targets.delete(key)
        assert targets.add(key, NUMBER.pack(1))
        assert not targets.add(key, NUMBER.pack(3))
        assert targets.lookup(key) == NUMBER.pack(1)
        targets.update_many([(key, NUMBER.pack(1)), (key, NUMBER.pack(2))])
        assert targets.lookup(key) == NUMBER.pack(2)
        assert targets.delete(key)


def test_a_counter_with_a_value_per_cpu_is_set_as_a_whole(bpf_object: Path) -> None:
    with Program.open(bpf_object) as program:
        drops = program.maps["drops"]
        drops.set_count(NUMBER.pack(5), 1 << 40)
        drops.set_count(NUMBER.pack(5), 7)
        assert drops.count(NUMBER.pack(5)) == 7
        assert program.drops() == {5: 7}


def test_a_pinned_map_is_opened_alone_whatever_its_layout(
    bpf_object: Path, bpffs: Path, tmp_path: Path
) -> None:
    pins = bpffs / "instance"
    small = 'SEC("tc") int privlink_collect(struct __sk_buff *skb) { return 0; }\n'
    small += 'SEC("tc") int privlink_cut(struct __sk_buff *skb) { return 0; }\n'
    small += 'SEC("tc") int privlink_deliver(struct __sk_buff *skb) { return 0; }\n'
    Program.open(compiled(OTHER_LAYOUT + small, tmp_path), pins).close()
    with Map.pinned(pins / "ports") as ports:
        assert (ports.name, ports.key_size, ports.value_size) == ("ports", 4, 4)
        assert ports.add(bytes(4), bytes(4))
    with Map.pinned(pins / "ports") as ports:
        assert ports.lookup(bytes(4)) == bytes(4)
    with pytest.raises(KernelError, match=r"open the eBPF map pinned at .*/nothing"):
        Map.pinned(pins / "nothing")


def test_maps_of_prefixes_find_the_longest_and_go_in_and_out_as_others_do(
    bpf_object: Path,
) -> None:
    with Program.open(bpf_object) as program:
        sets = program.maps["sets"]
        assert dict(sets.dump()) == {}
        blocks = {
            SET_KEY.pack(SET_PREFIX - bits, 7, (at << bits).to_bytes(16)): NUMBER.pack(bits)
            for bits in (0, 8, 24)
            for at in range(1000)
        }
        sets.update_many(blocks.items())
        assert dict(sets.dump()) == blocks
        asked = SET_KEY.pack(SET_PREFIX, 7, (900 << 24 | 5).to_bytes(16))
        assert sets.lookup(asked) == NUMBER.pack(24)
        assert sets.lookup(SET_KEY.pack(SET_PREFIX, 8, bytes(16))) is None
        assert not sets.delete(asked)  # only what was put is deleted, not what it lies in
        every = [*blocks, asked]
        assert sets.delete_many(every) == len(blocks)
        assert dict(sets.dump()) == {}


def test_keys_and_values_of_the_wrong_size_never_reach_the_kernel(bpf_object: Path) -> None:
    with Program.open(bpf_object) as program:
        ports = program.maps["ports"]
        for call in (ports.lookup, ports.delete, lambda key: ports.update_many([(key, b"")])):
            with pytest.raises(ValueError, match="a key of ports is 4 bytes, not 3"):
                call(bytes(3))
        with pytest.raises(ValueError, match=f"a value of ports is {PORT.size} bytes, not 25"):
            ports.update_many([(bytes(4), bytes(25))])
