"""The log of flow records: lines of JSON in files that rotate. Knows nothing of what they say.

    flows/0000000000000007.jsonl     full: read only
    flows/0000000000000008.jsonl     the newest, appended to

Not in the database: there may be thousands a second, nobody changes one, and the oldest go by
themselves. A batch is written in one go and not flushed to the disk: what a power cut takes is the
last seconds of a log, and waiting for disks would be paid by every flow. A line that was torn so is
skipped by whoever reads. Reading goes backwards, in bounded steps.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from privlink.model.flow_records import Batch, Logged

_BLOCK: Final = 64 * 1024  # bytes read at a time
_LONGEST: Final = 8 * 1024  # bytes of a line; ours have less than 1,000
_WORK: Final = 2 * 1024 * 1024  # bytes looked at for one page
_RECALLED: Final = 8 * 1024 * 1024  # bytes looked through for the last batches, at start
_MOST_OWNERS: Final = 50_000
_SUFFIX: Final = ".jsonl"


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in the log: everything from there on has been read."""

    file: int
    offset: int


class Owner(msgspec.Struct, frozen=True):
    """Whose flow it was; "" where nobody knows."""

    endpoint: str = ""
    zone: str = ""
    balancer: str = ""
    service: str = ""
    consumer: str = ""  # account
    provider: str = ""  # account


class Owners:
    """Owners by place, for when it is gone before the last of its records comes. Bounded."""

    def __init__(self) -> None:
        self._known: dict[str, Owner] = {}
        self._lock = threading.Lock()

    def get(self, place: str) -> Owner | None:
        return self._known.get(place)

    def put(self, place: str, owner: Owner) -> None:
        with self._lock:
            self._known[place] = owner
            if len(self._known) > _MOST_OWNERS:
                del self._known[next(iter(self._known))]


class Page(msgspec.Struct, frozen=True):
    """What was found, and where to read on; None: that was all."""

    found: list[Logged]
    following: Position | None


class FlowLog:
    """The files in one folder. Nothing is touched before the first use. Threads may share it."""

    def __init__(self, folder: Path, size: int, files: int) -> None:
        """`size`: bytes of all `files` together."""
        self._folder = folder
        self._most = max(size // files, 1)
        self._files = files
        self._lock = threading.Lock()
        self._current: _File | None = None
        self._last: dict[str, Batch] = {}  # by node
        self.owners = Owners()
        self.secret = secrets.token_bytes(32)  # of what is said of positions

    def append(self, records: list[Logged], batch: Batch | None = None) -> None:
        """Write records behind the others. Raises OSError, and then none of them is there.

        A batch of a node that is there already is not written a second time. Which is the last of
        each node stands in the log itself, so that it is known after a restart too.
        """
        if not records:
            return
        node = records[-1].node
        if batch is not None:
            records = [*records[:-1], msgspec.structs.replace(records[-1], batch=batch)]
        data = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        with self._lock:
            current = self._current or self._open()
            last = self._last.get(node)
            if batch and last and last.life == batch.life and batch <= last:
                return
            if current.size and current.size + len(data) > self._most:
                current = self._rotate(current)
            current.append(data)
            if batch is not None:
                self._last[node] = batch

    def read(
        self, keep: Callable[[bytes], Logged | None], most: int, before: Position | None = None
    ) -> Page:
        """The newest records that are to be kept, the newest first, older than `before`.

        `keep` gets a line and gives what is kept of it. Looks at so many bytes and no more, so a
        page may be empty although others follow.
        """
        found: list[Logged] = []
        work = _WORK
        for number, end in self._ends(before):
            for offset, line in _backwards(self._path(number), end):
                work -= len(line) + 1
                if (record := keep(line)) is not None:
                    found.append(record)
                if len(found) == most or work <= 0:
                    return Page(found, Position(number, offset))
        return Page(found, None)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._current is not None:
                self._current.close()
                self._current = None

    def _ends(self, before: Position | None) -> Iterator[tuple[int, int]]:
        """The files to read, the newest first, each with where to begin."""
        with self._lock:
            current = self._current or self._open()
            numbers = self._numbers()
            newest = Position(current.number, current.size)
        for number in sorted(numbers, reverse=True):
            if number > newest.file or (before is not None and number > before.file):
                continue
            end = newest.offset
            if number != newest.file:
                try:
                    end = self._path(number).stat().st_size
                except FileNotFoundError:  # it has just gone
                    continue
            yield number, min(end, before.offset) if before and number == before.file else end

    def _open(self) -> _File:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = max(self._numbers(), default=1)
        self._current = _File(self._path(number), number)
        if not self._last:
            self._recall()
        return self._current

    def _recall(self) -> None:
        """Find the last batch of each node that spoke lately."""
        work = _RECALLED
        for number in sorted(self._numbers(), reverse=True):
            path = self._path(number)
            for _, line in _backwards(path, path.stat().st_size):
                work -= len(line) + 1
                if work < 0:
                    return
                if b'"batch":' not in line:
                    continue
                with suppress(msgspec.DecodeError):  # torn, when the power went
                    record = msgspec.json.decode(line, type=Logged)
                    if record.batch is not None:
                        self._last.setdefault(record.node, record.batch)

    def _rotate(self, current: _File) -> _File:
        following = _File(self._path(current.number + 1), current.number + 1)
        current.close()
        self._current = following
        for number in sorted(self._numbers())[: -self._files]:
            self._path(number).unlink(missing_ok=True)
        return following

    def _numbers(self) -> list[int]:
        names = (path.stem for path in self._folder.glob(f"*{_SUFFIX}"))
        return [int(name) for name in names if name.isascii() and name.isdigit()]

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:016d}{_SUFFIX}"


class _File:
    """The file that is appended to."""

    def __init__(self, path: Path, number: int) -> None:
        flags = os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self.number = number
        self.size = os.fstat(self._descriptor).st_size
        if self.size and os.pread(self._descriptor, 1, self.size - 1) != b"\n":
            self.append(b"\n")  # the end of a line that was torn

    def append(self, data: bytes) -> None:
        try:
            written = os.write(self._descriptor, data)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        if written < len(data):  # the disk is full: half a batch would be written again
            os.ftruncate(self._descriptor, self.size)
            raise OSError(f"only {written} of {len(data)} bytes could be written")
        self.size += written

    def close(self) -> None:
        os.close(self._descriptor)


def _backwards(path: Path, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines before `end`, the last first, each with where it begins."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:  # it has just gone
        return
    try:
        rest = b""  # the part of a line that has been read so far
        while end > 0:
            begin = max(end - _BLOCK, 0)
            block = os.pread(descriptor, end - begin, begin) + rest
            head, *lines = block.split(b"\n")
            offset = begin + len(block)
            for line in reversed(lines):
                offset -= len(line)
                if line:
                    yield offset, line
                offset -= 1
            if begin == 0 and head:
                yield 0, head
            # What has no end is no line of ours.
            rest, end = head if len(head) <= _LONGEST else b"", begin
    finally:
        os.close(descriptor)
