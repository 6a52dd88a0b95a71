"""Who holds which access key, remembered from one request to the next.

Every request asks, and hardly any changes the answer. Whoever changes it says so, once that is
committed; what was read before then, and comes later, is not kept.
"""

from __future__ import annotations

from collections.abc import Callable

from privlink.api.action import PRIVLINK, RAM, STS, Action
from privlink.api.caller import Caller
from privlink.api.identify import Holder

_CHANGED_BY = frozenset({PRIVLINK, RAM, STS})
_MOST = 10_000


class Holders:
    """The access keys that were looked up."""

    def __init__(self, look_up: Callable[[str], Holder]) -> None:
        self._look_up = look_up
        self._found: dict[str, Holder] = {}

    def of(self, key_id: str) -> Holder:
        """The holder of a key. Raises what `look_up` raises for a key nobody holds."""
        known = self._found
        found = known.get(key_id)
        if found is None:
            found = self._look_up(key_id)
            # Long requests are looked at in threads: what changes meanwhile begins another
            # dictionary, and this one is then read by nobody.
            if len(known) < _MOST:
                known[key_id] = found
        return found

    def committed(self, action: Action, caller: Caller) -> None:
        """Forget them all, if an action may have changed any.

        What is known of an account itself changes with its first steps in PrivateLink.
        """
        account = caller.account
        if account is None:  # a node speaks every second, and changes none
            return
        new = not (account.opened and account.linked)
        if new or action.product in _CHANGED_BY:
            self._found = {}
