"""The state folder of an installation: who may read what in it, and who runs on it.

credentials.json   0600 root   the operator's access key
node.json          0600 root   the node's access key
config.json        0644        the settings of the last start
up.lock            0644        held by the one `privlink up`; its process id
privlink.log       0600 root   what a detached `privlink up` says
server/            0700        the server's own, under a user id of its own: the database
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from privlink import process
from privlink.config import Config
from privlink.model.ids import new_access_key, new_account_id
from privlink.server.orders import Credentials, NodeCredentials

_PATIENCE = 20.0  # seconds for a running `privlink up` to end

T = TypeVar("T", Credentials, NodeCredentials)


def make(settings: Config) -> None:
    """Make the folder, if it is not there."""
    settings.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    _open_private(settings.log_file, os.O_CREAT | os.O_APPEND)


@contextmanager
def lock(settings: Config) -> Iterator[None]:
    """Be the one `privlink up` on this folder. Raises ValueError if somebody is."""
    make(settings)
    with settings.lock_file.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = owner(settings)
            where = settings.state
            raise ValueError(f"privlink runs already, as process {running}, in {where}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def owner(settings: Config) -> int | None:
    """The process id of the `privlink up` on this folder, or None."""
    try:
        with settings.lock_file.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None


def prepare(settings: Config) -> tuple[Credentials, NodeCredentials]:
    """Have keys, settings and the server's folder in place; what is there stays."""
    key_id, secret = new_access_key()
    wanted = Credentials(
        account_id=new_account_id(),
        access_key_id=os.environ.get("PRIVLINK_ACCESS_KEY_ID") or key_id,
        access_key_secret=os.environ.get("PRIVLINK_ACCESS_KEY_SECRET") or secret,
    )
    credentials = _keep(settings.credentials_file, wanted)
    node = _keep(
        settings.node_file, NodeCredentials(f"node-{settings.instance}", *new_access_key())
    )
    settings.config_file.write_bytes(msgspec.json.format(msgspec.json.encode(settings)))
    uid = process.uid_of(settings.instance)
    settings.server_folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(settings.server_folder, uid, uid)
    return credentials, node


def stop(settings: Config) -> bool:
    """End the `privlink up` on this folder and wait for it; False if there is none."""
    running = owner(settings)
    if running is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(running, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE
    while owner(settings) is not None:
        if time.monotonic() > until:
            raise OSError(f"process {running} has not ended within {_PATIENCE:.0f} s")
        time.sleep(0.02)
    return True


def delete(settings: Config) -> None:
    """Delete what we made in the folder, and the folder itself if nothing else is in it."""
    shutil.rmtree(settings.server_folder, ignore_errors=True)
    for file in (
        settings.credentials_file,
        settings.node_file,
        settings.config_file,
        settings.lock_file,
        settings.log_file,
    ):
        file.unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's files are in it
        settings.folder.rmdir()


def _keep(path: Path, wanted: T) -> T:
    """What the file holds; the first time, what is wanted."""
    with suppress(FileNotFoundError):
        return msgspec.json.decode(path.read_bytes(), type=type(wanted))
    text = msgspec.json.format(msgspec.json.encode(wanted)) + b"\n"
    _open_private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, text)
    return wanted


def _open_private(path: Path, flags: int, text: bytes = b"") -> None:
    """Make a file that only its owner can read, from its first moment on."""
    descriptor = os.open(path, flags | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)
