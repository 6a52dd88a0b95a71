"""The log of flow records: rotation, torn ends, and reading backwards."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.model.flow_records import Event, Logged
from privlink.store import flow_log
from privlink.store.flow_log import FlowLog, Owner, Owners, Position

Keep = Callable[[bytes], Logged | None]


def a_record(number: int, padding: int = 0) -> Logged:
    return Logged(
        time="2026-12-01T12:00:00.000Z", event=Event.OPENED, client_port=number, rule="r" * padding
    )


def every(line: bytes) -> Logged | None:
    try:
        return msgspec.json.decode(line, type=Logged)
    except ValueError:
        return None


def ports(log: FlowLog, most: int = 1000, keep: Keep = every) -> list[int]:
    """Everything that is read, page by page."""
    found: list[int] = []
    before: Position | None = None
    while True:
        page = log.read(keep, most, before)
        assert len(page.found) <= most
        assert before is None or page.following is None or page.following < before
        found += [record.client_port for record in page.found]
        before = page.following
        if before is None:
            return found


def test_what_was_written_is_read_backwards(tmp_path: Path) -> None:
    log = FlowLog(tmp_path / "flows", 1 << 20, 4)
    assert ports(log) == []
    for first in (0, 10, 20):
        log.append([a_record(first + each) for each in range(10)])
    log.append([])
    assert ports(log) == list(range(29, -1, -1))


def test_nothing_is_touched_before_the_first_use(tmp_path: Path) -> None:
    FlowLog(tmp_path / "flows", 1 << 20, 4).close()
    assert not list(tmp_path.iterdir())


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    log = FlowLog(tmp_path / "flows", 4096, 4)
    before = os.umask(0)
    try:
        log.append([a_record(1)])
    finally:
        os.umask(before)
    (file,) = (tmp_path / "flows").iterdir()
    assert (tmp_path / "flows").stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_oldest_go_and_the_whole_stays_in_its_size(tmp_path: Path) -> None:
    size, files = 40_000, 4
    log = FlowLog(tmp_path / "flows", size, files)
    for number in range(2000):
        log.append([a_record(number)])
    sizes = [file.stat().st_size for file in (tmp_path / "flows").iterdir()]
    assert len(sizes) == files
    assert size // 2 < sum(sizes) <= size
    left = ports(log, 7)
    assert left == list(range(1999, 1999 - len(left), -1))
    assert len(left) > 300


def test_another_process_goes_on_in_the_newest_file(tmp_path: Path) -> None:
    for number in range(100):
        log = FlowLog(tmp_path / "flows", 4000, 4)
        log.append([a_record(number)])
        log.close()
    names = sorted(file.name for file in (tmp_path / "flows").iterdir())
    assert len(names) == 4
    assert names[-1] > "0000000000000004.jsonl"
    left = ports(FlowLog(tmp_path / "flows", 4000, 4))
    assert left == list(range(99, 99 - len(left), -1))


@pytest.mark.parametrize("torn", [b'{"time":"2026', b"{", b"\xff\x00", b"x" * 200_000])
def test_a_torn_line_is_skipped(tmp_path: Path, torn: bytes) -> None:
    log = FlowLog(tmp_path / "flows", 1 << 20, 4)
    log.append([a_record(1)])
    log.close()
    (file,) = (tmp_path / "flows").iterdir()
    with file.open("ab") as end:
        end.write(torn)
    log = FlowLog(tmp_path / "flows", 1 << 20, 4)
    assert ports(log) == [1]
    log.append([a_record(2)])
    assert ports(log) == [2, 1]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    names = {"notes.jsonl", "1.txt", "-1.jsonl", "².jsonl"}
    for name in names:
        (folder / name).write_text("mine")
    log = FlowLog(folder, 1000, 2)
    for number in range(100):
        log.append([a_record(number)])
    assert ports(log)[0] == 99
    assert {"notes.jsonl", "1.txt", "-1.jsonl", "².jsonl"} < {
        each.name for each in folder.iterdir()
    }


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "else").write_text("")
    (tmp_path / "flows" / "0000000000000001.jsonl").symlink_to(tmp_path / "else")
    with pytest.raises(OSError, match="symbolic links"):
        FlowLog(tmp_path / "flows", 1000, 2).append([a_record(1)])
    assert (tmp_path / "else").read_text() == ""


def test_one_page_looks_at_so_much_and_no_more(tmp_path: Path) -> None:
    log = FlowLog(tmp_path / "flows", 64 << 20, 4)
    lines = 0
    for _ in range(30):
        log.append([a_record(each, padding=160) for each in range(1000)])
    looked = 0

    def nothing(line: bytes) -> Logged | None:
        nonlocal looked
        looked += len(line) + 1
        return None

    before: Position | None = None
    pages = 0
    while True:
        looked = 0
        page = log.read(nothing, 10, before)
        pages += 1
        assert looked <= flow_log._WORK + 1000
        lines += looked
        before = page.following
        if before is None:
            break
    assert pages > 2
    assert lines == sum(file.stat().st_size for file in (tmp_path / "flows").iterdir())


def test_a_position_that_is_no_longer_there_is_the_end(tmp_path: Path) -> None:
    log = FlowLog(tmp_path / "flows", 4000, 2)
    log.append([a_record(0), a_record(1)])
    following = log.read(every, 1).following
    assert following is not None
    for number in range(2, 200):
        log.append([a_record(number)])
    assert log.read(every, 10, following).found == []
    assert log.read(every, 10, Position(1 << 60, 1 << 60)).found[0].client_port == 199
    newest = max(int(each.stem) for each in (tmp_path / "flows").iterdir())
    assert log.read(every, 1, Position(newest, 1 << 60)).found[0].client_port == 199


def test_what_cannot_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FlowLog(tmp_path / "flows", 1 << 20, 4)
    log.append([a_record(1)])
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:10]))
        with pytest.raises(OSError, match="only 10 of"):
            log.append([a_record(2), a_record(3)])
    log.append([a_record(4)])
    assert ports(log) == [4, 1]
    (file,) = (tmp_path / "flows").iterdir()
    assert len(file.read_bytes().splitlines()) == 2


def test_reading_beside_writing_sees_whole_batches_in_order(tmp_path: Path) -> None:
    log = FlowLog(tmp_path / "flows", 200_000, 4)
    done = threading.Event()

    def write() -> None:
        for number in range(0, 20_000, 10):
            log.append([a_record(number + each) for each in range(10)])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        found = [record.client_port for record in log.read(every, 50).found]
        if found:
            assert found == list(range(found[0], found[0] - len(found), -1))
            assert found[0] % 10 == 9
    writer.join()


def test_owners_are_bounded() -> None:
    owners = Owners()
    for number in range(flow_log._MOST_OWNERS + 5):
        owners.put(str(number), Owner())
    assert [owners.get(str(number)) for number in (0, 4)] == [None, None]
    assert owners.get("5") == Owner()


@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 99), st.integers(0, 3000)), max_size=8), max_size=30
    ),
    size=st.integers(1000, 300_000),
    files=st.integers(2, 5),
    most=st.integers(1, 9),
    wanted=st.sets(st.integers(0, 99)),
)
def test_pages_give_exactly_what_a_naive_reading_gives(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[int, int]]],
    size: int,
    files: int,
    most: int,
    wanted: set[int],
) -> None:
    folder = tmp_path_factory.mktemp("log") / "flows"
    log = FlowLog(folder, size, files)
    for batch in batches:
        log.append([a_record(number, padding) for number, padding in batch])

    def keep(line: bytes) -> Logged | None:
        record = every(line)
        return record if record is not None and record.client_port in wanted else None

    naive = [
        record.client_port
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_bytes().splitlines()
        if (record := keep(line)) is not None
    ]
    assert ports(log, most, keep) == naive[::-1]
    written = [number for batch in batches for number, _ in batch if number in wanted]
    assert naive == written[len(written) - len(naive) :]
    log.close()
