"""What must stay with its owner: secrets and tokens, wherever they could leak."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.api.account import Account
from tests.api.identity import allow, role, session, user
from tests.api.stage import Stage
from tests.api.wire import Request, acs3, rpc1, send

RAM, STS = "2015-05-01", "2015-04-01"


def test_no_secret_is_logged_or_answered(
    stage: Stage, operator: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alice = user(stage, operator, "alice", allow("sts:*"))
    guest = session(stage, alice, role(operator, "guest"))
    token = guest.own._token
    told = [str(operator.ram.ListAccessKeys(UserName="alice"))]

    def ask(account: Account, **more: Any) -> None:
        request = acs3(account, stage.host, "ListUsers", version=RAM, **more)
        told.append(str(send(stage.host, request).answer))

    for secret in (None, "wrong"):
        ask(alice, secret=secret)
        ask(guest, secret=secret, x_acs_security_token=token)
    query = [("SecurityToken", token), ("UserName", "alice")]
    told.append(str(send(stage.host, rpc1(guest, "ListUsers", version=RAM, query=query)).answer))
    # The product's own log; that of uvicorn is off where privlink runs.
    log = "\n".join(each.getMessage() for each in caplog.records if "privlink" in each.name)
    assert "user alice of account" in log
    assert "session job of role guest of account" in log
    for secret in (alice.secret, guest.secret, token):
        assert secret not in log
        assert not any(secret in text for text in told)


def test_what_is_kept_of_a_token_does_not_open_anything(stage: Stage, operator: Account) -> None:
    alice = user(stage, operator, "alice", allow("sts:*"))
    guest = session(stage, alice, role(operator, "guest"))
    dump = str(stage.dump())
    assert guest.own._token not in dump
    assert stage.dump()["client_token"] == []


def test_a_wrong_secret_learns_nothing_about_a_key(stage: Stage, operator: Account) -> None:
    """Inactive, expired, of a user or a session: without the secret all are the same."""
    alice = user(stage, operator, "alice", allow("sts:*"))
    guest = session(stage, alice, role(operator, "guest"))
    operator.ram.UpdateAccessKey(UserName="alice", UserAccessKeyId=alice.key_id, Status="Inactive")
    codes = set()
    for account in (alice, guest, operator):
        request = acs3(account, stage.host, "ListUsers", version=RAM, secret="wrong")
        codes.add(send(stage.host, request).code)
    assert codes == {"SignatureDoesNotMatch"}


@pytest.mark.parametrize("token", ["\x00", "é", "a" * 9000, "CAIS" + "-" * 128, "%s", "'"])
def test_no_token_breaks_the_server(stage: Stage, operator: Account, token: str) -> None:
    alice = user(stage, operator, "alice", allow("sts:*"))
    guest = session(stage, alice, role(operator, "guest"))
    query = [("SecurityToken", token)]
    reply = send(stage.host, rpc1(guest, "GetCallerIdentity", version=STS, query=query))
    assert reply.status == 400
    assert reply.code.startswith("InvalidSecurityToken.")


@pytest.mark.parametrize("key_id", ["STS.", "STS.x", "sts.", "STS." + "A" * 25, "STS.%", "é"])
def test_a_key_that_nobody_has(stage: Stage, operator: Account, key_id: str) -> None:
    stranger: Any = Account(stage.host, operator.id, key_id, "x")
    request: Request = rpc1(stranger, "GetCallerIdentity", version=STS)
    assert send(stage.host, request).code == "InvalidAccessKeyId.NotFound"
