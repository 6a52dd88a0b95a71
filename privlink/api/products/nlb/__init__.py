"""NLB 2022-04-30: one file for each noun of it; the table of all its actions."""

from privlink.api.products.nlb import listeners, load_balancers, server_groups

ACTIONS = (*load_balancers.ACTIONS, *server_groups.ACTIONS, *listeners.ACTIONS)
