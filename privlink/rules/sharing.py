"""Who may use an endpoint service: the owner, and whoever its allow list names.

An entry is an account number, `*` for everybody, or an ARN such as `acs:ram:*:<account>:*`. An ARN
without an account, `acs:ram:*::*`, is for everybody as well (AddUserToVpcEndpointService).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from privlink.model.ids import AccountId

_ARN = re.compile(r"acs:ram:[^:]*:([0-9]{1,18}|\*|):.+")
ARN_RULE = "it must be * or look like acs:ram:*:123456:*."
EVERYBODY = "*"


def account_in(arn: str) -> str | None:
    """The account an ARN names, `*` if all of them, or None if it is no ARN. `*` alone is one."""
    if arn == EVERYBODY:
        return EVERYBODY
    found = _ARN.fullmatch(arn)
    return found[1] or EVERYBODY if found else None


def allows(users: Iterable[str], account_id: AccountId) -> bool:
    """Whether an allow list lets an account in."""
    return any(user == account_id or account_in(user) in (EVERYBODY, account_id) for user in users)
