"""Switching PrivateLink on: an account's calls of it are answered from then on."""

from __future__ import annotations

import secrets

from privlink import errors
from privlink.api.action import PRIVATELINK, Call, action
from privlink.api.wire import Answer
from privlink.store import accounts


class CheckProductOpenAnswer(Answer):
    success: bool


class OpenAnswer(Answer):
    order_id: str


@action(PRIVATELINK, resource="*", before_opening=True)
def check_product_open(call: Call) -> CheckProductOpenAnswer:
    """Ask whether PrivateLink is switched on; NeedOpenProduct says that it is not."""
    assert call.caller.account is not None
    if not call.caller.account.opened:
        raise errors.NeedOpenProduct(account_id=call.account_id)
    return CheckProductOpenAnswer(success=True)


@action(PRIVATELINK, writes=True, resource="*", before_opening=True)
def open_private_link_service(call: Call) -> OpenAnswer:
    """Switch PrivateLink on for your account. It costs nothing and cannot be undone."""
    if not accounts.open_privatelink(call.tx, call.account_id):
        raise errors.OrderOpend(account_id=call.account_id)
    return OpenAnswer(order_id=str(secrets.randbelow(9 * 10**14) + 10**14))


ACTIONS = (check_product_open, open_private_link_service)
