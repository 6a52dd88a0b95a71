"""The Reverse endpoint: an address in the consumer's VPC that a provider's NAT gateway calls from.

What it asks of its creation, and which zones of it a NAT gateway leads through. Which of the
consumer's servers may be called is the consumer's word, too: its security groups, as here, and its
list of targets.
"""

from __future__ import annotations

from collections.abc import Sequence

from privlink import errors
from privlink.kinds import interface
from privlink.kinds.interface import lead as lead
from privlink.model.network import IpVersion
from privlink.model.privatelink import ResourceType
from privlink.model.security import SecurityGroup, SecurityGroupRule
from privlink.rules import reverse

RESOURCE_TYPES = frozenset({ResourceType.VPCNAT})
REVERSED = True
NAMED = False  # nobody calls it, so it has no domain names


def check(
    groups: Sequence[SecurityGroup], rules: Sequence[SecurityGroupRule], version: IpVersion
) -> None:
    """Refuse security groups that do not let everything in: which of the consumer's servers are
    called is not known beforehand. Source: "Create and manage endpoints" of the user guide.
    """
    interface.check(groups, rules, version)
    by_group: dict[str, list[SecurityGroupRule]] = {
        group.id: [rule for rule in rules if rule.group_id == group.id] for group in groups
    }
    if closed := reverse.not_let_in(by_group, version):
        raise errors.SecurityGroupTypeNotSupport(
            groups=", ".join(by_group), families=" and ".join(closed)
        )
