"""The sockets inside of the VPCs: in the network namespace where the fabric's own questions arrive.

    privlink-<instance>-names                     privlink-<instance>, the fabric
    UDP and TCP at 0.0.0.0:53, 100.100.2.136  ----  names

The node makes that namespace, maybe long after us. Who enters it needs root's rights, and who
answers has none: so a process of its own waits there, opens the sockets, hands them over, and ends.
"""

from __future__ import annotations

import logging
import os
import select
import socket
from pathlib import Path
from typing import Final

from privlink import process
from privlink.dns.sockets.datagrams import open_datagrams
from privlink.dns.sockets.streams import open_streams
from privlink.model.naming import RESOLVER_PORT

_NAMESPACES: Final = Path("/run/netns")  # where `ip netns` keeps them
_LOOK_EVERY: Final = 0.05  # seconds, while it is not there
_PAUSE: Final = 1.0  # after a refusal
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - of a namespace with one address

log = logging.getLogger(__name__)


def namespace_of(instance: str) -> Path:
    """Where the namespace is in which an instance's names are asked for."""
    return _NAMESPACES / f"privlink-{instance}-names"


def inode_of(namespace: Path) -> int | None:
    """What tells a network namespace from another of its name; None: there is none."""
    try:
        found = namespace.stat()
        here = Path("/proc/self/ns/net").stat()
    except OSError:
        return None
    return found.st_ino if found.st_dev == here.st_dev else None  # else it is a plain file


def send_sockets(namespace: Path) -> socket.socket:
    """Start the process that waits; what it finds can be taken from this socket, see `receive`."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        code = 1
        try:
            ours.close()
            _send(namespace, theirs)
            code = 0
        finally:
            os._exit(code)  # nothing of the parent's is to be tidied up twice
    theirs.close()
    return ours


def receive(waiting: socket.socket) -> tuple[int, socket.socket, socket.socket]:
    """The namespace's inode, and its sockets for datagrams and streams.

    Raises OSError where the process that waits has ended without.
    """
    message, descriptors, _, _ = socket.recv_fds(waiting, 64, 2)
    if len(descriptors) < 2:
        raise ConnectionError("whoever waited for the namespace of names has ended")
    datagrams, streams = (socket.socket(fileno=each) for each in descriptors)
    return int(message), datagrams, streams


def _send(namespace: Path, theirs: socket.socket) -> None:
    complaint = ""
    pause = 0.0
    while not _is_alone(theirs, pause):
        pause = _LOOK_EVERY
        inode = inode_of(namespace)
        if inode is None:
            continue
        try:
            process.enter_network(namespace)
            if inode_of(namespace) != inode:
                continue
            opened = [each(_EVERYWHERE, RESOLVER_PORT) for each in (open_datagrams, open_streams)]
        except OSError as error:
            if str(error) != complaint:
                complaint = str(error)
                log.error("names cannot be answered in %s yet: %s", namespace.name, error)
            pause = _PAUSE
            continue
        socket.send_fds(theirs, [str(inode).encode()], [each.fileno() for each in opened])
        return


def _is_alone(theirs: socket.socket, pause: float) -> bool:
    """Whether whoever waits for the sockets has ended, within a pause.

    The kernel would not say so by a signal: who has no rights cannot have root's process ended.
    """
    return bool(select.select([theirs], [], [], pause)[0])
