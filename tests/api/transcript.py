"""What goes over the wire, action by action, kept as files and held against every run.

`steps/` has one table of calls for each product, played from top to bottom on an installation that
nobody has used yet. Each call of the product goes into `transcripts/PRODUCT/ACTION.json`, calls of
other products only set the stage. A step says ids as the transcripts do: the first VPC is `vpc-1`.

A new action needs a line in its product's table, and then

    scripts/docs

plays everything, writes the transcripts anew, and the reference with them. Read what changed
before it is committed: it is what every client will see.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from privlink.api.action import Action
from privlink.api.caller import Who
from privlink.client import flatten
from privlink.server.wiring import ACTIONS
from tests.api.account import Account
from tests.api.stage import DNS, NODE, OPERATOR, REGION, Stage
from tests.api.stand_in import Node
from tests.api.wire import acs3, send

FOLDER = Path(__file__).parent / "transcripts"
HOST = "127.0.0.1:8680"

Parameters = dict[str, Any]
Said = tuple[int, dict[str, Any]]  # status and answer
Ask = Callable[[Account, Action, Parameters], Said]

BY_NAME = {(each.product.name, each.name): each for each in ACTIONS}


class Step(msgspec.Struct, frozen=True):
    """A call, the node catching up, or a record in the DNS."""

    action: str  # of the table's product, or "vpc.CreateVpc" for another's; "" for the others
    parameters: Parameters = {}
    code: str = ""  # of the refusal that is expected
    key: str = ""  # the access key that signs; the operator's, or the node's, without one


def call(action: str, **parameters: Any) -> Step:
    """A call that is answered."""
    return Step(action, parameters)


def refused(code: str, action: str, **parameters: Any) -> Step:
    """A call that is refused."""
    return Step(action, parameters, code)


def signed_by(key: str, step: Step) -> Step:
    """A call signed with a key from an earlier answer: the first there was is LTAI5tExample1, the
    first of a role's session STS.Example1.
    """
    return msgspec.structs.replace(step, key=key)


NODE_CATCHES_UP = Step("")


def published(record: str, text: str) -> Step:
    """A TXT record is there from now on, for whoever asks the DNS."""
    return Step("", {"record": record, "text": text})


class Exchange(msgspec.Struct, frozen=True):
    """A request and what came of it."""

    request: Parameters
    status: int
    answer: dict[str, Any]


class Names:
    """What chance decides, under names that every run gives alike: `vpc-1` for the first VPC."""

    _SECRET = re.compile(r'("(?:AccessKeySecret|SecurityToken)": ?)"[^"]*"')
    _TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z")
    _REQUEST = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
    _CHANCE = re.compile(
        r"\b(?P<prefix>[a-z]+)-[0-9a-z]{20}\b"
        r"|\b(?P<mac>02(?::[0-9a-f]{2}){5})\b"
        r"|(?P<ipv6>fd00::[12][0-9a-f]{2}(?!:ffff:ffff:ffff:fffd)(?::[0-9a-f]{1,4}){4})"
        r"|\b(?P<block>(?!fd00:0:0:)fd[0-9a-f]{2}(?::[0-9a-f]{1,4}){1,3}::/56)"
        r"|\b(?P<account>[0-9]{16})\b"
        r"|\b(?P<user>2[0-9]{17})\b"
        r"|\b(?P<role>3[0-9]{17})\b"
        r"|\b(?P<key>LTAI5t[A-Za-z0-9]+)\b"
        r"|\b(?P<session>STS\.[A-Za-z0-9]+)\b"
        r"|\b(?P<job>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
        r'|(?<="NextToken": ")(?P<token>[^"]+)'
        r'|(?<="Marker": ")(?P<marker>[^"]+)'
        r'|(?<="OrderId": ")(?P<order>[0-9]+)'
        r'|(?<="Life": )(?P<life>[1-9][0-9]*)'
        r"|(?<=privlink-verify=)(?P<challenge>[0-9a-z]{32})"
    )
    _KNOWN = re.compile(
        r"[a-z]+-[0-9]+|[0-9]{16,18}|(?:LTAI5t|STS\.)Example[0-9]+|(?<=\"Life\": )[0-9]+"
        r"|00000000-0000-0000-0000-[0-9]{12}"
    )

    def __init__(self, host: str) -> None:
        self._host = host
        self._counts: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self.known(OPERATOR.account_id)

    def known(self, value: Any) -> Any:
        """A value with names for what is by chance; lists of such in the order of the names."""
        text = json.dumps(value, ensure_ascii=False).replace(self._host, HOST)
        text = self._SECRET.sub(r'\1"..."', text)
        text = self._TIME.sub("2026-12-01T12:00:00Z", text)
        text = self._REQUEST.sub("5A1E0F3C-7D42-4B60-9C1B-2E8F6A0D9B17", text)
        return in_order(json.loads(self._CHANCE.sub(self._name, text)))

    def real(self, value: Any) -> Any:
        """A value with the ids that the names stand for; what stands for nothing stays."""
        text = json.dumps(value, ensure_ascii=False)
        return json.loads(
            self._KNOWN.sub(lambda found: self._real.get(found.group(), found.group()), text)
        )

    def _name(self, found: re.Match[str]) -> str:
        real = found.group()
        if real not in self._known:
            kind = found["prefix"] or str(found.lastgroup)
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            name = {
                # In the vSwitch's block, fd00:0:0:NNN::/64.
                "ipv6": f"fd00:0:0:{real[6:9]}::{number:x}",
                "block": f"fd12:3456:789a:{number:x}00::/56",
                "mac": f"02:00:00:00:00:{number:02x}",
                "account": f"{10**15 + number}",
                "user": f"{2 * 10**17 + number}",
                "role": f"{3 * 10**17 + number}",
                "key": f"LTAI5tExample{number}",
                "session": f"STS.Example{number}",
                "order": f"{10**14 + number}",
                "life": str(number),
                "job": f"00000000-0000-0000-0000-{number:012}",
            }.get(kind, f"{kind}-{number}")
            self._known[real], self._real[name] = name, real
        return self._known[real]


def in_order(value: Any) -> Any:
    """A value whose lists of things with ids are sorted: what is made within a second comes in the
    order of its id.
    """
    if isinstance(value, dict):
        return {name: in_order(inner) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    items = [in_order(inner) for inner in value]
    has_ids = re.search(r"\b[a-z]+-[0-9]+\b|Example[0-9]", json.dumps(items))
    return sorted(items, key=json.dumps) if has_ids else items


def play(
    stage: Stage, node: Node, product: str, steps: Iterable[Step], ask: Ask
) -> dict[str, list[Exchange]]:
    """Play the steps of a product and return what was said, by action. `ask` is how it is called;
    what only sets the stage is called byte by byte.
    """
    names = Names(stage.host)
    key, own = OPERATOR.access_key_id, OPERATOR.access_key_secret
    operator = Account(stage.host, OPERATOR.account_id, key, own)
    itself = {
        who: Account(stage.host, "", own.access_key_id, own.access_key_secret)
        for who, own in ((Who.NODE, NODE), (Who.RESOLVER, DNS))
    }
    told: dict[str, list[Exchange]] = {}
    others: dict[str, Account] = {}
    for step in steps:
        if not step.action and step.parameters:
            record = names.real(step.parameters)
            stage.texts[record["record"]] = [record["text"]]
            continue
        if not step.action:
            node.catch_up()
            continue
        whose, _, name = step.action.rpartition(".")
        action = BY_NAME[whose or product, name]
        region = {"RegionId": REGION} if needs_region(action) else {}
        request = region | step.parameters
        is_shown = action.product.name == product and not whose
        how, caller = ask if is_shown else by_hand, itself.get(action.who, operator)
        caller = others[step.key] if step.key else caller
        status, answer = how(caller, action, names.real(request))
        for key_id, secret, token in keys_in(answer):
            others[names.known(key_id)] = Account(
                stage.host, "", key_id, secret, security_token=token
            )
        answer = names.known(answer)
        refusal = answer.get("Code", "") if status != 200 else ""
        assert refusal == step.code, f"{step} was answered {status} {answer}"
        if is_shown:
            told.setdefault(name, []).append(Exchange(request, status, answer))
    for account in (operator, *itself.values(), *others.values()):
        account.own.close()
    return told


def keys_in(answer: Any) -> Iterator[tuple[str, str, str]]:
    """The access keys that an answer gives away, with their secrets and the tokens of sessions."""
    if isinstance(answer, dict):
        if "AccessKeySecret" in answer:
            yield answer["AccessKeyId"], answer["AccessKeySecret"], answer.get("SecurityToken", "")
        for inner in answer.values():
            yield from keys_in(inner)


def needs_region(action: Action) -> bool:
    """Whether an action cannot do without RegionId."""
    fields = msgspec.structs.fields(action.schema)
    return any(each.encode_name == "RegionId" and each.required for each in fields)


def by_hand(account: Account, action: Action, request: Parameters) -> Said:
    """Ask with a request of our own making."""
    pairs = list(flatten(request))
    sent = acs3(
        account,
        account.host,
        action.name,
        version=action.product.version,
        form=pairs,
        x_acs_security_token=account.own._token,
    )
    reply = send(account.host, sent)
    return reply.status, reply.answer


def path_of(product: str, action: str) -> Path:
    """Where the transcript of an action is."""
    return FOLDER / product / f"{action}.json"


def read(product: str, action: str) -> list[Exchange]:
    """The transcript of an action; nothing where there is none."""
    path = path_of(product, action)
    return msgspec.json.decode(path.read_bytes(), type=list[Exchange]) if path.exists() else []


def written(exchanges: Iterable[Exchange]) -> str:
    """A transcript as its file has it."""
    told = [msgspec.to_builtins(each) for each in exchanges]
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def files() -> Iterator[Path]:
    """Every transcript there is."""
    return FOLDER.glob("*/*.json")
