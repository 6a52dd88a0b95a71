"""Who may use an endpoint service: the owner, and whoever its allow list names.

An entry is an account number, `*` for everybody, or an ARN such as `acs:ram:*:<account>:*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from privlink.model.ids import AccountId

_ARN = re.compile(r"^acs:ram:[^:]*:(\d{1,20}|\*):.+$")
EVERYBODY = "*"


def account_of(user: str) -> str | None:
    """The account (or `*`) an allow list entry names, or None if it is neither form."""
    if user == EVERYBODY or (user.isascii() and user.isdigit()):
        return user
    found = _ARN.match(user)
    return found[1] if found else None


def allows(users: Iterable[str], account_id: AccountId) -> bool:
    """Whether an allow list lets an account in."""
    return any(account_of(user) in (EVERYBODY, account_id) for user in users)
