"""The HTTP protocol: uvicorn's, in C, with an end to what a stranger may send before a body."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024  # bytes; the parser itself keeps whatever comes


class Protocol(HttpToolsProtocol):
    """One connection. What comes must become a whole head, or a part of a body, before long."""

    _unread = 0  # bytes that have come to nothing yet

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"A request's head has at most {LONGEST_HEAD} bytes.")

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> Any:
        self._unread = 0
        return super().on_message_complete()
