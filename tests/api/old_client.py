"""The first generation of Alibaba Cloud's SDK for PrivateLink, which signs with RPC v1."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkprivatelink.request import v20200415 as requests

from privlink.client import flatten
from tests.api.account import Account
from tests.api.stage import REGION

ACTIONS = {
    each.name.removesuffix("Request")
    for each in pkgutil.iter_modules(requests.__path__)
    if each.name.endswith("Request")
}


def knows(action: str, parameters: dict[str, Any]) -> bool:
    """Whether this client can make such a request; it is older than some parameters."""
    if action not in ACTIONS:
        return False
    if not all(_setter(_request(action), name) for name in parameters if name != "RegionId"):
        return False
    sent = {**(made := _made(action, parameters)).get_query_params(), **made.get_body_params()}
    return {name for name, _ in flatten(parameters)} - {"RegionId"} <= sent.keys()


def ask(account: Account, action: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Call an action; its status and its answer."""
    request = _made(action, parameters)
    request.set_endpoint(account.host)
    request.set_protocol_type("http")
    client = AcsClient(account.key_id, account.secret, REGION)
    try:
        return 200, json.loads(client.do_action_with_exception(request))
    except ServerException as error:
        refusal = {"Code": error.get_error_code(), "Message": error.get_error_msg()}
        return error.get_http_status(), refusal


def _made(action: str, parameters: dict[str, Any]) -> Any:
    request = _request(action)()
    for name, value in parameters.items():
        if name != "RegionId":  # it comes from the client
            getattr(request, _setter(type(request), name))(value)
    return request


def _request(action: str) -> Any:
    return getattr(
        importlib.import_module(f"{requests.__name__}.{action}Request"), f"{action}Request"
    )


def _setter(kind: Any, parameter: str) -> str:
    """The method that sets a parameter, or ""; those of lists are in the plural."""
    for name in (f"set_{parameter}", f"set_{parameter}s"):
        if hasattr(kind, name):
            return name
    return ""
