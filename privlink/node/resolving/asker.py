"""Asks resolvers for names, many at a time from one thread in the namespace of the probes.

Which names comes in as questions, answers go out by a callback that says when to ask again. A
resolver that is silent keeps only questions of its own VPC waiting.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import dns.asyncquery
import dns.exception

from privlink.node import system
from privlink.node.errors import KernelError
from privlink.node.resolving.answers import PORT, Answer, Failed, query, read
from privlink.node.resolving.ways import Question

_TIMEOUT: Final = 2.0  # seconds for one datagram, or one connection
_TRIES: Final = 3
_MOST_OPEN: Final = 512
_MOST_OPEN_OF_NETWORK: Final = 16
_LOOK_EVERY: Final = 1.0  # seconds between two looks whether the namespace is still there
_PAUSE: Final = 1.0  # after a failure of ours

Answered = Callable[[Question, Answer], float]  # the seconds until it is asked again

log = logging.getLogger(__name__)


class Asker:
    """A thread that asks, for as long as the process lives."""

    def __init__(self, namespace: Path) -> None:
        self._namespace = namespace
        self._lock = threading.Lock()
        self._questions: dict[int, Question] = {}
        self._stopping = threading.Event()
        self._answered: Answered = lambda _, __: _PAUSE
        self._loop: asyncio.AbstractEventLoop | None = None
        self._nudged = asyncio.Event()

    def start(self, answered: Answered) -> None:
        """Begin; `answered` is called from the thread that asks."""
        self._answered = answered
        threading.Thread(target=self._live, name="names", daemon=True).start()

    def put(self, question: Question) -> None:
        """Ask this from now on, at once, and nothing else by its number; from any thread."""
        with self._lock:
            self._questions[question.number] = question
        self._nudge()

    def drop(self, number: int) -> None:
        """Ask nothing by this number any more; from any thread."""
        with self._lock:
            self._questions.pop(number, None)
        self._nudge()

    def stop(self) -> None:
        """Ask nobody any more."""
        self._stopping.set()
        self._nudge()

    def _nudge(self) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(self._nudged.set)

    def _live(self) -> None:
        complaint = ""
        while not self._stopping.is_set():
            try:
                system.within(self._namespace, lambda: asyncio.run(self._work()))
                complaint = ""
            except (OSError, KernelError) as error:  # no such namespace yet
                if str(error) != complaint:
                    complaint = str(error)
                    log.warning("no name can be resolved: %s", error)
            except Exception:
                log.exception("asking for names failed, and begins anew")
            self._loop = None
            self._stopping.wait(_PAUSE)

    async def _work(self) -> None:
        """Ask until this is not the namespace of the probes any more."""
        here = self._namespace.stat().st_ino
        self._nudged = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        every = asyncio.Semaphore(_MOST_OPEN)
        shares = defaultdict[int, asyncio.Semaphore](
            lambda: asyncio.Semaphore(_MOST_OPEN_OF_NETWORK)
        )
        tasks: dict[int, tuple[Question, asyncio.Task[None]]] = {}
        while not self._stopping.is_set() and self._namespace.stat().st_ino == here:
            self._nudged.clear()
            with self._lock:
                wanted = dict(self._questions)
            for number, (question, task) in list(tasks.items()):
                if wanted.get(number) is not question or task.done():
                    task.cancel()
                    del tasks[number]
            for number in wanted.keys() - tasks.keys():
                question = wanted[number]
                following = self._follow(question, shares[question.network], every)
                tasks[number] = question, asyncio.create_task(following)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), _LOOK_EVERY)

    async def _follow(
        self, question: Question, share: asyncio.Semaphore, every: asyncio.Semaphore
    ) -> None:
        while True:
            async with share, every:
                try:
                    answer = await _ask(question)
                except Exception:  # whatever a stranger sent: the next question may do better
                    log.exception("%s could not be asked for", question.name)
                    answer = Failed("the question failed.")
            await asyncio.sleep(self._answered(question, answer))


async def _ask(question: Question) -> Answer:
    """One question, by UDP and again, and by TCP where the answer is too long for that."""
    for _ in range(_TRIES):
        try:
            response, _ = await dns.asyncquery.udp_with_fallback(
                query(question.name),
                question.address,
                timeout=_TIMEOUT,
                port=PORT,
                ignore_unexpected=True,
                ignore_errors=True,  # whoever guesses wrong does not end the wait for the answer
            )
        except dns.exception.Timeout:
            continue
        except (OSError, EOFError, ValueError) as error:
            return Failed(f"the DNS server cannot be asked: {error}.")
        except dns.exception.DNSException:
            return Failed("the DNS server's answer makes no sense.")
        return read(response)
    return Failed("the DNS server does not answer.")
