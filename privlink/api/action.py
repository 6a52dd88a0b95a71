"""An action is one Python function: its signature is the wire schema and the validation.

    @action(PRIVATELINK, writes=True, resource="vpcendpoint/{endpoint_id}")
    def delete_vpc_endpoint(call: Call, *, region_id: RegionId, endpoint_id: str) -> Answer: ...

declares `DeleteVpcEndpoint` with the mandatory parameters `RegionId` and `EndpointId`. Parameters
with a default are optional. `Annotated` carries rules (`msgspec.Meta`, whose `description` is the
sentence a refused caller reads) and odd names (`Wire`). What a function returns is the answer.
"""

from __future__ import annotations

import enum
import functools
import inspect
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from privlink import errors
from privlink.api.caller import Caller, Who
from privlink.api.outside import Found, Question
from privlink.api.paging import UnknownToken
from privlink.api.wire import IGNORED, SECRET, Answer, Wire, pascal
from privlink.config import Config
from privlink.model.ids import AccountId
from privlink.store.database import Transaction
from privlink.store.flow_log import FlowLog

RegionId = Annotated[str, msgspec.Meta(description="the id of the region, such as local.")]


@functools.lru_cache(maxsize=64)
def _spelt(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Call(msgspec.Struct, frozen=True):
    """What an action works with besides its parameters."""

    tx: Transaction
    caller: Caller
    config: Config
    moment: datetime
    flow_log: FlowLog
    found: Found | None = None  # outside, by an action that asks there

    @property
    def account_id(self) -> AccountId:
        """The calling account. Actions of the cloud's products are for accounts only."""
        assert self.caller.account is not None
        return self.caller.account.id

    @property
    def now(self) -> str:
        """The time of the call as answers spell it: ISO 8601, UTC, seconds."""
        return _spelt(self.moment)


class Product(msgspec.Struct, frozen=True):
    """One of the cloud's APIs, told apart by its version."""

    name: str
    version: str
    # How this product says that a parameter is missing or breaks a rule.
    missing: type[errors.ParameterError] = errors.MissingParameter
    invalid: type[errors.ParameterError] = errors.InvalidParameter
    # How it says that no policy allows a call.
    denied: type[errors.AccessDenied] = errors.ForbiddenRam
    # How it says that a ClientToken came with other parameters before, or is being worked on.
    token_reused: type[errors.IdempotenceSignatureMismatch] = errors.IdempotenceSignatureMismatch
    token_in_use: type[errors.IdempotenceProcessing] = errors.IdempotenceProcessing
    # It is the same in every region: its resources have none.
    everywhere: bool = False


PRIVATELINK = Product(
    "privatelink",
    "2020-04-15",
    invalid=errors.IllegalParamFormat,
    denied=errors.PrivateLinkNoPermission,
)
VPC = Product(
    "vpc",
    "2016-04-28",
    token_reused=errors.IdempotentParameterMismatch,
    token_in_use=errors.LastTokenProcessing,
)
ECS = Product(
    "ecs",
    "2014-05-26",
    token_reused=errors.IdempotentParameterMismatch,
    token_in_use=errors.LastTokenProcessing,
)
NLB = Product("nlb", "2022-04-30")
SLB = Product("slb", "2014-05-15")
RAM = Product(
    "ram",
    "2015-05-01",
    invalid=errors.InvalidRamParameter,
    denied=errors.AccessDenied,
    everywhere=True,
)
STS = Product(
    "sts",
    "2015-04-01",
    invalid=errors.InvalidRamParameter,
    denied=errors.AccessDenied,
    everywhere=True,
)
LOCATION = Product("location", "2015-06-12")
BSSOPENAPI = Product("bssopenapi", "2017-12-14")
CMS = Product("cms", "2019-01-01")
RESOURCEMANAGER = Product(
    "resourcemanager", "2020-03-31", denied=errors.AccessDenied, everywhere=True
)
PRIVLINK = Product("privlink", "2026-12-01", denied=errors.AccessDenied)

Function = Callable[..., Answer]
# Further condition keys of policies, from an action's arguments.
Conditions = Callable[[dict[str, Any]], dict[str, str]]
# What is to be asked outside, with the action's arguments; None: nothing this time.
Asks = Callable[..., Question | None]


class Action:
    """A declared action: its name, what it takes, who may call it, and the function itself."""

    def __init__(
        self,
        product: Product,
        function: Function,
        *,
        resource: str | tuple[str, ...] | None,
        writes: bool,
        name: str | None,
        who: Who,
        secret: bool,
        conditions: Conditions | None,
        before_opening: bool,
        ignores: tuple[str, ...],
        appends: bool,
        asks: Asks | None,
    ) -> None:
        self.product = product
        self.conditions = conditions
        self.before_opening = before_opening
        self._ignored = IGNORED | frozenset(ignores)
        self.resource = resource
        self.name = name or pascal(function.__name__)
        self.writes = writes
        self.appends = appends
        self.asks = asks
        self.who = who
        self.secret = secret
        self.summary = (inspect.getdoc(function) or "").partition("\n")[0]
        self._function = function
        self._parameters = _parameters(function)
        self._schema = _schema(self.name, self._parameters)
        self.names = frozenset(wire for wire, _, _ in self._parameters.values())

    @property
    def function(self) -> Function:
        """The function that carries it out."""
        return self._function

    @property
    def schema(self) -> type[msgspec.Struct]:
        """What it takes, as one structure: a field for each parameter, in the order declared."""
        return self._schema

    def parse(self, nested: dict[str, Any]) -> dict[str, Any]:
        """The function's arguments from nested parameters, checked.

        Raises the product's error for the first parameter that is missing, unknown or breaks its
        rule.
        """
        for name in nested:
            if name not in self.names and name not in self._ignored:
                raise errors.UnsupportedParameter(parameter=name, action=self.name)
        given = {name: value for name, value in nested.items() if name in self.names}
        try:
            parsed = msgspec.convert(given, self._schema, strict=False)
        except msgspec.ValidationError as error:
            raise self._refusal(str(error), given) from None
        return {name: getattr(parsed, name) for name in self._parameters}

    def run(self, call: Call, arguments: dict[str, Any]) -> Answer:
        """Carry the action out. Raises the product's error for a token of a page that is none."""
        try:
            return self._function(call, **arguments)
        except UnknownToken as unknown:
            raise self.product.invalid(parameter="NextToken", why=str(unknown)) from None

    def _is_secret(self, parameter: str) -> bool:
        name = parameter.partition(".")[0]
        kinds = (kind for wire, kind, _ in self._parameters.values() if wire == name)
        return any(SECRET in get_args(kind) for kind in kinds)

    def _refusal(self, problem: str, given: dict[str, Any]) -> errors.ApiError:
        """The product's error for what msgspec found first: "Expected `int` - at `$.Max`"."""
        text, _, path = problem.partition(" - at `$")
        parameter = re.sub(
            r"\[(\d+)\]", lambda found: f".{int(found[1]) + 1}", path.rstrip("`").lstrip(".")
        )
        if missing := re.search(r"missing required field `(.+)`", text):
            name = f"{parameter}.{missing[1]}" if parameter else missing[1]
            return self.product.missing(parameter=name, why="this action needs it.")
        if unknown := re.search(r"contains unknown field `(.+)`", text):
            name = f"{parameter}.{unknown[1]}"
            return errors.UnsupportedParameter(parameter=name, action=self.name)
        value = "***" if self._is_secret(parameter) else _value_at(given, parameter)
        rule = _description(self._schema, parameter) or text.replace("`", "") + "."
        return self.product.invalid(parameter=parameter, why=f"{value!r} was given; {rule}")


def action(
    product: Product,
    *,
    resource: str | tuple[str, ...] | None,
    writes: bool = False,
    name: str | None = None,
    who: Who = Who.ACCOUNT,
    secret: bool = False,
    conditions: Conditions | None = None,
    before_opening: bool = False,
    ignores: tuple[str, ...] = (),
    appends: bool = False,
    asks: Asks | None = None,
) -> Callable[[Function], Action]:
    """Declare an action of a product.

    `resource`: what it acts on, as policies name it: "vpcendpoint/{endpoint_id}", with the
    function's parameters in braces, or "vpcendpoint/*"; None where there is nothing to protect.
    Several are all needed; "vpc:vswitch/{zone.vswitch_id}" is another product's, one for each zone,
    and "*:loadbalancer/{resource_id}" that one's of whose kind it is.
    `conditions`: what policies may ask besides, of this action alone. `before_opening`: it is
    answered although the account has not switched PrivateLink on.
    `writes`: it changes things, takes ClientToken and DryRun. `who` may call it. `secret`: its
    answer holds one, so it is given once and not remembered for its ClientToken. `ignores`: what
    clients send with it that says nothing of it, by its name on the wire. `appends`: it adds to a
    log, which no transaction takes back. `asks`: what it has to ask outside first; whatever that
    refuses, the action itself does as well.
    """
    return lambda function: Action(
        product,
        function,
        resource=resource,
        writes=writes,
        name=name,
        who=who,
        secret=secret,
        conditions=conditions,
        before_opening=before_opening,
        ignores=ignores,
        appends=appends,
        asks=asks,
    )


def _parameters(function: Function) -> dict[str, tuple[str, Any, Any]]:
    """Python name -> (wire name, type, default or NODEFAULT) of every keyword parameter."""
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        default = msgspec.NODEFAULT if parameter.default is parameter.empty else parameter.default
        kind = hints[parameter.name]
        found[parameter.name] = (_wire_name(parameter.name, kind), kind, default)
    return found


def _schema(name: str, parameters: dict[str, tuple[str, Any, Any]]) -> type[msgspec.Struct]:
    fields: list[Any] = [
        (python, kind, msgspec.field(name=wire) if default is msgspec.NODEFAULT else default)
        for python, (wire, kind, default) in parameters.items()
    ]
    rename = {python: wire for python, (wire, _, _) in parameters.items()}
    return msgspec.defstruct(name, fields, rename=rename, kw_only=True, frozen=True)


def _wire_name(name: str, kind: Any) -> str:
    odd = (extra.name for extra in get_args(kind)[1:] if isinstance(extra, Wire))
    return next(odd, pascal(name)) if get_origin(kind) is Annotated else pascal(name)


def _value_at(given: Any, parameter: str) -> Any:
    for part in parameter.split("."):
        try:
            given = given[int(part) - 1] if isinstance(given, list) else given[part]
        except (LookupError, TypeError, ValueError):
            return None
    return given


def _description(schema: Any, parameter: str) -> str | None:
    """The rule's own sentence for a parameter, or what there is to choose from."""
    kind: Any = schema
    for part in parameter.split("."):
        kind = _inner(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
            kind = fields.get(part)
        elif get_origin(kind) in (list, tuple):
            kind = get_args(kind)[0]
    return _meta_description(kind) or _choices(_inner(kind))


def _choices(kind: Any) -> str | None:
    """The sentence that lists the values of a type that has a few."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        values = [str(each.value) for each in kind]
    elif get_origin(kind) is Literal:
        values = [str(each) for each in get_args(kind)]
    else:
        return None
    *others, last = values
    return f"it is {', '.join(others)} or {last}." if others else f"it is {last}."


def _inner(kind: Any) -> Any:
    """A type without its annotations and without `| None`."""
    if get_origin(kind) is Annotated:
        return _inner(get_args(kind)[0])
    options = [option for option in get_args(kind) if option is not type(None)]
    if options and type(None) in get_args(kind):
        return _inner(options[0])
    return kind


def _meta_description(kind: Any) -> str | None:
    if get_origin(kind) is Annotated:
        notes = (note for note in get_args(kind)[1:] if isinstance(note, msgspec.Meta))
        texts = (note.description for note in notes if note.description)
        return next(texts, None) or _meta_description(get_args(kind)[0])
    options = [option for option in get_args(kind) if option is not type(None)]
    return _meta_description(options[0]) if type(None) in get_args(kind) and options else None
