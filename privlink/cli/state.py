"""The state folder of an installation: who may read what in it, and who runs on it.

credentials.json   0600 root   the operator's access key
node.json          0600 root   the node's access key
dns.json           0600 root   the access key of the process that answers names
config.json        0644        the settings of the last start
up.lock            0600 root   held by the one `privlink up`; its process id
running.lock       0600 root   held by every process of the installation, to wait for their end
privlink.log       0600 root   what a detached `privlink up` says
server/            0700        the server's own, under a user id of its own: the database, and
                               in flows/ the log of flow records
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from privlink import process
from privlink.client import Client
from privlink.config import Config
from privlink.model.ids import new_access_key, new_account_id
from privlink.server.orders import Credentials, NodeCredentials

_PATIENCE = 20.0  # seconds for a running `privlink up` to end
_MOMENT = 0.5  # seconds for which somebody may look at a lock

T = TypeVar("T", Credentials, NodeCredentials)


def make(settings: Config) -> None:
    """Make the folder, if it is not there."""
    settings.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    os.close(_open_private(settings.log_file))


@contextmanager
def lock(settings: Config) -> Iterator[int]:
    """Be the one `privlink up` on this folder; yields the descriptor children shall hold.

    Raises ValueError if somebody is.
    """
    make(settings)
    with os.fdopen(_open_private(settings.lock_file), "r+") as file:
        if not _take(file.fileno(), fcntl.LOCK_EX, _MOMENT):
            running = owner(settings)
            where = settings.state
            raise ValueError(f"privlink runs already, as process {running}, in {where}")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        shared = _open_private(settings.running_file)
        fcntl.flock(shared, fcntl.LOCK_SH)
        try:
            yield shared  # never closed: its lock says that this process has not ended
        finally:
            file.truncate(0)


def owner(settings: Config) -> int | None:
    """The process id of the `privlink up` on this folder, or None."""
    try:
        with settings.lock_file.open() as file:
            if _take(file.fileno(), fcntl.LOCK_SH, 0):
                return None
            text = file.read()
    except FileNotFoundError:
        return None
    # A number alone could by now be somebody else's.
    with suppress(OSError, ValueError):
        if b"privlink" in Path(f"/proc/{int(text)}/cmdline").read_bytes():
            return int(text)
    return None


def prepare(settings: Config) -> tuple[Credentials, NodeCredentials, NodeCredentials]:
    """Have keys, settings and the server's folder in place; what is there stays."""
    key_id, secret = new_access_key()
    wanted = Credentials(
        account_id=new_account_id(),
        access_key_id=os.environ.get("PRIVLINK_ACCESS_KEY_ID") or key_id,
        access_key_secret=os.environ.get("PRIVLINK_ACCESS_KEY_SECRET") or secret,
    )
    credentials = _keep(settings.credentials_file, wanted)
    node, dns = (
        _keep(file, NodeCredentials(f"{kind}-{settings.instance}", *new_access_key()))
        for kind, file in (("node", settings.node_file), ("names", settings.dns_file))
    )
    _write(settings.config_file, msgspec.json.encode(settings), 0o644)
    _give_to_server(settings)
    return credentials, node, dns


def correct(settings: Config, credentials: Credentials) -> None:
    """Have the credentials file name the operator's account there is.

    Where the file was lost, `prepare` made it anew with an account id that was only a guess.
    """
    client = Client(settings.url, credentials.access_key_id, credentials.access_key_secret)
    account_id = client.call("DescribeStatus")["OperatorAccountId"]
    client.close()
    if account_id != credentials.account_id:
        true = msgspec.structs.replace(credentials, account_id=account_id)
        _write(settings.credentials_file, msgspec.json.encode(true), 0o600)


def stop(settings: Config) -> bool:
    """End the `privlink up` on this folder, and wait until no process of it is left.

    Also where the folder was deleted since it started. Returns False if there was none. Raises
    OSError if they do not end.
    """
    running = owner(settings)
    if running is not None:
        with suppress(ProcessLookupError):
            os.kill(running, signal.SIGTERM)
    with suppress(FileNotFoundError), settings.running_file.open() as file:
        if not _take(file.fileno(), fcntl.LOCK_EX, _PATIENCE):
            raise OSError(f"processes of {settings.state} have not ended in {_PATIENCE:.0f} s")
    bereft = _stop_bereft(settings)
    return running is not None or bereft


def _stop_bereft(settings: Config) -> bool:
    """End a `privlink up` whose folder was deleted under it, as `stop` does.

    It is known by the deleted lock file of that folder that it has open and locked: nobody else
    has that very file. What is found is held on to, so that a number cannot come to mean another
    process before the signal is sent.
    """
    stopped = False
    deleted = {
        file: f"{Path(settings.state).resolve() / file.name} (deleted)"
        for file in (settings.lock_file, settings.running_file)
    }
    for process_id in [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]:
        with ExitStack() as held, suppress(ProcessLookupError, FileNotFoundError):
            handle = os.pidfd_open(process_id)
            held.callback(os.close, handle)
            lock_file, running_file = (_opened(process_id, name) for name in deleted.values())
            if lock_file is None or running_file is None or not _locks(lock_file):
                continue
            running = held.enter_context(running_file.open())
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            stopped = True
            if not _take(running.fileno(), fcntl.LOCK_EX, _PATIENCE):
                why = f"have not ended in {_PATIENCE:.0f} s; the first of them is {process_id}"
                raise OSError(f"processes of {settings.state}, which was deleted, {why}")
    return stopped


def _opened(process_id: int, name: str) -> Path | None:
    """The way to a file, by its name as the kernel has it, that a process of ours has open."""
    if b"privlink" not in Path(f"/proc/{process_id}/cmdline").read_bytes():
        return None
    for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
        with suppress(FileNotFoundError):  # it has just closed it
            if str(descriptor.readlink()) == name:
                return descriptor
    return None


def _locks(descriptor: Path) -> bool:
    """Whether a descriptor in /proc is the one by which its file is locked, not merely open."""
    told = descriptor.parents[1] / "fdinfo" / descriptor.name
    return any({"FLOCK", "WRITE"} <= set(line.split()) for line in told.read_text().splitlines())


def delete(settings: Config) -> None:
    """Delete what we made in the folder, and the folder itself if nothing else is in it."""
    shutil.rmtree(settings.server_folder, ignore_errors=True)
    for file in (
        settings.credentials_file,
        settings.node_file,
        settings.dns_file,
        settings.config_file,
        settings.lock_file,
        settings.running_file,
        settings.log_file,
    ):
        file.unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's files are in it, or there is none
        settings.folder.rmdir()


def _take(descriptor: int, kind: int, patience: float) -> bool:
    """Whether a lock could be taken within `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
        else:
            return True


def _give_to_server(settings: Config) -> None:
    """Have the server's folder belong to its user, also after the state folder has moved."""
    uid = process.uid_of(settings.instance)
    settings.server_folder.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(settings.server_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid == uid:
            return
        for _, folders, files, inside in os.fwalk(".", dir_fd=folder):  # follows no links
            for name in (*folders, *files):
                os.chown(name, uid, uid, dir_fd=inside, follow_symlinks=False)
        os.fchown(folder, uid, uid)
    finally:
        os.close(folder)


def _keep(path: Path, wanted: T) -> T:
    """What the file holds; the first time, what is wanted. Raises ValueError if it is not ours."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type(wanted))
    except FileNotFoundError:
        _write(path, msgspec.json.encode(wanted), 0o600)
        return wanted
    except msgspec.DecodeError as error:
        why = f"{path} does not hold an access key ({error})"
        raise ValueError(f"{why}. Restore it, or delete it to get a new key") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place whole: a crash leaves the old one or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(content) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _open_private(path: Path) -> int:
    """A file that only its owner can read or lock, from its first moment on."""
    return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
