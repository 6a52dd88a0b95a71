"""What a node needs of its host, found out by trying. Each absence is one line: what, and why.

The trying is done in a network namespace that ends with it, so nothing is left behind.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from pyroute2 import IPRoute, NetlinkError

from privlink.node import system
from privlink.node.classes import WITHOUT_HTB
from privlink.node.errors import KernelError
from privlink.node.links import INGRESS

OLDEST_KERNEL: Final = (5, 15)
OLDEST_ON: Final = {"aarch64": (5, 18)}  # before, its JIT knew no atomic exchange
_BTF: Final = Path("/sys/kernel/btf/vmlinux")
_SCHED_CLS: Final = 3  # BPF_PROG_TYPE_SCHED_CLS
_PASS: Final = bytes.fromhex("b700000000000000 9500000000000000")  # r0 = 0 (TC_ACT_OK); exit


def missing() -> list[str]:
    """What this host lacks, one sentence each; empty if a node can run here."""
    if os.geteuid() != 0:
        return ["root is missing: network namespaces, links and eBPF programs are made with it"]
    return [*_missing_files(), *_missing_in_namespace()]


def wanting() -> list[str]:
    """What this host lacks that only some endpoints need, one sentence each; those have a fault."""
    return system.aside(lambda: list(_wanting_parts()))


def _wanting_parts() -> Iterator[str]:
    with closing(IPRoute()) as netlink:
        try:
            netlink.tc("add", "htb", netlink.link_lookup(ifname="lo")[0], 0x10000)
        except NetlinkError as error:
            yield f"{WITHOUT_HTB}. Till then such a connection stays closed: {error}"


def _missing_files() -> Iterator[str]:
    release = os.uname().release
    version = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
    oldest = OLDEST_ON.get(os.uname().machine, OLDEST_KERNEL)
    if version < oldest:
        wanted = ".".join(map(str, oldest))
        yield f"Linux {wanted} is missing (this is {release}): the eBPF program uses its helpers"
    if not _BTF.exists():
        yield f"{_BTF} is missing (CONFIG_DEBUG_INFO_BTF): libbpf needs it to load the eBPF program"
    filesystems = Path("/proc/filesystems").read_text()
    if not system.bpffs_mounted() and not re.search(r"\bbpf$", filesystems, re.MULTILINE):
        yield "the bpf file system is missing (CONFIG_BPF_SYSCALL): flows are kept in it"


def _missing_in_namespace() -> list[str]:
    try:
        return system.aside(lambda: list(_missing_parts()))
    except KernelError as error:
        return [f"network namespaces are missing (CONFIG_NET_NS), everything lives in one: {error}"]


def _missing_parts() -> Iterator[str]:
    with closing(IPRoute()) as netlink:
        try:
            netlink.link("add", ifname="bridge", kind="bridge")
        except NetlinkError as error:
            yield f"bridges are missing (CONFIG_BRIDGE), each vswitch is one: {error}"
        try:
            netlink.link("add", ifname="veth", kind="veth", peer="peer")
        except NetlinkError as error:
            yield f"veth is missing (CONFIG_VETH), it connects every workload: {error}"
            return  # nothing to try the rest on
        yield from _missing_for_programs(netlink, netlink.link_lookup(ifname="veth")[0])


def _missing_for_programs(netlink: IPRoute, index: int) -> Iterator[str]:
    try:
        netlink.tc("add", "clsact", index)
    except NetlinkError as error:
        yield f"clsact is missing (CONFIG_NET_SCH_INGRESS), eBPF programs stand on it: {error}"
        return
    try:
        program = _load_program()
    except OSError as error:
        yield f"loading eBPF is missing (libbpf 1.x, CONFIG_BPF_SYSCALL), it moves packets: {error}"
        return
    try:
        netlink.tc("add-filter", "bpf", index, 1, parent=INGRESS, prio=1, fd=program, name="try")
    except NetlinkError as error:
        yield f"cls_bpf is missing (CONFIG_NET_CLS_BPF), it shows packets to eBPF: {error}"
    finally:
        os.close(program)


def _load_program() -> int:
    library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    count = ctypes.c_size_t(len(_PASS) // 8)
    program: int = library.bpf_prog_load(_SCHED_CLS, b"try", b"Apache-2.0", _PASS, count, None)
    if program < 0:
        raise OSError(-program, os.strerror(-program))
    return program
