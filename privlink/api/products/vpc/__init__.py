"""VPC 2016-04-28: one file for each noun of it; the table of all its actions."""

from privlink.api.products.vpc import (
    full_nat_entries,
    labels,
    nat_gateways,
    nat_interfaces,
    nat_ips,
    regions,
    route_entries,
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
    *nat_gateways.ACTIONS,
    *nat_ips.ACTIONS,
    *full_nat_entries.ACTIONS,
    *nat_interfaces.ACTIONS,
    *labels.ACTIONS,
)
