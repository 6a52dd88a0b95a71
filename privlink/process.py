"""What a process of ours does with itself: whom it dies with, what it may see, which rights it has.

Only system calls that Python 3.11 does not have; everything else is in the standard library.
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1  # prctl(2)
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNS = 0x00020000  # unshare(2)
_CLONE_NEWNET = 0x40000000  # setns(2)
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18  # mount(2)

# systemd gives this range to services without a user of their own (DynamicUser=).
_FIRST_UID, _LAST_UID = 61184, 65519


def uid_of(instance: str) -> int:
    """The user id an instance's server runs as: one without an entry in /etc/passwd."""
    return _FIRST_UID + int(instance, 16) % (_LAST_UID - _FIRST_UID + 1)


def names_uid_of(instance: str) -> int:
    """The user id of who answers an instance's names: another than its server's."""
    half = (_LAST_UID - _FIRST_UID + 1) // 2
    uid = uid_of(instance) + half
    return uid if uid <= _LAST_UID else uid - 2 * half


def die_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM when process `parent` ends. A change of user undoes this."""
    _check(_LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)  # it ended before the kernel knew


def see_folder_at(folder: Path, place: Path) -> None:
    """Mount `folder` over `place` for this process alone.

    So a process without rights reaches its one folder wherever that lies, without being let into
    the folders around it.
    """
    _check(_LIBC.unshare(_CLONE_NEWNS), "unshare(CLONE_NEWNS)")
    _mount(None, Path("/"), _MS_REC | _MS_PRIVATE)
    _mount(folder, place, _MS_BIND)


def enter_network(namespace: Path) -> None:
    """Move this thread into the network namespace at `namespace`."""
    with namespace.open("rb") as file:
        _check(_LIBC.setns(file.fileno(), _CLONE_NEWNET), f"setns({namespace})")


def give_up_rights(uid: int) -> None:
    """Become a user without any rights, for good: no groups, no capabilities, none to be gained."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _check(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def _mount(source: Path | None, target: Path, flags: int) -> None:
    name = None if source is None else os.fsencode(source)
    result = _LIBC.mount(name, os.fsencode(target), None, ctypes.c_ulong(flags), None)
    _check(result, f"mount({source or ''}, {target})")


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
