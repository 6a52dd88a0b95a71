"""A ring buffer of the eBPF program, read through libbpf, which knows the order that memory needs.

Knows nothing of what is in it: bytes only. Where the reader has come to is kept in the map, so one
that is pinned goes on where another process stopped.
"""

from __future__ import annotations

import ctypes
import errno
from ctypes import c_int, c_size_t, c_void_p

from privlink.node.errors import KernelError
from privlink.node.program import libbpf

_Sample = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)


class Ring:
    """One ring buffer. Not for use by two threads at once."""

    def __init__(self, fd: int) -> None:
        """`fd`: of the map. Raises KernelError."""
        self._library = libbpf.load()
        self._found: list[bytes] = []
        self._most = 0
        self._callback = _Sample(self._take)  # referred to for as long as libbpf may call it
        self._ring = self._library.ring_buffer__new(fd, self._callback, None, None)
        if not self._ring:
            raise KernelError.of("open the ring buffer of records", ctypes.get_errno())

    def read(self, most: int) -> list[bytes]:
        """What came since the last time, up to `most` of it; never waits. Raises KernelError."""
        if most <= 0:
            return []
        self._found, self._most = [], most
        result = self._library.ring_buffer__consume(self._ring)
        if result < 0 and result != -errno.EAGAIN:
            raise KernelError.of("read the ring buffer of records", -result)
        return self._found

    def close(self) -> None:
        """Let go of it; what is in it stays."""
        if self._ring:
            self._library.ring_buffer__free(self._ring)
            self._ring = None

    def _take(self, _context: int | None, data: int, size: int) -> int:
        self._found.append(ctypes.string_at(data, size))
        # libbpf counts what it has handed out as read, also where it is told to stop.
        return -errno.EAGAIN if len(self._found) >= self._most else 0
