"""NLB 2022-04-30: one file for each noun of it; the table of all its actions."""

from privlink.api.products.nlb import (
    health,
    jobs,
    labels,
    listeners,
    load_balancers,
    places,
    protection,
    server_groups,
    servers,
)

ACTIONS = (
    *places.ACTIONS,
    *load_balancers.ACTIONS,
    *protection.ACTIONS,
    *server_groups.ACTIONS,
    *servers.ACTIONS,
    *listeners.ACTIONS,
    *health.ACTIONS,
    *labels.ACTIONS,
    *jobs.ACTIONS,
)
