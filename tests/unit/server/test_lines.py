"""Log lines: at once outside the event loop, together inside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from privlink.server.lines import Lines


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A log of its own that writes lines."""
    log = logging.Logger("lines")
    handler = Lines()
    log.addHandler(handler)
    yield log
    handler.close()


def test_outside_the_loop_a_line_is_written_at_once(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("one")
    assert capsys.readouterr().err == "one\n"


def test_lines_of_one_round_are_written_when_it_is_done(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        log.info("one")
        log.info("two")
        assert capsys.readouterr().err == ""
        await asyncio.sleep(0)
        assert capsys.readouterr().err == "one\ntwo\n"
        log.info("three")

    asyncio.run(work())
    assert capsys.readouterr().err == "three\n"


def test_what_waits_is_written_at_the_end(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        log.info("one")
        log.handlers[0].flush()
        assert capsys.readouterr().err == "one\n"

    asyncio.run(work())
    assert capsys.readouterr().err == ""
