"""The kernel's program-test call: what the program makes of one packet that comes from nowhere."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import byref, c_char_p, c_uint32, c_void_p
from typing import NamedTuple

from privlink.node.program import libbpf
from privlink.node.program.bpf import Program

# struct __sk_buff and struct bpf_prog_info, as far as needed.
CONTEXT_SIZE = 192
CONTEXT_MARK = slice(8, 12)
CONTEXT_PRIORITY = slice(32, 36)
CONTEXT_IFINDEX = slice(40, 44)
CONTEXT_EGRESS = slice(48, 52)  # cb[0], where the program writes it
CONTEXT_REASON = slice(52, 56)  # cb[1]
PROGRAM_INFO_SIZE = 232
PROGRAM_VERIFIED = slice(216, 220)
LARGEST_PACKET = 65535 + 14


class Run(NamedTuple):
    """What the program made of one packet."""

    verdict: int  # TC_ACT_*
    packet: bytes
    egress: int  # the port it was redirected to, else 0
    reason: int  # why it went no further, else 0
    mark: int
    priority: int


class Bench:
    """A program with what the call needs, made once: for packets by the hundred thousand."""

    def __init__(self, program: Program) -> None:
        self._call, self._fd = libbpf.load().bpf_prog_test_run_opts, program.fd
        self._context_in = ctypes.create_string_buffer(CONTEXT_SIZE)
        self._context_out = ctypes.create_string_buffer(CONTEXT_SIZE)
        self._packet_out = ctypes.create_string_buffer(LARGEST_PACKET)
        self._options = libbpf.TestRun(
            sz=ctypes.sizeof(libbpf.TestRun),
            data_out=ctypes.cast(self._packet_out, c_void_p),
            ctx_in=ctypes.cast(self._context_in, c_char_p),
            ctx_out=ctypes.cast(self._context_out, c_void_p),
            ctx_size_in=CONTEXT_SIZE,
            repeat=1,
        )

    def run(self, packet: bytes, ifindex: int) -> Run:
        """What the program does with a packet coming in at `ifindex`, a link of this namespace."""
        options, context = self._options, self._context_out
        self._context_in[CONTEXT_IFINDEX] = ifindex.to_bytes(4, sys.byteorder)
        options.data_in, options.data_size_in = packet, len(packet)
        options.data_size_out, options.ctx_size_out = LARGEST_PACKET, CONTEXT_SIZE
        _check(self._call(self._fd, byref(options)))
        return Run(
            options.retval,
            ctypes.string_at(self._packet_out, options.data_size_out),
            int.from_bytes(context[CONTEXT_EGRESS], sys.byteorder),
            int.from_bytes(context[CONTEXT_REASON], sys.byteorder),
            int.from_bytes(context[CONTEXT_MARK], sys.byteorder),
            int.from_bytes(context[CONTEXT_PRIORITY], sys.byteorder),
        )


def run(program: Program, packet: bytes, ifindex: int) -> Run:
    """What the program does with one packet; see `Bench`."""
    return Bench(program).run(packet, ifindex)


def verified_instructions(program: Program) -> int:
    """How many instructions the verifier walked through; the kernel's limit is a million."""
    info = ctypes.create_string_buffer(PROGRAM_INFO_SIZE)
    size = c_uint32(PROGRAM_INFO_SIZE)
    _check(libbpf.load().bpf_obj_get_info_by_fd(program.fd, info, byref(size)))
    return int.from_bytes(info.raw[PROGRAM_VERIFIED], sys.byteorder)


def _check(result: int) -> None:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
