"""Our own small client of the API: signs, sends, and raises what the server says.

For the node and the command line; programs use Alibaba Cloud's SDKs.
"""

from __future__ import annotations

import http.client
import secrets
import select
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from privlink import signature

OWN_VERSION = "2026-12-01"
_WAS_HEARD = b'"SignatureNonceUsed"'  # in a refusal: the same request came before


class RemoteError(Exception):
    """What a server answered instead of a result."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id


class Client:
    """Signed calls over one kept connection. Not for use by two threads at once."""

    def __init__(
        self,
        server_url: str,
        access_key_id: str,
        access_key_secret: str,
        security_token: str = "",
    ) -> None:
        parts = urlsplit(server_url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"server URL {server_url!r} must look like http://127.0.0.1:8680")
        self._host = parts.netloc
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=30)
        self._key_id = access_key_id
        self._secret = access_key_secret
        self._token = security_token

    def call(
        self,
        action: str,
        *,
        version: str = OWN_VERSION,
        timeout: float | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        """Call an action and return its answer.

        Parameters go in the form body, lists and objects flattened to `Name.1.Sub`; None is left
        out. `timeout` is in seconds (30 by default). Raises RemoteError for an answer that says
        no, OSError where there is none.
        """
        body = urlencode(list(flatten(parameters))).encode()
        headers = self._signed(action, version, body)
        self._connection.timeout = timeout or 30
        if self._connection.sock is not None:
            if _is_over(self._connection.sock):
                self._connection.close()  # the next request opens another
            else:
                self._connection.sock.settimeout(timeout or 30)
        try:
            status, payload = self._send(body, headers)
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            why = f"no answer from http://{self._host}: {error}"
            raise OSError(f"{why}. Is `privlink up` running?") from error
        return _answer(status, payload)

    def close(self) -> None:
        """Drop the connection; the next call opens a new one."""
        self._connection.close()

    def _send(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Send a request; returns the status and body of its answer.

        What meets the end of a kept connection goes out once more, unchanged, on another. Should
        the first have been heard after all, its nonce keeps it from counting twice, and there is no
        answer to it any more.
        """
        kept = self._connection.sock is not None
        try:
            return self._exchange(body, headers)
        except ConnectionError as error:
            self._connection.close()
            if not kept:
                raise
            status, payload = self._exchange(body, headers)
            if status >= 400 and _WAS_HEARD in payload:
                raise error from None
            return status, payload

    def _exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def _signed(self, action: str, version: str, body: bytes) -> dict[str, str]:
        headers = {
            "host": self._host,
            "content-type": "application/x-www-form-urlencoded",
            "x-acs-action": action,
            "x-acs-content-sha256": signature.hash_body(body),
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-version": version,
        }
        if self._token:
            headers["x-acs-security-token"] = self._token
        names = sorted(headers)
        digest = headers["x-acs-content-sha256"]
        signed = signature.sign_acs3("POST", [], headers, names, digest, self._secret)
        credential = signature.Credential(self._key_id, tuple(names), signed.signature)
        headers["authorization"] = signature.format_authorization(credential)
        return headers


def flatten(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Parameters in wire form: `Zone.1.ZoneId`, lists counted from 1, booleans in lower case."""
    for name, value in parameters.items():
        yield from _flatten(f"{prefix}{name}", value)


def _flatten(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, Mapping):
        yield from flatten(value, f"{name}.")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value, start=1):
            yield from _flatten(f"{name}.{number}", item)
    elif isinstance(value, bool):
        yield name, str(value).lower()
    else:
        yield name, str(value)


def _is_over(connection: socket.socket) -> bool:
    """Whether the server has closed a connection: it keeps an idle one for a minute or so."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _answer(status: int, payload: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        raise OSError(f"the answer (HTTP {status}) is not privlink's: {payload[:80]!r}") from None
    if status >= 400:
        raise RemoteError(
            status,
            str(answer.get("Code", "")),
            str(answer.get("Message", "")),
            str(answer.get("RequestId", "")),
        )
    return answer
