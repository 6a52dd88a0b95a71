"""How much an account may have of something: the quota's limit, or what the operator has set."""

from __future__ import annotations

from typing import Any

from privlink.api.action import Call
from privlink.rules.quotas import Quota


def check(call: Call, quota: Quota, present: int, *inside: str, **more: Any) -> None:
    """Refuse what would be one too many for the calling account. Raises the quota's error.

    Takes what `Quota.check` takes, but for the limit.
    """
    quota.check(present, *inside, limit=call.caller.limits.get(quota.name), **more)
