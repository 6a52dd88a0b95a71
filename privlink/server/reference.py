"""The reference as the server shows it: `/openapi.json` and pages below `/reference/`.

It says what every copy of privlink says, so it needs no signature. Made when it is first asked for,
once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

import privlink
from privlink.api.action import Action
from privlink.api.reference import html, openapi, page, refusals

_HEADERS = {
    "content-security-policy": html.POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Reference:
    """Everything there is to read, by path."""

    def __init__(self, actions: Iterable[Action], gate: Iterable[Callable[..., Any]]) -> None:
        """`gate`: the functions that every request passes before it gets to its action."""
        self._actions, self._gate = actions, gate
        self._made: dict[str, Response] | None = None
        self._once = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Where it is shown."""
        return [
            Route("/openapi.json", self._show),
            Route("/openapi/{product}.json", self._show),
            Route("/reference/", self._show),
            Route("/reference/{product}/{action}", self._show),
        ]

    async def _show(self, http: HttpRequest) -> Response:
        async with self._once:
            if self._made is None:
                self._made = await to_thread.run_sync(self._make)
        if http.url.path not in self._made:
            raise HTTPException(404)
        return self._made[http.url.path]

    def _make(self) -> dict[str, Response]:
        pages = page.pages_of(self._actions)
        common = refusals.Reader().of_functions(self._gate)
        made = {
            "/openapi.json": _json(openapi.document(pages, common, version=privlink.__version__))
        }
        for product in {each.product for each in pages}:
            its = [each for each in pages if each.product == product]
            document = openapi.document(its, common, version=privlink.__version__)
            made[f"/openapi/{product.name}.json"] = _json(document)
        made["/reference/"] = _page("Reference", page.index(pages, common))
        for each in pages:
            made[f"/reference/{each.product.name}/{each.name}"] = _page(
                each.name, page.blocks(each)
            )
        return made


def _json(document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")


def _page(title: str, blocks: Iterable[page.Block]) -> Response:
    return Response(html.written(title, blocks), media_type="text/html", headers=_HEADERS)
