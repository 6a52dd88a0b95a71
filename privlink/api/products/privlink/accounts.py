"""Accounts, and how much each may have."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer
from privlink.model.account import EVERY_ACCOUNT, AccessKey, Account, QuotaSetting
from privlink.model.ids import AccountId, new_access_key, new_account_id
from privlink.rules.quotas import QUOTAS, Quota
from privlink.store import accounts
from privlink.store import quotas as settings

AccountName = Annotated[
    str,
    msgspec.Meta(
        pattern="^[A-Za-z][A-Za-z0-9_-]{0,63}\\Z",
        description="a name has up to 64 letters, digits, - and _, a letter first.",
    ),
]
Limit = Annotated[int, msgspec.Meta(ge=0, le=10**9, description="a limit is 0 to 1000000000.")]


class CreateAccountAnswer(Answer):
    account_id: str
    access_key_id: str
    access_key_secret: str


class AccountAnswer(Answer):
    account_id: str
    name: str
    operator: bool
    create_time: str
    reverse_services: bool  # it may offer services for Reverse endpoints


class AccountsAnswer(Answer):
    accounts: list[AccountAnswer]


class QuotaAnswer(Answer):
    quota_name: str
    description: str
    limit: int
    default_limit: int
    account_id: str  # whom the limit was set for: the account, or * for everyone


class QuotasAnswer(Answer):
    quotas: list[QuotaAnswer]


@action(PRIVLINK, writes=True, who=Who.OPERATOR, secret=True, resource="account/*")
def create_account(call: Call, *, name: AccountName) -> CreateAccountAnswer:
    """Create an account and its first access key. The secret is shown this once.

    PrivateLink is not switched on in it: OpenPrivateLinkService does that.
    """
    if (present := accounts.by_name(call.tx, name)) is not None:
        raise errors.AccountExists(name=name, account_id=present.id)
    account = Account(
        new_account_id(), name, operator=False, created_at=call.now, opened=False, linked=False
    )
    key_id, secret = new_access_key()
    accounts.add(call.tx, account)
    key = AccessKey(key_id, secret, account.id, None, created_at=call.now)
    accounts.add_access_key(call.tx, key)
    return CreateAccountAnswer(
        account_id=account.id, access_key_id=key_id, access_key_secret=secret
    )


@action(PRIVLINK, who=Who.OPERATOR, resource="account/*")
def list_accounts(call: Call) -> AccountsAnswer:
    """List the accounts of this installation, oldest first."""
    return AccountsAnswer(
        accounts=[_account_answer(account) for account in accounts.every(call.tx)]
    )


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="account/{account_id}")
def set_account_options(call: Call, *, account_id: str, reverse_services: bool) -> AccountAnswer:
    """Let an account offer services for Reverse endpoints, which call into consumers' networks, or
    not. Services that are there stay.
    """
    account = accounts.get(call.tx, AccountId(account_id))
    if account is None:
        raise errors.AccountNotFound(account_id=account_id)
    accounts.set_reverse(call.tx, account.id, may=reverse_services)
    return _account_answer(msgspec.structs.replace(account, reverse=reverse_services))


@action(PRIVLINK, resource="quota/*")
def list_quotas(call: Call, *, account_id: str | None = None) -> QuotasAnswer:
    """List how much there may be of each thing in your account; the operator may ask for any."""
    assert call.caller.account is not None
    if account_id not in (None, call.account_id) and not call.caller.account.operator:
        raise errors.AccountNotFound(account_id=account_id)
    asked = _known(call, account_id or call.account_id)
    everyones = {each.name: each for each in settings.settings(call.tx, EVERY_ACCOUNT)}
    chosen = everyones | {each.name: each for each in settings.settings(call.tx, asked)}
    return QuotasAnswer(
        quotas=[_quota_answer(quota, chosen.get(name)) for name, quota in sorted(QUOTAS.items())]
    )


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="quota/*")
def set_quota(
    call: Call, *, quota_name: str, limit: Limit, account_id: str = EVERY_ACCOUNT
) -> QuotaAnswer:
    """Let an account, or every account, have so much of something. What is there stays."""
    quota = _quota(quota_name)
    setting = QuotaSetting(_known(call, account_id), quota.name, limit)
    settings.put(call.tx, setting)
    return _quota_answer(quota, setting)


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="quota/*")
def reset_quota(call: Call, *, quota_name: str, account_id: str = EVERY_ACCOUNT) -> Answer:
    """Undo SetQuota."""
    settings.forget(call.tx, _known(call, account_id), _quota(quota_name).name)
    return Answer()


def _account_answer(account: Account) -> AccountAnswer:
    return AccountAnswer(
        account_id=account.id,
        name=account.name,
        operator=account.operator,
        create_time=account.created_at,
        reverse_services=account.reverse,
    )


def _known(call: Call, account_id: str) -> str:
    if account_id != EVERY_ACCOUNT and accounts.get(call.tx, AccountId(account_id)) is None:
        raise errors.AccountNotFound(account_id=account_id)
    return account_id


def _quota(name: str) -> Quota:
    if name not in QUOTAS:
        raise errors.QuotaNotFound(name=name)
    return QUOTAS[name]


def _quota_answer(quota: Quota, setting: QuotaSetting | None) -> QuotaAnswer:
    return QuotaAnswer(
        quota_name=quota.name,
        description=quota.what,
        limit=quota.limit if setting is None else setting.limit,
        default_limit=quota.limit,
        account_id="" if setting is None else setting.account_id,
    )


ACTIONS = (create_account, list_accounts, set_account_options, list_quotas, set_quota, reset_quota)
