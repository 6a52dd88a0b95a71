"""Asking the DNS: whom, how long for, and what is made of what they say."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from privlink.api.outside import Found, Question
from privlink.server.outside import Outside
from tests.api.name_server import NameServer

RECORD = "_privlink.db.vendor.example"
QUESTION = Question(RECORD)
T = TypeVar("T")

# A server whose files are out of reach asks as well: nothing is left to be imported.
BLIND = """
import asyncio, sys
from privlink.api.outside import Question
from privlink.server.outside import Outside
sys.path.clear()
sys.meta_path.clear()
sys.path_hooks.clear()
found = asyncio.run(Outside(sys.argv[1]).ask(Question(sys.argv[2]), "1"))
sys.stdout.write(f"{found.texts} {found.why}")
"""


def serving(texts: dict[str, list[str]], work: Callable[[str], Awaitable[T]]) -> T:
    """What comes of work beside a name server, which is given its address."""

    async def both() -> T:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: NameServer(texts), local_addr=("127.0.0.1", 0)
        )
        try:
            return await work("{}:{}".format(*transport.get_extra_info("sockname")))
        finally:
            transport.close()

    return asyncio.run(both())


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({RECORD: ["two", "one"]}, Found(QUESTION, ("one", "two"))),
        ({RECORD: []}, Found(QUESTION)),
        ({}, Found(QUESTION)),
        ({RECORD: ["a" * 255]}, Found(QUESTION, ("a" * 255,))),
    ],
)
def test_what_is_published_is_found(texts: dict[str, list[str]], found: Found) -> None:
    assert serving(texts, lambda upstream: Outside(upstream).ask(QUESTION, "1")) == found


def test_where_nobody_is_to_be_asked_nobody_is() -> None:
    found = asyncio.run(Outside("none").ask(QUESTION, "1"))
    assert found.texts == ()
    assert "--dns-upstream" in found.why


def test_whoever_is_named_first_and_is_not_there_is_passed_over() -> None:
    async def ask(upstream: str) -> Found:
        return await Outside(f"127.0.0.1:1,{upstream}").ask(QUESTION, "1")

    assert serving({RECORD: ["one"]}, ask) == Found(QUESTION, ("one",))


def test_a_server_that_sees_no_files_asks_too() -> None:
    async def ask(upstream: str) -> str:
        command = (sys.executable, "-c", BLIND, upstream, RECORD)
        asking = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        said, _ = await asking.communicate()
        return said.decode()

    assert serving({RECORD: ["one"]}, ask) == "('one',) "
