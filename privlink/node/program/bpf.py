"""The eBPF program and its maps, through libbpf. Knows nothing of what they mean: bytes only.

Maps are pinned, so that flows live on while this process dies, restarts or is upgraded; opening
again takes up the pinned maps and puts a new program beside them. What becomes of maps of another
layout is `upgrade`'s business.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ctypes import byref, c_size_t, c_uint32, c_uint64, c_void_p
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from privlink.node.errors import KernelError
from privlink.node.program import libbpf

PROGRAM = "privlink_ingress"
COLLECTOR = "privlink_collect"
CUTTER = "privlink_cut"
DELIVERER = "privlink_deliver"
MOST_SILENCES = 48  # in one call of the collector

_BATCH_BYTES = 1 << 20  # of values in one system call, ...
_BATCH_LEAST = 256  # ... but never fewer: the kernel lists whole hash buckets
_BATCH_MOST = 4096
_LOG_LIMIT = 64  # lines of the verifier's log worth showing: the refusal stands at its end
_FULL = (errno.E2BIG, errno.ENOSPC)  # what a hash says, and a trie
_ETHERNET = 14  # bytes that the kernel wants before anything else
_ONLY_NEW = 1  # BPF_NOEXIST
_TRIES, _MOMENT = 200, 0.001  # for memory that is not there yet; seconds
_PER_CPU = (5, 6, 10)  # map types whose values are one per CPU (enum bpf_map_type)

_log = logging.getLogger(__name__)

# What libbpf says, and what to do about it.
_WAYS_OUT = (
    (
        "parameter mismatch",
        "the maps pinned there are from a version with another layout; "
        "`privlink down --purge` removes them, and with them every flow",
    ),
    ("not on BPF FS", "mount it: mount -t bpf bpf /sys/fs/bpf"),
    ("Operation not permitted", "loading eBPF needs root"),
    ("No such file", "compile it: privlink/bpf/build"),
)


class Map:
    """One eBPF map, by file descriptor. Keys and values are bytes of the map's sizes.

    A hash map is meant. Where each CPU has its own value, calls have all of them at once, each
    rounded up to eight bytes: `width` in all. Every refusal but a missing key is a KernelError.
    """

    __slots__ = (
        "_batch",
        "_library",
        "fd",
        "key_size",
        "max_entries",
        "name",
        "type",
        "value_size",
        "width",
    )

    def __init__(self, library: ctypes.CDLL, name: str, fd: int) -> None:
        info = libbpf.MapInfo()
        size = c_uint32(ctypes.sizeof(info))
        _check(library.bpf_obj_get_info_by_fd(fd, byref(info), byref(size)), f"describe {name}")
        self._library = library
        self.name = name
        self.fd = fd
        self.type: int = info.type
        self.key_size: int = info.key_size
        self.value_size: int = info.value_size
        self.max_entries: int = info.max_entries
        self.width = self.value_size
        if self.type in _PER_CPU:
            self.width = -(-self.value_size // 8) * 8 * int(library.libbpf_num_possible_cpus())
        fitting = _BATCH_BYTES // max(self.width, 1)  # a ring buffer has no values
        self._batch = max(_BATCH_LEAST, min(fitting, _BATCH_MOST))

    @classmethod
    def pinned(cls, path: Path) -> Self:
        """The map that is pinned at `path`, whatever its sizes. Close it, or use it in a `with`."""
        library = libbpf.load()
        fd = library.bpf_obj_get(os.fsencode(path))
        _check(fd, f"open the eBPF map pinned at {path}")
        return cls(library, path.name, fd)

    def close(self) -> None:
        """Let go of a map that was opened alone; its pin stays."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lookup(self, key: bytes) -> bytes | None:
        """The value of a key, or None."""
        value = ctypes.create_string_buffer(self.width)
        result = self._library.bpf_map_lookup_elem(self.fd, self._key(key), value)
        return value.raw if self._found(result, "read") else None

    def count(self, key: bytes) -> int:
        """The sum over all CPUs of a counter of 64 bits."""
        cpus: int = self._library.libbpf_num_possible_cpus() if self.type in _PER_CPU else 1
        values = (c_uint64 * cpus)()
        result = self._library.bpf_map_lookup_elem(self.fd, self._key(key), values)
        return sum(values) if self._found(result, "read") else 0

    def set_count(self, key: bytes, count: int) -> None:
        """Have a counter of 64 bits, with a value per CPU, come to `count`."""
        values = (c_uint64 * self._library.libbpf_num_possible_cpus())(count)
        result = self._library.bpf_map_update_elem(self.fd, self._key(key), values, 0)
        self._check(result, "write")

    def add(self, key: bytes, value: bytes) -> bool:
        """Put a value where there is none; False if there is one, which stays."""
        put = partial(self._library.bpf_map_update_elem, self.fd, self._key(key))
        result = _patiently(partial(put, self._value(value), _ONLY_NEW))
        if result == -errno.EEXIST:
            return False
        self._check(result, "write")
        return True

    def update_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Put values in few system calls, in order; each is atomic for packets under way."""
        rest = iter(pairs)
        while batch := list(islice(rest, self._batch)):
            keys = b"".join(self._key(key) for key, _ in batch)
            values = b"".join(self._value(value) for _, value in batch)
            size = c_uint32(len(batch))
            put = partial(self._library.bpf_map_update_batch, self.fd, keys, values)
            self._check(_patiently(partial(put, byref(size), None)), "write")

    def delete(self, key: bytes) -> bool:
        """Delete a key; False if it was not there."""
        result = self._library.bpf_map_delete_elem(self.fd, self._key(key))
        return self._found(result, "delete from")

    def delete_many(self, keys: Iterable[bytes]) -> int:
        """Delete many keys in few system calls, and say how many were there."""
        rest, deleted = iter(keys), 0
        while batch := list(islice(rest, self._batch)):
            while batch:
                size = c_uint32(len(batch))
                joined = b"".join(map(self._key, batch))
                result = self._library.bpf_map_delete_batch(self.fd, joined, byref(size), None)
                deleted += size.value
                # The kernel stops at a key that is not there; go on behind it.
                missing = not self._found(result, "delete from")
                batch = batch[size.value + missing :]
        return deleted

    def dump(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key with its value. What changes meanwhile may be in it or not."""
        for keys, values in self.pages():
            for at in range(len(keys) // self.key_size):
                key = keys[at * self.key_size : (at + 1) * self.key_size]
                yield key, values[at * self.width : (at + 1) * self.width]

    def pages(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values as the kernel hands them out: thousands at a time, end to end."""
        keys = ctypes.create_string_buffer(self._batch * self.key_size)
        values = ctypes.create_string_buffer(self._batch * self.width)
        position = ctypes.create_string_buffer(max(self.key_size, 4))
        before, last = None, False
        while not last:
            size = c_uint32(self._batch)
            result = self._library.bpf_map_lookup_batch(
                self.fd, before, position, keys, values, byref(size), None
            )
            last = not self._found(result, "list")
            if size.value:
                yield (
                    ctypes.string_at(keys, size.value * self.key_size),
                    ctypes.string_at(values, size.value * self.width),
                )
            before = position

    def _key(self, key: bytes) -> bytes:
        # The kernel would read past the end of a short one.
        if len(key) != self.key_size:
            raise ValueError(f"a key of {self.name} is {self.key_size} bytes, not {len(key)}")
        return key

    def _value(self, value: bytes) -> bytes:
        if len(value) != self.width:
            raise ValueError(f"a value of {self.name} is {self.width} bytes, not {len(value)}")
        return value

    def _found(self, result: int, verb: str) -> bool:
        if result == -errno.ENOENT:
            return False
        self._check(result, verb)
        return True

    def _check(self, result: int, verb: str) -> None:
        full = f"it holds {self.max_entries} entries and is full"
        _check(result, f"{verb} the eBPF map {self.name}", full if -result in _FULL else "")


def _patiently(write: Callable[[], int]) -> int:
    """The result of a write to a map, tried again while the kernel has no memory for it.

    It keeps some ready and gets more beside us: of many entries at once it is a moment behind.
    """
    for _ in range(_TRIES):
        result = write()
        if result != -errno.ENOMEM:
            return result
        time.sleep(_MOMENT)
    return -errno.ENOMEM


class Program:
    """The loaded program with its maps. Close it, or use it in a `with`: pins stay."""

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        self._library = library
        self._object = handle
        self.fd = _program_fd(library, handle, PROGRAM)
        self.deliverer = _program_fd(library, handle, DELIVERER)  # for the shaper's far ends
        self._collector = _program_fd(library, handle, COLLECTOR)
        self._cutter = _program_fd(library, handle, CUTTER)
        self.maps = {
            name: Map(library, name, library.bpf_map__fd(pointer))
            for name, pointer in _maps(library, handle)
        }

    @classmethod
    def open(cls, object_path: Path, pin_dir: Path | None = None) -> Self:
        """Load the program; with `pin_dir`, take up the maps pinned there, or pin new ones.

        A program pinned there before is replaced. KernelError if the kernel or libbpf refuses, with
        their log.
        """
        library = libbpf.load()
        with _listening(library) as lines:
            handle = library.bpf_object__open_file(os.fsencode(object_path), None)
            if not handle:
                raise _refusal(f"open {object_path}", ctypes.get_errno(), lines)
            try:
                if pin_dir:
                    _set_pins(library, handle, pin_dir)
                if error := library.bpf_object__load(handle):
                    raise _refusal(f"load {object_path}", -error, lines)
                if pin_dir:
                    _pin_program(library, handle, pin_dir, lines)
                return cls(library, handle)
            except BaseException:
                library.bpf_object__close(handle)
                raise

    def close(self) -> None:
        """Let go of program and maps; what is pinned or attached lives on."""
        if self._object:
            self._library.bpf_object__close(self._object)
            self._object = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def drops(self) -> dict[int, int]:
        """Packets dropped so far, by number of reason; zeros left out."""
        drops = self.maps["drops"]
        counts = {
            reason: drops.count(reason.to_bytes(4, sys.byteorder))
            for reason in range(drops.max_entries)
        }
        return {reason: count for reason, count in counts.items() if count}

    def collect(self, silences: Iterable[bytes]) -> int:
        """Forget the flows that were as silent as is said (struct silence); how many were."""
        rest, ended = iter(silences), 0
        while batch := list(islice(rest, MOST_SILENCES)):
            ended += self._call(self._collector, b"".join(batch), "have flows collected")
        return ended

    def cut(self, silence: bytes) -> bool:
        """End a flow that was as silent as is said, or rests on what is gone; whether it did.

        Both sides of a TCP connection are told if this thread is in the fabric's namespace.
        """
        return bool(self._call(self._cutter, silence, "have a flow cut"))

    def _call(self, program: int, argument: bytes, operation: str) -> int:
        """Run a program that is on no link, by the program-test call, on an argument."""
        packet = bytes(_ETHERNET) + argument
        call = libbpf.TestRun(
            sz=ctypes.sizeof(libbpf.TestRun), data_in=packet, data_size_in=len(packet), repeat=1
        )
        _check(self._library.bpf_prog_test_run_opts(program, byref(call)), operation)
        return int(call.retval)


def _program_fd(library: ctypes.CDLL, handle: int, name: str) -> int:
    program = library.bpf_object__find_program_by_name(handle, name.encode())
    return int(library.bpf_program__fd(program))


def _maps(library: ctypes.CDLL, handle: int) -> Iterator[tuple[str, int]]:
    pointer = library.bpf_object__next_map(handle, None)
    while pointer:
        yield library.bpf_map__name(pointer).decode(), pointer
        pointer = library.bpf_object__next_map(handle, pointer)


def _set_pins(library: ctypes.CDLL, handle: int, directory: Path) -> None:
    """Where each map is taken from, or pinned to if it is not there."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KernelError(f"make {directory} for pins", error) from error
    for name, pointer in _maps(library, handle):
        result = library.bpf_map__set_pin_path(pointer, os.fsencode(directory / name))
        _check(result, f"pin the eBPF map {name}")


def _pin_program(library: ctypes.CDLL, handle: int, directory: Path, lines: list[str]) -> None:
    """Pin the program over an older one; there is always one of the two."""
    new = directory / f"{PROGRAM}_new"  # the file system takes no dots
    new.unlink(missing_ok=True)
    program = library.bpf_object__find_program_by_name(handle, PROGRAM.encode())
    if error := library.bpf_program__pin(program, os.fsencode(new)):
        raise _refusal(f"pin the eBPF program in {directory}", -error, lines)
    new.rename(directory / PROGRAM)


@contextmanager
def _listening(library: ctypes.CDLL) -> Iterator[list[str]]:
    """Collect what libbpf says, which it says to the whole process; our logger hears it too."""
    lines: list[str] = []

    def say(level: int, form: bytes, arguments: int) -> int:
        line = ctypes.create_string_buffer(4096)
        library.vsnprintf(line, c_size_t(len(line)), form, c_void_p(arguments))
        text = line.value.decode(errors="replace").rstrip()
        _log.debug("%s", text)
        lines.extend(text.splitlines())
        return 0

    callback = libbpf.PrintFunction(say)
    before = library.libbpf_set_print(callback)
    try:
        yield lines
    finally:
        library.libbpf_set_print(before)


def _refusal(operation: str, number: int, lines: list[str]) -> KernelError:
    log = "\n".join(lines[-_LOG_LIMIT:])
    told = f"{log}\n{os.strerror(number)}"
    way_out = next((way for sign, way in _WAYS_OUT if sign in told), "")
    return KernelError.of(operation, number, way_out, log)


def _check(result: int, operation: str, way_out: str = "") -> None:
    if result < 0:
        raise KernelError.of(operation, -result, way_out)
