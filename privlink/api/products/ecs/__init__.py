"""ECS 2014-05-26: one file for each noun of it; the table of all its actions."""

from privlink.api.products.ecs import (
    egress_rules,
    ingress_rules,
    labels,
    memberships,
    network_interfaces,
    prefix_lists,
    regions,
    security_groups,
)

ACTIONS = (
    *regions.ACTIONS,
    *security_groups.ACTIONS,
    *ingress_rules.ACTIONS,
    *egress_rules.ACTIONS,
    *prefix_lists.ACTIONS,
    *memberships.ACTIONS,
    *network_interfaces.ACTIONS,
    *labels.ACTIONS,
)
