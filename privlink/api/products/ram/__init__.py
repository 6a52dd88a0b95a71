"""RAM 2015-05-01: one file for each noun of it; the table of all its actions."""

from privlink.api.products.ram import (
    access_keys,
    grants,
    policies,
    policy_versions,
    role_grants,
    roles,
    users,
)

ACTIONS = (
    *users.ACTIONS,
    *access_keys.ACTIONS,
    *policies.ACTIONS,
    *policy_versions.ACTIONS,
    *grants.ACTIONS,
    *roles.ACTIONS,
    *role_grants.ACTIONS,
)
