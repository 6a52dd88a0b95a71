"""The system calls Python 3.11 has no name for: network namespaces and mounts.

Everything that must happen inside a network namespace happens in a short-lived thread that moves
there alone (setns works per thread); sockets opened in it stay there. Nothing here knows what the
namespaces are for.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from privlink.node.errors import KernelError

NAMESPACES = Path("/run/netns")  # where `ip netns` keeps them
BPFFS = Path("/sys/fs/bpf")

_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED = 1 << 12, 1 << 14, 1 << 20
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)
_T = TypeVar("_T")


def within(namespace: Path, call: Callable[[], _T]) -> _T:
    """What `call` returns when it runs inside the network namespace at `namespace`.

    Raises KernelError when the namespace cannot be entered, and whatever `call` raises.
    """
    with namespace.open("rb") as file:

        def enter() -> _T:
            _check(_libc.setns(file.fileno(), _CLONE_NEWNET), f"enter {namespace}")
            return call()

        return _in_thread(enter)


def aside(call: Callable[[], _T]) -> _T:
    """What `call` returns when it runs inside a network namespace that ends with it.

    Raises KernelError when there can be none, and whatever `call` raises.
    """

    def enter() -> _T:
        _check(_libc.unshare(_CLONE_NEWNET), "make a network namespace")
        return call()

    return _in_thread(enter)


def namespace_exists(name: str) -> bool:
    """Whether a network namespace of that name is there; a file somebody left is none."""
    return is_namespace(NAMESPACES / name)


def is_namespace(path: Path) -> bool:
    """Whether `path` leads to a network namespace."""
    try:
        return path.stat().st_dev == Path("/proc/self/ns/net").stat().st_dev
    except OSError:
        return False


def make_namespace(name: str) -> None:
    """Make a network namespace as `ip netns add` does, so that `ip netns exec` finds it.

    Raises KernelError.
    """
    NAMESPACES.mkdir(mode=0o755, parents=True, exist_ok=True)
    _share(NAMESPACES)
    target = NAMESPACES / name
    target.touch(mode=0o444)

    def unshare() -> None:
        _check(_libc.unshare(_CLONE_NEWNET), f"make network namespace {name}")
        _mount("/proc/thread-self/ns/net", target, "none", _MS_BIND)

    try:
        _in_thread(unshare)
    except KernelError:
        target.unlink()
        raise


def remove_namespace(name: str) -> None:
    """Remove a network namespace's name; with its last user gone, all in it goes too."""
    target = NAMESPACES / name
    while _libc.umount2(os.fsencode(target), _MNT_DETACH) == 0:
        pass  # two who made it at once have mounted two, one upon the other
    target.unlink(missing_ok=True)


def mount_bpffs() -> None:
    """Mount the file system that keeps pinned maps, unless it is mounted. Raises KernelError."""
    if not bpffs_mounted():
        _mount("bpffs", BPFFS, "bpf", 0)


def bpffs_mounted() -> bool:
    """Whether pins can be made."""
    mounts = Path("/proc/self/mounts").read_text()
    return re.search(rf"^\S+ {BPFFS} bpf ", mounts, re.MULTILINE) is not None


def _share(directory: Path) -> None:
    """Make mounts below `directory` visible to every mount namespace, as iproute2 does."""
    if _libc.mount(b"", os.fsencode(directory), b"none", _MS_SHARED | _MS_REC, None) == 0:
        return
    _mount(str(directory), directory, "none", _MS_BIND | _MS_REC)
    _mount("", directory, "none", _MS_SHARED | _MS_REC)


def _mount(source: str, target: Path, kind: str, flags: int) -> None:
    _check(
        _libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, None),
        f"mount {source or 'shared'} on {target}",
    )


def _check(result: int, operation: str) -> None:
    if result != 0:
        code = ctypes.get_errno() or errno.EIO
        raise KernelError.of(operation, code)


def _in_thread(call: Callable[[], _T]) -> _T:
    results: list[_T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run, name="inside")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
