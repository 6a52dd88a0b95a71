"""Users, roles and their sessions in few words, made through the official SDKs."""

from __future__ import annotations

import json
from typing import Any

from tests.api.account import Account
from tests.api.stage import Stage


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "1", "Statement": list(statements)})


def allow(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on} | more


def deny(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return allow(*actions, on=on, **more) | {"Effect": "Deny"}


def trust(*principals: str, **more: Any) -> str:
    """The policy of a role that these may assume."""
    who = {"RAM": list(principals)}
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": who} | more)


EVERYTHING = document(allow("*"))


def user(stage: Stage, account: Account, name: str, *statements: dict[str, Any]) -> Account:
    """A new user of an account who may do what the statements say."""
    account.ram.CreateUser(UserName=name)
    if statements:
        account.ram.CreatePolicy(PolicyName=f"of-{name}", PolicyDocument=document(*statements))
        account.ram.AttachPolicyToUser(UserName=name, PolicyName=f"of-{name}", PolicyType="Custom")
    key = account.ram.CreateAccessKey(UserName=name)["AccessKey"]
    return Account(stage.host, account.id, key["AccessKeyId"], key["AccessKeySecret"])


def role(account: Account, name: str, *statements: dict[str, Any], by: str | None = None) -> str:
    """A new role of an account, which everybody in it may assume, or `by`; its ARN."""
    trusted = trust(by or f"acs:ram::{account.id}:root")
    made = account.ram.CreateRole(RoleName=name, AssumeRolePolicyDocument=trusted)
    if statements:
        account.ram.CreatePolicy(PolicyName=f"of-{name}", PolicyDocument=document(*statements))
        account.ram.AttachPolicyToRole(RoleName=name, PolicyName=f"of-{name}", PolicyType="Custom")
    return str(made["Role"]["Arn"])


def session(stage: Stage, caller: Account, role: str, name: str = "job", **more: Any) -> Account:
    """Somebody who has assumed a role."""
    made = caller.sts.AssumeRole(RoleArn=role, RoleSessionName=name, **more)["Credentials"]
    account_id = role.split(":")[3]
    return Account(
        stage.host,
        account_id,
        made["AccessKeyId"],
        made["AccessKeySecret"],
        security_token=made["SecurityToken"],
    )
