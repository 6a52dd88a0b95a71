"""VPC 2016-04-28: one file for each noun of it; the table of all its actions."""

from privlink.api.products.vpc import (
    full_nat_entries,
    gateway_associations,
    gateway_endpoints,
    labels,
    nat_gateways,
    nat_interfaces,
    nat_ips,
    prefix_lists,
    regions,
    route_entries,
    route_lists,
    route_tables,
    vpcs,
    vswitches,
)

ACTIONS = (
    *regions.ACTIONS,
    *vpcs.ACTIONS,
    *vswitches.ACTIONS,
    *route_tables.ACTIONS,
    *route_entries.ACTIONS,
    *route_lists.ACTIONS,
    *prefix_lists.ACTIONS,
    *gateway_endpoints.ACTIONS,
    *gateway_associations.ACTIONS,
    *nat_gateways.ACTIONS,
    *nat_ips.ACTIONS,
    *full_nat_entries.ACTIONS,
    *nat_interfaces.ACTIONS,
    *labels.ACTIONS,
)
