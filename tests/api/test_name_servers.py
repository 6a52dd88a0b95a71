"""Other people's name servers: who may name them, what is refused, and that no secret gets out."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from privlink.client import RemoteError
from privlink.rules.peers import MOST_SERVERS
from privlink.store import name_servers
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import DNS, OPERATOR, Stage
from tests.api.stand_in import Node
from tests.api.test_accounts import ACTION, ask

SECRET = "c2VjcmV0IHRoYXQgdHdvIHNlcnZlcnMga25vdy4uLi4="
OTHER = "YW5vdGhlciBzZWNyZXQsIHdoaWNoIGlzIG5vdCBpdC4="
DOMAIN = "privatelink.internal"
ASKED = {"Address": "192.0.2.53", "Pushes": True, "KeyName": "Shop.Key.", "KeySecret": SECRET}


def create(account: Account, **more: Any) -> str:
    return str(account.own.call("CreateNameServer", **(ASKED | more))["NameServerId"])


def test_one_is_a_document_for_whoever_answers_names_and_for_nobody_else(
    operator: Account, node: Node
) -> None:
    node.catch_up()
    made = create(operator, Zone="Internal.", KeyAlgorithm="hmac-sha512")
    told = node.resolver.client.call("PullNames", NodeId=DNS.node_id, Revision=0)
    items = {each["Key"]: each["Item"] for each in told["Items"]}
    assert items[f"server/{made}"] == {
        "kind": "server",
        "address": "192.0.2.53",
        "port": 53,
        "zone": "internal",
        "pushes": True,
        "key": {"name": "shop.key", "algorithm": "hmac-sha512", "secret": SECRET},
        "owner": OPERATOR.account_id,
    }
    assert f"server/{made}" not in {each["Key"] for each in node.pull()["Items"]}
    operator.own.call("DeleteNameServer", NameServerId=made)
    again = node.resolver.client.call(
        "PullNames", NodeId=DNS.node_id, Revision=told["Revision"], Life=told["Life"]
    )
    assert [(each["Key"], each["Item"]) for each in again["Items"]] == [(f"server/{made}", None)]


def test_it_stands_as_the_resolver_says(operator: Account, node: Node) -> None:
    first, second = create(operator), create(operator, Port=5353, Pushes=False)

    def stands() -> list[tuple[str, str, str]]:
        listed = operator.own.call("ListNameServers")["NameServers"]
        assert [each["NameServerId"] for each in listed] == [first, second]
        return [(each["State"], each["Why"], each["Since"]) for each in listed]

    assert [state for state, _, _ in stands()] == ["Pending", "Pending"]
    say(node, first, "Failing", "it cannot be reached.", "2026-12-01T09:00:00Z")
    say(node, second, "InStep", "", "2026-12-01T09:01:00Z")
    say(node, "nsrv-gone", "InStep", "", "2026-12-01T09:01:00Z")
    assert stands() == [
        ("Failing", "it cannot be reached.", "2026-12-01T09:00:00Z"),
        ("InStep", "", "2026-12-01T09:01:00Z"),
    ]
    say(node, first, "InStep", "", "2026-12-01T09:02:00Z")
    assert stands()[0] == ("InStep", "", "2026-12-01T09:02:00Z")


def say(node: Node, server: str, state: str, why: str, since: str) -> None:
    """Have the resolver say how far a name server is."""
    said = {"Key": f"server/{server}", "State": state, "Why": why, "Since": since}
    node.resolver.client.call("PushNameServerStates", NodeId=DNS.node_id, States=[said])


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"Address": "ns.example"}, "InvalidAddress", ["'ns.example'", "IPv4 or IPv6"]),
        ({"Address": "224.0.0.1"}, "InvalidAddress", ["224.0.0.1"]),
        ({"Address": "fe80::1%eth0"}, "InvalidAddress", ["fe80::1%eth0"]),
        ({"Port": 0}, "InvalidPort", ["1 to 65535"]),
        ({"Zone": "vendor.example"}, "InvalidZone", ["vendor.example", DOMAIN, "or a zone that"]),
        ({"Zone": "rnal"}, "InvalidZone", [DOMAIN]),
        ({"Zone": "internal", "Pushes": False}, "InvalidZone", ["cannot be transferred"]),
        ({"KeyName": "a key"}, "InvalidKeyName", ["'a key'", "253"]),
        ({"KeyAlgorithm": "hmac-md5"}, "InvalidKeyAlgorithm", ["hmac-md5", "hmac-sha256"]),
        ({"KeySecret": "tooshort"}, "InvalidKeySecret", ["16 to 512 bytes in base64"]),
        ({"KeySecret": "not base64 at all!"}, "InvalidKeySecret", ["base64"]),
        ({"KeySecret": None}, "MissingKeySecret", ["KeySecret"]),
        ({"Pushes": None}, "MissingPushes", ["Pushes"]),
    ],
)
def test_what_cannot_be_is_refused(
    operator: Account, refused: Refused, asked: dict[str, Any], code: str, words: list[str]
) -> None:
    with refused(code, 400, *words):
        create(operator, **asked)


def test_one_zone_is_named_once_and_a_key_has_one_secret(
    operator: Account, refused: Refused
) -> None:
    first = create(operator)
    with refused("NameServerExists", 400, first, "192.0.2.53"):
        create(operator, KeyName="another", KeySecret=OTHER)
    with refused("NameServerKeyExists", 400, first, "shop.key"):
        create(operator, Port=5353, KeySecret=OTHER)
    create(operator, Port=5353)
    with refused("NameServerNotFound", 404, "nsrv-none"):
        operator.own.call("DeleteNameServer", NameServerId="nsrv-none")


def test_there_are_so_many_at_most(operator: Account, refused: Refused) -> None:
    for number in range(MOST_SERVERS):
        create(operator, Port=1000 + number)
    with refused("QuotaExceeded.NameServer", 400, str(MOST_SERVERS)):
        create(operator)


def test_they_are_the_operators(operator: Account, other: Account, refused: Refused) -> None:
    made = create(operator)
    for action, asked in (
        ("CreateNameServer", ASKED),
        ("ListNameServers", {}),
        ("DeleteNameServer", {"NameServerId": made}),
    ):
        with refused("NoPermission", 403, "operator only"):
            other.own.call(action, **asked)


def test_a_secret_is_in_no_answer_and_no_line_of_the_log(
    stage: Stage, operator: Account, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [operator.own.call("CreateNameServer", **ASKED)]
    answers.append(operator.own.call("ListNameServers"))
    node.catch_up()
    for wrong in (
        {"KeySecret": [SECRET]},
        {"KeySecret": {"Of": SECRET}},
        {"KeySecret": SECRET + "!"},
        {"KeySecret": SECRET},
        {"Port": "x"},
        {"Nonsense": "1"},
        {"KeySecret": SECRET, "KeySecret.1": SECRET},
    ):
        reply = ask(stage, operator, ACTION["CreateNameServer"], ASKED | wrong)
        assert reply.status == 400
        answers.append({"said": reply.message})
    with stage.database.read() as tx:
        answers.append({"shown": repr(name_servers.every(tx))})
    for text in (json.dumps(answers), caplog.text):
        assert SECRET not in text


@pytest.fixture
def made(operator: Account) -> str:
    """One that is there."""
    return create(operator)


def test_no_secret_that_is_given_comes_back(stage: Stage, operator: Account, made: str) -> None:
    @settings(max_examples=50, suppress_health_check=list(HealthCheck))
    @given(some.text(min_size=8, max_size=40, alphabet="abcdefghijklmnopqrstuvwxyz+/=!% "))
    def give(secret: str) -> None:
        reply = ask(stage, operator, ACTION["CreateNameServer"], ASKED | {"KeySecret": secret})
        assert reply.status == 400
        assert secret not in str(reply.answer)

    give()


def test_a_word_of_nobody_is_not_taken(stage: Stage, node: Node, made: str) -> None:
    before = stage.dump()
    with pytest.raises(RemoteError):
        say(node, made, "Splendid", "", "2026-12-01T09:00:00Z")
    with pytest.raises(RemoteError):
        say(node, made, "InStep", "", "yesterday")
    assert stage.dump() == before
