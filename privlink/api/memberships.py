"""Which security groups a workload's interface may be in together."""

from __future__ import annotations

from collections.abc import Sequence

from privlink import errors
from privlink.api import limits
from privlink.api.action import Call
from privlink.model.security import SecurityGroup
from privlink.rules import filters, quotas


def check(call: Call, groups: Sequence[SecurityGroup], interface: str) -> None:
    """Refuse more groups than one interface may be in, and groups of two types.

    `interface`: what to call it. Raises GroupsPerInterfaceLimit or GroupsOfTwoTypes.
    """
    limits.check(call, quotas.GROUPS_PER_INTERFACE, 0, interface, more=len(groups))
    # Whatever the quota says, a node has room for no more.
    quotas.GROUPS_PER_INTERFACE.check(0, interface, more=len(groups), limit=filters.MOST_GROUPS)
    if len({group.type for group in groups}) > 1:
        listed = ", ".join(f"{group.id} ({group.type})" for group in groups)
        raise errors.GroupsOfTwoTypes(groups=listed)
