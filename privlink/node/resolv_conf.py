"""Who answers for names in a network namespace: the file that `ip netns exec` shows as resolv.conf.

`ip netns exec NAME` has /etc/netns/NAME/resolv.conf as /etc/resolv.conf (ip-netns(8)). One is made
where there is none; its first line says of which instance and for which attachments. It is ours for
as long as nobody has changed it: what is somebody else's is never touched.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from privlink.model.naming import RESOLVER_ADDRESS
from privlink.node import system

FOLDER: Final = Path("/etc/netns")
SERVER: Final = RESOLVER_ADDRESS
LINE: Final = f"nameserver {SERVER}"
_FILE: Final = "resolv.conf"
_FIRST: Final = re.compile(r"# made by privlink-(\S+) for ([\w -]+); privlink detach removes it")


def resolv_conf(netns: str) -> Path | None:
    """Where the file of a namespace is, given its name or path; None: it has no name."""
    path = Path(netns) if "/" in netns else system.NAMESPACES / netns
    named = path.parent.resolve() == system.NAMESPACES.resolve()
    return FOLDER / path.name / _FILE if named else None


def offer(file: Path, instance: str, attachment: str) -> bool:
    """Have an attachment's resolver in a namespace's file; False: somebody else has made that.

    Raises OSError.
    """
    with _alone():
        file.parent.mkdir(mode=0o755, exist_ok=True)
        try:
            held = _attachments(file, instance)
            if held is not None:
                _replace(file, instance, [*held, attachment])
            elif not os.path.lexists(file):
                _replace(file, instance, [attachment])
            else:
                return False
        finally:
            _tidy(file)
    return True


def withdraw(instance: str, attachment: str) -> None:
    """Take an attachment out of the files of an instance; the last one takes its file along.

    Raises OSError.
    """
    for file in made(instance):
        with _alone():
            held = _attachments(file, instance)
            if held is None or attachment not in held:
                continue
            rest = [each for each in held if each != attachment]
            if rest:
                _replace(file, instance, rest)
            else:
                file.unlink()
                _tidy(file)


def remove_all(instance: str) -> None:
    """Remove every file that is an instance's. Raises OSError."""
    for file in made(instance):
        with _alone():
            file.unlink(missing_ok=True)
            _tidy(file)


def made(instance: str) -> list[Path]:
    """The files that are an instance's."""
    return sorted(
        file for file in FOLDER.glob(f"*/{_FILE}") if _attachments(file, instance) is not None
    )


def _attachments(file: Path, instance: str) -> list[str] | None:
    """The attachments that a file is for; None where it is not, or no longer, an instance's."""
    try:
        text = "" if file.is_symlink() else file.read_text()
    except (OSError, ValueError):  # it is gone, or no text
        return None
    found = _FIRST.match(text)
    if found is None or found[1] != instance:
        return None
    attachments = found[2].split()
    return attachments if text == _text(instance, attachments) else None


def _text(instance: str, attachments: list[str]) -> str:
    names = " ".join(attachments)
    return f"# made by privlink-{instance} for {names}; privlink detach removes it\n{LINE}\n"


def _replace(file: Path, instance: str, attachments: list[str]) -> None:
    """In one step: whoever reads it finds all of it."""
    draft = file.with_name(f".{_FILE}.privlink")
    draft.write_text(_text(instance, attachments))
    draft.chmod(0o644)
    draft.replace(file)


def _tidy(file: Path) -> None:
    """Remove the folders that nothing is in."""
    with suppress(OSError):
        file.parent.rmdir()
        FOLDER.rmdir()


@contextmanager
def _alone() -> Iterator[None]:
    """No two at a time."""
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    folder = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
