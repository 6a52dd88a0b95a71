"""The HTTP shell: reads a request, has it authenticated and carried out, writes the answer.

One catch-all, here: whatever goes wrong, the caller gets JSON with a code, and never a traceback.
Each request logs one line: who, what, what came of it, how long it took.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from privlink import errors
from privlink.api.action import Action, Caller
from privlink.api.authenticate import Request, claim_of, use_nonce, verify
from privlink.api.dispatch import Catalogue, permit, run
from privlink.config import Config
from privlink.server.feed import LONGEST_WAIT, pull_feed
from privlink.server.metrics import Metrics
from privlink.server.reference import Reference
from privlink.store import accounts, changes, nodes
from privlink.store.database import Database

log = logging.getLogger(__name__)

# A node's longest report fits: anybody may send that much before we know who it is.
_LARGEST_BODY = 1024 * 1024
_MOST_PARAMETERS = 5_000
_JSON = "application/json;charset=utf-8"
_SEEN_WITHIN = 20.0  # seconds; nodes report every few


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

    def __init__(self, database: Database, config: Config, catalogue: Catalogue) -> None:
        self._database = database
        self._config = config
        self._catalogue = catalogue
        self._commits = Commits()
        self._closing = False
        self._metrics = Metrics(database)
        self._threads = CapacityLimiter(8)
        routes = [
            Route("/", self._api, methods=["GET", "POST"]),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._show_metrics),
            *Reference(catalogue, GATE).routes(),
        ]
        handlers = {404: self._refuse_path, 405: self._refuse_path}
        self._starlette = Starlette(routes=routes, exception_handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._starlette(scope, receive, send)

    def release(self) -> None:
        """Let go of requests that wait, so that the process can end."""
        self._closing = True
        self._commits.announce()

    async def _api(self, http: HttpRequest) -> Response:
        started = time.perf_counter()
        exchange = Exchange(str(uuid.uuid4()).upper(), http.headers.get("host", ""))
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
        self._metrics.count(exchange.action_name, exchange.kind, seconds)
        log.info(
            "%s %s by %s: %s, in %.1f ms",
            exchange.request_id,
            exchange.action_name,
            exchange.caller_name,
            exchange.kind,
            1000 * seconds,
        )
        return response

    async def _answer(self, http: HttpRequest, exchange: Exchange) -> Response:
        arrived = await receive_all(http)

        def admit() -> tuple[Request, Action, Caller]:
            # Off the loop: what strangers send takes time to decode, and to hash.
            request = decode(arrived)
            action = self._catalogue.find(request)
            exchange.action_name = action.name
            caller = self._identify(request)
            exchange.caller_name = caller.name
            permit(action, caller)
            return request, action, caller

        request, action, caller = await to_thread.run_sync(admit, limiter=self._threads)
        if action is pull_feed:
            return exchange.accept(await self._wait_for_changes(request, caller))
        answer = await self._run(action, request, caller)
        if action.writes:
            self._commits.announce()
        return exchange.accept(answer)

    async def _wait_for_changes(self, request: Request, caller: Caller) -> bytes:
        """Answer a node's pull as soon as there is something to say, or when its time is up."""
        wait = request.parameter("WaitSeconds") or ""
        # What is no such number is refused below, when the action reads it.
        seconds = int(wait) if re.fullmatch("[0-9]{1,2}", wait) else 0
        until = time.monotonic() + min(seconds, LONGEST_WAIT)
        while True:
            following = self._commits.following()
            answer = await self._run(pull_feed, request, caller)
            told = msgspec.json.decode(answer, type=Told)
            left = until - time.monotonic()
            if told.Items or told.Full or left <= 0 or self._closing:
                return answer
            await asyncio.wait([following], timeout=left)

    async def _run(self, action: Action, request: Request, caller: Caller) -> bytes:
        def work() -> bytes:
            return run(
                action,
                request,
                caller,
                database=self._database,
                config=self._config,
                moment=datetime.now(UTC),
            )

        return await to_thread.run_sync(work, limiter=self._threads)

    def _identify(self, request: Request) -> Caller:
        """Who signed the request. Raises an ApiError if nobody whom we know did."""
        now = datetime.now(UTC)
        claim = claim_of(request)
        with self._database.read() as tx:
            key = accounts.access_key(tx, claim.access_key_id)
            if key is None:
                raise errors.InvalidAccessKeyIdNotFound(access_key_id=claim.access_key_id)
            account = accounts.get(tx, key.account_id) if key.account_id else None
        verify(request, claim, key, now)
        with self._database.write_carelessly() as tx:
            use_nonce(tx, claim, now)
        return Caller(key.id, account, key.node_id)

    async def _healthz(self, _http: HttpRequest) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _http: HttpRequest) -> Response:
        missing = await to_thread.run_sync(self._what_is_missing, limiter=self._threads)
        if missing:
            return PlainTextResponse("".join(f"{line}\n" for line in missing), status_code=503)
        return PlainTextResponse("ready\n")

    def _what_is_missing(self) -> list[str]:
        """Why the installation is not in step, in lines for a person; empty if it is."""
        with self._database.read() as tx:
            newest, life, present = changes.newest(tx), changes.life(tx), nodes.all_nodes(tx)
            missing = [f"{f.node_id} cannot do {f.key}: {f.message}" for f in nodes.faults(tx)]
        if not present:
            missing.append("no node is known")
        for node in present:
            silent = (datetime.now(UTC) - datetime.fromisoformat(node.seen_at)).total_seconds()
            if silent > _SEEN_WITHIN:
                missing.append(f"{node.id} has not reported for {silent:.0f} s")
            elif node.life != life:
                missing.append(f"{node.id} has not reported since the server started")
            elif node.revision < newest:
                missing.append(f"{node.id} is at revision {node.revision} of {newest}")
        return missing

    async def _show_metrics(self, _http: HttpRequest) -> Response:
        text = await to_thread.run_sync(self._metrics.text, limiter=self._threads)
        return Response(text, media_type=self._metrics.content_type)

    async def _refuse_path(self, http: HttpRequest, _error: Exception) -> Response:
        exchange = Exchange(str(uuid.uuid4()).upper(), http.headers.get("host", ""))
        refusal = errors.MethodNotAllowed(method=http.method, path=http.url.path)
        return exchange.refuse(refusal, 404 if http.url.path != "/" else 405)


# What every request passes on its way to an action, and what answers where there is no way.
GATE = (Server._answer, Server._api, Server._refuse_path, Catalogue.find)


class Told(msgspec.Struct):
    """What a pull says of itself, as far as waiting goes."""

    Full: bool
    Items: list[msgspec.Raw]


class Exchange:
    """One request and its answer, for the log and for the form answers have."""

    def __init__(self, request_id: str, host: str) -> None:
        self.request_id = request_id
        self.action_name = "?"
        self.caller_name = "?"
        self.kind = "OK"  # the code without the name of a parameter, which callers choose
        self._host = host

    def accept(self, answer: bytes) -> Response:
        """A good answer: the action's fields and RequestId."""
        opening = msgspec.json.encode({"RequestId": self.request_id})[:-1]
        rest = b"}" if answer == b"{}" else b"," + answer[1:]
        return Response(opening + rest, media_type=_JSON)

    def refuse(self, error: errors.ApiError, status: int | None = None) -> Response:
        """An answer that every official client turns into its proper exception."""
        self.kind = error.code
        body = {
            "RequestId": self.request_id,
            "HostId": self._host,
            "Code": error.answered_code,
            "Message": error.message,
            "Recommend": "",
        }
        return Response(msgspec.json.encode(body), status or error.status, media_type=_JSON)


class Arrived(msgspec.Struct, frozen=True):
    """A request as it arrived, not yet looked at."""

    method: str
    query: bytes
    headers: dict[str, str]  # names in lower case
    body: bytes


async def receive_all(http: HttpRequest) -> Arrived:
    """Everything that a request says. Raises RequestTooLarge."""
    body = bytearray()
    async for chunk in http.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise errors.RequestTooLarge(limit=_LARGEST_BODY)
    headers = {name.lower(): value for name, value in http.headers.items()}
    return Arrived(http.method, http.scope["query_string"], headers, bytes(body))


def decode(arrived: Arrived) -> Request:
    """A request decoded; parameters may be in the query and in a form body.

    Raises MalformedRequest.
    """
    kind = arrived.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_form = kind in ("application/x-www-form-urlencoded", "")
    if arrived.body and not is_form:
        raise errors.MalformedRequest(
            why=f"Content-Type {kind!r} is not understood; send parameters in the query or as "
            "application/x-www-form-urlencoded."
        )
    return Request(
        method=arrived.method,
        query=_parameters(arrived.query),
        form=_parameters(arrived.body),
        headers=arrived.headers,
        body_sha256=hashlib.sha256(arrived.body).hexdigest(),
    )


def _parameters(encoded: bytes) -> tuple[tuple[str, str], ...]:
    try:
        text = encoded.decode("ascii")
        pairs: list[Any] = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except UnicodeDecodeError:
        raise errors.MalformedRequest(why="Parameters must be percent-encoded UTF-8.") from None
    except ValueError:
        why = f"A request has at most {_MOST_PARAMETERS} parameters."
        raise errors.MalformedRequest(why=why) from None
    return tuple(pairs)
