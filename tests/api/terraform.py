"""How Terraform's provider for Alibaba Cloud talks: its bytes, its retries, its patience.

Source: aliyun/terraform-provider-alicloud and its transport, tea-rpc. A call is a POST signed by
RPC v1, system parameters and a few others in the query, the rest in a form body. What the provider
takes for an error, for "gone" and for "try again" is spelt out here as it is there.
"""

from __future__ import annotations

import http.client
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from privlink import signature
from privlink.client import flatten
from tests.api.account import Account
from tests.api.stage import REGION, Stage
from tests.api.stand_in import Node
from tests.api.wire import time_stamp

PRIVATELINK, VPC, ECS = "2020-04-15", "2016-04-28", "2014-05-26"
NLB, SLB, RESOURCEMANAGER = "2022-04-30", "2014-05-15", "2020-03-31"
RAM, STS = "2015-05-01", "2015-04-01"

_AGENT = "AlibabaCloud (linux; amd64) Golang/1.27.3 Core/0.01 TeaDSL/1 Terraform/1.5.0"
_MOST_POLLS = 20
_MOST_TRIES = 5

Answer = dict[str, Any]


class SdkError(Exception):
    """What tea-rpc makes of an answer that says no."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status

    def is_one_of(self, codes: Iterable[str]) -> bool:
        """IsExpectedErrors: the code is equal, or a wanted code begins with it."""
        return any(wanted == self.code or wanted.startswith(self.code) for wanted in codes)

    @property
    def not_found(self) -> bool:
        """NotFoundError: status 404, or the message says so."""
        return self.status == 404 or "NotFound" in self.message


class Provider:
    """The provider configured for one account."""

    def __init__(self, stage: Stage, account: Account, node: Node) -> None:
        self.account, self._node = account, node
        self._connection = http.client.HTTPConnection(stage.host, timeout=30)
        self.sent: list[tuple[str, str]] = []  # action and ClientToken of each request

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    def post(
        self,
        version: str,
        action: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """RpcPost: send a call, and read the answer as the provider does. Raises SdkError."""
        in_query = list(flatten(query or {}))
        in_form = sorted(flatten(body or {}))
        system = {
            "AccessKeyId": self.account.key_id,
            "Action": action,
            "Format": "json",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": secrets.token_hex(16),
            "SignatureVersion": "1.0",
            "Timestamp": time_stamp(),
            "Version": version,
        }
        both = [*system.items(), *in_query, *in_form]
        signed = signature.sign_rpc1("POST", both, self.account.secret)
        everything = sorted([*system.items(), *in_query, ("Signature", signed.signature)])
        form = urlencode(in_form).encode()
        headers = {
            "User-Agent": _AGENT,
            "Content-Length": str(len(form)),
            "content-type": "application/x-www-form-urlencoded",
            "x-acs-action": action,
            "x-acs-version": version,
            "Accept-Encoding": "gzip",
        }
        self._connection.request("POST", f"/?{urlencode(everything)}", form, headers)
        response = self._connection.getresponse()
        answer = msgspec.json.decode(response.read(), type=dict[str, Any])
        self.sent.append((action, str((body or {}).get("ClientToken", ""))))
        if response.status >= 400:
            raise SdkError(answer.get("Code", "<nil>"), answer["Message"], response.status)
        for word in ("Code", "code"):
            assert str(answer.get(word, "200")).lower() in ("success", "ok", "200", "0"), answer
        for word in ("Success", "success"):
            assert str(answer.get(word, "true")).lower() == "true", answer
        return answer

    def write(
        self,
        version: str,
        action: str,
        body: Mapping[str, Any],
        *,
        query: Mapping[str, Any] | None = None,
        retry: Iterable[str] = (),
        gone: Iterable[str] = (),
    ) -> Answer:
        """A call with one token for all its tries; between two tries, the node moves on.

        `retry`: codes after which it is tried again; `gone`: codes that mean it is done already.
        """
        token = f"TF-{action}-{int(time.time())}-{uuid.uuid4()}"[:64]
        for _ in range(_MOST_TRIES):
            try:
                return self.post(version, action, {**body, "ClientToken": token}, query)
            except SdkError as error:
                if error.is_one_of(gone) or (gone and error.not_found):
                    return {}
                if not error.is_one_of(retry):
                    raise
            self._node.catch_up()
        raise AssertionError(f"{action} is still refused")

    def wait(self, look: Callable[[], Any], *wanted: Any) -> Any:
        """BuildStateConf: look until it is as wanted. Any other state is tolerated meanwhile."""
        seen = []
        for _ in range(_MOST_POLLS):
            seen.append(look())
            if seen[-1] in wanted:
                return seen[-1]
            self._node.catch_up()
        raise AssertionError(f"{wanted} was never reached: {seen}")

    def region(self, **body: Any) -> dict[str, Any]:
        """A body with the provider's region; None is left out."""
        given = {"RegionId": REGION} | body
        return {name: value for name, value in given.items() if value is not None}
