"""From an authenticated request to an answer: find the action, check, run, remember.

Reading a request takes no transaction; an action runs in one, and whether its caller may is decided
in that same one, before anything is looked at. An error of any kind undoes all of it, and so does
DryRun. A ClientToken that was used before brings the first answer again, unless that held a secret;
beside its like, a request is told to ask again.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api import authorize
from privlink.api.action import PRIVATELINK, Action, Call
from privlink.api.authenticate import Request
from privlink.api.caller import Caller
from privlink.api.outside import Found, Question
from privlink.api.wire import nest
from privlink.config import Config
from privlink.model.ids import AccountId
from privlink.store import accounts
from privlink.store.database import Transaction
from privlink.store.flow_log import FlowLog

# Known to the gateway rather than to an action.
_GATEWAY = frozenset(
    {
        "AccessKeyId",
        "Action",
        "SecurityToken",
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

# Characters of an unknown action's name that are compared with those of the known ones.
_LONGEST_NAME = 64

_DRY_RUN, _CLIENT_TOKEN = "it is true or false.", "it is up to 64 printable ASCII characters."

Token = tuple[AccountId, str, str]  # whose, of which action, and the ClientToken


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
            close = difflib.get_close_matches(name[:_LONGEST_NAME], of_version, n=1)
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


class Work(msgspec.Struct, frozen=True):
    """A request that was found in order: what is left is to carry it out, in a transaction."""

    action: Action
    caller: Caller
    config: Config
    flow_log: FlowLog
    moment: datetime
    arguments: dict[str, Any]
    control: Control
    digest: str  # of what came with a ClientToken
    found: Found | None = None  # outside

    @property
    def token(self) -> Token | None:
        """What makes it the same as another request, if it is to count once."""
        if not self.control.ClientToken or self.control.DryRun or self.action.secret:
            return None
        if not self.action.writes or self.caller.account is None:
            return None
        action = f"{self.action.product.name}:{self.action.name}"
        return self.caller.account.id, action, self.control.ClientToken

    def question(self, tx: Transaction) -> Question | None:
        """What is to be asked outside before it is carried out, if its caller may have that done.

        Raises what carrying it out would.
        """
        if self.action.asks is None:
            return None
        call = Call(tx, self.caller, self.config, self.moment, self.flow_log)
        _allow(self.action, call, self.arguments)
        return self.action.asks(call, **self.arguments)

    def answer(self, tx: Transaction) -> bytes:
        """Carry it out and return the answer as JSON, without its RequestId."""
        call = Call(tx, self.caller, self.config, self.moment, self.flow_log, self.found)
        _allow(self.action, call, self.arguments)
        token = self.token
        if token is None:
            return self._carry_out(call)
        before = accounts.client_token(tx, *token)
        if before is not None:
            if before.parameters != self.digest:
                refusal = self.action.product.token_reused
                raise refusal(token=before.token, action=self.action.name)
            return before.answer.encode()
        answer = self._carry_out(call)
        created = int(self.moment.timestamp())
        remembered = accounts.ClientToken(*token, self.digest, answer.decode(), created)
        accounts.remember_client_token(tx, remembered, forget_before=created - _TOKEN_LIFE)
        return answer

    def _carry_out(self, call: Call) -> bytes:
        if self.control.DryRun and self.action.appends:
            raise errors.DryRunOperation  # before anything is there to stay
        answer = self.action.run(call, self.arguments)
        if self.control.DryRun:
            raise errors.DryRunOperation  # an error undoes what was done
        return msgspec.json.encode(answer)


def prepare(
    action: Action,
    request: Request,
    caller: Caller,
    *,
    config: Config,
    flow_log: FlowLog,
    moment: datetime,
) -> Work:
    """Read a request's parameters. Raises the ApiError that says what is wrong with them."""
    both = (*request.query, *request.form)
    nested = nest((name, value) for name, value in both if name not in _GATEWAY)
    control = _control(action, nested)
    arguments = action.parse(nested)
    check_region(config, arguments)
    digest = _digest(nested) if control.ClientToken else ""
    return Work(action, caller, config, flow_log, moment, arguments, control, digest)


def _allow(action: Action, call: Call, arguments: dict[str, Any]) -> None:
    """Refuse what the caller's policies do not allow, and PrivateLink where it is not open."""
    authorize.check(action, call, arguments)
    account = call.caller.account
    needs_opening = action.product is PRIVATELINK and not action.before_opening
    if needs_opening and account is not None and not account.opened:
        raise errors.NeedOpenProduct(account_id=account.id)


class Processing:
    """The ClientTokens of the requests that are being carried out."""

    def __init__(self) -> None:
        self._tokens: set[Token] = set()

    @contextmanager
    def of(self, work: Work) -> Iterator[None]:
        """While one request is carried out. Raises the product's refusal beside its like."""
        token = work.token
        if token in self._tokens:
            raise work.action.product.token_in_use(token=token[2], action=work.action.name)
        if token is None:
            yield
            return
        self._tokens.add(token)
        try:
            yield
        finally:
            self._tokens.discard(token)


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


def check_region(config: Config, arguments: dict[str, Any]) -> None:
    """Refuse what is meant for another region than this one."""
    region_id = arguments.get("region_id")
    if region_id is not None and region_id != config.region:
        raise errors.RegionNotFound(region_id=region_id, known=config.region)


def _digest(nested: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(nested, order="deterministic")).hexdigest()
