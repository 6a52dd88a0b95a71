"""The HTTP shell: reads a request, has it authenticated and carried out, writes the answer.

One catch-all, here: whatever goes wrong, the caller gets JSON with a code, and never a traceback.
Each request logs one line: who, what, what came of it, how long it took.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from privlink import errors
from privlink.api import identify
from privlink.api.authenticate import Claim, Request, claim_of, use_nonce, verify
from privlink.api.caller import Caller
from privlink.api.dispatch import Catalogue, Processing, Work, check_region, permit
from privlink.api.identify import Holder
from privlink.api.outside import Question
from privlink.server.arrival import Arrived, decode, receive_all
from privlink.server.feed import pull_feed
from privlink.server.holders import Holders
from privlink.server.metrics import Metrics
from privlink.server.naming import pull_names
from privlink.server.outside import Outside
from privlink.server.readiness import what_is_missing
from privlink.server.reference import Reference
from privlink.store.database import Database, Transaction
from privlink.store.writer import Writer

log = logging.getLogger(__name__)
T = TypeVar("T")
Use = Callable[[Transaction], None]
Preparing = Callable[..., Work]  # dispatch.prepare, with what is the same for every request

_SHORT = 8 * 1024  # bytes
_METHODS = ("GET", "POST")
_JSON = b"application/json;charset=utf-8"
_WAITING = (pull_feed, pull_names)


class Commits:
    """Tells waiting requests that something was committed."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def announce(self) -> None:
        """Wake everybody who waits."""
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None

    def following(self) -> asyncio.Future[None]:
        """Done at the next commit. Take it before looking, so as to miss none."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return self._next


class Server:
    """The application: routes, and what they share."""

    def __init__(
        self, database: Database, catalogue: Catalogue, preparing: Preparing, outside: Outside
    ) -> None:
        self._database = database
        self._prepare = preparing
        self._catalogue = catalogue
        self._commits = Commits()
        self._closing = False
        self._metrics = Metrics(database)
        self._threads = CapacityLimiter(8)
        self._writer = Writer(database)
        self._processing = Processing()
        self._holders = Holders(self._look_up)
        self._outside = outside
        routes = [
            Route("/", self._api, methods=list(_METHODS)),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._show_metrics),
            *Reference(catalogue, GATE).routes(),
        ]
        handlers = {404: self._refuse_path, 405: self._refuse_path}
        self._starlette = Starlette(routes=routes, exception_handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/" and scope["method"] in _METHODS:
            # The way of nearly every request; the router would take longer than some actions.
            response = await self._api(HttpRequest(scope, receive))
            await response(scope, receive, send)
        else:
            await self._starlette(scope, receive, send)

    def release(self) -> None:
        """Let go of requests that wait, so that the process can end."""
        self._closing = True
        self._commits.announce()

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.close()

    async def _api(self, http: HttpRequest) -> Response:
        started = time.perf_counter()
        exchange = Exchange(new_request_id(), http)
        try:
            response = await self._answer(http, exchange)
        except errors.ApiError as error:
            response = exchange.refuse(error)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:
            log.exception("request %s failed", exchange.request_id)
            response = exchange.refuse(errors.InternalError(request_id=exchange.request_id))
        seconds = time.perf_counter() - started
        # In the loop's next round, when the answer has left.
        asyncio.get_running_loop().call_soon(self._account_for, exchange, seconds)
        return response

    def _account_for(self, exchange: Exchange, seconds: float) -> None:
        """Count a request and log its line."""
        self._metrics.count(exchange.action_name, exchange.kind, seconds)
        log.info(
            "%s %s by %s: %s, in %.1f ms",
            exchange.request_id,
            exchange.action_name,
            exchange.caller_name,
            exchange.kind,
            1000 * seconds,
        )

    async def _answer(self, http: HttpRequest, exchange: Exchange) -> Response:
        arrived = await receive_all(http)
        admit = partial(self._admit, arrived, exchange)
        # A thread costs more than a short request takes; a long one would keep others waiting.
        admitted = admit() if arrived.size <= _SHORT else await self._in_thread(admit)
        if isinstance(admitted.work, errors.ApiError):
            await self._use(admitted.claim)
            raise admitted.work
        answer = await self._carry_out(admitted, admitted.work)
        return exchange.accept(answer)

    def _admit(self, arrived: Arrived, exchange: Exchange) -> Admitted:
        """Look at a request: who sends it, may he, is it in order? Raises if nobody signed it."""
        request = decode(arrived)
        action = self._catalogue.find(request)
        exchange.action_name = action.name
        claim = claim_of(request)
        caller = self._identify(request, claim)
        exchange.caller_name = caller.name
        work: Work | errors.ApiError
        try:
            permit(action, caller)
            work = self._prepare(action, request, caller, moment=datetime.now(UTC))
        except errors.ApiError as error:
            work = error
        return Admitted(claim, work)

    def _identify(self, request: Request, claim: Claim) -> Caller:
        """Who signed the request. Raises an ApiError if nobody whom we know did."""
        now = datetime.now(UTC)
        holder = self._holders.of(claim.access_key_id)
        verify(request, claim, holder.key, now)
        identify.check_valid(holder, request.security_token, now)
        return holder.caller(request.address)

    def _look_up(self, key_id: str) -> Holder:
        with self._database.read() as tx:
            return identify.find(tx, key_id)

    async def _carry_out(self, admitted: Admitted, work: Work) -> bytes:
        """Have an admitted request answered once, whatever comes of it."""
        if work.action.writes:
            use: Use | None = partial(use_nonce, claim=admitted.claim, now=datetime.now(UTC))
            with self._processing.of(work):
                if work.action.asks is not None:
                    await self._use(admitted.claim)  # nobody else has us ask the same again
                    work, use = await self._with_answer(work), None
                answer: bytes = await self._writer.submit(work.answer, first=use)
            self._holders.committed(work.action, work.caller)
            self._commits.announce()
            return answer
        if work.action in _WAITING:
            await self._use(admitted.claim)
            return await self._wait_for_changes(work)
        used = self._use(admitted.claim)
        try:
            return await self._read(work)
        finally:
            await used  # a repetition is answered as one, although it was read for in the meantime

    def _use(self, claim: Claim) -> asyncio.Future[None]:
        """Use a nonce up, without a flush to disk. Raises SignatureNonceUsed."""
        use = partial(use_nonce, claim=claim, now=datetime.now(UTC))
        return self._writer.submit(None, first=use, flush=False)

    async def _with_answer(self, work: Work) -> Work:
        """Work with what is answered outside to what it asks there."""

        def read() -> Question | None:
            with self._database.read() as tx:
                return work.question(tx)

        question = await self._in_thread(read)
        if question is None:
            return work
        assert work.caller.account is not None
        found = await self._outside.ask(question, work.caller.account.id)
        return msgspec.structs.replace(work, found=found)

    async def _wait_for_changes(self, work: Work) -> bytes:
        """Answer a pull as soon as there is something to say, or when its time is up."""
        until = time.monotonic() + work.arguments["wait_seconds"]
        while True:
            following = self._commits.following()
            answer = await self._read(work)
            told = msgspec.json.decode(answer, type=Told)
            left = until - time.monotonic()
            if told.Items or told.Full or left <= 0 or self._closing:
                return answer
            await asyncio.wait([following], timeout=left)

    async def _read(self, work: Work) -> bytes:
        def read() -> bytes:
            with self._database.read() as tx:
                return work.answer(tx)

        return await self._in_thread(read)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await to_thread.run_sync(call, limiter=self._threads)

    async def _healthz(self, _http: HttpRequest) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _http: HttpRequest) -> Response:
        missing = await to_thread.run_sync(self._what_is_missing, limiter=self._threads)
        if missing:
            return PlainTextResponse("".join(f"{line}\n" for line in missing), status_code=503)
        return PlainTextResponse("ready\n")

    def _what_is_missing(self) -> list[str]:
        with self._database.read() as tx:
            return what_is_missing(tx)

    async def _show_metrics(self, _http: HttpRequest) -> Response:
        text = await to_thread.run_sync(self._metrics.text, limiter=self._threads)
        return Response(text, media_type=self._metrics.content_type)

    async def _refuse_path(self, http: HttpRequest, _error: Exception) -> Response:
        exchange = Exchange(new_request_id(), http)
        refusal = errors.MethodNotAllowed(method=http.method, path=http.url.path)
        return exchange.refuse(refusal, 404 if http.url.path != "/" else 405)


class Admitted(msgspec.Struct, frozen=True):
    """A request with a right signature, and what is to be done for it, or why nothing."""

    claim: Claim
    work: Work | errors.ApiError


# What every request passes on its way to an action, and what answers where there is no way.
GATE = (
    *(Server._api, Server._answer, Server._look_up, Server._refuse_path),
    *(Catalogue.find, permit, check_region, Processing.of, Work.answer),
)


class Told(msgspec.Struct):
    """What a pull says of itself, as far as waiting goes."""

    Full: bool
    Items: list[msgspec.Raw]


class JsonResponse(Response):
    """An answer on its way: what Starlette's own does, for the one kind of it that there is."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code, self.body = status, body

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", _JSON)]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Exchange:
    """One request and its answer, for the log and for the form answers have."""

    def __init__(self, request_id: str, http: HttpRequest) -> None:
        self.request_id = request_id
        self.action_name = "?"
        self.caller_name = "?"
        self.kind = "OK"  # the code without the name of a parameter, which callers choose
        self._http = http

    def accept(self, answer: bytes) -> Response:
        """A good answer: the action's fields and RequestId."""
        rest = b"}" if answer == b"{}" else b"," + answer[1:]
        return JsonResponse(200, b'{"RequestId":"%s"%s' % (self.request_id.encode(), rest))

    def refuse(self, error: errors.ApiError, status: int | None = None) -> Response:
        """An answer that every official client turns into its proper exception."""
        self.kind = error.code
        body: dict[str, Any] = {
            "RequestId": self.request_id,
            "HostId": self._http.headers.get("host", ""),
            "Code": error.answered_code,
            "Message": error.message,
            "Recommend": "",
        }
        if error.detail is not None:
            body["AccessDeniedDetail"] = error.detail
        return JsonResponse(status or error.status, msgspec.json.encode(body))


def new_request_id() -> str:
    """A random UUID (RFC 9562, version 4), in upper case."""
    bits = bytearray(os.urandom(16))
    bits[6], bits[8] = bits[6] & 0x0F | 0x40, bits[8] & 0x3F | 0x80  # version and variant
    text = bits.hex().upper()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
