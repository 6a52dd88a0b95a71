"""The kernel's program-test call: what the program makes of one packet that comes from nowhere."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import byref, c_uint32, c_void_p
from typing import NamedTuple

from privlink.node import libbpf
from privlink.node.bpf import Program

# struct __sk_buff and struct bpf_prog_info, as far as needed.
CONTEXT_SIZE = 192
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


def run(program: Program, packet: bytes, ifindex: int) -> Run:
    """What the program does with a packet coming in at `ifindex`, a link of this namespace."""
    context_in = bytearray(CONTEXT_SIZE)
    context_in[CONTEXT_IFINDEX] = ifindex.to_bytes(4, sys.byteorder)
    context_out = ctypes.create_string_buffer(2 * CONTEXT_SIZE)
    packet_out = ctypes.create_string_buffer(LARGEST_PACKET)
    options = libbpf.TestRun(
        sz=ctypes.sizeof(libbpf.TestRun),
        data_in=packet,
        data_out=ctypes.cast(packet_out, c_void_p),
        data_size_in=len(packet),
        data_size_out=len(packet_out),
        ctx_in=bytes(context_in),
        ctx_out=ctypes.cast(context_out, c_void_p),
        ctx_size_in=len(context_in),
        ctx_size_out=len(context_out),
        repeat=1,
    )
    _check(libbpf.load().bpf_prog_test_run_opts(program.fd, byref(options)))
    return Run(
        options.retval,
        ctypes.string_at(packet_out, options.data_size_out),
        int.from_bytes(context_out.raw[CONTEXT_EGRESS], sys.byteorder),
        int.from_bytes(context_out.raw[CONTEXT_REASON], sys.byteorder),
    )


def verified_instructions(program: Program) -> int:
    """How many instructions the verifier walked through; the kernel's limit is a million."""
    info = ctypes.create_string_buffer(PROGRAM_INFO_SIZE)
    size = c_uint32(PROGRAM_INFO_SIZE)
    _check(libbpf.load().bpf_obj_get_info_by_fd(program.fd, info, byref(size)))
    return int.from_bytes(info.raw[PROGRAM_VERIFIED], sys.byteorder)


def _check(result: int) -> None:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
