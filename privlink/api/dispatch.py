"""From an authenticated request to an answer: find the action, check, run, remember.

An action runs in one transaction. An error of any kind undoes all of it, and so does DryRun. A
ClientToken that was used before brings the first answer again, unless that held a secret.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api.action import Action, Call, Caller
from privlink.api.authenticate import Request
from privlink.api.wire import nest
from privlink.config import Config
from privlink.store import accounts
from privlink.store.database import Database

# Known to the gateway rather than to an action.
_GATEWAY = frozenset(
    {
        "AccessKeyId",
        "Action",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "Timestamp",
        "Version",
    }
)
# For how long a ClientToken is remembered, in seconds: a day outlives any client's retries.
_TOKEN_LIFE = 24 * 3600

_DRY_RUN, _CLIENT_TOKEN = "it is true or false.", "it is up to 64 printable ASCII characters."


class Control(msgspec.Struct, frozen=True):
    """The two parameters that every action takes."""

    DryRun: Annotated[bool, msgspec.Meta(description=_DRY_RUN)] = False
    ClientToken: Annotated[
        str, msgspec.Meta(max_length=64, pattern="^[ -~]*\\Z", description=_CLIENT_TOKEN)
    ] = ""


class Catalogue:
    """Every action there is, by version and name."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._actions: dict[str, dict[str, Action]] = {}
        for action in actions:
            self._actions.setdefault(action.product.version, {})[action.name] = action

    def find(self, request: Request) -> Action:
        """The action a request names: in its headers if its signature covers them, or else in its
        parameters.
        """
        signed = request.headers if "authorization" in request.headers else {}
        version = signed.get("x-acs-version") or request.parameter("Version")
        name = signed.get("x-acs-action") or request.parameter("Action")
        if not version:
            raise errors.MissingParameter(parameter="Version")
        if not name:
            raise errors.MissingParameter(parameter="Action")
        of_version = self._actions.get(version)
        if of_version is None:
            raise errors.InvalidVersion(version=version, known=", ".join(sorted(self._actions)))
        if name not in of_version:
            close = difflib.get_close_matches(name, of_version, n=1)
            hint = f"Did you mean {close[0]}?" if close else "privlink does not serve it."
            raise errors.InvalidActionNotFound(action=name, version=version, hint=hint)
        return of_version[name]

    def __iter__(self) -> Any:
        return (action for of_version in self._actions.values() for action in of_version.values())


def permit(action: Action, caller: Caller) -> None:
    """Refuse a caller that an action is not for."""
    if not caller.is_one(action.who):
        why = f"it is for the {action.who.value} only."
        raise errors.NoPermission(caller=caller.name, action=action.name, why=why)


def run(
    action: Action,
    request: Request,
    caller: Caller,
    *,
    database: Database,
    config: Config,
    moment: datetime,
) -> bytes:
    """Carry a request out and return the answer as JSON, without its RequestId."""
    both = (*request.query, *request.form)
    nested = nest((name, value) for name, value in both if name not in _GATEWAY)
    control = _control(action, nested)
    arguments = action.parse(nested)
    _check_region(config, arguments)
    if not action.writes:
        with database.read() as tx:
            answer = action.run(Call(tx, caller, config, moment), arguments)
            return msgspec.json.encode(answer)
    with database.write() as tx:
        call = Call(tx, caller, config, moment)
        if not control.ClientToken or control.DryRun or caller.account is None or action.secret:
            return _carry_out(action, call, arguments, control)
        digest = _digest(nested)
        account_id, token = caller.account.id, control.ClientToken
        before = accounts.client_token(tx, account_id, action.name, token)
        if before is not None:
            if before.parameters != digest:
                raise errors.IdempotenceSignatureMismatch(token=token, action=action.name)
            return before.answer.encode()
        answer_text = _carry_out(action, call, arguments, control)
        created = int(moment.timestamp())
        remembered = accounts.ClientToken(
            account_id, action.name, token, digest, answer_text.decode(), created
        )
        accounts.remember_client_token(tx, remembered, forget_before=created - _TOKEN_LIFE)
        return answer_text


def _carry_out(action: Action, call: Call, arguments: dict[str, Any], control: Control) -> bytes:
    answer = action.run(call, arguments)
    if control.DryRun:
        raise errors.DryRunOperation  # leaving the transaction by an error undoes it
    return msgspec.json.encode(answer)


def _control(action: Action, nested: dict[str, Any]) -> Control:
    given = {name: nested.pop(name) for name in ("DryRun", "ClientToken") if name in nested}
    try:
        return msgspec.convert(given, Control, strict=False)
    except msgspec.ValidationError as error:
        if "$.DryRun" in str(error):
            refusal = action.product.invalid(parameter="DryRun", why=_DRY_RUN)
        else:
            refusal = action.product.invalid(parameter="ClientToken", why=_CLIENT_TOKEN)
        raise refusal from None


def _check_region(config: Config, arguments: dict[str, Any]) -> None:
    region_id = arguments.get("region_id")
    if region_id is not None and region_id != config.region:
        raise errors.RegionNotFound(region_id=region_id, known=config.region)


def _digest(nested: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(nested, order="deterministic")).hexdigest()
