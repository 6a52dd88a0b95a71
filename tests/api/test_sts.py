"""Who am I, and becoming a role for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from privlink.store import schema
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.identity import allow, deny, document, role, session, trust, user
from tests.api.stage import Stage
from tests.api.wire import acs3, rpc1, send

STS = "2015-04-01"
MAY_ASSUME = allow("sts:AssumeRole")


@pytest.fixture
def alice(stage: Stage, operator: Account) -> Account:
    """A user who may assume roles and do nothing else."""
    return user(stage, operator, "alice", MAY_ASSUME)


def expire(stage: Stage, seconds: int) -> None:
    """Let every session have begun longer ago."""
    table = schema.role_session
    with stage.database.write() as tx:
        tx.execute(update(table).values(expires=table.c.expires - seconds))


def test_everybody_may_ask_who_they_are(stage: Stage, operator: Account, alice: Account) -> None:
    root = operator.sts.GetCallerIdentity()
    root.pop("RequestId")
    assert root == {
        "IdentityType": "Account",
        "AccountId": operator.id,
        "PrincipalId": operator.id,
        "UserId": operator.id,
        "Arn": f"acs:ram::{operator.id}:root",
    }
    user_id = operator.ram.GetUser(UserName="alice")["User"]["UserId"]
    me = alice.sts.GetCallerIdentity()
    me.pop("RequestId")
    assert me == {
        "IdentityType": "RAMUser",
        "AccountId": operator.id,
        "PrincipalId": user_id,
        "UserId": user_id,
        "Arn": f"acs:ram::{operator.id}:user/alice",
    }
    guest = session(stage, alice, role(operator, "guest", deny("*"))).sts.GetCallerIdentity()
    guest.pop("RequestId")
    role_id = operator.ram.GetRole(RoleName="guest")["Role"]["RoleId"]
    assert guest == {
        "IdentityType": "AssumedRoleUser",
        "AccountId": operator.id,
        "PrincipalId": f"{role_id}:job",
        "RoleId": role_id,
        "Arn": f"acs:ram::{operator.id}:assumed-role/guest/job",
    }


def test_a_session_may_do_what_its_role_may(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest", allow("vpc:*"))
    made = alice.sts.AssumeRole(RoleArn=arn, RoleSessionName="job@site", DurationSeconds=900)
    role_id = operator.ram.GetRole(RoleName="guest")["Role"]["RoleId"]
    assert made["AssumedRoleUser"] == {
        "Arn": f"acs:ram::{operator.id}:assumed-role/guest/job@site",
        "AssumedRoleId": f"{role_id}:job@site",
    }
    keys = made["Credentials"]
    assert keys["AccessKeyId"].startswith("STS.")
    left = datetime.fromisoformat(keys["Expiration"]) - datetime.now(UTC)
    assert 890 < left.total_seconds() <= 900
    guest = session(stage, alice, arn)
    guest.vpc.CreateVpc()
    with refused("Forbidden.RAM", 403, "session job of role guest", "ecs:DescribeSecurityGroups"):
        guest.ecs.DescribeSecurityGroups()
    with refused("Forbidden.RAM", 403, "user alice"):
        alice.vpc.CreateVpc()
    operator.ram.DetachPolicyFromRole(RoleName="guest", PolicyName="of-guest", PolicyType="Custom")
    with refused("Forbidden.RAM", 403):
        guest.vpc.CreateVpc()


def test_both_signatures_carry_a_token(stage: Stage, operator: Account, alice: Account) -> None:
    arn = role(operator, "guest", allow("*"))
    made = alice.sts.AssumeRole(RoleArn=arn, RoleSessionName="job")["Credentials"]
    for options in ({}, {"signature_algorithm": "v2"}):
        account = Account(
            stage.host,
            operator.id,
            made["AccessKeyId"],
            made["AccessKeySecret"],
            security_token=made["SecurityToken"],
            **options,
        )
        account.vpc.CreateVpc()


def test_a_session_policy_only_narrows(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest", allow("vpc:*"), deny("vpc:DeleteVpc"))
    wide = session(stage, alice, arn, Policy=document(allow("*")))
    wide.vpc.DescribeVpcs()
    for denied in (
        lambda: wide.ecs.DescribeSecurityGroups(),
        lambda: wide.vpc.DeleteVpc(VpcId="v"),
    ):
        with refused("Forbidden.RAM", 403):
            denied()
    narrow = session(stage, alice, arn, Policy=document(allow("vpc:Describe*")))
    narrow.vpc.DescribeVpcs()
    with refused("Forbidden.RAM", 403, "no session policy allows it"):
        narrow.vpc.CreateVpc()
    with refused("InvalidParameter.PolicyGrammar", 400, "grammar check"):
        session(stage, alice, arn, Policy="{}")
    with refused("InvalidParameter.PolicyGrammar", 400, "2048 are possible"):
        session(stage, alice, arn, Policy=document(*[allow("vpc:*")] * 60))


def test_how_long_a_session_lasts(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest")
    for seconds in (899, 43201):
        with refused("InvalidParameter.DurationSeconds", 400, "900 to 43200"):
            session(stage, alice, arn, DurationSeconds=seconds)
    with refused("InvalidParameter.DurationSeconds", 400, "3600 seconds"):
        session(stage, alice, arn, DurationSeconds=3601)
    operator.ram.UpdateRole(RoleName="guest", NewMaxSessionDuration=43200)
    session(stage, alice, arn, DurationSeconds=43200)
    for name in ("x", "a b", "a" * 65, "n/m", "端点"):
        with refused("InvalidParameter.RoleSessionName", 400, "2 to 64"):
            session(stage, alice, arn, name)
    for wrong in ("guest", f"acs:ram::{operator.id}:user/alice", arn + "\n"):
        with refused("InvalidParameter.RoleArn", 400, "acs:ram::"):
            alice.sts.AssumeRole(RoleArn=wrong, RoleSessionName="job")


def test_a_session_expires_and_is_forgotten(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest", allow("*"))
    guest = session(stage, alice, arn)
    expire(stage, 3601)
    with refused("InvalidSecurityToken.Expired", 400, "AssumeRole gives a new one"):
        guest.vpc.DescribeVpcs()
    session(stage, alice, arn)
    assert len(stage.dump()["role_session"]) == 2
    expire(stage, 3601)
    session(stage, alice, arn)
    assert len(stage.dump()["role_session"]) == 2
    with refused("InvalidAccessKeyId.NotFound", 404):
        guest.vpc.DescribeVpcs()
    expire(stage, 3601)
    stage.restart()
    assert stage.dump()["role_session"] == []


def test_the_token_must_be_the_keys_own(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest", allow("*"))
    first, second = (session(stage, alice, arn, name) for name in ("one", "two"))
    token = second.own._token
    good = first.own._token

    def ask(account: Account, token: str) -> tuple[int, str]:
        """What both signatures are answered."""
        header = {"x_acs_security_token": token}
        query = [("SecurityToken", token)] if token else []
        replies = [
            send(stage.host, acs3(account, stage.host, "GetCallerIdentity", version=STS, **header)),
            send(stage.host, rpc1(account, "GetCallerIdentity", version=STS, query=query)),
        ]
        (answer,) = {(reply.status, reply.code) for reply in replies}
        return answer

    assert ask(first, good) == (200, "OK")
    assert ask(first, "") == (400, "MissingSecurityToken")
    assert ask(first, token) == (400, "InvalidSecurityToken.MismatchWithAccessKey")
    assert ask(first, "x") == (400, "InvalidSecurityToken.Malformed")
    assert ask(first, good + "A") == (400, "InvalidSecurityToken.Malformed")
    assert ask(operator, "x") == (400, "InvalidSecurityToken.MismatchWithAccessKey")
    assert ask(operator, good) == (400, "InvalidSecurityToken.MismatchWithAccessKey")


def test_a_token_that_the_signature_does_not_cover_is_none(
    stage: Stage, operator: Account, alice: Account
) -> None:
    guest = session(stage, alice, role(operator, "guest", allow("*")))
    token = guest.own._token
    plain = rpc1(guest, "GetCallerIdentity", version=STS)
    added = plain.headers | {"x-acs-security-token": token}
    sneaked = type(plain)(plain.method, plain.target, added, plain.body)
    assert send(stage.host, sneaked).code == "MissingSecurityToken"
    late = type(plain)(plain.method, plain.target + f"&SecurityToken={token}", plain.headers)
    assert send(stage.host, late).code == "SignatureDoesNotMatch"
    signed = acs3(guest, stage.host, "GetCallerIdentity", version=STS)
    added = signed.headers | {"x-acs-security-token": token}
    sneaked = type(plain)(signed.method, signed.target, added, signed.body)
    assert send(stage.host, sneaked).code == "InvalidSignature"


def test_who_may_assume_a_role(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest")
    bob = user(stage, operator, "bob", allow("vpc:*"))
    with refused("NoPermission", 403, "user bob", "sts:AssumeRole", arn):
        session(stage, bob, arn)
    with refused("NoPermission", 403, "may not be assumed by root accounts", "RAM user"):
        session(stage, operator, arn)
    with refused("EntityNotExist.Role", 404, "'nobody'"):
        session(stage, alice, arn.replace("guest", "nobody"))
    only_bob = role(operator, "hers", by=f"acs:ram::{operator.id}:user/bob")
    with refused("NoPermission", 403, "user alice", "trust policy"):
        session(stage, alice, only_bob)
    carol = user(stage, operator, "carol", allow("sts:AssumeRole", on=only_bob))
    with refused("NoPermission", 403, "user carol"):
        session(stage, carol, arn)
    in_turn = role(operator, "host", by=f"acs:ram::{operator.id}:role/guest")
    with refused("NoPermission", 403, "user alice"):
        session(stage, alice, in_turn)
    operator.ram.AttachPolicyToRole(
        RoleName="guest", PolicyName="AliyunSTSAssumeRoleAccess", PolicyType="System"
    )
    chained = session(stage, session(stage, alice, arn), in_turn)
    assert chained.sts.GetCallerIdentity()["Arn"].endswith("assumed-role/host/job")


def test_a_trust_policy_has_conditions(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    def make(name: str, **conditions: Any) -> str:
        trusted = trust(f"acs:ram::{operator.id}:root", Condition=conditions)
        made = operator.ram.CreateRole(RoleName=name, AssumeRolePolicyDocument=trusted)
        return str(made["Role"]["Arn"])

    here = make("here", IpAddress={"acs:SourceIp": "127.0.0.0/8"})
    there = make("there", IpAddress={"acs:SourceIp": "10.0.0.0/8"})
    known = make("known", StringEquals={"sts:ExternalId": "4711"})
    session(stage, alice, here)
    with refused("NoPermission", 403):
        session(stage, alice, there)
    with refused("NoPermission", 403):
        session(stage, alice, known)
    session(stage, alice, known, ExternalId="4711")


def test_another_accounts_role(
    stage: Stage, operator: Account, other: Account, alice: Account, refused: Refused
) -> None:
    arn = role(other, "guest", allow("vpc:*"), by=f"acs:ram::{operator.id}:root")
    guest = session(stage, alice, arn)
    assert guest.sts.GetCallerIdentity()["AccountId"] == other.id
    vpc = guest.vpc.CreateVpc()["VpcId"]
    assert other.vpc.DescribeVpcs()["Vpcs"]["Vpc"][0]["VpcId"] == vpc
    assert operator.vpc.DescribeVpcs()["TotalCount"] == 0
    stranger = user(stage, other, "mallory", MAY_ASSUME)
    with refused("NoPermission", 403, "does not exist or its trust policy"):
        session(stage, stranger, arn)
    closed = role(operator, "closed")
    told = []
    for name in ("closed", "no-such"):
        with pytest.raises(Exception) as caught:
            session(stage, stranger, closed.replace("closed", name))
        told.append(str(caught.value.message).partition(" request id")[0].replace(name, "<role>"))
    assert told[0] == told[1]


def test_a_deleted_role_ends_its_sessions(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    guest = session(stage, alice, role(operator, "guest"))
    guest.sts.GetCallerIdentity()
    operator.ram.DeleteRole(RoleName="guest")
    with refused("InvalidAccessKeyId.NotFound", 404):
        guest.sts.GetCallerIdentity()


def test_there_are_only_so_many_sessions(
    stage: Stage, operator: Account, alice: Account, refused: Refused
) -> None:
    arn = role(operator, "guest")
    operator.own.call("SetQuota", QuotaName="sts_quota_role_sessions", Limit=1)
    session(stage, alice, arn)
    with refused("LimitExceeded.RoleSession", 409, "limit of 1", "until they expire"):
        session(stage, alice, arn)
